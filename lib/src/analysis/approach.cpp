#include "analysis/approach.hpp"
#include <algorithm>
#include <array>
#include <cmath>
#include <loradyn/error.hpp>
#include <span>
#include "decompositions.hpp"
#include "nan.hpp"

namespace loradyn {
namespace {

constexpr double epsilon = std::numeric_limits<double>::epsilon();

overlap_state sum(const overlap_state& a, const overlap_state& b) {
  return {a.u + b.u, a.m + b.m, a.s + b.s};
}

overlap_state difference(const overlap_state& a, const overlap_state& b) {
  return {a.u - b.u, a.m - b.m, a.s - b.s};
}

double size_of(const equilibrium& rest) { return std::max(rest.x.norm(), epsilon); }

// R at x + d less R at x, by a Gauss rule along the straight line between them: the integrand is of
// the size of the result, and of degree one in d where the risk is quadratic.
double risk_change(const flow& f, const overlap_state& x, const overlap_state& d) {
  const double spread = 0.5 * std::sqrt(0.6);
  const std::array<std::array<double, 2>, 3> rule{
      {{0.5 - spread, 5.0 / 18.0}, {0.5, 8.0 / 18.0}, {0.5 + spread, 5.0 / 18.0}}};
  const auto& [mu, nu, gamma, noise, kappa] = f.parameters();
  double change = 0.0;
  for (const auto& [part, weight] : rule) {
    const overlap_state y{x.u + part * d.u, x.m + part * d.m, x.s + part * d.s};
    const risk_gradient r = f.task().risk.gradient(fields(y, f.parameters()));
    const double M_change = y.u * d.m + y.m * d.u;
    const double Q_change = 2.0 * ((mu * y.m + nu * y.s + y.u) * d.u + y.u * (mu * d.m + nu * d.s));
    change += weight * (r.M * M_change + r.Q * Q_change);
  }
  return change;
}

// How much larger than its start the linearised approach may become: the condition of the
// Jacobian's eigenvectors.
double transient_growth(const flow& f, const overlap_state& rest) {
  const Eigen::EigenSolver<Eigen::MatrixXd> solver(Eigen::MatrixXd(f.jacobian(rest)));
  if (solver.info() != Eigen::Success) {
    return std::numeric_limits<double>::infinity();
  }
  const Eigen::Matrix3cd vectors = solver.eigenvectors();
  const Eigen::JacobiSVD<Eigen::Matrix3cd> svd(vectors);
  return svd.singularValues()[0] / svd.singularValues()[2];
}

}  // namespace

equilibrium polished(const flow& f, const equilibrium& rest) {
  constexpr int steps = 4;  // each squares the error: from 1e-2 three reach rounding, and one more
  constexpr double singular = 1e-10;  // as in `nearest_rest`
  equilibrium best = rest;
  try {
    overlap_state v = f.velocity(rest.x);
    for (int i = 0; i < steps; ++i) {
      const Eigen::Vector3d step =
          -shortest_solution(f.jacobian(best.x), Eigen::Vector3d(v.u, v.m, v.s), singular);
      const overlap_state next = sum(best.x, {step[0], step[1], step[2]});
      const overlap_state velocity = f.velocity(next);
      if (!(velocity.norm() < v.norm())) {
        break;
      }
      best = describe_equilibrium(f, next);
      v = velocity;
    }
  } catch (const convergence_error&) {
    return rest;
  }
  return best.kind == rest.kind ? best : rest;
}

value_near_rest::value_near_rest(const flow& f, const overlap_event& event, const equilibrium& rest)
    : flow_(f), event_(event), rest_(rest.x) {
  const double mu = f.parameters().alignment;
  double rounding = 4.0 * epsilon;
  switch (event.quantity) {
    case overlap_quantity::m:
      at_rest_ = rest.x.m;
      break;
    case overlap_quantity::M:
      at_rest_ = mu + rest.x.u * rest.x.m;
      rounding *= std::abs(mu) + std::abs(rest.x.u * rest.x.m);
      break;
    case overlap_quantity::risk: {
      const pair_covariance own = pair_covariance::diagonal(rest.Q);
      const population_risk& risk = f.task().risk;
      const double floor = 0.5 * f.parameters().label_noise;  // no risk is below it
      constexpr double of_kernels = 1e-13;  // their rounding, some hundred ε (docs/accuracy.md)
      rounding = of_kernels * (std::abs(rest.risk) + risk.self_kernel().value(own));
      at_rest_ = rest.risk - floor <= rounding ? floor : rest.risk;
      // A target has its risk exactly.
      rounding = at_rest_ == floor ? 4.0 * epsilon * floor : rounding;
      break;
    }
  }
  const bool absolute = event.quantity != overlap_quantity::risk && !event.is_signed;
  const double there = absolute ? std::abs(at_rest_) : at_rest_;
  rest_is_event_ = std::abs(there - event.at) <= rounding;
}

double value_near_rest::change(const overlap_state& d) const {
  switch (event_.quantity) {
    case overlap_quantity::m:
      return d.m;
    case overlap_quantity::M:
      return rest_.u * d.m + rest_.m * d.u + d.u * d.m;
    case overlap_quantity::risk:
      break;
  }
  return risk_change(flow_, rest_, d);
}

double value_near_rest::operator()(const overlap_state& d) const {
  try {
    const double changed = change(d);
    const bool absolute = event_.quantity != overlap_quantity::risk && !event_.is_signed;
    if (!absolute) {
      return (at_rest_ - event_.at) + changed;
    }
    const double sign = at_rest_ < 0.0 ? -1.0 : 1.0;
    return sign * changed >= -std::abs(at_rest_) ? (std::abs(at_rest_) - event_.at) + sign * changed
                                                 : std::abs(at_rest_ + changed) - event_.at;
  } catch (const convergence_error&) {
    return nan;
  }
}

bool may_come_near(const value_near_rest& value, const flow& f, const equilibrium& rest,
                   const overlap_state& x) {
  if (value.rest_is_event()) {
    // What is met on the way there was met by the integration; a quantity that comes from the other
    // side has no value to pass.
    return false;
  }
  // √3 for what lies between the axes, and the rest for what the linear flow leaves out: more costs
  // runs, and no result. Heuristic: "an event is looked for near a rest to several swings of the
  // flow, and no farther" passes from 3 to 29.
  constexpr double margin = 10.0;
  const double there = value({});
  const double here = value(difference(x, rest.x));
  const double reach = distance(x, rest.x);
  double swing = std::abs(here - there);
  for (const double d : {-reach, reach}) {
    for (const overlap_state& e : {overlap_state{d, 0, 0}, {0, d, 0}, {0, 0, d}}) {
      swing = std::max(swing, std::abs(value(e) - there));
    }
  }
  return std::signbit(here) != std::signbit(there) ||
         !(std::abs(there) > margin * transient_growth(f, rest.x) * swing);
}

approach_end approach(const flow& f, const overlap_event& event, crossing direction,
                      const overlap_state& start, double t, const equilibrium& rest,
                      const integration_options& options) {
  // Heuristic: "events close to rest come when they were computed elsewhere to come" passes with
  // near from 0.03 to 0.3, not with 0.01, and with linear from 1e-9 to 1e-6, not with 1e-5.
  constexpr double near = 0.1;
  constexpr double linear = 1e-7;
  constexpr double gone = 1e-10;  // of that: below the rounding of the rest
  const double size = size_of(rest);
  const value_near_rest value(f, event, rest);
  approach_end end;
  integration_options o = options;
  // Runs on, within what is left of the steps; true where that is at the second event, the
  // distance.
  const auto goes_on = [&](const ode_system<3>& system, std::array<double, 3>& x,
                           const std::array<ode_event<3>, 2>& events) {
    if (end.steps >= options.step_limit) {
      end.status = integration_status::step_limit;
      return false;
    }
    o.step_limit = options.step_limit - end.steps;
    const auto r = integrate<3>(system, x, t, o, events);
    end.steps += r.steps + r.rejected;
    end.status = r.status;
    t = r.t;
    x = r.x;
    const bool at_event =
        r.status == integration_status::event || r.status == integration_status::event_at_start;
    end.met = at_event && r.event == 0;
    return at_event && r.event == 1;
  };
  const auto met_at = [&](const overlap_state& x) {
    end.t = t;
    end.x = x;
    return end;
  };

  std::array<double, 3> x = start.pack();
  const ode_event<3> met{event_of(f, event, start).value, direction};
  const ode_event<3> comes_near{[&](const std::array<double, 3>& y) {
                                  return distance(overlap_state::unpack(y), rest.x) - near * size;
                                },
                                crossing::falling};
  if (!goes_on(system_of(f), x, {met, comes_near})) {
    return end.met ? met_at(overlap_state::unpack(x)) : end;
  }

  // About the rest, where the velocity's own error is taken off. What its rounding amounts to is no
  // error of a step.
  const ode_system<3> own = system_of(f);
  const std::array<double, 3> at_rest = own.velocity(rest.x.pack());
  const auto from_rest = [&](const std::array<double, 3>& d) {
    return sum(rest.x, overlap_state::unpack(d)).pack();
  };
  const ode_system<3> about{
      [&](const std::array<double, 3>& d) {
        std::array<double, 3> v = own.velocity(from_rest(d));
        for (std::size_t i = 0; i < v.size(); ++i) {
          v[i] -= at_rest[i];
        }
        return v;
      },
      [&](const std::array<double, 3>& d) { return own.jacobian(from_rest(d)); }};
  const ode_event<3> met_about{
      [&](const std::array<double, 3>& d) { return value(overlap_state::unpack(d)); }, direction};
  const Eigen::Matrix3d j = f.jacobian(rest.x);
  // Where eigenvalues are zero the run comes to another member of the family: it is near when it
  // moves as slowly as one of the slowest other would at that distance.
  double slowest = 0.0;
  for (const auto& v : rest.eigenvalues) {
    const double rate = std::abs(v.real());
    if (rate > 1e-10 * j.cwiseAbs().maxCoeff() && (slowest == 0.0 || rate < slowest)) {
      slowest = rate;
    }
  }
  slowest = slowest > 0.0 ? slowest : 1.0;
  const bool sink = rest.kind == equilibrium_kind::sink;
  const ode_event<3> comes_closer{
      [&](const std::array<double, 3>& d) {
        const double left = sink ? overlap_state::unpack(d).norm()
                                 : overlap_state::unpack(about.velocity(d)).norm() / slowest;
        return left - linear * size;
      },
      crossing::falling};
  x = difference(overlap_state::unpack(x), rest.x).pack();
  o.absolute_tolerance = 0.25 * epsilon * size;
  if (!goes_on(about, x, {met_about, comes_closer})) {
    return end.met ? met_at(sum(rest.x, overlap_state::unpack(x))) : end;
  }

  // By the linearised flow, in units of the distance.
  const double unit = linear * size;
  const auto unpacked = [unit](const std::array<double, 3>& y) {
    return overlap_state{unit * y[0], unit * y[1], unit * y[2]};
  };
  const auto pushed = [&j](const std::array<double, 3>& y) {
    const Eigen::Vector3d v = j * Eigen::Vector3d(y[0], y[1], y[2]);
    return std::array<double, 3>{v[0], v[1], v[2]};
  };
  const ode_system<3> linearised{pushed, [&j](const std::array<double, 3>&) { return j; }};
  const ode_event<3> met_by_linear{
      [&](const std::array<double, 3>& y) { return value(unpacked(y)); }, direction};
  const ode_event<3> is_gone{[&](const std::array<double, 3>& y) {
                               return overlap_state::unpack(pushed(y)).norm() / slowest - gone;
                             },
                             crossing::falling};
  for (double& component : x) {
    component /= unit;
  }
  o.absolute_tolerance = 1e-3 * gone * options.relative_tolerance;
  goes_on(linearised, x, {met_by_linear, is_gone});
  return end.met ? met_at(sum(rest.x, unpacked(x))) : end;
}

}  // namespace loradyn
