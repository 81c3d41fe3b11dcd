#pragma once

/// \file
/// Averages over z ~ N(0, 1), and integrals over an interval, that check themselves.
///
/// Several components are integrated at once, on nodes that all of them need. Two rules:
/// - without breaks: the trapezoidal rule, whose step is halved until halving it changes nothing;
/// for
///   a function that is analytic in a strip its error is about the square of the last change;
/// - with breaks, or where it varies on a short scale: panels of 16-point Gauss-Legendre rules,
/// broken
///   at every break and halved until the last Legendre coefficients of the integrand itself have
///   died out.
///
/// A component counts as resolved against the average of its absolute value. Both rules go outward
/// until what they add is nothing beside that, so that the growth of the integrand decides how far.

#include <array>
#include <cstddef>
#include <span>
#include <vector>

#include <loradyn/gaussian/function_ref.hpp>

namespace loradyn {

/// Nodes of a panel.
inline constexpr std::size_t panel_points = 16;

/// The size of the last Legendre coefficients of the polynomial through values at the nodes of a
/// panel: what is left of a function that the rule resolves. The rule's own error is about its
/// square.
double panel_tail(std::span<const double, panel_points> values);

/// Whether that is small enough: beside the whole, whose size is the scale, and so far below the
/// panel's own magnitude that what comes after as many coefficients again is rounding beside the
/// whole.
bool panel_resolved(double tail, double magnitude, double scale);

/// The most components that are averaged at once.
inline constexpr std::size_t max_components = 12;

/// Values and sizes of averages.
struct averages {
  std::array<double, max_components> value{};
  std::array<double, max_components> magnitude{};  ///< the averages of the absolute values
  double narrowest = 1.0;                          ///< the least width of a panel, or the step
};

/// values[k · x.size() + i] = component k at x[i]; at most 64 points a call.
using line_integrand = function_ref<void(std::span<const double> x, double* values)>;

/// What the size of an integrand is, beside which its errors are counted: its absolute value, or,
/// where it is an average itself and may be small by cancellation, sizes that it gives after all
/// its components, in the same order.
enum class integrand_size { absolute_value, given };

/// E[f(z)], z ~ N(0, 1), of every component; error about 1e-15 of its magnitude.
/// \param components how many there are, at most max_components
/// \param breaks     increasing: where f is not smooth; they may lie anywhere
/// \param features   increasing: places that panels are to be broken at as well, so that what f
/// does
///                   there on a short scale is seen
/// \throws convergence_error after 4000 panels
averages gaussian_averages(std::size_t components, std::span<const double> breaks,
                           std::span<const double> features, line_integrand f,
                           integrand_size size = integrand_size::absolute_value);

/// ∫ f over [ends.front(), ends.back()], broken at every end, of every component; error as above.
/// \param ends increasing, at least two
/// \throws convergence_error after 4000 panels
averages interval_integrals(std::size_t components, std::span<const double> ends, line_integrand f,
                            integrand_size size = integrand_size::absolute_value);

/// ∫_0^∞ f(r) dr of a function that dies out like r^n e^{-r²/2}; error as above.
/// \param features increasing: places in (0, ∞) that panels are to be broken at
/// \throws convergence_error after 4000 panels
averages radial_integrals(std::size_t components, std::span<const double> features,
                          line_integrand f);

}  // namespace loradyn
