#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <loradyn/analysis/escape_law.hpp>
#include <loradyn/error.hpp>
#include <loradyn/simulation/statistics.hpp>
#include <loradyn/study/simulate.hpp>
#include <utility>
#include "nan.hpp"

namespace loradyn::study {
namespace {

struct told_quantity {
  const char* name;
  simulated_quantity asked;
  quantity_summary record_row::*member;
};
constexpr std::array<told_quantity, 7> quantities{
    {{"u", simulated_quantity::u, &record_row::u},
     {"m", simulated_quantity::m, &record_row::m},
     {"m_abs", simulated_quantity::m_abs, &record_row::m_abs},
     {"s", simulated_quantity::s, &record_row::s},
     {"M", simulated_quantity::M, &record_row::M},
     {"Q", simulated_quantity::Q, &record_row::Q},
     {"risk", simulated_quantity::risk, &record_row::risk}}};
constexpr std::array<double, 3> probabilities{0.05, 0.5, 0.95};

std::vector<record_row> recorded_rows(const simulate_problem& problem, const ensemble& done) {
  std::vector<simulated_quantity> wanted;
  for (const told_quantity& q : quantities) {
    wanted.push_back(q.asked);
  }
  std::vector<record_row> rows;
  for (const recorded_summary& s :
       summarise(done, problem.problem, problem.plan, wanted, probabilities)) {
    record_row& row = rows.emplace_back();
    row.step = s.step;
    row.t = s.time * problem.rate_unit;
    row.runs = s.runs;
    row.diverged = s.diverged;
    for (std::size_t k = 0; k < quantities.size(); ++k) {
      const sample_summary& q = s.quantities[k];
      row.*quantities[k].member = {q.mean, q.deviation, q.quantiles[0], q.quantiles[1],
                                   q.quantiles[2]};
    }
  }
  return rows;
}

std::vector<run_row> run_rows(const simulate_problem& problem, const ensemble& done) {
  std::vector<run_row> rows;
  for (const run_result& r : done.runs) {
    const event_hit& hit = r.hits.front();
    run_row row{r.run, nan, r.last, "searching", "no-event"};
    if (hit.happened) {
      row = {r.run, problem.problem.time_at(hit.step) * problem.rate_unit, hit.state, "hit", "ok"};
    } else if (r.outcome == run_outcome::diverged) {
      row.outcome = "diverged";
      row.status = fmt::format("diverged after step {}", r.steps);
    }
    rows.push_back(std::move(row));
  }
  return rows;
}

}  // namespace

simulation_event simulated_event(const overlap_event& event) {
  switch (event.quantity) {
    case overlap_quantity::m:
      return event.is_signed
                 ? simulation_event{simulated_quantity::m, event.at, event_direction::either}
                 : simulation_event{simulated_quantity::m_abs, event.at, event_direction::rising};
    case overlap_quantity::M:
      return {event.is_signed ? simulated_quantity::M : simulated_quantity::M_abs, event.at,
              event_direction::either};
    case overlap_quantity::risk:
      break;
  }
  return {simulated_quantity::risk, event.at, event_direction::falling};
}

overlap_event overlap_event_of(const simulation_event& event) {
  for (const auto& [name, quantity] : overlap_quantities) {
    for (const bool is_signed : {false, true}) {
      const overlap_event made{quantity, event.level, is_signed};
      const simulation_event same = simulated_event(made);
      if (same.quantity == event.quantity && same.direction == event.direction) {
        return made;
      }
    }
  }
  throw argument_error("the event", "a simulation's own", "that of a flow: m, M or risk");
}

std::function<double(double, double)> risk_of(const population_risk& risk, double label_noise) {
  return [risk, label_noise](double M, double Q) {
    return risk.value({.M = M, .Q = Q, .gap = std::max(0.0, Q - M * M)}, label_noise);
  };
}

row_description<record_row> record_columns() {
  using row = record_row;
  row_description<row> columns;
  columns.add("step", "steps taken", measure::none, &row::step)
      .add("t", "time", measure::time, &row::t)
      .add("runs", "runs that have a state there", measure::none, &row::runs)
      .add("diverged", "runs that diverged before", measure::none, &row::diverged);
  for (const told_quantity& q : quantities) {
    const std::string name = q.name;
    columns.add(name + "_mean", "mean", measure::none, q.member, &quantity_summary::mean)
        .add(name + "_sd", "standard deviation", measure::none, q.member, &quantity_summary::sd)
        .add(name + "_q05", "quantile", measure::none, q.member, &quantity_summary::q05)
        .add(name + "_q50", "quantile", measure::none, q.member, &quantity_summary::q50)
        .add(name + "_q95", "quantile", measure::none, q.member, &quantity_summary::q95);
  }
  return columns;
}

row_description<run_row> run_columns() {
  using row = run_row;
  row_description<row> columns;
  columns.add("run", "its number", measure::none, &row::run)
      .add("t_hit", "when it met its event", measure::time, &row::t_hit)
      .add("u", "adapter's amplitude", measure::none, &row::x, &simulated_state::u)
      .add("m", "its overlap with the target", measure::none, &row::x, &simulated_state::m)
      .add("s", "its overlap with ξ", measure::none, &row::x, &simulated_state::s)
      .add("outcome", "hit, searching or diverged", measure::none, &row::outcome)
      .add("status", "how it ended", measure::none, &row::status);
  return columns;
}

simulate_result simulate(const simulate_problem& problem, const ensemble_control& control,
                         std::string_view checkpoint) {
  simulate_result result{simulate_ensemble(problem.problem, problem.engine, problem.plan,
                                           problem.runs, control, checkpoint),
                         {},
                         {}};
  if (result.done.complete()) {
    if (problem.plan.events.empty()) {
      result.recorded = recorded_rows(problem, result.done);
    } else {
      result.runs = run_rows(problem, result.done);
    }
  }
  return result;
}

std::vector<trajectory_row> expected_run(const simulated_setting& setting,
                                         const std::vector<double>& times) {
  if (times.empty() || !(times.back() > 0.0)) {
    return {};
  }
  const lora_parameters& p = setting.at.parameters;
  trajectory_problem problem;
  problem.rate_unit = setting.pair.rate_unit;
  problem.protocol.alignment = p.alignment;
  problem.protocol.misalignment = p.misalignment;
  problem.protocol.start = setting.at.start;
  if (setting.random_start) {
    // The median of |z|/√d.
    constexpr double median = 0.6744897501960817;
    problem.protocol.start.m = median / std::sqrt(*setting.at.dimension);
    problem.protocol.start.s = 0.0;
  }
  problem.record.times = times;
  problem.end = times.back() / problem.rate_unit;
  problem.protocol.stages = {tuning_stage{setting.pair.task(), p.noise_scale, p.label_noise,
                                          p.rate_ratio, problem.end, std::nullopt}};
  return trajectory(problem).rows;
}

std::vector<density_point> expected_hits(const simulated_setting& setting,
                                         const overlap_event& event) {
  const learning_task task = setting.pair.task();
  const escape_law law =
      law_of_escape(flow(task, setting.at.parameters), event, *setting.at.dimension,
                    setting.at.start.u, {}, outcome_classifier(task));
  std::vector<density_point> points;
  if (law.status == law_status::ok || law.status == law_status::small_dimension) {
    constexpr int count = 300;  // points of a curve in a picture
    const double lo = law.quantile(1e-4);
    const double hi = law.quantile(0.999);
    for (int i = 0; i <= count; ++i) {
      const double t = std::lerp(lo, hi, static_cast<double>(i) / count);
      points.push_back({t * setting.pair.rate_unit, law.density(t) / setting.pair.rate_unit});
    }
  }
  return points;
}

}  // namespace loradyn::study
