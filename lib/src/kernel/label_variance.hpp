#pragma once

/// \file
/// Label noise whose variance depends on the input (docs/theory.md, section 10).

#include <loradyn/activation/activation.hpp>
#include <loradyn/kernel/pair_kernel.hpp>
#include <optional>

namespace loradyn {

/// The value and the partial derivatives of E[σ'(λ)² v(λ*)].
struct label_variance_value {
  double value = 0.0;
  double by_M = 0.0;  ///< at fixed Q
  double by_Q = 0.0;  ///< at fixed M
};

/// E[σ'(λ)² v(λ*)] of a student σ and a function v of the teacher's field, with (λ, λ*) of
/// covariance [[Q, M], [M, 1]]: what labels of variance v(λ*) add to the noise moment V. Accuracy
/// and exceptions are those of `pair_kernel`; where σ or v has kinks the derivatives are
/// differences, with an error of about 1e-9. Immutable and safe from any thread.
class label_variance {
 public:
  label_variance(const activation& student, const activation& variance);

  /// \param gap Q - M² >= 0
  [[nodiscard]] double value(double M, double Q, double gap) const;
  [[nodiscard]] label_variance_value with_derivatives(double M, double Q, double gap) const;

 private:
  activation student_;
  activation variance_;
  std::optional<pair_kernel> smooth_;  // σ'² and v, where neither has a kink
};

}  // namespace loradyn
