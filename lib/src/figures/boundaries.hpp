#pragma once

// Where the kinds of a grid's places change, as curves.

#include <array>
#include <cstddef>
#include <vector>

namespace loradyn {

// Curves between places of different kinds: kinds[k * columns + i] is that of (i, k), < 0 none,
// which has no boundary. A place is the middle of a cell; the curves are in units of a cell, from
// -0.5 to columns - 0.5, and cross each line between two neighbours of different kinds once, not
// within a tenth of either: all places stay on their sides. In between they are as short as that
// lets them be, where the stairs of the cells' own rims are not. Closed ones end where they begin.
using boundary_curve = std::vector<std::array<double, 2>>;
std::vector<boundary_curve> boundaries(const std::vector<signed char>& kinds, std::size_t columns,
                                       std::size_t rows);

}  // namespace loradyn
