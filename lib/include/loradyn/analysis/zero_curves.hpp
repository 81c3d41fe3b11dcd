#pragma once

/// \file
/// The curves on which a function of two variables vanishes, by continuation.

#include <array>
#include <cstddef>
#include <functional>
#include <vector>

namespace loradyn {

/// A curve in the plane as a chain of points.
struct plane_curve {
  std::vector<std::array<double, 2>> points;
  bool closed = false;  ///< the last point meets the first
};

/// [x0, x1] × [y0, y1].
struct plane_rectangle {
  double x0 = 0.0;
  double x1 = 1.0;
  double y0 = 0.0;
  double y1 = 1.0;
};

/// Every curve f = 0 in the rectangle that crosses an edge of a `cells` × `cells` grid. From each
/// crossing the curve is followed both ways, by steps along its tangent that are corrected onto it
/// by Newton's method, to the rim, back to its start, or to a point that can't be passed (f has no
/// gradient or no value there). The points are at most half a cell apart and on the curve to about
/// 1e-9 of the rectangle's size. \param f smooth; NaN where it has no value \throws argument_error
/// unless x0 < x1, y0 < y1 and cells >= 2; what f throws
std::vector<plane_curve> zero_curves(const std::function<double(double, double)>& f,
                                     const plane_rectangle& where, std::size_t cells);

}  // namespace loradyn
