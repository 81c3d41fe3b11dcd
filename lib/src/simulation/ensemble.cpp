#include <loradyn/simulation/ensemble.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <loradyn/error.hpp>
#include <loradyn/interruption.hpp>
#include <loradyn/parallel/threads.hpp>
#include <loradyn/simulation/available_memory.hpp>
#include <loradyn/simulation/random.hpp>
#include <memory>
#include <mutex>
#include <optional>
#include <utility>
#include "simulation/bytes.hpp"

namespace loradyn {
namespace {

using clock = std::chrono::steady_clock;

// A thread looks at the clock about this often.
constexpr double slice_seconds = 0.001;
// Checkpoints come no more often than this many times their cost.
constexpr double cost_spacing = 100.0;

double seconds_since(clock::time_point start) {
  return std::chrono::duration<double>(clock::now() - start).count();
}

std::string size_text(double bytes) {
  return bytes < 1e9 ? fmt::format("{:.1f} MB", bytes * 1e-6)
                     : fmt::format("{:.1f} GB", bytes * 1e-9);
}

void check_memory(const simulation_problem& problem, simulation_engine engine,
                  const simulation_plan& plan, std::uint64_t runs,
                  const ensemble_control& control) {
  const double limit = control.memory_limit > 0.0 ? control.memory_limit : available_memory();
  const double results = ensemble_bytes(plan, runs);
  if (results > limit) {
    throw argument_error(
        fmt::format("the size of {} runs at {} recorded steps", runs, plan.record.size()),
        size_text(results), "at most the " + size_text(limit) + " that are free");
  }
  if (engine == simulation_engine::sgd) {
    const auto cores = static_cast<double>(available_threads());
    const double threads =
        control.threads == 0 ? cores : std::min(cores, static_cast<double>(control.threads));
    const double vectors = threads * 8.0 * (9.0 * static_cast<double>(problem.dimension) + 32768.0);
    if (results + vectors > limit) {
      throw argument_error(fmt::format("the size of explicit runs at dim {} on {} threads",
                                       problem.dimension, threads),
                           size_text(vectors),
                           "at most the " + size_text(limit - results) + " that are free");
    }
  }
}

constexpr std::string_view checkpoint_title = "loradyn ensemble, format 1\n";

[[noreturn]] void refuse_checkpoint(const std::string& found, const std::string& expected) {
  throw argument_error("the checkpoint", found, expected);
}

// Names the first line in which two configurations differ.
void compare_configurations(std::string_view kept, std::string_view wanted) {
  while (kept != wanted) {
    const std::string_view kept_line = kept.substr(0, kept.find('\n'));
    const std::string_view wanted_line = wanted.substr(0, wanted.find('\n'));
    if (kept_line != wanted_line) {
      refuse_checkpoint(fmt::format("of a run with '{}'", kept_line),
                        fmt::format("of one with '{}'", wanted_line));
    }
    kept.remove_prefix(std::min(kept.size(), kept_line.size() + 1));
    wanted.remove_prefix(std::min(wanted.size(), wanted_line.size() + 1));
  }
}

// The work of an ensemble: packs in order, those that are under way first.
class ensemble_work {
 public:
  ensemble_work(const simulation_problem& problem, simulation_engine engine,
                const simulation_plan& plan, std::uint64_t runs)
      : problem_(problem),
        engine_(engine),
        plan_(plan),
        runs_(runs),
        width_(detail::pack_width(problem, engine)),
        results_(runs),
        ended_(runs, 0) {}

  [[nodiscard]] bool done() const { return ended_count_ == runs_; }
  [[nodiscard]] std::size_t ended_count() const { return ended_count_; }

  [[nodiscard]] double share() const {
    double steps = static_cast<double>(ended_count_) * static_cast<double>(problem_.steps());
    for (const open_pack& open : open_) {
      steps += static_cast<double>(open.pack->steps_taken()) *
               static_cast<double>(count_from(open.first));
    }
    return steps / (static_cast<double>(runs_) * static_cast<double>(problem_.steps()));
  }

  // Works until the deadline on this many threads, which then meet.
  void round(std::size_t threads, clock::time_point deadline) {
    std::vector<open_pack> open = std::exchange(open_, {});
    std::atomic<std::size_t> next_open = 0;
    const auto worker = [&] {
      for (;;) {
        std::optional<open_pack> mine;
        const std::size_t place = next_open.fetch_add(1);
        if (place < open.size()) {
          mine = std::move(open[place]);
        } else {
          mine = open_next();
        }
        if (!mine) {
          return;
        }
        try {
          work_on(*mine->pack, deadline);
        } catch (const interrupted&) {
          // In the middle of a step: the pack stays as it was before it.
        }
        const bool ended = mine->pack->done();
        const std::lock_guard lock(mutex_);
        if (ended) {
          store(*mine->pack);
        } else {
          open_.push_back(*std::move(mine));
        }
        if (clock::now() >= deadline || stop_requested()) {
          // What nobody has taken stays for the next round.
          for (std::size_t left = next_open.exchange(open.size()); left < open.size(); ++left) {
            open_.push_back(std::move(open[left]));
          }
          return;
        }
      }
    };
    if (threads == 1) {
      worker();
    } else {
      // More threads than cores would only wait for each other.
      const std::size_t cores = available_threads();
      on_threads(threads == 0 ? cores : std::min(threads, cores), worker);
    }
    std::sort(open_.begin(), open_.end(),
              [](const open_pack& a, const open_pack& b) { return a.first < b.first; });
  }

