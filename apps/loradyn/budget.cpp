// loradyn budget: pre-train for a while on a source, then fine-tune; what does it cost?

#include <fmt/format.h>

#include <loradyn/figures/study_figures.hpp>
#include <loradyn/report/question.hpp>
#include <loradyn/study/escape.hpp>
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

// What the options say.
question question_from(const budget_options& o) {
  question words =
      words_of({describe(o.shared), describe(o.start), words_of(o.event), describe(o.integrator)});
  words.say("source", text_parameter(o.source));
  for (const auto& [name, text] : {std::pair("t-pre", &o.t_pre),
                                   {"rho", &o.rho},
                                   {"a0", &o.a0},
                                   {"q0", &o.q0},
                                   {"pre-gamma", &o.pre_gamma},
                                   {"pre-noise", &o.pre_noise}}) {
    words.say(name, *text);
  }
  return words;
}

int run_budget(const budget_options& options, const invocation& call) {
  const shared_options& shared = options.shared;
  auto asked = read_question<study::budget_problem>(question_from(options));
  const study::budget_problem& problem = asked.problem;
  outputs out(shared);

  const auto name = [&](std::uint64_t i) {
    return fmt::format("t-pre = {:.6g}", problem.times[static_cast<std::size_t>(i)]);
  };
  const study::budget_result result = study_run(
      shared, "points", name)([&](const auto& control) { return study::budget(problem, control); });
  tell_methods(shared, {{problem.budget.target.risk, problem.rate_unit}});
  tell_work(shared, result.work);
  const auto& best = result.best;
  if (best) {
    asked.said += {{"best t_pre", fmt::format("{}", best->t_pre)},
                   {"best t_total", fmt::format("{}", best->t_total)}};
  }
  const provenance meta = provenance_of(call, asked.said);
  out.write(meta, study::budget_columns(), result.rows,
            [&] { return budget_figure(meta, result.rows); });
  if (interruption() != 0) {
    return report_interruption(result.rows.size(), problem.times.size(), call.command_line.c_str());
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
