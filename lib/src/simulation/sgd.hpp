#pragma once

/// \file
/// One-pass SGD in d dimensions as it is written (docs/theory.md, section 11). Internal to the
/// simulation room.

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include <Eigen/Core>

#include <loradyn/simulation/problem.hpp>
#include "simulation/batch_activation.hpp"

namespace loradyn::detail {

/// Trains w = μ w* + ν ξ + u v with explicit, random w*, ξ and v. A batch is drawn in blocks that
/// fit the cache, so that memory is 8 (8 d + max(d, 32768)) bytes at most, whatever B is. A step
/// costs O(B d): about 3 ns for each of the B d components of inputs.
class sgd_engine {
 public:
  static std::size_t width(const simulation_problem&) noexcept { return 1; }

  /// \param runs one run
  sgd_engine(const simulation_problem& problem, std::span<const std::uint64_t> runs,
             const batch_kernels& kernels);

  void start();
  /// u -> -u.
  void flip() noexcept { state_.u = -state_.u; }
  /// \return false where the state is no longer healthy
  bool step(std::uint64_t step, std::size_t stage);

  [[nodiscard]] simulated_state state(std::size_t) const noexcept { return state_; }
  [[nodiscard]] simulated_state previous(std::size_t) const noexcept { return before_; }
  [[nodiscard]] bool healthy(std::size_t) const noexcept;
  void retire(std::size_t) noexcept {}

  /// u and v: w* and ξ are drawn again.
  [[nodiscard]] std::vector<double> save() const;
  /// \return false where the values can't be a saved state
  bool restore(std::span<const double> saved, std::uint64_t step);

 private:
  struct stage_constants {
    batch_activation teacher;
    std::optional<batch_activation> label;  // what is done to a label after its noise
    double noise = 0.0;                     // √Δ
    double learning_rate = 0.0;
    double rate_ratio = 1.0;
  };

  [[nodiscard]] Eigen::VectorXd random_vector(std::uint64_t key) const;
  void draw_geometry();
  void measure();
  void errors(const stage_constants& stage, std::uint64_t step, std::uint64_t first_sample,
              Eigen::Index n);

  const batch_kernels* kernels_;
  simulation_problem problem_;
  std::uint64_t run_;
  Eigen::Index half_;  // pairs of normals in an input
  batch_activation student_;
  std::vector<stage_constants> stages_;
  // Vectors have 2 · half_ components; for odd d the last is a pad, zero in all but the inputs.
  Eigen::VectorXd target_;       // w*
  Eigen::VectorXd misaligned_;   // ξ
  Eigen::VectorXd pretrained_;   // w0
  Eigen::VectorXd adapter_;      // v
  Eigen::VectorXd gradient_;     // Σ h x
  Eigen::MatrixXd first_;        // an input a column: its first half_ components
  Eigen::MatrixXd second_;       // and the others
  Eigen::VectorXd field_;        // λ of a block
  Eigen::VectorXd label_field_;  // λ*, then h
  simulated_state state_;
  simulated_state before_;
};

}  // namespace loradyn::detail