  [[nodiscard]] std::string save(const std::string& configuration) const {
    detail::byte_writer out;
    out.put_text(configuration);
    out.put(static_cast<std::uint64_t>(ended_count_));
    for (std::uint64_t run = 0; run < runs_; ++run) {
      if (ended_[run] != 0) {
        detail::write_result(out, results_[run]);
      }
    }
    out.put(next_first_);
    out.put(static_cast<std::uint64_t>(open_.size()));
    for (const open_pack& open : open_) {
      out.put(open.first);
      out.put_text(open.pack->save());
    }
    std::string body = out.take();
    detail::byte_writer end;
    end.put(detail::checksum_of(body));
    return std::string(checkpoint_title) + end.take() + body;
  }

  void restore(std::string_view checkpoint, const std::string& configuration) {
    const std::string damaged = "as it was written: this one is damaged, or not a checkpoint";
    if (!checkpoint.starts_with(checkpoint_title)) {
      refuse_checkpoint("of an unknown format", "one that this version writes");
    }
    checkpoint.remove_prefix(checkpoint_title.size());
    detail::byte_reader head(checkpoint.substr(0, sizeof(std::uint64_t)));
    const auto checksum = head.get<std::uint64_t>();
    if (!head.good() || checksum != detail::checksum_of(checkpoint.substr(sizeof checksum))) {
      refuse_checkpoint("changed", damaged);
    }
    detail::byte_reader in(checkpoint.substr(sizeof checksum));
    compare_configurations(in.get_text(), configuration);
    const auto count = in.get<std::uint64_t>();
    for (std::uint64_t i = 0; i < count && in.good(); ++i) {
      run_result result = detail::read_result(in);
      const std::uint64_t run = result.run;
      if (run >= runs_ || ended_[run] != 0 || !detail::is_result_of(result, run, problem_, plan_)) {
        refuse_checkpoint("inconsistent", damaged);
      }
      results_[run] = std::move(result);
      ended_[run] = 1;
      ++ended_count_;
    }
    // Every run is to end once: it has, or is under way, or is still to be opened.
    std::vector<char> begun = ended_;
    next_first_ = in.get<std::uint64_t>();
    const auto open = in.get<std::uint64_t>();
    for (std::uint64_t i = 0; i < open && in.good(); ++i) {
      const auto first = in.get<std::uint64_t>();
      const std::string_view state = in.get_text();
      if (first >= runs_ || first % width_ != 0) {
        refuse_checkpoint("inconsistent", damaged);
      }
      const auto mine = begun.begin() + static_cast<std::ptrdiff_t>(first);
      const auto end = mine + static_cast<std::ptrdiff_t>(count_from(first));
      if (std::find(mine, end, '\1') != end) {
        refuse_checkpoint("inconsistent", damaged);
      }
      std::fill(mine, end, '\1');
      open_.push_back(make_open(first));
      if (!open_.back().pack->restore(state)) {
        refuse_checkpoint("inconsistent", damaged);
      }
    }
    if (!in.at_end()) {
      refuse_checkpoint("too short or too long", damaged);
    }
    const auto unopened = begun.begin() + static_cast<std::ptrdiff_t>(std::min(next_first_, runs_));
    if (next_first_ % width_ != 0 || std::find(begun.begin(), unopened, '\0') != unopened ||
        std::find(unopened, begun.end(), '\1') != begun.end()) {
      refuse_checkpoint("inconsistent", damaged);
    }
  }

  [[nodiscard]] ensemble take() {
    ensemble taken{.requested = runs_, .runs = {}};
    for (std::uint64_t run = 0; run < runs_; ++run) {
      if (ended_[run] != 0) {
        taken.runs.push_back(std::move(results_[run]));
      }
    }
    return taken;
  }

 private:
  struct open_pack {
    std::uint64_t first = 0;
    std::unique_ptr<detail::run_pack> pack;
  };

  [[nodiscard]] std::size_t count_from(std::uint64_t first) const {
    return static_cast<std::size_t>(std::min<std::uint64_t>(width_, runs_ - first));
  }

  [[nodiscard]] open_pack make_open(std::uint64_t first) const {
    return {.first = first,
            .pack = detail::make_pack(problem_, engine_, plan_, first, count_from(first))};
  }

