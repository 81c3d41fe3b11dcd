#pragma once

/// \file
/// How the deviation of simulated means from their limit falls as d grows (docs/theory.md, section
/// 13).

#include <span>
#include <vector>

namespace loradyn {

/// A mean over runs at one dimension, less what it should be in the limit d -> ∞.
struct deviation_sample {
  double dimension = 0.0;
  double deviation = 0.0;
  double error = 0.0;  ///< standard error of the mean, > 0
};

/// deviation ≈ limit + coefficient/d, by least squares weighted with the errors.
struct deviation_fit {
  double limit = 0.0;  ///< zero where the theory is right
  double limit_error = 0.0;
  /// Of the fit through limit = 0, and what it leaves of each sample over its error.
  double coefficient = 0.0;
  std::vector<double> residuals;
};

/// The fit to samples at two or more dimensions.
/// \throws argument_error for fewer dimensions, or an error that is not positive
deviation_fit fit_deviation(std::span<const deviation_sample> samples);

/// A power of d.
struct deviation_slope {
  double slope = 0.0;
  double error = 0.0;
};

/// The slope of log |deviation| against log d, weighted with the errors.
/// \throws argument_error for fewer than two dimensions, a deviation of zero, or an error that is
/// not
///         positive
deviation_slope slope_of_deviation(std::span<const deviation_sample> samples);

/// How many standard errors a deviation may have, so that all of `comparisons` two-sided
/// comparisons stay within it with probability 1 - significance where there is none (Bonferroni).
/// \throws argument_error unless 0 < significance < 1 and comparisons >= 1
double normal_threshold(double significance, std::size_t comparisons);

}  // namespace loradyn
