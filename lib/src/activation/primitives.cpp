#include "activation/primitives.hpp"

#include <algorithm>
#include <boost/math/constants/constants.hpp>
#include <cmath>

namespace loradyn::detail {
namespace {

using derivatives_at = std::array<double, 5>;

// The logistic function at x and at -x, neither by cancellation.
struct logistic_pair {
  explicit logistic_pair(double x) {
    const double decay = std::exp(-std::abs(x));
    const double small = decay / (1.0 + decay);
    const double large = 1.0 / (1.0 + decay);
    rising = x >= 0.0 ? large : small;
    falling = x >= 0.0 ? small : large;
  }
  double rising;   // 1/(1 + e^{-x})
  double falling;  // 1/(1 + e^{x})
};

// s, s', … of the logistic function; the derivatives are polynomials in s and 1 - s.
derivatives_at sigmoid_derivatives(double x) {
  const logistic_pair s(x);
  const double slope = s.rising * s.falling;
  const double odd = s.falling - s.rising;
  return {s.rising, slope, slope * odd, slope * (1.0 - 6.0 * slope),
          slope * odd * (1.0 - 12.0 * slope)};
}

derivatives_at softplus_derivatives(double x) {
  const derivatives_at s = sigmoid_derivatives(x);
  return {std::max(x, 0.0) + std::log1p(std::exp(-std::abs(x))), s[0], s[1], s[2], s[3]};
}

// t and 1 - t² from e^{-2|x|}, neither by cancellation.
derivatives_at tanh_derivatives(double x) {
  const double decay = std::exp(-2.0 * std::abs(x));
  const double rise = decay < 0.5 ? 1.0 - decay : -std::expm1(-2.0 * std::abs(x));
  const double t = std::copysign(rise / (1.0 + decay), x);
  const double slope = 4.0 * decay / ((1.0 + decay) * (1.0 + decay));
  const double square = t * t;
  return {t, slope, -2.0 * t * slope, slope * (6.0 * square - 2.0),
          slope * t * (16.0 - 24.0 * square)};
}

// From here on e^{-x²/2} is below the smallest double.
constexpr double saturated = 40.0;

derivatives_at erf_derivatives(double x) {
  if (std::abs(x) > saturated) {
    return {std::copysign(1.0, x), 0.0, 0.0, 0.0, 0.0};
  }
  const double e = boost::math::constants::two_div_root_pi<double>() * std::exp(-x * x);
  const double y = x * x;
  return {std::erf(x), e, -2.0 * x * e, (4.0 * y - 2.0) * e, (12.0 - 8.0 * y) * x * e};
}

derivatives_at normal_cdf_derivatives(double x) {
  if (std::abs(x) > saturated) {
    return {x > 0.0 ? 1.0 : 0.0, 0.0, 0.0, 0.0, 0.0};
  }
  const double density = std::exp(-0.5 * x * x) / boost::math::constants::root_two_pi<double>();
  const double y = x * x;
  return {0.5 * std::erfc(-x / boost::math::constants::root_two<double>()), density, -x * density,
          (y - 1.0) * density, (3.0 - y) * x * density};
}

}  // namespace

std::array<double, 5> primitive_derivatives(primitive p, double x) {
  switch (p) {
    case primitive::erf:
      return erf_derivatives(x);
    case primitive::tanh:
      return tanh_derivatives(x);
    case primitive::sigmoid:
      return sigmoid_derivatives(x);
    case primitive::softplus:
      return softplus_derivatives(x);
    case primitive::normal_cdf:
      return normal_cdf_derivatives(x);
    case primitive::sin: {
      const double s = std::sin(x);
      const double c = std::cos(x);
      return {s, c, -s, -c, s};
    }
    case primitive::cos:
      break;
  }
  const double s = std::sin(x);
  const double c = std::cos(x);
  return {c, -s, -c, s, c};
}

std::array<double, 5> hermite_derivatives(unsigned k, double x) {
  // He_k^(j) = k!/(k-j)! He_{k-j}; the last five of the recurrence are kept.
  derivatives_at last{1.0, 0.0, 0.0, 0.0, 0.0};
  for (unsigned n = 0; n < k; ++n) {
    const double next = x * last[0] - static_cast<double>(n) * last[1];
    std::copy_backward(last.begin(), last.end() - 1, last.end());
    last[0] = next;
  }
  double factor = 1.0;
  for (unsigned j = 1; j < last.size(); ++j) {
    factor *= j <= k ? static_cast<double>(k - j + 1) : 0.0;
    last[j] *= factor;
  }
  return last;
}

}  // namespace loradyn::detail
