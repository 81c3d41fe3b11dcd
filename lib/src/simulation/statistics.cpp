#include <loradyn/simulation/statistics.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <loradyn/error.hpp>
#include <loradyn/interruption.hpp>
#include <utility>
#include "nan.hpp"

namespace loradyn {
namespace {

double quantile_of_sorted(std::span<const double> sorted, double probability) {
  if (sorted.empty()) {
    return nan;
  }
  const double place = probability * static_cast<double>(sorted.size() - 1);
  const auto below = static_cast<std::size_t>(place);
  const double share = place - static_cast<double>(below);
  const double low = sorted[below];
  return share == 0.0 ? low : low + share * (sorted[below + 1] - low);
}

// P(D > distance) for an effective number of values.
double kolmogorov_tail(double distance, double n) {
  const double root = std::sqrt(n);
  const double x = (root + 0.12 + 0.11 / root) * distance;
  if (x < 0.2) {
    return 1.0;  // to 1e-12
  }
  double sum = 0.0;
  for (int k = 1; k <= 100; ++k) {
    const double term = std::exp(-2.0 * x * x * k * k);
    sum += k % 2 == 1 ? term : -term;
  }
  return std::clamp(2.0 * sum, 0.0, 1.0);
}

void require_values(std::size_t count) {
  if (count == 0) {
    throw argument_error("the number of values in a sample", "0", "at least 1");
  }
}

}  // namespace

sample_summary summarise(std::vector<double> values, std::span<const double> probabilities) {
  for (const double p : probabilities) {
    if (!(p >= 0.0 && p <= 1.0)) {
      throw argument_error("the probability of a quantile", fmt::format("{}", p), "in [0, 1]");
    }
  }
  sample_summary summary{.count = values.size(), .mean = nan, .deviation = nan, .quantiles = {}};
  // Welford's recurrence: no cancellation where the deviation is small beside the mean.
  double mean = 0.0;
  double squares = 0.0;
  double count = 0.0;
  for (const double value : values) {
    count += 1.0;
    const double step = value - mean;
    mean += step / count;
    squares += step * (value - mean);
  }
  if (!values.empty()) {
    summary.mean = mean;
  }
  if (values.size() > 1) {
    summary.deviation = std::sqrt(squares / (count - 1.0));
  }
  std::sort(values.begin(), values.end());
  for (const double p : probabilities) {
    summary.quantiles.push_back(quantile_of_sorted(values, p));
  }
  return summary;
}

histogram make_histogram(std::span<const double> values, double lo, double hi, std::size_t bins) {
  if (!(lo < hi) || !std::isfinite(lo) || !std::isfinite(hi)) {
    throw argument_error("the range of a histogram", fmt::format("{}:{}", lo, hi),
                         "finite and increasing");
  }
  if (bins == 0) {
    throw argument_error("the number of bins", "0", "at least 1");
  }
  histogram result{.lo = lo, .hi = hi, .counts = std::vector<std::size_t>(bins)};
  const double scale = static_cast<double>(bins) / (hi - lo);
  for (const double value : values) {
    if (value < lo) {
      ++result.below;
    } else if (value < hi) {
      // Rounding may reach the end of the last bin.
      ++result.counts[std::min(bins - 1, static_cast<std::size_t>((value - lo) * scale))];
    } else {
      ++result.above;
    }
  }
  return result;
}

std::vector<double> recorded_values(const ensemble& runs, const simulation_problem& problem,
                                    const simulation_plan& plan, std::size_t point,
                                    simulated_quantity quantity) {
  std::vector<double> values;
  for (const run_result& run : runs.runs) {
    if (point < run.record.size()) {
      values.push_back(value_of(quantity, problem, plan, run.record[point]));
    }
  }
  return values;
}

std::vector<recorded_summary> summarise(const ensemble& runs, const simulation_problem& problem,
                                        const simulation_plan& plan,
                                        std::span<const simulated_quantity> quantities,
                                        std::span<const double> probabilities) {
  std::vector<recorded_summary> summaries;
  for (std::size_t point = 0; point < plan.record.size(); ++point) {
    check_stop();
    recorded_summary summary;
    summary.step = plan.record[point];
    summary.time = problem.time_at(summary.step);
    for (const run_result& run : runs.runs) {
      if (point < run.record.size()) {
        ++summary.runs;
      } else if (run.outcome == run_outcome::diverged) {
        ++summary.diverged;
      } else {
        ++summary.stopped;
      }
    }
    for (const simulated_quantity quantity : quantities) {
      summary.quantities.push_back(
          summarise(recorded_values(runs, problem, plan, point, quantity), probabilities));
    }
    summaries.push_back(std::move(summary));
  }
  return summaries;
}

hitting_times hitting_times_of(const ensemble& runs, const simulation_problem& problem,
                               std::size_t event) {
  hitting_times result;
  for (const run_result& run : runs.runs) {
    if (event < run.hits.size() && run.hits[event].happened) {
      result.times.push_back(problem.time_at(run.hits[event].step));
    } else if (run.outcome == run_outcome::diverged) {
      ++result.diverged;
    } else {
      ++result.missing;
    }
  }
  return result;
}

distance_test kolmogorov_smirnov(std::vector<double> sample,
                                 const std::function<double(double)>& distribution) {
  require_values(sample.size());
  std::sort(sample.begin(), sample.end());
  const auto n = static_cast<double>(sample.size());
  double distance = 0.0;
  for (std::size_t i = 0; i < sample.size(); ++i) {
    const double value = distribution(sample[i]);
    distance = std::max(
        {distance, value - static_cast<double>(i) / n, static_cast<double>(i + 1) / n - value});
  }
  return {.distance = distance, .p_value = kolmogorov_tail(distance, n)};
}

distance_test kolmogorov_smirnov(std::vector<double> first, std::vector<double> second) {
  require_values(first.size());
  require_values(second.size());
  std::sort(first.begin(), first.end());
  std::sort(second.begin(), second.end());
  const auto n = static_cast<double>(first.size());
  const auto m = static_cast<double>(second.size());
  double distance = 0.0;
  std::size_t i = 0;
  std::size_t j = 0;
  while (i < first.size() && j < second.size()) {
    // Ties are passed in both samples before the functions are compared.
    const double at = std::min(first[i], second[j]);
    while (i < first.size() && first[i] == at) {
      ++i;
    }
    while (j < second.size() && second[j] == at) {
      ++j;
    }
    distance =
        std::max(distance, std::abs(static_cast<double>(i) / n - static_cast<double>(j) / m));
  }
  return {.distance = distance, .p_value = kolmogorov_tail(distance, n * m / (n + m))};
}

}  // namespace loradyn
