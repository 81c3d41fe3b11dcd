// loradyn validate: ODE (or map), law and simulation side by side, with a verdict per row.

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <loradyn/error.hpp>
#include <loradyn/figures/study_figures.hpp>
#include <loradyn/simulation/random.hpp>
#include <loradyn/study/validation.hpp>
#include <loradyn/sweep/range.hpp>
#include <memory>

#include "command.hpp"
#include "interruption.hpp"
#include "message.hpp"
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

// The time of the means, raw.
double read_end(const validate_options& options, const study::validation_problem& problem) {
  if (!options.t_end.empty()) {
    return read_positive("--t-end", options.t_end) / problem.pair.rate_unit;
  }
  const auto met = study::event_time(problem.pair, problem.at, problem.event);
  if (!met) {
    throw error(
        "--t-end is missing: the start already meets the event, so no time follows from it");
  }
  if (!std::isfinite(*met)) {
    throw error("--t-end is missing: the ODE does not reach the event, so no time follows from it");
  }
  return *met;
}

study::validation_problem read_problem(const validate_options& options) {
  const shared_options& shared = options.shared;
  study::validation_problem problem{.pair = read_single_pair(shared, "one here")};
  problem.at = read_parameters(shared);
  if (!(problem.at.parameters.noise_scale > 0.0)) {
    throw argument_error("--gamma", "'" + shared.parameters[study::registry::gamma] + "'",
                         "> 0 here: a simulation has batches");
  }
  require_mu(shared, "the alignment, such as --mu 0.5");
  problem.at.parameters.alignment = read_value(study::registry::mu, shared.mu());
  problem.at.parameters.misalignment = read_single_nu(shared, "one number here");
  problem.at.start = read_start(options.start);
  problem.event = read_event(options.event);
  if (problem.event.is_signed && problem.event.quantity == overlap_quantity::m) {
    throw argument_error("--signed", "given", "left out: the law is that of both signs");
  }
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
  problem.t_end = read_end(options, problem);
  problem.dimensions = read_dimensions(options.dimensions);
  problem.batch = read_count("--batch", options.batch, 1, 1'000'000'000);
  constexpr std::uint64_t most_points = 10'000;
  problem.points = read_count("--points", options.points, 1, most_points);
  if (!options.learning_rate.empty()) {
    problem.learning_rate = read_positive("--lr", options.learning_rate);
  }
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

int run_validate(const validate_options& options, const invocation& call) {
  const shared_options& shared = options.shared;
  const study::validation_problem problem = read_problem(options);
  require_size(options, problem);
  outputs out(shared);
  const study::validation_result result = study_run(
      shared, "runs")([&](const auto& control) { return study::validate(problem, control); });

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
  own += describe(problem.event);
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
  options->shared.add_to(list);
  list.footer(
      "A row for each comparison: check is mean (a mean over runs against the theory plus c/d, "
      "the\n"
      "worst of the times), limit (what is left at 1/d -> 0), slope (of the deviation in d) or "
      "law\n"
      "(Kolmogorov-Smirnov's p-value of the escape times). verdict: pass, fail or untested, with\n"
      "the reason as status. The exit code is 1 where a row fails.\n\n"
      "Examples:\n"
      "  loradyn validate --student erf --mu 0.5 --gamma 1 --dim 300,1000,3000\n"
      "  loradyn validate --student he3 --mu 0.5 --gamma 0.02 --dim 1000,4000 --lr 0.002");
  return [options](const invocation& call) { return run_validate(*options, call); };
}

}  // namespace loradyn::cli
