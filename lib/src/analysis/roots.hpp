#pragma once

/// \file
/// Every root of a function of one variable on an interval. Internal to the analysis room.

#include <cstddef>
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
  double slope = 0.0;     ///< NaN where f has a corner or a jump
  bool crosses = true;    ///< false: f touches or nearly touches zero
  bool at_break = false;  ///< f need not exist there: its limit from one side at least is zero
};

/// A part of the interval on which f could not be followed.
struct unresolved_part {
  double lo = 0.0;
  double hi = 0.0;
};

struct root_search {
  std::vector<isolated_root> roots;         ///< in increasing order
  std::vector<unresolved_part> unresolved;  ///< in increasing order; they hold roots or none
};

/// |f| below this fraction of its scale can't be told from zero: the accuracy of the kernels with a
/// margin.
inline constexpr double zero_fraction = 1e-11;

/// The most intervals on which one search interpolates f, each by 24 evaluations.
inline constexpr std::size_t most_series = 1000;

/// Every root of f in the open interval (lo, hi); zeros at the ends are not counted. f is
/// interpolated by Chebyshev series on intervals that are halved until the series reaches rounding,
/// or the noise of f, then the zeros of each piece are isolated and polished on f itself. Where f
/// jumps, a change of sign counts as a root. A piece on which f is not finite, or throws
/// convergence_error, and what is left after `most_series` intervals, is unresolved.
/// \param breaks points inside (lo, hi) where f is not smooth, or does not exist
root_search find_roots(const std::function<scaled_value(double)>& f, double lo, double hi,
                       std::span<const double> breaks);

/// The roots that `find_roots` finds.
/// \param name what f is, for messages
/// \throws convergence_error where a part is unresolved
std::vector<isolated_root> isolate_roots(const std::function<scaled_value(double)>& f, double lo,
                                         double hi, std::span<const double> breaks,
                                         const std::string& name);

}  // namespace loradyn
