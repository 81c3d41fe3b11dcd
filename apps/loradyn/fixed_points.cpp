// loradyn fixed-points: the equilibria of the flow.

#include <fmt/format.h>

#include <loradyn/figures/network_figures.hpp>
#include <loradyn/figures/study_figures.hpp>
#include <loradyn/study/words.hpp>

#include "command.hpp"
#include "options.hpp"
#include "output.hpp"

namespace loradyn::cli {
namespace {

template <class Problem, class Columns, class Draw>
int write_rests(answer<Problem>& a, const question& words, const Columns& columns,
                const Draw& draw) {
  const Problem& problem = a.problem();
  const auto result = compute(
      words, [&](const auto& control) { return study::fixed_points(problem, control); }, "points",
      names_of(problem.pairs, problem.grid));
  a.write(columns, result.rows, draw);
  return a.code(result.rows, result.finished, problem.pairs.size() * problem.grid.size());
}

int run_fixed_points(const question& words, const invocation& call) {
  if (!asks_network(words)) {
    answer<study::fixed_points_problem> a(words, call);
    tell_methods(words, a.problem().pairs);
    return write_rests(a, words, study::fixed_point_columns(), fixed_points_figure);
  }
  answer<study::network_fixed_points_problem> a(words, call);
  return write_rests(a, words,
                     study::network_fixed_point_columns(study::shape_of(a.problem().layout)),
                     network_fixed_points_figure);
}

}  // namespace

std::function<int(const invocation&)> setup_fixed_points(option_list& list) {
  add_mu(list, "R");
  add_start(list, "1e-6, of the run that the figure shows");
  add_network(list);
  add_scratch_norm(list);
  list.text(
      "--starts",
      fmt::format("starts of Newton's method for a network (default: {})", study::standard_starts),
      "N");
  add_shared(list);
  list.footer(
      "A row for each equilibrium with u >= 0, by increasing risk, with its eigenvalues by "
      "decreasing real part. Columns: " +
      text_of_columns(study::fixed_point_columns()) + ". kind: " + text_of(study::kind_words()) +
      ". status: " + text_of(study::fixed_point_words()) +
      ". The row of u = 0 stands for the line of starts where nothing moves. The figure of one "
      "point is the phase plane (u, m); of more, M against mu.\n\n"
      "Of a network (docs/networks.md) what Newton's method finds from --starts random states, an "
      "orbit or a family by one row: " +
      text_of_columns(study::network_fixed_point_columns(study::sizes_of_a_help)) +
      "\n\n"
      "Examples:\n"
      "  loradyn fixed-points --student he3 --mu 0.2 --plot plane.svg\n"
      "  loradyn fixed-points --student he3 --mu 0.05:0.95:91 -o equilibria.csv");
  return running(list, run_fixed_points);
}

}  // namespace loradyn::cli
