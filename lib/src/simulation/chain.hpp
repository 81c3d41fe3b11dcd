#pragma once

/// \file
/// The Markov chain that the overlaps of one-pass SGD form at finite d (docs/theory.md, section
/// 11). Internal to the simulation room.

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <vector>

#include <loradyn/simulation/problem.hpp>
#include "simulation/batch_activation.hpp"

namespace loradyn::detail {

/// Draws (u, m, s) after every step in their exact law. An input enters only by its components
/// z1, z2, z3 on w*, ξ and the rest of v, and by an orthogonal part whose share of the gradient is
/// Gaussian given the errors h_i: its square is u²/B² Σ h² times a χ² variate. So a step costs O(B)
/// whatever d is. Lanes hold samples of one run, or one run each where batches are small; what a
/// run's numbers are does not depend on which lane it has.
class chain_engine {
 public:
  /// Runs in a pack: a function of the batch size alone, since it decides how sums are ordered.
  static std::size_t width(const simulation_problem& problem) noexcept;

  /// \param runs at most width(problem) of them
  chain_engine(const simulation_problem& problem, std::span<const std::uint64_t> runs,
               const batch_kernels& kernels);

  /// Draws the start of every run.
  void start();
  /// u -> -u in every run.
  void flip() noexcept;
  /// One step of every run. \return false where the state of a lane is no longer healthy
  bool step(std::uint64_t step, std::size_t stage);

  [[nodiscard]] simulated_state state(std::size_t lane) const noexcept;
  [[nodiscard]] simulated_state previous(std::size_t lane) const noexcept;
  [[nodiscard]] bool healthy(std::size_t lane) const noexcept;
  /// Puts a lane that has ended where it does no harm.
  void retire(std::size_t lane) noexcept;

  /// All that a later `step` depends on.
  [[nodiscard]] std::vector<double> save() const;
  /// \return false where the values can't be a saved state
  bool restore(std::span<const double> saved, std::uint64_t step);

 private:
  struct stage_constants {
    batch_activation teacher;
    std::optional<batch_activation> label;  // what is done to a label after its noise
    double noise = 0.0;                     // √Δ
    double rate = 0.0;                      // η/B
    double rate_ratio = 1.0;
  };
  struct buffers {
    block z1, z2, z3, zeta, field, value, slope, target, label;
  };

  [[nodiscard]] const chain_lanes& now() const noexcept { return states_[current_]; }
  void transform_labels(const stage_constants& stage, std::size_t n);
  void sum_batch(std::uint64_t step, const stage_constants& stage, batch_sums& sums);
  void draw_rest(std::uint64_t step);

  const batch_kernels* kernels_;
  double alignment_;
  double misalignment_;
  std::uint64_t dimension_;
  std::uint64_t batch_;
  std::uint64_t seed_;
  simulation_start start_;
  bool misaligned_;
  bool run_per_lane_;
  batch_activation student_;
  std::vector<stage_constants> stages_;
  counter_lanes samples_;  // of a batch
  counter_lanes rests_;    // of the χ² variates
  lane_values rest_;       // these: of this step, or of eight steps of the one run
  std::array<chain_lanes, 2> states_;
  std::size_t current_ = 0;  // which of them is the state; the other one is the state before
  std::unique_ptr<buffers> buffers_;
};

}  // namespace loradyn::detail
