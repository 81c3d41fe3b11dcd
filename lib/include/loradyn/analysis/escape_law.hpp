#pragma once

/// \file
/// The distribution of the escape time at finite dimension (docs/theory.md, section 9).

#include <loradyn/analysis/escape.hpp>
#include <loradyn/dynamics/flow.hpp>
#include <loradyn/dynamics/integrate.hpp>
#include <string_view>

namespace loradyn {

/// Whether the law holds.
enum class law_status {
  ok,
  no_instability,  ///< the search is not a linear instability (A = C = 0, or undefined)
  no_escape,  ///< a run along the unstable direction never meets the event, or does so before it
              ///< starts
  small_dimension,  ///< one start in twenty is so large that its search is not linear: |Z| > 0.3 √d
  several_modes,    ///< a second mode grows nearly as fast: d^{(λ₂/λ₊ - 1)/2} > 0.1
};

/// "ok", "no-instability", "no-escape", "small-dimension", "several-modes".
std::string_view to_string(law_status status);

/// t_hit = τ (½ log d - log|Z|) + T_nl over random starts (v uniform on the sphere, u = u0) and the
/// noise of the search, to leading order in 1/d: Z, √d times the start's amplitude along the
/// unstable direction, is normal; of several adapters a vector of as many independent ones. Where
/// the rates move while a network searches, t is a line in x = ½ log d - log|Z| no more: between
/// two x it is a parabola, and beyond them its tangents.
struct escape_law {
  double dimension = 0.0;
  double tau = 0.0;
  double nonlinear_time = 0.0;  ///< T_nl, the limit of (hitting time from δ e₊) - τ log(1/δ)
  double mean_amplitude = 0.0;  ///< E[Z], from u0; of several adapters the length of the vector
  double variance = 0.0;        ///< Var Z, of each adapter
  double degrees = 1.0;         ///< r: |Z|²/Var Z is a χ² of so many degrees of freedom
  double bend = 0.0;            ///< what (x - from)(x - to) adds to the time
  double bent_from = 0.0;
  double bent_to = 0.0;
  law_status status = law_status::ok;

  /// P(t_hit <= t). NaN, as the following three, where the status is no_instability or
  /// no_escape.
  [[nodiscard]] double cdf(double t) const;
  /// The density at t.
  [[nodiscard]] double density(double t) const;
  /// \throws argument_error unless 0 < p < 1
  [[nodiscard]] double quantile(double p) const;
  /// The mean of the hitting time.
  [[nodiscard]] double mean() const;
};

/// The law for an event that does not tell (u, m, s) from (-u, -m, -s).
/// \param dimension d >= 3
/// \param u0        the adapter's amplitude at the start
/// \param options   for the run along the unstable direction; T_nl is found to about 1e-8 τ
/// \throws argument_error where d < 3, u0 is not finite or the event is signed in m
escape_law law_of_escape(const flow& f, const overlap_event& event, double dimension, double u0,
                         const integration_options& options, const outcome_classifier& classifier);

}  // namespace loradyn
