// loradyn phase: a diagram over two parameters, with everything that escape computes in each cell.

#include <fmt/format.h>
#include <unistd.h>

#include <cmath>
#include <loradyn/error.hpp>
#include <loradyn/report/phase_work.hpp>
#include <loradyn/report/question.hpp>
#include <loradyn/report/ranks.hpp>
#include <loradyn/report/store.hpp>
#include <loradyn/study/control.hpp>
#include <loradyn/sweep/range.hpp>
#include <loradyn/version.hpp>
#include <map>
#include <memory>
#include <optional>

#include "command.hpp"
#include "interruption.hpp"
#include "message.hpp"
#include "network_options.hpp"
#include "options.hpp"
#include "output.hpp"
#include "phase_output.hpp"

namespace loradyn::cli {
namespace {

using study::planned_cell;

// The simulated runs of every cell.
struct ensemble_options {
  std::string engine;  // empty: none
  std::string batch = "16";
  std::string learning_rate;
  std::string runs = "100";
  std::string steps = "1000000";
};

struct phase_options {
  shared_options shared;
  std::string x;
  std::string y;
  std::string show = "t";
  std::string only = "escape";
  std::string refine = "0";
  std::string refine_step = "0.2";
  std::string store;
  std::string shard;
  start_options start;
  event_options event;
  law_options law;
  ensemble_options ensemble;
  integrator_options integrator;
  network_options network;
  std::string forgotten;
};

phase_colours colours_of(const phase_options& options) {
  return read_choice("--show", options.show, phase_colour_names);
}

// What the options say.
question question_from(const phase_options& o) {
  question words = words_of({describe(o.shared), describe(o.start), words_of(o.event),
                             describe(o.integrator), describe(o.network), describe(o.law)});
  const ensemble_options& e = o.ensemble;
  for (const auto& [name, text] : {std::pair("x", &o.x),
                                   {"y", &o.y},
                                   {"only", &o.only},
                                   {"refine", &o.refine},
                                   {"refine-step", &o.refine_step},
                                   {"forgotten", &o.forgotten},
                                   {"engine", &e.engine},
                                   {"batch", &e.batch},
                                   {"lr", &e.learning_rate},
                                   {"runs", &e.runs},
                                   {"steps", &e.steps}}) {
    words.say(name, *text);
  }
  return words;
}

using outcome_counts = std::vector<std::pair<std::string, std::uint64_t>>;

// Tells how far the diagram is, and what came out so far.
class cell_progress {
 public:
  cell_progress(const shared_options& shared, const study::phase_grid& grid, std::uint64_t finished)
      : grid_(grid),
        line_(shared.shows_progress() && !writes_to_terminal(shared), "cells",
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
  static bool writes_to_terminal(const shared_options& shared) {
    return names_stdout(shared.output.file) && ::isatty(STDOUT_FILENO) != 0;
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

int run_stored(const phase_options& options, const study::phase_grid& grid, const invocation& call,
               phase_leader& leader, std::size_t threads) {
  const shared_options& shared = options.shared;
  const phase_shard part = read_shard(options.shard);
  if (part.count > 1 && grid.problem().levels > 0) {
    throw argument_error("--shard", "'" + options.shard + "'",
                         "left out with --refine, whose cells depend on all others: several "
                         "processes share a store, and ranks of MPI the work");
  }
  std::optional<outputs> out;
  if (!shared.output.file.empty() || !shared.figure.empty()) {
    out.emplace(shared);
  }
  sweep_store store(options.store, configuration_of(grid));
  stored_work work(grid, store, part);
  {
    cell_progress progress(shared, grid, work.finished());
    leader.lead(work, [&] { progress.update(work); });
    compute_here(
        grid, threads, work, [&] { progress.update(work); }, progress.watch());
  }
  if (interruption() != 0) {
    return report_stored_interruption(store.finished(), work.total(), options.store.c_str(),
                                      call.command_line.c_str());
  }
  if (!work.complete()) {
    if (!shared.quiet) {
      say("shard {} is finished; '{}' holds {} of {} cells. Once all shards are, "
          "loradyn merge brings them together",
          options.shard, options.store, store.finished(), work.total());
    }
    return done;
  }
  if (!out) {
    if (!shared.quiet) {
      say("'{}' is complete; loradyn export makes its table and figure", options.store);
    }
    return done;
  }
  try {
    return write_store(store, grid, colours_of(options), *out);
  } catch (const interrupted&) {
    return report_stored_interruption(store.finished(), work.total(), options.store.c_str(),
                                      call.command_line.c_str());
  }
}

// How much of a diagram without a store was computed and written.
struct direct_count {
  std::uint64_t delivered = 0;
  std::uint64_t total = 0;
};

direct_count compute_alone(const shared_options& shared, const study::phase_grid& grid,
                           std::size_t threads, phase_report& report) {
  cell_progress progress(shared, grid, 0);
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
  tell_work(shared, work);
  return count;
}

direct_count compute_with_ranks(const shared_options& shared, const study::phase_grid& grid,
                                std::size_t threads, phase_report& report, phase_leader& leader) {
  direct_work work(grid, [&report](const std::vector<cell>& row) { report.add(row); });
  cell_progress progress(shared, grid, 0);
  leader.lead(work, [&] { progress.update(work); });
  compute_here(
      grid, threads, work, [&] { progress.update(work); }, progress.watch());
  return {work.delivered(), work.total()};
}

int run_direct(const phase_options& options, const study::phase_grid& grid, const invocation& call,
               const ranks& processes, phase_leader& leader, std::size_t threads) {
  const shared_options& shared = options.shared;
  if (!options.shard.empty()) {
    throw error("--shard needs --store: each shard has a store of its own");
  }
  outputs out(shared);
  phase_report report(grid, version, colours_of(options), out);
  const direct_count count = processes.alone()
                                 ? compute_alone(shared, grid, threads, report)
                                 : compute_with_ranks(shared, grid, threads, report, leader);
  const int code = report.finish();
  if (interruption() != 0) {
    return report_interruption(count.delivered, count.total, call.command_line.c_str());
  }
  return code;
}

int run_phase(const phase_options& options, const invocation& call) {
  const ranks processes;
  const std::size_t given = options.shared.threads;
  const std::size_t threads = given == 0 && !processes.alone() ? 1 : given;  // ranks are threads
  static_cast<void>(colours_of(options));
  std::unique_ptr<const study::phase_grid> made;
  try {
    made = std::make_unique<const study::phase_grid>(
        read_question<study::phase_problem>(question_from(options)).problem);
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
  return options.store.empty() ? run_direct(options, grid, call, processes, leader, threads)
                               : run_stored(options, grid, call, leader, threads);
}

}  // namespace

std::function<int(const invocation&)> setup_phase(option_list& list) {
  auto options = std::make_shared<phase_options>();
  list.text("--x", options->x, "the horizontal parameter and its values", "PARAM=R");
  list.text("--y", options->y, "the vertical one", "PARAM=R");
  options->shared.add_mu_to(list, "X");
  list.text("--show", options->show, "what the colours of the figure tell",
            "t|law|tau|risk|source-risk|outcome");
  list.text("--only", options->only, "tau: the search time alone, without a run", "tau|escape");
  list.text("--refine", options->refine,
            "halve the steps of the grid so often, adding cells only where neighbours differ\n"
            "in outcome or time",
            "N");
  list.text("--refine-step", options->refine_step,
            "the difference of log10 t between neighbours that is refined", "X");
  list.text("--store", options->store,
            "keep every finished cell here, an SQLite file: a killed run goes on from it,\n"
            "and several runs on it share the work",
            "FILE");
  list.text("--shard", options->shard, "compute the i-th of n parts only, into --store", "i/n");
  options->event.add_to(list, "m", "0.5 for m");
  options->start.add_to(list, "1e-6");
  options->law.add_to(list, "D");
  options->network.add_to(list);
  options->network.add_start_to(list, false);
  list.text("--forgotten", options->forgotten,
            "the risk on the source at the end beyond which a run that learned counts as "
            "forgotten",
            "X");
  ensemble_options& ensemble = options->ensemble;
  list.text("--engine", ensemble.engine,
            "simulate an ensemble in every cell: chain, exact in law at a cost that does not\n"
            "grow with d, or sgd; needs --dim",
            "chain|sgd");
  list.text("--batch", ensemble.batch, "samples in a step of a simulated run", "N");
  list.text("--lr", ensemble.learning_rate,
            "learning rate of simulated runs; gamma is made of it (default: gamma batch/dim)", "X");
  list.text("--runs", ensemble.runs, "simulated runs in a cell", "N");
  list.text("--steps", ensemble.steps, "steps after which a simulated run is given up", "N");
  options->integrator.max_steps = study::row_step_limit;
  options->integrator.add_to(list);
  options->shared.add_to(list);
  for (const char* of_the_ensemble : {"--batch", "--lr", "--runs", "--steps"}) {
    list.needs(of_the_ensemble, {"--engine"});
  }
  list.needs("--refine-step", {"--refine"});
  list.footer(
      "PARAM is " + fmt::format("{}", fmt::join(study::parameter_names(), ", ")) +
      ",\nor one in braces in an activation. A row per\n"
      "cell, x fastest, with the columns of escape; --engine adds those of simulated runs, which\n"
      "start at random, or at u0, m0 and s0 where one is on an axis. The figure has the outcomes "
      "outlined and\n"
      "named, and the lines A = 0 where the search time diverges.\n\n"
      "Of a network (docs/networks.md) PARAM may also be width, teacher-width, rank, decay or\n"
      "source-overlap.\n\n"
      "Examples:\n"
      "  loradyn phase --student 'he3+{a}*he5' --x mu=0.05:0.95:64 --y a=-0.5:0.5:64 \\\n"
      "    -o map.csv --plot map.svg\n"
      "  loradyn phase --student 'he3+{a}*he5' --x mu=0.05:0.95:17 --y a=-0.5:0.5:17 --refine 4\n"
      "  loradyn phase --student erf --x mu=0.1:0.9:33 --y gamma=log:0.1:10:33 --noise 0.1\n"
      "  loradyn phase --student erf --x mu=0.2:0.8:13 --y gamma=log:0.5:8:9 --dim 1000 \\\n"
      "    --engine chain --runs 200 --plot both.svg");
  return [options](const invocation& call) { return run_phase(*options, call); };
}

}  // namespace loradyn::cli
