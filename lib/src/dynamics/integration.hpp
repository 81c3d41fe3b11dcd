#pragma once

/// \file
/// How `integrate` goes on, for states of any size. Internal to the dynamics room.

#include <algorithm>
#include <array>
#include <boost/math/tools/minima.hpp>
#include <boost/math/tools/toms748_solve.hpp>
#include <boost/numeric/odeint/stepper/runge_kutta_dopri5.hpp>
#include <cmath>
#include <cstdint>
#include <functional>
#include <limits>
#include <loradyn/dynamics/integrate.hpp>
#include <loradyn/error.hpp>
#include <loradyn/interruption.hpp>
#include <optional>
#include <span>
#include <utility>
#include <vector>

#include "decompositions.hpp"
#include "dynamics/extrapolated_euler.hpp"

namespace loradyn {
namespace detail {

namespace odeint = boost::numeric::odeint;

// Adds to that of this thread.
void add_to_thread(const integration_work& work) noexcept;

constexpr double epsilon = std::numeric_limits<double>::epsilon();

// Of a u of that size the square, 1e16, has no digit for a μ² of order 1.
constexpr double largest_state = 1e8;

template <std::size_t N>
using state = ode_state<N>;

template <std::size_t N>
double largest(const state<N>& x) {
  double value = 0.0;
  for (const double component : x) {
    value = std::isfinite(component) ? std::max(value, std::abs(component))
                                     : std::numeric_limits<double>::infinity();
  }
  return value;
}

// One attempted step of a method from x0, and the dense output over it.
template <std::size_t N>
class dormand_prince {
 public:
  dormand_prince(const ode_system<N>& system, const state<N>& shape)
      : x1(shape), velocity1(shape), system_(system), error_(shape), between_(shape) {}

  // As those of `extrapolated_euler`.
  template <class Ratio>
  double attempt(const state<N>& x0, const state<N>& velocity0, double h, const Ratio& ratio_of) {
    // As in Hairer's DOPRI5, but for a largest factor of 6 where he has 10. They decide the cost
    // alone: "both steppers agree".
    constexpr double safety = 0.9;
    constexpr double least_factor = 0.2;
    constexpr double largest_factor = 6.0;
    constexpr double error_order = 5.0;  // of h
    finish(x0, velocity0, h);
    length_ = h;
    const double ratio = ratio_of(error_, x1);
    const double proposal =
        ratio > 0.0 ? of_few_digits(safety * std::pow(ratio, -1.0 / error_order)) : largest_factor;
    next_ = h * std::clamp(proposal, least_factor, ratio > 1.0 ? 1.0 : largest_factor);
    return ratio;
  }

  [[nodiscard]] double next() const noexcept { return next_; }

  void finish(const state<N>& x0, const state<N>& velocity0, double t) {
    const auto f = [this](const state<N>& x, state<N>& dxdt, double) {
      ++work.velocities;
      dxdt = system_.velocity(x);
    };
    ++work.explicit_steps;
    stepper_.do_step(f, x0, velocity0, 0.0, x1, velocity1, t, error_);
    length_ = t;
  }

  const state<N>& at(const state<N>& x0, const state<N>& velocity0, double t) {
    stepper_.calc_state(t, between_, x0, velocity0, 0.0, x1, velocity1, length_);
    return between_;
  }

  state<N> x1;
  state<N> velocity1;
  integration_work work;

