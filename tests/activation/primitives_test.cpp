#include "activation/primitives.hpp"
#include <algorithm>
#include <boost/math/constants/constants.hpp>
#include <boost/math/special_functions/erf.hpp>
#include <boost/multiprecision/cpp_bin_float.hpp>
#include <catch2/catch.hpp>
#include <cmath>
#include <functional>
#include <limits>
#include <random>
#include <string>
#include <vector>

#include "support/within.hpp"

using namespace loradyn::detail;

namespace {

using wide = boost::multiprecision::cpp_bin_float_50;

// In units of the last place of a double of the scale's size.
double ulps(double value, const wide& exact, const wide& scale) {
  const double size = std::max(abs(scale).convert_to<double>(), std::numeric_limits<double>::min());
  return (abs(wide(value) - exact) / std::ldexp(1.0, std::ilogb(size) - 52)).convert_to<double>();
}

std::vector<double> uniform(double lo, double hi, std::size_t n) {
  std::mt19937_64 engine(1);
  std::uniform_real_distribution<double> draw(lo, hi);
  std::vector<double> x(n);
  std::generate(x.begin(), x.end(), [&] { return draw(engine); });
  return x;
}

// Of either sign, as many in each decade.
std::vector<double> logarithmic(double lo, double hi, std::size_t n) {
  std::vector<double> x = uniform(std::log(lo), std::log(hi), n);
  for (std::size_t i = 0; i < n; ++i) {
    x[i] = i % 2 == 0 ? std::exp(x[i]) : -std::exp(x[i]);
  }
  return x;
}

// A function's derivatives, and what their rounding is relative to: the sums of the sizes of their
// terms.
struct exact_row {
  std::array<wide, 5> value;
  std::array<wide, 5> scale;
};

exact_row tanh_row(const wide& x) {
  const wide e = exp(-2 * abs(x));
  const wide slope = 4 * e / ((1 + e) * (1 + e));
  const wide t = tanh(x);
  const wide size = abs(t);
  return {{t, slope, -2 * t * slope, slope * (6 * t * t - 2), slope * t * (16 - 24 * t * t)},
          {t, slope, t * slope, slope * (6 * t * t + 2), slope * size * (16 + 24 * t * t)}};
}

exact_row sigmoid_row(const wide& x) {
  const wide rising = 1 / (1 + exp(-x));
  const wide slope = rising / (1 + exp(x));
  const wide odd = -tanh(x / 2);
  return {{rising, slope, slope * odd, slope * (1 - 6 * slope), slope * odd * (1 - 12 * slope)},
          {rising, slope, slope * odd, slope * (1 + 6 * slope), slope * odd * (1 + 12 * slope)}};
}

exact_row softplus_row(const wide& x) {
  const exact_row s = sigmoid_row(x);
  // log(1 + d) = 2 artanh(d/(2 + d)), without cancellation.
  const wide d = exp(-abs(x));
  const wide ratio = d / (2 + d);
  wide series = 0;
  wide power = ratio;
  for (int k = 1; k < 110; k += 2) {
    series += power / k;
    power *= ratio * ratio;
  }
  const wide value = (x > 0 ? x : wide(0)) + 2 * series;
  return {{value, s.value[0], s.value[1], s.value[2], s.value[3]},
          {value, s.scale[0], s.scale[1], s.scale[2], s.scale[3]}};
}

exact_row erf_row(const wide& x) {
  const wide e = boost::math::constants::two_div_root_pi<wide>() * exp(-x * x);
  const wide y = x * x;
  const wide value = boost::math::erf(x);
  return {{value, e, -2 * x * e, (4 * y - 2) * e, (12 - 8 * y) * x * e},
          {value, e, 2 * x * e, (4 * y + 2) * e, (12 + 8 * y) * x * e}};
}

exact_row normal_cdf_row(const wide& x) {
  const wide density = exp(-x * x / 2) / boost::math::constants::root_two_pi<wide>();
  const wide y = x * x;
  const wide value = boost::math::erfc(-x / boost::math::constants::root_two<wide>()) / 2;
  return {{value, density, -x * density, (y - 1) * density, (3 - y) * x * density},
          {value, density, x * density, (y + 1) * density, (3 + y) * x * density}};
}

exact_row sin_row(const wide& x) {
  const wide s = sin(x);
  const wide c = cos(x);
  return {{s, c, -s, -c, s}, {s, c, s, c, s}};
}

exact_row cos_row(const wide& x) {
  const wide s = sin(x);
  const wide c = cos(x);
  return {{c, -s, -c, s, c}, {c, s, c, s, c}};
}

// Measured over two million points a function: values 1.95 (tanh), derivatives 10.
constexpr double value_ulps = 2.0;
constexpr double derivative_ulps = 16.0;

void check_row(primitive p, const std::function<exact_row(const wide&)>& exact,
               const std::vector<double>& points) {
  std::array<double, 5> worst{};
  for (const double x : points) {
    const std::array<double, 5> d = primitive_derivatives(p, x);
    const exact_row e = exact(wide(x));
    for (std::size_t k = 0; k < d.size(); ++k) {
      worst[k] = std::max(worst[k], ulps(d[k], e.value[k], e.scale[k]));
    }
  }
  CAPTURE(static_cast<int>(p), worst[0], worst[1], worst[2], worst[3], worst[4]);
  CHECK(worst[0] <= value_ulps);
  CHECK(*std::max_element(worst.begin(), worst.end()) <= derivative_ulps);
}

}  // namespace

