#pragma once

/// \file
/// Truncated Taylor series of functions that may overflow on the way. Internal to the activation
/// room.

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <limits>

#include "activation/primitives.hpp"

namespace loradyn::detail {

/// f(x + t) = 2^exponent Σ_k c[k] t^k up to t^Order. The exponent is 0 unless f leaves the range
/// that products of a few series need, so that e^{1000}/(1 + e^{1000}) has its digits. A series
/// whose coefficients overflow even so is infinite: c[0] = ±∞ and the rest 0.
template <std::size_t Order>
struct jet {
  std::array<double, Order + 1> c;
  double exponent;

  [[nodiscard]] bool zero() const {
    return std::all_of(c.begin(), c.end(), [](double v) { return v == 0.0; });
  }
  [[nodiscard]] bool infinite() const { return std::isinf(c[0]); }
};

template <std::size_t Order>
jet<Order> constant_jet(double value) {
  jet<Order> f{};
  f.c[0] = value;
  return f;
}

/// value · 2^exponent, for exponents of any size.
inline double scaled(double value, double exponent) {
  constexpr double beyond = 5000.0;  // where every finite value over- or underflows
  return std::ldexp(value, static_cast<int>(std::clamp(exponent, -beyond, beyond)));
}

/// Brings the largest coefficient back to a middling size, the exponent to 0 where it can be.
template <std::size_t Order>
void balance(jet<Order>& f) {
  constexpr double largest = 0x1p300;
  constexpr double exact = 0x1p52;    // exponents beyond it take up no shift
  constexpr double farthest = 1e300;  // the sum of two is finite
  double size = 0.0;
  for (const double v : f.c) {
    size = std::max(size, std::abs(v));
  }
  if (f.exponent == 0.0 && size <= largest && size >= 1.0 / largest) {
    return;
  }
  if (!(size <= std::numeric_limits<double>::max()) || std::abs(f.exponent) > farthest) {
    if (std::isnan(f.c[0])) {
      f.exponent = 0.0;
      return;
    }
    // What is as small as this outweighs whatever overflows beside it.
    const double value = f.exponent < -exact ? 0.0 : std::numeric_limits<double>::infinity();
    f = constant_jet<Order>(std::copysign(value, f.c[0]));
    return;
  }
  if (size == 0.0) {
    f.exponent = 0.0;
    return;
  }
  if (std::abs(f.exponent) > exact) {
    return;
  }
  const double own = std::ilogb(size);
  const double shift = std::abs(own + f.exponent) < 300.0 ? f.exponent : -own;
  for (double& v : f.c) {
    v = scaled(v, shift);
  }
  f.exponent -= shift;
}

template <std::size_t Order>
jet<Order> scale(jet<Order> f, double factor) {
  for (double& v : f.c) {
    v *= factor;
  }
  balance(f);
  return f;
}

template <std::size_t Order>
jet<Order> add(const jet<Order>& f, const jet<Order>& g, double sign) {
  jet<Order> sum{};
  if (f.exponent == g.exponent) {
    for (std::size_t k = 0; k <= Order; ++k) {
      sum.c[k] = f.c[k] + sign * g.c[k];
    }
    sum.exponent = f.exponent;
  } else {
    const double own = f.zero()   ? g.exponent
                       : g.zero() ? f.exponent
                                  : std::max(f.exponent, g.exponent);
    for (std::size_t k = 0; k <= Order; ++k) {
      sum.c[k] = scaled(f.c[k], f.exponent - own) + sign * scaled(g.c[k], g.exponent - own);
    }
    sum.exponent = own;
  }
  if (sum.exponent != 0.0 || !(std::abs(sum.c[0]) <= std::numeric_limits<double>::max())) {
    balance(sum);
  }
  return sum;
}

template <std::size_t Order>
jet<Order> multiply(const jet<Order>& f, const jet<Order>& g) {
  jet<Order> product{};
  if (f.zero() || g.zero()) {
    return product;
  }
  product.c[0] = f.c[0] * g.c[0];
  product.c[1] = f.c[0] * g.c[1] + f.c[1] * g.c[0];
  product.c[2] = f.c[0] * g.c[2] + f.c[1] * g.c[1] + f.c[2] * g.c[0];
  if constexpr (Order == 4) {
    product.c[3] = (f.c[0] * g.c[3] + f.c[3] * g.c[0]) + (f.c[1] * g.c[2] + f.c[2] * g.c[1]);
    product.c[4] =
        (f.c[0] * g.c[4] + f.c[4] * g.c[0]) + (f.c[1] * g.c[3] + f.c[3] * g.c[1]) + f.c[2] * g.c[2];
  }
  product.exponent = f.exponent + g.exponent;
  balance(product);
  return product;
}

template <std::size_t Order>
jet<Order> divide(const jet<Order>& f, const jet<Order>& g) {
  jet<Order> quotient{};
  if (f.zero() || (g.infinite() && !f.infinite())) {
    return quotient;
  }
  for (std::size_t n = 0; n <= Order; ++n) {
    double rest = f.c[n];
    for (std::size_t k = 0; k < n; ++k) {
      rest -= quotient.c[k] * g.c[n - k];
    }
    quotient.c[n] = rest / g.c[0];
  }
  quotient.exponent = f.exponent - g.exponent;
  balance(quotient);
  return quotient;
}

template <std::size_t Order>
jet<Order> power(jet<Order> f, unsigned exponent) {
  jet<Order> result = constant_jet<Order>(1.0);
  bool first = true;
  for (;;) {
    if ((exponent & 1U) != 0) {
      result = first ? f : multiply(result, f);
      first = false;
    }
    exponent >>= 1U;
    if (exponent == 0) {
      return result;
    }
    f = multiply(f, f);
  }
}

/// f with the exponent 0; infinite where it doesn't fit.
template <std::size_t Order>
jet<Order> unscaled(jet<Order> f) {
  if (f.exponent != 0.0) {
    for (double& v : f.c) {
      v = scaled(v, f.exponent);
    }
    f.exponent = 0.0;
    if (!std::all_of(f.c.begin(), f.c.end(), [](double v) { return std::isfinite(v); })) {
      f = constant_jet<Order>(std::copysign(std::numeric_limits<double>::infinity(), f.c[0]));
    }
  }
  return f;
}

template <std::size_t Order>
jet<Order> exponential(const jet<Order>& f) {
  constexpr double plain = 200.0;   // e^{±200} needs no exponent
  constexpr double exact_to = 1e9;  // from where no digit of the remainder is left
  const jet<Order> g = unscaled(f);
  jet<Order> result{};
  if (!std::isfinite(g.c[0])) {
    result.c[0] = g.c[0] < 0.0 ? 0.0 : g.c[0];
    return result;
  }
  if (std::abs(g.c[0]) <= plain) {
    result.c[0] = exponential(g.c[0]);
  } else {
    const scaled_exponential e = exponential_with_exponent(g.c[0]);
    result.exponent = e.exponent;
    result.c[0] = std::abs(g.c[0]) < exact_to ? e.significand : 1.0;
  }
  for (std::size_t n = 1; n <= Order; ++n) {
    double sum = 0.0;
    for (std::size_t k = 1; k <= n; ++k) {
      sum += static_cast<double>(k) * g.c[k] * result.c[n - k];
    }
    result.c[n] = sum / static_cast<double>(n);
  }
  if (g.c[0] < -plain && !std::isfinite(result.c[Order] + result.c[Order - 1])) {
    return {};  // e^{-large} outweighs any power of the derivatives of what is large
  }
  balance(result);
  return result;
}

/// f > 0
template <std::size_t Order>
jet<Order> logarithm(const jet<Order>& f) {
  constexpr double ln2 = 0x1.62e42fefa39efp-1;
  jet<Order> result{};
  result.c[0] = logarithm(f.c[0]) + f.exponent * ln2;
  if (f.infinite()) {
    return result;
  }
  for (std::size_t n = 1; n <= Order; ++n) {
    double sum = 0.0;
    for (std::size_t k = 1; k < n; ++k) {
      sum += static_cast<double>(k) * result.c[k] * f.c[n - k];
    }
    result.c[n] = (f.c[n] - sum / static_cast<double>(n)) / f.c[0];
  }
  balance(result);
  return result;
}

/// f > 0
template <std::size_t Order>
jet<Order> square_root(jet<Order> f) {
  if (f.infinite()) {
    return f;
  }
  if (std::fmod(f.exponent, 2.0) != 0.0) {
    for (double& v : f.c) {
      v *= 2.0;
    }
    f.exponent -= 1.0;
  }
  jet<Order> result{};
  result.c[0] = std::sqrt(f.c[0]);
  for (std::size_t n = 1; n <= Order; ++n) {
    double rest = f.c[n];
    for (std::size_t k = 1; k < n; ++k) {
      rest -= result.c[k] * result.c[n - k];
    }
    result.c[n] = rest / (2.0 * result.c[0]);
  }
  result.exponent = 0.5 * f.exponent;
  balance(result);
  return result;
}

/// outer(f(x + t)) from outer's Taylor coefficients at f(x), f with the exponent 0. A coefficient
/// that is 0 stays so whatever it is multiplied with.
template <std::size_t Order>
jet<Order> compose(const std::array<double, 5>& outer, const jet<Order>& f) {
  jet<Order> result{};
  const auto times = [](double coefficient, double factor) {
    return coefficient == 0.0 ? 0.0 : coefficient * factor;
  };
  const std::array<double, Order + 1>& d = f.c;
  result.c[0] = outer[0];
  result.c[1] = times(outer[1], d[1]);
  result.c[2] = times(outer[1], d[2]) + times(outer[2], d[1] * d[1]);
  if constexpr (Order == 4) {
    const double square = d[1] * d[1];
    result.c[3] =
        times(outer[1], d[3]) + times(outer[2], 2.0 * d[1] * d[2]) + times(outer[3], square * d[1]);
    result.c[4] = times(outer[1], d[4]) + times(outer[2], 2.0 * d[1] * d[3] + d[2] * d[2]) +
                  times(outer[3], 3.0 * square * d[2]) + times(outer[4], square * square);
  }
  balance(result);
  return result;
}

}  // namespace loradyn::detail
