#pragma once

/// \file
/// Events on the overlaps, and the flow as a system for `integrate`.

#include <loradyn/dynamics/flow.hpp>
#include <loradyn/dynamics/integrate.hpp>
#include <loradyn/model/overlaps.hpp>
#include <optional>
#include <string_view>

namespace loradyn {

/// The quantity that an event is told by.
enum class overlap_quantity { m, M, risk };

/// Their names.
inline constexpr name_table<overlap_quantity, 3> overlap_quantities{
    {{"m", overlap_quantity::m}, {"M", overlap_quantity::M}, {"risk", overlap_quantity::risk}}};

/// A quantity reaches a value. m: |m| (or m, where it is signed) from below; M: |M| (or M) from
/// either side; risk: from above. A signed m may come from either side.
struct overlap_event {
  overlap_quantity quantity = overlap_quantity::m;
  double at = 0.5;
  bool is_signed = false;

  /// \throws argument_error where `at` is not finite or, for |m|, not in (0, 1)
  void validate() const;
};

/// The event for a run of f from x, with the direction in which it must pass. Refers to f, which
/// must outlive it.
ode_event<3> event_of(const flow& f, const overlap_event& event, const overlap_state& x);

/// Whether the event is already met.
bool met_by(const ode_event<3>& event, const overlap_state& x);

/// The flow as a system; refers to f, which must outlive it. Velocity and Jacobian are NaN, which
/// an integrator takes for a step too long, where a kernel does not converge; so are M and the risk
/// of `event_of`.
ode_system<3> system_of(const flow& f);

/// \throws argument_error unless u is finite and m² + s² <= 1, to rounding (`in_disc`)
void validate_start(const overlap_state& x);

}  // namespace loradyn
