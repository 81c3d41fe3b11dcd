#pragma once

// One cell of a sweep over escapes: what `escape` and `phase` compute, and the row that tells it.

#include <loradyn/analysis/escape.hpp>
#include <loradyn/analysis/escape_law.hpp>
#include <loradyn/analysis/outcome.hpp>
#include <loradyn/report/table.hpp>
#include <optional>
#include <string>
#include <vector>

#include "options.hpp"

namespace loradyn::cli {

// A pair of activations, ready for any number of escapes from any thread.
struct escape_problem {
  explicit escape_problem(const activation_pair& pair);

  std::string student;
  std::string teacher;
  double unit;  // rates are divided by it, times multiplied
  learning_task task;
  outcome_classifier classifier;
};

// What is asked of every cell.
struct escape_request {
  overlap_state start = default_start;
  overlap_event event;
  integration_options integrator;   // its end time in units of the table
  std::optional<double> dimension;  // where the law is asked for
  std::vector<double> quantiles;
};

// Throws argument_error, naming the option.
std::vector<double> read_quantiles(const std::string& text);
double read_dimension(const std::string& text);

// Refuses an event that tells the two signs of the start apart, which the law can't.
void require_law_event(const overlap_event& event);

// One cell.
struct escape_point {
  escape_run run;
  std::string status;
  std::optional<escape_law> law;
  std::string law_status;  // where the law alone could not be had
};

// What fails is told by its status; nothing is thrown. The request and the parameters have been
// checked.
escape_point escape_at(const escape_problem& problem, const lora_parameters& parameters,
                       const escape_request& request);

// The columns that tell it, and their values.
std::vector<std::string> escape_columns(const escape_request& request);
std::vector<cell> escape_row(const escape_problem& problem, const lora_parameters& parameters,
                             const escape_request& request, const escape_point& point);

// A column's name for a quantile: "t_q" and 0.05 make t_q05.
std::string quantile_column(const std::string& prefix, double p);

// The place of the status in a row, as in `escape_columns`.
inline constexpr std::size_t escape_status_column = 19;

}  // namespace loradyn::cli
