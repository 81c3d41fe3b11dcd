#include <catch2/catch.hpp>
#include <cmath>
#include <loradyn/error.hpp>
#include <loradyn/simulation/statistics.hpp>
#include <vector>

using namespace loradyn;

TEST_CASE("a sample's summary") {
  const std::vector<double> probabilities{0.0, 0.25, 0.5, 1.0};
  const sample_summary summary = summarise({4.0, 1.0, 3.0, 2.0}, probabilities);
  CHECK(summary.count == 4);
  CHECK(summary.mean == Approx(2.5));
  CHECK(summary.deviation == Approx(std::sqrt(5.0 / 3.0)));
  CHECK(summary.quantiles == std::vector<double>{1.0, 1.75, 2.5, 4.0});
  // No cancellation beside a large mean.
  CHECK(summarise({1e9 + 4.0, 1e9 + 7.0, 1e9 + 13.0, 1e9 + 16.0}, {}).deviation ==
        Approx(std::sqrt(30.0)));
  CHECK(std::isnan(summarise({}, probabilities).mean));
  CHECK(std::isnan(summarise({}, probabilities).quantiles[0]));
  CHECK(summarise({7.0}, {}).mean == 7.0);
  CHECK(std::isnan(summarise({7.0}, {}).deviation));
  CHECK_THROWS_AS(summarise({1.0}, std::vector<double>{1.5}), argument_error);
}

TEST_CASE("a histogram counts every value once") {
  const std::vector<double> values{-1.0, 0.0, 0.1, 0.5, 0.999, 1.0, 7.0};
  const histogram h = make_histogram(values, 0.0, 1.0, 2);
  CHECK(h.counts == std::vector<std::size_t>{2, 2});
  CHECK(h.below == 1);
  CHECK(h.above == 2);
  CHECK_THROWS_AS(make_histogram(values, 1.0, 1.0, 2), argument_error);
  CHECK_THROWS_AS(make_histogram(values, 0.0, 1.0, 0), argument_error);
}

TEST_CASE("Kolmogorov and Smirnov's distance and its tail") {
  std::vector<double> grid;
  for (int i = 0; i < 1000; ++i) {
    grid.push_back((i + 0.5) / 1000.0);
  }
  const auto uniform = [](double x) { return x; };
  CHECK(kolmogorov_smirnov(grid, uniform).distance == Approx(0.0005));
  CHECK(kolmogorov_smirnov(grid, uniform).p_value == Approx(1.0));
  // P(√n D > 1.3581) = 0.05 in the limit.
  const double critical = 1.3581 / (std::sqrt(1000.0) + 0.12 + 0.11 / std::sqrt(1000.0));
  std::vector<double> shifted = grid;
  for (double& x : shifted) {
    x += critical - 0.0005;
  }
  CHECK(kolmogorov_smirnov(shifted, uniform).p_value == Approx(0.05).epsilon(1e-3));
  CHECK(kolmogorov_smirnov({1.0, 2.0, 3.0}, {1.0, 2.0, 3.0}).distance == 0.0);
  CHECK(kolmogorov_smirnov({1.0, 1.0, 2.0}, {1.0, 3.0}).distance == Approx(0.5));
  CHECK(kolmogorov_smirnov({1.0, 2.0}, {3.0, 4.0}).distance == 1.0);
  CHECK_THROWS_AS(kolmogorov_smirnov({}, uniform), argument_error);
}
