#pragma once

/// \file
/// The noise moment V of one-pass SGD (docs/theory.md, section 6).

#include <loradyn/activation/activation.hpp>
#include <memory>

namespace loradyn {

/// V and its partial derivatives.
struct noise_value {
  double V = 0.0;
  double V_M = 0.0;  ///< ∂V/∂M at fixed Q
  double V_Q = 0.0;  ///< ∂V/∂Q at fixed M
};

/// V(M, Q) = E[(σ(λ) - g(λ*))² σ'(λ)²] + Δ E[σ'(λ)²] of a student σ and a teacher g, with (λ, λ*)
/// of covariance [[Q, M], [M, 1]].
///
/// Exact for pairs of polynomials (Gauss-Hermite quadrature), an erf student with a closed teacher
/// and a pair of ReLUs (closed forms), to rounding; series for other smooth pairs and quadrature
/// over the plane for kinked ones, to 1e-12 of E[(σσ')²] + E[σ'²g²]. Derivatives likewise, exact
/// everywhere; at gap = 0 those of kinked pairs are taken at 1e-14 Q, which changes them by 1e-7 of
/// their size. Immutable and safe from any thread; copies share their tables.
class noise_moment {
 public:
  /// Of a pair of activations.
  noise_moment(const activation& student, const activation& teacher);

  /// The same with label noise of variance Δ + excess(λ*): V gains E[σ'(λ)² excess(λ*)].
  noise_moment(const activation& student, const activation& teacher, const activation& excess);

  /// \param gap Q - M² >= 0 (see pair_covariance)
  /// \throws argument_error, convergence_error as pair_kernel does
  [[nodiscard]] double value(double M, double Q, double gap, double label_noise) const;

  /// V for callers that ask often: tabulated as `population_risk::slopes` is, to about 1e-13 of
  /// E[(σσ')²] + E[σ'²g²], where it has no closed form.
  [[nodiscard]] double prepared_value(double M, double Q, double gap, double label_noise) const;

  /// V with its derivatives from the same tables, these to about 1e-9 of their size.
  [[nodiscard]] noise_value approximate(double M, double Q, double gap, double label_noise) const;

  /// V with its derivatives.
  [[nodiscard]] noise_value with_derivatives(double M, double Q, double gap,
                                             double label_noise) const;

 private:
  std::shared_ptr<class noise_method> method_;
  std::shared_ptr<const class label_variance> excess_;  // where there is one
};

}  // namespace loradyn
