#include <fmt/format.h>

#include <array>
#include <cmath>
#include <loradyn/error.hpp>
#include <loradyn/interruption.hpp>
#include <loradyn/simulation/statistics.hpp>
#include <loradyn/study/network_simulate.hpp>
#include <memory>
#include <utility>
#include "nan.hpp"
#include "study/network_parts.hpp"

namespace loradyn::study {
namespace {

constexpr std::array<double, 3> probabilities{0.05, 0.5, 0.95};

double samples_of(const network_simulate_problem& problem, std::uint64_t step) {
  return static_cast<double>(step) * static_cast<double>(problem.batch) +
         static_cast<double>(problem.start.one_step_batch.value_or(0));
}

std::vector<network_summary_row> summary_rows(const network_simulate_problem& problem,
                                              const network_problem& simulated,
                                              const network_flow& f, const network_ensemble& done) {
  const row_description<network_record> columns = record_columns(shape_of(problem.layout));
  std::vector<network_summary_row> rows;
  for (std::size_t point = 0; point < problem.record.size(); ++point) {
    network_summary_row& row = rows.emplace_back();
    row.step = problem.record[point];
    row.t = simulated.time_at(row.step) * problem.pair.rate_unit;
    row.samples = samples_of(problem, row.step);
    std::vector<std::vector<double>> values(columns.size());
    for (const network_run& run : done.runs) {
      check_stop();
      if (point >= run.record.size()) {
        ++row.diverged;  // nothing else ends a run that has no event
        continue;
      }
      ++row.runs;
      const network_record record = record_of(f, run.record[point], row.samples);
      for (std::size_t c = 0; c < columns.size(); ++c) {
        values[c].push_back(to_number(columns.columns()[c].get(record)));
      }
    }
    for (std::size_t c = 1; c < columns.size(); ++c) {
      const sample_summary s = summarise(std::move(values[c]), probabilities);
      row.values.insert(row.values.end(), {s.mean, s.deviation});
      row.values.insert(row.values.end(), s.quantiles.begin(), s.quantiles.end());
    }
  }
  return rows;
}

std::vector<network_run_row> run_rows(const network_simulate_problem& problem,
                                      const network_problem& simulated, const network_flow& f,
                                      const network_ensemble& done) {
  std::vector<network_run_row> rows;
  for (const network_run& run : done.runs) {
    check_stop();
    const network_hit& hit = run.hits.front();
    const std::uint64_t step = hit.happened ? hit.step : run.steps;
    network_run_row row{
        run.run, nan, "searching", "no-event",
        record_of(f, hit.happened ? hit.state : run.last, samples_of(problem, step))};
    if (hit.happened) {
      row.t_hit = simulated.time_at(step) * problem.pair.rate_unit;
      row.outcome = "hit";
      row.status = "ok";
    } else if (run.outcome == run_outcome::diverged) {
      row.outcome = "diverged";
      row.status = fmt::format("diverged after step {}", run.steps);
    }
    rows.push_back(std::move(row));
  }
  return rows;
}

}  // namespace

network_event simulated_event(const network_overlap_event& event) {
  network_event simulated;
  simulated.level = event.at;
  simulated.direction = event_direction::either;
  network_quantity& quantity = simulated.quantity;
  quantity.absolute = !event.is_signed;
  if (event.entry) {
    quantity.row = event.entry->first - 1;
    quantity.column = event.entry->second - 1;
  }
  switch (event.quantity) {
    case network_overlap_quantity::m:
      quantity.matrix = event.entry ? network_matrix::m : network_matrix::largest_overlap;
      simulated.direction = event_direction::rising;
      break;
    case network_overlap_quantity::M:
      quantity.matrix = event.entry ? network_matrix::M : network_matrix::mean_overlap;
      break;
    case network_overlap_quantity::U:
      quantity.matrix = network_matrix::U;
      break;
    case network_overlap_quantity::S:
      quantity.matrix = network_matrix::S;
      break;
    case network_overlap_quantity::risk:
      quantity = {.matrix = network_matrix::risk};
      simulated.direction = event_direction::falling;
      break;
    case network_overlap_quantity::source_risk:
      quantity = {.matrix = network_matrix::source_risk};
      simulated.direction = event_direction::falling;
      break;
  }
  return simulated;
}

void tell_risks(const network_flow& f, network_plan& plan) {
  const auto shared = std::make_shared<const network_flow>(f);
  plan.risk = [shared](const network_state& x) { return shared->risk(x); };
  plan.source_risk = [shared](const network_state& x) { return shared->source_risk(x); };
}

row_description<network_summary_row> network_summary_columns(const network_shape& shape) {
  using row = network_summary_row;
  row_description<row> columns;
  columns.add("step", "steps taken", measure::none, &row::step)
      .add("t", "time", measure::time, &row::t)
      .add("samples", "seen so far", measure::none, &row::samples)
      .add("runs", "runs that have a state there", measure::none, &row::runs)
      .add("diverged", "runs that diverged before", measure::none, &row::diverged);
  std::vector<std::string> names;
  for (const std::string& name : record_columns(shape).names()) {
    for (const char* const part : {"mean", "sd", "q05", "q50", "q95"}) {
      if (name != "samples") {
        names.push_back(fmt::format("{}_{}", name, part));
      }
    }
  }
  columns.add_each(names, "mean, standard deviation or quantile over the runs", measure::none,
                   &row::values);
  return columns;
}

row_description<network_run_row> network_run_columns(const network_shape& shape) {
  using row = network_run_row;
  row_description<row> columns;
  columns.add("run", "its number", measure::none, &row::run)
      .add("t_hit", "when it met its event", measure::time, &row::t_hit)
      .add("outcome", "hit, searching or diverged", measure::none, &row::outcome)
      .add("status", "how it ended", measure::none, &row::status)
      .add_part(record_columns(shape), &row::at);
  return columns;
}

network_problem simulated_problem(const network_simulate_problem& asked) {
  network_problem problem =
      simulated_problem(asked.pair, asked.layout, asked.start, asked.at, asked.u0);
  problem.batch = asked.batch;
  problem.learning_rate = asked.learning_rate;
  problem.steps = asked.steps;
  for (const network_simulated_stage& stage : asked.stages) {
    const network_stage_task& task = stage.task;
    if (task.on_source && !asked.layout.source) {
      throw argument_error("what a stage trains on", "the source task",
                           "the target where there is no source");
    }
    parameter_point at = asked.at;
    at.parameters.rate_ratio = task.rate_ratio;
    problem.stages.push_back({.teacher = task.on_source
                                             ? *asked.layout.source
                                             : task.teacher.value_or(asked.pair.risk.teacher()),
                              .on_source = task.on_source,
                              .label_noise = task.label_noise,
                              .rate_ratio = parameters_of(asked.layout, at).rate_ratio,
                              .decay = task.decay.value_or(asked.layout.decay),
                              .learning_rate = stage.learning_rate,
                              .steps = stage.steps,
                              .flips = stage.flips,
                              .label = task.label});
  }
  if (!problem.stages.empty()) {
    const network_stage& last = problem.stages.back();
    problem.parameters.label_noise = last.on_source ? 0.0 : last.label_noise;
  }
  problem.validate();
  return problem;
}

network_simulate_result simulate(const network_simulate_problem& asked,
                                 const ensemble_control& control, std::string_view checkpoint) {
  const network_problem problem = simulated_problem(asked);
  const network_flow f = flow_of(problem, asked.layout, 0.0);
  network_plan plan;
  plan.record = asked.record;
  if (asked.event) {
    asked.event->validate(f);
    plan.events = {simulated_event(*asked.event)};
    plan.stop_after_events = true;
    tell_risks(f, plan);
  }
  network_simulate_result result{
      simulate_ensemble(problem, asked.engine, plan, asked.runs, control, checkpoint), {}, {}};
  if (result.done.complete()) {
    if (asked.event) {
      result.runs = run_rows(asked, problem, f, result.done);
    } else {
      result.recorded = summary_rows(asked, problem, f, result.done);
    }
  }
  return result;
}

}  // namespace loradyn::study
