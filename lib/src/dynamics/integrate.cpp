#include <cmath>
#include <cstdint>
#include <loradyn/dynamics/integrate.hpp>
#include <loradyn/error.hpp>
#include <loradyn/number_text.hpp>

#include "dynamics/integration.hpp"

namespace loradyn {
namespace {

thread_local integration_work thread_work;

}  // namespace

void detail::add_to_thread(const integration_work& work) noexcept { thread_work += work; }

integration_work& integration_work::operator+=(const integration_work& more) noexcept {
  velocities += more.velocities;
  jacobians += more.jacobians;
  explicit_steps += more.explicit_steps;
  stiff_steps += more.stiff_steps;
  rejected += more.rejected;
  return *this;
}

integration_work operator-(const integration_work& a, const integration_work& b) noexcept {
  return {a.velocities - b.velocities, a.jacobians - b.jacobians,
          a.explicit_steps - b.explicit_steps, a.stiff_steps - b.stiff_steps,
          a.rejected - b.rejected};
}

integration_work work_of_this_thread() noexcept { return thread_work; }

std::string_view to_string(integration_status status) {
  switch (status) {
    case integration_status::end_time:
      return "end-time";
    case integration_status::event:
      return "event";
    case integration_status::event_at_start:
      return "event-at-start";
    case integration_status::stopped:
      return "stopped";
    case integration_status::step_limit:
      return "step-limit";
    case integration_status::step_underflow:
      return "step-underflow";
    case integration_status::undefined:
      return "undefined";
    case integration_status::blow_up:
      break;
  }
  return "blow-up";
}

void integration_options::validate() const {
  const auto require = [](bool holds, const char* name, double value, const char* expected) {
    if (!holds) {
      throw argument_error(name, number_text(value), expected);
    }
  };
  // 1e-13: below 450 ε the error of a step is its rounding.
  require(relative_tolerance >= 1e-13 && relative_tolerance <= 0.1, "rtol (relative tolerance)",
          relative_tolerance, "between 1e-13 and 0.1");
  require(absolute_tolerance >= 0.0 && std::isfinite(absolute_tolerance),
          "atol (absolute tolerance)", absolute_tolerance, "finite and >= 0");
  require(!std::isnan(end_time), "the end time", end_time, "a number");
  require(step_limit > 0, "the step limit", static_cast<double>(step_limit), "at least 1");
}

template integration_result<2> integrate<2>(const ode_system<2>&, const std::array<double, 2>&,
                                            double, const integration_options&,
                                            std::span<const ode_event<2>>,
                                            const std::function<bool(const dense_step<2>&)>&);
template integration_result<3> integrate<3>(const ode_system<3>&, const std::array<double, 3>&,
                                            double, const integration_options&,
                                            std::span<const ode_event<3>>,
                                            const std::function<bool(const dense_step<3>&)>&);

}  // namespace loradyn
