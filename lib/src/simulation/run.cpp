#include <loradyn/simulation/run.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <loradyn/error.hpp>
#include <loradyn/simulation/random.hpp>
#include <numeric>
#include <utility>
#include "simulation/bytes.hpp"
#include "simulation/chain.hpp"
#include "simulation/sgd.hpp"

namespace loradyn {
namespace detail {
namespace {

// How many steps of the plan's record are behind after `steps`.
std::size_t recorded_by(const simulation_plan& plan, std::uint64_t steps) {
  return static_cast<std::size_t>(std::upper_bound(plan.record.begin(), plan.record.end(), steps) -
                                  plan.record.begin());
}

bool is_finite(const simulated_state& state) {
  return std::isfinite(state.u) && std::isfinite(state.m) && std::isfinite(state.s);
}

// Whether it can be what run `run` has shown after `steps`.
bool shows(const run_result& result, std::uint64_t run, const simulation_plan& plan,
           std::uint64_t steps) {
  const auto within = [steps](const event_hit& hit) {
    return hit.step <= steps && is_finite(hit.state);
  };
  return result.run == run && result.hits.size() == plan.events.size() &&
         result.record.size() == recorded_by(plan, steps) && is_finite(result.last) &&
         std::all_of(result.hits.begin(), result.hits.end(), within) &&
         std::all_of(result.record.begin(), result.record.end(), is_finite);
}

// What one run of a pack has to show so far.
struct tracked_run {
  run_result result;
  bool active = true;
  std::vector<char> started_above;  // for each event: the start's value > level
};

template <class Engine>
class engine_pack final : public run_pack {
 public:
  engine_pack(const simulation_problem& problem, const simulation_plan& plan, std::uint64_t first,
              std::size_t count)
      : problem_(problem),
        plan_(plan),
        total_(problem.steps()),
        stage_end_(problem.stages.front().steps),
        engine_(problem, run_numbers(first, count), best_kernels()),
        runs_(count) {
    for (std::size_t lane = 0; lane < count; ++lane) {
      runs_[lane].result.run = first + lane;
      runs_[lane].result.hits.resize(plan.events.size());
      runs_[lane].started_above.resize(plan.events.size());
    }
  }

  std::uint64_t advance(std::uint64_t steps) override {
    if (!started_) {
      begin();
    }
    std::uint64_t taken = 0;
    while (taken < steps && !done()) {
      while (step_ >= stage_end_) {
        stage_end_ += problem_.stages[++stage_].steps;
        flip_if_asked();
      }
      const bool healthy = engine_.step(step_, stage_);
      if (!healthy) {
        end_diverged();
      }
      ++step_;
      ++taken;
      observe();
    }
    return taken;
  }

  [[nodiscard]] bool done() const override { return started_ && active_ == 0; }
  [[nodiscard]] std::uint64_t steps_taken() const override { return step_; }

  [[nodiscard]] std::vector<run_result> take_results() override {
    std::vector<run_result> results;
    for (tracked_run& run : runs_) {
      results.push_back(std::move(run.result));
    }
    return results;
  }

  [[nodiscard]] std::string save() const override {
    byte_writer out;
    out.put_flag(started_);
    out.put(step_);
    if (started_) {
      out.put_list(engine_.save());
      for (const tracked_run& run : runs_) {
        out.put_flag(run.active);
        write_result(out, run.result);
        out.put_list(run.started_above);
      }
    }
    return out.take();
  }

  bool restore(std::string_view saved) override {
    byte_reader in(saved);
    started_ = in.get_flag();
    step_ = in.get<std::uint64_t>();
    if (!started_) {
      return in.at_end() && step_ == 0;
    }
    if (step_ > total_ || !engine_.restore(in.get_list<double>(), step_)) {
      return false;
    }
    // The stage of the last step taken: what begins a later one is still to come.
    while (stage_end_ < step_) {
      stage_end_ += problem_.stages[++stage_].steps;
    }
    active_ = 0;
    for (tracked_run& run : runs_) {
      const std::uint64_t number = run.result.run;
      run.active = in.get_flag();
      run.result = read_result(in);
      run.started_above = in.get_list<char>();
      active_ += run.active ? 1U : 0U;
      const bool possible = run.active ? step_ < total_ && shows(run.result, number, plan_, step_)
                                       : run.result.steps <= step_ &&
                                             is_result_of(run.result, number, problem_, plan_);
      if (!in.good() || !possible || run.started_above.size() != plan_.events.size()) {
        return false;
      }
    }
    next_record_ = recorded_by(plan_, step_);
    return in.at_end();
  }

 private:
  static std::vector<std::uint64_t> run_numbers(std::uint64_t first, std::size_t count) {
    std::vector<std::uint64_t> numbers(count);
    std::iota(numbers.begin(), numbers.end(), first);
    return numbers;
  }

  void begin() {
    engine_.start();
    flip_if_asked();
    started_ = true;
    active_ = runs_.size();
    for (std::size_t lane = 0; lane < runs_.size(); ++lane) {
      const simulated_state state = engine_.state(lane);
      for (std::size_t i = 0; i < plan_.events.size(); ++i) {
        runs_[lane].started_above[i] =
            value_of(plan_.events[i].quantity, problem_, plan_, state) > plan_.events[i].level;
      }
    }
    observe();
  }

  void flip_if_asked() {
    if (problem_.stages[stage_].flips) {
      engine_.flip();
    }
  }

