#pragma once

/// \file
/// When the search of a network ends, where its runs do, and the law at finite dimension
/// (docs/theory.md, section 14).

#include <limits>
#include <loradyn/analysis/escape_law.hpp>
#include <loradyn/analysis/network_search.hpp>
#include <loradyn/analysis/outcome.hpp>
#include <loradyn/dynamics/network_event.hpp>
#include <loradyn/dynamics/network_flow.hpp>
#include <optional>

namespace loradyn {

/// One run of a network's flow.
struct network_escape_run {
  double t_hit = std::numeric_limits<double>::quiet_NaN();  ///< NaN where the event never comes
  std::optional<network_state> at_hit;
  network_state at_end;
  double t_end = 0.0;
  double risk_end = std::numeric_limits<double>::quiet_NaN();
  /// learned: the risk is that of the labels' noise, to 1e-9 of the teacher's power (with γ > 0:
  /// the run goes there when the noise is taken away); unlearned: at rest with a mean overlap of at
  /// most 0.05 of that of the start; trapped: at any other stable rest; diverging: a |W_j|² beyond
  /// 1e6 and four times that of the start, and growing; searching: none of these.
  outcome result = outcome::searching;
  run_status status = run_status::ok;
  std::size_t steps = 0;
};

/// A run from x at time 0 until the first of: the event where the extent says so, its rest, its
/// learning, its divergence, the end time, the step limit. A run rests where Newton's method finds
/// within 1e-4 an equilibrium from which no direction grows (by a Jacobian of differences, to 1e-5
/// of its norm); a state of more than 200 entries where its velocity has fallen to 1e-8 of the
/// fastest.
/// \throws argument_error where the event is not one of this flow or is already met, or the state
///         is none of this flow
network_escape_run escape(const network_flow& f, const network_state& x,
                          const network_overlap_event& event, const integration_options& options,
                          run_extent extent = run_extent::to_rest);

/// \throws argument_error where the law is not one for an event: it is signed in m or U, or one of
/// m, U or S at a rank of more than 1, where of several adapters each has another part of |Z|
void require_law_event(const network_overlap_event& event, std::ptrdiff_t rank);

/// The law for an event that does not tell (U, V) from (-U, -V), over V random, in dimension d, and
/// U = u0 in every entry: |Z|² of the leading mode's amplitudes is a scaled χ² of r degrees. T_nl
/// is that of one adapter, along the mode: exact for free adapters, nearly so on spheres. \throws
/// argument_error where d < 3, u0 is not finite, and as `require_law_event`
escape_law law_of_escape(const network_flow& f, const network_overlap_event& event,
                         double dimension, double u0, const integration_options& options);

}  // namespace loradyn
