#pragma once

/// \file
/// Integration of autonomous systems with error control, dense output and events.

#include <Eigen/Core>
#include <array>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <limits>
#include <loradyn/names.hpp>
#include <span>
#include <string_view>
#include <type_traits>
#include <vector>

namespace loradyn {

/// For N: as many dimensions as the start has.
inline constexpr std::size_t any_dimension = 0;

/// A state of N components, or of any number of them.
template <std::size_t N>
using ode_state =
    std::conditional_t<N == any_dimension, std::vector<double>, std::array<double, N>>;

/// Its Jacobian.
template <std::size_t N>
using ode_matrix =
    std::conditional_t<N == any_dimension, Eigen::MatrixXd,
                       Eigen::Matrix<double, static_cast<int>(N), static_cast<int>(N)>>;

/// x' = velocity(x) in N dimensions.
template <std::size_t N>
struct ode_system {
  std::function<ode_state<N>(const ode_state<N>&)> velocity;
  /// Row i: the derivatives of velocity i.
  std::function<ode_matrix<N>(const ode_state<N>&)> jacobian;
};

/// Which way a function must pass through zero.
enum class crossing { rising, falling, either };

/// Something that ends an integration: value(x) passes through zero.
template <std::size_t N>
struct ode_event {
  std::function<double(const ode_state<N>&)> value;
  crossing direction = crossing::rising;
};

/// A step that was accepted, with its dense output.
template <std::size_t N>
struct dense_step {
  double begin;
  double end;
  const ode_state<N>& at_begin;
  const ode_state<N>& at_end;
  const ode_state<N>& velocity_at_end;
  /// The state at a time between begin and end: of fourth order (explicit), or by a step of its
  /// own. It refers to the integration: valid while the observer runs.
  std::function<ode_state<N>(double)> at;
};

/// How steps are made.
enum class stepper {
  automatic,   ///< Dormand-Prince, and the other where stability would limit its steps
  explicit_5,  ///< Dormand-Prince 5(4)
  stiff,       ///< the linearly implicit Euler method with the analytic Jacobian, extrapolated
};

/// Their names.
inline constexpr name_table<stepper, 3> steppers{
    {{"auto", stepper::automatic}, {"explicit", stepper::explicit_5}, {"stiff", stepper::stiff}}};

/// Each step's estimated error in component i is at most
/// absolute_tolerance + relative_tolerance max(|x_i| before, |x_i| after).
struct integration_options {
  double relative_tolerance = 1e-9;   ///< 1e-13 to 0.1
  double absolute_tolerance = 1e-16;  ///< >= 0
  stepper method = stepper::automatic;
  double end_time = std::numeric_limits<double>::infinity();
  std::size_t step_limit = 1'000'000;  ///< steps tried

  /// \throws argument_error, naming what is out of range
  void validate() const;
};

/// How an integration ended.
enum class integration_status {
  end_time,        ///< at the end time
  event,           ///< at the earliest event
  event_at_start,  ///< an event was true before the first step
  stopped,         ///< the observer said so
  step_limit,      ///< after the number of steps allowed
  step_underflow,  ///< the tolerance can't be reached: a step too small to change the state
  undefined,       ///< velocity or event have no finite value just beyond the last state
  blow_up,         ///< the state grows beyond 1e8, or its velocity at the start is not finite
};

/// "end-time", "event", "event-at-start", "stopped", "step-limit", "step-underflow", "undefined",
/// "blow-up".
std::string_view to_string(integration_status status);

/// Where an integration ended, and why.
template <std::size_t N>
struct integration_result {
  integration_status status = integration_status::end_time;
  double t = 0.0;
  ode_state<N> x{};       ///< the last good state
  std::size_t event = 0;  ///< the index of the event, where there is one
  std::size_t steps = 0;  ///< steps accepted
  std::size_t rejected = 0;
};

/// What integrations have cost, polished events and all.
struct integration_work {
  std::uint64_t velocities = 0;  ///< right-hand sides
  std::uint64_t jacobians = 0;
  std::uint64_t explicit_steps = 0;  ///< tried
  std::uint64_t stiff_steps = 0;     ///< tried
  std::uint64_t rejected = 0;        ///< of both

  /// Adds the work of another integration.
  integration_work& operator+=(const integration_work& more) noexcept;
  /// The work that a has beyond b.
  friend integration_work operator-(const integration_work& a, const integration_work& b) noexcept;
};

/// That of all integrations that this thread has ended.
integration_work work_of_this_thread() noexcept;

/// Integrates from x0 at time t0 until the first of: an event, the end time, the observer's false.
///
/// An event is true at the start where its value is already on the far side (rising: >= 0, falling:
/// <= 0, either: = 0). Inside a step its value is looked at in eight places and around every
/// extremum between them, so that two crossings in one step are found; the crossing is located on
/// the dense output and then polished with steps of the method itself, so that its error is the
/// integrator's. A step whose end, or whose velocity or events there, are not finite is rejected.
/// \param observer may be empty; false
/// ends the integration after the step \throws argument_error from options.validate(); what the
/// system throws
template <std::size_t N>
integration_result<N> integrate(const ode_system<N>& system, const ode_state<N>& x0, double t0,
                                const integration_options& options,
                                std::span<const ode_event<N>> events = {},
                                const std::function<bool(const dense_step<N>&)>& observer = {});

extern template integration_result<2> integrate<2>(
    const ode_system<2>&, const std::array<double, 2>&, double, const integration_options&,
    std::span<const ode_event<2>>, const std::function<bool(const dense_step<2>&)>&);
extern template integration_result<3> integrate<3>(
    const ode_system<3>&, const std::array<double, 3>&, double, const integration_options&,
    std::span<const ode_event<3>>, const std::function<bool(const dense_step<3>&)>&);

extern template integration_result<any_dimension> integrate<any_dimension>(
    const ode_system<any_dimension>&, const std::vector<double>&, double,
    const integration_options&, std::span<const ode_event<any_dimension>>,
    const std::function<bool(const dense_step<any_dimension>&)>&);

}  // namespace loradyn
