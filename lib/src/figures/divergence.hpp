#pragma once

/// \file
/// Where the search time of a figure's curves diverges.

#include <loradyn/report/table.hpp>
#include <loradyn/study/rates.hpp>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace loradyn {

/// The pair of a curve over μ at ν = 0, and what the table says of κ and of its times.
class divergence_finder {
 public:
  divergence_finder(const study::row_key& key, const provenance& meta);

  /// The critical alignment between two neighbours at which τ goes to infinity, as `critical` finds
  /// it; where that does not converge, the place where the line between the values of A is zero.
  /// None where A keeps its sign or τ stays finite.
  [[nodiscard]] std::optional<double> between(double a, double b) const;

  /// Points (μ, τ) from beside `from` towards a critical alignment, until τ exceeds `top`.
  [[nodiscard]] std::vector<std::pair<double, double>> rise(double from, double root,
                                                            double top) const;

 private:
  [[nodiscard]] study::rates_row at(double mu) const;

  std::optional<study::activation_pair> pair_;  // none where its name can't be read
  study::parameter_point point_;
};

}  // namespace loradyn
