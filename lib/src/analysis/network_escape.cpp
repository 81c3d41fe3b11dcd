#include <algorithm>
#include <array>
#include <boost/math/distributions/chi_squared.hpp>
#include <cmath>
#include <loradyn/analysis/network_escape.hpp>
#include <loradyn/error.hpp>
#include <loradyn/number_text.hpp>
#include <string>
#include <utility>
#include "analysis/network_drive.hpp"
#include "decompositions.hpp"

namespace loradyn {
namespace {

using Eigen::Index;
using Eigen::MatrixXd;
using step_type = dense_step<any_dimension>;

double largest(const std::vector<double>& x) {
  double value = 0.0;
  for (const double component : x) {
    value = std::max(value, std::abs(component));
  }
  return value;
}

// Half of E[y²], what a risk is small beside.
double power_of(const network_flow& f) {
  const network_geometry& g = f.geometry();
  network_geometry silent = g;
  network_state nothing{MatrixXd::Zero(g.width(), f.parameters().rank),
                        MatrixXd::Zero(f.parameters().rank, g.directions()),
                        MatrixXd::Identity(f.parameters().rank, f.parameters().rank),
                        Eigen::VectorXd::Zero(g.width())};
  return f.risk(nothing) - 0.5 * f.parameters().label_noise;
}

bool has_learned(const network_flow& f, const network_state& x, double power) {
  // As for one neuron: the least risk to 1e-9 of the teacher's power.
  constexpr double learned_part = 1e-9;
  return f.risk(x) - 0.5 * f.parameters().label_noise <= learned_part * 2.0 * power;
}

// What a run has come to, looked at after each step.
class watch {
 public:
  explicit watch(const network_flow& f, const network_state& x)
      : flow_(f),
        system_(system_of(f)),
        power_(power_of(f)),
        weight_(overlaps_of(f.geometry(), x).weights.diagonal().maxCoeff()) {}

  // Whether the run goes on.
  bool operator()(const step_type& step) {
    const network_state x = flow_.unpack(step.at_end);
    const double weight = overlaps_of(flow_.geometry(), x).weights.diagonal().maxCoeff();
    diverges_ = weight > std::max(diverging_power, 4.0 * weight_) && weight > last_weight_;
    last_weight_ = weight;
    if (diverges_) {
      return false;
    }
    const double speed = largest(step.velocity_at_end);
    fastest_ = std::max(fastest_, speed);
    // Looked at where the speed has fallen by a tenth since the last time.
    if (!(speed < 0.9 * asked_at_)) {
      asked_at_ = std::max(asked_at_, speed);
      tried_at_ = std::max(tried_at_, speed);
      return true;
    }
    asked_at_ = speed;
    if (flow_.parameters().noise_scale == 0.0 && speed < 0.1 * fastest_ &&
        has_learned(flow_, x, power_)) {
      learned_ = true;
      return false;
    }
    // Newton's method finds the rest itself: the way there only decides which one it is.
    constexpr double slow = 1e-2;
    constexpr double again = 0.1;
    if (speed <= slow * fastest_ && speed < again * tried_at_) {
      tried_at_ = speed;
      at_rest_ = rests_near(step.at_end, speed);
    }
    return !at_rest_;
  }

  [[nodiscard]] bool diverges() const { return diverges_; }
  [[nodiscard]] bool learned() const { return learned_; }
  [[nodiscard]] bool at_rest() const { return at_rest_; }
  [[nodiscard]] const std::vector<double>& rest() const { return rest_; }
  [[nodiscard]] double power() const { return power_; }

