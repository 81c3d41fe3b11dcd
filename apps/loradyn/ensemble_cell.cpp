#include "ensemble_cell.hpp"

#include <algorithm>
#include <bit>
#include <cmath>
#include <limits>
#include <loradyn/error.hpp>
#include <loradyn/simulation/ensemble.hpp>
#include <loradyn/simulation/random.hpp>
#include <loradyn/simulation/statistics.hpp>

#include "interruption.hpp"
#include "simulation_options.hpp"

namespace loradyn::cli {
namespace {

constexpr double nan = std::numeric_limits<double>::quiet_NaN();
constexpr double infinity = std::numeric_limits<double>::infinity();

// The time, raw, after which a run that has not met its event is given up. By the law all but one
// run in a million have met it. Where there is none: eight times ½ τ log d, which the linear search
// takes from an overlap of 1/√d.
double horizon(const escape_problem& problem, const escape_request& request,
               const escape_point& theory, bool starts_fixed) {
  const double limit = request.integrator.end_time / problem.unit;
  double expected = infinity;
  if (starts_fixed) {
    constexpr double generous = 10.0;
    expected = generous * theory.run.t_hit;
  } else if (theory.law && theory.law->status == law_status::ok) {
    constexpr double share = 1.0 - 1e-6;
    expected = theory.law->quantile(share);
  }
  if (!std::isfinite(expected)) {
    constexpr double factor = 4.0;
    expected = factor * theory.run.tau * std::log(*request.dimension);
  }
  return std::isfinite(expected) ? std::min(limit, expected) : limit;
}

double finite_or_nan(double value) { return std::isfinite(value) ? value : nan; }

}  // namespace

void ensemble_options::add_to(CLI::App& app) {
  app.add_option("--engine", engine,
                 "simulate an ensemble in every cell: chain, exact in law at a cost that does not\n"
                 "grow with d, or sgd; needs --dim")
      ->type_name("chain|sgd");
  app.add_option("--batch", batch, "samples in a step of a simulated run")
      ->type_name("N")
      ->capture_default_str();
  app.add_option("--lr", learning_rate,
                 "learning rate of simulated runs; gamma is made of it (default: gamma batch/dim)")
      ->type_name("X");
  app.add_option("--runs", runs, "simulated runs in a cell")->type_name("N")->capture_default_str();
  app.add_option("--steps", steps, "steps after which a simulated run is given up")
      ->type_name("N")
      ->capture_default_str();
}

std::optional<ensemble_request> read_ensemble(const ensemble_options& options, std::uint64_t seed) {
  if (options.engine.empty()) {
    return std::nullopt;
  }
  ensemble_request r;
  r.engine = read_engine(options.engine);
  constexpr std::uint64_t largest = std::uint64_t{1} << 53;
  r.batch = read_count("--batch", options.batch, 1, largest);
  if (!options.learning_rate.empty()) {
    r.learning_rate = read_number("--lr", options.learning_rate);
    if (!(*r.learning_rate > 0.0)) {
      throw argument_error("--lr", "'" + options.learning_rate + "'", "> 0");
    }
  }
  constexpr std::uint64_t most_runs = 100'000'000;
  r.runs = read_count("--runs", options.runs, 1, most_runs);
  r.steps = read_count("--steps", options.steps, 1, random_steps - 1);
  r.seed = seed;
  return r;
}

described describe(const ensemble_options& options) {
  if (options.engine.empty()) {
    return {};
  }
  return {{"engine", options.engine},
          {"batch", options.batch},
          {"lr", options.learning_rate.empty() ? "default" : options.learning_rate},
          {"runs", options.runs},
          {"steps", options.steps}};
}

std::vector<std::string> ensemble_columns(const std::vector<double>& quantiles) {
  std::vector<std::string> columns{"sim_runs", "sim_hit", "sim_diverged", "sim_mean", "sim_sd"};
  for (const double p : quantiles) {
    columns.push_back(quantile_column("sim_q", p));
  }
  columns.insert(columns.end(), {"sim_p", "sim_seed", "sim"});
  return columns;
}

std::optional<std::vector<cell>> ensemble_row(
    const escape_problem& problem, const lora_parameters& parameters, const escape_request& request,
    const escape_point& theory, const ensemble_request& ensemble, std::uint64_t seed) {
  const double d = *request.dimension;
  const double eta = ensemble.learning_rate.value_or(parameters.noise_scale *
                                                     static_cast<double>(ensemble.batch) / d);
  const double length = std::ceil(horizon(problem, request, theory, ensemble.starts_fixed) / eta);
  const auto steps =
      static_cast<std::uint64_t>(std::clamp(length, 1.0, static_cast<double>(ensemble.steps)));
  const population_risk& risk = problem.task.risk;
  lora_parameters p = parameters;
  p.noise_scale = 0.0;  // of a simulation: batch and learning rate make it
  simulation_problem simulated = make_problem(
      risk.student(), risk.teacher(), p, static_cast<std::uint64_t>(d), ensemble.batch, eta, steps);
  simulated.seed = seed;
  if (ensemble.starts_fixed) {
    simulated.start = {request.start.u, request.start.m, request.start.s};
  }
  simulation_plan plan;
  plan.stop_after_events = true;
  plan.events = {simulated_event(request.event)};
  plan.risk = risk_of(risk, parameters.label_noise);
  ensemble_control control;
  control.threads = 1;  // the cells are what runs in parallel
  control.stop = [] { return interruption() != 0; };
  const loradyn::ensemble done =
      simulate_ensemble(simulated, ensemble.engine, plan, ensemble.runs, control);
  if (!done.complete()) {
    return std::nullopt;
  }

  const hitting_times hits = hitting_times_of(done, simulated, 0);
  const bool all_hit = hits.times.size() == ensemble.runs;
  const bool has_law = !ensemble.starts_fixed && theory.law && theory.law->status == law_status::ok;
  const double p_value =
      all_hit && has_law
          ? kolmogorov_smirnov(hits.times, [&](double t) { return theory.law->cdf(t); }).p_value
          : nan;
  // A run without the event has one later than all others: the lower quantiles are what they are.
  std::vector<double> times = hits.times;
  times.resize(ensemble.runs, infinity);
  const sample_summary summary = summarise(std::move(times), request.quantiles);
  const double unit = problem.unit;
  std::vector<cell> row{
      static_cast<std::int64_t>(ensemble.runs), static_cast<std::int64_t>(hits.times.size()),
      static_cast<std::int64_t>(hits.diverged), finite_or_nan(summary.mean * unit),
      finite_or_nan(summary.deviation * unit)};
  for (const double q : summary.quantiles) {
    row.emplace_back(finite_or_nan(q * unit));
  }
  row.emplace_back(p_value);
  row.emplace_back(static_cast<std::int64_t>(seed));
  const bool diverged = hits.diverged == ensemble.runs;
  row.emplace_back(std::string(all_hit               ? "ok"
                               : !hits.times.empty() ? "some-missing"
                               : diverged            ? "diverged"
                                                     : "no-event"));
  return row;
}

std::uint64_t seed_at(std::uint64_t seed, double x, double y) {
  const auto word = [](double value) { return std::bit_cast<std::uint64_t>(value + 0.0); };
  return derived_seed(seed, {word(x), word(y)});  // -0 is 0
}

}  // namespace loradyn::cli
