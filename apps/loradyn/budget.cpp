// loradyn budget: pre-train for a while on a source, then fine-tune; what does it cost?

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <loradyn/analysis/budget.hpp>
#include <loradyn/error.hpp>
#include <loradyn/sweep/range.hpp>
#include <memory>
#include <optional>

#include "command.hpp"
#include "figures.hpp"
#include "flow_options.hpp"
#include "interruption.hpp"
#include "message.hpp"
#include "options.hpp"
#include "output.hpp"
#include "sweep.hpp"

namespace loradyn::cli {
namespace {

struct budget_options {
  shared_options shared;
  std::string source;
  std::string rho = "1";
  std::string t_pre;
  std::string a0 = "0.03";
  std::string q0;
  std::string pre_gamma = "0";
  std::string pre_noise = "0";
  start_options start;
  event_options event;
  integrator_options integrator;
};

double read_non_negative(const char* option, const std::string& text) {
  const double value = read_number(option, text);
  if (value < 0.0) {
    throw argument_error(option, "'" + text + "'", ">= 0");
  }
  return value;
}

training_budget read_budget(const budget_options& options, const activation_pair& pair) {
  const activation source =
      options.source.empty() ? pair.risk.teacher() : read_activation("--source", options.source);
  const lora_parameters p = read_parameters(options.shared);
  training_budget budget{.source = learning_task(pair.risk.student(), source),
                         .target = task_of(pair),
                         .pretraining = {},
                         .weight_at_start = {},
                         .noise_scale = p.noise_scale,
                         .label_noise = p.label_noise,
                         .rate_ratio = p.rate_ratio,
                         .start = read_start(options.start),
                         .event = {}};
  budget.pretraining.source_overlap = read_number("--rho", options.rho);
  if (!(std::abs(budget.pretraining.source_overlap) <= 1.0)) {
    throw argument_error("--rho", "'" + options.rho + "'", "between -1 and 1");
  }
  budget.pretraining.noise_scale = read_non_negative("--pre-gamma", options.pre_gamma);
  budget.pretraining.label_noise = read_non_negative("--pre-noise", options.pre_noise);
  const double a0 = read_number("--a0", options.a0);
  const double q0 = options.q0.empty() ? a0 * a0 : read_number("--q0", options.q0);
  if (!(q0 >= a0 * a0)) {
    throw argument_error("--q0", "'" + options.q0 + "'", "at least the square of --a0");
  }
  budget.weight_at_start = {a0, q0 - a0 * a0};
  if (options.event.quantity == "risk" && options.event.at.empty()) {
    // A tenth of the risk of a student that is zero, both above what the labels' noise leaves.
    const population_risk& risk = pair.risk;
    const double power =
        pair_kernel(risk.teacher(), risk.teacher()).value(pair_covariance::diagonal(1.0));
    budget.event = {overlap_quantity::risk, 0.05 * power + 0.5 * p.label_noise, false};
  } else {
    budget.event = read_event(options.event);
  }
  return budget;
}

int run_budget(const budget_options& options, const invocation& call) {
  const shared_options& shared = options.shared;
  const activation_pair pair =
      read_single_pair(shared, "one here, for the table has no column for it");
  if (read_nu(shared) != std::vector<double>{0.0}) {
    throw argument_error("--nu", "'" + shared.nu + "'", "left out: pre-training decides it");
  }
  const double unit = pair.rate_unit;
  const training_budget budget = read_budget(options, pair);
  if (options.t_pre.empty()) {
    throw error("--t-pre is missing: give the pre-training times, such as --t-pre 0:20:81");
  }
  std::vector<double> times = parse_range("--t-pre", options.t_pre);
  constexpr std::size_t columns = 8;
  require_table(std::vector<extent>{{"--t-pre", options.t_pre, static_cast<double>(times.size())}},
                columns, sizeof(budget_point));
  for (double& t : times) {
    if (t < 0.0) {
      throw argument_error("--t-pre", "'" + options.t_pre + "'", ">= 0");
    }
    t /= unit;
  }
  std::sort(times.begin(), times.end());
  const integration_options integrator = read_integrator(options.integrator, 1.0 / unit);
  const outcome_classifier classifier(budget.target);
  outputs out(shared);

  constexpr std::size_t block = 1;
  constexpr double nan = std::numeric_limits<double>::quiet_NaN();
  std::vector<char> failed(times.size(), 0);
  const auto points = run_sweep(shared, times.size(), block, [&](std::size_t i) {
    try {
      return cost_of_pretraining(budget, times[i], integrator, classifier);
    } catch (const error&) {  // the budget was checked before
      failed[i] = 1;
      budget_point p;
      p.t_pre = times[i];
      p.alignment = p.misalignment = p.tau = p.t_finetune = p.t_total = nan;
      return p;
    }
  });

  table t = make_table(call, shared, "from pre-training",
                       {"t_pre", "mu", "nu", "tau", "t_finetune", "t_total", "outcome", "status"});
  append(t, {{"source", options.source.empty() ? "as the teacher" : options.source},
             {"rho", options.rho},
             {"a0", options.a0},
             {"q0", options.q0.empty() ? "a0^2" : options.q0},
             {"pre-gamma", options.pre_gamma},
             {"pre-noise", options.pre_noise}});
  append(t, describe(options.start));
  append(t, {{"event", std::string(to_string(budget.event.quantity)) +
                           (budget.event.is_signed ? " signed" : "")},
             {"at", fmt::format("{}", budget.event.at)}});
  append(t, describe(options.integrator));
  std::optional<budget_point> best;
  try {
    best = least_cost(budget, points, integrator, classifier);
  } catch (const interrupted&) {
    // The table holds the rows that there are.
  } catch (const error&) {
    // There is none that can be told; the points are kept.
  }
  append(t, {{"best t_pre", best ? fmt::format("{}", best->t_pre * unit) : "none"},
             {"best t_total", best ? fmt::format("{}", best->t_total * unit) : "nan"}});
  for (std::size_t i = 0; i < points.size(); ++i) {
    const budget_point& p = points[i];
    std::string status(to_string(p.status));
    if (failed[i] != 0) {
      status = "no-convergence";
    } else if (status == "ok" && std::isnan(p.t_finetune)) {
      status = "no-event";
    }
    t.rows.push_back({p.t_pre * unit, p.alignment, p.misalignment, p.tau * unit,
                      p.t_finetune * unit, p.t_total * unit, std::string(to_string(p.result)),
                      status});
  }
  out.write(t, budget_figure);
  if (interruption() != 0) {
    return report_interruption(points.size(), times.size(), call.command_line.c_str());
  }
  if (best && !shared.quiet) {
    say("the least total cost is {} at t_pre = {}", best->t_total * unit, best->t_pre * unit);
  }
  return exit_code_for(t);
}

}  // namespace

std::function<int(const invocation&)> setup_budget(CLI::App& app) {
  auto options = std::make_shared<budget_options>();
  app.add_option("--source", options->source,
                 "what pre-training learns (default: the teacher's activation)")
      ->type_name("NAME");
  app.add_option("--rho", options->rho, "overlap of the source's weight with the target's")
      ->type_name("X")
      ->capture_default_str();
  app.add_option("--t-pre", options->t_pre, "pre-training times")->type_name("R");
  app.add_option("--a0", options->a0, "overlap of w0 with the source's weight at the start")
      ->type_name("X")
      ->capture_default_str();
  app.add_option("--q0", options->q0, "|w0|^2 at the start (default: a0^2)")->type_name("X");
  app.add_option("--pre-gamma", options->pre_gamma, "SGD noise scale of pre-training")
      ->type_name("X")
      ->capture_default_str();
  app.add_option("--pre-noise", options->pre_noise, "variance of the source labels' noise")
      ->type_name("X")
      ->capture_default_str();
  options->event.add_to(app, "risk",
                        "for risk: noise/2 and a tenth of E[g^2]/2, the\nrisk of a student that is "
                        "zero without noise; 0.5 for m");
  options->start.add_to(app, "1e-6");
  options->integrator.max_steps = row_step_limit;
  options->integrator.add_to(app);
  options->shared.add_to(app);
  app.footer(
      "Columns: t_pre,mu,nu,tau,t_finetune,t_total,outcome,status. The provenance holds the best\n"
      "t_pre, found between the rows about the cheapest one.\n\n"
      "Examples:\n"
      "  loradyn budget --student erf --rho 0.9 --t-pre 0:40:81 --plot budget.svg -o budget.csv\n"
      "  loradyn budget --student he3 --source he3 --rho 0.7 --a0 0.3 --t-pre log:0.01:10:61");
  return [options](const invocation& call) { return run_budget(*options, call); };
}

}  // namespace loradyn::cli
