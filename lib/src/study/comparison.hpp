#pragma once

/// \file
/// Simulated means and escape times against a theory's, with a verdict each (docs/theory.md,
/// section 13). Internal to the study room.

#include <cstdint>
#include <loradyn/analysis/escape_law.hpp>
#include <loradyn/simulation/deviation.hpp>
#include <loradyn/simulation/statistics.hpp>
#include <loradyn/study/validation.hpp>
#include <string>
#include <vector>

namespace loradyn::study::detail {

/// Means of quantities q over runs at the recorded times k of experiments e.
struct mean_comparison {
  const std::vector<experiment>& experiments;
  double rate_unit = 1.0;
  std::vector<std::string> quantities{};
  std::vector<std::vector<std::vector<double>>> theory{};                ///< [e][k][q]
  std::vector<std::vector<std::vector<deviation_sample>>> deviations{};  ///< [q][k][e]
  std::vector<std::uint64_t> seeds{};                                    ///< [e]
  bool diverged = false;                                                 ///< whether any run did
  double threshold = 0.0;  ///< how many standard errors a deviation may have
};

/// For each quantity a row for each experiment, the worst of its times; with several dimensions
/// that of the limit and that of the slope.
std::vector<validation_row> compare_means(const mean_comparison& means);

/// A law and what it is compared with.
struct law_comparison {
  const escape_law& law;
  std::uint64_t runs = 0;
  std::uint64_t seed = 0;
  double rate_unit = 1.0;
  double threshold = 0.0;  ///< of the p-value
};

/// The row of a law that does not hold, with its reason.
validation_row untested_law(const law_comparison& comparison);
/// How long runs must be for all but one in a million to escape.
std::uint64_t steps_for(const escape_law& law, double learning_rate);
validation_row compare_law(const law_comparison& comparison, const hitting_times& hits);

}  // namespace loradyn::study::detail
