#pragma once

/// \file
/// Roots of the drive of a search, and what they do to its time. Internal to the analysis room.

#include <functional>
#include <loradyn/analysis/critical.hpp>
#include <vector>
#include "analysis/roots.hpp"

namespace loradyn {

/// A mode's drive over μ.
struct followed_drive {
  std::function<scaled_value(double)> drive;
  std::function<double(double)> B;
  double B_size = 0.0;  ///< of what B is made of
  bool has_side =
      false;  ///< w0 has a part beside the targets, which drives the mode at a root of A
};

/// What becomes of the time where a drive crosses zero, by B on both sides.
critical_status status_of_crossing(const followed_drive& of, double left, double right);

/// \throws argument_error unless lo < hi, both finite
void require_interval(double lo, double hi);

/// What B is made of: its error is relative to that.
double drive_power(const activation& student, const activation& teacher);

/// Where a drive need not be smooth: at μ = 0, where a student with kinks changes form, and where
/// kinks meet.
std::vector<double> drive_breaks(std::vector<double> meetings, double lo, double hi);

/// The roots, in increasing order, and after them the pieces that can't be resolved.
std::vector<critical_alignment> critical_roots(const followed_drive& of,
                                               const std::vector<double>& breaks, double lo,
                                               double hi);

}  // namespace loradyn
