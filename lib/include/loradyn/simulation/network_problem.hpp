#pragma once

/// \file
/// What is simulated at finite dimension for any width and rank: the problem of docs/theory.md,
/// section 14, trained by one-pass SGD.

#include <Eigen/Core>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include <loradyn/activation/activation.hpp>
#include <loradyn/model/network.hpp>
#include <loradyn/simulation/problem.hpp>

namespace loradyn {

/// Where a run starts.
struct network_start {
  /// U, K x r; where empty every entry is 1/d², with a one-step start 0.
  std::optional<Eigen::MatrixXd> U{};
  /// V E' and what S = V V' has beside C C', together; where empty, V's rows are uniform on a
  /// sphere of radius `scale`, or W0 where all of W trains from there.
  std::optional<Eigen::MatrixXd> C{};
  std::optional<Eigen::MatrixXd> P{};
  double scale = 1.0;  ///< > 0; 1 on spheres
  /// N, where not 0: V's rows are the top r right singular vectors of the gradient by W of N
  /// samples at U = 0, signed for descent: with x_a the left singular vector whose largest entry is
  /// positive, V_a = -x_a' G/|x_a' G|. N >= K >= r
  std::uint64_t one_step_batch = 0;
};

/// A stage of training; the state carries over to the next.
struct network_stage {
  activation teacher;          ///< g, or that of the source task where it is trained on
  bool on_source = false;      ///< trained on the source's teacher with its readouts
  double label_noise = 0.0;    ///< Δ >= 0
  double rate_ratio = 1.0;     ///< κ >= 0, not used but for trained_part::lora
  double decay = 0.0;          ///< ω >= 0
  double learning_rate = 0.1;  ///< η > 0
  std::uint64_t steps = 1000;  ///< its length, >= 1
  bool flips = false;          ///< U -> -U before its first step, for trained_part::lora
  /// What a label and its noise become before they are learned, Σ b_i g(<T_i, x>) + √Δ ζ its
  /// argument; without it they are learned as they are.
  std::optional<activation> label{};
};

/// A problem at finite dimension and learning rate. The noise scale γ = η d/B follows.
struct network_problem {
  network_geometry geometry;
  activation student;  ///< σ
  activation teacher;  ///< g
  trained_part trained = trained_part::lora;
  /// Its noise scale is 0, "unset"; the rank is K and the rate ratio not used but for
  /// trained_part::lora.
  network_parameters parameters{};
  std::uint64_t dimension = 0;  ///< d >= p + 2r; with a one-step start >= p + K
  std::uint64_t batch = 0;      ///< B >= 1
  double learning_rate = 0.1;   ///< η > 0
  std::uint64_t steps = 1000;   ///< >= 1
  /// Stages, one after another, in the place of the teacher, Δ, κ, ω, η and the steps above.
  std::vector<network_stage> stages{};
  network_start start{};
  std::uint64_t seed = 0;  ///< at most max_seed

  /// Those of all stages.
  [[nodiscard]] std::uint64_t all_steps() const noexcept;
  /// t = Σ η over the first `step` steps.
  [[nodiscard]] double time_at(std::uint64_t step) const noexcept;

  /// \throws argument_error, naming the first value that is out of its range
  void validate() const;
};

/// Its stages; where it has none, the one that its numbers make.
std::vector<network_stage> stages_of(const network_problem& problem);

/// The same training as that of an adapter. Where V alone, or all of W, trains, W = V: U is the
/// identity and stays, W0 is 0, and `full` starts V from what was W0.
/// \pre the problem is valid
network_problem as_adapter(const network_problem& problem);

/// Of what a quantity is an entry, or what else it is. M = W T', Q = W W' and m = V T'.
enum class network_matrix {
  U,
  C,
  S,
  M,
  Q,
  m,
  a,
  mean_overlap,     ///< the mean over the neurons of M_ji with their own targets, i = j mod k
  largest_overlap,  ///< the largest |m_ai|
  risk,             ///< needs network_plan::risk
  source_risk       ///< needs network_plan::source_risk
};

/// What can be asked of a state; entries are counted from 0.
struct network_quantity {
  network_matrix matrix = network_matrix::M;
  Eigen::Index row = 0;
  Eigen::Index column = 0;  ///< of a neuron's readout, and what is no entry, not used
  /// The absolute value, of the mean the mean of the absolute values.
  bool absolute = false;
};

/// The name of a column: "U_1_1", "M_1_2", "a_1", "M_mean", "m_max", "risk", with "_abs" behind.
std::string name_of(const network_quantity& quantity);

/// What a run is to reach.
struct network_event {
  network_quantity quantity{};
  double level = 0.5;
  event_direction direction = event_direction::rising;
};

/// What is kept of every run.
struct network_plan {
  std::vector<std::uint64_t> record{};  ///< steps whose state is kept, increasing
  std::vector<network_event> events{};  ///< whose first time is kept
  bool stop_after_events = false;       ///< a run ends once each event has happened
  /// R of a state of `as_adapter(problem)`, and that of the source task, asked in every step of
  /// every run where an event watches them; called from several threads.
  std::function<double(const network_state& state)> risk{};
  std::function<double(const network_state& state)> source_risk{};

  /// \throws argument_error where the record is not increasing or goes past the problem's end, a
  /// level is not finite, a quantity has no such entry, or a risk is watched but not given
  void validate(const network_problem& problem) const;
};

/// A quantity of a state of `as_adapter(problem)`. \throws std::bad_function_call for the risk
/// where the plan has none
double value_of(const network_quantity& quantity, const network_problem& problem,
                const network_plan& plan, const network_state& state);

/// Every entry that has a law of its own: U where it moves, C, and the lower triangle of S, without
/// its diagonal on spheres.
std::vector<network_quantity> moving_entries(const network_problem& problem);

namespace detail {

/// The lower triangular L with L L' = A for A without negative eigenvalues, singular or not.
Eigen::MatrixXd semidefinite_factor(const Eigen::MatrixXd& symmetric);

/// Of K x D gradients by W, the directions of a one-step start, r x D.
Eigen::MatrixXd one_step_directions(const Eigen::MatrixXd& gradient, Eigen::Index rank);

}  // namespace detail
}  // namespace loradyn
