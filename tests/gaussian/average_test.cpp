#include <algorithm>
#include <boost/math/special_functions/gamma.hpp>
#include <catch2/catch.hpp>
#include <cmath>
#include <loradyn/error.hpp>
#include <loradyn/gaussian/average.hpp>
#include <vector>

using namespace loradyn;

namespace {

template <class Function>
averages average(Function f, const std::vector<double>& breaks = {},
                 const std::vector<double>& features = {}) {
  return gaussian_averages(1, breaks, features, [&](std::span<const double> z, double* values) {
    std::transform(z.begin(), z.end(), values, f);
  });
}

}  // namespace

TEST_CASE("an average goes as far as its integrand reaches") {
  for (const int k : {0, 2, 20, 60, 120}) {
    CAPTURE(k);
    const double exact =
        boost::math::tgamma(0.5 * (k + 1)) * std::pow(2.0, 0.5 * k) / std::sqrt(M_PI);
    const auto power = [k](double z) { return std::pow(z, k); };
    CHECK(average(power).value[0] == Approx(exact).epsilon(1e-14));
    CHECK(average(power, {0.3}).value[0] == Approx(exact).epsilon(1e-14));
  }
}

TEST_CASE("an oscillation is resolved whatever its frequency") {
  // E[cos² ωz] = (1 + e^{-2ω²})/2. At ω = 100 sums of steps ½ and ¼ are equal, and both wrong.
  for (const double omega : {0.1, 1.0, 3.0, 10.0, 12.566, 25.0, 100.0, 300.0}) {
    CAPTURE(omega);
    const auto square = [omega](double z) { return std::pow(std::cos(omega * z), 2); };
    CHECK(average(square).value[0] ==
          Approx(0.5 * (1.0 + std::exp(-2.0 * omega * omega))).epsilon(1e-14));
  }
}

TEST_CASE("a polynomial that multiplies an oscillation refines it") {
  // E[He_n(z) sin(ωz)] = ω^n e^{-ω²/2} for n = 1, 5, 9, …
  const auto he9 = [](double x) {
    return ((((x * x - 36) * x * x + 378) * x * x - 1260) * x * x + 945) * x;
  };
  for (const double omega : {0.5, 2.0, 5.0}) {
    CAPTURE(omega);
    const averages a = average([&](double z) { return he9(z) * std::sin(omega * z); });
    CHECK(std::abs(a.value[0] - std::pow(omega, 9) * std::exp(-0.5 * omega * omega)) <
          2e-15 * a.magnitude[0]);
  }
}

TEST_CASE("kinks that are named cost nothing, others some digits") {
  const double t = 0.3;
  const double exact =
      std::exp(-0.5 * t * t) / std::sqrt(2 * M_PI) - t * 0.5 * std::erfc(t / std::sqrt(2.0));
  const auto shifted = [t](double z) { return std::max(z - t, 0.0); };
  CHECK(average(shifted, {t}).value[0] == Approx(exact).epsilon(1e-15));
  CHECK(average(shifted).value[0] == Approx(exact).epsilon(1e-10));
}

TEST_CASE("what a function does on a short scale is seen where it is named") {
  const double width = 1e-3;
  const auto bump = [width](double z) { return std::exp(-std::pow((z - 0.37) / width, 2)); };
  const double variance = 0.5 * width * width;
  const double exact =
      std::sqrt(variance / (1 + variance)) * std::exp(-0.5 * 0.37 * 0.37 / (1 + variance));
  std::vector<double> features;
  for (double d = 0.5 * width; d < 2.0; d *= 2.0) {
    features.push_back(0.37 - d);
    features.push_back(0.37 + d);
  }
  std::sort(features.begin(), features.end());
  CHECK(average(bump, {}, features).value[0] == Approx(exact).epsilon(1e-13));
  const auto step = [](double z) { return std::tanh(1e3 * z); };
  CHECK(average([&](double z) { return step(z) * z; }, {}, {-1e-3, 0.0, 1e-3}).value[0] ==
        Approx(std::sqrt(2 / M_PI)).epsilon(1e-6));
}

TEST_CASE("the rounding of an integrand is not refined for ever") {
  // x² - 2x + 1 about its double root: nothing but rounding.
  const auto noise = [](double z) {
    const double x = 1.0 + 1e-9 * z;
    return 1.0 + 1e-4 * ((x * x - 2.0 * x + 1.0) / 1e-16);
  };
  CHECK(average(noise, {0.0}).value[0] == Approx(1.0).epsilon(1e-2));
}

TEST_CASE("an average that is not finite or not resolved is no number") {
  CHECK_THROWS_AS(average([](double z) { return std::exp(z * z * z * z); }), convergence_error);
  const auto fast = [](double z) { return std::pow(std::sin(1e6 * z), 2); };
  CHECK_THROWS_AS(average(fast, {0.1}), convergence_error);
}

TEST_CASE("integrals over intervals and half-lines") {
  const std::vector<double> ends{0.0, 1.0, 3.0};
  const auto exponential = [](std::span<const double> x, double* values) {
    std::transform(x.begin(), x.end(), values, [](double t) { return std::exp(t); });
  };
  CHECK(interval_integrals(1, ends, exponential).value[0] ==
        Approx(std::expm1(3.0)).epsilon(1e-15));
  for (const int n : {0, 1, 5, 41, 81}) {
    CAPTURE(n);
    const averages a = radial_integrals(1, {}, [n](std::span<const double> r, double* values) {
      std::transform(r.begin(), r.end(), values,
                     [n](double x) { return std::pow(x, n) * std::exp(-0.5 * x * x); });
    });
    CHECK(a.value[0] ==
          Approx(std::pow(2.0, 0.5 * (n - 1)) * boost::math::tgamma(0.5 * (n + 1))).epsilon(1e-14));
  }
}
