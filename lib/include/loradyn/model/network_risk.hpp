#pragma once

/// \file
/// The population risk of a network of any width, from pair kernels (docs/theory.md, section 14).

#include <Eigen/Core>
#include <loradyn/activation/activation.hpp>
#include <loradyn/kernel/pair_kernel.hpp>
#include <loradyn/model/network.hpp>

namespace loradyn {

/// The gradient of the risk by the overlaps and the readouts.
struct network_slopes {
  Eigen::MatrixXd targets;        ///< R_N, K x k
  Eigen::MatrixXd twice_weights;  ///< 2 R_Λ, K x K: off the diagonal ∂R/∂Λ_jl as one variable
  Eigen::VectorXd weight_sizes;   ///< of the terms that the diagonal of 2 R_Λ is the sum of, K
  Eigen::VectorXd readouts;       ///< ∂R/∂a, K
};

/// R = ½ E[(Σ_j a_j σ(λ_j) - Σ_i b_i g(λ*_i))²] + Δ/2 for a student's σ and a teacher's g.
/// Immutable and safe from any thread.
class network_risk {
 public:
  /// \throws argument_error where the student jumps: its E[σ'²] is infinite
  network_risk(const activation& student, const activation& teacher);

  /// R at readouts a and b, the teacher's Gram matrix T T' and label noise Δ >= 0. What is zero to
  /// rounding, beside the sum of its terms, is zero. Accuracy and exceptions are those of
  /// `pair_kernel`.
  [[nodiscard]] double value(const network_overlaps& overlaps, const Eigen::MatrixXd& teacher_gram,
                             const Eigen::VectorXd& readout, const Eigen::VectorXd& teacher_readout,
                             double label_noise) const;

  /// The gradient, with ∂R/∂a where it is asked for. K (K + 1)/2 + K k kernels with derivatives.
  void slopes(const network_overlaps& overlaps, const Eigen::MatrixXd& teacher_gram,
              const Eigen::VectorXd& readout, const Eigen::VectorXd& teacher_readout,
              bool with_readouts, network_slopes& out) const;

  /// σ.
  [[nodiscard]] const activation& student() const noexcept { return self_.f(); }
  /// g.
  [[nodiscard]] const activation& teacher() const noexcept { return cross_.g(); }
  /// E[σ(X) σ(Y)]
  [[nodiscard]] const pair_kernel& self_kernel() const noexcept { return self_; }
  /// E[σ(X) g(Y)]
  [[nodiscard]] const pair_kernel& cross_kernel() const noexcept { return cross_; }
  /// E[g(X) g(Y)]
  [[nodiscard]] const pair_kernel& teacher_kernel() const noexcept { return teacher_; }

 private:
  pair_kernel self_;
  pair_kernel cross_;
  pair_kernel teacher_;
};

}  // namespace loradyn