  // Ends the runs whose step has left the finite numbers, before the step is counted.
  void end_diverged() {
    for (std::size_t lane = 0; lane < runs_.size(); ++lane) {
      if (runs_[lane].active && !engine_.healthy(lane)) {
        end(lane, run_outcome::diverged, engine_.previous(lane));
      }
    }
  }

  void end(std::size_t lane, run_outcome outcome, const simulated_state& last) {
    tracked_run& run = runs_[lane];
    run.active = false;
    run.result.outcome = outcome;
    run.result.steps = step_;
    run.result.last = last;
    engine_.retire(lane);
    --active_;
  }

  void observe() {
    const bool recorded = next_record_ < plan_.record.size() && plan_.record[next_record_] == step_;
    next_record_ += recorded ? 1U : 0U;
    if (!recorded && plan_.events.empty() && step_ < total_) {
      return;
    }
    for (std::size_t lane = 0; lane < runs_.size(); ++lane) {
      tracked_run& run = runs_[lane];
      if (!run.active) {
        continue;
      }
      const simulated_state state = engine_.state(lane);
      if (recorded) {
        run.result.record.push_back(state);
      }
      const bool all_happened = look_for_events(run, state);
      if (step_ == total_) {
        end(lane, run_outcome::finished, state);
      } else if (plan_.stop_after_events && all_happened) {
        end(lane, run_outcome::stopped, state);
      }
    }
  }

  bool look_for_events(tracked_run& run, const simulated_state& state) {
    bool all_happened = true;
    for (std::size_t i = 0; i < plan_.events.size(); ++i) {
      event_hit& hit = run.result.hits[i];
      if (!hit.happened) {
        const simulation_event& event = plan_.events[i];
        const double value = value_of(event.quantity, problem_, plan_, state);
        const bool rising =
            event.direction == event_direction::rising ||
            (event.direction == event_direction::either && run.started_above[i] == 0);
        if (rising ? value >= event.level : value <= event.level) {
          hit = {.happened = true, .step = step_, .state = state};
        }
      }
      all_happened = all_happened && hit.happened;
    }
    return all_happened;
  }

  const simulation_problem& problem_;
  const simulation_plan& plan_;
  std::uint64_t total_;
  std::uint64_t step_ = 0;
  std::size_t stage_ = 0;
  std::uint64_t stage_end_;
  std::size_t next_record_ = 0;
  std::size_t active_ = 0;
  bool started_ = false;
  Engine engine_;
  std::vector<tracked_run> runs_;
};

}  // namespace

void write_result(byte_writer& out, const run_result& result) {
  out.put(result.run);
  out.put(static_cast<std::uint64_t>(result.outcome));
  out.put(result.steps);
  out.put(result.last);
  out.put(static_cast<std::uint64_t>(result.hits.size()));
  for (const event_hit& hit : result.hits) {
    out.put_flag(hit.happened);
    out.put(hit.step);
    out.put(hit.state);
  }
  out.put_list(result.record);
}

run_result read_result(byte_reader& in) {
  run_result result;
  result.run = in.get<std::uint64_t>();
  result.outcome = static_cast<run_outcome>(in.get<std::uint64_t>());
  result.steps = in.get<std::uint64_t>();
  result.last = in.get<simulated_state>();
  const auto hits = in.get<std::uint64_t>();
  for (std::uint64_t i = 0; i < hits && in.good(); ++i) {
    event_hit hit;
    hit.happened = in.get_flag();
    hit.step = in.get<std::uint64_t>();
    hit.state = in.get<simulated_state>();
    result.hits.push_back(hit);
  }
  result.record = in.get_list<simulated_state>();
  return result;
}

bool is_result_of(const run_result& result, std::uint64_t run, const simulation_problem& problem,
                  const simulation_plan& plan) {
  return result.steps <= problem.steps() && result.outcome <= run_outcome::diverged &&
         (result.outcome != run_outcome::finished || result.steps == problem.steps()) &&
         shows(result, run, plan, result.steps);
}

std::size_t pack_width(const simulation_problem& problem, simulation_engine engine) {
  return engine == simulation_engine::chain ? chain_engine::width(problem)
                                            : sgd_engine::width(problem);
}

std::unique_ptr<run_pack> make_pack(const simulation_problem& problem, simulation_engine engine,
                                    const simulation_plan& plan, std::uint64_t first,
                                    std::size_t count) {
  if (engine == simulation_engine::chain) {
    return std::make_unique<engine_pack<chain_engine>>(problem, plan, first, count);
  }
  return std::make_unique<engine_pack<sgd_engine>>(problem, plan, first, count);
}

}  // namespace detail

std::string_view name_of(run_outcome outcome) {
  switch (outcome) {
    case run_outcome::finished:
      return "finished";
    case run_outcome::stopped:
      return "stopped";
    case run_outcome::diverged:
      break;
  }
  return "diverged";
}

run_result replay_run(const simulation_problem& problem, simulation_engine engine,
                      const simulation_plan& plan, std::uint64_t run) {
  problem.validate();
  plan.validate(problem);
  if (run >= random_runs) {
    throw argument_error("run", fmt::format("{}", run), "below 2^32");
  }
  const auto pack = detail::make_pack(problem, engine, plan, run, 1);
  while (!pack->done()) {
    pack->advance(std::numeric_limits<std::uint64_t>::max());
  }
  return pack->take_results().front();
}

}  // namespace loradyn
