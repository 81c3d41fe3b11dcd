// loradyn validate: ODE (or map), law and simulation side by side, with a verdict per row.

#include <algorithm>
#include <array>
#include <loradyn/figures/study_figures.hpp>
#include <loradyn/study/words.hpp>

#include "command.hpp"
#include "message.hpp"
#include "options.hpp"
#include "output.hpp"

namespace loradyn::cli {
namespace {

// Writes what was compared and tells how it went.
template <class Problem>
int compare(const question& words, const invocation& call) {
  answer<Problem> a(words, call);
  const study::validation_result result = compute(
      words, [&](const auto& control) { return study::validate(a.problem(), control); }, "runs");
  if (words.says("verbose")) {
    tell_methods(words, pairs_of(words));
  }
  a.write(study::validation_columns(), result.rows,
          [](const auto&, const auto& rows) { return validate_figure(rows); });
  if (!result.complete) {
    return report_interruption(result.rows.size(), result.rows.size() + 1,
                               call.command_line.c_str());
  }
  const auto failed = std::count_if(result.rows.begin(), result.rows.end(),
                                    [](const auto& row) { return row.verdict == "fail"; });
  if (failed > 0) {
    say("{} of {} comparisons failed", failed, result.rows.size());
    return comparison_failed;
  }
  return done;
}

int run_validate(const question& words, const invocation& call) {
  return asks_network(words, false) ? compare<study::network_validation_problem>(words, call)
                                    : compare<study::validation_problem>(words, call);
}

}  // namespace

std::function<int(const invocation&)> setup_validate(option_list& list) {
  add_mu(list, "X");
  static constexpr std::array<option_text, 9> experiment{
      {{"--dim", "R", "dimensions"},
       {"--batch", "N", "samples in a step; the learning rate is gamma batch/d", "16"},
       {"--lr", "X", "a learning rate instead: the theory is its map,\nthe batch lr d/gamma"},
       {"--t-end", "X", "the time of the means (default: when the ODE meets the event)"},
       {"--points", "N", "times at which means are compared", "8"},
       {"--runs", "N", "runs from --m0 for the means", "400"},
       {"--law-runs", "N", "runs from a random start for the law (default: --runs)"},
       {"--alpha", "X", "chance that a right theory fails, over all rows", "0.01"},
       {"--engine", "chain|sgd", "what is simulated: chain or sgd", "chain"}}};
  add(list, experiment);
  add_start(list, "1e-6", "0.3");
  add_event(list, "m", "0.5 for m");
  add_network(list, false);
  add_network_start(list, false);
  add_shared(list);
  list.footer(
      "A row for each comparison: check is mean (a mean over runs against the theory plus c/d, the "
      "worst of the times), limit (what is left at 1/d -> 0), slope (of the deviation in d) or law "
      "(Kolmogorov-Smirnov's p-value of the escape times). Columns: " +
      text_of_columns(study::validation_columns()) + ". verdict: " +
      text_of(study::verdict_words()) + ". status: " + text_of(study::comparison_words()) +
      ", or why there is no law: " + text_of(study::law_words()) +
      ". The exit code is 1 where a row fails. Of a network (docs/networks.md) "
      "the quantities are U_1_1, M_1_2, m_1_2 and S_1_2, and V's rows start at --m0 from their "
      "targets.\n\n"
      "Examples:\n"
      "  loradyn validate --student erf --mu 0.5 --gamma 1 --dim 300,1000,3000\n"
      "  loradyn validate --student he3 --mu 0.5 --gamma 0.02 --dim 1000,4000 --lr 0.002");
  return running(list, run_validate);
}

}  // namespace loradyn::cli
