#pragma once

/// \file
/// One-pass SGD of a network in d dimensions as it is written (docs/theory.md, section 14).
/// Internal to the simulation room.

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include <Eigen/Core>

#include <loradyn/simulation/network_problem.hpp>
#include <loradyn/simulation/random.hpp>

namespace loradyn::detail {

/// Trains W = W0 + U V with explicit rows T, W0 and V in random directions. It shares with the
/// chain the normals, the activations and nothing else. A batch is drawn in blocks that fit the
/// cache. A step costs O(B d (K + k)).
class network_sgd {
 public:
  static std::size_t width(const network_problem&) noexcept { return 1; }

  /// \param problem an adapter's, valid \param runs one run
  network_sgd(const network_problem& problem, std::span<const std::uint64_t> runs,
              const batch_kernels& kernels);

  void start();
  /// U -> -U.
  void flip();
  /// \return false where the state is no longer healthy
  bool step(std::uint64_t step, std::size_t stage = 0);

  [[nodiscard]] network_state state(std::size_t) const { return state_; }
  [[nodiscard]] network_state previous(std::size_t) const { return before_; }
  [[nodiscard]] double value(const network_quantity& quantity, std::size_t) const;
  [[nodiscard]] bool healthy(std::size_t) const noexcept;
  void retire(std::size_t) noexcept {}

  /// U, V and a: E is drawn again.
  [[nodiscard]] std::vector<double> save() const;
  /// \return false where the values can't be a saved state
  bool restore(std::span<const double> saved, std::uint64_t step);

 private:
  [[nodiscard]] Eigen::MatrixXd random_rows(random_stream stream, Eigen::Index rows) const;
  // d x rows of orthonormal columns, orthogonal to E's.
  [[nodiscard]] Eigen::MatrixXd beside_frozen(Eigen::Index rows) const;
  void draw_frozen();
  void add_gradient(const network_stage& stage, random_stream inputs, random_stream labels,
                    std::uint64_t step, std::uint64_t samples, const Eigen::MatrixXd& weights);
  void constrain();
  void measure();

  const batch_kernels* kernels_;
  const network_problem* problem_;
  std::vector<network_stage> stages_;
  std::uint64_t run_;
  Eigen::Index dimension_;
  Eigen::MatrixXd basis_;       // E', d x p
  Eigen::MatrixXd teacher_;     // T', d x k
  Eigen::MatrixXd source_;      // of the source's teacher, d x k_s
  Eigen::MatrixXd pretrained_;  // W0', d x K
  Eigen::MatrixXd output_;      // U
  Eigen::MatrixXd adapter_;     // V', d x r
  Eigen::VectorXd readout_;     // a
  double frobenius_ = 0.0;      // |V| where it is kept
  Eigen::MatrixXd inputs_;      // an input a column
  Eigen::MatrixXd gradient_;    // Σ x h', d x K
  Eigen::VectorXd readout_gradient_;
  network_state state_;
  network_state before_;
};

}  // namespace loradyn::detail
