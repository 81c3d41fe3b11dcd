#include <algorithm>
#include <boost/math/tools/toms748_solve.hpp>
#include <cmath>
#include <cstdint>
#include <loradyn/analysis/escape.hpp>
#include <loradyn/analysis/search_phase.hpp>
#include <loradyn/error.hpp>
#include <span>
#include <string>

namespace loradyn {

namespace {

// How small the overlaps are where the flow is linear to a tolerance. It is odd and smooth, so that
// its corrections are of the square of this size; where two kinks meet at gap = 0 they are of first
// order.
double linear_size(const flow& f, double tolerance) {
  const bool kinks_meet = !f.task().risk.student().kinks().empty() &&
                          !f.task().risk.teacher().kinks().empty() &&
                          f.parameters().misalignment == 0.0;
  return kinks_meet ? 0.1 * tolerance : 0.03 * std::sqrt(tolerance);
}

}  // namespace

linear_search search_linearly(const flow& f, const overlap_state& x, double relative_tolerance) {
  const double size = linear_size(f, relative_tolerance);
  if (!(x.norm() < 0.1 * size)) {
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
    throw argument_error(
        "the event " + std::string(to_string(event.quantity)) + " at " + std::to_string(event.at),
        "met by the start", "one that the start does not meet");
  }

  escape_run run;
  run.tau = search_phase(f.task().risk, f.parameters()).tau;
  linear_search start = search_linearly(f, x, options.relative_tolerance);
  // An event so small that the linear search would run past it.
  if (met_by(events[0], start.x)) {
    start = {x, 0.0};
  }
  // Of a tiny start the usual absolute tolerance is not tiny.
  integration_options careful = options;
  careful.absolute_tolerance =
      std::min(options.absolute_tolerance, 1e-3 * options.relative_tolerance * start.x.norm());
  const ode_system<3> system = system_of(f);
  rest_detector at_rest(f);
  const auto observer = [&](const dense_step<3>& step) { return !at_rest(step); };
  const auto first =
      integrate<3>(system, start.x.pack(), start.duration, careful, events, observer);
  run_end end = run_end_of(first, at_rest);
  run.steps = first.steps;
  if (first.status == integration_status::event) {
    run.t_hit = first.t;
    run.at_hit = end.x;
    if (extent == run_extent::to_rest) {
      // Newton's method finds the rest itself: of a sink the way there only decides which one it
      // is.
      constexpr double way_tolerance = 1e-7;
      integration_options loose = options;
      loose.relative_tolerance = std::max(loose.relative_tolerance, way_tolerance);
      const overlap_state from = end.x;
      end = follow_to_rest(f, from, first.t, loose);
      run.steps += end.steps;
      if (!end.at_rest || end.rest.kind != equilibrium_kind::sink) {
        end = follow_to_rest(f, from, first.t, options);
        run.steps += end.steps;
      }
    }
  }
  run.at_end = end.at_rest ? end.rest.x : end.x;
  run.M_end = fields(run.at_end, f.parameters()).M;
  run.risk_end = f.risk(run.at_end);
  run.result = end.at_rest ? classifier.classify(f, end.rest) : outcome::searching;
  run.status = end.status;
  return run;
}

}  // namespace loradyn
