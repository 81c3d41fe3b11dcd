// loradyn simulate: training at finite dimension and learning rate.

#include <fmt/format.h>

#include <cmath>
#include <limits>
#include <loradyn/error.hpp>
#include <loradyn/figures/study_figures.hpp>
#include <loradyn/report/stages_file.hpp>
#include <loradyn/simulation/random.hpp>
#include <loradyn/simulation/statistics.hpp>
#include <loradyn/study/simulate.hpp>
#include <loradyn/sweep/range.hpp>
#include <memory>
#include <optional>

#include "checkpoints.hpp"
#include "command.hpp"
#include "interruption.hpp"
#include "message.hpp"
#include "network_commands.hpp"
#include "network_options.hpp"
#include "options.hpp"
#include "output.hpp"

namespace loradyn::cli {
namespace {

namespace registry = study::registry;

struct simulate_options {
  shared_options shared;
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
  start_options start;
  event_options event;
  network_options network;
};

std::uint64_t required_count(const char* option, const std::string& text, const char* what,
                             std::uint64_t least, std::uint64_t most) {
  if (text.empty()) {
    throw error(fmt::format("{} is missing: give {}", option, what));
  }
  return read_count(option, text, least, most);
}

simulation_problem read_problem(const simulate_options& options,
                                const study::activation_pair& pair) {
  const shared_options& shared = options.shared;
  const double unit = pair.rate_unit;
  const std::string& gamma = shared.parameters[registry::gamma];
  if (gamma != "0") {
    throw argument_error("--gamma", "'" + gamma + "'", "left out: --dim, --batch and --lr make it");
  }
  require_mu(shared, "the alignment, such as --mu 0.5");
  lora_parameters p = read_parameters(shared).parameters;
  p.alignment = read_value(registry::mu, shared.mu());
  p.misalignment = read_single_nu(shared, "one number here");
  const std::string& s0 = options.start.texts[registry::s0];
  constexpr std::uint64_t largest = std::uint64_t{1} << 53;
  const bool misaligned = p.misalignment > 0.0 || (!s0.empty() && parse_number("--s0", s0) != 0.0);
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
    const double eta = read_positive("--lr", options.learning_rate);
    if (options.steps.empty() == options.t_end.empty()) {
      throw error("give either --steps or --t-end, the length of a run");
    }
    std::uint64_t steps = 0;
    if (!options.steps.empty()) {
      steps = read_count("--steps", options.steps, 1, random_steps - 1);
    } else {
      const double count = std::ceil(parse_number("--t-end", options.t_end) / unit / eta - 1e-9);
      if (!(count >= 1.0 && count < static_cast<double>(random_steps))) {
        throw argument_error("--t-end", "'" + options.t_end + "'",
                             fmt::format("> 0 and less than {} steps", random_steps));
      }
      steps = static_cast<std::uint64_t>(count);
    }
    made = problem_of(eta, steps);
  } else {
    for (const auto& [option, given] : {std::pair("--lr", &options.learning_rate),
                                        {"--steps", &options.steps},
                                        {"--t-end", &options.t_end}}) {
      if (!given->empty()) {
        throw argument_error(option, "'" + *given + "'", "left out: each stage says its own");
      }
    }
    made = problem_of(1.0, 1);
    made->stages = read_simulation_stages(options.stages, pair, 1.0 / unit);
  }
  simulation_problem& problem = *made;
  problem.seed = shared.seed;
  if (const std::string& u0 = options.start.texts[registry::u0]; !u0.empty()) {
    problem.start.u0 = parse_number("--u0", u0);
  }
  if (const std::string& m0 = options.start.texts[registry::m0]; !m0.empty()) {
    problem.start.m0 = parse_number("--m0", m0);
  }
  if (!s0.empty()) {
    problem.start.s0 = parse_number("--s0", s0);
    if (!problem.start.m0) {
      throw error("--m0 is missing: --s0 fixes v, and needs both its overlaps");
    }
  }
  problem.validate();
  return problem;
}

// Throws argument_error where the machine is too small, or the user's life too short.
void require_size(const simulate_options& options, const study::simulate_problem& asked) {
  using study::extent;
  const simulation_problem& problem = asked.problem;
  const bool by_event = !asked.plan.events.empty();
  const auto number = [](const char* option, const std::string& text, double count) {
    return extent{option, text, count, true};
  };
  const extent by_runs = number("--runs", options.runs, static_cast<double>(asked.runs));
  const auto steps = static_cast<double>(problem.steps());
  const extent by_steps = !options.stages.empty() ? extent{"--stages", options.stages, steps}
                          : options.steps.empty() ? extent{"--t-end", options.t_end, steps}
                                                  : number("--steps", options.steps, steps);
  study::simulation_size size{
      by_runs, by_steps, number("--batch", options.batch, static_cast<double>(problem.batch)),
      number("--dim", options.dimension, static_cast<double>(problem.dimension)),
      asked.engine == simulation_engine::sgd};
  if (by_event) {
    size.steps.count = 1.0;  // a run ends with its event: of one step is known that it is taken
  }
  study::require_simulation(size);
  constexpr double infinity = std::numeric_limits<double>::infinity();
  if (by_event) {
    study::require_affordable(
        std::vector<extent>{by_runs},
        {"runs", sizeof(run_result) + sizeof(event_hit) + sizeof(study::run_row), 0.0}, infinity);
    return;
  }
  const extent by_points =
      number("--points", options.points, static_cast<double>(read_record_size(options.points)));
  study::require_table(std::vector<extent>{by_points},
                       sizeof(recorded_summary) + sizeof(study::record_row));
  study::require_affordable(std::vector<extent>{by_runs, by_points},
                            {"recorded states", sizeof(simulated_state), 0.0}, infinity);
}

overlap_event event_of(const simulate_options& options) {
  event_options event = options.event;
  event.quantity = event.quantity.empty() ? "m" : event.quantity;
  return read_event(event);
}

study::simulate_problem read_all(const simulate_options& options,
                                 const study::activation_pair& pair) {
  study::simulate_problem asked{.problem = read_problem(options, pair), .plan = {}};
  asked.engine = read_choice("--engine", options.engine, simulation_engines);
  asked.runs = read_count("--runs", options.runs, 1, random_runs - 1);
  asked.rate_unit = pair.rate_unit;
  asked.plan.risk = study::risk_of(pair.risk, asked.problem.stages.back().label_noise);
  const bool by_event = !options.event.quantity.empty() || !options.event.at.empty();
  if (by_event) {
    asked.plan.events = {study::simulated_event(event_of(options))};
    asked.plan.stop_after_events = true;
  }
  require_size(options, asked);
  if (!by_event) {
    asked.plan.record = read_simulation_record(options.points, asked.problem.steps());
  }
  return asked;
}

// An ensemble with progress, which the user may interrupt: what is done is kept in `checkpoint`,
// where that names a file.
study::simulate_result run_ensemble(const shared_options& shared,
                                    const study::simulate_problem& asked,
                                    const std::string& checkpoint) {
  const std::string kept = read_checkpoint(checkpoint, shared.quiet);
  progress_line progress(shared.shows_progress(), "runs");
  return study::simulate(asked, ensemble_control_of(shared, asked.runs, progress, checkpoint),
                         kept);
}

described describe_run(const simulate_options& options, const simulation_problem& problem,
                       std::uint64_t runs) {
  described own{{"dim", std::to_string(problem.dimension)},
                {"batch", std::to_string(problem.batch)},
                {"lr", fmt::format("{}", problem.stages.back().learning_rate)},
                {"steps", std::to_string(problem.steps())},
                {"runs", std::to_string(runs)},
                {"engine", options.engine}};
  for (const study::parameter* p : study::start_parameters) {
    add_given(own, std::string(p->name), options.start.texts[*p]);
  }
  add_given(own, "stages", text_parameter(options.stages));
  return own;
}

// Says which runs left the averages; returns the exit code.
int report_divergence(const ensemble& done) {
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
        diverged, done.requested, first->run, first->steps, first->last.u, first->last.m,
        first->last.s);
  }
  return diverged == done.requested ? computation_failed : cli::done;
}

