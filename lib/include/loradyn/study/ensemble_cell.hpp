#pragma once

/// \file
/// The simulated part of a cell of a phase diagram: an ensemble at finite dimension beside the law.

#include <cstdint>
#include <loradyn/simulation/problem.hpp>
#include <loradyn/study/escape.hpp>
#include <loradyn/study/row.hpp>
#include <optional>
#include <string>
#include <vector>

namespace loradyn::study {

/// What is simulated in every cell.
struct ensemble_request {
  simulation_engine engine = simulation_engine::chain;
  std::uint64_t batch = 16;
  std::optional<double> learning_rate;  ///< γ is made of it; without it, it is γ batch/d
  std::uint64_t runs = 100;
  std::uint64_t steps = 1'000'000;  ///< after which a run is given up
  std::uint64_t seed = 0;

  /// The largest batch, whose γ is still exact, and the most runs, which a cell holds in memory.
  static constexpr std::uint64_t max_batch = std::uint64_t{1} << 53;
  static constexpr std::uint64_t max_runs = 100'000'000;

  /// \throws argument_error, naming what is out of range
  void validate() const;
};

/// What became of the ensemble of a cell.
struct ensemble_values {
  std::uint64_t runs = 0;
  std::uint64_t hit = 0;
  std::uint64_t diverged = 0;
  double mean = 0.0;  ///< of the hitting times; NaN where a run has none
  double sd = 0.0;
  std::vector<double> quantiles;
  double p = 0.0;  ///< Kolmogorov and Smirnov's, against the law
  std::uint64_t seed = 0;
  std::string status;
};

/// \param quantiles of the runs' hitting times
row_description<ensemble_values> ensemble_columns(const std::vector<double>& quantiles);

/// \param seed the cell's own
/// \param starts_fixed from the cell's u0, m0, s0 rather than from a random v
/// \returns nothing where it is stopped
std::optional<ensemble_values> ensemble_at(const prepared_pair& pair, const parameter_point& at,
                                           const escape_request& request,
                                           const escape_point& theory,
                                           const ensemble_request& ensemble, bool starts_fixed,
                                           std::uint64_t seed);

/// The seed of a cell at (x, y): it depends on the place alone, not on the grid that holds it.
std::uint64_t seed_at(std::uint64_t seed, double x, double y);

}  // namespace loradyn::study