TEST_CASE("exp and log are within an ulp") {
  double worst = 0.0;
  for (const double reach : {0.5, 10.0, 708.0}) {
    for (const double x : uniform(-reach, reach, 4000)) {
      const wide exact = exp(wide(x));
      worst = std::max(worst, ulps(exponential(x), exact, exact));
    }
  }
  CHECK(worst <= 1.0);
  worst = 0.0;
  for (const auto& points : {uniform(0.5, 2.0, 4000), uniform(0.0, 1e3, 4000)}) {
    for (const double x : points) {
      const wide exact = log(wide(x));
      worst = std::max(worst, ulps(logarithm(x), exact, exact));
    }
  }
  CHECK(worst <= 1.0);
  constexpr double infinity = std::numeric_limits<double>::infinity();
  CHECK(exponential(0.0) == 1.0);
  CHECK(exponential(710.0) == infinity);
  CHECK(exponential(infinity) == infinity);
  CHECK(exponential(-infinity) == 0.0);
  CHECK(exponential(-745.0) == std::numeric_limits<double>::denorm_min());
  CHECK(exponential(-746.0) == 0.0);
  CHECK(std::isnan(exponential(std::nan(""))));
  CHECK(logarithm(1.0) == 0.0);
  CHECK(logarithm(infinity) == infinity);
  CHECK(logarithm(0.0) == -infinity);
  CHECK(logarithm(std::numeric_limits<double>::denorm_min()) == Approx(-744.4400719213812));
  // The same digits with an exponent of their own.
  for (const double x : uniform(-700.0, 700.0, 1000)) {
    const scaled_exponential e = exponential_with_exponent(x);
    CHECK(std::ldexp(e.significand, static_cast<int>(e.exponent)) == exponential(x));
  }
}

TEST_CASE("the functions of the grammar are within two ulps, and their derivatives near that") {
  struct function {
    primitive p;
    std::function<exact_row(const wide&)> exact;
    std::vector<double> reaches;
  };
  const std::vector<function> functions{
      {primitive::tanh, tanh_row, {0.5, 3.0, 20.0, 350.0}},
      {primitive::sigmoid, sigmoid_row, {1.0, 5.0, 40.0, 700.0}},
      {primitive::softplus, softplus_row, {1.0, 5.0, 40.0, 700.0}},
      {primitive::erf, erf_row, {0.7, 2.0, 6.0, 26.0}},
      {primitive::normal_cdf, normal_cdf_row, {0.5, 2.0, 8.0, 37.0}},
      {primitive::sin, sin_row, {1.0, 10.0, 1e3, 1e6}},
      {primitive::cos, cos_row, {1.0, 10.0, 1e3, 1e6}}};
  for (const function& f : functions) {
    for (const double reach : f.reaches) {
      check_row(f.p, f.exact, uniform(-reach, reach, 1000));
    }
    check_row(f.p, f.exact, logarithmic(1e-300, 1.0, 1000));
  }
  // Where sine or cosine all but vanishes.
  std::vector<double> zeros;
  for (int k = 1; k < 630000; k += 997) {
    zeros.push_back(k * boost::math::constants::half_pi<double>());
  }
  check_row(primitive::sin, sin_row, zeros);
  check_row(primitive::cos, cos_row, zeros);
}

TEST_CASE("the functions of the grammar have their limits") {
  constexpr double infinity = std::numeric_limits<double>::infinity();
  struct limits {
    primitive p;
    double below;
    double above;
    double middle;
  };
  for (const limits& l :
       {limits{primitive::tanh, -1.0, 1.0, 0.0}, limits{primitive::sigmoid, 0.0, 1.0, 0.5},
        limits{primitive::erf, -1.0, 1.0, 0.0}, limits{primitive::normal_cdf, 0.0, 1.0, 0.5}}) {
    for (const double size : {800.0, 1e10, 1e308, infinity}) {
      CAPTURE(static_cast<int>(l.p), size);
      CHECK(primitive_derivatives(l.p, size) == std::array<double, 5>{l.above, 0, 0, 0, 0});
      CHECK(primitive_derivatives(l.p, -size) == std::array<double, 5>{l.below, 0, 0, 0, 0});
    }
    CHECK(primitive_derivatives(l.p, 0.0)[0] == l.middle);
    for (const double x : uniform(-5.0, 5.0, 1000)) {
      const double sum = primitive_derivatives(l.p, x)[0] + primitive_derivatives(l.p, -x)[0];
      CHECK(sum == loradyn::test::within(2 * l.middle, 2e-16));
    }
    CHECK(std::isnan(primitive_derivatives(l.p, std::nan(""))[0]));
  }
  CHECK(primitive_derivatives(primitive::softplus, 1e308)[0] == 1e308);
  CHECK(primitive_derivatives(primitive::softplus, -1e308)[0] == 0.0);
  CHECK(primitive_derivatives(primitive::sin, 0.0)[0] == 0.0);
  CHECK(primitive_derivatives(primitive::cos, 0.0)[0] == 1.0);
}
