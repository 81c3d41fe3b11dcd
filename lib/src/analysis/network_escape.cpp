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

  // Goes on where the run comes near a rest that meets the event before it has met it itself.
  void await(const ode_event<any_dimension>& event) { awaited_ = &event; }
  void await_nothing() { awaited_ = nullptr; }

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
    // Below, what is left of the way is rounding, and an event that has not come does not come.
    constexpr double rounding = 1e-12;
    const bool awaits = awaited_ != nullptr && speed > rounding * fastest_;
    if (!awaits && flow_.parameters().noise_scale == 0.0 && speed < 0.1 * fastest_ &&
        has_learned(flow_, x, power_)) {
      learned_ = true;
      return false;
    }
    // Newton's method finds the rest itself: the way there only decides which one it is.
    constexpr double slow = 1e-2;
    constexpr double again = 0.1;
    if (speed <= slow * fastest_ && speed < again * tried_at_) {
      tried_at_ = speed;
      at_rest_ = rests_near(step.at_end, speed) &&
                 !(awaits && met_by(*awaited_, flow_, flow_.unpack(rest_)));
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
    // A Jacobian of differences of so many costs as many velocities as the steps that it saves,
    // some 300 of 265 numbers. Heuristic: "a network rests where its velocity is nothing, a large
    // one where little is left of it" fails with 20 and with 2000.
    constexpr std::size_t many = 200;
    if (x.size() > many) {
      rest_ = x;
      // What is left of the way is some 1e-8 of it, and of the risk's fall the square of that.
      // Heuristic: the same test fails with 1e-7, and takes twice the steps with 1e-9: "a network
      // rests where its velocity is nothing, a large one where little is left of it".
      constexpr double still = 1e-8;
      return speed <= still * fastest_;
    }
    // As for one neuron, but relative to states that may be large. Heuristic: "of a family of rests
    // a network's run ends at the one that the flow leads to" is off by 1e-6 with it, by 1.5e-4
    // with 1e-3.
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
  const ode_event<any_dimension>* awaited_ = nullptr;
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
  seen.await(events[0]);
  auto r = integrate_network(system, f.pack(x), 0.0, options, events, observer);
  seen.await_nothing();
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

namespace {

constexpr double nan = std::numeric_limits<double>::quiet_NaN();

// When the event comes after a start of U = 0 or along a mode, all of it in one adapter, by which
// of an event that the start meets there is none. Where all adapters share V's norm the others stay
// beside it.
class lone_run {
 public:
  lone_run(const network_flow& f, const network_overlap_event& event,
           const integration_options& options)
      : flow_(f.task(), f.geometry(), alone(f.parameters())), event_(event), options_(options) {
    event_.validate(flow_);
  }

  [[nodiscard]] double time_from(const Eigen::VectorXd& u, const Eigen::VectorXd& v,
                                 double square) const {
    network_state x = origin_of(flow_);
    x.U.col(0) = u;
    x.C.row(0) = v.transpose();
    x.P *= square;
    x.P(0, 0) -= v.squaredNorm();
    if (!(x.P(0, 0) >= 0.0) || met_by(event_of(flow_, event_, x), flow_, x)) {
      return nan;
    }
    integration_options careful = options_;
    careful.absolute_tolerance =
        std::min(options_.absolute_tolerance,
                 1e-3 * options_.relative_tolerance * std::hypot(u.norm(), v.norm()));
    return escape(flow_, x, event_, careful, run_extent::to_event).t_hit;
  }

 private:
  static network_parameters alone(network_parameters p) {
    p.rank = p.adapter == adapter_constraint::frobenius ? p.rank : 1;
    return p;
  }

  network_flow flow_;
  network_overlap_event event_;
  integration_options options_;
};

// |V_a|² of each adapter at the start.
double square_at_start(const network_parameters& p) {
  return p.adapter == adapter_constraint::frobenius ? 1.0 / static_cast<double>(p.rank) : 1.0;
}

// What of a start at t = 0 the flow of the search, whose rates move, has made by its end.
struct start_amplitude {
  Eigen::VectorXd v;      // along V's rows, of length 1: the start that grows most
  double variance = 0.0;  // of √d times the start along it, with what the noise adds on the way
  double mean = 0.0;      // over √d u0
};

// (14.16): the adjoint of (u/√κ, v), from the fastest mode at the end back to the start.
start_amplitude amplitude_over(const network_flow& f, double end) {
  const network_parameters& p = f.parameters();
  const Index width = f.geometry().width();
  const searching_readouts readouts(f);
  const double first = square_at_start(p);
  const double fading = p.adapter == adapter_constraint::free ? 2.0 * p.decay : 0.0;
  const bool moves = p.readout_ratio > 0.0;
  const auto matrix_at = [&, still = drive_at(f, readouts.at(0.0), 1.0)](double t) {
    network_drive drive = moves ? drive_at(f, readouts.at(t), 1.0) : still;
    drive.H *= first * std::exp(-fading * t);
    return searching_matrix(p, drive);
  };
  MatrixXd noise;
  if (p.noise_scale > 0.0) {
    noise = noise_at(f, readouts.at(0.0));
  }
  Eigen::SelfAdjointEigenSolver<MatrixXd> solver(matrix_at(end));
  const Index size = solver.eigenvalues().size();
  Eigen::VectorXd y = solver.eigenvectors().col(size - 1);
  // Steps are short at the start, where the readouts move; the exponential of the middle of each
  // has errors of its cube. With half as many the law moves by 1e-4 of its spread.
  constexpr int steps = 400;
  const auto time = [&](int i) { return end * std::pow(static_cast<double>(i) / steps, 2); };
  double added = 0.0;
  for (int i = steps; i > 0; --i) {
    const double length = time(i) - time(i - 1);
    const double middle = 0.5 * (time(i) + time(i - 1));
    solver.compute(matrix_at(middle));
    const auto& Q = solver.eigenvectors();
    const Eigen::ArrayXd& grown = (length * solver.eigenvalues().array()).exp();
    const Eigen::VectorXd before = Q * (grown * (Q.transpose() * y).array()).matrix();
    if (p.noise_scale > 0.0) {
      if (moves) {
        noise = noise_at(f, readouts.at(middle));
      }
      const auto rate = [&](const Eigen::VectorXd& at) {
        return at.head(width).dot(noise * at.head(width));
      };
      added += 0.5 * length * first * std::exp(-fading * middle) * (rate(y) + rate(before));
    }
    const double scale = before.norm();
    y = before / scale;
    added /= scale * scale;
  }
  const Eigen::VectorXd along = y.tail(size - width);
  const double square = along.squaredNorm();
  return {.v = along.normalized(),
          .variance = first + p.rate_ratio * p.noise_scale * added / square,
          .mean = std::abs(y.head(width).sum()) / std::sqrt(p.rate_ratio * square)};
}

// The law where the rates move while the search goes on: V fades, or the readouts train. Its times
// at three amplitudes are those of the whole flow.
void tell_moving(const network_flow& f, const lone_run& run, double u0, escape_law& law) {
  const Eigen::VectorXd none = Eigen::VectorXd::Zero(f.geometry().width());
  const double square = square_at_start(f.parameters());
  const double root = std::sqrt(law.dimension);
  double end = law.tau * std::log(root);
  // The first round shows how long the search is.
  for (int round = 0; round < 2; ++round) {
    const start_amplitude start = amplitude_over(f, end);
    law.variance = start.variance;
    law.mean_amplitude = start.mean * root * std::sqrt(law.degrees) * std::abs(u0);
    escape_law logarithm = law;  // its times are x = ½ log d - log|Z|
    logarithm.tau = 1.0;
    logarithm.nonlinear_time = 0.0;
    logarithm.bend = 0.0;
    const auto at = [&](double p) {
      const double x = logarithm.quantile(p);
      return std::pair{x, run.time_from(none, std::exp(-x) * start.v, square)};
    };
    const auto [x_early, early] = at(0.1);
    const auto [x_middle, middle] = at(0.5);
    const auto [x_late, late] = at(0.9);
    law.tau = (late - early) / (x_late - x_early);
    law.nonlinear_time = early - law.tau * x_early;
    law.bend = (middle - law.nonlinear_time - law.tau * x_middle) /
               ((x_middle - x_early) * (x_middle - x_late));
    law.bent_from = x_early;
    law.bent_to = x_late;
    if (!std::isfinite(early + middle + late) ||
        !(std::abs(law.bend) * (x_late - x_early) < law.tau)) {
      law.nonlinear_time = nan;
      return;
    }
    end = middle;
  }
}

}  // namespace

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
  const lone_run run(f, event, options);
  if (decays_while_searching(p) || p.readout_ratio > 0.0) {
    tell_moving(f, run, u0, law);
  } else {
    const double square = square_at_start(p);
    law.variance = square * mode.left_v.squaredNorm();
    if (p.noise_scale > 0.0) {
      law.variance += square * p.rate_ratio * p.rate_ratio * p.noise_scale *
                      mode.left_u.dot(noise_at_start(f) * mode.left_u) / (2.0 * mode.rate);
    }
    law.mean_amplitude =
        std::sqrt(dimension * law.degrees) * std::abs(mode.left_u.sum()) * std::abs(u0);
    // So small that its corrections are below the tolerance.
    constexpr double size = 1e-12;
    law.nonlinear_time =
        run.time_from(size * mode.u, size * mode.v, square) - law.tau * std::log(1.0 / size);
  }
  if (!std::isfinite(law.nonlinear_time)) {
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
