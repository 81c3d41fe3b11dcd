#include <cmath>
#include <loradyn/dynamics/overlap_event.hpp>
#include <loradyn/error.hpp>
#include <loradyn/number_text.hpp>
#include <string>
#include "nan.hpp"

namespace loradyn {
void overlap_event::validate() const {
  if (!std::isfinite(at)) {
    throw argument_error("the value of the event", number_text(at), "finite");
  }
  if (quantity == overlap_quantity::m && !(std::abs(at) < 1.0 && (is_signed || at > 0.0))) {
    throw argument_error("the value of the event", number_text(at),
                         is_signed ? "between -1 and 1" : "between 0 and 1 for |m|");
  }
}

ode_event<3> event_of(const flow& f, const overlap_event& e, const overlap_state& x) {
  const double at = e.at;
  switch (e.quantity) {
    case overlap_quantity::m:
      if (e.is_signed) {
        return {[at](const std::array<double, 3>& y) { return y[1] - at; },
                x.m < at ? crossing::rising : crossing::falling};
      }
      return {[at](const std::array<double, 3>& y) { return std::abs(y[1]) - at; },
              crossing::rising};
    case overlap_quantity::M: {
      const bool is_signed = e.is_signed;
      const auto value = [&f, at, is_signed](const std::array<double, 3>& y) {
        const double M = fields(overlap_state::unpack(y), f.parameters()).M;
        return (is_signed ? M : std::abs(M)) - at;
      };
      return {value, value(x.pack()) < 0.0 ? crossing::rising : crossing::falling};
    }
    case overlap_quantity::risk:
      break;
  }
  return {[&f, at](const std::array<double, 3>& y) {
            try {
              return f.risk(overlap_state::unpack(y)) - at;
            } catch (const error&) {
              return nan;
            }
          },
          crossing::falling};
}

bool met_by(const ode_event<3>& event, const overlap_state& x) {
  const double value = event.value(x.pack());
  return event.direction == crossing::rising ? value >= 0.0 : value <= 0.0;
}

ode_system<3> system_of(const flow& f) {
  return {[&f](const std::array<double, 3>& x) {
            try {
              return f.packed_velocity(x);
            } catch (const error&) {
              return std::array<double, 3>{nan, nan, nan};
            }
          },
          [&f](const std::array<double, 3>& x) {
            try {
              return f.approximate_jacobian(overlap_state::unpack(x));
            } catch (const error&) {
              return Eigen::Matrix3d::Constant(nan).eval();
            }
          }};
}

void validate_start(const overlap_state& x) {
  if (!std::isfinite(x.u)) {
    throw argument_error("u0", number_text(x.u), "finite");
  }
  if (!in_disc(x)) {
    throw argument_error("m0^2 + s0^2", number_text(x.m * x.m + x.s * x.s), "at most 1");
  }
}

}  // namespace loradyn
