#pragma once

/// \file
/// Activations that are polynomials of low degree between their kinks, whose averages over a
/// Gaussian line are closed. Internal to the kernel room.

#include <array>
#include <cstddef>
#include <optional>
#include <vector>

#include <loradyn/activation/activation.hpp>
#include "kernel/averages.hpp"

namespace loradyn {

/// E[f⁽ⁱ⁾(X)] of the pieces of an activation, i = 0 … 4.
struct line_moments {
  std::array<double, 5> value{};
  std::array<double, 5> magnitude{};  ///< the sizes of the terms that it is summed of
};

/// Σ coefficients[k] (x - origin)ᵏ between two ends, infinite of the first and the last.
struct polynomial_piece {
  double lo;
  double hi;
  double origin;
  std::array<double, 5> coefficients;

  /// Those of (x - at)ᵏ.
  [[nodiscard]] std::array<double, 5> about(double at) const;
};

/// Lines of this deviation, or less, are so short that an activation is its Taylor polynomial of
/// degree 4 on either side of a kink. Its quadrature would see the rounding of its points.
inline constexpr double short_line = 1e-8;

/// The averages over a short line, up to the order. Error: rounding, and f⁽⁵⁾ short_line^{5-i}.
line_moments short_line_moments(const activation& f, const gaussian_line& x, std::size_t order);

/// Sums of relu(x - t)ⁿ, n <= 4, and polynomials of degree <= 4.
class piecewise_polynomial {
 public:
  static constexpr std::size_t max_degree = 4;  ///< as many derivatives tell the coefficients

  /// Nothing where f has no kinks or is something else between them: every piece is compared with
  /// its Taylor polynomial at points from next to its ends to far out, and at f's features.
  static std::optional<piecewise_polynomial> of(const activation& f);

  /// The averages of the first derivatives, up to the order, over a line of positive deviation.
  /// Error: rounding of the magnitudes.
  [[nodiscard]] line_moments moments(const gaussian_line& x, std::size_t order) const;

  /// In increasing order.
  [[nodiscard]] const std::vector<polynomial_piece>& pieces() const noexcept { return pieces_; }

 private:
  std::vector<polynomial_piece> pieces_;
};

}  // namespace loradyn
