// loradyn phase: a diagram over two parameters, with everything that escape computes in each cell.

#include <fmt/format.h>
#include <unistd.h>

#include <cmath>
#include <loradyn/error.hpp>
#include <loradyn/report/phase_work.hpp>
#include <loradyn/report/ranks.hpp>
#include <loradyn/report/store.hpp>
#include <loradyn/simulation/random.hpp>
#include <loradyn/study/control.hpp>
#include <loradyn/sweep/range.hpp>
#include <loradyn/version.hpp>
#include <map>
#include <memory>
#include <optional>
#include <tuple>

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

  // An axis over its sizes makes a network too.
  [[nodiscard]] bool of_network() const {
    const auto over_sizes = [](const std::string& axis) {
      return study::layout_parameter_named(axis.substr(0, axis.find('='))) != nullptr;
    };
    return network.given() || !forgotten.empty() || over_sizes(x) || over_sizes(y);
  }
};

phase_colours colours_of(const phase_options& options) {
  return read_choice("--show", options.show, phase_colour_names);
}

// What the problem can't tell is wrong. Throws argument_error and error.
void check(const phase_options& options) {
  if (options.shared.students.size() != 1 ||
      options.shared.students.front().find(',') != std::string::npos) {
    throw options.shared.students.empty()
        ? error("--student is missing: name an activation, such as --student erf")
        : argument_error("--student", "a list", "one activation, for a diagram has one");
  }
  static_cast<void>(colours_of(options));
  if (options.only != "escape" && options.only != "tau") {
    throw argument_error("--only", "'" + options.only + "'", "tau, or escape for all of it");
  }
  if (options.only == "tau" && options.ensemble.engine.empty()) {
    const auto require = [](bool usual, const std::string& what, const std::string& given) {
      if (!usual) {
        throw argument_error(what, "'" + given + "'", "left out: --only tau has no run");
      }
    };
    require(options.event.quantity == "m", "--event", options.event.quantity);
    require(
        options.event.at.empty() || parse_number("--at", options.event.at) == overlap_event().at,
        "--at", options.event.at);
    require(options.law.dimension.empty(), "--dim", options.law.dimension);
    for (const study::parameter* p : study::start_parameters) {
      const std::string& text = options.start.texts[*p];
      require(text.empty() || parse_number(p->name, text) == *p->standard,
              "--" + std::string(p->name), text);
    }
  }
}

study::ensemble_request read_ensemble(const ensemble_options& options, std::uint64_t seed) {
  using study::ensemble_request;
  ensemble_request e;
  e.engine = read_choice("--engine", options.engine, simulation_engines);
  e.batch = read_count("--batch", options.batch, 1, ensemble_request::max_batch);
  if (!options.learning_rate.empty()) {
    e.learning_rate = read_positive("--lr", options.learning_rate);
  }
  e.runs = read_count("--runs", options.runs, 1, ensemble_request::max_runs);
  e.steps = read_count("--steps", options.steps, 1, random_steps - 1);
  e.seed = seed;
  return e;
}

// The network, whose numbers go to the point.
study::phase_network read_network(const phase_options& options, study::parameter_point& point) {
  if (!options.network.file.empty()) {
    throw argument_error("--network", "'" + options.network.file + "'",
                         "left out: a diagram's rows are those that mu and nu make");
  }
  require_network_start(options.start);
  network_options words = options.network;
  const auto on_axis = [&](const study::parameter& p) {
    const std::string start = std::string(p.name) + "=";
    return options.x.starts_with(start) || options.y.starts_with(start);
  };
  // What is on an axis is no option's: a value that goes with all others stands for it.
  for (const auto& [p, text, any] :
       {std::tuple(&study::registry::width, &words.width, "256"),
        {&study::registry::teacher_width, &words.teacher_width, ""},
        {&study::registry::rank, &words.rank, ""},
        {&study::registry::decay, &words.decay, ""},
        {&study::registry::source_overlap, &words.source_overlap, "0"}}) {
    if (on_axis(*p)) {
      if (!text->empty()) {
        throw argument_error(fmt::format("--{}", p->name), "'" + *text + "'",
                             "left out: it is on an axis");
      }
      *text = any;
    }
  }
  study::phase_network n{
      read_layout(words, options.shared), read_network_start(words, options.shared, ""),
      read_network_event(options.event.quantity, options.event.at, options.event.is_signed),
      std::nullopt};
  if (!options.forgotten.empty()) {
    n.forgotten = read_positive("--forgotten", options.forgotten);
  }
  point.layout = study::numbers_of(n.layout);
  if (on_axis(study::registry::source_overlap)) {
    point.layout.source_overlap.reset();
  }
  return n;
}

