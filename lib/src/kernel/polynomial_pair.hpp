#pragma once

/// \file
/// The moments of two polynomials that the gradient of their risk is made of, in one pass. Internal
/// to the library.

#include <array>
#include <cstddef>
#include <loradyn/activation/polynomial.hpp>

namespace loradyn {

/// Moments of two kernels, that of (f, f) at (q, q, q) and that of (f, g) at (q, 1, c).
struct polynomial_pair_moments {
  double self_e11 = 0.0;   ///< E[f'(X)²]
  double self_e20 = 0.0;   ///< E[f(X) f''(X)]
  double cross_e11 = 0.0;  ///< E[f'(X) g'(Y)]
  double cross_e20 = 0.0;  ///< E[f''(X) g(Y)]
};

/// f(X) and g(Y) of a Gaussian pair with Var X = q, Var Y = 1, Cov(X, Y) = c. Bit for bit the
/// moments that `pair_kernel` gives, at less than half the cost: f's derivatives are shared by the
/// two kernels, powers by the moments, and the terms that parity makes vanish are left out.
class polynomial_pair {
 public:
  polynomial_pair(const polynomial& f, const polynomial& g);

  /// q >= 0 and c² <= q
  [[nodiscard]] polynomial_pair_moments moments(double q, double c) const;

 private:
  // f's derivatives, and the two beyond its degree that the moments look at.
  using derivative_array = std::array<double, max_degree + 3>;

  template <std::size_t Stride>
  [[nodiscard]] polynomial_pair_moments sums(const derivative_array& F, double q, double c) const;

  polynomial f_;
  std::size_t terms_;  // one more than the degree of f
  bool even_ = false;  // f(-x) = f(x)
  bool odd_ = false;
  derivative_array unit_g_{};  // E[g⁽ⁿ⁾(z)]
};

}  // namespace loradyn
