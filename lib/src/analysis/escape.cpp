#include <algorithm>
#include <boost/math/tools/toms748_solve.hpp>
#include <cmath>
#include <cstdint>
#include <loradyn/analysis/escape.hpp>
#include <loradyn/analysis/search_phase.hpp>
#include <loradyn/effort.hpp>
#include <loradyn/error.hpp>
#include <loradyn/number_text.hpp>
#include <optional>
#include <span>
#include <string>
#include "analysis/approach.hpp"
#include "analysis/roots.hpp"

namespace loradyn {

namespace {

// How small the overlaps are where the flow is linear to a tolerance. It is odd and smooth, so that
// its corrections are of the square of this size; where two kinks meet at gap = 0 they are of first
// order.
double linear_size(const flow& f, double tolerance) {
  const bool kinks_meet = !f.task().risk.student().kinks().empty() &&
                          !f.task().risk.teacher().kinks().empty() &&
                          f.parameters().misalignment == 0.0;
  // A tenth of the tolerance, or the root of a thousandth of it: "tiny starts are searched in
  // closed form, to the tolerance".
  return kinks_meet ? 0.1 * tolerance : 0.03 * std::sqrt(tolerance);
}

// Where a run ends that is at x at time t. Adds the steps tried to those of the run.
run_end end_after(const flow& f, const overlap_state& x, double t,
                  const integration_options& options, std::size_t& steps) {
  // Newton's method finds the rest itself: of a sink the way there only decides which one it is.
  constexpr double way_tolerance = 1e-7;
  run_end end{x, x, t, run_destination::unknown, {}, run_status::step_limit, 0};
  const auto follow = [&](double tolerance) {
    if (steps >= options.step_limit) {
      return;
    }
    integration_options o = options;
    o.relative_tolerance = std::max(options.relative_tolerance, tolerance);
    o.step_limit = options.step_limit - steps;
    end = follow_to_rest(f, x, t, o);
    steps += end.steps;
  };
  follow(way_tolerance);
  const bool sink = end.at_rest() && end.rest.kind == equilibrium_kind::sink;
  if (!sink && (end.at_rest() || end.destination == run_destination::unknown)) {
    follow(0.0);
  }
  return end;
}

// The way to a rest in errors relative to the distance from it, with the steps that a run has left.
// A hit goes into the run; nothing where the rest itself is the event.
std::optional<approach_end> approach_rest(const flow& f, const overlap_event& event,
                                          crossing direction, const linear_search& start,
                                          const integration_options& options,
                                          const equilibrium& found, escape_run& run) {
  const equilibrium rest = polished(f, found);
  if (value_near_rest(f, event, rest).rest_is_event()) {
    return std::nullopt;
  }
  integration_options rest_of_steps = options;
  rest_of_steps.step_limit = options.step_limit - run.steps;
  const approach_end near =
      approach(f, event, direction, start.x, start.duration, rest, rest_of_steps);
  run.steps += near.steps;
  if (near.met) {
    run.t_hit = near.t;
    run.at_hit = near.x;
  }
  return near;
}

// The event where it lies between the last state of a run that did not meet it and its rest.
void look_near_rest(const flow& f, const overlap_event& event, crossing direction,
                    const linear_search& start, const integration_options& options, run_end& end,
                    escape_run& run) {
  if (!may_come_near(value_near_rest(f, event, end.rest), f, end.rest, end.last)) {
    return;
  }
  if (run.steps >= options.step_limit) {
    if (!value_near_rest(f, event, polished(f, end.rest)).rest_is_event()) {
      end.status = run_status::step_limit;
    }
    return;
  }
  const auto near = approach_rest(f, event, direction, start, options, end.rest, run);
  if (near && !near->met) {
    end.status = status_of(near->status);
  }
}

// The event of a run that met it so close to its rest that errors relative to the state show in the
// small difference from the rest.
void sharpen(const flow& f, const overlap_event& event, crossing direction,
             const linear_search& start, const integration_options& options,
             const equilibrium& found, escape_run& run) {
  // Heuristic: "late events have the accuracy of the tolerance, however late" passes with 1e-3.
  constexpr double close = 1e-2;
  if (distance(run.at_hit, found.x) > close * found.x.norm() || run.steps >= options.step_limit) {
    return;
  }
  approach_rest(f, event, direction, start, options, found, run);
}

// The exact state lies in the disc m² + s² <= 1: the nearest point of it is nearer to that than
// what errors have led out.
overlap_state into_disc(const overlap_state& x) {
  const double length = std::hypot(x.m, x.s);
  return length > 1.0 ? overlap_state{x.u, x.m / length, x.s / length} : x;
}

// No risk is below the labels' noise: what is so by the kernels' rounding is at it.
double risk_above_noise(const flow& f, double Q, double risk) {
  const double least = 0.5 * f.parameters().label_noise;
  const double power = f.task().risk.self_kernel().value(pair_covariance::diagonal(Q));
  return risk < least && least - risk <= zero_fraction * (power + least) ? least : risk;
}

void tell_end(const flow& f, const run_end& end, const outcome_classifier& classifier,
              escape_run& run) {
  run.at_end = into_disc(end.at_rest() ? end.rest.x : end.x);
  const field_overlaps o = fields(run.at_end, f.parameters());
  // At rest the overlaps are known better than the state has them: steep risks see its rounding.
  run.M_end = end.at_rest() ? end.rest.M : o.M;
  run.risk_end = std::numeric_limits<double>::quiet_NaN();
  run.status = end.status;
  run.result = outcome_without_rest(end.destination);
  try {
    run.risk_end = end.at_rest() ? risk_above_noise(f, end.rest.Q, end.rest.risk)
                                 : risk_above_noise(f, o.Q, f.risk(run.at_end));
    if (end.at_rest()) {
      const bool neutral = end.rest.kind == equilibrium_kind::neutral && !end.rest.corner;
      run.rate_end = neutral ? 0.0 : -end.rest.eigenvalues[0].real();
      run.result = classifier.classify(f, end.rest);
    }
  } catch (const error&) {
    run.status = run_status::no_convergence;
  }
}

}  // namespace

linear_search search_linearly(const flow& f, const overlap_state& x, double relative_tolerance) {
  const double size = linear_size(f, relative_tolerance);
  if (!(x.norm() < 0.1 * size)) {  // less than a decade is not worth it
    return {x, 0.0};
  }
  const lora_parameters& p = f.parameters();
  const search_phase_result phase = search_phase(f.task().risk, p);
  const double pull = std::hypot(phase.A, phase.C);
  if (phase.status != search_status::ok || !(pull > 0.0)) {
    return {x, 0.0};
  }
  // In the plane of u and the overlap along (A, C) the growing and the decaying solution.
  const double grow = phase.lambda;
  const double decay = p.rate_ratio * phase.B - grow;
  const double along = (phase.A * x.m + phase.C * x.s) / pull;
  const double across = (phase.A * x.s - phase.C * x.m) / pull;
  // α + β = u,  pull (α/grow + β/decay) = along.
  const double alpha = (along / pull - x.u / decay) / (1.0 / grow - 1.0 / decay);
  const double beta = x.u - alpha;
  const auto at = [&](double t) {
    const double a = alpha * std::exp(grow * t);
    const double b = beta * std::exp(decay * t);
    const double m = pull * (a / grow + b / decay);
    return overlap_state{a + b, (phase.A * m - phase.C * across) / pull,
                         (phase.C * m + phase.A * across) / pull};
  };
  const auto excess = [&](double t) { return std::log(at(t).norm() / size); };
  const double amplitude = std::abs(alpha) * std::hypot(1.0, pull / grow);
  if (!(amplitude > 0.0)) {
    return {x, 0.0};
  }
  double end = phase.tau * std::log(2.0 * size / amplitude);
  if (!(end > 0.0) || !(excess(0.0) < 0.0) || !(excess(end) > 0.0)) {
    return {x, 0.0};
  }
  std::uintmax_t iterations = 200;
  const auto bracket = boost::math::tools::toms748_solve(
      excess, 0.0, end, boost::math::tools::eps_tolerance<double>(), iterations);
  const double duration = 0.5 * (bracket.first + bracket.second);
  return {at(duration), duration};
}

escape_run escape(const flow& f, const overlap_state& x, const overlap_event& event,
                  const integration_options& options, const outcome_classifier& classifier,
                  run_extent extent) {
  event.validate();
  options.validate();
  validate_start(x);
  const std::array<ode_event<3>, 1> events{event_of(f, event, x)};
  if (met_by(events[0], x)) {
    throw argument_error("the event " + std::string(name_of(overlap_quantities, event.quantity)) +
                             " at " + number_text(event.at),
                         "met by the start", "one that the start does not meet");
  }

  escape_run run;
  run.tau = search_phase(f.task().risk, f.parameters()).tau;
  linear_search start = search_linearly(f, x, options.relative_tolerance);
  // An event so small that the linear search would run past it.
  if (met_by(events[0], start.x)) {
    start = {x, 0.0};
  }
  // Of a tiny start the usual absolute tolerance is not tiny: a thousandth of the relative one
  // there.
  integration_options careful = options;
  careful.absolute_tolerance =
      std::min(options.absolute_tolerance, 1e-3 * options.relative_tolerance * start.x.norm());
  const ode_system<3> system = system_of(f);
  rest_detector at_rest(f);
  const auto observer = [&](const dense_step<3>& step) { return !at_rest(step); };
  const auto first =
      integrate<3>(system, start.x.pack(), start.duration, careful, events, observer);
  run_end end = run_end_of(first, at_rest);
  run.steps = end.steps;
  const bool met = first.status == integration_status::event;
  if (met) {
    run.t_hit = first.t;
    run.at_hit = end.x;
  }
  try {
    if (met && extent == run_extent::to_rest) {
      const auto proved = classifier.proved_rest(f, end.x);
      end = proved ? run_end{proved->x, end.x,          first.t, run_destination::rest,
                             *proved,   run_status::ok, 0}
                   : end_after(f, end.x, first.t, options, run.steps);
      if (end.at_rest() && end.rest.kind == equilibrium_kind::sink) {
        sharpen(f, event, events[0].direction, start, careful, end.rest, run);
      }
    } else if (!met && end.at_rest()) {
      look_near_rest(f, event, events[0].direction, start, careful, end, run);
    }
  } catch (const effort_error&) {
    // What was found is kept.
    end.destination = run_destination::unknown;
    end.status = run_status::no_convergence;
  }
  tell_end(f, end, classifier, run);
  return run;
}

}  // namespace loradyn
