// loradyn phase: a diagram over two parameters, with everything that escape computes in each cell.

#include <fmt/format.h>
#include <unistd.h>

#include <array>
#include <cmath>
#include <loradyn/error.hpp>
#include <loradyn/report/phase_work.hpp>
#include <loradyn/report/question.hpp>
#include <loradyn/report/ranks.hpp>
#include <loradyn/report/store.hpp>
#include <loradyn/study/control.hpp>
#include <loradyn/study/words.hpp>
#include <loradyn/sweep/range.hpp>
#include <loradyn/version.hpp>
#include <map>
#include <memory>
#include <optional>

#include "command.hpp"
#include "interruption.hpp"
#include "message.hpp"
#include "options.hpp"
#include "output.hpp"

namespace loradyn::cli {
namespace {

using study::planned_cell;

phase_colours colours_of(const question& words) {
  return read_choice("--show", words.text("show"), phase_colour_names);
}

using outcome_counts = std::vector<std::pair<std::string, std::uint64_t>>;

// Tells how far the diagram is, and what came out so far.
class cell_progress {
 public:
  cell_progress(const question& words, const study::phase_grid& grid, std::uint64_t finished)
      : grid_(grid),
        line_(shows_progress(words) && !writes_to_terminal(words), "cells",
              static_cast<std::size_t>(finished), [this] {
                return slow_text(watch_, [this](std::uint64_t place) { return name_of(place); });
              }) {}

  [[nodiscard]] study::point_watch* watch() { return &watch_; }

  // Whether `update` would write: a store is not asked for every cell.
  [[nodiscard]] bool due() const { return line_.due(); }

  void update(std::uint64_t finished, std::uint64_t total, const outcome_counts& outcomes) {
    std::string note;
    for (const auto& [name, count] : outcomes) {
      note += fmt::format("{}{} {}", note.empty() ? "" : ", ", name, count);
    }
    line_.update(finished, total, note);
  }

  void update(const phase_work& work) {
    if (due()) {
      update(work.finished(), work.total(), work.tallies());
    }
  }

 private:
  // Rows on the same terminal would tear the line.
  static bool writes_to_terminal(const question& words) {
    return names_stdout(words.text("output")) && ::isatty(STDOUT_FILENO) != 0;
  }

  [[nodiscard]] std::string name_of(std::uint64_t place) const {
    const auto& [x, y] = grid_.axes();
    return fmt::format("{} = {:.6g}, {} = {:.6g}", x.name, x.at(place % x.size()), y.name,
                       y.at(place / x.size()));
  }

