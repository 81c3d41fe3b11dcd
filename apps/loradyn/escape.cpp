// loradyn escape: when the search ends, and where the run does.

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <loradyn/analysis/escape.hpp>
#include <loradyn/analysis/escape_law.hpp>
#include <loradyn/error.hpp>
#include <loradyn/sweep/range.hpp>
#include <memory>
#include <optional>

#include "command.hpp"
#include "figures.hpp"
#include "flow_options.hpp"
#include "interruption.hpp"
#include "options.hpp"
#include "output.hpp"
#include "sweep.hpp"

namespace loradyn::cli {
namespace {

constexpr double nan = std::numeric_limits<double>::quiet_NaN();

struct escape_options {
  shared_options shared;
  std::string mu;
  start_options start;
  event_options event;
  integrator_options integrator;
  std::string dimension;
  std::string quantiles = "0.05,0.25,0.5,0.75,0.95";
};

struct escape_point {
  escape_run run;
  std::string status;
  std::optional<escape_law> law;
};

// What the law is asked for.
struct law_request {
  std::optional<double> dimension;
  std::vector<double> quantiles;
};

law_request read_law(const escape_options& options) {
  law_request request;
  if (options.dimension.empty()) {
    return request;
  }
  request.dimension = read_number("--dim", options.dimension);
  if (!(*request.dimension >= 3.0)) {
    throw argument_error("--dim", "'" + options.dimension + "'", "at least 3");
  }
  if (options.event.is_signed && options.event.quantity == "m") {
    throw argument_error("--signed", "given with --dim",
                         "left out: half of the random starts lead to the other sign");
  }
  request.quantiles = parse_range("--quantiles", options.quantiles);
  for (const double p : request.quantiles) {
    if (!(p > 0.0 && p < 1.0)) {
      throw argument_error("--quantiles", "'" + options.quantiles + "'", "between 0 and 1");
    }
  }
  return request;
}

struct problem {
  learning_task task;
  outcome_classifier classifier;
};

escape_point evaluate(const problem& p, const lora_parameters& parameters,
                      const overlap_state& start, const overlap_event& event,
                      const integration_options& integrator, const law_request& request) {
  escape_point point;
  point.run.tau = point.run.M_end = point.run.risk_end = nan;
  point.run.at_end = {nan, nan, nan};
  try {
    const flow f(p.task, parameters);
    if (!f.velocity(start).finite()) {
      point.status = "undefined";
      return point;
    }
    if (met_by(event_of(f, event, start), start)) {
      point.status = "met-at-start";
      return point;
    }
    point.run = escape(f, start, event, integrator, p.classifier);
    point.status = to_string(point.run.status);
    if (point.status == "ok" && std::isnan(point.run.t_hit)) {
      point.status = "no-event";
    }
    if (request.dimension) {
      const double u0 = 1.0 / (*request.dimension * *request.dimension);
      point.law = law_of_escape(f, event, *request.dimension, u0, integrator, p.classifier);
    }
  } catch (const convergence_error&) {
    point.status = "no-convergence";
  }
  return point;
}

std::string quantile_column(double p) {
  return fmt::format("t_q{:0>2}", fmt::format("{}", 100.0 * p));
}

int run_escape(const escape_options& options, const invocation& call) {
  const shared_options& shared = options.shared;
  const std::vector<activation_pair> pairs = read_pairs(shared);
  const parameter_grid grid = read_grid(shared, options.mu);
  const overlap_state start = read_start(options.start);
  const overlap_event event = read_event(options.event);
  const law_request request = read_law(options);
  std::vector<integration_options> integrators;
  std::vector<problem> problems;
  for (const activation_pair& pair : pairs) {
    integrators.push_back(read_integrator(options.integrator, 1.0 / pair.rate_unit));
    const learning_task task = task_of(pair);
    problems.push_back({task, outcome_classifier(task)});
  }
  outputs out(shared);

  const std::size_t per_pair = grid.size();
  const std::size_t total = pairs.size() * per_pair;
  constexpr std::size_t block = 64;
  const auto points = run_sweep<escape_point>(shared, total, block, [&](std::size_t i) {
    const std::size_t k = i / per_pair;
    return evaluate(problems[k], grid.at(i % per_pair), start, event, integrators[k], request);
  });
  if (!points.empty() && std::all_of(points.begin(), points.end(), [](const escape_point& p) {
        return p.status == "met-at-start";
      })) {
    throw argument_error(fmt::format("--event {} --at {}", options.event.quantity, event.at),
                         "met by the start", "an event that the start does not meet");
  }

  std::vector<std::string> columns{"student", "teacher",  "mu",       "nu",      "gamma",
                                   "noise",   "lr_ratio", "tau",      "t_hit",   "t_linear",
                                   "u_hit",   "m_hit",    "s_hit",    "u_end",   "m_end",
                                   "s_end",   "M_end",    "risk_end", "outcome", "status"};
  if (request.dimension) {
    columns.emplace_back("t_mean");
    for (const double p : request.quantiles) {
      columns.push_back(quantile_column(p));
    }
    columns.emplace_back("law");
  }
  table t = make_table(call, shared, options.mu, std::move(columns));
  append(t, describe(options.start));
  append(t, describe(options.event));
  append(t, describe(options.integrator));
  if (request.dimension) {
    append(t, {{"dim", options.dimension}, {"quantiles", options.quantiles}});
  }
  t.rows.reserve(points.size());
  for (std::size_t i = 0; i < points.size(); ++i) {
    const activation_pair& pair = pairs[i / per_pair];
    const lora_parameters p = grid.at(i % per_pair);
    const double unit = pair.rate_unit;
    const escape_run& r = points[i].run;
    const bool by_m = event.quantity == overlap_quantity::m && start.m != 0.0;
    const double linear = by_m ? r.tau * std::log(std::abs(event.at / start.m)) : nan;
    std::vector<cell> row{pair.student(),
                          pair.teacher(),
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
                          points[i].status};
    if (request.dimension) {
      const std::optional<escape_law>& law = points[i].law;
      row.emplace_back(law ? law->mean() * unit : nan);
      for (const double q : request.quantiles) {
        row.emplace_back(law ? law->quantile(q) * unit : nan);
      }
      row.emplace_back(law ? std::string(to_string(law->status)) : points[i].status);
    }
    t.rows.push_back(std::move(row));
  }
  out.write(t, escape_figure);
  if (points.size() < total) {
    return report_interruption(points.size(), total, call.command_line.c_str());
  }
  return exit_code_for(t);
}

}  // namespace

std::function<int(const invocation&)> setup_escape(CLI::App& app) {
  auto options = std::make_shared<escape_options>();
  app.add_option("--mu", options->mu, "pre-training alignment")->type_name("R");
  options->event.add_to(app, "m", "0.5 for m");
  options->start.add_to(app, "1e-6");
  app.add_option("--dim", options->dimension,
                 "the law of the escape time over random starts in this dimension,\nu0 = 1/d^2")
      ->type_name("D");
  app.add_option("--quantiles", options->quantiles, "of that law")
      ->type_name("R")
      ->capture_default_str();
  options->integrator.add_to(app);
  options->shared.add_to(app);
  app.footer(
      "_hit is the state at the event, _end where the flow ends; t_linear is tau log(at/m0).\n"
      "outcome: learned, unlearned (M -> 0), trapped or searching. status: ok, no-event (the run\n"
      "ends without it), met-at-start, time-limit, step-limit, step-underflow, blow-up, undefined\n"
      "or no-convergence.\n\n"
      "Examples:\n"
      "  loradyn escape --student he3 --mu 0.1:0.9:81 --plot escape.svg -o escape.csv\n"
      "  loradyn escape --student erf --mu 0.5 --gamma 1 --dim 1000\n"
      "  loradyn escape --student erf --mu 0.5 --event risk --at 0.01");
  return [options](const invocation& call) { return run_escape(*options, call); };
}

}  // namespace loradyn::cli
