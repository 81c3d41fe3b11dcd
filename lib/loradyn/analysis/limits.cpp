#include <cmath>
#include <cstddef>
#include <loradyn/activation/hermite_projection.hpp>
#include <loradyn/analysis/limits.hpp>
#include <loradyn/error.hpp>
#include <string>
#include <vector>

namespace loradyn {

divergence_law strong_pretraining_law(const activation& matched) {
  std::vector<double> breaks;
  for (const kink& k : matched.kinks()) {
    breaks.push_back(k.location);
  }
  const auto grid = grid_for(breaks, matched.strip(), 0, false);
  double slope_power = 0.0;
  double weighted_power = 0.0;
  for (std::size_t i = 0; i < grid->nodes().size(); ++i) {
    const double z = grid->nodes()[i];
    const double plus = matched.first(z);
    const double minus = matched.first(-z);
    const double power = grid->weights()[i] * (plus * plus + minus * minus);
    slope_power += power;
    weighted_power += z * z * power;
  }
  if (!(weighted_power > 0.0)) {
    throw argument_error("the activation", "'" + matched.name() + "'", "one that is not constant");
  }
  return {1.0, slope_power / (weighted_power * weighted_power)};
}

divergence_law critical_law(const critical_alignment& root) {
  if (root.status != critical_status::diverges) {
    throw argument_error("the status of the critical alignment",
                         "'" + std::string(to_string(root.status)) + "'", "'diverges'");
  }
  if (!std::isfinite(root.B) || !std::isfinite(root.slope)) {
    throw argument_error("the critical alignment", "a corner of A, or a jump of B",
                         "one where both are smooth");
  }
  return {root.alignment, std::abs(root.B) / (root.slope * root.slope)};
}

}  // namespace loradyn
