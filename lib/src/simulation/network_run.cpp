#include <loradyn/simulation/network_run.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <limits>
#include <loradyn/error.hpp>
#include <loradyn/interruption.hpp>
#include <loradyn/parallel/threads.hpp>
#include <loradyn/simulation/available_memory.hpp>
#include <loradyn/simulation/random.hpp>
#include <memory>
#include <numeric>
#include <thread>
#include <utility>
#include "simulation/network_chain.hpp"
#include "simulation/network_sgd.hpp"

namespace loradyn {
namespace {

using clock = std::chrono::steady_clock;

// The calling thread looks at the clock about this often, and at `stop` at most so often.
constexpr std::chrono::milliseconds slice_time{1};
constexpr std::chrono::milliseconds look_time{100};

// Consecutive runs that advance together.
class run_group {
 public:
  virtual ~run_group() = default;
  // Takes at most this many steps. Returns the number taken, 0 once every run has ended.
  virtual std::uint64_t advance(std::uint64_t steps) = 0;
  [[nodiscard]] virtual bool done() const = 0;
  [[nodiscard]] virtual std::vector<network_run> take_results() = 0;
};

struct tracked_run {
  network_run result;
  bool active = true;
  std::vector<char> started_above;  // for each event: the start's value > level
};

template <class Engine>
class engine_group final : public run_group {
 public:
  engine_group(const network_problem& adapter, const network_plan& plan, std::uint64_t first,
               std::size_t count)
      : problem_(adapter),
        plan_(plan),
        engine_(adapter, run_numbers(first, count), detail::best_kernels()),
        runs_(count) {
    for (std::size_t lane = 0; lane < count; ++lane) {
      runs_[lane].result.run = first + lane;
      runs_[lane].result.hits.resize(plan.events.size());
    }
  }

  std::uint64_t advance(std::uint64_t steps) override {
    if (!started_) {
      begin();
    }
    std::uint64_t taken = 0;
    while (taken < steps && !done()) {
      if (!engine_.step(step_)) {
        end_diverged();
      }
      ++step_;
      ++taken;
      observe();
    }
    return taken;
  }

  [[nodiscard]] bool done() const override { return started_ && active_ == 0; }

  [[nodiscard]] std::vector<network_run> take_results() override {
    std::vector<network_run> results;
    for (tracked_run& run : runs_) {
      results.push_back(std::move(run.result));
    }
    return results;
  }

 private:
  static std::vector<std::uint64_t> run_numbers(std::uint64_t first, std::size_t count) {
    std::vector<std::uint64_t> numbers(count);
    std::iota(numbers.begin(), numbers.end(), first);
    return numbers;
  }

  [[nodiscard]] double value(const network_quantity& quantity, std::size_t lane) const {
    return quantity.matrix == network_matrix::risk || quantity.matrix == network_matrix::source_risk
               ? value_of(quantity, problem_, plan_, engine_.state(lane))
               : engine_.value(quantity, lane);
  }

  void begin() {
    engine_.start();
    started_ = true;
    active_ = runs_.size();
    for (std::size_t lane = 0; lane < runs_.size(); ++lane) {
      for (const network_event& event : plan_.events) {
        runs_[lane].started_above.push_back(value(event.quantity, lane) > event.level ? 1 : 0);
      }
    }
    observe();
  }

  // Ends the runs whose step has left the finite numbers, before the step is counted.
  void end_diverged() {
    for (std::size_t lane = 0; lane < runs_.size(); ++lane) {
      if (runs_[lane].active && !engine_.healthy(lane)) {
        end(lane, run_outcome::diverged, engine_.previous(lane));
      }
    }
  }

  void end(std::size_t lane, run_outcome outcome, network_state last) {
    tracked_run& run = runs_[lane];
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
    if (!recorded && plan_.events.empty() && step_ < problem_.steps) {
      return;
    }
    for (std::size_t lane = 0; lane < runs_.size(); ++lane) {
      tracked_run& run = runs_[lane];
      if (!run.active) {
        continue;
      }
      if (recorded) {
        run.result.record.push_back(engine_.state(lane));
      }
      const bool all_happened = look_for_events(run, lane);
      if (step_ == problem_.steps) {
        end(lane, run_outcome::finished, engine_.state(lane));
      } else if (plan_.stop_after_events && all_happened) {
        end(lane, run_outcome::stopped, engine_.state(lane));
      }
    }
  }

