#pragma once

/// \file
/// Packs of runs of either kind of simulation, on either of its engines, and their bytes. Internal
/// to the simulation room.
///
/// A kind is a struct of types and static functions: its stages, the value of a quantity, whether
/// a state can be one, a state as bytes and back, its configuration, and what memory it takes.

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <loradyn/interruption.hpp>
#include <loradyn/simulation/batch.hpp>
#include <loradyn/simulation/run.hpp>
#include <numeric>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>
#include "simulation/bytes.hpp"

namespace loradyn::detail {

/// A stage's length, and whether u changes its sign before its first step.
struct stage_span {
  std::uint64_t steps;
  bool flips;
};

/// The steps of all stages.
inline std::uint64_t steps_of(const std::vector<stage_span>& stages) {
  std::uint64_t total = 0;
  for (const stage_span& stage : stages) {
    total += stage.steps;
  }
  return total;
}

/// A result as bytes.
template <class Kind>
void write_result(byte_writer& out, const typename Kind::run& result) {
  out.put(result.run);
  out.put(static_cast<std::uint64_t>(result.outcome));
  out.put(result.steps);
  Kind::put(out, result.last);
  out.put(static_cast<std::uint64_t>(result.hits.size()));
  for (const auto& hit : result.hits) {
    out.put_flag(hit.happened);
    out.put(hit.step);
    Kind::put(out, hit.state);
  }
  out.put(static_cast<std::uint64_t>(result.record.size()));
  for (const auto& state : result.record) {
    Kind::put(out, state);
  }
}

/// And back; what is read past the end is nothing.
template <class Kind>
typename Kind::run read_result(byte_reader& in, const typename Kind::problem& problem) {
  typename Kind::run result;
  result.run = in.get<std::uint64_t>();
  result.outcome = static_cast<run_outcome>(in.get<std::uint64_t>());
  result.steps = in.get<std::uint64_t>();
  result.last = Kind::get(in, problem);
  const auto hits = in.get<std::uint64_t>();
  for (std::uint64_t i = 0; i < hits && in.good(); ++i) {
    auto& hit = result.hits.emplace_back();
    hit.happened = in.get_flag();
    hit.step = in.get<std::uint64_t>();
    hit.state = Kind::get(in, problem);
  }
  const auto recorded = in.get<std::uint64_t>();
  for (std::uint64_t i = 0; i < recorded && in.good(); ++i) {
    result.record.push_back(Kind::get(in, problem));
  }
  return result;
}

/// How many steps of a record are behind after `steps`.
inline std::size_t recorded_by(const std::vector<std::uint64_t>& record, std::uint64_t steps) {
  return static_cast<std::size_t>(std::upper_bound(record.begin(), record.end(), steps) -
                                  record.begin());
}

/// Whether it can be what run `run` has shown after `steps`.
template <class Kind>
bool shows(const typename Kind::run& result, std::uint64_t run, const typename Kind::plan& plan,
           std::uint64_t steps) {
  const auto within = [steps](const auto& hit) {
    return hit.step <= steps && Kind::possible(hit.state);
  };
  return result.run == run && result.hits.size() == plan.events.size() &&
         result.record.size() == recorded_by(plan.record, steps) && Kind::possible(result.last) &&
         std::all_of(result.hits.begin(), result.hits.end(), within) &&
         std::all_of(result.record.begin(), result.record.end(), Kind::possible);
}

/// Whether it can be the result of that run, which has ended.
template <class Kind>
bool is_result_of(const typename Kind::run& result, std::uint64_t run,
                  const typename Kind::problem& problem, const typename Kind::plan& plan) {
  const std::uint64_t total = steps_of(Kind::stages(problem));
  return result.steps <= total && result.outcome <= run_outcome::diverged &&
         (result.outcome != run_outcome::finished || result.steps == total) &&
         shows<Kind>(result, run, plan, result.steps);
}

/// What one run of a pack has to show so far.
template <class Kind>
struct tracked_run {
  typename Kind::run result;
  bool active = true;
  std::vector<char> started_above;  // for each event: the start's value > level
};

/// Consecutive runs on one engine.
template <class Kind, class Engine>
class engine_pack final : public pack_of<typename Kind::run> {
 public:
  using problem_type = typename Kind::problem;
  using plan_type = typename Kind::plan;
  using run_type = typename Kind::run;

