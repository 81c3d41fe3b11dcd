#pragma once

/// \file
/// Averages over Gaussian lines and planes of functions of two activations and their derivatives.
/// Internal to the kernel room.

#include <array>
#include <cstddef>
#include <span>

#include <loradyn/activation/activation.hpp>
#include <loradyn/gaussian/average.hpp>
#include <loradyn/gaussian/function_ref.hpp>
#include <loradyn/gaussian/gauss_hermite.hpp>
#include <loradyn/kernel/pair_kernel.hpp>

namespace loradyn {

/// Points at which an integrand is asked for, with f⁽ⁱ⁾(X) and g⁽ʲ⁾(Y), those of the smooth pieces,
/// up to the order asked for.
struct point_block {
  std::size_t count = 0;
  const double* z = nullptr;  ///< the variable of the line; null in the plane
  std::array<const double*, 5> f{};
  std::array<const double*, 5> g{};
};

/// values[k · count + i] = component k at point i.
using pair_integrand = function_ref<void(const point_block&, double* values)>;

/// A Gaussian line: X = mean + deviation z.
struct gaussian_line {
  double mean = 0.0;
  double deviation = 1.0;
};

/// Averages over the line z -> f(X): `g` of the blocks is null.
/// \param order the highest derivative that the integrand looks at
/// \throws convergence_error as gaussian_averages does
averages line_averages(const activation& f, const gaussian_line& x, std::size_t order,
                       std::size_t components, pair_integrand integrand);

/// Averages over z -> f(X), g(Y) of two lines with the same z.
/// \param size given where terms of the integrand cancel to their rounding: it tells their sizes
averages line_averages(const activation& f, const gaussian_line& x, const activation& g,
                       const gaussian_line& y, std::size_t order, std::size_t components,
                       pair_integrand integrand,
                       integrand_size size = integrand_size::absolute_value);

/// Averages over a pair (X, Y) with gap > 0.
///
/// Where both have kinks, all at 0, in polar coordinates of the whitened plane: the lines X = 0 and
/// Y = 0 cut it into sectors in which the integrand is smooth however narrow they are. Otherwise
/// line by line, over the smooth one given the other. Both rules check themselves; absolute error
/// about 1e-14 of the magnitude. \throws convergence_error after 4000 panels in one direction
averages plane_averages(const activation& f, const activation& g, const pair_covariance& covariance,
                        std::size_t order, std::size_t components, pair_integrand integrand);

/// The same where f is a polynomial and the integrand one of degree < 2 across.nodes.size() in X
/// given Y: over X by that rule, exactly, and over the line of Y as line_averages does. gap >= 0.
/// \throws convergence_error as line_averages does
averages polynomial_averages(const activation& f, const gauss_hermite_rule& across,
                             const activation& g, const pair_covariance& covariance,
                             std::size_t order, std::size_t components, pair_integrand integrand);

struct line_moments;

/// E[f⁽ⁱ⁾(X)] of the pieces of f, up to an order, over a line.
using line_moments_of = function_ref<line_moments(const gaussian_line& x, std::size_t order)>;

/// Averages E[f⁽ⁱ⁾(X) g⁽ʲ⁾(Y)] of the pieces, one for each of the orders (i, j): over X given Y as
/// of_f says (piecewise_polynomial.hpp), and over the line of Y as line_averages does. gap > 0.
/// \throws convergence_error as line_averages does
averages conditional_averages(const activation& f, line_moments_of of_f, const activation& g,
                              const pair_covariance& covariance,
                              std::span<const std::array<std::size_t, 2>> orders);

}  // namespace loradyn
