#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <loradyn/dynamics/protocol.hpp>
#include <loradyn/effort.hpp>
#include <loradyn/error.hpp>
#include <loradyn/interruption.hpp>
#include <loradyn/number_text.hpp>
#include <span>
#include <string>

namespace loradyn {
namespace {

template <class... Functions>
struct overloaded : Functions... {
  using Functions::operator()...;
};
template <class... Functions>
overloaded(Functions...) -> overloaded<Functions...>;  // clang 14 deduces no aggregates

void require_positive(const std::optional<double>& value, const std::string& name) {
  if (value && !(*value > 0.0)) {
    throw argument_error(name, number_text(*value), "greater than 0");
  }
}

// A protocol in progress.
class execution {
 public:
  execution(const training_protocol& protocol, const std::vector<double>& times,
            const integration_options& options)
      : protocol_(protocol), times_(times), options_(options), x_(protocol.start) {
    parameters_.alignment = protocol.alignment;
    parameters_.misalignment = protocol.misalignment;
  }

  training_run run() {
    run_.complete = run_stages();
    run_.end = x_;
    run_.alignment = parameters_.alignment;
    run_.misalignment = parameters_.misalignment;
    return run_;
  }

 private:
  // Whether every stage ended by its duration or its event.
  bool run_stages() {
    for (const training_stage& stage : protocol_.stages) {
      const double begin = t_;
      ++stage_;
      integration_status status = integration_status::stopped;
      try {
        status = std::visit(
            overloaded{[this](const pretraining_stage& s) { return pretrain(s); },
                       [this](const tuning_stage& s) {
                         return protocol_.method == tuning_method::flow ? tune(s) : tune_by_map(s);
                       },
                       [this](const flip_stage&) {
                         x_.u = -x_.u;
                         return integration_status::end_time;
                       }},
            stage);
      } catch (const interrupted&) {
        keep_recorded();
      } catch (const effort_error&) {
        keep_recorded();
        status = integration_status::undefined;
      }
      run_.stages.push_back({begin, t_, status});
      if (status != integration_status::end_time && status != integration_status::event &&
          status != integration_status::event_at_start) {
        return false;
      }
    }
    return true;
  }

  // What was recorded before a stage was given up is kept.
  void keep_recorded() { t_ = run_.points.empty() ? t_ : std::max(t_, run_.points.back().t); }

  // Records the times up to `end`, with the stage's own functions of the time.
  template <class Point>
  void record_until(double end, const Point& point) {
    for (; next_ < times_.size() && times_[next_] <= end; ++next_) {
      check_stop();
      run_.points.push_back(point(times_[next_]));
    }
  }

  [[nodiscard]] integration_options ending_after(const std::optional<double>& duration) const {
    integration_options o = options_;
    o.end_time = duration ? std::min(options_.end_time, t_ + *duration) : options_.end_time;
    return o;
  }

  integration_status pretrain(const pretraining_stage& stage) {
    const pretraining_flow f(stage.task, stage.parameters);
    const auto point = [&](double t, const pretraining_state& y) {
      const lora_parameters p = f.fine_tuning(y);
      const double gap = p.misalignment * p.misalignment;
      return training_point{t, x_, p.alignment, p.alignment * p.alignment + gap, f.risk(y), stage_};
    };
    std::vector<ode_event<2>> events;
    if (stage.until_risk) {
      const double at = *stage.until_risk;
      events.push_back({[&f, at](const std::array<double, 2>& y) {
                          return f.risk(pretraining_state::unpack(y)) - at;
                        },
                        crossing::falling});
    }
    record_until(t_, [&](double t) { return point(t, stage.start); });
    const auto observer = [&](const dense_step<2>& step) {
      record_until(step.end,
                   [&](double t) { return point(t, pretraining_state::unpack(step.at(t))); });
      return true;
    };
    const auto r = integrate<2>(system_of(f), stage.start.pack(), t_, ending_after(stage.duration),
                                events, observer);
    t_ = r.t;
    parameters_ = f.fine_tuning(pretraining_state::unpack(r.x));
    return r.status;
  }

  [[nodiscard]] flow flow_of(const tuning_stage& stage) const {
    lora_parameters p = parameters_;
    p.noise_scale = stage.noise_scale;
    p.label_noise = stage.label_noise;
    p.rate_ratio = stage.rate_ratio;
    return {stage.task, p};
  }

  [[nodiscard]] training_point point_of(const flow& f, double t, const overlap_state& x) const {
    const field_overlaps o = fields(x, f.parameters());
    return {t, x, o.M, o.Q, f.risk(x), stage_};
  }

