#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <loradyn/analysis/outcome.hpp>
#include <loradyn/effort.hpp>
#include <loradyn/error.hpp>
#include <mutex>
#include <numeric>
#include <optional>
#include <utility>

namespace loradyn {
namespace {

// Of E[g²]: a hundred times `zero_fraction`, the accuracy of the kernels with a margin.
constexpr double least_risk_tolerance = 1e-9;

bool stable(const equilibrium& e) {
  return e.kind == equilibrium_kind::sink || e.kind == equilibrium_kind::neutral;
}

// An equilibrium at `from` times the noise scale of f, followed as the noise scale moves to `to`
// times it; nothing where it ends. A move as long as `longest_move` may have led to another branch,
// and a branch that stops a step of 1/1024 has ended: heuristic ("with noise the target is the
// equilibrium that continues it" passes with moves of 0.02 and of 2).
std::optional<overlap_state> continued(const flow& f, overlap_state x, double from, double to) {
  constexpr double least_step = 1.0 / 1024.0;
  constexpr double longest_move = 0.2;
  const double gamma = f.parameters().noise_scale;
  double done = 0.0;
  double step = 0.125;
  while (done < 1.0) {
    const double next = std::min(1.0, done + step);
    lora_parameters p = f.parameters();
    p.noise_scale = (from + next * (to - from)) * gamma;
    const auto moved = nearest_rest(flow(f.task(), p), x, landscape_radius, 2.0 * longest_move);
    if (moved && distance(*moved, x) < longest_move) {
      x = *moved;
      done = next;
      step *= 2.0;
    } else if (step > least_step) {
      step *= 0.5;
    } else {
      return std::nullopt;
    }
  }
  return x;
}

}  // namespace

std::string_view to_string(outcome o) {
  switch (o) {
    case outcome::learned:
      return "learned";
    case outcome::unlearned:
      return "unlearned";
    case outcome::trapped:
      return "trapped";
    case outcome::diverging:
      return "diverging";
    case outcome::cycling:
      return "cycling";
    case outcome::searching:
      break;
  }
  return "searching";
}

std::string_view to_string(run_status status) {
  switch (status) {
    case run_status::ok:
      return "ok";
    case run_status::time_limit:
      return "time-limit";
    case run_status::step_limit:
      return "step-limit";
    case run_status::step_underflow:
      return "step-underflow";
    case run_status::blow_up:
      return "blow-up";
    case run_status::no_convergence:
      break;
  }
  return "no-convergence";
}

run_status status_of(integration_status status) {
  switch (status) {
    case integration_status::end_time:
      return run_status::time_limit;
    case integration_status::step_limit:
      return run_status::step_limit;
    case integration_status::step_underflow:
      return run_status::step_underflow;
    case integration_status::blow_up:
      return run_status::blow_up;
    case integration_status::undefined:
      return run_status::no_convergence;
    case integration_status::event:
    case integration_status::event_at_start:
    case integration_status::stopped:
      break;
  }
  return run_status::ok;
}

namespace {

double power_at(const std::array<double, 3>& x, const lora_parameters& p) {
  return fields(overlap_state::unpack(x), p).Q;
}

// The length of a velocity, without the care of std::hypot where its square neither overflows nor
// vanishes.
double length(const std::array<double, 3>& v) {
  const double square = v[0] * v[0] + v[1] * v[1] + v[2] * v[2];
  return square > 1e-280 && square < 1e280 ? std::sqrt(square) : std::hypot(v[0], v[1], v[2]);
}

}  // namespace

bool rest_detector::operator()(const dense_step<3>& step) {
  const lora_parameters& parameters = flow_.parameters();
  if (power_ < 0.0) {
    power_ = power_at(step.at_begin, parameters);
    bound_ = std::max(diverging_power, 4.0 * power_);
  }
  const double before = std::exchange(power_, power_at(step.at_end, parameters));
  if ((power_ > bound_ && power_ > before) ||
      (step.end >= next_mark_ && grows_by_decades(step.end))) {
    destination_ = run_destination::infinity;
    return true;
  }
  if (parameters.noise_scale > 0.0) {
    const bool was_rising = std::exchange(rising_, step.velocity_at_end[0] > 0.0);
    lowest_ = std::min(lowest_, step.at_begin[0]);
    if (was_rising && !rising_ && repeats(step)) {
      destination_ = run_destination::cycle;
      return true;
    }
  }
  // When Newton's method is worth a try: its own verdict does not depend on them.
  constexpr double slow = 1e-2;   // against the fastest so far
  constexpr double slower = 0.2;  // against the last attempt
  const double speed = length(step.velocity_at_end);
  fastest_ = std::max(fastest_, speed);
  if (speed > slow * fastest_ || (tried_at_ > 0.0 && speed > slower * tried_at_)) {
    return false;
  }
  tried_at_ = speed;
  return rests_at(overlap_state::unpack(step.at_end));
}

bool rest_detector::grows_by_decades(double t) {
  // From its first decade to its last what comes to rest like t^{-p} grows less by 10^{-5p}, below
  // a third from p = 0.1 on: "a weight that grows like the logarithm of time diverges, one that
  // slows down does not" has p = 0.2.
  constexpr double alike = 3.0;
  // Heuristic, over half of them: "He_3 unlearns below its critical alignment and learns above"
  // passes from 1e-4 to 0.1, not at 0.
  constexpr double least_growth = 1e-2;
  if (!(t > 0.0)) {
    return false;
  }
  next_mark_ = 10.0 * t;
  marks_.push_back({std::log(t), power_});
  if (marks_.size() <= diverging_decades) {
    return false;
  }
  const auto last = marks_.end() - 1;
  const auto first = last - static_cast<std::ptrdiff_t>(diverging_decades);
  double least = std::numeric_limits<double>::infinity();
  double most = 0.0;
  for (auto m = first; m != last; ++m) {
    const double slope = (m[1].power - m->power) / (m[1].log_time - m->log_time);
    least = std::min(least, slope);
    most = std::max(most, slope);
  }
  const double in_half = last->power - (last - diverging_decades / 2)->power;
  return least > 0.0 && most < alike * least && in_half > least_growth * last->power;
}

bool rest_detector::repeats(const dense_step<3>& step) {
  // Where u turns: to a thousandth of the step, of which u there has a millionth.
  constexpr int halvings = 10;
  double before = step.begin;
  double after = step.end;
  for (int i = 0; i < halvings; ++i) {
    const double middle = std::midpoint(before, after);
    (flow_.velocity(overlap_state::unpack(step.at(middle))).u > 0.0 ? before : after) = middle;
  }
  const overlap_state top = overlap_state::unpack(step.at(before));
  crests_.push_back({top, std::exchange(lowest_, top.u)});

  // Heuristic: what is closed to a thousandth of its range goes nowhere else ("runs beside the
  // birth of a closed orbit" passes with 1e-4, not with 1e-2); below the second, returns are the
  // integrator's errors.
  constexpr double closed = 1e-3;
  constexpr double standing = 1e-5;
  constexpr std::size_t most_crests = 4;  // of one orbit
  const std::size_t n = crests_.size();
  for (std::size_t p = 1; p <= most_crests && 2 * p < n; ++p) {
    const auto last = crests_.end() - 1;
    double range = 0.0;
    for (auto crest = crests_.end() - static_cast<std::ptrdiff_t>(p); crest != crests_.end();
         ++crest) {
      range = std::max(range, top.u - crest->depth);
    }
    const auto back = static_cast<std::ptrdiff_t>(p);
    const double now = distance(last->x, (last - back)->x);
    const double then = distance((last - back)->x, (last - 2 * back)->x);
    const bool converges = now < then && now * then <= closed * range * (then - now);
    if (converges || std::max(now, then) <= standing * range) {
      return true;
    }
  }
  return false;
}

bool rest_detector::rests_at(const overlap_state& x) {
  // The sink is where the flow leads if a ten-thousandth of its curvature is below the slowest
  // rate. Where an eigenvalue is zero, which of a family is reached is known to the distance alone.
  constexpr double near = 1e-4;
  constexpr double near_neutral = 1e-6;
  // Farther steps lead elsewhere, perhaps to where kernels are dear.
  constexpr double far = 1e3 * near;
  const double size = std::max(1.0, x.norm());
  try {
    const auto found = nearest_rest(flow_, x, landscape_radius, far * size);
    if (!found || distance(*found, x) > near * size) {
      return false;
    }
    rest_ = describe_equilibrium(flow_, *found);
  } catch (const error&) {
    return false;
  }
  if (!stable(rest_) ||
      (rest_.kind != equilibrium_kind::sink && distance(rest_.x, x) > near_neutral * size)) {
    return false;
  }
  destination_ = run_destination::rest;
  return true;
}

run_end run_end_of(const integration_result<3>& r, rest_detector& at_rest) {
  const overlap_state x = overlap_state::unpack(r.x);
  run_end end{x, x, r.t, at_rest.destination(), {}, status_of(r.status), r.steps + r.rejected};
  if (end.destination == run_destination::unknown && r.status != integration_status::event &&
      at_rest.rests_at(x)) {
    end.destination = run_destination::rest;
    end.status = run_status::ok;
  }
  if (end.at_rest()) {
    end.rest = at_rest.rest();
    end.x = end.rest.x;
  } else if (end.destination == run_destination::cycle) {
    end.x = at_rest.crest();
  }
  return end;
}

run_end follow_to_rest(const flow& f, const overlap_state& x, double t,
                       const integration_options& options) {
  rest_detector at_rest(f);
  const auto observer = [&](const dense_step<3>& step) { return !at_rest(step); };
  const auto r = integrate<3>(system_of(f), x.pack(), t, options, {}, observer);
  return run_end_of(r, at_rest);
}

namespace {

// The circle about the landscape.
struct rim {
  double radius = 0.0;
  double risk = -std::numeric_limits<double>::infinity();  // the least on it
  bool even = false;                                       // whether R(-M, Q) = R(M, Q)
};

bool is_even(const population_risk& risk) {
  constexpr double rounding = 1e-13;  // of the kernels, some hundred ε (docs/accuracy.md)
  constexpr std::array<double, 3> correlations{0.21, 0.57, 0.93};
  return std::all_of(correlations.begin(), correlations.end(), [&risk](double c) {
    const double plus = risk.value({c, 1.0, 1.0 - c * c}, 0.0);
    const double minus = risk.value({-c, 1.0, 1.0 - c * c}, 0.0);
    return std::abs(plus - minus) <= rounding * (plus + minus);
  });
}

}  // namespace

struct outcome_classifier::body {
  explicit body(const learning_task& t) : task(t) {
    const activation& g = task.risk.teacher();
    teacher_power = pair_kernel(g, g).value(pair_covariance::diagonal(1.0));
  }

