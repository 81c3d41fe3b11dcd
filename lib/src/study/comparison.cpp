#include "study/comparison.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <optional>
#include "nan.hpp"

namespace loradyn::study::detail {
namespace {

// A comparison of which nothing is known yet.
validation_row untested() {
  return {"", nan, "", nan, nan, nan, nan, nan, nan, nan, "untested", std::nullopt, "ok"};
}

double time_of(const mean_comparison& means, std::size_t e, std::size_t k) {
  const experiment& at = means.experiments[e];
  return at.learning_rate * static_cast<double>(at.record[k]) * means.rate_unit;
}

validation_row row_of(const char* check, const std::string& quantity, double dimension, double t,
                      double theory, double simulated, double error, double statistic,
                      double threshold) {
  validation_row c = untested();
  c.check = check;
  c.dim = dimension;
  c.quantity = quantity;
  c.t = t;
  c.theory = theory;
  c.simulated = simulated;
  c.deviation = simulated - theory;
  c.error = error;
  c.statistic = statistic;
  c.threshold = threshold;
  c.verdict = statistic <= threshold ? "pass" : "fail";
  return c;
}

// The slope of the root mean square deviation over the times, against -½; tested only where the
// deviation at the smallest dimension stands out of its noise.
validation_row slope_row(const mean_comparison& means, std::size_t q) {
  const std::vector<std::vector<deviation_sample>>& by_time = means.deviations[q];
  const std::vector<experiment>& experiments = means.experiments;
  // Half-way from a deviation that does not fall to one of 1/d. At four standard errors the noise
  // adds 3 % to a deviation, √(1 + 1/16), so 0.03 to the slope over a factor e in d.
  constexpr double largest_slope = -0.5;
  constexpr double stands_out = 4.0;
  std::vector<deviation_sample> rms(experiments.size());
  for (std::size_t e = 0; e < rms.size(); ++e) {
    double square = 0.0;
    double noise = 0.0;
    for (const auto& samples : by_time) {
      square += samples[e].deviation * samples[e].deviation;
      noise += samples[e].error * samples[e].error;
    }
    const double count = static_cast<double>(by_time.size());
    rms[e] = {static_cast<double>(experiments[e].dimension), std::sqrt(square / count),
              std::sqrt(noise / count)};
  }
  validation_row c = untested();
  c.check = "slope";
  c.dim = std::numeric_limits<double>::infinity();
  c.t = time_of(means, experiments.size() - 1, by_time.size() - 1);
  c.quantity = means.quantities[q];
  c.theory = -1.0;
  c.threshold = largest_slope;
  std::vector<deviation_sample> clear;
  std::copy_if(rms.begin(), rms.end(), std::back_inserter(clear),
               [&](const deviation_sample& s) { return s.deviation > stands_out * s.error; });
  if (clear.size() < 2) {
    c.status = "within-noise";
    return c;
  }
  const deviation_slope slope = slope_of_deviation(clear);
  c.simulated = slope.slope;
  c.deviation = slope.slope + 1.0;
  c.error = slope.error;
  c.statistic = slope.slope;
  c.verdict = slope.slope <= largest_slope ? "pass" : "fail";
  return c;
}

}  // namespace

std::vector<validation_row> compare_means(const mean_comparison& means) {
  const std::vector<experiment>& experiments = means.experiments;
  std::vector<validation_row> rows;
  const bool several = experiments.size() > 1;
  for (std::size_t q = 0; q < means.quantities.size(); ++q) {
    std::vector<validation_row> worst(experiments.size(), untested());
    validation_row limit = untested();
    for (std::size_t k = 0; k < means.deviations[q].size(); ++k) {
      const std::vector<deviation_sample>& samples = means.deviations[q][k];
      const bool usable = std::all_of(samples.begin(), samples.end(), [](const auto& s) {
        return std::isfinite(s.deviation) && s.error > 0.0;
      });
      std::optional<deviation_fit> fit;
      if (usable && several) {
        fit = fit_deviation(samples);
      }
      for (std::size_t e = 0; e < samples.size(); ++e) {
        const double statistic =
            fit ? std::abs(fit->residuals[e]) : std::abs(samples[e].deviation) / samples[e].error;
        if (k == 0 || !(statistic <= worst[e].statistic)) {
          const double expected = means.theory[e][k][q];
          worst[e] = row_of("mean", means.quantities[q], samples[e].dimension, time_of(means, e, k),
                            expected, expected + samples[e].deviation, samples[e].error, statistic,
                            means.threshold);
        }
      }
      if (fit && (k == 0 || !(std::abs(fit->limit) / fit->limit_error <= limit.statistic))) {
        const double expected = means.theory.back()[k][q];
        limit = row_of("limit", means.quantities[q], std::numeric_limits<double>::infinity(),
                       time_of(means, experiments.size() - 1, k), expected, expected + fit->limit,
                       fit->limit_error, std::abs(fit->limit) / fit->limit_error, means.threshold);
      }
    }
    for (std::size_t e = 0; e < worst.size(); ++e) {
      validation_row& c = worst[e];
      c.seed = means.seeds[e];
      if (means.diverged) {
        c.verdict = "fail";
        c.status = "diverged";
      } else if (!several) {
        c.status = "one-dimension";  // the 1/d part of the deviation is not told from the rest
        c.verdict = "untested";
      }
      rows.push_back(c);
    }
    if (several) {
      rows.push_back(limit);
      rows.push_back(slope_row(means, q));
    }
  }
  return rows;
}

validation_row untested_law(const law_comparison& comparison) {
  validation_row c = untested();
  c.check = "law";
  c.dim = comparison.law.dimension;
  c.quantity = "t_hit";
  c.seed = comparison.seed;
  c.threshold = comparison.threshold;
  c.status = to_string(comparison.law.status);
  return c;
}

std::uint64_t steps_for(const escape_law& law, double learning_rate) {
  constexpr double share = 1.0 - 1e-6;  // all runs but one in a million have met it by then
  return static_cast<std::uint64_t>(std::max(1.0, std::ceil(law.quantile(share) / learning_rate)));
}

validation_row compare_law(const law_comparison& comparison, const hitting_times& hits) {
  const escape_law& law = comparison.law;
  validation_row c = untested_law(comparison);
  const sample_summary summary = summarise(hits.times, std::vector<double>{0.5});
  c.theory = law.quantile(0.5) * comparison.rate_unit;
  c.simulated = hits.times.empty() ? nan : summary.quantiles[0] * comparison.rate_unit;
  c.deviation = c.simulated - c.theory;
  c.error = 0.5 / law.density(law.quantile(0.5)) /
            std::sqrt(static_cast<double>(std::max<std::size_t>(1, hits.times.size()))) *
            comparison.rate_unit;
  if (hits.times.empty()) {
    c.verdict = "fail";
    c.status = "no-event";
  } else {
    const distance_test test =
        kolmogorov_smirnov(hits.times, [&law](double t) { return law.cdf(t); });
    c.statistic = test.p_value;
    const bool lost = static_cast<double>(hits.missing + hits.diverged) >
                      0.001 * static_cast<double>(comparison.runs) + 3.0;
    c.verdict = test.p_value >= c.threshold && !lost ? "pass" : "fail";
    if (lost) {
      c.status = fmt::format("{} runs without the event", hits.missing + hits.diverged);
    }
  }
  return c;
}

}  // namespace loradyn::study::detail
