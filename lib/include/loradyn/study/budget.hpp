#pragma once

/// \file
/// How long pre-training should be (docs/theory.md, section 10).

#include <loradyn/analysis/budget.hpp>
#include <loradyn/study/control.hpp>
#include <loradyn/study/row.hpp>
#include <optional>
#include <string>
#include <vector>

namespace loradyn::study {

/// How long to pre-train, for each of a list of times.
struct budget_problem {
  training_budget budget;  ///< in raw time, as the integrator
  integration_options integrator;
  std::vector<double> times;  ///< t_pre, >= 0, in the unit of the table; any order
  double rate_unit = 1.0;
};

/// The cost of one time of pre-training.
struct budget_row {
  double t_pre = 0.0;
  double mu = 0.0;
  double nu = 0.0;
  double tau = 0.0;
  double t_finetune = 0.0;
  double t_total = 0.0;
  std::string outcome;
  std::string status;
};

/// The columns of its rows.
row_description<budget_row> budget_columns();

/// A row for each time, and the cheapest.
struct budget_result {
  std::vector<budget_row> rows;    ///< by t_pre; the first where it was stopped
  std::optional<budget_row> best;  ///< beside the cheapest row, where it can be told
  integration_work work{};         ///< of the rows
};

/// Asks it. \throws argument_error, interrupted
budget_result budget(const budget_problem& problem, const study_control& control);

/// The event that is asked for where none is named: the risk falls to a tenth of that of a student
/// that is zero, both above what the labels' noise leaves.
overlap_event standard_budget_event(const population_risk& risk, double label_noise);

}  // namespace loradyn::study
