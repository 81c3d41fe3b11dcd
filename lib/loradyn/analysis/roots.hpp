#pragma once

/// \file
/// Every root of a function of one variable on an interval. Internal to the analysis room.

#include <functional>
#include <span>
#include <string>
#include <vector>

namespace loradyn {

/// A value and the size of the terms that it is the sum of: what its rounding error is relative to.
struct scaled_value {
  double value = 0.0;
  double scale = 0.0;
};

struct isolated_root {
  double x = 0.0;
  double slope = 0.0;
  bool crosses = true;  ///< false: f touches or nearly touches zero, a double root or none
};

/// |f| below this fraction of its scale can't be told from zero: the accuracy of the kernels with a
/// margin.
inline constexpr double zero_fraction = 1e-11;

/// Every root of f in the open interval (lo, hi), in increasing order; zeros at the ends are not
/// counted. f is interpolated by Chebyshev series on intervals that are halved until the series
/// reaches rounding, then the zeros of each piece are isolated and polished on f itself.
/// \param breaks points inside (lo, hi) where f is not smooth
/// \param name   what f is, for messages
/// \throws convergence_error where f is not finite or can't be resolved
std::vector<isolated_root> isolate_roots(const std::function<scaled_value(double)>& f, double lo,
                                         double hi, std::span<const double> breaks,
                                         const std::string& name);

}  // namespace loradyn
