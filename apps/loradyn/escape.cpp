// loradyn escape: when the search ends, and where the run does.

#include <fmt/format.h>

#include <algorithm>
#include <loradyn/error.hpp>
#include <loradyn/figures/network_figures.hpp>
#include <loradyn/figures/study_figures.hpp>
#include <loradyn/study/tolerance.hpp>
#include <loradyn/study/words.hpp>

#include "command.hpp"
#include "options.hpp"
#include "output.hpp"

namespace loradyn::cli {
namespace {

// Refuses an event that every start meets, and tells how the rows were made, and how much the time
// of the one that took most depends on the tolerance.
void look_at(const question& words, const study::escape_problem& problem,
             const std::vector<study::escape_row>& rows) {
  if (!rows.empty() && std::all_of(rows.begin(), rows.end(),
                                   [](const auto& row) { return row.status == "met-at-start"; })) {
    const std::string at = words.text("at");
    throw argument_error(fmt::format("--event {} --at {}", words.text("event"),
                                     at.empty() ? fmt::format("{}", problem.request.event.at) : at),
                         "met by the start", "an event that the start does not meet");
  }
  if (!words.says("verbose") || rows.empty()) {
    return;
  }
  tell_methods(words, problem.pairs);
  const study::tolerance_check check = study::check_tolerance(problem, rows);
  tell_error(words, check,
             fmt::format("t_hit of {}, which took {} right-hand sides,",
                         names_of(problem.pairs, problem.grid)(check.which),
                         rows[check.which].work.velocities));
}
// A network's table says which starts meet the event.
void look_at(const question&, const study::network_escape_problem&,
             const std::vector<study::network_escape_row>&) {}

template <class Problem, class Columns, class Draw>
int write_escapes(answer<Problem>& a, const question& words, const Columns& columns,
                  const Draw& draw) {
  const Problem& problem = a.problem();
  const auto rows = compute(
      words, [&](const auto& control) { return study::escape(problem, control); }, "points",
      names_of(problem.pairs, problem.grid));
  look_at(words, problem, rows);
  const std::size_t written = a.write(columns, rows, draw);
  return a.code(rows, written, problem.pairs.size() * problem.grid.size());
}

int run_escape(const question& words, const invocation& call) {
  if (!asks_network(words)) {
    answer<study::escape_problem> a(words, call);
    return write_escapes(a, words, study::columns_of(a.problem()), escape_figure);
  }
  answer<study::network_escape_problem> a(words, call);
  return write_escapes(
      a, words,
      study::network_escape_columns(study::shape_of(a.problem().layout), a.problem().quantiles),
      network_escape_figure);
}

}  // namespace

std::function<int(const invocation&)> setup_escape(option_list& list) {
  add_mu(list, "R");
  add_event(list, "m", "0.5 for m", "R");
  add_start(list, "1e-6");
  add_law(list, "R");
  list.needs("--quantiles", {"--dim"});
  add_network(list);
  add_network_start(list, false);
  add_integrator(list, study::row_step_limit);
  add_shared(list);
  add_start_file(list);
  list.footer(
      "A row for each value of every R; columns: " + text_of_columns(study::escape_columns({})) +
      ", dim and at behind lr_ratio where they have several, and with --dim t_mean, the quantiles, "
      "law and samples at the end. _hit is the state at the event, _end where the flow ends; "
      "t_linear is tau log(at/m0), rate_end the rate at which the run comes to its rest, samples "
      "the number t_hit d/gamma. outcome: " +
      text_of(study::outcome_words()) + ". status: " + text_of(study::escape_words()) +
      "; after t_hit it tells why the run was not followed to its rest. law: " +
      text_of(study::law_words()) +
      ".\n\nOf a network (docs/networks.md) --event may be source-risk or an entry, U_1_1, M_1_2, "
      "m_1_2, S_1_2; the columns are " +
      text_of_columns(study::network_escape_columns(study::sizes_of_a_help, {})) +
      ", the state at the end.\n\n"
      "Examples:\n"
      "  loradyn escape --student he3 --mu 0.1:0.9:81 --plot escape.svg -o escape.csv\n"
      "  loradyn escape --student erf --mu 0.1:0.9:81 --at 0.1,0.5,0.9 --plot levels.svg -o "
      "levels.csv\n"
      "  loradyn escape --student erf --mu 0.5 --gamma 1 --dim log:100:10000:9\n"
      "  loradyn escape --student erf --mu 0.5 --event risk --at 0.01");
  return running(list, run_escape);
}

}  // namespace loradyn::cli
