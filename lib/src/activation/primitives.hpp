#pragma once

/// \file
/// The functions of the grammar that have no finer parts, with their derivatives. Internal to the
/// activation room.

#include <array>
#include <cstddef>

namespace loradyn::detail {

/// The smooth functions that exact algebra knows by name. GELU is x Φ(x), SiLU is x sigmoid(x) and
/// ReLU is x H(x), so that these need no symbol of their own.
enum class primitive : std::size_t { erf, tanh, sigmoid, softplus, normal_cdf, sin, cos };
inline constexpr std::size_t primitive_count = static_cast<std::size_t>(primitive::cos) + 1;

/// e^x within 1 ulp.
double exponential(double x);

/// e^x = significand · 2^exponent, |x| <= 1e9, with exponential's digits.
struct scaled_exponential {
  double significand;
  double exponent;
};
scaled_exponential exponential_with_exponent(double x);

/// log x within 1 ulp, x > 0.
double logarithm(double x);

/// f(x), f'(x), …, f⁗(x), each with a small error relative to its own size where x is exact: the
/// values within 2 ulp. The same bits on every processor, except sin and cos of |x| > 1e6.
std::array<double, 5> primitive_derivatives(primitive p, double x);

/// The same of He_k, k <= max_degree, with errors relative to √k! e^{x²/4}.
std::array<double, 5> hermite_derivatives(unsigned k, double x);

}  // namespace loradyn::detail
