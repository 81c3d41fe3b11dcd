#include "figures/divergence.hpp"

#include <algorithm>
#include <cmath>
#include <loradyn/analysis/critical.hpp>
#include <loradyn/error.hpp>
#include <loradyn/interruption.hpp>

namespace loradyn {

divergence_finder::divergence_finder(const study::row_key& key,
                                     const std::vector<study::activation_pair>& pairs,
                                     const study::parameter_grid& grid)
    : point_(key.at) {
  // Of several ratios the row tells its own.
  const bool told = std::any_of(grid.axes.begin(), grid.axes.end(), [](const auto& axis) {
    return axis.what == &study::registry::lr_ratio;
  });
  if (!told) {
    point_.parameters.rate_ratio = grid.otherwise.parameters.rate_ratio;
  }
  const auto pair = std::find_if(pairs.begin(), pairs.end(), [&](const auto& p) {
    return p.risk.student().name() == key.student && p.risk.teacher().name() == key.teacher;
  });
  if (pair != pairs.end()) {
    pair_ = *pair;
  }
}

study::rates_row divergence_finder::at(double mu) const {
  study::parameter_point place = point_;
  place.parameters.alignment = mu;
  return study::rates_at(*pair_, place);
}

std::optional<double> divergence_finder::between(double a, double b) const {
  if (!pair_ || !(a < b)) {
    return std::nullopt;
  }
  const study::rates_row left = at(a);
  const study::rates_row right = at(b);
  if (std::signbit(left.A) == std::signbit(right.A) || !std::isfinite(left.A) ||
      !std::isfinite(right.A)) {
    return std::nullopt;
  }
  check_stop();
  try {
    for (const critical_alignment& root :
         critical_alignments(pair_->risk, point_.parameters, a, b)) {
      if (root.status == critical_status::diverges) {
        return root.alignment;
      }
      if (root.status != critical_status::unresolved) {
        return std::nullopt;
      }
    }
  } catch (const error&) {
    // As where a piece is not resolved.
  }
  const double fraction = left.A / (left.A - right.A);
  return std::lerp(left.B, right.B, fraction) < 0.0 ? std::optional(std::lerp(a, b, fraction))
                                                    : std::nullopt;
}

std::vector<std::pair<double, double>> divergence_finder::rise(double from, double root,
                                                               double top) const {
  std::vector<std::pair<double, double>> points;
  constexpr double nearer = 0.6;  // τ grows threefold from one to the next
  constexpr int most = 60;
  double distance = from - root;
  for (int i = 0; i < most && (points.empty() || points.back().second <= top); ++i) {
    distance *= nearer;
    const double tau = at(root + distance).tau;
    if (!std::isfinite(tau)) {
      break;
    }
    points.emplace_back(root + distance, tau);
  }
  return points;
}

}  // namespace loradyn