study::phase_problem read_problem(const phase_options& options) {
  const shared_options& shared = options.shared;
  study::phase_problem p;
  p.student = shared.students.front();
  p.teacher = shared.teachers;
  p.unit = read_unit(shared);
  p.tau_only = options.only == "tau";
  p.otherwise = read_parameters(shared);
  p.otherwise.parameters.misalignment = read_single_nu(shared, "one number, or an axis");
  p.has_alignment = !shared.mu().empty();
  if (p.has_alignment) {
    p.otherwise.parameters.alignment = read_value(study::registry::mu, shared.mu());
  }
  p.otherwise.start = read_start(options.start);
  if (options.of_network()) {
    p.network = read_network(options, p.otherwise);
  } else {
    p.request.event = read_event(options.event);
  }
  p.request.integrator = read_integrator(options.integrator, 1.0);
  if (!options.law.dimension.empty()) {
    p.otherwise.dimension = read_value(study::registry::dim, options.law.dimension);
  }
  p.request.quantiles = read_quantiles(options.law.quantiles);
  if (!options.ensemble.engine.empty()) {
    p.ensemble = read_ensemble(options.ensemble, shared.seed);
  }
  p.levels = static_cast<unsigned>(read_count("--refine", options.refine, 0, study::max_levels));
  p.refine_step = read_positive("--refine-step", options.refine_step);
  p.x = study::read_axis("--x", options.x);
  p.y = study::read_axis("--y", options.y);
  return p;
}

phase_shard read_shard(const std::string& text) {
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

// Sends the followers home where the leader fails before it has led them.
class leadership {
 public:
  explicit leadership(const ranks& processes) : processes_(processes) {}
  ~leadership() {
    if (!led_) {
      processes_.lead(
          {[] { return std::vector<planned_cell>(); }, [](const auto&) {}, [](const auto&) {}});
    }
  }
  leadership(const leadership&) = delete;
  leadership& operator=(const leadership&) = delete;

  // The other ranks compute, a few cells at a time, while this one takes what they send.
  void lead(phase_work& work, cell_progress& progress) {
    led_ = true;
    constexpr std::size_t block = 64;
    const auto next = [&] {
      return interruption() == 0 ? work.next(block) : std::vector<planned_cell>();
    };
    const auto take = [&](std::vector<kept_cell> done) {
      for (kept_cell& c : done) {
        work.take(std::move(c));
      }
      progress.update(work);
    };
    processes_.lead(
        {next, take, [&](const std::vector<planned_cell>& cells) { work.give_back(cells); }});
    work.flush();
  }

 private:
  const ranks& processes_;
  bool led_ = false;
};

int run_stored(const phase_options& options, const study::phase_grid& grid, const invocation& call,
               leadership& leader, std::size_t threads) {
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
    leader.lead(work, progress);
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
                                std::size_t threads, phase_report& report, leadership& leader) {
  direct_work work(grid, [&report](const std::vector<cell>& row) { report.add(row); });
  cell_progress progress(shared, grid, 0);
  leader.lead(work, progress);
  compute_here(
      grid, threads, work, [&] { progress.update(work); }, progress.watch());
  return {work.delivered(), work.total()};
}

int run_direct(const phase_options& options, const study::phase_grid& grid, const invocation& call,
               const ranks& processes, leadership& leader, std::size_t threads) {
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
  check(options);
  std::unique_ptr<const study::phase_grid> made;
  try {
    made = std::make_unique<const study::phase_grid>(read_problem(options));
  } catch (const interrupted&) {
    // The other ranks may be further, and wait for this one.
    if (processes.leads()) {
      const leadership dismissal(processes);
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
  leadership leader(processes);
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