  engine_pack(const problem_type& problem, const plan_type& plan, std::uint64_t first,
              std::size_t count)
      : problem_(problem),
        plan_(plan),
        stages_(Kind::stages(problem)),
        total_(steps_of(stages_)),
        stage_end_(stages_.front().steps),
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
      if (!step()) {
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

  [[nodiscard]] std::vector<run_type> take_results() override {
    std::vector<run_type> results;
    for (tracked_run<Kind>& run : runs_) {
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
      for (const tracked_run<Kind>& run : runs_) {
        out.put_flag(run.active);
        write_result<Kind>(out, run.result);
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
      stage_end_ += stages_[++stage_].steps;
    }
    active_ = 0;
    for (tracked_run<Kind>& run : runs_) {
      const std::uint64_t number = run.result.run;
      run.active = in.get_flag();
      run.result = read_result<Kind>(in, problem_);
      run.started_above = in.get_list<char>();
      active_ += run.active ? 1U : 0U;
      const bool possible = run.active
                                ? step_ < total_ && shows<Kind>(run.result, number, plan_, step_)
                                : run.result.steps <= step_ &&
                                      is_result_of<Kind>(run.result, number, problem_, plan_);
      if (!in.good() || !possible || run.started_above.size() != plan_.events.size()) {
        return false;
      }
    }
    next_record_ = recorded_by(plan_.record, step_);
    return in.at_end();
  }

 private:
  static std::vector<std::uint64_t> run_numbers(std::uint64_t first, std::size_t count) {
    std::vector<std::uint64_t> numbers(count);
    std::iota(numbers.begin(), numbers.end(), first);
    return numbers;
  }

  [[nodiscard]] double value(std::size_t event, std::size_t lane) const {
    return Kind::value(plan_.events[event].quantity, problem_, plan_, engine_, lane);
  }

  void begin() {
    engine_.start();
    flip_if_asked();
    started_ = true;
    active_ = runs_.size();
    for (std::size_t lane = 0; lane < runs_.size(); ++lane) {
      for (std::size_t i = 0; i < plan_.events.size(); ++i) {
        runs_[lane].started_above[i] = value(i, lane) > plan_.events[i].level;
      }
    }
    observe();
  }

  // One step of the engine, in the stage that it belongs to. False where it is not healthy.
  bool step() {
    const bool enters = step_ == stage_end_;
    if (enters) {
      stage_end_ += stages_[++stage_].steps;
      flip_if_asked();
    }
    try {
      return engine_.step(step_, stage_);
    } catch (const interrupted&) {
      // The step has not been taken, nor has its stage begun.
      if (enters) {
        flip_if_asked();
        stage_end_ -= stages_[stage_--].steps;
      }
      throw;
    }
  }

  void flip_if_asked() {
    if (stages_[stage_].flips) {
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

  void end(std::size_t lane, run_outcome outcome, typename Kind::state last) {
    tracked_run<Kind>& run = runs_[lane];
    run.active = false;
    run.result.outcome = outcome;
    run.result.steps = step_;
    run.result.last = std::move(last);
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
      tracked_run<Kind>& run = runs_[lane];
      if (!run.active) {
        continue;
      }
      if (recorded) {
        run.result.record.push_back(engine_.state(lane));
      }
      const bool all_happened = look_for_events(run, lane);
      if (step_ == total_) {
        end(lane, run_outcome::finished, engine_.state(lane));
      } else if (plan_.stop_after_events && all_happened) {
        end(lane, run_outcome::stopped, engine_.state(lane));
      }
    }
  }

  bool look_for_events(tracked_run<Kind>& run, std::size_t lane) {
    bool all_happened = true;
    for (std::size_t i = 0; i < plan_.events.size(); ++i) {
      auto& hit = run.result.hits[i];
      if (!hit.happened) {
        const auto& event = plan_.events[i];
        const double now = value(i, lane);
        const bool rising =
            event.direction == event_direction::rising ||
            (event.direction == event_direction::either && run.started_above[i] == 0);
        if (rising ? now >= event.level : now <= event.level) {
          hit = {.happened = true, .step = step_, .state = engine_.state(lane)};
        }
      }
      all_happened = all_happened && hit.happened;
    }
    return all_happened;
  }

  const problem_type& problem_;
  const plan_type& plan_;
  std::vector<stage_span> stages_;
  std::uint64_t total_;
  std::uint64_t step_ = 0;
  std::size_t stage_ = 0;
  std::uint64_t stage_end_;
  std::size_t next_record_ = 0;
  std::size_t active_ = 0;
  bool started_ = false;
  Engine engine_;
  std::vector<tracked_run<Kind>> runs_;
};

}  // namespace loradyn::detail