  bool look_for_events(tracked_run& run, std::size_t lane) {
    bool all_happened = true;
    for (std::size_t i = 0; i < plan_.events.size(); ++i) {
      network_hit& hit = run.result.hits[i];
      if (!hit.happened) {
        const network_event& event = plan_.events[i];
        const double now = value(event.quantity, lane);
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

  const network_problem& problem_;
  const network_plan& plan_;
  std::uint64_t step_ = 0;
  std::size_t next_record_ = 0;
  std::size_t active_ = 0;
  bool started_ = false;
  Engine engine_;
  std::vector<tracked_run> runs_;
};

std::unique_ptr<run_group> make_group(const network_problem& adapter, simulation_engine engine,
                                      const network_plan& plan, std::uint64_t first,
                                      std::size_t count) {
  if (engine == simulation_engine::chain) {
    return std::make_unique<engine_group<detail::network_chain>>(adapter, plan, first, count);
  }
  return std::make_unique<engine_group<detail::network_sgd>>(adapter, plan, first, count);
}

std::size_t group_width(const network_problem& problem, simulation_engine engine) {
  return engine == simulation_engine::chain ? detail::network_chain::width(problem)
                                            : detail::network_sgd::width(problem);
}

void check_memory(const network_problem& problem, const network_plan& plan, std::uint64_t runs,
                  const network_control& control) {
  const double limit = control.memory_limit > 0.0 ? control.memory_limit : available_memory();
  const double results = ensemble_bytes(problem, plan, runs);
  if (results > limit) {
    throw argument_error(
        fmt::format("the size of {} runs at {} recorded steps", runs, plan.record.size()),
        fmt::format("{:.1f} GB", results * 1e-9),
        fmt::format("at most the {:.1f} GB that are free", limit * 1e-9));
  }
}

// The groups of an ensemble, handed out in order to whoever asks.
class ensemble_work {
 public:
  ensemble_work(const network_problem& adapter, simulation_engine engine, const network_plan& plan,
                std::uint64_t runs, const network_control& control)
      : adapter_(adapter),
        engine_(engine),
        plan_(plan),
        runs_(runs),
        width_(group_width(adapter, engine)),
        control_(control),
        results_(runs),
        ended_(runs, 0) {}

  void run() {
    const std::size_t cores = available_threads();
    const std::size_t wanted = control_.threads == 0 ? cores : std::min(cores, control_.threads);
    const std::uint64_t groups = (runs_ + width_ - 1) / width_;
    on_threads(static_cast<std::size_t>(std::min<std::uint64_t>(wanted, groups)),
               [this] { work(); });
  }

  [[nodiscard]] network_ensemble take() {
    network_ensemble taken{.requested = runs_, .runs = {}};
    for (std::uint64_t run = 0; run < runs_; ++run) {
      if (ended_[run] != 0) {
        taken.runs.push_back(std::move(results_[run]));
      }
    }
    return taken;
  }

 private:
  void work() {
    try {
      for (;;) {
        const std::uint64_t first = next_.fetch_add(width_);
        if (first >= runs_ || stopped_ || stop_requested()) {
          return;
        }
        const auto count = static_cast<std::size_t>(std::min<std::uint64_t>(width_, runs_ - first));
        const auto group = make_group(adapter_, engine_, plan_, first, count);
        if (!finish(*group, count)) {
          return;
        }
        for (network_run& result : group->take_results()) {
          const std::uint64_t run = result.run;
          results_[run] = std::move(result);  // no other thread has this run
          ended_[run] = 1;
        }
        ended_count_ += count;
      }
    } catch (const interrupted&) {
      // In the middle of a step; the group's runs have not ended.
    }
  }

  // False where the work is to stop.
  bool finish(run_group& group, std::size_t count) {
    std::uint64_t slice = 1;
    for (clock::time_point now = clock::now(); !group.done();) {
      const std::uint64_t taken = group.advance(slice);
      steps_ += taken * count;
      const clock::time_point then = std::exchange(now, clock::now());
      if (now - then < slice_time) {
        slice *= 2;
      }
      if (std::this_thread::get_id() == caller_ && now - looked_ >= look_time) {
        look();
        looked_ = now;
      }
      if (stopped_ || stop_requested()) {
        return false;
      }
    }
    return true;
  }

  void look() {
    if (control_.progress) {
      control_.progress(static_cast<std::size_t>(ended_count_),
                        static_cast<double>(steps_) / static_cast<double>(runs_) /
                            static_cast<double>(adapter_.steps));
    }
    if (control_.stop && control_.stop()) {
      stopped_ = true;
    }
  }

  const network_problem& adapter_;
  simulation_engine engine_;
  const network_plan& plan_;
  std::uint64_t runs_;
  std::size_t width_;
  const network_control& control_;
  std::vector<network_run> results_;
  std::vector<char> ended_;
  std::thread::id caller_ = std::this_thread::get_id();
  clock::time_point looked_ = clock::now();
  std::atomic<std::uint64_t> next_ = 0;
  std::atomic<std::uint64_t> ended_count_ = 0;
  std::atomic<std::uint64_t> steps_ = 0;
  std::atomic<bool> stopped_ = false;
};

}  // namespace

network_run replay_run(const network_problem& problem, simulation_engine engine,
                       const network_plan& plan, std::uint64_t run) {
  problem.validate();
  plan.validate(problem);
  if (run >= random_runs) {
    throw argument_error("run", fmt::format("{}", run), "below 2^32");
  }
  const network_problem adapter = as_adapter(problem);
  const auto group = make_group(adapter, engine, plan, run, 1);
  while (!group->done()) {
    group->advance(std::numeric_limits<std::uint64_t>::max());
  }
  return group->take_results().front();
}

network_ensemble simulate_ensemble(const network_problem& problem, simulation_engine engine,
                                   const network_plan& plan, std::uint64_t runs,
                                   const network_control& control) {
  problem.validate();
  plan.validate(problem);
  if (runs < 1 || runs > random_runs) {
    throw argument_error("runs", fmt::format("{}", runs), "at least 1 and at most 2^32");
  }
  const network_problem adapter = as_adapter(problem);
  check_memory(adapter, plan, runs, control);
  ensemble_work work(adapter, engine, plan, runs, control);
  work.run();
  if (control.progress) {
    const network_ensemble ensemble = work.take();
    control.progress(ensemble.runs.size(),
                     static_cast<double>(ensemble.runs.size()) / static_cast<double>(runs));
    return ensemble;
  }
  return work.take();
}

double ensemble_bytes(const network_problem& problem, const network_plan& plan,
                      std::uint64_t runs) noexcept {
  const auto width = static_cast<double>(problem.geometry.width());
  const auto p = static_cast<double>(problem.geometry.directions());
  const double rank =
      problem.trained == trained_part::lora ? static_cast<double>(problem.parameters.rank) : width;
  constexpr double allocation = 32.0;  // what an allocator takes beside the numbers, about
  const double state = sizeof(network_state) + 4.0 * allocation +
                       8.0 * (width * rank + rank * p + rank * rank + width);
  const double each = sizeof(network_run) + 1.0 +
                      state * (1.0 + static_cast<double>(plan.record.size()) +
                               static_cast<double>(plan.events.size()));
  return static_cast<double>(runs) * each;
}

std::vector<double> recorded_values(const network_ensemble& runs, const network_problem& problem,
                                    const network_plan& plan, std::size_t point,
                                    const network_quantity& quantity) {
  std::vector<double> values;
  for (const network_run& run : runs.runs) {
    if (point < run.record.size()) {
      values.push_back(value_of(quantity, problem, plan, run.record[point]));
    }
  }
  return values;
}

}  // namespace loradyn