 private:
  const ode_system<N>& system_;
  state<N> error_;
  state<N> between_;
  double length_ = 0.0;  // of the step that x1 ends
  double next_ = 0.0;
  odeint::runge_kutta_dopri5<state<N>> stepper_;
};

// Where a step crosses an event, as a time from its beginning.
struct crossing_found {
  double time;
  double slope;  // of the event's value there
};

inline bool passes(double before, double after, crossing direction) {
  const bool rises = before < 0.0 && after >= 0.0;
  const bool falls = before > 0.0 && after <= 0.0;
  return (rises && direction != crossing::falling) || (falls && direction != crossing::rising);
}

// The first crossing of g over [0, h], looking between samples where |g| has a minimum.
template <class Function>
std::optional<crossing_found> first_crossing(const Function& g, double h, double at_begin,
                                             double at_end, crossing direction) {
  // A g that stays far from zero against its change over the step can't reach it in between: a
  // parabola passes its samples by an eighth of their range. Heuristic for what is narrower: the
  // dips of "a dip inside a step is not taken for far from zero" come to 1.0 of it at most.
  constexpr double far = 4.0;
  if (at_begin * at_end > 0.0) {
    const double middle = g(0.5 * h);
    const auto [least, most] = std::minmax({at_begin, middle, at_end});
    if (std::min(std::abs(least), std::abs(most)) > far * (most - least)) {
      return std::nullopt;
    }
  }
  // Heuristic: a dense output of fourth order has three extrema at most, each between some nine
  // samples ("two crossings in one step are not missed" passes with 4, not with 2).
  constexpr std::size_t parts = 8;
  struct sample {
    double t;
    double value;
  };
  std::array<sample, parts + 1> samples;
  for (std::size_t j = 0; j <= parts; ++j) {
    const double t = h * static_cast<double>(j) / static_cast<double>(parts);
    samples[j] = {t, j == 0 ? at_begin : (j == parts ? at_end : g(t))};
  }
  const auto root_between = [&](const sample& a, const sample& b) {
    double time = b.t;
    if (b.value != 0.0) {
      std::uintmax_t iterations = 100;
      const auto bracket = boost::math::tools::toms748_solve(
          g, a.t, b.t, a.value, b.value, boost::math::tools::eps_tolerance<double>(), iterations);
      time = 0.5 * (bracket.first + bracket.second);
    }
    // It steers `polished` alone: rounding makes 1e-12 of it, the curvature of g 1e-8.
    const double width = 1e-4 * h;
    const double left = std::max(0.0, time - width);
    const double right = std::min(h, time + width);
    return crossing_found{time, (g(right) - g(left)) / (right - left)};
  };
  for (std::size_t j = 0; j < parts; ++j) {
    const sample& a = samples[j];
    const sample& b = samples[j + 1];
    if (passes(a.value, b.value, direction)) {
      return root_between(a, b);
    }
    // A minimum of |g| about b may reach through zero and back.
    if (j + 2 <= parts && a.value * b.value > 0.0 && b.value * samples[j + 2].value > 0.0) {
      const sample& c = samples[j + 2];
      const double sign = b.value > 0.0 ? 1.0 : -1.0;
      if (sign * b.value <= sign * a.value && sign * b.value <= sign * c.value) {
        // 26 bits: a minimum is flat to the root of the rounding.
        const auto extremum = boost::math::tools::brent_find_minima(
            [&](double t) { return sign * g(t); }, a.t, c.t, 26);
        if (extremum.second < 0.0) {
          const sample turn{extremum.first, sign * extremum.second};
          if (passes(a.value, turn.value, direction)) {
            return root_between(a, turn);
          }
          if (passes(turn.value, c.value, direction)) {
            return root_between(turn, c);
          }
        }
      }
    }
  }
  return std::nullopt;
}

// The same of g that costs a step of its own, where a cheap g, of a few per cent, tells: whether it
// is far from zero, or passes it on its way from one end to the other without a turn. Where it
// doesn't, g itself does.
template <class Cheap, class Function>
std::optional<crossing_found> first_crossing(const Cheap& cheap, const Function& g, double h,
                                             double at_begin, double at_end, crossing direction) {
  constexpr std::size_t parts = 8;
  constexpr double far = 0.25;  // of the change over the step: several times the error of `cheap`
  std::array<double, parts + 1> value{};
  value.front() = at_begin;
  value.back() = at_end;
  for (std::size_t j = 1; j < parts; ++j) {
    value[j] = cheap(h * static_cast<double>(j) / static_cast<double>(parts));
  }
  const auto [least, most] = std::minmax_element(value.begin(), value.end());
  if (at_begin * at_end > 0.0) {
    const bool apart = *least * *most > 0.0 &&
                       std::min(std::abs(*least), std::abs(*most)) > far * (*most - *least);
    return apart ? std::nullopt : first_crossing(g, h, at_begin, at_end, direction);
  }
  const bool one_way =
      std::is_sorted(value.begin(), value.end()) || std::is_sorted(value.rbegin(), value.rend());
  return one_way ? first_crossing(cheap, h, at_begin, at_end, direction)
                 : first_crossing(g, h, at_begin, at_end, direction);
}

template <std::size_t N>
class integration {
 public:
  integration(const ode_system<N>& system, const state<N>& x0, double t0,
              const integration_options& options, std::span<const ode_event<N>> events,
              const std::function<bool(const dense_step<N>&)>& observer)
      : system_(system),
        options_(options),
        events_(events),
        observer_(observer),
        x_(x0),
        velocity_(system.velocity(x0)),
        t_(t0),
        explicit_(system, x0),
        stiff_(system, x0) {
    for (const ode_event<N>& e : events_) {
      event_values_.push_back(e.value(x_));
    }
    values_at_end_.resize(events_.size());
  }
  ~integration() {
    own_.rejected = result_.rejected;
    own_ += explicit_.work;
    own_ += stiff_.work;
    add_to_thread(own_);
  }
  integration(const integration&) = delete;
  integration& operator=(const integration&) = delete;

