// loradyn phase: a diagram over two parameters, with everything that escape computes in each cell.

#include "phase.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <cmath>
#include <iterator>
#include <loradyn/error.hpp>
#include <loradyn/report/store.hpp>
#include <loradyn/sweep/range.hpp>
#include <loradyn/version.hpp>
#include <memory>
#include <optional>
#include <thread>

#include "command.hpp"
#include "figures.hpp"
#include "flow_options.hpp"
#include "interruption.hpp"
#include "output.hpp"
#include "ranks.hpp"
#include "store_options.hpp"
#include "sweep.hpp"

namespace loradyn::cli {
namespace {

struct phase_options {
  shared_options shared;
  std::string x;
  std::string y;
  std::string mu;
  std::string show = "t";
  std::string only = "escape";
  std::string store;
  std::string shard;
  std::string dimension;
  std::string quantiles = "0.05,0.25,0.5,0.75,0.95";
  start_options start;
  event_options event;
  integrator_options integrator;
};

described describe(const phase_options& options) {
  described parameters = describe(options.shared, options.mu);
  const auto add = [&parameters](const described& more) {
    parameters.insert(parameters.end(), more.begin(), more.end());
  };
  add(describe(options.start));
  add(describe(options.event));
  add(describe(options.integrator));
  add({{"dim", options.dimension.empty() ? "none" : options.dimension},
       {"quantiles", options.quantiles},
       {"x", options.x},
       {"y", options.y},
       {"only", options.only},
       {"show", options.show}});
  return parameters;
}

phase_grid read_phase(const phase_options& options, const described& parameters) {
  if (options.shared.students.size() != 1 ||
      options.shared.students.front().find(',') != std::string::npos) {
    throw options.shared.students.empty()
        ? error("--student is missing: name an activation, such as --student erf")
        : argument_error("--student", "a list", "one activation, for a diagram has one");
  }
  require_show(options.show);
  if (options.only != "escape" && options.only != "tau") {
    throw argument_error("--only", "'" + options.only + "'", "tau, or escape for all of it");
  }
  read_unit(options.shared);
  return {setting_of_parameters(parameters), options.x, options.y};
}

// i/n: the cells i-1, i-1+n, … of the grid.
struct shard {
  std::uint64_t index = 0;
  std::uint64_t count = 1;
};

shard read_shard(const std::string& text) {
  if (text.empty()) {
    return {};
  }
  const std::vector<std::string_view> parts = split(text, '/');
  constexpr double most = 1e6;
  if (parts.size() == 2) {
    const double i = parse_number("--shard", parts[0]);
    const double n = parse_number("--shard", parts[1]);
    if (i >= 1.0 && i <= n && n <= most && i == std::floor(i) && n == std::floor(n)) {
      return {static_cast<std::uint64_t>(i) - 1, static_cast<std::uint64_t>(n)};
    }
  }
  throw argument_error("--shard", "'" + text + "'", "i/n with 1 <= i <= n <= 1000000");
}

// The rows of some cells, and what each took. A prefix where the user interrupts.
std::vector<kept_cell> compute(const phase_grid& grid, const std::vector<std::uint64_t>& cells,
                               std::size_t threads) {
  sweep_control control;
  control.threads = threads;
  control.block = 4;
  control.stop = [] { return interruption() != 0; };
  return parallel_map(cells.size(), control, [&](std::size_t i) {
    const auto start = std::chrono::steady_clock::now();
    kept_cell k{cells[i], grid.row(cells[i]), 0.0};
    k.cost = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
    return k;
  });
}

// Sends the followers home where the leader fails before it has led them.
class leadership {
 public:
  explicit leadership(const ranks& processes) : processes_(processes) {}
  ~leadership() {
    if (!led_) {
      processes_.lead([] { return std::vector<std::uint64_t>(); }, [](const auto&) {});
    }
  }
  leadership(const leadership&) = delete;
  leadership& operator=(const leadership&) = delete;

  [[nodiscard]] bool alone() const { return processes_.alone(); }

  template <class Next, class Taken>
  void lead(const Next& next, const Taken& taken) {
    led_ = true;
    processes_.lead(next, taken);
  }

 private:
  const ranks& processes_;
  bool led_ = false;
};

// Cells in a message between ranks.
constexpr std::size_t ranks_block = 64;

// A sweep into a store: blocks of cells are claimed, or taken from the shard, computed and kept.
class stored_sweep {
 public:
  stored_sweep(const shared_options& shared, const phase_grid& grid, sweep_store& store,
               const shard& part)
      : shared_(shared), grid_(grid), store_(store), part_(part) {
    if (part_.count > 1) {
      list_shard();
    }
  }

