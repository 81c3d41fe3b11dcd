#pragma once

/// \file
/// The equilibria of the flow (docs/theory.md, section 8).

#include <array>
#include <complex>
#include <limits>
#include <loradyn/analysis/landscape.hpp>
#include <loradyn/dynamics/flow.hpp>
#include <loradyn/model/overlaps.hpp>
#include <optional>
#include <string_view>
#include <vector>

namespace loradyn {

/// What the eigenvalues of the Jacobian say; one below 1e-13 of the largest counts as zero.
enum class equilibrium_kind {
  sink,     ///< all real parts negative
  neutral,  ///< none positive, some zero: a member of a stable family, or degenerate
  saddle,   ///< some positive, some negative
  source,   ///< some positive, none negative
};

/// "sink", "neutral", "saddle", "source".
std::string_view to_string(equilibrium_kind kind);

/// A point where the flow rests. (-u, -m, -s) is one as well.
struct equilibrium {
  overlap_state x;  ///< u >= 0
  double M = 0.0;
  double Q = 0.0;
  double risk = 0.0;  ///< with label noise
  /// Of the Jacobian in (u, m, s), by decreasing real part; the first is minus the rate of the
  /// final approach where the equilibrium is a sink.
  std::array<std::complex<double>, 3> eigenvalues{};
  equilibrium_kind kind = equilibrium_kind::saddle;
  /// w = 0 of a student with a kink at 0: the risk has a cone about it that falls nowhere, and runs
  /// reach it in a finite time. There are no eigenvalues (NaN); it is a sink, or neutral where the
  /// cone rises in some directions alone.
  bool corner = false;
};

/// The equilibrium at x: overlaps, risk and eigenvalues there; x is not improved.
equilibrium describe_equilibrium(const flow& f, const overlap_state& x);

/// The adapter, u > 0, whose weight is at a critical point of the risk, the nearest to w0 where a
/// circle of them is; nothing where w0 is there.
std::optional<overlap_state> adapter_to(const risk_critical_point& point, const lora_parameters& p);

/// Newton's method on the velocity, from x; steps of least norm where the Jacobian is singular.
/// \return the equilibrium, with |velocity| at rounding, or nothing: none found, |u| beyond the
///         radius, or a step that leads farther from x than `reach`
std::optional<equilibrium> nearest_equilibrium(
    const flow& f, const overlap_state& x, double radius = landscape_radius,
    double reach = std::numeric_limits<double>::infinity());

/// Its overlaps alone, without the cost of its eigenvalues.
std::optional<overlap_state> nearest_rest(const flow& f, const overlap_state& x,
                                          double radius = landscape_radius,
                                          double reach = std::numeric_limits<double>::infinity());

/// Every equilibrium with u >= 0 that can be found, by increasing risk.
///
/// γ = 0: those with u > 0 are the critical points of the risk, seen from w0
/// (`landscape_of`); where a critical point is met by a whole family of adapters (gap > 0),
/// the one nearest to w0; and w = 0 where a student with a kink has a corner there. γ > 0: the
/// solutions that Newton's method finds from these and from a grid of starts. Both: one member of
/// the line u = 0, A m + C s = 0 of points where nothing moves, the one at the origin. \param
/// points the critical points of the task's risk \throws convergence_error where a kernel's
/// quadrature does not converge
std::vector<equilibrium> equilibria(const flow& f, const std::vector<risk_critical_point>& points);

}  // namespace loradyn
