#pragma once

/// \file
/// Polynomials seen by a Gaussian of any variance.

#include <cstddef>
#include <span>
#include <vector>

namespace loradyn {

/// The largest degree of a polynomial that the library takes.
inline constexpr std::size_t max_degree = 40;

/// A polynomial of degree <= max_degree with both its expansions: f(x) = Σ c_n xⁿ = Σ h_n
/// He_n(x). Both are kept because each is the well-conditioned one somewhere: h for variances near
/// 1 and above, c for variances near 0.
class polynomial {
 public:
  /// The zero polynomial.
  polynomial() = default;

  /// \param monomial c_n, \param hermite h_n: the same polynomial; trailing zeros are dropped
  /// \throws argument_error where the degree is above max_degree
  polynomial(std::vector<double> monomial, std::vector<double> hermite);

  /// Σ c_n xⁿ; the Hermite coefficients are computed in floating point.
  static polynomial from_monomials(std::vector<double> monomial);

  /// Whether it is 0.
  [[nodiscard]] bool zero() const noexcept { return hermite_.empty(); }
  /// 0 for constants and for zero.
  [[nodiscard]] std::size_t degree() const noexcept {
    return hermite_.empty() ? 0 : hermite_.size() - 1;
  }
  /// The coefficients of powers of x, the constant first.
  [[nodiscard]] std::span<const double> monomial() const noexcept { return monomial_; }
  /// Those of He_k, He_0's first.
  [[nodiscard]] std::span<const double> hermite() const noexcept { return hermite_; }

  /// f(x), accurate to rounding on the Gaussian's scale √E[f(z)²].
  double operator()(double x) const;

  /// f at every x, each to rounding of its own size near 0, so that what vanishes there keeps its
  /// digits, and otherwise as operator() does. out.size() == x.size(), which may be the same
  /// memory.
  void tabulate(std::span<const double> x, std::span<double> out) const;

  /// f'.
  [[nodiscard]] polynomial derivative() const;

  /// The Gaussian moments of the derivatives, moments[n] = E[f⁽ⁿ⁾(√q z)] = n! a_n(q), for every n <
  /// moments.size(); zero above the degree (docs/theory.md, section 3). q >= 0.
  void gaussian_derivatives(double q, std::span<double> moments) const;

 private:
  // E[f⁽ⁿ⁾(X)], X ~ N(0, q0 + t), as a polynomial in t for each n: those of n are
  // coefficients[begin[n]
  // .. begin[n + 1]), none where it vanishes.
  struct heat_table {
    std::vector<double> coefficients;
    std::vector<std::size_t> begin{0};
  };
  static heat_table heat_polynomials(std::span<const double> coefficients);

  std::vector<double> monomial_;
  std::vector<double> hermite_;
  heat_table about_zero_;
  heat_table about_one_;
};

}  // namespace loradyn