  integration_status tune(const tuning_stage& stage) {
    const flow f = flow_of(stage);
    std::vector<ode_event<3>> events;
    if (stage.until) {
      events.push_back(event_of(f, *stage.until, x_));
    }
    record_until(t_, [&](double t) { return point_of(f, t, x_); });
    const auto observer = [&](const dense_step<3>& step) {
      record_until(step.end,
                   [&](double t) { return point_of(f, t, overlap_state::unpack(step.at(t))); });
      return true;
    };
    const auto r =
        integrate<3>(system_of(f), x_.pack(), t_, ending_after(stage.duration), events, observer);
    t_ = r.t;
    x_ = overlap_state::unpack(r.x);
    return r.status;
  }

  integration_status tune_by_map(const tuning_stage& stage) {
    const flow f = flow_of(stage);
    const double eta = protocol_.learning_rate;
    const double begin = t_;
    const double end = ending_after(stage.duration).end_time;
    std::optional<ode_event<3>> event;
    if (stage.until) {
      event = event_of(f, *stage.until, x_);
      if (met_by(*event, x_)) {
        record_until(t_, [&](double t) { return point_of(f, t, x_); });
        return integration_status::event_at_start;
      }
    }
    constexpr double slack = 1e-9;  // of a step: the last one may end this late
    for (std::size_t k = 1; k <= options_.step_limit; ++k) {
      check_stop();
      const double after = begin + eta * static_cast<double>(k);
      if (after > end + slack * eta) {
        record_until(end, [&](double t) { return point_of(f, t, x_); });
        t_ = end;
        return integration_status::end_time;
      }
      record_until(std::nextafter(after, begin), [&](double t) { return point_of(f, t, x_); });
      const overlap_state next = f.map(x_, eta);
      constexpr double largest = 1e8;  // as the integrator's `largest_state`
      if (!next.finite() || next.norm() > largest) {
        return integration_status::blow_up;
      }
      x_ = next;
      t_ = after;
      if (event && met_by(*event, x_)) {
        record_until(t_, [&](double t) { return point_of(f, t, x_); });
        return integration_status::event;
      }
    }
    return integration_status::step_limit;
  }

  const training_protocol& protocol_;
  const std::vector<double>& times_;
  const integration_options& options_;
  overlap_state x_;
  lora_parameters parameters_;
  double t_ = 0.0;
  std::size_t stage_ = 0;
  std::size_t next_ = 0;
  training_run run_;
};

}  // namespace

void training_protocol::validate() const {
  validate_start(start);
  if (stages.empty()) {
    throw argument_error("the number of stages", "0", "at least 1");
  }
  if (method == tuning_method::map && !(learning_rate > 0.0 && std::isfinite(learning_rate))) {
    throw argument_error("lr (the map's learning rate)", number_text(learning_rate),
                         "finite and > 0");
  }
  for (std::size_t i = 0; i < stages.size(); ++i) {
    const std::string name = "stage " + std::to_string(i + 1);
    const auto require_end = [&name](bool has_end) {
      if (!has_end) {
        throw argument_error("the end of " + name, "open", "a duration or an event");
      }
    };
    std::visit(overloaded{[&](const pretraining_stage& s) {
                            if (i > 0) {
                              throw argument_error(name, "pre-training",
                                                   "fine-tuning: only the first may pre-train");
                            }
                            s.parameters.validate();
                            require_end(s.duration || s.until_risk);
                            require_positive(s.duration, "the duration of " + name);
                            if (!std::isfinite(s.start.a) || !(s.start.gap >= 0.0) ||
                                !std::isfinite(s.start.gap)) {
                              throw argument_error("the start of " + name, "out of range",
                                                   "a finite overlap and |w0|^2 >= its square");
                            }
                          },
                          [&](const tuning_stage& s) {
                            lora_parameters p;
                            p.alignment = alignment;
                            p.misalignment = misalignment;
                            p.noise_scale = s.noise_scale;
                            p.label_noise = s.label_noise;
                            p.rate_ratio = s.rate_ratio;
                            p.validate();
                            require_end(s.duration || s.until);
                            require_positive(s.duration, "the duration of " + name);
                            if (s.until) {
                              s.until->validate();
                            }
                          },
                          [&](const flip_stage&) {
                            if (i + 1 == stages.size()) {
                              throw argument_error(name, "a flip",
                                                   "followed by a stage that trains");
                            }
                          }},
               stages[i]);
  }
}

training_run run_protocol(const training_protocol& protocol, const std::vector<double>& times,
                          const integration_options& options) {
  protocol.validate();
  if (!std::is_sorted(times.begin(), times.end())) {
    throw argument_error("the times", "not in order", "increasing");
  }
  return execution(protocol, times, options).run();
}

}  // namespace loradyn
