#pragma once

/// \file
/// When the search ends: escape times and what follows (docs/theory.md, section 9).

#include <limits>
#include <loradyn/analysis/outcome.hpp>
#include <loradyn/dynamics/flow.hpp>
#include <loradyn/dynamics/integrate.hpp>
#include <loradyn/dynamics/overlap_event.hpp>
#include <loradyn/model/overlaps.hpp>

namespace loradyn {

/// The default start of a run.
inline constexpr overlap_state default_start{1e-6, 0.03, 0.0};

/// One run of the flow.
struct escape_run {
  double tau = 0.0;  ///< the search time; NaN where there is no linear instability
  double t_hit = std::numeric_limits<double>::quiet_NaN();  ///< NaN where the event never comes
  overlap_state at_hit{std::numeric_limits<double>::quiet_NaN(),
                       std::numeric_limits<double>::quiet_NaN(),
                       std::numeric_limits<double>::quiet_NaN()};
  overlap_state at_end;  ///< the rest, or the last state
  double M_end = 0.0;
  double risk_end = 0.0;  ///< NaN where a kernel does not converge there
  /// How fast the run comes to its rest in the end: the slowest of the rest's rates, minus its
  /// largest eigenvalue's real part. 0 at a neutral rest; NaN where it rests nowhere, or at a
  /// corner.
  double rate_end = std::numeric_limits<double>::quiet_NaN();
  outcome result = outcome::searching;
  run_status status = run_status::ok;  ///< of the whole run: what ended it, after the event too
  std::size_t steps = 0;               ///< tried
};

/// Whether a run goes on after its event, to tell where it ends.
enum class run_extent { to_event, to_rest };

/// The search of a run as long as its overlaps are so small that the flow is linear to the
/// tolerance: the state at which it is 0.03 √rtol in size (0.1 rtol where two kinks meet), by the
/// closed solution of the linear flow.
struct linear_search {
  overlap_state x;
  double duration = 0.0;
};

/// From x, which is returned with duration 0 where it is too large or does not grow.
linear_search search_linearly(const flow& f, const overlap_state& x, double relative_tolerance);

/// The time at which a run from x meets the event, and where it ends. The cost does not grow with
/// τ: the linear part of the search is added in closed form, and where the rest is stiff the
/// integrator takes implicit steps. An event between the last steps and a stable rest is found by
/// the linearised flow. What comes after the event does not touch t_hit and at_hit: a run that
/// can't be followed to its rest, or whose rest can't be told from others, says so by `status`,
/// with the outcome `searching`. The steps of all parts together are limited. \param classifier of
/// the flow's task \param options    end time and step limit are those of the whole run \throws
/// argument_error where x is not finite, m² + s² > 1, or the event is already met \throws
/// convergence_error where a kernel does not converge in the search phase
escape_run escape(const flow& f, const overlap_state& x, const overlap_event& event,
                  const integration_options& options, const outcome_classifier& classifier,
                  run_extent extent = run_extent::to_rest);

}  // namespace loradyn
