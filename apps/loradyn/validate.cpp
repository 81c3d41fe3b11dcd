// loradyn validate: ODE (or map), law and simulation side by side, with a verdict per row.

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <loradyn/error.hpp>
#include <loradyn/figures/study_figures.hpp>
#include <loradyn/simulation/random.hpp>
#include <loradyn/study/network_validation.hpp>
#include <loradyn/study/validation.hpp>
#include <loradyn/sweep/range.hpp>
#include <memory>
#include <optional>
#include <utility>

#include "command.hpp"
#include "interruption.hpp"
#include "message.hpp"
#include "network_options.hpp"
#include "options.hpp"
#include "output.hpp"

namespace loradyn::cli {
namespace {

struct validate_options {
  shared_options shared;
  std::string dimensions;
  std::string batch = "16";
  std::string learning_rate;
  std::string t_end;
  std::string points = "8";
  std::string runs = "400";
  std::string law_runs;
  std::string significance = "0.01";
  std::string engine = "chain";
  start_options start;
  event_options event;
  network_options network;
};

std::vector<double> read_dimensions(const std::string& text) {
  if (text.empty()) {
    throw error("--dim is missing: give the dimensions, such as --dim 300,1000,3000");
  }
  constexpr double largest = 9e15;
  std::vector<double> dimensions = parse_range("--dim", text);
  std::sort(dimensions.begin(), dimensions.end());
  dimensions.erase(std::unique(dimensions.begin(), dimensions.end()), dimensions.end());
  for (const double d : dimensions) {
    if (!(d >= 4.0 && d <= largest) || d != std::floor(d)) {
      throw argument_error("--dim", "'" + text + "'", "whole numbers from 4 to 9e15");
    }
  }
  return dimensions;
}

// The time of the means, raw; `event_time` is asked where no option says it.
template <class EventTime>
double read_end(const validate_options& options, double unit, const EventTime& event_time) {
  if (!options.t_end.empty()) {
    return read_positive("--t-end", options.t_end) / unit;
  }
  const std::optional<double> met = event_time();
  if (!met) {
    throw error(
        "--t-end is missing: the start already meets the event, so no time follows from it");
  }
  if (!std::isfinite(*met)) {
    throw error("--t-end is missing: the ODE does not reach the event, so no time follows from it");
  }
  return *met;
}

// All but the event, μ, ν and the time of the means.
study::validation_problem read_asked(const validate_options& options) {
  const shared_options& shared = options.shared;
  study::validation_problem problem{.pair = read_single_pair(shared, "one here")};
  problem.at = read_parameters(shared);
  if (!(problem.at.parameters.noise_scale > 0.0)) {
    throw argument_error("--gamma", "'" + shared.parameters[study::registry::gamma] + "'",
                         "> 0 here: a simulation has batches");
  }
  problem.at.start = read_start(options.start);
  problem.engine = read_choice("--engine", options.engine, simulation_engines);
  constexpr std::uint64_t most_runs = 10'000'000;
  problem.runs = read_count("--runs", options.runs, 2, most_runs);
  problem.law_runs = options.law_runs.empty()
                         ? problem.runs
                         : read_count("--law-runs", options.law_runs, 0, most_runs);
  problem.significance = parse_number("--alpha", options.significance);
  if (!(problem.significance > 0.0 && problem.significance < 1.0)) {
    throw argument_error("--alpha", "'" + options.significance + "'", "between 0 and 1");
  }
  if (shared.seed > max_seed) {
    throw argument_error("--seed", std::to_string(shared.seed),
                         fmt::format("at most {}", max_seed));
  }
  problem.seed = shared.seed;
  problem.dimensions = read_dimensions(options.dimensions);
  problem.batch = read_count("--batch", options.batch, 1, 1'000'000'000);
  constexpr std::uint64_t most_points = 10'000;
  problem.points = read_count("--points", options.points, 1, most_points);
  if (!options.learning_rate.empty()) {
    problem.learning_rate = read_positive("--lr", options.learning_rate);
  }
  return problem;
}

study::validation_problem read_problem(const validate_options& options) {
  const shared_options& shared = options.shared;
  study::validation_problem problem = read_asked(options);
  require_mu(shared, "the alignment, such as --mu 0.5");
  problem.at.parameters.alignment = read_value(study::registry::mu, shared.mu());
  problem.at.parameters.misalignment = read_single_nu(shared, "one number here");
  problem.event = read_event(options.event);
  if (problem.event.is_signed && problem.event.quantity == overlap_quantity::m) {
    throw argument_error("--signed", "given", "left out: the law is that of both signs");
  }
  problem.t_end = read_end(options, problem.pair.rate_unit, [&] {
    return study::event_time(problem.pair, problem.at, problem.event);
  });
  return problem;
}

study::network_validation_problem read_network_problem(const validate_options& options) {
  const shared_options& shared = options.shared;
  for (const auto& [option, text] : {std::pair("--start", &options.start.file),
                                     {"--start-batch", &options.network.start_batch}}) {
    if (!text->empty()) {
      throw argument_error(option, "'" + *text + "'",
                           "left out: a network's means start at --u0 and --m0");
    }
  }
  if (const std::string& s0 = options.start.texts[study::registry::s0];
      s0 != start_options::defaults()[study::registry::s0]) {
    throw argument_error("--s0", "'" + s0 + "'", "left out: it is one neuron's");
  }
  study::network_validation_problem problem{.asked = read_asked(options),
                                            .layout = read_layout(options.network, shared)};
  const study::parameter_grid grid = read_network_grid(problem.layout, shared);
  if (grid.size() != 1) {
    throw argument_error("--mu, --nu, --gamma, --noise, --lr-ratio",
                         fmt::format("{} combinations", grid.size()), "one each here");
  }
  problem.asked.at.parameters = grid.at(0).parameters;
  problem.scale = read_network_start(options.network, shared, "").scale;
  problem.event =
      read_network_event(options.event.quantity, options.event.at, options.event.is_signed);
  problem.asked.t_end =
      read_end(options, problem.asked.pair.rate_unit, [&] { return study::event_time(problem); });
  return problem;
}

void require_size(const validate_options& options, const study::validation_problem& problem) {
  using study::extent;
  const auto number = [](const char* option, const std::string& text, double count) {
    return extent{option, text, count, true};
  };
  const std::vector<study::experiment> experiments = study::experiments_of(problem);
  const extent runs = number("--runs", options.runs, static_cast<double>(problem.runs));
  const extent points =
      number("--points", options.points, static_cast<double>(experiments.front().record.size()));
  study::require_affordable(std::vector<extent>{runs, points},
                            {"recorded states", sizeof(simulated_state), 0.0},
                            std::numeric_limits<double>::infinity());
  for (const study::experiment& e : experiments) {
    const auto steps = static_cast<double>(e.steps);
    const auto batch = static_cast<double>(e.batch);
    study::require_simulation({runs,
                               number(options.t_end.empty() ? "" : "--t-end", options.t_end, steps),
                               number("--batch", options.batch, batch),
                               {"--dim", options.dimensions, static_cast<double>(e.dimension)},
                               problem.engine == simulation_engine::sgd});
  }
}

// Writes what was compared and tells how it went. `validate` is given the control of the study.
template <class Validate>
int report(const validate_options& options, const study::validation_problem& problem,
           const described& event, const Validate& validate, const invocation& call) {
  const shared_options& shared = options.shared;
  require_size(options, problem);
  outputs out(shared);
  const study::validation_result result = study_run(shared, "runs")(validate);

  tell_methods(shared, {problem.pair});
  described own{{"dim", options.dimensions}};
  // The other follows from γ = η d/B.
  own += options.learning_rate.empty() ? described{{"batch", options.batch}}
                                       : described{{"lr", options.learning_rate}};
  own += {{"t-end", fmt::format("{}", problem.t_end * problem.pair.rate_unit)},
          {"points", options.points},
          {"runs", options.runs},
          {"law-runs", options.law_runs.empty() ? options.runs : options.law_runs},
          {"alpha", options.significance},
          {"engine", options.engine}};
  own += describe(options.start);
  own += event;
  const provenance meta = provenance_of(call, shared, own);
  out.write(meta, study::validation_columns(), result.rows,
            [&] { return validate_figure(meta, result.rows); });
  if (!result.complete) {
    return report_interruption(result.rows.size(), result.rows.size() + 1,
                               call.command_line.c_str());
  }
  const auto failed = std::count_if(result.rows.begin(), result.rows.end(),
                                    [](const auto& row) { return row.verdict == "fail"; });
  if (failed > 0) {
    say("{} of {} comparisons failed", failed, result.rows.size());
    return comparison_failed;
  }
  return done;
}

int run_validate(const validate_options& options, const invocation& call) {
  if (options.network.given()) {
    const study::network_validation_problem problem = read_network_problem(options);
    described own{{"event", options.event.quantity},
                  {"at", fmt::format("{}", problem.event.at)},
                  {"signed", options.event.is_signed ? "true" : "false"}};
    own += describe(options.network);
    return report(
        options, problem.asked, own,
        [&](const study::study_control& control) { return study::validate(problem, control); },
        call);
  }
  const study::validation_problem problem = read_problem(options);
  return report(
      options, problem, describe(problem.event),
      [&](const study::study_control& control) { return study::validate(problem, control); }, call);
}

}  // namespace

std::function<int(const invocation&)> setup_validate(option_list& list) {
  auto options = std::make_shared<validate_options>();
  options->start.texts[study::registry::m0] = "0.3";
  options->shared.add_mu_to(list, "X");
  list.text("--dim", options->dimensions, "dimensions", "R");
  list.text("--batch", options->batch, "samples in a step; the learning rate is gamma batch/d",
            "N");
  list.text("--lr", options->learning_rate,
            "a learning rate instead: the theory is its map,\nthe batch lr d/gamma", "X");
  list.text("--t-end", options->t_end,
            "the time of the means (default: when the ODE meets the event)", "X");
  list.text("--points", options->points, "times at which means are compared", "N");
  list.text("--runs", options->runs, "runs from --m0 for the means", "N");
  list.text("--law-runs", options->law_runs,
            "runs from a random start for the law (default: --runs)", "N");
  list.text("--alpha", options->significance, "chance that a right theory fails, over all rows",
            "X");
  list.text("--engine", options->engine, "what is simulated: chain or sgd", "chain|sgd");
  options->start.add_to(list, "1e-6");
  options->event.add_to(list, "m", "0.5 for m");
  options->network.add_to(list, false);
  options->network.add_start_to(list, false);
  options->shared.add_to(list);
  list.footer(
      "A row for each comparison: check is mean (a mean over runs against the theory plus c/d, "
      "the\n"
      "worst of the times), limit (what is left at 1/d -> 0), slope (of the deviation in d) or "
      "law\n"
      "(Kolmogorov-Smirnov's p-value of the escape times). verdict: pass, fail or untested, with\n"
      "the reason as status. The exit code is 1 where a row fails. Of a network "
      "(docs/networks.md) the\n"
      "quantities are U_1_1, M_1_2, m_1_2 and S_1_2, and V's rows start at --m0 from their "
      "targets.\n\n"
      "Examples:\n"
      "  loradyn validate --student erf --mu 0.5 --gamma 1 --dim 300,1000,3000\n"
      "  loradyn validate --student he3 --mu 0.5 --gamma 0.02 --dim 1000,4000 --lr 0.002");
  return [options](const invocation& call) { return run_validate(*options, call); };
}

}  // namespace loradyn::cli
