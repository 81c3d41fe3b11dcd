#include "figures/divergence.hpp"

#include <cmath>
#include <loradyn/activation/parse.hpp>
#include <loradyn/analysis/critical.hpp>
#include <loradyn/error.hpp>
#include <loradyn/interruption.hpp>
#include <loradyn/sweep/range.hpp>
#include <string>
#include "figures/axes.hpp"

namespace loradyn {

divergence_finder::divergence_finder(const study::row_key& key, const provenance& meta)
    : point_(key.at) {
  try {
    // Of several ratios the row tells its own.
    const std::string ratio = meta.parameter(study::registry::lr_ratio.name);
    if (!ratio.empty() && !is_swept(meta, study::registry::lr_ratio)) {
      study::registry::lr_ratio.set(point_, parse_number("lr-ratio", ratio));
    }
    pair_ = study::make_pair(parse_activation(key.student), parse_activation(key.teacher),
                             value_named(study::time_units, meta.parameter("time-unit"))
                                 .value_or(study::time_unit::raw));
  } catch (const error&) {
    pair_.reset();
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
