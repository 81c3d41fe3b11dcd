#include "analysis/limits.hpp"
#include <cmath>
#include <cstddef>
#include <loradyn/error.hpp>
#include <loradyn/gaussian/average.hpp>
#include <span>
#include <string>
#include <vector>

namespace loradyn {

divergence_law strong_pretraining_law(const activation& matched) {
  std::vector<double> breaks;
  for (const kink& k : matched.kinks()) {
    breaks.push_back(k.location);
  }
  const averages moments = gaussian_averages(2, breaks, matched.features(),
                                             [&](std::span<const double> z, double* values) {
                                               for (std::size_t i = 0; i < z.size(); ++i) {
                                                 const double slope = matched.first(z[i]);
                                                 values[i] = slope * slope;
                                                 values[z.size() + i] = z[i] * z[i] * slope * slope;
                                               }
                                             });
  const double slope_power = moments.value[0];
  const double weighted_power = moments.value[1];
  if (!(weighted_power > 0.0)) {
    throw argument_error("the activation", "'" + matched.name() + "'", "one that is not constant");
  }
  return {1.0, slope_power / (weighted_power * weighted_power)};  // (5.2)
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
  return {root.alignment, std::abs(root.B) / (root.slope * root.slope)};  // (5.1)
}

}  // namespace loradyn
