#pragma once

/// \file
/// Statistics over the runs of an ensemble. Every sum runs in the order of the runs, so that the
/// results are the same on any number of threads.

#include <cstddef>
#include <cstdint>
#include <functional>
#include <span>
#include <vector>

#include <loradyn/simulation/ensemble.hpp>

namespace loradyn {

/// Of a sample of n values. What does not exist is NaN: everything for n = 0, the deviation for
/// n = 1.
struct sample_summary {
  std::size_t count = 0;
  double mean = 0.0;
  double deviation = 0.0;         ///< square root of the unbiased variance
  std::vector<double> quantiles;  ///< exact, linear between order statistics
};

/// O(n log n). \param probabilities in [0, 1] \throws argument_error for others
sample_summary summarise(std::vector<double> values, std::span<const double> probabilities);

/// Equal bins on [lo, hi); values outside are counted beside them.
struct histogram {
  double lo = 0.0;
  double hi = 1.0;
  std::vector<std::size_t> counts;
  std::size_t below = 0;
  std::size_t above = 0;
};
/// \throws argument_error unless lo < hi, both finite, and bins >= 1
histogram make_histogram(std::span<const double> values, double lo, double hi, std::size_t bins);

/// A recorded step over the runs that have a state there. Those that have not are counted by the
/// reason: nothing is left out silently.
struct recorded_summary {
  std::uint64_t step = 0;
  double time = 0.0;         ///< Σ η
  std::size_t runs = 0;      ///< with a state at this step
  std::size_t diverged = 0;  ///< before this step
  std::size_t stopped = 0;   ///< ended by their events before this step
  std::vector<sample_summary> quantities;
};

/// Summaries of the quantities at every recorded step. \throws argument_error as `summarise`
std::vector<recorded_summary> summarise(const ensemble& runs, const simulation_problem& problem,
                                        const simulation_plan& plan,
                                        std::span<const simulated_quantity> quantities,
                                        std::span<const double> probabilities);

/// A quantity at recorded step number `point`, of the runs that have a state there, by run.
std::vector<double> recorded_values(const ensemble& runs, const simulation_problem& problem,
                                    const simulation_plan& plan, std::size_t point,
                                    simulated_quantity quantity);

/// First times of an event, in units of t = Σ η, by run.
struct hitting_times {
  std::vector<double> times;  ///< of the runs in which it happened
  std::size_t missing = 0;    ///< runs that ended without it
  std::size_t diverged = 0;   ///< runs that diverged without it
};
/// When each run met the event with this number.
hitting_times hitting_times_of(const ensemble& runs, const simulation_problem& problem,
                               std::size_t event);

/// The largest distance of two distribution functions, and the probability of a larger one were
/// they equal.
struct distance_test {
  double distance = 0.0;
  double p_value = 1.0;
};

/// Kolmogorov and Smirnov's test of a sample against a continuous distribution function, and of two
/// samples against each other. The p-value is asymptotic with Stephens' correction, good to 1 %
/// from about 20 values on. O(n log n). \throws argument_error for an empty sample
distance_test kolmogorov_smirnov(std::vector<double> sample,
                                 const std::function<double(double)>& distribution);
/// The same for two samples.
distance_test kolmogorov_smirnov(std::vector<double> first, std::vector<double> second);

}  // namespace loradyn