  integration_result<N> run() {
    result_.x = x_;
    result_.t = t_;
    for (std::size_t i = 0; i < events_.size(); ++i) {
      const double value = event_values_[i];
      const crossing direction = events_[i].direction;
      if ((direction == crossing::rising && value >= 0.0) ||
          (direction == crossing::falling && value <= 0.0) || value == 0.0) {
        result_.event = i;
        return ended(integration_status::event_at_start);
      }
    }
    if (!std::isfinite(largest<N>(velocity_))) {
      const bool is_none = std::any_of(velocity_.begin(), velocity_.end(),
                                       [](double component) { return std::isnan(component); });
      return ended(is_none ? integration_status::undefined : integration_status::blow_up);
    }
    if (!all_finite(event_values_)) {
      return ended(integration_status::undefined);
    }
    bool stiff = options_.method == stepper::stiff ||
                 (options_.method == stepper::automatic && stiff_at_start());
    h_ = first_step();
    for (;;) {
      const std::optional<integration_status> end =
          stiff ? steps_of(stiff_, true) : steps_of(explicit_, false);
      if (end) {
        return ended(*end);
      }
      stiff = !stiff;
    }
  }

 private:
  integration_result<N> ended(integration_status status) {
    result_.status = status;
    return result_;
  }

  [[nodiscard]] double jacobian_norm() {
    ++own_.jacobians;
    return system_.jacobian(x_).cwiseAbs().rowwise().sum().maxCoeff();
  }

  // The largest growth rate decides how long the solution takes, the largest rate how long a stable
  // explicit step is. The ratio decides what a run costs, not where it leads: at 60 a growth by
  // e^4 is 100 explicit steps, as much as the others take.
  [[nodiscard]] bool stiff_at_start() {
    constexpr double ratio = 60.0;
    ++own_.jacobians;
    const ode_matrix<N> j = system_.jacobian(x_);
    if (!j.allFinite()) {
      return false;
    }
    const double growth = eigenvalues_of(j).real().maxCoeff();
    return growth > 0.0 && j.cwiseAbs().rowwise().sum().maxCoeff() > ratio * growth;
  }

  [[nodiscard]] double first_step() const {
    const double speed = largest<N>(velocity_);
    const double remaining = options_.end_time - t_;
    if (speed == 0.0) {
      return std::min(remaining, 1.0);
    }
    // A guess, which the control of the error corrects.
    return std::min(remaining, 1e-3 * std::max(largest<N>(x_), 1e-10) / speed);
  }

  [[nodiscard]] double error_ratio(const state<N>& error, const state<N>& x1) const {
    double ratio = 0.0;
    for (std::size_t i = 0; i < x1.size(); ++i) {
      const double size = std::max(std::abs(x_[i]), std::abs(x1[i]));
      const double allowed = options_.absolute_tolerance + options_.relative_tolerance * size;
      const double error_i = std::abs(error[i]);
      if (!(error_i <= std::numeric_limits<double>::max())) {
        return std::numeric_limits<double>::infinity();
      }
      if (error_i > 0.0) {
        ratio = std::max(ratio, error_i / allowed);
      }
    }
    return ratio;
  }

