#include <algorithm>
#include <cmath>
#include <loradyn/effort.hpp>
#include <loradyn/error.hpp>
#include <loradyn/kernel/pair_kernel.hpp>
#include <loradyn/study/budget.hpp>
#include <loradyn/study/parameter.hpp>
#include "nan.hpp"

namespace loradyn::study {
namespace {

budget_row row_of(const budget_point& p, double unit) {
  std::string status(to_string(p.status));
  if (status == "ok" && std::isnan(p.t_finetune)) {
    status = "no-event";
  }
  return {p.t_pre * unit,
          p.alignment,
          p.misalignment,
          p.tau * unit,
          p.t_finetune * unit,
          p.t_total * unit,
          std::string(to_string(p.result)),
          status};
}

}  // namespace

row_description<budget_row> budget_columns() {
  using row = budget_row;
  row_description<row> columns;
  columns.add("t_pre", "pre-training time", measure::time, &row::t_pre)
      .add(registry::mu.column(), "what it makes of μ", measure::none, &row::mu)
      .add(registry::nu.column(), "what it makes of ν", measure::none, &row::nu)
      .add("tau", "the search time", measure::time, &row::tau)
      .add("t_finetune", "until the event", measure::time, &row::t_finetune)
      .add("t_total", "both", measure::time, &row::t_total)
      .add("outcome", "what became of the run", measure::none, &row::outcome)
      .add("status", "how it came to its end", measure::none, &row::status);
  return columns;
}

overlap_event standard_budget_event(const population_risk& risk, double label_noise) {
  const double power =
      pair_kernel(risk.teacher(), risk.teacher()).value(pair_covariance::diagonal(1.0));
  return {overlap_quantity::risk, 0.05 * power + 0.5 * label_noise, false};
}

budget_result budget(const budget_problem& problem, const study_control& control) {
  const double unit = problem.rate_unit;
  std::vector<double> times = problem.times;
  for (double& t : times) {
    t /= unit;
  }
  std::sort(times.begin(), times.end());
  const outcome_classifier classifier(problem.budget.target);
  std::vector<char> failed(times.size(), 0);
  std::vector<integration_work> work(times.size());
  const auto points = run_sweep(control, times.size(), 1, [&](std::size_t i) {
    const effort_limit limit(row_effort);
    try {
      const integration_work before = work_of_this_thread();
      const budget_point point =
          cost_of_pretraining(problem.budget, times[i], problem.integrator, classifier);
      work[i] = work_of_this_thread() - before;
      return point;
    } catch (const error&) {  // the budget was checked before
      failed[i] = 1;
      budget_point p;
      p.t_pre = times[i];
      p.alignment = p.misalignment = p.tau = p.t_finetune = p.t_total = nan;
      return p;
    }
  });
  budget_result result;
  for (std::size_t i = 0; i < points.size(); ++i) {
    result.rows.push_back(row_of(points[i], unit));
    result.work += work[i];
    if (failed[i] != 0) {
      result.rows.back().status = "no-convergence";
    }
  }
  try {
    if (const auto best = least_cost(problem.budget, points, problem.integrator, classifier)) {
      result.best = row_of(*best, unit);
    }
  } catch (const interrupted&) {
    // The rows that there are.
  } catch (const error&) {
    // There is none that can be told; the points are kept.
  }
  return result;
}

}  // namespace loradyn::study