  // The same by the other ranks, while this one keeps what they send, about once in a second.
  void lead(leadership& leader) {
    progress_line progress(shows_progress(shared_), "cells");
    std::vector<kept_cell> waiting;
    auto last = std::chrono::steady_clock::now();
    const auto flush = [&] {
      store_.keep(waiting);
      waiting.clear();
      last = std::chrono::steady_clock::now();
      progress.update(store_.finished(), grid_.cells());
    };
    leader.lead(
        [&] { return interruption() == 0 ? next(ranks_block) : std::vector<std::uint64_t>(); },
        [&](std::vector<kept_cell> done) {
          std::move(done.begin(), done.end(), std::back_inserter(waiting));
          if (std::chrono::steady_clock::now() - last > std::chrono::seconds(1)) {
            flush();
          }
        });
    flush();
  }

  // Until no cell is left to this process, or it is interrupted.
  void run() {
    progress_line progress(shows_progress(shared_), "cells");
    std::size_t size = 64;
    while (interruption() == 0) {
      const std::vector<std::uint64_t> cells = next(size);
      if (cells.empty()) {
        if (part_.count > 1 || store_.complete()) {
          return;
        }
        // Other processes have claimed the rest; what a killed one had is free again.
        std::this_thread::sleep_for(std::chrono::milliseconds(200));
        progress.update(store_.finished(), grid_.cells());
        continue;
      }
      const auto start = std::chrono::steady_clock::now();
      store_.keep(compute(grid_, cells, shared_.threads));
      progress.update(store_.finished(), grid_.cells());
      // About a second between two waits for the disk.
      const double seconds =
          std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
      constexpr double wanted = 1.0;
      const double factor = std::clamp(wanted / std::max(seconds, 1e-6), 0.25, 4.0);
      constexpr double least = 16.0;
      constexpr double most = 16384.0;
      size = static_cast<std::size_t>(std::clamp(static_cast<double>(size) * factor, least, most));
    }
  }

 private:
  void list_shard() {
    std::vector<char> finished(grid_.cells(), 0);
    store_.read(0, grid_.cells(),
                [&](std::uint64_t i, const std::vector<cell>&) { finished[i] = 1; });
    for (std::uint64_t i = part_.index; i < grid_.cells(); i += part_.count) {
      if (finished[i] == 0) {
        remaining_.push_back(i);
      }
    }
  }

  [[nodiscard]] std::vector<std::uint64_t> next(std::size_t size) {
    if (part_.count == 1) {
      return store_.claim(size);
    }
    const std::size_t end = std::min(remaining_.size(), position_ + size);
    std::vector<std::uint64_t> cells(remaining_.begin() + static_cast<std::ptrdiff_t>(position_),
                                     remaining_.begin() + static_cast<std::ptrdiff_t>(end));
    position_ = end;
    return cells;
  }

