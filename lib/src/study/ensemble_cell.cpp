#include <fmt/format.h>

#include <algorithm>
#include <bit>
#include <cmath>
#include <limits>
#include <loradyn/error.hpp>
#include <loradyn/simulation/ensemble.hpp>
#include <loradyn/simulation/random.hpp>
#include <loradyn/simulation/statistics.hpp>
#include <loradyn/study/ensemble_cell.hpp>
#include <loradyn/study/simulate.hpp>
#include <utility>
#include "nan.hpp"

namespace loradyn::study {
namespace {

// The time, raw, after which a run that has not met its event is given up. By the law all but one
// run in a million have met it. Where there is none: eight times ½ τ log d, which the linear search
// takes from an overlap of 1/√d.
double horizon(const prepared_pair& pair, const parameter_point& at, const escape_request& request,
               const escape_point& theory, bool starts_fixed) {
  const double limit = request.integrator.end_time / pair.pair.rate_unit;
  double expected = std::numeric_limits<double>::infinity();
  if (starts_fixed) {
    constexpr double generous = 10.0;
    expected = generous * theory.run.t_hit;
  } else if (theory.law && theory.law->status == law_status::ok) {
    constexpr double share = 1.0 - 1e-6;
    expected = theory.law->quantile(share);
  }
  if (!std::isfinite(expected)) {
    constexpr double factor = 4.0;
    expected = factor * theory.run.tau * std::log(*at.dimension);
  }
  return std::isfinite(expected) ? std::min(limit, expected) : limit;
}

double finite_or_nan(double value) { return std::isfinite(value) ? value : nan; }

}  // namespace

row_description<ensemble_values> ensemble_columns(const std::vector<double>& quantiles) {
  using row = ensemble_values;
  row_description<row> columns;
  columns.add("sim_runs", "simulated runs", measure::none, &row::runs)
      .add("sim_hit", "runs that met the event", measure::none, &row::hit)
      .add("sim_diverged", "runs that diverged", measure::none, &row::diverged)
      .add("sim_mean", "mean of their hitting times", measure::time, &row::mean)
      .add("sim_sd", "standard deviation", measure::time, &row::sd)
      .add_each(quantile_columns("sim_q", quantiles), "quantile", measure::time, &row::quantiles)
      .add("sim_p", "Kolmogorov and Smirnov's p-value against the law", measure::none, &row::p)
      .add("sim_seed", "of the ensemble", measure::none, &row::seed)
      .add("sim", "how the ensemble ended", measure::none, &row::status);
  return columns;
}

void ensemble_request::validate() const {
  const auto require = [](const char* name, std::uint64_t value, std::uint64_t least,
                          std::uint64_t most) {
    if (value < least || value > most) {
      throw argument_error(name, fmt::format("{}", value),
                           fmt::format("a whole number from {} to {}", least, most));
    }
  };
  require("--batch", batch, 1, max_batch);
  require("--runs", runs, 1, max_runs);
  require("--steps", steps, 1, random_steps - 1);
  require("--seed", seed, 0, max_seed);
  if (learning_rate && !(*learning_rate > 0.0 && std::isfinite(*learning_rate))) {
    throw argument_error("--lr", fmt::format("{}", *learning_rate), "> 0");
  }
}

std::optional<ensemble_values> ensemble_at(const prepared_pair& pair, const parameter_point& at,
                                           const escape_request& request,
                                           const escape_point& theory,
                                           const ensemble_request& ensemble, bool starts_fixed,
                                           std::uint64_t seed) {
  const double d = *at.dimension;
  const double eta = ensemble.learning_rate.value_or(at.parameters.noise_scale *
                                                     static_cast<double>(ensemble.batch) / d);
  const double length = std::ceil(horizon(pair, at, request, theory, starts_fixed) / eta);
  const auto steps =
      static_cast<std::uint64_t>(std::clamp(length, 1.0, static_cast<double>(ensemble.steps)));
  const population_risk& risk = pair.task.risk;
  lora_parameters p = at.parameters;
  p.noise_scale = 0.0;  // of a simulation: batch and learning rate make it
  simulation_problem simulated = make_problem(
      risk.student(), risk.teacher(), p, static_cast<std::uint64_t>(d), ensemble.batch, eta, steps);
  simulated.seed = seed;
  if (starts_fixed) {
    simulated.start = {at.start.u, at.start.m, at.start.s};
  }
  simulation_plan plan;
  plan.stop_after_events = true;
  plan.events = {simulated_event(request.event)};
  plan.risk = risk_of(risk, at.parameters.label_noise);
  ensemble_control control;
  control.threads = 1;  // the cells are what runs in parallel
  control.stop = [] { return stop_requested(); };
  const loradyn::ensemble done =
      simulate_ensemble(simulated, ensemble.engine, plan, ensemble.runs, control);
  if (!done.complete()) {
    return std::nullopt;
  }

  const hitting_times hits = hitting_times_of(done, simulated, 0);
  const bool all_hit = hits.times.size() == ensemble.runs;
  const bool has_law = !starts_fixed && theory.law && theory.law->status == law_status::ok;
  const double p_value =
      all_hit && has_law
          ? kolmogorov_smirnov(hits.times, [&](double t) { return theory.law->cdf(t); }).p_value
          : nan;
  // A run without the event has one later than all others: the lower quantiles are what they are.
  std::vector<double> times = hits.times;
  times.resize(ensemble.runs, std::numeric_limits<double>::infinity());
  const sample_summary summary = summarise(std::move(times), request.quantiles);
  const double unit = pair.pair.rate_unit;
  const bool diverged = hits.diverged == ensemble.runs;
  ensemble_values row{ensemble.runs,
                      hits.times.size(),
                      hits.diverged,
                      finite_or_nan(summary.mean * unit),
                      finite_or_nan(summary.deviation * unit),
                      {},
                      p_value,
                      seed,
                      all_hit               ? "ok"
                      : !hits.times.empty() ? "some-missing"
                      : diverged            ? "diverged"
                                            : "no-event"};
  for (const double q : summary.quantiles) {
    row.quantiles.push_back(finite_or_nan(q * unit));
  }
  return row;
}

std::uint64_t seed_at(std::uint64_t seed, double x, double y) {
  const auto word = [](double value) { return std::bit_cast<std::uint64_t>(value + 0.0); };
  return derived_seed(seed, {word(x), word(y)});  // -0 is 0
}

}  // namespace loradyn::study
