// loradyn budget: pre-train for a while on a source, then fine-tune; what does it cost?

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <loradyn/error.hpp>
#include <loradyn/figures/study_figures.hpp>
#include <loradyn/study/budget.hpp>
#include <loradyn/study/escape.hpp>
#include <loradyn/sweep/range.hpp>
#include <memory>

#include "command.hpp"
#include "interruption.hpp"
#include "message.hpp"
#include "options.hpp"
#include "output.hpp"

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
  const double value = parse_number(option, text);
  if (value < 0.0) {
    throw argument_error(option, "'" + text + "'", ">= 0");
  }
  return value;
}

training_budget read_budget(const budget_options& options, const study::activation_pair& pair) {
  const activation source =
      options.source.empty() ? pair.risk.teacher() : read_activation("--source", options.source);
  const lora_parameters p = read_parameters(options.shared).parameters;
  training_budget budget{.source = learning_task(pair.risk.student(), source),
                         .target = pair.task(),
                         .pretraining = {},
                         .weight_at_start = {},
                         .noise_scale = p.noise_scale,
                         .label_noise = p.label_noise,
                         .rate_ratio = p.rate_ratio,
                         .start = read_start(options.start),
                         .event = {}};
  budget.pretraining.source_overlap = parse_number("--rho", options.rho);
  if (!(std::abs(budget.pretraining.source_overlap) <= 1.0)) {
    throw argument_error("--rho", "'" + options.rho + "'", "between -1 and 1");
  }
  budget.pretraining.noise_scale = read_non_negative("--pre-gamma", options.pre_gamma);
  budget.pretraining.label_noise = read_non_negative("--pre-noise", options.pre_noise);
  const double a0 = parse_number("--a0", options.a0);
  const double q0 = options.q0.empty() ? a0 * a0 : parse_number("--q0", options.q0);
  if (!(q0 >= a0 * a0)) {
    throw argument_error("--q0", "'" + options.q0 + "'", "at least the square of --a0");
  }
  budget.weight_at_start = {a0, q0 - a0 * a0};
  budget.event = options.event.quantity == "risk" && options.event.at.empty()
                     ? study::standard_budget_event(pair.risk, p.label_noise)
                     : read_event(options.event);
  return budget;
}

int run_budget(budget_options options, const invocation& call) {
  shared_options& shared = options.shared;
  const study::activation_pair pair =
      read_single_pair(shared, "one here, for the table has no column for it");
  if (read_values(study::registry::nu, shared.nu()) != std::vector<double>{0.0}) {
    throw argument_error("--nu", "'" + shared.nu() + "'", "left out: pre-training decides it");
  }
  const double unit = pair.rate_unit;
  study::budget_problem problem{read_budget(options, pair), {}, {}, unit};
  if (options.t_pre.empty()) {
    throw error("--t-pre is missing: give the pre-training times, such as --t-pre 0:20:81");
  }
  problem.times = parse_range("--t-pre", options.t_pre);
  std::sort(problem.times.begin(), problem.times.end());
  const auto total = problem.times.size();
  study::require_table(
      std::vector<study::extent>{{"--t-pre", options.t_pre, static_cast<double>(total)}},
      sizeof(study::budget_row) + sizeof(budget_point));
  for (const double t : problem.times) {
    if (t < 0.0) {
      throw argument_error("--t-pre", "'" + options.t_pre + "'", ">= 0");
    }
  }
  problem.integrator = read_integrator(options.integrator, 1.0 / unit);
  outputs out(shared);

  const auto name = [&](std::uint64_t i) {
    return fmt::format("t-pre = {:.6g}", problem.times[static_cast<std::size_t>(i)]);
  };
  const study::budget_result result = study_run(
      shared, "points", name)([&](const auto& control) { return study::budget(problem, control); });
  tell_methods(shared, {pair});
  tell_work(shared, result.work);
  const auto& best = result.best;
  described own;
  add_given(own, "source", text_parameter(options.source));
  own += {{"rho", options.rho}, {"a0", options.a0}};
  add_given(own, "q0", options.q0);
  own += {{"pre-gamma", options.pre_gamma}, {"pre-noise", options.pre_noise}};
  own += describe(options.start);
  own += describe(problem.budget.event);
  own += describe(options.integrator);
  if (best) {
    own += {{"best t_pre", fmt::format("{}", best->t_pre)},
            {"best t_total", fmt::format("{}", best->t_total)}};
  }
  const provenance meta = provenance_of(call, shared, own);
  out.write(meta, study::budget_columns(), result.rows,
            [&] { return budget_figure(meta, result.rows); });
  if (interruption() != 0) {
    return report_interruption(result.rows.size(), total, call.command_line.c_str());
  }
  if (best && !shared.quiet) {
    say("the least total cost is {} at t_pre = {}", best->t_total, best->t_pre);
  }
  return exit_code_for(result.rows);
}

}  // namespace

std::function<int(const invocation&)> setup_budget(option_list& list) {
  auto options = std::make_shared<budget_options>();
  list.text("--source", options->source,
            "what pre-training learns (default: the teacher's activation)", "NAME");
  list.text("--rho", options->rho, "overlap of the source's weight with the target's", "X");
  list.text("--t-pre", options->t_pre, "pre-training times", "R");
  list.text("--a0", options->a0, "overlap of w0 with the source's weight at the start", "X");
  list.text("--q0", options->q0, "|w0|^2 at the start (default: a0^2)", "X");
  list.text("--pre-gamma", options->pre_gamma, "SGD noise scale of pre-training", "X");
  list.text("--pre-noise", options->pre_noise, "variance of the source labels' noise", "X");
  options->event.add_to(list, "risk",
                        "for risk: noise/2 and a tenth of E[g^2]/2, the\nrisk of a student that is "
                        "zero without noise; 0.5 for m");
  options->start.add_to(list, "1e-6");
  options->integrator.max_steps = study::row_step_limit;
  options->integrator.add_to(list);
  options->shared.add_to(list);
  list.footer(
      "Columns: t_pre,mu,nu,tau,t_finetune,t_total,outcome,status. The provenance holds the best\n"
      "t_pre, found between the rows about the cheapest one.\n\n"
      "Examples:\n"
      "  loradyn budget --student erf --rho 0.9 --t-pre 0:40:81 --plot budget.svg -o budget.csv\n"
      "  loradyn budget --student he3 --source he3 --rho 0.7 --a0 0.3 --t-pre log:0.01:10:61");
  return [options](const invocation& call) { return run_budget(*options, call); };
}

}  // namespace loradyn::cli