  const shared_options& shared_;
  const phase_grid& grid_;
  sweep_store& store_;
  shard part_;
  std::vector<std::uint64_t> remaining_;  // of a shard
  std::size_t position_ = 0;
};

int run_stored(const phase_options& options, const phase_grid& grid, const described& parameters,
               const invocation& call, leadership& leader) {
  const shared_options& shared = options.shared;
  const shard part = read_shard(options.shard);
  std::optional<outputs> out;
  if (!shared.output.empty() || !shared.figure.empty()) {
    out.emplace(shared);
  }
  sweep_store store(options.store, configuration_of(grid, parameters));
  stored_sweep sweep(shared, grid, store, part);
  if (!leader.alone()) {
    sweep.lead(leader);
  }
  if (interruption() == 0) {
    sweep.run();  // alone, or what ranks that are gone had claimed
  }
  if (interruption() != 0) {
    return report_stored_interruption(store.finished(), grid.cells(), options.store.c_str(),
                                      call.command_line.c_str());
  }
  if (!store.complete()) {
    if (!shared.quiet) {
      fmt::print(stderr,
                 "loradyn: shard {} is finished; '{}' holds {} of {} cells. Once all shards are, "
                 "loradyn merge brings them together\n",
                 options.shard, options.store, store.finished(), grid.cells());
    }
    return done;
  }
  if (!out) {
    if (!shared.quiet) {
      fmt::print(stderr, "loradyn: '{}' is complete; loradyn export makes its table and figure\n",
                 options.store);
    }
    return done;
  }
  const table t = table_of(store, options.show);
  out->write(t, [](const table& finished) { return phase_figure(finished, ""); });
  return exit_code_for(t);
}

// Every row in memory; a prefix where the user interrupts.
std::vector<std::vector<cell>> rows_of(const phase_grid& grid, const shared_options& shared,
                                       leadership& leader) {
  if (leader.alone()) {
    // Some milliseconds of work.
    const std::size_t block = grid.setting().tau_only ? 256 : 4;
    return run_sweep(shared, grid.cells(), block, [&](std::size_t i) { return grid.row(i); });
  }
  progress_line progress(shows_progress(shared), "cells");
  std::vector<std::vector<cell>> rows(grid.cells());
  std::uint64_t position = 0;
  std::uint64_t finished = 0;
  leader.lead(
      [&] {
        std::vector<std::uint64_t> block;
        while (interruption() == 0 && block.size() < ranks_block && position < grid.cells()) {
          block.push_back(position++);
        }
        return block;
      },
      [&](std::vector<kept_cell> done) {
        finished += done.size();
        for (kept_cell& c : done) {
          rows[c.cell] = std::move(c.values);
        }
        progress.update(finished, grid.cells());
      });
  const auto missing = std::find_if(rows.begin(), rows.end(),
                                    [](const std::vector<cell>& row) { return row.empty(); });
  rows.erase(missing, rows.end());
  return rows;
}

int run_phase(const phase_options& options, const invocation& call) {
  const ranks processes;
  shared_options shared = options.shared;
  if (!processes.alone() && shared.threads == 0) {
    shared.threads = 1;  // the ranks are the threads
  }
  const described parameters = describe(options);
  const phase_grid grid = read_phase(options, parameters);
  if (!processes.leads()) {
    processes.follow([&](const std::vector<std::uint64_t>& cells) {
      return compute(grid, cells, shared.threads);
    });
    return done;
  }
  leadership leader(processes);
  if (!options.store.empty()) {
    return run_stored(options, grid, parameters, call, leader);
  }
  if (!options.shard.empty()) {
    throw error("--shard needs --store: each shard has a store of its own");
  }
  outputs out(shared);

  table t;
  t.meta = {version, canonical_command(parameters), parameters};
  t.columns = grid.columns();
  t.rows = rows_of(grid, shared, leader);
  out.write(t, [](const table& finished) { return phase_figure(finished, ""); });
  if (t.rows.size() < grid.cells()) {
    return report_interruption(t.rows.size(), grid.cells(), call.command_line.c_str());
  }
  return exit_code_for(t);
}

}  // namespace

void require_show(const std::string& show) {
  if (show != "t" && show != "tau" && show != "risk" && show != "outcome") {
    throw argument_error("--show", "'" + show + "'", "t, tau, risk or outcome");
  }
}

std::function<int(const invocation&)> setup_phase(CLI::App& app) {
  auto options = std::make_shared<phase_options>();
  app.add_option("--x", options->x, "the horizontal parameter and its values")
      ->type_name("PARAM=R");
  app.add_option("--y", options->y, "the vertical one")->type_name("PARAM=R");
  app.add_option("--mu", options->mu, "pre-training alignment, where it is on no axis")
      ->type_name("X");
  app.add_option("--show", options->show, "what the colours of the figure tell")
      ->type_name("t|tau|risk|outcome")
      ->capture_default_str();
  app.add_option("--only", options->only, "tau: the search time alone, without a run")
      ->type_name("tau|escape")
      ->capture_default_str();
  app.add_option("--store", options->store,
                 "keep every finished cell here, an SQLite file: a killed run goes on from it,\n"
                 "and several runs on it share the work")
      ->type_name("FILE");
  app.add_option("--shard", options->shard, "compute the i-th of n parts only, into --store")
      ->type_name("i/n");
  options->event.add_to(app, "m", "0.5 for m");
  options->start.add_to(app, "1e-6");
  app.add_option("--dim", options->dimension, "the law over random starts in this dimension")
      ->type_name("D");
  app.add_option("--quantiles", options->quantiles, "of that law")
      ->type_name("R")
      ->capture_default_str();
  options->integrator.add_to(app);
  options->shared.add_to(app);
  app.footer(
      "PARAM is mu, nu, gamma, noise, lr-ratio, m0, dim, or one in braces in an activation. A row "
      "per\n"
      "cell, x fastest, with the columns of escape. The figure has the outcomes outlined and "
      "named,\n"
      "and the lines A = 0 where the search time diverges.\n\n"
      "Examples:\n"
      "  loradyn phase --student 'he3+{a}*he5' --x mu=0.05:0.95:64 --y a=-0.5:0.5:64 \\\n"
      "    -o map.csv --plot map.svg\n"
      "  loradyn phase --student erf --x mu=0.1:0.9:33 --y gamma=log:0.1:10:33 --noise 0.1");
  return [options](const invocation& call) { return run_phase(*options, call); };
}

}  // namespace loradyn::cli