  const study::phase_grid& grid_;
  study::point_watch watch_;
  progress_line line_;
};

int run_stored(const question& words, const study::phase_grid& grid, const invocation& call,
               phase_leader& leader, std::size_t threads) {
  const std::string name = words.text("store");
  const std::string shard = words.text("shard");
  const phase_shard part = read_shard(shard);
  if (part.count > 1 && grid.problem().levels > 0) {
    throw argument_error("--shard", "'" + shard + "'",
                         "left out with --refine, whose cells depend on all others: several "
                         "processes share a store, and ranks of MPI the work");
  }
  std::optional<outputs> out;
  if (words.says("output") || words.says("plot")) {
    out.emplace(words);
  }
  sweep_store store(name, configuration_of(grid));
  stored_work work(grid, store, part);
  {
    cell_progress progress(words, grid, work.finished());
    leader.lead(work, [&] { progress.update(work); });
    compute_here(
        grid, threads, work, [&] { progress.update(work); }, progress.watch());
  }
  if (interruption() != 0) {
    return report_stored_interruption(store.finished(), work.total(), name.c_str(),
                                      call.command_line.c_str());
  }
  if (!work.complete()) {
    if (!words.says("quiet")) {
      say("shard {} is finished; '{}' holds {} of {} cells. Once all shards are, "
          "loradyn merge brings them together",
          shard, name, store.finished(), work.total());
    }
    return done;
  }
  if (!out) {
    if (!words.says("quiet")) {
      say("'{}' is complete; loradyn export makes its table and figure", name);
    }
    return done;
  }
  try {
    return write_store(store, grid, colours_of(words), *out);
  } catch (const interrupted&) {
    return report_stored_interruption(store.finished(), work.total(), name.c_str(),
                                      call.command_line.c_str());
  }
}

// How much of a diagram without a store was computed and written.
struct direct_count {
  std::uint64_t delivered = 0;
  std::uint64_t total = 0;
};

direct_count compute_alone(const question& words, const study::phase_grid& grid,
                           std::size_t threads, phase_report& report) {
  cell_progress progress(words, grid, 0);
  std::map<std::string, std::uint64_t> outcomes;
  direct_count count;
  const study::study_control control{
      threads,
      [&](std::size_t finished, std::size_t total) {
        count = {finished, total};
        if (finished == 0 || progress.due()) {
          progress.update(finished, total, {outcomes.begin(), outcomes.end()});
        }
      },
      progress.watch()};
  integration_work work;
  study::phase(grid, control, [&](const study::phase_row& row) {
    report.add(row);
    work += row.escape.work;
    ++outcomes[grid.outcome_of(row)];
  });
  tell_work(words, work);
  return count;
}

direct_count compute_with_ranks(const question& words, const study::phase_grid& grid,
                                std::size_t threads, phase_report& report, phase_leader& leader) {
  direct_work work(grid, [&report](const std::vector<cell>& row) { report.add(row); });
  cell_progress progress(words, grid, 0);
  leader.lead(work, [&] { progress.update(work); });
  compute_here(
      grid, threads, work, [&] { progress.update(work); }, progress.watch());
  return {work.delivered(), work.total()};
}

int run_direct(const question& words, const study::phase_grid& grid, const invocation& call,
               const ranks& processes, phase_leader& leader, std::size_t threads) {
  if (words.says("shard")) {
    throw error("--shard needs --store: each shard has a store of its own");
  }
  outputs out(words);
  phase_report report(grid, version, colours_of(words), out.table(), out.draws());
  const direct_count count = processes.alone()
                                 ? compute_alone(words, grid, threads, report)
                                 : compute_with_ranks(words, grid, threads, report, leader);
  const int code = finish(report, out);
  if (interruption() != 0) {
    return report_interruption(count.delivered, count.total, call.command_line.c_str());
  }
  return code;
}

int run_phase(const question& words, const invocation& call) {
  const ranks processes;
  const std::size_t given = read_threads(words);
  const std::size_t threads = given == 0 && !processes.alone() ? 1 : given;  // ranks are threads
  static_cast<void>(colours_of(words));
  std::unique_ptr<const study::phase_grid> made;
  try {
    made = std::make_unique<const study::phase_grid>(
        read_question<study::phase_problem>(words).problem);
  } catch (const interrupted&) {
    // The other ranks may be further, and wait for this one.
    if (processes.leads()) {
      const phase_leader dismissal(processes);
    } else {
      processes.follow([](const auto&) { return std::vector<kept_cell>(); });
    }
    throw;
  }
  const study::phase_grid& grid = *made;
  if (!processes.leads()) {
    processes.follow([&](const std::vector<planned_cell>& cells) {
      std::vector<kept_cell> computed;
      compute_cells(grid, cells, threads,
                    [&computed](kept_cell c) { computed.push_back(std::move(c)); });
      return computed;
    });
    return done;
  }
  phase_leader leader(processes);
  return words.says("store") ? run_stored(words, grid, call, leader, threads)
                             : run_direct(words, grid, call, processes, leader, threads);
}

}  // namespace

std::function<int(const invocation&)> setup_phase(option_list& list) {
  static constexpr std::array<option_text, 2> axes{
      {{"--x", "PARAM=R", "the horizontal parameter and its values"},
       {"--y", "PARAM=R", "the vertical one"}}};
  static constexpr std::array<option_text, 6> diagram{
      {{"--show", "t|law|tau|risk|source-risk|outcome", "what the colours of the figure tell", "t"},
       {"--only", "tau|escape", "tau: the search time alone, without a run", "escape"},
       {"--refine", "N",
        "halve the steps of the grid so often, adding cells only where neighbours differ\n"
        "in outcome or time",
        "0"},
       {"--refine-step", "X", "the difference of log10 t between neighbours that is refined",
        "0.2"},
       {"--store", "FILE",
        "keep every finished cell here, an SQLite file: a killed run goes on from it,\n"
        "and several runs on it share the work"},
       {"--shard", "i/n", "compute the i-th of n parts only, into --store"}}};
  static constexpr std::array<option_text, 6> ensemble{
      {{"--forgotten", "X",
        "the risk on the source at the end beyond which a run that learned counts as "
        "forgotten"},
       {"--engine", "chain|sgd",
        "simulate an ensemble in every cell: chain, exact in law at a cost that does not\n"
        "grow with d, or sgd; needs --dim"},
       {"--batch", "N", "samples in a step of a simulated run", "16"},
       {"--lr", "X",
        "learning rate of simulated runs; gamma is made of it (default: gamma batch/dim)"},
       {"--runs", "N", "simulated runs in a cell", "100"},
       {"--steps", "N", "steps after which a simulated run is given up", "1000000"}}};
  add(list, axes);
  add_mu(list, "X");
  add(list, diagram);
  add_event(list, "m", "0.5 for m");
  add_start(list, "1e-6");
  add_law(list, "D");
  add_network(list);
  add_network_start(list, false);
  add(list, ensemble);
  add_integrator(list, study::row_step_limit);
  add_shared(list);
  for (const char* of_the_ensemble : {"--batch", "--lr", "--runs", "--steps"}) {
    list.needs(of_the_ensemble, {"--engine"});
  }
  list.needs("--refine-step", {"--refine"});
  list.footer(
      "PARAM is " + fmt::format("{}", fmt::join(study::parameter_names(), ", ")) +
      ", or one in braces in an activation. A row per cell, x fastest, with the columns and words "
      "of escape, and forgotten; --engine adds those of simulated runs, which start at random, or "
      "at u0, m0 and s0 where one is on an axis: " +
      text_of_columns(study::ensemble_columns({0.5})) +
      ". sim: " + text_of(study::ensemble_words()) +
      ". The figure has the outcomes outlined and named, and the lines A = 0 where "
      "the search time diverges.\n\n"
      "Of a network (docs/networks.md) PARAM may also be width, teacher-width, rank, decay or "
      "source-overlap.\n\n"
      "Examples:\n"
      "  loradyn phase --student 'he3+{a}*he5' --x mu=0.05:0.95:64 --y a=-0.5:0.5:64 \\\n"
      "    -o map.csv --plot map.svg\n"
      "  loradyn phase --student 'he3+{a}*he5' --x mu=0.05:0.95:17 --y a=-0.5:0.5:17 --refine 4\n"
      "  loradyn phase --student erf --x mu=0.1:0.9:33 --y gamma=log:0.1:10:33 --noise 0.1\n"
      "  loradyn phase --student erf --x mu=0.2:0.8:13 --y gamma=log:0.5:8:9 --dim 1000 \\\n"
      "    --engine chain --runs 200 --plot both.svg");
  return running(list, run_phase);
}

}  // namespace loradyn::cli