int run_simulate(simulate_options options, const invocation& call) {
  if (options.network.given_with(options.start)) {
    return run_network_simulate(
        options.network, options.shared, options.start, options.event,
        {options.dimension, options.batch, options.learning_rate, options.steps, options.t_end,
         options.runs, options.engine, options.points, options.stages, options.checkpoint},
        call);
  }
  apply_start_file(options.start, options.shared);
  shared_options& shared = options.shared;
  const study::activation_pair pair =
      read_single_pair(shared, "one here, for the table has no column for it");
  const study::simulate_problem asked = read_all(options, pair);
  const simulation_problem& problem = asked.problem;
  tell_methods(shared, {pair});
  outputs out(shared);
  const std::string checkpoint = checkpoint_of(shared, options.checkpoint);
  const study::simulate_result result = run_ensemble(shared, asked, checkpoint);
  if (!result.done.complete()) {
    return report_interrupted(result.done.runs.size(), result.done.requested, checkpoint, call);
  }

  shared.parameters[registry::gamma] = fmt::format(
      "{}", problem.stages.back().learning_rate * static_cast<double>(problem.dimension) /
                static_cast<double>(problem.batch));
  described own = describe_run(options, problem, asked.runs);
  if (asked.plan.events.empty()) {
    const provenance meta = provenance_of(call, shared, own);
    out.write(meta, study::record_columns(), result.recorded,
              [&] { return ensemble_figure(meta, result.recorded); });
  } else {
    own += describe(event_of(options));
    const provenance meta = provenance_of(call, shared, own);
    out.write(meta, study::run_columns(), result.runs,
              [&] { return hitting_figure(meta, result.runs); });
  }
  remove_checkpoint(checkpoint);
  return report_divergence(result.done);
}

}  // namespace

