// loradyn simulate: training at finite dimension and learning rate.

#include <fmt/format.h>

#include <array>
#include <cmath>
#include <filesystem>
#include <limits>
#include <loradyn/error.hpp>
#include <loradyn/simulation/random.hpp>
#include <loradyn/simulation/statistics.hpp>
#include <memory>
#include <optional>
#include <system_error>

#include "command.hpp"
#include "figures.hpp"
#include "flow_options.hpp"
#include "message.hpp"
#include "options.hpp"
#include "output.hpp"
#include "resources.hpp"
#include "simulation_options.hpp"
#include "stages.hpp"

namespace loradyn::cli {
namespace {

constexpr double nan = std::numeric_limits<double>::quiet_NaN();

struct simulate_options {
  shared_options shared;
  std::string mu;
  std::string dimension;
  std::string batch;
  std::string learning_rate;
  std::string steps;
  std::string t_end;
  std::string runs = "100";
  std::string engine = "chain";
  std::string points = "101";
  std::string stages;
  std::string checkpoint;
  start_options start{.u0 = "", .m0 = "", .s0 = ""};
  event_options event;
};

constexpr std::array<std::pair<const char*, simulated_quantity>, 7> quantities{
    {{"u", simulated_quantity::u},
     {"m", simulated_quantity::m},
     {"m_abs", simulated_quantity::m_abs},
     {"s", simulated_quantity::s},
     {"M", simulated_quantity::M},
     {"Q", simulated_quantity::Q},
     {"risk", simulated_quantity::risk}}};
constexpr std::array<double, 3> probabilities{0.05, 0.5, 0.95};

std::uint64_t required_count(const char* option, const std::string& text, const char* what,
                             std::uint64_t least, std::uint64_t most) {
  if (text.empty()) {
    throw error(fmt::format("{} is missing: give {}", option, what));
  }
  return read_count(option, text, least, most);
}

simulation_problem read_problem(const simulate_options& options, const activation_pair& pair) {
  const shared_options& shared = options.shared;
  const double unit = pair.rate_unit;
  if (shared.gamma != "0") {
    throw argument_error("--gamma", "'" + shared.gamma + "'",
                         "left out: --dim, --batch and --lr make it");
  }
  if (options.mu.empty()) {
    throw error("--mu is missing: give the alignment, such as --mu 0.5");
  }
  lora_parameters p = read_parameters(shared);
  p.alignment = read_number("--mu", options.mu);
  p.misalignment = read_single_nu(shared, "one number here");
  constexpr std::uint64_t largest = std::uint64_t{1} << 53;
  const bool misaligned = p.misalignment > 0.0 || (!options.start.s0.empty() &&
                                                   read_number("--s0", options.start.s0) != 0.0);
  const std::uint64_t d = required_count("--dim", options.dimension, "the dimension, such as 1000",
                                         misaligned ? 4 : 3, largest);
  const std::uint64_t batch =
      required_count("--batch", options.batch, "the size of a batch, such as 64", 1, largest);
  if (shared.seed > max_seed) {
    throw argument_error("--seed", std::to_string(shared.seed),
                         fmt::format("at most {}", max_seed));
  }

  const auto problem_of = [&](double eta, std::uint64_t steps) {
    return make_problem(pair.risk.student(), pair.risk.teacher(), p, d, batch, eta, steps);
  };
  std::optional<simulation_problem> made;
  if (options.stages.empty()) {
    if (options.learning_rate.empty()) {
      throw error("--lr is missing: give the learning rate, such as --lr 0.1");
    }
    const double eta = read_number("--lr", options.learning_rate);
    if (!(eta > 0.0)) {
      throw argument_error("--lr", "'" + options.learning_rate + "'", "> 0");
    }
    if (options.steps.empty() == options.t_end.empty()) {
      throw error("give either --steps or --t-end, the length of a run");
    }
    std::uint64_t steps = 0;
    if (!options.steps.empty()) {
      steps = read_count("--steps", options.steps, 1, random_steps - 1);
    } else {
      const double count = std::ceil(read_number("--t-end", options.t_end) / unit / eta - 1e-9);
      if (!(count >= 1.0 && count < static_cast<double>(random_steps))) {
        throw argument_error("--t-end", "'" + options.t_end + "'",
                             fmt::format("> 0 and less than {} steps", random_steps));
      }
      steps = static_cast<std::uint64_t>(count);
    }
    made = problem_of(eta, steps);
  } else {
    made = problem_of(1.0, 1);
    made->stages = read_simulation_stages(options.stages, pair, 1.0 / unit);
  }
  simulation_problem& problem = *made;
  problem.seed = shared.seed;
  if (!options.start.u0.empty()) {
    problem.start.u0 = read_number("--u0", options.start.u0);
  }
  if (!options.start.m0.empty()) {
    problem.start.m0 = read_number("--m0", options.start.m0);
  }
  if (!options.start.s0.empty()) {
    problem.start.s0 = read_number("--s0", options.start.s0);
    if (!problem.start.m0) {
      throw error("--m0 is missing: --s0 fixes v, and needs both its overlaps");
    }
  }
  problem.validate();
  return problem;
}

constexpr std::uint64_t most_points = 100'000'000;

std::vector<std::uint64_t> read_record(const std::string& text, std::uint64_t steps) {
  const bool logarithmic = text.starts_with("log:");
  const std::uint64_t n =
      read_count("--points", logarithmic ? text.substr(4) : text, 2, most_points);
  return logarithmic ? logarithmic_record(steps, n) : linear_record(steps, n);
}

table record_table(const ensemble& done, const simulation_problem& problem,
                   const simulation_plan& plan, double unit, table t) {
  t.columns = {"step", "t", "runs", "diverged"};
  std::vector<simulated_quantity> wanted;
  for (const auto& [name, quantity] : quantities) {
    wanted.push_back(quantity);
    for (const char* suffix : {"_mean", "_sd", "_q05", "_q50", "_q95"}) {
      t.columns.push_back(std::string(name) + suffix);
    }
  }
  for (const recorded_summary& s : summarise(done, problem, plan, wanted, probabilities)) {
    std::vector<cell> row{static_cast<std::int64_t>(s.step), s.time * unit,
                          static_cast<std::int64_t>(s.runs), static_cast<std::int64_t>(s.diverged)};
    for (const sample_summary& q : s.quantities) {
      row.insert(row.end(), {q.mean, q.deviation, q.quantiles[0], q.quantiles[1], q.quantiles[2]});
    }
    t.rows.push_back(std::move(row));
  }
  return t;
}

table event_table(const ensemble& done, const simulation_problem& problem, double unit, table t) {
  t.columns = {"run", "t_hit", "u", "m", "s", "outcome", "status"};
  for (const run_result& r : done.runs) {
    const event_hit& hit = r.hits.front();
    const simulated_state& x = hit.happened ? hit.state : r.last;
    std::string result = "hit";
    std::string status = "ok";
    if (!hit.happened) {
      const bool diverged = r.outcome == run_outcome::diverged;
      result = diverged ? "diverged" : "searching";
      status = diverged ? fmt::format("diverged after step {}", r.steps) : "no-event";
    }
    t.rows.push_back({static_cast<std::int64_t>(r.run),
                      hit.happened ? problem.time_at(hit.step) * unit : nan, x.u, x.m, x.s, result,
                      status});
  }
  return t;
}

// Throws argument_error where the machine is too small, or the user's life too short.
void require_size(const simulate_options& options, const simulation_problem& problem,
                  simulation_engine engine, std::uint64_t runs, bool by_event) {
  const auto number = [](const char* option, const std::string& text, double count) {
    return extent{option, text, count, true};
  };
  const extent by_runs = number("--runs", options.runs, static_cast<double>(runs));
  const auto steps = static_cast<double>(problem.steps());
  const extent by_steps = !options.stages.empty() ? extent{"--stages", options.stages, steps}
                          : options.steps.empty() ? extent{"--t-end", options.t_end, steps}
                                                  : number("--steps", options.steps, steps);
  simulation_size size{by_runs, by_steps,
                       number("--batch", options.batch, static_cast<double>(problem.batch)),
                       number("--dim", options.dimension, static_cast<double>(problem.dimension)),
                       engine == simulation_engine::sgd};
  if (by_event) {
    size.steps.count = 1.0;  // a run ends with its event: of one step is known that it is taken
  }
  require_simulation(size);
  constexpr double infinity = std::numeric_limits<double>::infinity();
  if (by_event) {
    constexpr std::size_t columns = 7;
    require_affordable(
        std::vector<extent>{by_runs},
        {"runs", sizeof(run_result) + sizeof(event_hit) + columns * sizeof(cell), 0.0}, infinity);
    return;
  }
  const bool logarithmic = options.points.starts_with("log:");
  const extent by_points = number(
      "--points", options.points,
      static_cast<double>(read_count(
          "--points", logarithmic ? options.points.substr(4) : options.points, 2, most_points)));
  constexpr std::size_t columns = 39;
  require_table(std::vector<extent>{by_points}, columns, sizeof(recorded_summary));
  require_affordable(std::vector<extent>{by_runs, by_points},
                     {"recorded states", sizeof(simulated_state), 0.0}, infinity);
}

int run_simulate(simulate_options options, const invocation& call) {
  read_start_file(options.start, options.shared, options.mu);
  const shared_options& shared = options.shared;
  const activation_pair pair =
      read_single_pair(shared, "one here, for the table has no column for it");
  const simulation_problem problem = read_problem(options, pair);
  const simulation_engine engine = read_engine(options.engine);
  const std::uint64_t runs = read_count("--runs", options.runs, 1, random_runs - 1);
  const bool by_event = !options.event.quantity.empty() || !options.event.at.empty();
  require_size(options, problem, engine, runs, by_event);
  simulation_plan plan;
  plan.risk = risk_of(pair.risk, problem.stages.back().label_noise);
  if (by_event) {
    event_options event = options.event;
    if (event.quantity.empty()) {
      event.quantity = "m";
    }
    plan.events = {simulated_event(read_event(event))};
    plan.stop_after_events = true;
  } else {
    plan.record = read_record(options.points, problem.steps());
  }
  outputs out(shared);
  std::string checkpoint = options.checkpoint;
  if (checkpoint.empty() && !shared.output.empty()) {
    checkpoint = shared.output + ".checkpoint";
  }
  const ensemble done = run_ensemble(shared, problem, engine, plan, runs, checkpoint);
  if (!done.complete()) {
    return report_interrupted_ensemble(done, checkpoint, call.command_line.c_str());
  }

  table t = make_table(call, shared, options.mu, {});
  const simulation_stage& last = problem.stages.back();
  const double gamma = last.learning_rate * static_cast<double>(problem.dimension) /
                       static_cast<double>(problem.batch);
  for (auto& [name, value] : t.meta.parameters) {
    if (name == "gamma") {
      value = fmt::format("{}", gamma);
    }
  }
  append(t, {{"dim", std::to_string(problem.dimension)},
             {"batch", std::to_string(problem.batch)},
             {"lr", fmt::format("{}", last.learning_rate)},
             {"steps", std::to_string(problem.steps())},
             {"runs", std::to_string(runs)},
             {"engine", options.engine},
             {"u0", options.start.u0.empty() ? "1/d^2" : options.start.u0},
             {"m0", options.start.m0.empty() ? "uniform" : options.start.m0},
             {"s0", options.start.s0.empty() ? "default" : options.start.s0}});
  if (!options.stages.empty()) {
    append(t, {{"stages", options.stages}});
  }
  if (by_event) {
    append(t,
           {{"event", std::string(options.event.quantity.empty() ? "m" : options.event.quantity) +
                          (options.event.is_signed ? " signed" : "")},
            {"at", fmt::format("{}", plan.events.front().level)}});
    t = event_table(done, problem, pair.rate_unit, std::move(t));
  } else {
    t = record_table(done, problem, plan, pair.rate_unit, std::move(t));
  }
  out.write(t, by_event ? hitting_figure : ensemble_figure);
  if (!checkpoint.empty()) {
    std::error_code ignored;
    std::filesystem::remove(checkpoint, ignored);
  }

  std::size_t diverged = 0;
  const run_result* first = nullptr;
  for (const run_result& r : done.runs) {
    if (r.outcome == run_outcome::diverged) {
      ++diverged;
      first = first == nullptr ? &r : first;
    }
  }
  if (diverged > 0) {
    say("{} of {} runs diverged, the first of them run {} after step {} at u = {}, "
        "m = {}, s = {}; they are in no average from there on",
        diverged, runs, first->run, first->steps, first->last.u, first->last.m, first->last.s);
  }
  return diverged == runs ? computation_failed : cli::done;
}

}  // namespace

std::function<int(const invocation&)> setup_simulate(CLI::App& app) {
  auto options = std::make_shared<simulate_options>();
  const auto text = [&app](const char* name, std::string& target, const char* help,
                           const char* type) {
    return app.add_option(name, target, help)->type_name(type);
  };
  text("--mu", options->mu, "pre-training alignment", "X");
  text("--dim", options->dimension, "the dimension d", "N");
  text("--batch", options->batch, "samples in a step", "N");
  text("--lr", options->learning_rate, "learning rate of v; u's is --lr-ratio times it", "X");
  text("--steps", options->steps, "steps of a run", "N");
  text("--t-end", options->t_end, "or its length in time, steps times --lr", "X");
  text("--runs", options->runs, "independent runs", "N")->capture_default_str();
  text("--engine", options->engine,
       "chain: the overlaps alone, exact in law at a cost\nthat does not grow with d; sgd: all d "
       "dimensions",
       "chain|sgd")
      ->capture_default_str();
  text("--points", options->points, "record times, evenly spaced or logarithmically", "N|log:N")
      ->capture_default_str();
  text("--u0", options->start.u0, "adapter's amplitude at the start (default: 1/d^2)", "X");
  text("--m0", options->start.m0, "its overlap with the target (default: v uniform on the sphere)",
       "X");
  text("--s0", options->start.s0, "its overlap with the pre-trained weight's other part", "X");
  text("--event", options->event.quantity, "a row for each run, with the time of this event",
       "m|M|risk");
  text("--at", options->event.at, "the value that it reaches (default: 0.5 for m)", "X");
  app.add_flag("--signed", options->event.is_signed, "m or M itself, not its absolute value");
  text("--stages", options->stages, "a TOML file of stages, each with its steps and lr", "FILE");
  text("--checkpoint", options->checkpoint,
       "what an interruption leaves (default: beside --output)", "FILE");
  options->shared.add_to(app);
  options->start.add_file_to(app);
  app.footer(
      "Columns: step,t,runs,diverged and for u, m, m_abs, s, M, Q and risk "
      "_mean,_sd,_q05,_q50,_q95\n"
      "over the runs; with --event a row for each run: run,t_hit,u,m,s,outcome,status. Numbers\n"
      "depend on the seed and on nothing else; the noise scale is gamma = lr d/batch.\n\n"
      "Examples:\n"
      "  loradyn simulate --student erf --mu 0.5 --dim 1000 --batch 20 --lr 0.02 --t-end 300\n"
      "  loradyn simulate --student erf --mu 0.5 --dim 1e12 --batch 64 --lr 0.02 --t-end 300 --m0 "
      "0.03\n"
      "  loradyn simulate --student he3 --mu 0.5 --dim 1000 --batch 500 --lr 0.001 --t-end 20 \\\n"
      "    --event m --at 0.5 --runs 2000 --plot times.svg -o times.csv");
  return [options](const invocation& call) { return run_simulate(*options, call); };
}

}  // namespace loradyn::cli