  // Steps of one method until the integration ends, or until the other method is due: nothing then.
  template <class Method>
  std::optional<integration_status> steps_of(Method& method, bool is_stiff) {
    constexpr double least_factor = 0.2;  // where a step leads to what is not finite
    // Heuristic, of the cost alone ("both steppers agree"): explicit steps that stability limits
    // cost more than others after some fifty.
    constexpr std::size_t check_interval = 10;
    constexpr std::size_t patience = 5;
    std::size_t suspicions = 0;
    bool shrunk = false;  // since the last step that was accepted
    for (std::size_t count = 1;; ++count) {
      check_stop();
      if (result_.steps + result_.rejected >= options_.step_limit) {
        return integration_status::step_limit;
      }
      const double remaining = (options_.end_time - t_) - lag_;
      if (!(remaining > 0.0)) {
        return integration_status::end_time;
      }
      const bool last = h_ >= remaining;
      const double h = last ? remaining : h_;
      const double speed = largest<N>(velocity_);
      // A step that does not change the state is too small where errors have made it so. Where the
      // state rests it is none, and there is nothing to come but the end.
      if ((shrunk || std::isinf(options_.end_time)) && h * speed < epsilon * largest<N>(x_) &&
          !last) {
        if (undefined_ahead_) {
          return integration_status::undefined;
        }
        return speed > largest_state ? integration_status::blow_up
                                     : integration_status::step_underflow;
      }
      const double ratio = method.attempt(
          x_, velocity_, h,
          [this](const state<N>& error, const state<N>& x1) { return error_ratio(error, x1); });
      undefined_ahead_ = !std::isfinite(ratio) || !std::isfinite(largest<N>(method.x1)) ||
                         (ratio <= 1.0 && !(std::isfinite(largest<N>(method.velocity1)) &&
                                            events_exist_at(method.x1)));
      if (undefined_ahead_ || ratio > 1.0) {
        ++result_.rejected;
        shrunk = true;
        h_ = undefined_ahead_ ? least_factor * h : method.next();
        continue;
      }
      shrunk = false;
      const double next = method.next();
      if (const auto end = accept(method, h, last)) {
        return end;
      }
      if (!last || h == h_) {
        h_ = next;
      }
      if (largest<N>(x_) > largest_state) {
        return integration_status::blow_up;
      }
      if (last) {
        return integration_status::end_time;
      }
      if (options_.method == stepper::automatic && count % check_interval == 0) {
        // Stability limits an explicit step to about 3.3 over the largest rate, and one of the
        // others reaches further than ten of its steps long before: from 1. Where they are as short
        // as 0.2 of it there is no more to gain.
        const double reach = h * jacobian_norm();
        suspicions = (is_stiff ? reach < 0.2 : reach > 1.0) ? suspicions + 1 : 0;
        if (suspicions == patience) {
          return std::nullopt;
        }
      }
    }
  }

  static bool all_finite(const std::vector<double>& values) {
    return std::all_of(values.begin(), values.end(), [](double v) { return std::isfinite(v); });
  }

  // Evaluates the events at the end of a step.
  bool events_exist_at(const state<N>& x) {
    bool finite = true;
    for (std::size_t i = 0; i < events_.size(); ++i) {
      const double value = events_[i].value(x);
      values_at_end_[i] = value;
      finite = finite && std::isfinite(value);
    }
    return finite;
  }

  // Moves on to the end of a step that the method has made, or to the first event inside it.
  template <class Method>
  std::optional<integration_status> accept(Method& method, double h, bool last) {
    double length = h;
    std::optional<std::size_t> which;
    crossing_found first{};
    const auto dense = [&](double t) { return method.at(x_, velocity_, t); };
    for (std::size_t i = 0; i < events_.size(); ++i) {
      const auto g = [&](double t) { return events_[i].value(dense(t)); };
      const auto found = found_in(method, i, g, h);
      if (found && (!which || found->time < first.time)) {
        which = i;
        first = *found;
      }
    }
    if (which) {
      length = polished(method, events_[*which], first, h);
    }
    const double begin = t_ + lag_;
    advance(length);
    if (last && !which) {
      // The end to the last bit, for what is due there.
      t_ = options_.end_time;
      lag_ = 0.0;
    }
    ++result_.steps;
    bool go_on = true;
    if (observer_) {
      const double end = t_ + lag_;
      const auto at = [&](double t) { return dense(std::clamp(t - begin, 0.0, length)); };
      // A reference fits into std::function, the lambda itself would be allocated at every step.
      const dense_step<N> step{begin, end, x_, method.x1, method.velocity1, std::cref(at)};
      go_on = observer_(step);
    }
    x_ = method.x1;
    velocity_ = method.velocity1;
    std::swap(event_values_, values_at_end_);
    result_.x = x_;
    result_.t = t_ + lag_;
    if (which) {
      result_.event = *which;
      return integration_status::event;
    }
    return go_on ? std::nullopt : std::optional(integration_status::stopped);
  }

