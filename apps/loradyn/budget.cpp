// loradyn budget: pre-train for a while on a source, then fine-tune; what does it cost?

#include <fmt/format.h>

#include <array>
#include <loradyn/figures/study_figures.hpp>
#include <loradyn/study/words.hpp>

#include "command.hpp"
#include "message.hpp"
#include "options.hpp"
#include "output.hpp"

namespace loradyn::cli {
namespace {

int run_budget(const question& words, const invocation& call) {
  answer<study::budget_problem> a(words, call);
  const study::budget_problem& problem = a.problem();
  const study::budget_result result = compute(
      words, [&](const auto& control) { return study::budget(problem, control); }, "points",
      [&](std::uint64_t i) {
        return fmt::format("t-pre = {:.6g}", problem.times[static_cast<std::size_t>(i)]);
      });
  tell_methods(words, {{problem.budget.target.risk, problem.rate_unit}});
  tell_work(words, result.work);
  const auto& best = result.best;
  if (best) {
    a.tell({{"best t_pre", fmt::format("{}", best->t_pre)},
            {"best t_total", fmt::format("{}", best->t_total)}});
  }
  a.write(study::budget_columns(), result.rows, budget_figure);
  if (interruption() != 0) {
    return report_interruption(result.rows.size(), problem.times.size(), call.command_line.c_str());
  }
  if (best && !words.says("quiet")) {
    say("the least total cost is {} at t_pre = {}", best->t_total, best->t_pre);
  }
  return exit_code_for(result.rows);
}

}  // namespace

std::function<int(const invocation&)> setup_budget(option_list& list) {
  static constexpr std::array<option_text, 7> pretraining{
      {{"--source", "NAME", "what pre-training learns (default: the teacher's activation)"},
       {"--rho", "X", "overlap of the source's weight with the target's", "1"},
       {"--t-pre", "R", "pre-training times"},
       {"--a0", "X", "overlap of w0 with the source's weight at the start", "0.03"},
       {"--q0", "X", "|w0|^2 at the start (default: a0^2)"},
       {"--pre-gamma", "X", "SGD noise scale of pre-training", "0"},
       {"--pre-noise", "X", "variance of the source labels' noise", "0"}}};
  add(list, pretraining);
  add_event(list, "risk",
            "for risk: noise/2 and a tenth of E[g^2]/2, the\nrisk of a student that is "
            "zero without noise; 0.5 for m");
  add_start(list, "1e-6");
  add_integrator(list, study::row_step_limit);
  add_shared(list);
  list.footer(
      "Columns: " + text_of_columns(study::budget_columns()) + ". outcome: " +
      text_of(study::outcome_words()) + ". status: " + text_of(study::budget_words()) +
      ". The provenance holds the best t_pre, found between the rows about the cheapest one.\n\n"
      "Examples:\n"
      "  loradyn budget --student erf --rho 0.9 --t-pre 0:40:81 --plot budget.svg -o budget.csv\n"
      "  loradyn budget --student he3 --source he3 --rho 0.7 --a0 0.3 --t-pre log:0.01:10:61");
  return running(list, run_budget);
}

}  // namespace loradyn::cli
