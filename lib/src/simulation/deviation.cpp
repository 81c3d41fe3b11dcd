#include <boost/math/distributions/normal.hpp>
#include <cmath>
#include <cstddef>
#include <loradyn/error.hpp>
#include <loradyn/number_text.hpp>
#include <loradyn/simulation/deviation.hpp>
#include <string>

namespace loradyn {
namespace {

void validate(std::span<const deviation_sample> samples) {
  bool several = false;
  for (const deviation_sample& s : samples) {
    several = several || s.dimension != samples.front().dimension;
    if (!(s.error > 0.0) || !std::isfinite(s.error)) {
      throw argument_error("the error of a deviation", number_text(s.error), "finite and > 0");
    }
  }
  if (!several) {
    throw argument_error("the dimensions of a fit", "all the same", "two different ones or more");
  }
}

// Weighted straight line y = intercept + slope x.
struct line {
  double intercept = 0.0;
  double intercept_error = 0.0;
  double slope = 0.0;
  double slope_error = 0.0;
};

template <class Point>
line fit_line(std::size_t count, const Point& point) {
  double w = 0.0;
  double wx = 0.0;
  double wy = 0.0;
  for (std::size_t i = 0; i < count; ++i) {
    const auto [x, y, error] = point(i);
    const double weight = 1.0 / (error * error);
    w += weight;
    wx += weight * x;
    wy += weight * y;
  }
  const double mean_x = wx / w;
  const double mean_y = wy / w;
  double xx = 0.0;
  double xy = 0.0;
  for (std::size_t i = 0; i < count; ++i) {
    const auto [x, y, error] = point(i);
    const double weight = 1.0 / (error * error);
    xx += weight * (x - mean_x) * (x - mean_x);
    xy += weight * (x - mean_x) * (y - mean_y);
  }
  const double slope = xy / xx;
  return {mean_y - slope * mean_x, std::sqrt(1.0 / w + mean_x * mean_x / xx), slope,
          1.0 / std::sqrt(xx)};
}

struct weighted_point {
  double x;
  double y;
  double error;
};

}  // namespace

deviation_fit fit_deviation(std::span<const deviation_sample> samples) {
  validate(samples);
  const line l = fit_line(samples.size(), [&](std::size_t i) {
    return weighted_point{1.0 / samples[i].dimension, samples[i].deviation, samples[i].error};
  });
  deviation_fit fit;
  fit.limit = l.intercept;
  fit.limit_error = l.intercept_error;
  double xx = 0.0;
  double xy = 0.0;
  for (const deviation_sample& s : samples) {
    const double weight = 1.0 / (s.error * s.error);
    xx += weight / (s.dimension * s.dimension);
    xy += weight * s.deviation / s.dimension;
  }
  fit.coefficient = xy / xx;
  for (const deviation_sample& s : samples) {
    fit.residuals.push_back((s.deviation - fit.coefficient / s.dimension) / s.error);
  }
  return fit;
}

deviation_slope slope_of_deviation(std::span<const deviation_sample> samples) {
  validate(samples);
  for (const deviation_sample& s : samples) {
    if (s.deviation == 0.0) {
      throw argument_error("a deviation", "0", "not 0, to have a logarithm");
    }
  }
  const line l = fit_line(samples.size(), [&](std::size_t i) {
    const deviation_sample& s = samples[i];
    return weighted_point{std::log(s.dimension), std::log(std::abs(s.deviation)),
                          s.error / std::abs(s.deviation)};
  });
  return {l.slope, l.slope_error};
}

double normal_threshold(double significance, std::size_t comparisons) {
  if (!(significance > 0.0 && significance < 1.0) || comparisons == 0) {
    throw argument_error("the significance", number_text(significance),
                         "between 0 and 1, for at least one comparison");
  }
  const boost::math::normal standard;
  return boost::math::quantile(
      boost::math::complement(standard, 0.5 * significance / static_cast<double>(comparisons)));
}

}  // namespace loradyn
