#pragma once

/// \file
/// Where the search time of a figure's curves diverges.

#include <loradyn/study/rates.hpp>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace loradyn {

/// The pair of a curve over μ at ν = 0, with the problem's κ where the row tells none.
class divergence_finder {
 public:
  divergence_finder(const study::row_key& key, const std::vector<study::activation_pair>& pairs,
                    const study::parameter_grid& grid);

  /// The critical alignment between two neighbours at which τ goes to infinity, as `critical` finds
  /// it; where that does not converge, the place where the line between the values of A is zero.
  /// None where A keeps its sign or τ stays finite.
  [[nodiscard]] std::optional<double> between(double a, double b) const;

  /// Points (μ, τ) from beside `from` towards a critical alignment, until τ exceeds `top`.
  [[nodiscard]] std::vector<std::pair<double, double>> rise(double from, double root,
                                                            double top) const;

 private:
  [[nodiscard]] study::rates_row at(double mu) const;

  std::optional<study::activation_pair> pair_;  // none where the problem has none of its names
  study::parameter_point point_;
};

}  // namespace loradyn
