#pragma once

/// \file
/// The phase plane (u, m) of the flow: its field and its nullclines.

#include <array>
#include <cstddef>
#include <loradyn/dynamics/flow.hpp>
#include <loradyn/model/overlaps.hpp>
#include <vector>

namespace loradyn {

/// A piece of a nullcline: two points (u, m).
using plane_segment = std::array<std::array<double, 2>, 2>;

/// The flow in the plane (u, m) at one s.
struct phase_plane {
  std::vector<overlap_state> places;       ///< where the field is told, row after row
  std::vector<overlap_state> velocities;   ///< at the places
  std::vector<plane_segment> u_nullcline;  ///< u' = 0
  std::vector<plane_segment> m_nullcline;  ///< m' = 0
};

/// The plane |u| <= reach, |m| <= √(1 - s²) at fixed s. The field is told at `arrows` × `arrows`
/// places; the nullclines are linear pieces in the cells of a 200 × 200 grid, exact to the square
/// of a cell. \throws convergence_error from a kernel
phase_plane plane_of(const flow& f, double reach, double s, std::size_t arrows);

}  // namespace loradyn