 private:
  // Whether an equilibrium that Newton's method finds within 1e-4 of x is stable; it is kept. Of a
  // family of equilibria, along which the Jacobian is singular, the nearest is found.
  bool rests_near(const std::vector<double>& x, double speed) {
    constexpr std::size_t many = 200;
    if (x.size() > many) {
      rest_ = x;
      // What is left of the way is some 1e-8 of it, and of the risk's fall the square of that.
      constexpr double still = 1e-8;
      return speed <= still * fastest_;
    }
    // As for one neuron, but relative to states that may be large.
    constexpr double near = 1e-4;
    // Differences are known to about 1e-6 of the largest rate.
    constexpr double flat = 1e-5;
    constexpr int iterations = 8;
    const auto n = static_cast<Index>(x.size());
    const Eigen::Map<const Eigen::VectorXd> begin(x.data(), n);
    const double allowed = near * (1.0 + begin.cwiseAbs().maxCoeff());
    std::vector<double> at = x;
    double rate = 0.0;
    for (int i = 0; i < iterations; ++i) {
      MatrixXd j = system_.jacobian(at);
      // What is frozen stays what it is.
      for (Index k = 0; k < n; ++k) {
        if (j.row(k).isZero(0.0)) {
          j.col(k).setZero();
        }
      }
      const std::vector<double> v = system_.velocity(at);
      const Eigen::Map<const Eigen::VectorXd> velocity(v.data(), n);
      if (!j.allFinite() || !velocity.allFinite()) {
        return false;
      }
      rate = j.cwiseAbs().rowwise().sum().maxCoeff();
      Eigen::Map<Eigen::VectorXd> now(at.data(), n);
      // What Newton's method reaches by a Jacobian of differences.
      constexpr double reached = 1e-9;
      if (velocity.cwiseAbs().maxCoeff() <= reached * rate * (1.0 + now.cwiseAbs().maxCoeff())) {
        if (eigenvalues_of(j).real().maxCoeff() > flat * rate) {
          return false;
        }
        // Beyond the cone of Gram matrices there are equilibria that no weights have.
        constexpr double beyond = 1e-9;
        const MatrixXd P = flow_.unpack(at).P;
        const Eigen::SelfAdjointEigenSolver<MatrixXd> gram(P, Eigen::EigenvaluesOnly);
        if (gram.eigenvalues()[0] < -beyond * std::max(1.0, P.trace())) {
          return false;
        }
        rest_ = at;
        return true;
      }
      now -= shortest_solution(j, velocity, flat);
      if (!((now - begin).cwiseAbs().maxCoeff() <= allowed)) {
        return false;
      }
    }
    return false;
  }

