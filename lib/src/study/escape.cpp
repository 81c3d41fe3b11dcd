#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <loradyn/effort.hpp>
#include <loradyn/error.hpp>
#include <loradyn/study/escape.hpp>
#include <string_view>
#include "nan.hpp"

namespace loradyn::study {
namespace {

// Of a start that says nothing about the flow beyond it there is no law either.
bool has_law(const escape_point& point) {
  return point.status != "undefined" && point.status != "met-at-start";
}

overlap_event event_at(const parameter_point& at, const escape_request& request) {
  overlap_event event = request.event;
  event.at = at.level.value_or(event.at);
  return event;
}

}  // namespace

namespace {

escape_point computed_at(const prepared_pair& pair, const parameter_point& at,
                         const escape_request& request) {
  const overlap_event event = event_at(at, request);
  escape_point point;
  point.run.tau = point.run.M_end = point.run.risk_end = nan;
  point.run.at_end = {nan, nan, nan};
  integration_options integrator = request.integrator;
  integrator.end_time /= pair.pair.rate_unit;
  const effort_limit limit(row_effort);
  try {
    const flow f(pair.task, at.parameters);
    if (!f.velocity(at.start).finite()) {
      point.status = "undefined";
      return point;
    }
    if (met_by(event_of(f, event, at.start), at.start)) {
      point.status = "met-at-start";
      return point;
    }
    point.run = loradyn::escape(f, at.start, event, integrator, pair.classifier);
    point.status = to_string(point.run.status);
    if (point.status == "ok" && std::isnan(point.run.t_hit)) {
      point.status = "no-event";
    }
  } catch (const error&) {
    // The request was checked before: what is wrong is no fault of the input.
    point.status = "no-convergence";
  }
  if (at.dimension && has_law(point)) {
    try {
      const double u0 = 1.0 / (*at.dimension * *at.dimension);
      point.law = law_of_escape(flow(pair.task, at.parameters), event, *at.dimension, u0,
                                integrator, pair.classifier);
    } catch (const error&) {
      point.law_status = "no-convergence";
    }
  }
  return point;
}

}  // namespace

escape_point escape_at(const prepared_pair& pair, const parameter_point& at,
                       const escape_request& request) {
  const integration_work before = work_of_this_thread();
  escape_point point = computed_at(pair, at, request);
  point.work = work_of_this_thread() - before;
  return point;
}

std::string quantile_column(const std::string& prefix, double p) {
  const std::string percent = fmt::format("{:.10g}", 100.0 * p);
  return prefix + (percent.find('.') == 1 || percent.size() == 1 ? "0" : "") + percent;
}

std::vector<std::string> quantile_columns(const std::string& prefix,
                                          const std::vector<double>& probabilities) {
  std::vector<std::string> names;
  for (const double p : probabilities) {
    names.push_back(quantile_column(prefix, p));
  }
  return names;
}

row_description<escape_row> escape_columns(const std::optional<std::vector<double>>& quantiles,
                                           std::span<const parameter* const> told) {
  using row = escape_row;
  row_description<row> columns;
  columns.add_part(key_columns(told), &row::key)
      .add("tau", "the search time", measure::time, &row::tau)
      .add("t_hit", "when the run meets its event", measure::time, &row::t_hit)
      .add("t_linear", "tau log(at/m0)", measure::time, &row::t_linear);
  const auto add_state = [&columns](const char* when, overlap_state row::*state) {
    for (const auto& [name, overlap] : {std::pair("u_", &overlap_state::u),
                                        {"m_", &overlap_state::m},
                                        {"s_", &overlap_state::s}}) {
      columns.add(std::string(name) + when, "the state there", measure::none, state, overlap);
    }
  };
  add_state("hit", &row::at_hit);
  add_state("end", &row::at_end);
  columns.add("M_end", "teacher overlap at the end", measure::none, &row::M_end)
      .add("risk_end", "population risk at the end", measure::none, &row::risk_end)
      .add("rate_end", "rate at which the run comes to its rest", measure::rate, &row::rate_end)
      .add("outcome", "what became of the run", measure::none, &row::outcome)
      .add("status", "how it came to its end", measure::none, &row::status);
  if (quantiles) {
    columns.add("t_mean", "mean of the law", measure::time, &row::law, &law_values::mean)
        .add_each(quantile_columns("t_q", *quantiles), "quantile of the law", measure::time,
                  &row::law, &law_values::quantiles)
        .add("law", "whether the law holds", measure::none, &row::law, &law_values::status)
        .add("samples", "t_hit d/gamma, the samples seen until then", measure::none, &row::samples);
  }
  return columns;
}

row_description<escape_row> columns_of(const escape_problem& problem) {
  const bool has_law = problem.grid.at(0).dimension.has_value();
  return escape_columns(has_law ? std::optional(problem.request.quantiles) : std::nullopt,
                        problem.grid.told(model_parameters));
}

escape_row row_of(const prepared_pair& pair, const parameter_point& at,
                  const escape_request& request, const escape_point& point) {
  const double unit = pair.pair.rate_unit;
  const escape_run& r = point.run;
  const overlap_event event = event_at(at, request);
  const bool by_m = event.quantity == overlap_quantity::m && at.start.m != 0.0;
  const double linear = by_m ? r.tau * std::log(std::abs(event.at / at.start.m)) : nan;
  escape_row row{{pair.pair, at},
                 r.tau * unit,
                 r.t_hit * unit,
                 linear * unit,
                 r.at_hit,
                 r.at_end,
                 r.M_end,
                 r.risk_end,
                 r.rate_end / unit,
                 std::string(to_string(r.result)),
                 point.status,
                 {},
                 nan,
                 point.work};
  if (at.dimension) {
    const double gamma = at.parameters.noise_scale;
    // A step of time η has B samples, and γ = η d/B.
    row.samples = gamma > 0.0 ? r.t_hit * *at.dimension / gamma : nan;
    row.law.mean = point.law ? point.law->mean() * unit : nan;
    for (const double q : request.quantiles) {
      check_stop();
      row.law.quantiles.push_back(point.law ? point.law->quantile(q) * unit : nan);
    }
    row.law.status = point.law                   ? std::string(to_string(point.law->status))
                     : !point.law_status.empty() ? point.law_status
                                                 : point.status;
  }
  return row;
}

std::vector<escape_row> escape(const escape_problem& problem, const study_control& control) {
  const std::vector<prepared_pair> pairs(problem.pairs.begin(), problem.pairs.end());
  const std::size_t per_pair = problem.grid.size();
  constexpr std::size_t block = 4;  // points that a thread takes at a time
  return run_sweep(control, pairs.size() * per_pair, block, [&](std::size_t i) {
    const prepared_pair& pair = pairs[i / per_pair];
    const parameter_point at = problem.grid.at(i % per_pair);
    return row_of(pair, at, problem.request, escape_at(pair, at, problem.request));
  });
}

void escape_request::validate() const {
  event.validate();
  integrator.validate();
  if (!(integrator.end_time > 0.0)) {
    throw argument_error("the end time", fmt::format("{}", integrator.end_time), "> 0");
  }
  if (quantiles.empty()) {
    throw argument_error("the list of quantiles", "empty", "of one at least");
  }
  for (const double p : quantiles) {
    if (!(p > 0.0 && p < 1.0)) {
      throw argument_error("a quantile", fmt::format("{}", p), "between 0 and 1");
    }
  }
}

void require_law_event(const overlap_event& event) {
  if (event.is_signed && event.quantity == overlap_quantity::m) {
    throw argument_error("--signed", "given with --dim",
                         "left out: half of the random starts lead to the other sign");
  }
}

bool is_failure(const std::string& status) {
  constexpr std::array<std::string_view, 4> failures{"no-convergence", "blow-up", "step-limit",
                                                     "step-underflow"};
  return std::find(failures.begin(), failures.end(), status) != failures.end();
}

}  // namespace loradyn::study
