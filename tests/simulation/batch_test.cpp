#include <catch2/catch.hpp>
#include <cmath>
#include <limits>
#include <loradyn/activation/parse.hpp>
#include <loradyn/simulation/batch.hpp>
#include <random>
#include <string>
#include "simulation/batch_activation.hpp"

using namespace loradyn;
using namespace loradyn::detail;

namespace {

block uniform_points(double lo, double hi, unsigned seed) {
  std::mt19937_64 engine(seed);
  std::uniform_real_distribution<double> uniform(lo, hi);
  block x;
  for (double& value : x) {
    value = uniform(engine);
  }
  return x;
}

}  // namespace

TEST_CASE("erf and its derivative are accurate to rounding") {
  const activation_form erf{.hermite = {}, .slope_hermite = {}, .erf_weight = 1.0};
  for (const batch_kernels* const kernels : available_kernels()) {
    CAPTURE(kernels->name);
    double value_error = 0.0;
    double relative_error = 0.0;
    double slope_error = 0.0;
    for (unsigned seed = 0; seed < 400; ++seed) {
      const double reach = seed % 2 == 0 ? 7.0 : 0.05;
      const block x = uniform_points(-reach, reach, seed);
      block value;
      block slope;
      kernels->evaluate(erf, x.data(), block_size, value.data(), slope.data());
      for (std::size_t i = 0; i < block_size; ++i) {
        const long double at = x[i];
        const long double exact = std::erf(at);
        const long double density = 1.12837916709551257389615890312154517L * std::exp(-at * at);
        const auto error = static_cast<double>(std::abs(value[i] - exact));
        value_error = std::max(value_error, error);
        relative_error = std::max(relative_error, error / static_cast<double>(std::abs(exact)));
        slope_error = std::max(slope_error, static_cast<double>(std::abs(slope[i] - density)));
      }
    }
    CHECK(value_error < 2e-16);
    CHECK(relative_error < 4e-16);
    CHECK(slope_error < 6e-16);
  }
  const double inf = std::numeric_limits<double>::infinity();
  lane_values x{{{0.0, -0.0, inf, -inf, 6.0, -6.0, 1e300, -1e-300}}};
  lane_values value;
  lane_values slope;
  best_kernels().evaluate(erf, x.data(), lane_count, value.data(), slope.data());
  CHECK(value ==
        lane_values{{{0.0, -0.0, 1.0, -1.0, 1.0, -1.0, 1.0, -1e-300 * 1.1283791670955126}}});
  CHECK(slope[2] == 0.0);
}

TEST_CASE("activations over a block are those of the activation room") {
  for (const std::string text : {"linear", "erf", "relu", "he3", "he20", "2*erf-0.5*relu+he2",
                                 "tanh", "erf*he2", "0*he0", "1.5"}) {
    const activation f = parse_activation(text);
    const block x = uniform_points(-4.0, 4.0, 5);
    block value;
    block slope;
    block curvature;
    f.tabulate(x, value, slope, curvature);
    // Beside rounding at the point, polynomials are summed in another order.
    double scale = 1.0;
    double slope_scale = 1.0;
    for (std::size_t i = 0; i < block_size; ++i) {
      scale = std::max(scale, std::abs(value[i]));
      slope_scale = std::max(slope_scale, std::abs(slope[i]));
    }
    for (const batch_kernels* const kernels : available_kernels()) {
      CAPTURE(text, kernels->name);
      const batch_activation batch(*kernels, f);
      block batch_value;
      block batch_slope;
      block value_alone;
      batch.evaluate(x.data(), block_size, batch_value.data(), batch_slope.data());
      batch.values(x.data(), block_size, value_alone.data());
      double error = 0.0;
      double slope_error = 0.0;
      for (std::size_t i = 0; i < block_size; ++i) {
        error = std::max(error, std::abs(batch_value[i] - value[i]));
        slope_error = std::max(slope_error, std::abs(batch_slope[i] - slope[i]));
      }
      CHECK(error <= 1e-14 * scale);
      CHECK(slope_error <= 1e-14 * slope_scale);
      CHECK(value_alone == batch_value);
    }
  }
}

TEST_CASE("at a kink the slope is the left one") {
  const batch_activation relu(best_kernels(), parse_activation("relu"));
  lane_values x{};
  lane_values value;
  lane_values slope;
  relu.evaluate(x.data(), lane_count, value.data(), slope.data());
  CHECK(slope == lane_values{});
}
