#include "activation/primitives.hpp"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <limits>
#include "activation/normal_tail.inc"

namespace loradyn::detail {

#include "activation/elementary.inc"

namespace {

using derivatives_at = std::array<double, 5>;

derivatives_at array_of(const derivative_row<double>& row) {
  return {row.d[0], row.d[1], row.d[2], row.d[3], row.d[4]};
}

}  // namespace

double exponential(double x) { return exponential_of(x); }

scaled_exponential exponential_with_exponent(double x) {
  const power_parts<double> parts = exponential_parts_of(x, 0.0);
  return {1.0 + parts.rest, parts.exponent};
}

double logarithm(double x) {
  const bool normal =
      x >= std::numeric_limits<double>::min() && x <= std::numeric_limits<double>::max();
  return normal ? logarithm_of(x) : std::log(x);
}

std::array<double, 5> primitive_derivatives(primitive p, double x) {
  if (std::isnan(x)) {
    return {x, x, x, x, x};
  }
  switch (p) {
    case primitive::erf:
      return array_of(erf_derivatives(x));
    case primitive::tanh:
      return array_of(tanh_derivatives(x));
    case primitive::sigmoid:
      return array_of(sigmoid_derivatives(x));
    case primitive::softplus:
      return array_of(softplus_derivatives(x));
    case primitive::normal_cdf:
      return array_of(normal_cdf_derivatives(x));
    case primitive::sin:
    case primitive::cos:
      break;
  }
  if (std::abs(x) > largest_reduced_angle) {
    const double s = std::sin(x);
    const double c = std::cos(x);
    return p == primitive::sin ? derivatives_at{s, c, -s, -c, s} : derivatives_at{c, -s, -c, s, c};
  }
  return array_of(p == primitive::sin ? sin_derivatives(x) : cos_derivatives(x));
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
