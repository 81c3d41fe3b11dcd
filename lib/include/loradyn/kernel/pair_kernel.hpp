#pragma once

/// \file
/// Pair kernels K(q1, q2, c) = E[f(X) g(Y)] of two activations, with first and second derivatives
/// (docs/theory.md, section 3).

#include <cmath>
#include <cstddef>
#include <limits>
#include <memory>

#include <loradyn/activation/activation.hpp>

namespace loradyn {

/// The covariance of a Gaussian pair: Var X = q1, Var Y = q2, Cov(X, Y) = c.
struct pair_covariance {
  double q1 = 1.0;
  double q2 = 1.0;
  double c = 0.0;
  /// q1 q2 - c² >= 0, a quantity of its own: near the degenerate edge it can't be recovered from
  /// the rounded q1, q2 and c, and kernels with kinks depend on its square root.
  double gap = 1.0;

  /// With the gap computed from q1, q2 and c; one of less than 4 ulp of q1 q2 counts as zero.
  static pair_covariance of(double q1, double q2, double c);

  /// The pair of a variable and itself: K(q, q, q).
  static pair_covariance diagonal(double q) { return {q, q, q, 0.0}; }

  /// Whether the gap is zero, or so small that what it does to a kernel, a part of √gap at most, is
  /// lost in rounding.
  [[nodiscard]] bool on_edge() const noexcept {
    constexpr double negligible = 1e-26;
    return gap <= negligible * (q1 * q2);
  }

  /// Whether everything is finite, q1, q2 and gap >= 0, and the gap fits c.
  [[nodiscard]] bool valid() const noexcept {
    constexpr double slack = 1e-6;
    constexpr double largest = std::numeric_limits<double>::max();
    const double product = q1 * q2;
    const double square = c * c;
    return q1 >= 0.0 && q2 >= 0.0 && gap >= 0.0 && q1 <= largest && q2 <= largest &&
           std::abs(product - square - gap) <= slack * (product + square);
  }

  /// \throws argument_error unless it is valid
  void validate() const;
};

/// The moments E[f⁽ⁱ⁾(X) g⁽ʲ⁾(Y)] that make up a kernel and its derivatives. Those that were not
/// asked for are zero. Where a kinked pair's second derivatives are infinite (at the edge) they
/// come out as infinities or NaN.
struct pair_moments {
  double e00 = 0.0;  ///< K
  double e11 = 0.0;  ///< ∂K/∂c
  double e20 = 0.0;  ///< 2 ∂K/∂q1
  double e02 = 0.0;  ///< 2 ∂K/∂q2
  double e22 = 0.0;  ///< ∂²K/∂c² = 4 ∂²K/∂q1∂q2
  double e31 = 0.0;  ///< 2 ∂²K/∂q1∂c
  double e13 = 0.0;  ///< 2 ∂²K/∂q2∂c
  double e40 = 0.0;  ///< 4 ∂²K/∂q1²
  double e04 = 0.0;  ///< 4 ∂²K/∂q2²

