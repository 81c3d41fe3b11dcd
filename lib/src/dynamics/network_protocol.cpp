#include <algorithm>
#include <cmath>
#include <loradyn/dynamics/network_protocol.hpp>
#include <loradyn/effort.hpp>
#include <loradyn/error.hpp>
#include <loradyn/interruption.hpp>
#include <loradyn/number_text.hpp>
#include <string>
#include <utility>
#include "decompositions.hpp"

namespace loradyn {
namespace {

// Beyond it a state is taken to have blown up, as by the integrator.
constexpr double largest_state = 1e8;

bool is_bounded(const std::vector<double>& x) {
  return std::all_of(x.begin(), x.end(),
                     [](double component) { return std::abs(component) <= largest_state; });
}

// An integrator's errors may lead off the sphere, or to a Gram matrix that is none by as much.
network_state among_states(network_state x, adapter_constraint adapter) {
  const Eigen::SelfAdjointEigenSolver<Eigen::MatrixXd> modes(x.P);
  if (modes.eigenvalues()[0] < 0.0) {
    x.P = modes.eigenvectors() * modes.eigenvalues().cwiseMax(0.0).asDiagonal() *
          modes.eigenvectors().transpose();
    x.P = (0.5 * (x.P + x.P.transpose())).eval();
  }
  constexpr double rounding = 1e-13;  // of the few sums of squares that make a length
  const Eigen::VectorXd squares = x.S().diagonal();
  if (adapter == adapter_constraint::sphere &&
      !((squares.array() - 1.0).abs().maxCoeff() <= rounding)) {
    const Eigen::VectorXd shrink = squares.cwiseSqrt().cwiseInverse();
    x.C = (shrink.asDiagonal() * x.C).eval();
    x.P = (shrink.asDiagonal() * x.P * shrink.asDiagonal()).eval();
  }
  return x;
}

class network_execution {
 public:
  network_execution(const network_protocol& protocol, const std::vector<double>& times,
                    const integration_options& options,
                    const std::function<void(const network_training_point&)>& record)
      : protocol_(protocol),
        times_(times),
        options_(options),
        record_(record),
        x_(protocol.start) {}

  network_training_run run() {
    network_training_run run;
    run.complete = true;
    for (const network_tuning_stage& stage : protocol_.stages) {
      begin_ = t_;
      if (stage.flips) {
        x_.U = -x_.U;
      }
      integration_status status = integration_status::stopped;
      try {
        status = protocol_.learning_rate ? tune_by_map(stage) : tune(stage);
      } catch (const interrupted&) {
        t_ = std::max(t_, last_);
      } catch (const effort_error&) {
        t_ = std::max(t_, last_);
        status = integration_status::undefined;
      }
      run.stages.push_back({begin_, t_, status});
      if (status != integration_status::end_time && status != integration_status::event &&
          status != integration_status::event_at_start) {
        run.complete = false;
        break;
      }
      ++stage_;
    }
    run.end = among_states(std::move(x_), protocol_.stages[0].flow.parameters().adapter);
    return run;
  }

 private:
  // Tells what is due up to a time, by the state at any time before it.
  template <class State>
  void record_until(double end, const State& at) {
    for (; next_ < times_.size() && times_[next_] <= end; ++next_) {
      check_stop();
      last_ = times_[next_];
      if (record_) {
        record_({last_, stage_, at(last_)});
      }
    }
  }

  [[nodiscard]] double end_of(const network_tuning_stage& stage) const {
    return stage.duration ? std::min(options_.end_time, t_ + *stage.duration) : options_.end_time;
  }

  integration_status tune(const network_tuning_stage& stage) {
    const network_flow& f = stage.flow;
    std::vector<ode_event<any_dimension>> events;
    if (stage.until) {
      events.push_back(event_of(stage.told, *stage.until, x_));
    }
    integration_options options = options_;
    options.end_time = end_of(stage);
    record_until(t_, [&](double) { return x_; });
    const auto r = integrate_network(
        system_of(f), f.pack(x_), t_, options, events, [&](const dense_step<any_dimension>& step) {
          record_until(step.end, [&](double t) { return f.unpack(step.at(t)); });
          return true;
        });
    t_ = r.t;
    x_ = f.unpack(r.x);
    return r.status;
  }

  integration_status tune_by_map(const network_tuning_stage& stage) {
    const double eta = *protocol_.learning_rate;
    const double end = end_of(stage);
    const auto here = [&](double) { return x_; };
    std::optional<ode_event<any_dimension>> event;
    if (stage.until) {
      event = event_of(stage.told, *stage.until, x_);
      if (met_by(*event, stage.told, x_)) {
        record_until(t_, here);
        return integration_status::event_at_start;
      }
    }
    constexpr double slack = 1e-9;  // of a step: the last one may end this late
    for (std::size_t k = 1; k <= options_.step_limit; ++k) {
      check_stop();
      const double after = begin_ + eta * static_cast<double>(k);
      if (after > end + slack * eta) {
        record_until(end, here);
        t_ = end;
        return integration_status::end_time;
      }
      record_until(std::nextafter(after, begin_), here);
      network_state next = stage.flow.map(x_, eta);
      if (!is_bounded(stage.flow.pack(next))) {
        return integration_status::blow_up;
      }
      x_ = std::move(next);
      t_ = after;
      if (event && met_by(*event, stage.told, x_)) {
        record_until(t_, here);
        return integration_status::event;
      }
    }
    return integration_status::step_limit;
  }

  const network_protocol& protocol_;
  const std::vector<double>& times_;
  const integration_options& options_;
  const std::function<void(const network_training_point&)>& record_;
  network_state x_;
  double t_ = 0.0;
  double begin_ = 0.0;  // of the stage
  double last_ = 0.0;   // the last time told
  std::size_t stage_ = 0;
  std::size_t next_ = 0;
};

}  // namespace

void network_protocol::validate() const {
  if (stages.empty()) {
    throw argument_error("the number of stages", "0", "at least 1");
  }
  if (learning_rate && !(*learning_rate > 0.0 && std::isfinite(*learning_rate))) {
    throw argument_error("lr (the map's learning rate)", number_text(*learning_rate),
                         "finite and > 0");
  }
  for (std::size_t i = 0; i < stages.size(); ++i) {
    const network_tuning_stage& stage = stages[i];
    const std::string name = "stage " + std::to_string(i + 1);
    start.validate(stage.flow.geometry(), stage.flow.parameters());
    if (!stage.duration && !stage.until) {
      throw argument_error("the end of " + name, "open", "a duration or an event");
    }
    if (stage.duration && !(*stage.duration > 0.0)) {
      throw argument_error("the duration of " + name, number_text(*stage.duration),
                           "greater than 0");
    }
    if (stage.until) {
      stage.until->validate(stage.told);
    }
  }
}

network_training_run run_protocol(
    const network_protocol& protocol, const std::vector<double>& times,
    const integration_options& options,
    const std::function<void(const network_training_point&)>& record) {
  protocol.validate();
  if (!std::is_sorted(times.begin(), times.end())) {
    throw argument_error("the times", "not in order", "increasing");
  }
  return network_execution(protocol, times, options, record).run();
}

}  // namespace loradyn