  template <class Function>
  std::optional<crossing_found> found_in(dormand_prince<N>&, std::size_t i, const Function& g,
                                         double h) {
    return first_crossing(g, h, event_values_[i], values_at_end_[i], events_[i].direction);
  }
  template <class Function>
  std::optional<crossing_found> found_in(extrapolated_euler<N>& method, std::size_t i,
                                         const Function& g, double h) {
    // Hermite's cubic through both ends.
    state<N> x = x_;
    const auto cheap = [&](double t) {
      const double s = t / h;
      const double r = 1.0 - s;
      for (std::size_t n = 0; n < x.size(); ++n) {
        x[n] = r * r * ((1.0 + 2.0 * s) * x_[n] + t * velocity_[n]) +
               s * s * ((1.0 + 2.0 * r) * method.x1[n] - (h - t) * method.velocity1[n]);
      }
      return events_[i].value(x);
    };
    return first_crossing(cheap, g, h, event_values_[i], values_at_end_[i], events_[i].direction);
  }

  // The step of the method itself that ends at the event, by steps along the slope at the crossing
  // of its dense output, and then along the secant. A change of a tenth of the step says that the
  // dense output is no guide.
  template <class Method>
  double polished(Method& method, const ode_event<N>& event, const crossing_found& found,
                  double longest) {
    constexpr int iterations = 8;      // from 1e-3 the secant's order of 1.6 reaches rounding in 5
    constexpr double resolved = 1e-8;  // of the step: below, a secant is of rounding
    double length = found.time;
    double slope = found.slope;
    double value_before = 0.0;
    double length_before = length;
    for (int iteration = 0; iteration < iterations; ++iteration) {
      method.finish(x_, velocity_, length);
      const double value = event.value(method.x1);
      if (std::abs(length - length_before) > resolved * longest) {
        slope = (value - value_before) / (length - length_before);
      }
      value_before = value;
      length_before = length;
      const double change = -value / slope;
      if (!(std::abs(change) > 4.0 * epsilon * length) || !(std::abs(change) < 0.1 * longest)) {
        return length;
      }
      length = std::clamp(length + change, 0.0, 1.01 * longest);
    }
    method.finish(x_, velocity_, length);
    return length;
  }

  // Time is kept as a sum of two, so that short steps count after a long search.
  void advance(double h) {
    const double sum = t_ + (h + lag_);
    lag_ = (h + lag_) - (sum - t_);
    t_ = sum;
  }

  const ode_system<N>& system_;
  const integration_options& options_;
  std::span<const ode_event<N>> events_;
  const std::function<bool(const dense_step<N>&)>& observer_;
  state<N> x_;
  state<N> velocity_;
  double t_;
  double lag_ = 0.0;
  double h_ = 0.0;
  bool undefined_ahead_ = false;  // the last step tried led to what is not finite
  std::vector<double> event_values_;
  std::vector<double> values_at_end_;
  dormand_prince<N> explicit_;
  extrapolated_euler<N> stiff_;
  integration_result<N> result_;
  integration_work own_{1, 0, 0, 0, 0};  // what the methods don't count: the velocity at the start
};

}  // namespace detail

template <std::size_t N>
integration_result<N> integrate(const ode_system<N>& system, const ode_state<N>& x0, double t0,
                                const integration_options& options,
                                std::span<const ode_event<N>> events,
                                const std::function<bool(const dense_step<N>&)>& observer) {
  options.validate();
  return detail::integration<N>(system, x0, t0, options, events, observer).run();
}

}  // namespace loradyn