  std::optional<open_pack> open_next() {
    std::uint64_t first = 0;
    {
      const std::lock_guard lock(mutex_);
      if (next_first_ >= runs_) {
        return std::nullopt;
      }
      first = next_first_;
      next_first_ += width_;
    }
    return make_open(first);
  }

  // At least a step, so that every round gets on.
  static void work_on(detail::run_pack& pack, clock::time_point deadline) {
    std::uint64_t slice = 1;
    for (clock::time_point now = clock::now(); !pack.done();) {
      pack.advance(slice);
      const clock::time_point then = std::exchange(now, clock::now());
      if (now >= deadline) {
        return;
      }
      if (std::chrono::duration<double>(now - then).count() < slice_seconds) {
        slice *= 2;
      }
    }
  }

  void store(detail::run_pack& pack) {
    for (run_result& result : pack.take_results()) {
      const std::uint64_t run = result.run;
      results_[run] = std::move(result);
      ended_[run] = 1;
      ++ended_count_;
    }
  }

  const simulation_problem& problem_;
  simulation_engine engine_;
  const simulation_plan& plan_;
  std::uint64_t runs_;
  std::size_t width_;
  std::vector<run_result> results_;
  std::vector<char> ended_;
  std::size_t ended_count_ = 0;
  std::uint64_t next_first_ = 0;  // the first run of the next pack to open
  std::vector<open_pack> open_;
  std::mutex mutex_;
};

}  // namespace

double ensemble_bytes(const simulation_plan& plan, std::uint64_t runs) noexcept {
  const double each = sizeof(run_result) + 1.0 +
                      static_cast<double>(plan.events.size()) * sizeof(event_hit) +
                      static_cast<double>(plan.record.size()) * sizeof(simulated_state);
  return static_cast<double>(runs) * each;
}

std::string configuration_text(const simulation_problem& problem, simulation_engine engine,
                               const simulation_plan& plan, std::uint64_t runs) {
  std::string text;
  const auto line = [&text](std::string_view name, const auto& value) {
    text += fmt::format("{} {}\n", name, value);
  };
  line("engine", name_of(simulation_engines, engine));
  line("student", problem.student.name());
  line("mu", problem.alignment);
  line("nu", problem.misalignment);
  line("dim", problem.dimension);
  line("batch", problem.batch);
  line("u0", problem.start.u0 ? fmt::format("{}", *problem.start.u0) : "1/d²");
  line("m0", problem.start.m0 ? fmt::format("{}", *problem.start.m0) : "uniform");
  line("s0", problem.start.s0);
  for (const simulation_stage& stage : problem.stages) {
    line("teacher", stage.teacher.name());
    line("noise", stage.label_noise);
    line("lr-ratio", stage.rate_ratio);
    line("lr", stage.learning_rate);
    line("steps", stage.steps);
    if (stage.flips) {
      line("flips", stage.flips);
    }
    if (stage.label) {
      line("label", stage.label->name());
    }
  }
  line("seed", problem.seed);
  line("runs", runs);
  for (const simulation_event& event : plan.events) {
    line("event", fmt::format("{} at {}, direction {}", static_cast<int>(event.quantity),
                              event.level, static_cast<int>(event.direction)));
  }
  line("stop-after-events", plan.stop_after_events);
  line("points", plan.record.size());
  detail::byte_writer record;
  record.put_list(plan.record);
  line("record", fmt::format("{:016x}", detail::checksum_of(record.take())));
  return text;
}

ensemble simulate_ensemble(const simulation_problem& problem, simulation_engine engine,
                           const simulation_plan& plan, std::uint64_t runs,
                           const ensemble_control& control, std::string_view checkpoint) {
  problem.validate();
  plan.validate(problem);
  if (runs < 1 || runs > random_runs) {
    throw argument_error("runs", fmt::format("{}", runs), "at least 1 and at most 2^32");
  }
  check_memory(problem, engine, plan, runs, control);
  const std::string configuration = configuration_text(problem, engine, plan, runs);
  ensemble_work work(problem, engine, plan, runs);
  if (!checkpoint.empty()) {
    work.restore(checkpoint, configuration);
  }
  clock::time_point last_kept = clock::now();
  double cost = 0.0;
  const auto keep = [&] {
    const clock::time_point start = clock::now();
    control.keep(work.save(configuration));
    last_kept = clock::now();
    cost = seconds_since(start);
  };
  while (!work.done()) {
    if (stop_requested() || (control.stop && control.stop())) {
      if (control.keep) {
        keep();
      }
      break;
    }
    work.round(control.threads,
               clock::now() + std::chrono::duration_cast<clock::duration>(
                                  std::chrono::duration<double>(control.look_every)));
    if (control.progress) {
      control.progress(work.ended_count(), work.share());
    }
    if (control.keep &&
        seconds_since(last_kept) >= std::max(control.keep_every, cost_spacing * cost)) {
      keep();
    }
  }
  return work.take();
}

}  // namespace loradyn
