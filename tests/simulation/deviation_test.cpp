#include <catch2/catch.hpp>
#include <cmath>
#include <loradyn/error.hpp>
#include <loradyn/simulation/deviation.hpp>
#include <vector>

#include "support/within.hpp"

using namespace loradyn;

TEST_CASE("a deviation of 1/d has no limit, another has") {
  std::vector<deviation_sample> samples;
  for (const double d : {100.0, 300.0, 1000.0, 5000.0}) {
    samples.push_back({d, 2.0 / d, 1e-3 / std::sqrt(d)});
  }
  const deviation_fit pure = fit_deviation(samples);
  CHECK(pure.limit == test::within(0.0, 1e-15));
  CHECK(pure.coefficient == Approx(2.0).epsilon(1e-12));
  for (const double r : pure.residuals) {
    CHECK(r == test::within(0.0, 1e-9));
  }
  CHECK(slope_of_deviation(samples).slope == Approx(-1.0).epsilon(1e-12));
  for (deviation_sample& s : samples) {
    s.deviation += 0.01;
  }
  const deviation_fit shifted = fit_deviation(samples);
  CHECK(shifted.limit == Approx(0.01).epsilon(1e-12));
  CHECK(shifted.limit / shifted.limit_error > 100.0);
  CHECK(std::abs(shifted.residuals.back()) > 100.0);
}

TEST_CASE("the error of the limit is that of the straight line") {
  // Two points: limit = (y2 x1 - y1 x2)/(x1 - x2) with x = 1/d.
  const std::vector<deviation_sample> samples{{100.0, 0.02, 1e-3}, {1000.0, 0.003, 5e-4}};
  const deviation_fit fit = fit_deviation(samples);
  const double x1 = 0.01;
  const double x2 = 0.001;
  CHECK(fit.limit == Approx((0.003 * x1 - 0.02 * x2) / (x1 - x2)).epsilon(1e-12));
  CHECK(fit.limit_error == Approx(std::hypot(5e-4 * x1, 1e-3 * x2) / (x1 - x2)).epsilon(1e-12));
}

TEST_CASE("the threshold leaves the stated chance over all comparisons") {
  CHECK(normal_threshold(0.05, 1) == Approx(1.959963984540054).epsilon(1e-12));
  CHECK(normal_threshold(0.05, 10) == Approx(2.807033768343811).epsilon(1e-12));
  CHECK_THROWS_AS(normal_threshold(0.0, 1), argument_error);
  CHECK_THROWS_AS(normal_threshold(0.1, 0), argument_error);
}

TEST_CASE("one dimension, or no error, makes no fit") {
  const std::vector<deviation_sample> same{{100.0, 0.1, 0.1}, {100.0, 0.2, 0.1}};
  CHECK_THROWS_AS(fit_deviation(same), argument_error);
  const std::vector<deviation_sample> exact{{100.0, 0.1, 0.0}, {200.0, 0.2, 0.1}};
  CHECK_THROWS_AS(fit_deviation(exact), argument_error);
  const std::vector<deviation_sample> zero{{100.0, 0.0, 0.1}, {200.0, 0.2, 0.1}};
  CHECK_THROWS_AS(slope_of_deviation(zero), argument_error);
}
