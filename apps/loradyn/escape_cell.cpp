#include "escape_cell.hpp"

#include <fmt/format.h>

#include <cmath>
#include <limits>
#include <loradyn/error.hpp>
#include <loradyn/interruption.hpp>
#include <loradyn/sweep/range.hpp>

#include "flow_options.hpp"

namespace loradyn::cli {
namespace {

constexpr double nan = std::numeric_limits<double>::quiet_NaN();

// Of a start that says nothing about the flow beyond it there is no law either.
bool has_law(const escape_point& point) {
  return point.status != "undefined" && point.status != "met-at-start";
}

}  // namespace

escape_point escape_at(const escape_problem& problem, const lora_parameters& parameters,
                       const escape_request& request) {
  escape_point point;
  point.run.tau = point.run.M_end = point.run.risk_end = nan;
  point.run.at_end = {nan, nan, nan};
  integration_options integrator = request.integrator;
  integrator.end_time /= problem.unit;
  try {
    const flow f(problem.task, parameters);
    if (!f.velocity(request.start).finite()) {
      point.status = "undefined";
      return point;
    }
    if (met_by(event_of(f, request.event, request.start), request.start)) {
      point.status = "met-at-start";
      return point;
    }
    point.run = escape(f, request.start, request.event, integrator, problem.classifier);
    point.status = to_string(point.run.status);
    if (point.status == "ok" && std::isnan(point.run.t_hit)) {
      point.status = "no-event";
    }
  } catch (const error&) {
    // The request was checked before: what is wrong is no fault of the input.
    point.status = "no-convergence";
  }
  if (request.dimension && has_law(point)) {
    try {
      const double u0 = 1.0 / (*request.dimension * *request.dimension);
      point.law = law_of_escape(flow(problem.task, parameters), request.event, *request.dimension,
                                u0, integrator, problem.classifier);
    } catch (const error&) {
      point.law_status = "no-convergence";
    }
  }
  return point;
}

std::string quantile_column(const std::string& prefix, double p) {
  const std::string percent = fmt::format("{:.10g}", 100.0 * p);
  return prefix + (percent.find('.') == 1 || percent.size() == 1 ? "0" : "") + percent;
}

escape_problem::escape_problem(const activation_pair& pair)
    : student(pair.student()),
      teacher(pair.teacher()),
      unit(pair.rate_unit),
      task(task_of(pair)),
      classifier(task) {}

std::vector<double> read_quantiles(const std::string& text) {
  std::vector<double> quantiles = parse_range("--quantiles", text);
  for (const double p : quantiles) {
    if (!(p > 0.0 && p < 1.0)) {
      throw argument_error("--quantiles", "'" + text + "'", "between 0 and 1");
    }
  }
  return quantiles;
}

double read_dimension(const std::string& text) {
  const double d = read_number("--dim", text);
  if (!(d >= 3.0)) {
    throw argument_error("--dim", "'" + text + "'", "at least 3");
  }
  return d;
}

void require_law_event(const overlap_event& event) {
  if (event.is_signed && event.quantity == overlap_quantity::m) {
    throw argument_error("--signed", "given with --dim",
                         "left out: half of the random starts lead to the other sign");
  }
}

std::vector<std::string> escape_columns(const escape_request& request) {
  std::vector<std::string> columns{"student", "teacher",  "mu",       "nu",      "gamma",
                                   "noise",   "lr_ratio", "tau",      "t_hit",   "t_linear",
                                   "u_hit",   "m_hit",    "s_hit",    "u_end",   "m_end",
                                   "s_end",   "M_end",    "risk_end", "outcome", "status"};
  if (request.dimension) {
    columns.emplace_back("t_mean");
    for (const double p : request.quantiles) {
      columns.push_back(quantile_column("t_q", p));
    }
    columns.emplace_back("law");
  }
  return columns;
}

std::vector<cell> escape_row(const escape_problem& problem, const lora_parameters& p,
                             const escape_request& request, const escape_point& point) {
  const double unit = problem.unit;
  const escape_run& r = point.run;
  const bool by_m = request.event.quantity == overlap_quantity::m && request.start.m != 0.0;
  const double linear = by_m ? r.tau * std::log(std::abs(request.event.at / request.start.m)) : nan;
  std::vector<cell> row{problem.student,
                        problem.teacher,
                        p.alignment,
                        p.misalignment,
                        p.noise_scale,
                        p.label_noise,
                        p.rate_ratio,
                        r.tau * unit,
                        r.t_hit * unit,
                        linear * unit,
                        r.at_hit.u,
                        r.at_hit.m,
                        r.at_hit.s,
                        r.at_end.u,
                        r.at_end.m,
                        r.at_end.s,
                        r.M_end,
                        r.risk_end,
                        std::string(to_string(r.result)),
                        point.status};
  if (request.dimension) {
    row.emplace_back(point.law ? point.law->mean() * unit : nan);
    for (const double q : request.quantiles) {
      check_stop();
      row.emplace_back(point.law ? point.law->quantile(q) * unit : nan);
    }
    row.emplace_back(point.law                   ? std::string(to_string(point.law->status))
                     : !point.law_status.empty() ? point.law_status
                                                 : point.status);
  }
  return row;
}

}  // namespace loradyn::cli
