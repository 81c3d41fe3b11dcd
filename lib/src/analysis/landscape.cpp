#include <Eigen/Dense>
#include <algorithm>
#include <array>
#include <cmath>
#include <functional>
#include <limits>
#include <loradyn/analysis/landscape.hpp>
#include <loradyn/error.hpp>
#include <optional>
#include <span>
#include <utility>
#include "analysis/roots.hpp"

namespace loradyn {
namespace {

field_overlaps overlaps_of(double M, double gap) { return {M, M * M + gap, gap}; }

// dR(M, M²)/dM: (8.1) along w*.
scaled_value slope_along(const population_risk& risk, double M) {
  const risk_gradient r = risk.gradient(overlaps_of(M, 0.0));
  return {r.M + 2.0 * M * r.Q, std::abs(r.M) + 2.0 * std::abs(M) * r.Q_scale};
}

// (8.1) beside w*: Newton's method on R_M = R_Q = 0 in (M, gap), by the kernels themselves: a table
// of the slopes costs more than the few points that are asked for.
std::optional<risk_critical_point> interior_point(const population_risk& risk, double M, double gap,
                                                  double farthest) {
  // Heuristic: "no start leads to a rest that is not a critical point found" passes with 10, not
  // with 5.
  constexpr int iterations = 50;
  for (int iteration = 0; iteration < iterations; ++iteration) {
    const field_overlaps o = overlaps_of(M, gap);
    const risk_gradient r = risk.gradient(o);
    const risk_curvature h = risk.curvature(o);
    Eigen::Matrix2d j;
    // R_M at fixed gap is R_M + 2M R_Q, and vanishes where both do.
    j << h.MM, h.M_gap, h.M_gap, h.gap_gap;
    const Eigen::Vector2d step = -j.fullPivLu().solve(Eigen::Vector2d(r.M + 2.0 * M * r.Q, r.Q));
    if (!step.allFinite()) {
      return std::nullopt;
    }
    // Stay inside gap > 0.
    const double damping = step[1] < -0.9 * gap ? -0.9 * gap / step[1] : 1.0;
    M += damping * step[0];
    gap += damping * step[1];
    if (!(M * M + gap < farthest * farthest)) {
      return std::nullopt;
    }
    if (damping == 1.0 && std::abs(step[0]) <= 1e-13 * std::max(1.0, std::abs(M)) &&
        std::abs(step[1]) <= 1e-13 * std::max(1.0, gap)) {
      constexpr double least_gap = 1e-9;  // below: a point along w*, which is found there
      M = std::abs(M) < 1e-12 ? 0.0 : M;  // by symmetry
      return gap > least_gap
                 ? std::optional(risk_critical_point{M, gap, risk.value(overlaps_of(M, gap), 0.0)})
                 : std::nullopt;
    }
  }
  return std::nullopt;
}

void add_interior(const population_risk& risk, double farthest,
                  std::vector<risk_critical_point>& points) {
  // Cells of 5.3° by 16 % of the radius: two solutions in one count as one (docs/theory.md, section
  // 8), and nothing is looked for at Q < 4e-4. Heuristic: "no start leads to a rest that is not a
  // critical point found" passes with cells twice as wide.
  constexpr std::size_t across = 34;  // an odd number of cells: M = 0 is inside one
  constexpr std::size_t outward = 49;
  constexpr double least_radius = 0.02;
  struct node {
    double M;
    double gap;
    int sign_M;
    int sign_Q;
  };
  const auto sign = [](double value, double scale) {
    return std::abs(value) <= zero_fraction * scale ? 0 : (value > 0.0 ? 1 : -1);
  };
  std::array<std::array<node, across>, outward> grid{};
  for (std::size_t k = 0; k < outward; ++k) {
    const double radius =
        least_radius * std::pow(farthest / least_radius,
                                static_cast<double>(k) / static_cast<double>(outward - 1));
    std::array<double, across> M{};
    std::array<double, across> gap{};
    for (std::size_t i = 0; i < across; ++i) {
      // Chebyshev's angles keep off the edges and are dense near them.
      const double angle = M_PI * (static_cast<double>(i) + 0.5) / static_cast<double>(across);
      M[i] = -radius * std::cos(angle);
      gap[i] = radius * radius * std::sin(angle) * std::sin(angle);
    }
    const auto slopes = risk.slopes_on_circle(radius * radius, M, gap);
    // What is zero to rounding is judged by the largest on the circle, and by what the slopes are
    // differences of: far out an oscillating student's are nothing else.
    const double least_scale = risk.slope_size(radius * radius);
    double scale_M = 0.0;
    double scale_Q = least_scale;
    for (const risk_slopes& s : slopes) {
      scale_M = std::max(scale_M, std::abs(s.M));
      scale_Q = std::max(scale_Q, std::abs(s.twice_Q));
    }
    for (std::size_t i = 0; i < across; ++i) {
      grid[k][i] = {M[i], gap[i], sign(slopes[i].M, scale_M + scale_Q),
                    sign(slopes[i].twice_Q, scale_Q)};
    }
  }
  for (std::size_t k = 0; k + 1 < outward; ++k) {
    for (std::size_t i = 0; i + 1 < across; ++i) {
      const std::array<node, 4> corners{grid[k][i], grid[k][i + 1], grid[k + 1][i],
                                        grid[k + 1][i + 1]};
      const auto changes = [&corners](int node::*s) {
        const auto [least, most] =
            std::minmax({corners[0].*s, corners[1].*s, corners[2].*s, corners[3].*s});
        return least < 0 && most > 0;
      };
      if (!changes(&node::sign_M) || !changes(&node::sign_Q)) {
        continue;
      }
      const double M = 0.25 * (corners[0].M + corners[1].M + corners[2].M + corners[3].M);
      const double gap = 0.25 * (corners[0].gap + corners[1].gap + corners[2].gap + corners[3].gap);
      const auto found = interior_point(risk, M, gap, farthest);
      // Newton's method ends at 1e-13.
      const auto same = [&found](const risk_critical_point& p) {
        return std::hypot(p.M - found->M, p.gap - found->gap) < 1e-7 * (1.0 + found->gap);
      };
      if (found && std::none_of(points.begin(), points.end(), same)) {
        points.push_back(*found);
      }
    }
  }
}

// The root itself, or ±1 where that is a zero to the last digits too: a target is there, and of
// high degrees a risk of rounding, which grows from there like 1e8 (M - 1), is none of the
// target's.
double rounded_to_target(const std::function<scaled_value(double)>& slope, double root) {
  constexpr double rounding = 16.0 * std::numeric_limits<double>::epsilon();
  const double target = std::copysign(1.0, root);
  if (root == target || !(std::abs(root - target) <= zero_fraction)) {
    return root;
  }
  const scaled_value there = slope(target);
  return std::abs(there.value) <= rounding * there.scale ? target : root;
}

// The critical points within a radius.
risk_landscape points_within(const population_risk& risk, std::span<const double> distances) {
  std::vector<risk_critical_point> points;
  const double farthest = distances.back();
  std::vector<double> breaks{0.0};
  for (const double b : distances.first(distances.size() - 1)) {
    breaks.push_back(b);
    breaks.push_back(-b);
  }
  for (const double b : kink_meetings(risk.student().kinks(), risk.teacher().kinks())) {
    if (std::abs(b) < farthest) {
      breaks.push_back(b);
    }
  }
  std::sort(breaks.begin(), breaks.end());
  breaks.erase(std::unique(breaks.begin(), breaks.end()), breaks.end());
  const auto slope = [&risk](double M) { return slope_along(risk, M); };
  for (const isolated_root& r :
       isolate_roots(slope, -farthest, farthest, breaks, "dR/dM along the teacher")) {
    // A kinked student at M = 0 has a corner there instead of a zero. A zero is below
    // `zero_fraction` of its scale, a hundredth of the bound.
    const double x = rounded_to_target(slope, r.x);
    const scaled_value at_root = slope(x);
    if (std::abs(at_root.value) <= 1e-9 * at_root.scale || at_root.value == 0.0) {
      points.push_back({x, 0.0, risk.value(overlaps_of(x, 0.0), 0.0)});
    }
  }
  add_interior(risk, farthest, points);
  std::stable_sort(points.begin(), points.end(),
                   [](const auto& a, const auto& b) { return a.risk < b.risk; });
  return {std::move(points), farthest};
}

}  // namespace

risk_landscape landscape_of(const population_risk& risk) {
  // What is zero to rounding is judged by the size of f on a whole piece, and polynomial risks span
  // twenty decades: pieces grow with the distance from 0. Heuristic: "every critical point along
  // the teacher is found" has degree 20.
  constexpr std::array<double, 10> distances{0.07, 0.19, 0.43, 0.83, 1.37,
                                             2.2,  3.7,  6.1,  11.3, landscape_radius};
  // A student that grows like e^x has a risk like e^{2M²}: as far as that is resolved.
  constexpr std::size_t fewest = 7;
  for (std::size_t count = distances.size(); count > fewest; --count) {
    try {
      return points_within(risk, std::span(distances).first(count));
    } catch (const convergence_error&) {
      // a smaller radius then
    }
  }
  return points_within(risk, std::span(distances).first(fewest));
}

double least_risk_on_circle(const population_risk& risk, double radius) {
  const auto at = [radius](double M) {
    return field_overlaps{M, radius * radius, (radius - M) * (radius + M)};
  };
  const auto slope = [&](double M) {
    const risk_gradient r = risk.gradient(at(M));
    return scaled_value{r.M, std::abs(r.M)};
  };
  double least = std::min(risk.value(at(-radius), 0.0), risk.value(at(radius), 0.0));
  for (const isolated_root& r : isolate_roots(slope, -radius, radius, {}, "dR/dM on a circle")) {
    least = std::min(least, risk.value(at(r.x), 0.0));
  }
  return least;
}

}  // namespace loradyn