  // Keeps the failure: found out once, not by every run.
  void find_points() {
    const effort_limit limit(row_effort);
    try {
      landscape = landscape_of(task.risk);
    } catch (const convergence_error& e) {
      failure = e;
    } catch (const effort_error& e) {
      failure = convergence_error(e.what());
    }
  }

  learning_task task;
  double teacher_power = 0.0;
  std::once_flag once;
  risk_landscape landscape;
  std::once_flag rim_once;
  rim edge;
  // Below a risk of -∞ there is nothing: where the landscape or its rim can't be found.
  const rim& rim_of_landscape() {
    std::call_once(once, [this] { find_points(); });
    std::call_once(rim_once, [this] {
      try {
        if (!failure) {
          edge = {landscape.radius, least_risk_on_circle(task.risk, landscape.radius),
                  is_even(task.risk)};
        }
      } catch (const convergence_error&) {
        edge = {};
      }
    });
    return edge;
  }

  std::optional<convergence_error> failure;
};

outcome_classifier::outcome_classifier(const learning_task& task)
    : body_(std::make_shared<body>(task)) {}

const std::vector<risk_critical_point>& outcome_classifier::critical_points() const {
  std::call_once(body_->once, [this] { body_->find_points(); });
  if (body_->failure) {
    throw convergence_error(*body_->failure);
  }
  return body_->landscape.points;
}

std::optional<equilibrium> outcome_classifier::proved_rest(const flow& f,
                                                           const overlap_state& x) const {
  const lora_parameters& p = f.parameters();
  const population_risk& risk = body_->task.risk;
  const bool closed = risk.self_kernel().closed() && risk.cross_kernel().closed();
  if (!closed || p.noise_scale != 0.0 || p.rate_ratio == 0.0 || x.u == 0.0) {
    return std::nullopt;
  }
  const rim& edge = body_->rim_of_landscape();
  const field_overlaps here = fields(x, p);
  const double own = risk.value(here, 0.0);
  // What rounding can't tell apart is not above.
  const auto above = [&](double other) {
    return own + least_risk_tolerance * (body_->teacher_power + std::abs(other)) < other;
  };
  // (8.2)
  if (!(here.Q < edge.radius * edge.radius) || !above(edge.risk) || !above(risk.value({}, 0.0)) ||
      !above(risk.value(fields({}, p), 0.0))) {
    return std::nullopt;
  }
  const auto& points = body_->landscape.points;
  const auto end = std::find_if(points.begin(), points.end(),
                                [&](const auto& point) { return above(point.risk); });
  const auto begin = points.begin();
  const auto count = end - begin;
  const bool mirrored = count == 2 && edge.even && begin->M != 0.0 &&
                        std::abs(begin[0].M + begin[1].M) <= 1e-9 * std::abs(begin->M);
  if ((count != 1 && !mirrored) || begin->gap != 0.0) {
    return std::nullopt;
  }
  // Across M = 0 an even risk would have a critical point that is lower than x.
  const risk_critical_point& least = mirrored && begin[0].M * here.M < 0.0 ? begin[1] : begin[0];
  auto rest = adapter_to(least, p);
  if (!rest || least.gap != 0.0) {
    return std::nullopt;
  }
  if (x.u < 0.0) {  // u can't pass 0, where the risk is that of w0
    rest = {-rest->u, -rest->m, -rest->s};
  }
  const equilibrium e = describe_equilibrium(f, *rest);
  return e.kind == equilibrium_kind::sink ? std::optional(e) : std::nullopt;
}

outcome outcome_classifier::classify(const flow& f, const equilibrium& rest) const {
  const lora_parameters& p = f.parameters();
  // Newton's method leaves a u that is zero at 1e-14.
  if (!stable(rest) || std::abs(rest.x.u) < 1e-9) {
    return outcome::searching;
  }
  // Beside w = ±w* the risk is known to the kernels' rounding, and the gap to 1e-16: of steep
  // students another minimum there may be as low as 6e-12 E[g²].
  constexpr double kernel_rounding = 1e-13;
  constexpr double beside = 1e-9;
  const bool along_teacher =
      std::abs(std::abs(rest.M) - 1.0) <= beside && std::abs(rest.Q - 1.0) <= beside;
  const double allowed =
      (along_teacher ? kernel_rounding : least_risk_tolerance) * body_->teacher_power;
  const double excess = rest.risk - 0.5 * p.label_noise;  // of a risk that can't be below it
  if (excess <= allowed) {
    return outcome::learned;
  }
  const std::vector<risk_critical_point>& points = critical_points();
  const auto is_least = [&](double quiet_excess) {
    return !points.empty() && quiet_excess <= points.front().risk + allowed;
  };
  if (p.noise_scale == 0.0) {
    if (is_least(excess)) {
      return outcome::learned;
    }
  } else if (p.rate_ratio == 0.0) {
    // The amplitude is the start's, not that of an adapter to the critical point.
    const auto quiet = continued(f, rest.x, 1.0, 0.0);
    if (quiet && is_least(f.risk(*quiet) - 0.5 * p.label_noise)) {
      return outcome::learned;
    }
  } else {
    const overlap_state mirrored{-rest.x.u, -rest.x.m, -rest.x.s};
    for (const risk_critical_point& point : points) {
      if (point.risk > points.front().risk + allowed) {
        break;
      }
      const auto quiet = adapter_to(point, p);
      const auto moved = quiet ? continued(f, *quiet, 0.0, 1.0) : std::nullopt;
      // Newton's method found both: as close as `is_new` of equilibria.cpp has one and the same.
      if (moved && std::min(distance(*moved, rest.x), distance(*moved, mirrored)) < 1e-6) {
        return outcome::learned;
      }
    }
  }
  constexpr double gone = 0.05;  // by definition (docs/theory.md, section 8)
  return std::abs(rest.M) <= gone * std::abs(p.alignment) ? outcome::unlearned : outcome::trapped;
}

}  // namespace loradyn
