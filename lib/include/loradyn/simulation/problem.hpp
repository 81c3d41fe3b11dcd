#pragma once

/// \file
/// What is simulated at finite dimension: the problem of docs/theory.md, section 1, trained by
/// one-pass SGD (section 11), with every number that the deterministic limit takes away.

#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include <loradyn/activation/activation.hpp>
#include <loradyn/model/parameters.hpp>
#include <loradyn/names.hpp>

namespace loradyn {

/// The two ways to simulate the same law.
enum class simulation_engine {
  chain,  ///< the Markov chain of the overlaps: O(B) a step whatever d is, some 10 ns a sample
  sgd     ///< the d-dimensional algorithm itself: O(B d) a step, some 3 ns B d; O(d) memory
};

/// Their names.
inline constexpr name_table<simulation_engine, 2> simulation_engines{
    {{"chain", simulation_engine::chain}, {"sgd", simulation_engine::sgd}}};

/// The overlaps u, m = <v, w*> and s = <v, ξ>. s is 0 where the problem has no ξ.
struct simulated_state {
  double u = 0.0;
  double m = 0.0;
  double s = 0.0;
};

/// Where a run starts.
struct simulation_start {
  std::optional<double> u0{};  ///< 1/d² where empty
  std::optional<double> m0{};  ///< with s0; v is uniform on the sphere where empty
  double s0 = 0.0;
};

/// One stage of training; the overlaps carry over to the next.
struct simulation_stage {
  activation teacher;          ///< g
  double label_noise = 0.0;    ///< Δ >= 0
  double rate_ratio = 1.0;     ///< κ > 0
  double learning_rate = 0.1;  ///< η > 0
  std::uint64_t steps = 1000;  ///< its length, >= 1
  bool flips = false;          ///< u -> -u before its first step
  /// T, where labels are T(g(λ*) + √Δ ζ): transformed after their noise.
  std::optional<activation> label{};
};

/// A problem at finite dimension and learning rate. The noise scale γ = η d/B follows.
struct simulation_problem {
  activation student;           ///< σ
  double alignment = 0.0;       ///< μ
  double misalignment = 0.0;    ///< ν >= 0
  std::uint64_t dimension = 0;  ///< d >= 3; with a ξ, >= 4
  std::uint64_t batch = 0;      ///< B >= 1
  simulation_start start{};
  std::vector<simulation_stage> stages{};  ///< at least one
  std::uint64_t seed = 0;                  ///< at most max_seed

  /// Whether there is a direction ξ, so an overlap s: ν > 0 or s0 ≠ 0.
  [[nodiscard]] bool has_misaligned_direction() const noexcept;
  /// Σ over the stages.
  [[nodiscard]] std::uint64_t steps() const noexcept;
  /// t = Σ η over the first `step` steps.
  [[nodiscard]] double time_at(std::uint64_t step) const noexcept;

  /// Throws argument_error, naming the first value that is out of its range.
  void validate() const;
};

/// The problem with a single stage. \throws argument_error unless the parameters are valid and
/// their noise scale is 0, "unset"
simulation_problem make_problem(activation student, activation teacher,
                                const lora_parameters& parameters, std::uint64_t dimension,
                                std::uint64_t batch, double learning_rate, std::uint64_t steps);

/// M = μ + u m and Q = μ² + ν² + 2u(μ m + ν s) + u².
struct target_overlaps {
  double M = 0.0;
  double Q = 0.0;
};
/// M and Q of a state.
target_overlaps overlaps_of(const simulation_problem& problem, const simulated_state& state);

/// What can be asked of a state. `risk` needs simulation_plan::risk.
enum class simulated_quantity { u, m, m_abs, s, M, M_abs, Q, risk };

/// rising: the first step with value >= level; falling: value <= level; either: the first step on
/// the other side of the level than the start.
enum class event_direction { rising, falling, either };

/// What is waited for in a simulated run.
struct simulation_event {
  simulated_quantity quantity = simulated_quantity::m_abs;
  double level = 0.5;
  event_direction direction = event_direction::rising;
};

/// What is kept of every run.
struct simulation_plan {
  std::vector<std::uint64_t> record{};     ///< steps whose state is kept, increasing
  std::vector<simulation_event> events{};  ///< whose first time is kept
  bool stop_after_events = false;          ///< a run ends once each event has happened
  /// R(M, Q), asked in every step of every run where an event watches the risk; called from several
  /// threads.
  std::function<double(double M, double Q)> risk{};

  /// Throws argument_error where the record is not increasing or goes past the problem's end, a
  /// level is not finite, or the risk is watched but not given.
  void validate(const simulation_problem& problem) const;
};

/// A quantity of a state. \throws std::bad_function_call for the risk where the plan has none
double value_of(simulated_quantity quantity, const simulation_problem& problem,
                const simulation_plan& plan, const simulated_state& state);

/// `points` >= 2 steps from 0 to `steps`, evenly spaced up to rounding, each once.
std::vector<std::uint64_t> linear_record(std::uint64_t steps, std::uint64_t points);
/// 0, and `points` - 1 steps from 1 to `steps` in geometric progression up to rounding, each once.
std::vector<std::uint64_t> logarithmic_record(std::uint64_t steps, std::uint64_t points);

}  // namespace loradyn
