#pragma once

/// \file
/// The Markov chain that the overlaps of one-pass SGD form at finite d, for any width and rank
/// (docs/theory.md, section 14). Internal to the simulation room.

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include <loradyn/simulation/network_batch.hpp>
#include <loradyn/simulation/network_problem.hpp>
#include <loradyn/simulation/random.hpp>
#include "simulation/batch_activation.hpp"

namespace loradyn::detail {

/// Draws (U, C, P, a) after every step in their exact law. An input enters only by its components z
/// on E and y on an orthonormal basis of what remains of V, and by an orthogonal part whose share
/// of the gradient is Gaussian given the errors: with R R' the Gram matrix of the adapters' errors
/// it is R A in an orthonormal basis of its own, A lower triangular with χ and normal entries
/// (Bartlett). So a step costs the same whatever d is. Lanes hold samples of one run, or one run
/// each where batches are small; what a run's numbers are does not depend on which lane it has.
class network_chain {
 public:
  /// Runs in a pack: a function of the batch size alone, since it decides how sums are ordered.
  static std::size_t width(const network_problem& problem) noexcept {
    return problem.batch < batch_for_lanes ? lane_count : 1;
  }

  /// \param problem an adapter's, valid \param runs at most width(problem) of them
  network_chain(const network_problem& problem, std::span<const std::uint64_t> runs,
                const batch_kernels& kernels);

  /// Draws the start of every run.
  void start();
  /// U -> -U in every run.
  void flip() noexcept;
  /// One step of every run. \return false where the state of a lane is no longer healthy
  bool step(std::uint64_t step, std::size_t stage = 0);

  [[nodiscard]] network_state state(std::size_t lane) const { return state_of(current_, lane); }
  [[nodiscard]] network_state previous(std::size_t lane) const {
    return state_of(1 - current_, lane);
  }
  /// Any but a risk, without an allocation.
  [[nodiscard]] double value(const network_quantity& quantity, std::size_t lane) const;
  [[nodiscard]] bool healthy(std::size_t lane) const noexcept;
  /// Puts a lane that has ended where it does no harm.
  void retire(std::size_t lane) noexcept;

  /// All that a later `step` depends on.
  [[nodiscard]] std::vector<double> save() const;
  /// \return false where the values can't be a saved state
  bool restore(std::span<const double> saved, std::uint64_t step);

 private:
  using lane_vector = std::vector<lane_values>;

  struct lanes_state {
    lane_vector output;
    lane_vector adapter;
    lane_vector readout;
  };
  struct stage_constants {
    network_constants constants;
    batch_activation teacher;
    sparse_rows targets;
    std::vector<double> readout;
    double noise;          // √Δ
    bool through_adapter;  // whether <V, x> is taken of each sample: U trains, and K > r
    std::optional<batch_activation> label;
  };
  // The samples of a batch, and what is summed over them.
  struct batch_source {
    const stage_constants& stage;
    random_stream stream;
    std::uint64_t samples;
    std::size_t inputs;          // how many normals (z, y)
    const lane_vector& weights;  // K x inputs
    bool through_adapter;        // λ from W0 and <V, x>, not from `weights`
    bool by_adapter;
  };

  [[nodiscard]] network_lanes view(std::size_t which) noexcept;
  [[nodiscard]] network_state state_of(std::size_t which, std::size_t lane) const;
  [[nodiscard]] double weight(std::size_t row, std::size_t column, std::size_t lane) const;
  [[nodiscard]] double overlap(std::size_t row, std::size_t column, std::size_t lane) const;
  [[nodiscard]] double direction(std::size_t row, std::size_t column, std::size_t lane) const;
  [[nodiscard]] counter_lanes start_draws() const noexcept;
  void draw_normals(random_stream stream, const counter_lanes& at, std::uint64_t step,
                    std::size_t count, lane_vector& out);
  void draw_bartlett(random_stream squares, random_stream normals, const counter_lanes& at,
                     std::uint64_t step, std::uint64_t degrees, std::size_t size, lane_vector& rest,
                     lane_vector& mixing);
  void draw_random_adapter();
  void draw_one_step_adapter();
  void set_adapter(std::size_t lane, const Eigen::MatrixXd& on_frozen,
                   const Eigen::MatrixXd& beside);
  [[nodiscard]] const network_constants& sizes() const { return stages_.front().constants; }
  void prepare(const stage_constants& stage);
  void sum_batch(const batch_source& source, std::uint64_t step);
  void transform_labels(const stage_constants& stage, const double* zeta, std::size_t n);
  void sum_block(const batch_source& source, std::size_t rows, std::size_t samples);
  void draw_rest(std::uint64_t step);
  void share_rest(std::uint64_t step);

  const batch_kernels* kernels_;
  const network_kernels* loops_;
  const network_problem* problem_;
  std::size_t neurons_;
  std::size_t rank_;
  std::size_t directions_;
  std::size_t teachers_;  // k
  bool run_per_lane_;
  bool identity_;  // U = I and stays
  batch_activation student_;
  std::vector<stage_constants> stages_;
  counter_lanes samples_;  // of a batch's first pair of normals
  counter_lanes rests_;    // of Bartlett's variates
  std::array<lanes_state, 2> states_;
  std::size_t current_ = 0;  // which of them is the state; the other one is the state before
  lane_values frobenius_{};  // |V|² where it is kept
  lane_vector pretrained_;   // W0 E', K x p
  sparse_rows sparse_pretrained_;
  sparse_rows targets_;     // T, of what is asked of a state
  lane_vector weights_;     // [W0 E' + U C, U L], K x n
  lane_vector transposed_;  // U', r x K
  lane_vector rest_;        // Bartlett's variates: of this step, or of eight steps of the one run
  lane_vector mixing_;
  lane_vector shared_rest_;  // of this step, in every lane
  lane_vector shared_mixing_;
  lane_vector input_sums_;
  lane_vector square_sums_;
  lane_vector output_sums_;
  lane_vector readout_sums_;
  lane_vector scratch_;
  // Blocks of `stride_` numbers, one for each quantity of a sample.
  std::size_t rows_;
  std::size_t stride_;
  lane_vector storage_;
  double* normals_ = nullptr;     // z, y, ζ
  double* field_ = nullptr;       // λ
  double* value_ = nullptr;       // σ(λ)
  double* slope_ = nullptr;       // σ'(λ), then h
  double* mixed_ = nullptr;       // H U
  double* along_ = nullptr;       // <V, x>
  double* goal_field_ = nullptr;  // λ*
  double* goal_ = nullptr;        // g(λ*)
  double* delta_ = nullptr;       // δ
};

}  // namespace loradyn::detail
