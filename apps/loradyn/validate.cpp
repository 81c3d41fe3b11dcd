// loradyn validate: ODE (or map), law and simulation side by side, with a verdict per row.

#include <algorithm>
#include <loradyn/figures/study_figures.hpp>
#include <loradyn/report/question.hpp>
#include <memory>
#include <utility>

#include "command.hpp"
#include "interruption.hpp"
#include "message.hpp"
#include "network_options.hpp"
#include "options.hpp"
#include "output.hpp"

namespace loradyn::cli {
namespace {

struct validate_options {
  shared_options shared;
  std::string dimensions;
  std::string batch = "16";
  std::string learning_rate;
  std::string t_end;
  std::string points = "8";
  std::string runs = "400";
  std::string law_runs;
  std::string significance = "0.01";
  std::string engine = "chain";
  start_options start;
  event_options event;
  network_options network;
};

// What the options say.
question question_from(const validate_options& o) {
  question words =
      words_of({describe(o.shared), describe(o.start), words_of(o.event), describe(o.network)});
  for (const auto& [name, text] : {std::pair("dim", &o.dimensions),
                                   {"batch", &o.batch},
                                   {"lr", &o.learning_rate},
                                   {"t-end", &o.t_end},
                                   {"points", &o.points},
                                   {"runs", &o.runs},
                                   {"law-runs", &o.law_runs},
                                   {"alpha", &o.significance},
                                   {"engine", &o.engine}}) {
    words.say(name, *text);
  }
  return words;
}

// Writes what was compared and tells how it went.
template <class Problem>
int answer(const validate_options& options, const invocation& call) {
  const shared_options& shared = options.shared;
  const question words = question_from(options);
  const auto asked = read_question<Problem>(words);
  outputs out(shared);
  const study::validation_result result = study_run(
      shared, "runs")([&](const auto& control) { return study::validate(asked.problem, control); });

  tell_methods(shared, pairs_of(words));
  const provenance meta = provenance_of(call, asked.said);
  out.write(meta, study::validation_columns(), result.rows,
            [&] { return validate_figure(meta, result.rows); });
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

int run_validate(const validate_options& options, const invocation& call) {
  return options.network.given() ? answer<study::network_validation_problem>(options, call)
                                 : answer<study::validation_problem>(options, call);
}

}  // namespace

std::function<int(const invocation&)> setup_validate(option_list& list) {
  auto options = std::make_shared<validate_options>();
  options->start.texts[study::registry::m0] = "0.3";
  options->shared.add_mu_to(list, "X");
  list.text("--dim", options->dimensions, "dimensions", "R");
  list.text("--batch", options->batch, "samples in a step; the learning rate is gamma batch/d",
            "N");
  list.text("--lr", options->learning_rate,
            "a learning rate instead: the theory is its map,\nthe batch lr d/gamma", "X");
  list.text("--t-end", options->t_end,
            "the time of the means (default: when the ODE meets the event)", "X");
  list.text("--points", options->points, "times at which means are compared", "N");
  list.text("--runs", options->runs, "runs from --m0 for the means", "N");
  list.text("--law-runs", options->law_runs,
            "runs from a random start for the law (default: --runs)", "N");
  list.text("--alpha", options->significance, "chance that a right theory fails, over all rows",
            "X");
  list.text("--engine", options->engine, "what is simulated: chain or sgd", "chain|sgd");
  options->start.add_to(list, "1e-6");
  options->event.add_to(list, "m", "0.5 for m");
  options->network.add_to(list, false);
  options->network.add_start_to(list, false);
  options->shared.add_to(list);
  list.footer(
      "A row for each comparison: check is mean (a mean over runs against the theory plus c/d, "
      "the\n"
      "worst of the times), limit (what is left at 1/d -> 0), slope (of the deviation in d) or "
      "law\n"
      "(Kolmogorov-Smirnov's p-value of the escape times). verdict: pass, fail or untested, with\n"
      "the reason as status. The exit code is 1 where a row fails. Of a network "
      "(docs/networks.md) the\n"
      "quantities are U_1_1, M_1_2, m_1_2 and S_1_2, and V's rows start at --m0 from their "
      "targets.\n\n"
      "Examples:\n"
      "  loradyn validate --student erf --mu 0.5 --gamma 1 --dim 300,1000,3000\n"
      "  loradyn validate --student he3 --mu 0.5 --gamma 0.02 --dim 1000,4000 --lr 0.002");
  return [options](const invocation& call) { return run_validate(*options, call); };
}

}  // namespace loradyn::cli
