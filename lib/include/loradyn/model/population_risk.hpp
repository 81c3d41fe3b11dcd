#pragma once

/// \file
/// The population risk as a function of the teacher overlap M and the student's variance Q
/// (docs/theory.md, section 2).

#include <loradyn/activation/activation.hpp>
#include <loradyn/kernel/pair_kernel.hpp>
#include <memory>
#include <span>
#include <string_view>
#include <vector>

namespace loradyn {

class polynomial_pair;
struct polynomial_pair_moments;
class prepared_slopes;
class power_slope;

/// The second moments of student and teacher fields, λ = <w, x> and λ* = <w*, x>.
struct field_overlaps {
  double M = 0.0;    ///< <w, w*>, the teacher overlap
  double Q = 0.0;    ///< |w|²
  double gap = 0.0;  ///< Q - M² >= 0, what of w is not along w*, given apart to keep its digits
};

/// ∂R/∂M and ∂R/∂Q.
struct risk_gradient {
  double M = 0.0;
  double Q = 0.0;
  /// The sum of the absolute values of the three moments that Q is made of: what its rounding error
  /// is relative to.
  double Q_scale = 0.0;
};

/// What a right-hand side needs of the gradient.
struct risk_slopes {
  double M = 0.0;        ///< ∂R/∂M
  double twice_Q = 0.0;  ///< 2 ∂R/∂Q
};

/// Second derivatives of R as a function of M and gap = Q - M², the coordinates in which they keep
/// their limits at gap = 0 for kinked pairs too.
struct risk_curvature {
  double MM = 0.0;     ///< ∂²R/∂M² at fixed gap
  double M_gap = 0.0;  ///< ∂²R/∂M∂gap
  double gap_gap = 0.0;  ///< ∂²R/∂gap²; at gap = 0 it is not told (0): kinks make it infinite there
};

/// R(M, Q) = ½ E[(σ(λ) - g(λ*))²] + Δ/2 for a student σ and a teacher g.
/// Immutable and safe from any thread; copies share their tables.
class population_risk {
 public:
  /// \throws argument_error where the student jumps: its E[σ'²] is infinite
  population_risk(activation student, activation teacher);

  /// R at label noise Δ >= 0.
  [[nodiscard]] double value(const field_overlaps& overlaps, double label_noise) const;

  /// R_M = -E[σ'(λ) g'(λ*)],  2 R_Q = E[σ'(λ)²] + E[(σ(λ) - g(λ*)) σ''(λ)]. Accuracy and exceptions
  /// are those of `pair_kernel`.
  [[nodiscard]] risk_gradient gradient(const field_overlaps& overlaps) const;

  /// The same, R_M and 2 R_Q alone, for callers that ask often: a pair without a closed form is
  /// tabulated where it is first asked for, to about 1e-13 of E[σ'²] and of E[σ'²]^½ E[g'²]^½. In
  /// that way safe from any thread, and the same whoever asks first.
  [[nodiscard]] risk_slopes slopes(const field_overlaps& overlaps) const;

  /// E[σ'²] + |E[σσ'']| at |w|² = Q: what slopes are small beside (docs/theory.md, section 3).
  [[nodiscard]] double slope_size(double Q) const;

  /// The same at several M of one Q, gap[i] = Q - M[i]², without a table: accuracy of `gradient`.
  /// M and gap have equal lengths.
  [[nodiscard]] std::vector<risk_slopes> slopes_on_circle(double Q, std::span<const double> M,
                                                          std::span<const double> gap) const;

  /// The second derivatives, to about 1e-12 of their terms. On the edge gap = 0 those of
  /// `along_edge`; a kinked student has none at M = gap = 0 (NaN or infinite).
  [[nodiscard]] risk_curvature curvature(const field_overlaps& overlaps) const;

  /// The same from the tables of `slopes`, to about 1e-9 of their terms: what Newton's method and
  /// an implicit integrator need.
  [[nodiscard]] risk_curvature approximate_curvature(const field_overlaps& overlaps) const;

  /// How that is computed, in words.
  [[nodiscard]] std::string_view method() const noexcept;

  /// σ.
  [[nodiscard]] const activation& student() const noexcept { return self_.f(); }
  /// g.
  [[nodiscard]] const activation& teacher() const noexcept { return cross_.g(); }

  /// E[σ(X) σ(Y)]
  [[nodiscard]] const pair_kernel& self_kernel() const noexcept { return self_; }
  /// E[σ(X) g(Y)]
  [[nodiscard]] const pair_kernel& cross_kernel() const noexcept { return cross_; }

 private:
  [[nodiscard]] polynomial_pair_moments gradient_moments(const field_overlaps& overlaps) const;
  [[nodiscard, gnu::noinline]] risk_slopes tabulated_slopes(const field_overlaps& overlaps) const;
  [[nodiscard]] risk_slopes computed_slopes(const field_overlaps& overlaps) const;
  // Whether own_ is to be used at |w|² = Q, and the slopes there.
  [[nodiscard]] bool has_own_at(double Q) const noexcept;
  [[nodiscard, gnu::noinline]] risk_slopes slopes_beside_own(const field_overlaps& overlaps) const;

  pair_kernel self_;
  pair_kernel cross_;
  std::shared_ptr<const polynomial_pair> polynomials_;  // where both are such
  std::shared_ptr<const power_slope> own_;              // where that is closed along one line
  std::shared_ptr<const prepared_slopes> prepared_;     // where there is no closed form
  double teacher_power_ = 0.0;                          // E[g(z)²]
};

}  // namespace loradyn
