#pragma once

/// \file
/// When the search ends, and where the run does, over a sweep (docs/theory.md, sections 8 and 9).

#include <cstdint>
#include <loradyn/analysis/escape.hpp>
#include <loradyn/analysis/escape_law.hpp>
#include <loradyn/analysis/outcome.hpp>
#include <loradyn/study/control.hpp>
#include <loradyn/study/pair.hpp>
#include <loradyn/study/parameter.hpp>
#include <loradyn/study/row.hpp>
#include <optional>
#include <span>
#include <string>
#include <vector>

namespace loradyn::study {

/// A pair, ready for any number of escapes from any thread.
struct prepared_pair {
  /// Prepares a pair for any number of points.
  explicit prepared_pair(const activation_pair& of) : pair(of), task(of.task()), classifier(task) {}

  activation_pair pair;
  learning_task task;
  outcome_classifier classifier;
};

/// The standard step limit of questions with a run in every row: a run that arrives takes some
/// hundred steps, some thousand at a tolerance of 1e-13, and one that does not ends within seconds.
inline constexpr std::uint64_t row_step_limit = 50'000;

/// What is asked of every point.
struct escape_request {
  overlap_event event;
  integration_options integrator;  ///< its end time in the unit of the table
  std::vector<double> quantiles{0.05, 0.25, 0.5, 0.75, 0.95};  ///< of the law, in (0, 1)

  /// \throws argument_error, naming what is out of range
  void validate() const;
};

/// One point, in raw time.
struct escape_point {
  escape_run run;
  std::string status;
  std::optional<escape_law> law;  ///< where the point has a dimension
  std::string law_status;         ///< where the law alone could not be had
  integration_work work;
};

/// What fails is told by its status; nothing is thrown. The request and the parameters have been
/// checked.
escape_point escape_at(const prepared_pair& pair, const parameter_point& at,
                       const escape_request& request);

/// The law over random starts in dimension d, u0 = 1/d².
struct law_values {
  double mean = 0.0;
  std::vector<double> quantiles;
  std::string status;
};

/// The answer for one point.
struct escape_row {
  row_key key;
  double tau = 0.0;
  double t_hit = 0.0;
  double t_linear = 0.0;
  overlap_state at_hit;
  overlap_state at_end;
  double M_end = 0.0;
  double risk_end = 0.0;
  double rate_end = 0.0;
  std::string outcome;
  std::string status;
  law_values law;
  double samples = 0.0;     ///< t_hit d/γ, the samples that the run has seen then; NaN at γ = 0
  integration_work work{};  ///< no column
};

/// \param quantiles of the law, where it is asked for \param told parameters of the key
row_description<escape_row> escape_columns(
    const std::optional<std::vector<double>>& quantiles,
    std::span<const parameter* const> told = model_parameters);

/// A point's answer with the names and parameters that it belongs to.
escape_row row_of(const prepared_pair& pair, const parameter_point& at,
                  const escape_request& request, const escape_point& point);

/// A column's name for a quantile: "t_q" and 0.05 make t_q05.
std::string quantile_column(const std::string& prefix, double p);
/// The names of the columns of several quantiles.
std::vector<std::string> quantile_columns(const std::string& prefix,
                                          const std::vector<double>& probabilities);

/// When the search ends, for pairs over a grid of parameters.
struct escape_problem {
  std::vector<activation_pair> pairs;
  parameter_grid grid;  ///< with dimensions where the law is asked for, and perhaps levels
  escape_request request;
};

/// The columns of its rows.
row_description<escape_row> columns_of(const escape_problem& problem);

/// A row for each pair and point of the grid; those of the first points where it is stopped.
std::vector<escape_row> escape(const escape_problem& problem, const study_control& control);

/// Refuses an event that tells the two signs of the start apart, which the law can't.
void require_law_event(const overlap_event& event);

/// Whether a row of this status and hitting time is no result: nothing is known of the run.
bool is_failure(const std::string& status);

}  // namespace loradyn::study
