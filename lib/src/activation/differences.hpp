#pragma once

/// \file
/// Derivatives of a function that is known by its values alone. Internal to the activation room.

#include <cstddef>
#include <functional>
#include <span>

namespace loradyn::detail {

/// Differences of f that do not reach across a break.
struct finite_difference {
  const std::function<double(double)>& f;
  std::span<const double> breaks;  ///< in increasing order

  /// f⁽ⁿ⁾(x), 1 <= n <= 4, by central differences of eighth order; at a break that of the piece to
  /// its left, by `one_sided`.
  [[nodiscard]] double derivative(std::size_t n, double x) const;

  /// f⁽ⁿ⁾(t+) for side = 1, f⁽ⁿ⁾(t-) for side = -1, n <= 4, from points on that side alone.
  [[nodiscard]] double one_sided(std::size_t n, double t, double side) const;
};

}  // namespace loradyn::detail