  /// d²/dq² K(q, q, q) = ¼ E[(fg)⁗(√q z)], from the second derivatives at q1 = q2 = c.
  [[nodiscard]] double diagonal_curvature() const {
    return 0.25 * (e40 + e04) + e31 + e13 + 1.5 * e22;
  }
};

/// Which moments are wanted; cost grows with what is asked for.
enum class moment_set : unsigned {
  value = 1,      ///< e00
  gradient = 2,   ///< e11, e20
  gradient2 = 4,  ///< e02
  hessian = 8,    ///< e22, e31, e13, e40, e04
};
/// The moments of both.
constexpr moment_set operator|(moment_set a, moment_set b) {
  return static_cast<moment_set>(static_cast<unsigned>(a) | static_cast<unsigned>(b));
}
/// Whether a set has all of another.
constexpr bool contains(moment_set set, moment_set part) {
  return (static_cast<unsigned>(set) & static_cast<unsigned>(part)) != 0;
}

/// A kernel's first derivatives.
struct kernel_gradient {
  double q1 = 0.0;
  double q2 = 0.0;
  double c = 0.0;
};

/// A kernel's second derivatives.
struct kernel_hessian {
  double q1q1 = 0.0;
  double q1q2 = 0.0;
  double q1c = 0.0;
  double q2q2 = 0.0;
  double q2c = 0.0;
  double cc = 0.0;
};

/// Second derivatives of a kernel on the edge q1 = c², q2 = 1, along which w is along the teacher:
/// at fixed gap q1 - c² = 0, so that they are finite for kinked pairs too.
struct edge_curvature {
  double cc = 0.0;   ///< d²/dc² K(c², 1, c)
  double q1c = 0.0;  ///< d/dc ∂K/∂q1(c², 1, c)
};

/// The kernel of a pair of activations (f, g), for any variances >= 0 and up to c² = q1 q2.
///
/// Methods and accuracy, relative to √(E[f⁽ⁱ⁾²] E[g⁽ʲ⁾²]):
/// - sums of polynomials, erf and ReLU on both sides: closed forms and finite series; rounding;
/// - c² = q1 q2: one-dimensional quadrature; 1e-14;
/// - at least one side without kinks, or c² <= 0.86 q1 q2: the Hermite (Mehler) series, summed
/// until
///   it stands still; 1e-13;
/// - two kinked sides nearer to the edge, or a series that does not settle: quadrature in the plane
///   between the kinks, and what the kinks add by parts; 1e-13. Where kinks lie beside 0 and one
///   side is a polynomial of degree <= 4 between them, the average over it given the other is
///   closed: 30 to 150 µs.
/// Every quadrature checks itself (gaussian/average.hpp): it is refined until a finer one agrees,
/// or ends in a convergence_error after a stated number of panels.
///
/// Costs: 0.05 to 0.5 µs for the first kind, 5 to 50 µs for the next two, up to milliseconds for
/// the last. Immutable and safe from any thread; copies share their tables.
class pair_kernel {
 public:
  /// The kernel of f and g.
  pair_kernel(activation f, activation g);

  /// The moments asked for.
  /// \throws argument_error where the covariance is none
  /// \throws convergence_error where an activation varies too fast for the finest grid at these
  ///         variances
  [[nodiscard]] pair_moments moments(const pair_covariance& covariance, moment_set wanted) const;

  /// K(q1, q2, c)
  [[nodiscard]] double value(const pair_covariance& covariance) const;
  /// ∂K/∂(q1, q2, c)
  [[nodiscard]] kernel_gradient gradient(const pair_covariance& covariance) const;
  /// ∂²K/∂(q1, q2, c)²
  [[nodiscard]] kernel_hessian hessian(const pair_covariance& covariance) const;

  /// The second derivatives along the edge. c != 0 where f has kinks; where a kink of g other than
  /// 0 sits at a kink of f over c, q1c is the mean of its values on the two sides.
  [[nodiscard]] edge_curvature along_edge(double c) const;

  /// d²/dq² K(q, q, q): finite for kinked pairs too, whose separate second derivatives are not.
  /// q > 0 for those, q >= 0 for others.
  [[nodiscard]] double diagonal_curvature(double q) const;

  /// The activation of X.
  [[nodiscard]] const activation& f() const noexcept { return f_; }
  /// The activation of Y.
  [[nodiscard]] const activation& g() const noexcept { return g_; }

  /// Whether values and first derivatives are closed forms.
  [[nodiscard]] bool closed() const noexcept;

  /// The method by quadrature, or null where the pair has a closed form. Used by the library.
  [[nodiscard]] const class numerical_pair* numerical() const noexcept { return numerical_.get(); }

 private:
  activation f_;
  activation g_;
  std::shared_ptr<const class closed_pair> closed_;  // one of the two
  std::shared_ptr<const class numerical_pair> numerical_;
};

}  // namespace loradyn
