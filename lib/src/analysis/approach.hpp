#pragma once

/// \file
/// Events in the last part of a run, close to its rest (docs/theory.md, section 9). Internal to the
/// analysis room.

#include <cstddef>
#include <limits>
#include <loradyn/analysis/equilibria.hpp>
#include <loradyn/dynamics/flow.hpp>
#include <loradyn/dynamics/integrate.hpp>
#include <loradyn/dynamics/overlap_event.hpp>
#include <loradyn/model/overlaps.hpp>

namespace loradyn {

/// The same rest by further steps of Newton's method, as long as they lower the velocity: its own
/// error decides what is known of a small difference from it. As it was where a kernel does not
/// converge.
equilibrium polished(const flow& f, const equilibrium& rest);

/// A quantity near a rest, less the value of an event, as a function of the state's difference from
/// the rest: without the cancellation of one that is computed from the state. The risk's difference
/// is an integral of its gradient.
class value_near_rest {
 public:
  value_near_rest(const flow& f, const overlap_event& event, const equilibrium& rest);

  /// NaN where a kernel does not converge.
  [[nodiscard]] double operator()(const overlap_state& difference) const;

  /// Whether the rest itself has the event's value, to rounding: it takes for ever to get there.
  [[nodiscard]] bool rest_is_event() const { return rest_is_event_; }

 private:
  [[nodiscard]] double change(const overlap_state& difference) const;

  const flow& flow_;
  overlap_event event_;
  overlap_state rest_;
  double at_rest_ = 0.0;  // the quantity
  bool rest_is_event_ = false;
};

/// Whether the event may come between x, which is close to a stable rest, and the rest. False only
/// where the value at the rest is ten times as far from the event's as anything on the linearised
/// way there could take it.
bool may_come_near(const value_near_rest& value, const flow& f, const equilibrium& rest,
                   const overlap_state& x);

/// How an approach ended.
struct approach_end {
  bool met = false;
  double t = std::numeric_limits<double>::quiet_NaN();
  overlap_state x;  ///< at the event
  integration_status status = integration_status::stopped;
  std::size_t steps = 0;  ///< tried
};

/// Follows the run from x at time t to the event or into its rest, with errors relative to the
/// distance from the rest: from a tenth of the rest's size on in coordinates about the rest, below
/// 1e-7 of it by the linearised flow. The time of an event a distance δ from the rest has the
/// relative error of the tolerance, and errors of 1e-7 (below 1e-7) and 1e-15/δ of the relaxation
/// time; that of the risk, which is known to 1e-16 E[g²], no less.
/// \param rest polished
/// \param x not close to the rest: the run's start, or where its linear search ends
/// \param direction in which the event must pass
approach_end approach(const flow& f, const overlap_event& event, crossing direction,
                      const overlap_state& x, double t, const equilibrium& rest,
                      const integration_options& options);

}  // namespace loradyn