  const network_flow& flow_;
  ode_system<any_dimension> system_;
  double power_;
  double weight_;
  double last_weight_ = 0.0;
  double fastest_ = 0.0;
  double asked_at_ = 0.0;
  double tried_at_ = 0.0;
  bool diverges_ = false;
  bool learned_ = false;
  bool at_rest_ = false;
  std::vector<double> rest_;
};

run_status status_after(const integration_result<any_dimension>& r, const watch& seen) {
  return seen.diverges() || seen.learned() || seen.at_rest() ? run_status::ok : status_of(r.status);
}

// Whether a run learns from x when the noise is taken away.
bool learns_without_noise(const network_flow& f, const network_state& x,
                          const integration_options& options) {
  network_parameters quiet = f.parameters();
  quiet.noise_scale = 0.0;
  const network_flow g(f.task(), f.geometry(), quiet);
  watch seen(g, x);
  const std::function<bool(const step_type&)> observer = [&](const step_type& s) {
    return seen(s);
  };
  integrate_network(system_of(g), g.pack(x), 0.0, options, {}, observer);
  return seen.learned();
}

void tell_end(const network_flow& f, const network_state& start, const watch& seen,
              const integration_options& options, network_escape_run& run) {
  if (seen.diverges()) {
    run.result = outcome::diverging;
    return;
  }
  run.risk_end = f.risk(run.at_end);
  if (seen.learned() || has_learned(f, run.at_end, seen.power())) {
    run.result = outcome::learned;
  } else if (seen.at_rest()) {
    const double overlap = mean_overlap(overlaps_of(f.geometry(), run.at_end), false);
    const double before = mean_overlap(overlaps_of(f.geometry(), start), false);
    if (f.parameters().noise_scale > 0.0 && learns_without_noise(f, run.at_end, options)) {
      run.result = outcome::learned;
    } else {
      run.result = overlap <= 0.05 * before ? outcome::unlearned : outcome::trapped;
    }
  }
}

}  // namespace

network_escape_run escape(const network_flow& f, const network_state& x,
                          const network_overlap_event& event, const integration_options& options,
                          run_extent extent) {
  event.validate(f);
  options.validate();
  x.validate(f.geometry(), f.parameters());
  const std::array<ode_event<any_dimension>, 1> events{event_of(f, event, x)};
  if (met_by(events[0], f, x)) {
    throw argument_error("the event " +
                             std::string(name_of(network_overlap_quantities, event.quantity)) +
                             " at " + number_text(event.at),
                         "met by the start", "one that the start does not meet");
  }
  const ode_system<any_dimension> system = system_of(f);
  watch seen(f, x);
  const std::function<bool(const step_type&)> observer = [&](const step_type& s) {
    return seen(s);
  };
  auto r = integrate_network(system, f.pack(x), 0.0, options, events, observer);
  network_escape_run run;
  run.steps = r.steps + r.rejected;
  if (r.status == integration_status::event) {
    run.t_hit = r.t;
    run.at_hit = f.unpack(r.x);
    if (extent == run_extent::to_rest && !seen.learned() && !seen.at_rest() &&
        run.steps < options.step_limit) {
      integration_options left = options;
      left.step_limit -= run.steps;
      r = integrate_network(system, r.x, r.t, left, {}, observer);
      run.steps += r.steps + r.rejected;
    }
  }
  run.at_end = f.unpack(seen.at_rest() ? seen.rest() : r.x);
  run.t_end = r.t;
  run.status = status_after(r, seen);
  try {
    tell_end(f, x, seen, options, run);
  } catch (const convergence_error&) {
    run.status = run_status::no_convergence;
  }
  return run;
}

void require_law_event(const network_overlap_event& event, std::ptrdiff_t rank) {
  const bool tells_sign = event.quantity == network_overlap_quantity::m ||
                          event.quantity == network_overlap_quantity::U;
  if (event.is_signed && tells_sign) {
    throw argument_error("the event of the law", "signed in m or U",
                         "the same for both signs of the start");
  }
  // Of several adapters none has an escape of its own: how |Z| falls to them differs from run to
  // run.
  const bool of_one = event.quantity == network_overlap_quantity::m ||
                      event.quantity == network_overlap_quantity::U ||
                      event.quantity == network_overlap_quantity::S;
  if (of_one && rank > 1) {
    throw argument_error("the event of the law",
                         std::string(name_of(network_overlap_quantities, event.quantity)),
                         "M or a risk, the same for all adapters, where the rank is more than 1");
  }
}

// (14.10)
escape_law law_of_escape(const network_flow& f, const network_overlap_event& event,
                         double dimension, double u0, const integration_options& options) {
  if (!(dimension >= 3.0) || !std::isfinite(dimension)) {
    throw argument_error("dim", number_text(dimension), "at least 3");
  }
  if (!std::isfinite(u0)) {
    throw argument_error("u0", number_text(u0), "finite");
  }
  require_law_event(event, f.parameters().rank);
  const network_parameters& p = f.parameters();
  const network_search_result search = network_search(f);
  escape_law law;
  law.dimension = dimension;
  law.degrees = static_cast<double>(p.rank);
  if (search.modes.empty()) {
    law.tau = std::numeric_limits<double>::quiet_NaN();
    law.status = law_status::no_instability;
    return law;
  }
  const network_mode& mode = search.modes.front();
  law.tau = 1.0 / mode.rate;
  if (decays_while_searching(p)) {
    law.status = law_status::decays;
    return law;
  }
  const double square = searching_square(p);
  law.variance = square * mode.left_v.squaredNorm();
  if (p.noise_scale > 0.0) {
    law.variance += square * p.rate_ratio * p.rate_ratio * p.noise_scale *
                    mode.left_u.dot(noise_at_start(f) * mode.left_u) / (2.0 * mode.rate);
  }
  law.mean_amplitude =
      std::sqrt(dimension * law.degrees) * std::abs(mode.left_u.sum()) * std::abs(u0);

  // One adapter along the mode, so small that its corrections are below the tolerance.
  // Where all adapters share V's norm the others stay beside it.
  network_parameters along = p;
  along.rank = p.adapter == adapter_constraint::frobenius ? p.rank : 1;
  const network_flow one(f.task(), f.geometry(), along);
  // As for one neuron: the linear search takes it to where its corrections are below the tolerance.
  constexpr double size = 1e-12;
  network_state small = origin_of(one);
  small.U.col(0) = size * mode.u;
  small.C.row(0) = size * mode.v.transpose();
  small.P *= square;
  small.P(0, 0) -= small.C.squaredNorm();
  event.validate(one);
  const ode_event<any_dimension> crossing = event_of(one, event, small);
  if (met_by(crossing, one, small)) {
    law.status = law_status::no_escape;
    return law;
  }
  integration_options careful = options;
  careful.absolute_tolerance =
      std::min(options.absolute_tolerance, 1e-3 * options.relative_tolerance * size);
  const network_escape_run run = escape(one, small, event, careful, run_extent::to_event);
  law.nonlinear_time = run.t_hit - law.tau * std::log(1.0 / size);
  if (!std::isfinite(run.t_hit)) {
    law.status = law_status::no_escape;
    return law;
  }
  // As for one neuron: beyond 0.3 the flow's corrections are a tenth.
  constexpr double linear_reach = 0.3;
  const double exceeded =
      boost::math::quantile(boost::math::complement(boost::math::chi_squared(law.degrees), 0.05));
  const double large =
      std::sqrt((law.variance * exceeded + law.mean_amplitude * law.mean_amplitude) / dimension);
  law.status = large > linear_reach ? law_status::small_dimension : law_status::ok;
  // By definition: the second mode's amplitude is a tenth of the first's at the escape.
  constexpr double leading = 0.1;
  if (search.modes.size() > 1) {
    const double ratio = search.modes[1].rate / mode.rate;
    if (std::pow(dimension, 0.5 * (ratio - 1.0)) > leading) {
      law.status = law_status::several_modes;
    }
  }
  return law;
}

}  // namespace loradyn
