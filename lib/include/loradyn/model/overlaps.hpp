#pragma once

/// \file
/// The state of training: the overlaps of the adapter (docs/theory.md, section 1).

#include <algorithm>
#include <array>
#include <cmath>
#include <loradyn/model/parameters.hpp>
#include <loradyn/model/population_risk.hpp>

namespace loradyn {

/// The overlaps of w = w0 + u v. They lie in m² + s² <= 1.
struct overlap_state {
  double u = 0.0;  ///< the adapter's amplitude
  double m = 0.0;  ///< <v, w*>
  double s = 0.0;  ///< <v, ξ>

  /// For the integrator.
  [[nodiscard]] std::array<double, 3> pack() const { return {u, m, s}; }
  /// From the integrator.
  static overlap_state unpack(const std::array<double, 3>& x) { return {x[0], x[1], x[2]}; }

  /// The Euclidean length of (u, m, s).
  [[nodiscard]] double norm() const { return std::hypot(u, m, s); }
  /// Whether none is infinite or NaN.
  [[nodiscard]] bool finite() const {
    return std::isfinite(u) && std::isfinite(m) && std::isfinite(s);
  }
};

/// |a - b|
inline double distance(const overlap_state& a, const overlap_state& b) {
  return overlap_state{a.u - b.u, a.m - b.m, a.s - b.s}.norm();
}

/// Whether m² + s² <= 1, to the rounding of overlaps that were rounded themselves (0.6 and 0.8).
inline bool in_disc(const overlap_state& x) {
  constexpr double rounding = 1e-12;
  return x.m * x.m + x.s * x.s <= 1.0 + rounding;
}

/// M = μ + um and Q = |w|², with gap = Q - M² = (ν + us)² + u²(1 - m² - s²) in this form, which
/// cancels nothing; 1 - m² - s² < 0, which rounding or a stage of an integrator can make, counts as
/// zero.
inline field_overlaps fields(const overlap_state& x, const lora_parameters& p) {
  const double M = p.alignment + x.u * x.m;
  const double beside = p.misalignment + x.u * x.s;
  const double remainder = std::max(0.0, (1.0 - x.m) * (1.0 + x.m) - x.s * x.s);
  const double gap = beside * beside + x.u * x.u * remainder;
  return {M, M * M + gap, gap};
}

}  // namespace loradyn