std::function<int(const invocation&)> setup_simulate(option_list& list) {
  auto options = std::make_shared<simulate_options>();
  parameter_texts& start = options->start.texts;
  for (const study::parameter* p : study::start_parameters) {
    start[*p] = "";  // of a random v
  }
  options->shared.add_mu_to(list, "X");
  list.text("--dim", options->dimension, "the dimension d", "N");
  list.text("--batch", options->batch, "samples in a step", "N");
  list.text("--lr", options->learning_rate, "learning rate of v; u's is --lr-ratio times it", "X");
  list.text("--steps", options->steps, "steps of a run", "N");
  list.text("--t-end", options->t_end, "or its length in time, steps times --lr", "X");
  list.text("--runs", options->runs, "independent runs", "N");
  list.text(
      "--engine", options->engine,
      "chain: the overlaps alone, exact in law at a cost\nthat does not grow with d; sgd: all d "
      "dimensions",
      "chain|sgd");
  list.text("--points", options->points, "record times, evenly spaced or logarithmically",
            "N|log:N");
  list.text("--u0", start[study::registry::u0], "adapter's amplitude at the start (default: 1/d^2)",
            "X");
  list.text("--m0", start[study::registry::m0],
            "its overlap with the target (default: v uniform on the sphere)", "X");
  list.text("--s0", start[study::registry::s0],
            "its overlap with the pre-trained weight's other part", "X");
  list.text("--event", options->event.quantity, "a row for each run, with the time of this event",
            "m|M|risk");
  list.text("--at", options->event.at, "the value that it reaches (default: 0.5 for m)", "X");
  list.flag("--signed", options->event.is_signed, "m or M itself, not its absolute value");
  list.text("--stages", options->stages, "a TOML file of stages, each with its steps and lr",
            "FILE");
  list.text("--checkpoint", options->checkpoint,
            "what an interruption leaves (default: beside --output)", "FILE");
  list.needs("--signed", {"--event", "--at"});
  options->network.add_to(list);
  options->network.add_start_to(list, false);
  options->shared.add_to(list);
  options->start.add_file_to(list);
  list.footer(
      "Columns: step,t,runs,diverged and for u, m, m_abs, s, M, Q and risk "
      "_mean,_sd,_q05,_q50,_q95\n"
      "over the runs; with --event a row for each run: run,t_hit,u,m,s,outcome,status. Numbers\n"
      "depend on the seed and on nothing else; the noise scale is gamma = lr d/batch.\n"
      "Of a network (docs/networks.md) the quantities are risk, M_mean, U_1_1, M_1_2, m_1_2, "
      "S_1_2,\n"
      "and --event may be source-risk or one of these entries.\n\n"
      "Examples:\n"
      "  loradyn simulate --student erf --mu 0.5 --dim 1000 --batch 20 --lr 0.02 --t-end 300\n"
      "  loradyn simulate --student erf --mu 0.5 --dim 1e12 --batch 64 --lr 0.02 --t-end 300 --m0 "
      "0.03\n"
      "  loradyn simulate --student he3 --mu 0.5 --dim 1000 --batch 500 --lr 0.001 --t-end 20 \\\n"
      "    --event m --at 0.5 --runs 2000 --plot times.svg -o times.csv\n"
      "  loradyn simulate --student erf --mu 0.5 --width 2 --teacher-width 2 --rank 2 --adapter "
      "free "
      "\\\n"
      "    --dim 10000 --batch 200 --lr 0.02 --t-end 200 --runs 20 -o network.csv");
  return [options](const invocation& call) { return run_simulate(*options, call); };
}

}  // namespace loradyn::cli
