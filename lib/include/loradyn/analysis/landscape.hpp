#pragma once

/// \file
/// The critical points of the population risk over (M, Q) (docs/theory.md, section 8).

#include <loradyn/model/population_risk.hpp>
#include <vector>

namespace loradyn {

/// A point where no small change of the weight w changes the risk to first order.
struct risk_critical_point {
  double M = 0.0;
  double gap = 0.0;   ///< Q - M²; 0: w is along w* (or zero)
  double risk = 0.0;  ///< without label noise
};

/// Largest |M| and √Q that are looked at; less, down to 3.7, where a student grows so fast that its
/// risk is not resolved so far out.
inline constexpr double landscape_radius = 25.0;

/// The critical points of the risk within a radius of the origin, by increasing risk.
struct risk_landscape {
  std::vector<risk_critical_point> points;
  double radius = landscape_radius;  ///< |M| and √Q of all points are less
};

/// The critical points of R as a function of the weight:
///  - along the teacher: every root of dR(M, M²)/dM within the radius, by the method of
///    `isolate_roots`;
///  - beside it, gap > 0: R_M = R_Q = 0, by Newton's method from every cell of a 33 × 48 grid over
///    (M/√Q, log √Q) in which both change sign. Two solutions in one cell may count as one; a risk
///    that does not depend on M at all has none here.
/// \throws convergence_error where a kernel's quadrature does not converge within the least radius
risk_landscape landscape_of(const population_risk& risk);

/// The least risk, without label noise, of all weights of this norm.
/// \throws convergence_error where a kernel's quadrature does not converge, or where R_M = 0 on the
///         circle can't be solved
double least_risk_on_circle(const population_risk& risk, double radius);

}  // namespace loradyn
