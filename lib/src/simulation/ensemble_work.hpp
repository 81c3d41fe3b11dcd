#pragma once

/// \file
/// The work of an ensemble of either kind (engine_pack.hpp), over threads, with checkpoints.
/// Internal to the simulation room.

#include <fmt/format.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <loradyn/error.hpp>
#include <loradyn/interruption.hpp>
#include <loradyn/parallel/threads.hpp>
#include <loradyn/simulation/available_memory.hpp>
#include <loradyn/simulation/ensemble.hpp>
#include <loradyn/simulation/random.hpp>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>
#include "simulation/bytes.hpp"
#include "simulation/engine_pack.hpp"

namespace loradyn::detail {

using clock = std::chrono::steady_clock;

// A thread looks at the clock about this often.
inline constexpr double slice_seconds = 0.001;
// Checkpoints come no more often than this many times their cost.
inline constexpr double cost_spacing = 100.0;

inline double seconds_since(clock::time_point start) {
  return std::chrono::duration<double>(clock::now() - start).count();
}

inline std::string size_text(double bytes) {
  return bytes < 1e9 ? fmt::format("{:.1f} MB", bytes * 1e-6)
                     : fmt::format("{:.1f} GB", bytes * 1e-9);
}

template <class Kind>
void check_memory(const typename Kind::problem& problem, simulation_engine engine,
                  const typename Kind::plan& plan, std::uint64_t runs,
                  const ensemble_control& control) {
  const double limit = control.memory_limit > 0.0 ? control.memory_limit : available_memory();
  const double results = Kind::results(problem, plan, runs);
  if (results > limit) {
    throw argument_error(
        fmt::format("the size of {} runs at {} recorded steps", runs, plan.record.size()),
        size_text(results), "at most the " + size_text(limit) + " that are free");
  }
  if (engine == simulation_engine::sgd) {
    const auto cores = static_cast<double>(available_threads());
    const double threads =
        control.threads == 0 ? cores : std::min(cores, static_cast<double>(control.threads));
    const double vectors = threads * Kind::vectors(problem);
    if (results + vectors > limit) {
      throw argument_error(fmt::format("the size of explicit runs at dim {} on {} threads",
                                       problem.dimension, threads),
                           size_text(vectors),
                           "at most the " + size_text(limit - results) + " that are free");
    }
  }
}

inline constexpr std::string_view checkpoint_title = "loradyn ensemble, format 1\n";

[[noreturn]] inline void refuse_checkpoint(const std::string& found, const std::string& expected) {
  throw argument_error("the checkpoint", found, expected);
}

// Names the first line in which two configurations differ.
inline void compare_configurations(std::string_view kept, std::string_view wanted) {
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
template <class Kind>
class ensemble_work {
 public:
  using problem_type = typename Kind::problem;
  using plan_type = typename Kind::plan;
  using run_type = typename Kind::run;

  ensemble_work(const problem_type& problem, simulation_engine engine, const plan_type& plan,
                std::uint64_t runs)
      : problem_(problem),
        engine_(engine),
        plan_(plan),
        runs_(runs),
        steps_(static_cast<double>(steps_of(Kind::stages(problem)))),
        width_(pack_width(problem, engine)),
        results_(runs),
        ended_(runs, 0) {}

  [[nodiscard]] bool done() const { return ended_count_ == runs_; }
  [[nodiscard]] std::size_t ended_count() const { return ended_count_; }

  [[nodiscard]] double share() const {
    double steps = static_cast<double>(ended_count_) * steps_;
    for (const open_pack& open : open_) {
      steps += static_cast<double>(open.pack->steps_taken()) *
               static_cast<double>(count_from(open.first));
    }
    return steps / (static_cast<double>(runs_) * steps_);
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
    byte_writer out;
    out.put_text(configuration);
    out.put(static_cast<std::uint64_t>(ended_count_));
    for (std::uint64_t run = 0; run < runs_; ++run) {
      if (ended_[run] != 0) {
        write_result<Kind>(out, results_[run]);
      }
    }
    out.put(next_first_);
    out.put(static_cast<std::uint64_t>(open_.size()));
    for (const open_pack& open : open_) {
      out.put(open.first);
      out.put_text(open.pack->save());
    }
    std::string body = out.take();
    byte_writer end;
    end.put(checksum_of(body));
    return std::string(checkpoint_title) + end.take() + body;
  }

  void restore(std::string_view checkpoint, const std::string& configuration) {
    const std::string damaged = "as it was written: this one is damaged, or not a checkpoint";
    if (!checkpoint.starts_with(checkpoint_title)) {
      refuse_checkpoint("of an unknown format", "one that this version writes");
    }
    checkpoint.remove_prefix(checkpoint_title.size());
    byte_reader head(checkpoint.substr(0, sizeof(std::uint64_t)));
    const auto checksum = head.get<std::uint64_t>();
    if (!head.good() || checksum != checksum_of(checkpoint.substr(sizeof checksum))) {
      refuse_checkpoint("changed", damaged);
    }
    byte_reader in(checkpoint.substr(sizeof checksum));
    compare_configurations(in.get_text(), configuration);
    const auto count = in.get<std::uint64_t>();
    for (std::uint64_t i = 0; i < count && in.good(); ++i) {
      run_type result = read_result<Kind>(in, problem_);
      const std::uint64_t run = result.run;
      if (run >= runs_ || ended_[run] != 0 || !is_result_of<Kind>(result, run, problem_, plan_)) {
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

  [[nodiscard]] ensemble_of<run_type> take() {
    ensemble_of<run_type> taken{.requested = runs_, .runs = {}};
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
    std::unique_ptr<pack_of<run_type>> pack;
  };

  [[nodiscard]] std::size_t count_from(std::uint64_t first) const {
    return static_cast<std::size_t>(std::min<std::uint64_t>(width_, runs_ - first));
  }

  [[nodiscard]] open_pack make_open(std::uint64_t first) const {
    return {.first = first, .pack = make_pack(problem_, engine_, plan_, first, count_from(first))};
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
  static void work_on(pack_of<run_type>& pack, clock::time_point deadline) {
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

  void store(pack_of<run_type>& pack) {
    for (run_type& result : pack.take_results()) {
      const std::uint64_t run = result.run;
      results_[run] = std::move(result);
      ended_[run] = 1;
      ++ended_count_;
    }
  }

  const problem_type& problem_;
  simulation_engine engine_;
  const plan_type& plan_;
  std::uint64_t runs_;
  double steps_;  // of a run
  std::size_t width_;
  std::vector<run_type> results_;
  std::vector<char> ended_;
  std::size_t ended_count_ = 0;
  std::uint64_t next_first_ = 0;  // the first run of the next pack to open
  std::vector<open_pack> open_;
  std::mutex mutex_;
};

/// The runs 0 … runs - 1 of a valid problem, on from a checkpoint where that is not empty.
template <class Kind>
ensemble_of<typename Kind::run> run_ensemble(const typename Kind::problem& problem,
                                             simulation_engine engine,
                                             const typename Kind::plan& plan, std::uint64_t runs,
                                             const ensemble_control& control,
                                             std::string_view checkpoint) {
  if (runs < 1 || runs > random_runs) {
    throw argument_error("runs", fmt::format("{}", runs), "at least 1 and at most 2^32");
  }
  check_memory<Kind>(problem, engine, plan, runs, control);
  const std::string configuration = Kind::configuration(problem, engine, plan, runs);
  ensemble_work<Kind> work(problem, engine, plan, runs);
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

}  // namespace loradyn::detail
