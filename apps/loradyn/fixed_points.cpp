// loradyn fixed-points: the equilibria of the flow.

#include <fmt/format.h>

#include <loradyn/figures/study_figures.hpp>
#include <loradyn/report/question.hpp>
#include <loradyn/study/network_fixed_points.hpp>
#include <memory>

#include "command.hpp"
#include "interruption.hpp"
#include "network_commands.hpp"
#include "network_options.hpp"
#include "options.hpp"
#include "output.hpp"

namespace loradyn::cli {
namespace {

struct fixed_points_options {
  shared_options shared;
  start_options start;
  network_options network;
  std::string starts;
};

int run_fixed_points(const fixed_points_options& options, const invocation& call) {
  const shared_options& shared = options.shared;
  const auto asked = read_question<study::fixed_points_problem>(
      words_of({describe(shared), describe(options.start)}));
  const study::fixed_points_problem& problem = asked.problem;
  outputs out(shared);

  const study::fixed_points_result result =
      study_run(shared, "points", names_of(problem.pairs, problem.grid))(
          [&](const auto& control) { return study::fixed_points(problem, control); });
  tell_methods(shared, problem.pairs);
  const provenance meta = provenance_of(call, asked.said);
  out.write(meta, study::fixed_point_columns(), result.rows,
            [&] { return fixed_points_figure(meta, result.rows); });
  const std::size_t total = problem.pairs.size() * problem.grid.size();
  return result.finished < total
             ? report_interruption(result.finished, total, call.command_line.c_str())
             : exit_code_for(result.rows);
}

}  // namespace

std::function<int(const invocation&)> setup_fixed_points(option_list& list) {
  auto options = std::make_shared<fixed_points_options>();
  options->shared.add_mu_to(list, "R");
  options->start.add_to(list, "1e-6, of the run that the figure shows");
  options->network.add_to(list);
  list.text("--scratch-norm", options->network.scratch_norm,
            "the norm of the weights that --train scratch starts from (default: 0.1)", "X");
  list.text(
      "--starts", options->starts,
      fmt::format("starts of Newton's method for a network (default: {})", study::standard_starts),
      "N");
  options->shared.add_to(list);
  list.footer(
      "A row for each equilibrium with u >= 0, by increasing risk, with its eigenvalues by\n"
      "decreasing real part; kind is sink, neutral, saddle or source. The row of u = 0 stands for\n"
      "the line of starts where nothing moves. The figure of one point is the phase plane (u, m);\n"
      "of more, M against mu.\n\n"
      "Of a network (docs/networks.md) what Newton's method finds from --starts random states, an\n"
      "orbit or a family by one row.\n\n"
      "Examples:\n"
      "  loradyn fixed-points --student he3 --mu 0.2 --plot plane.svg\n"
      "  loradyn fixed-points --student he3 --mu 0.05:0.95:91 -o equilibria.csv");
  return [options](const invocation& call) {
    const bool of_network = options->network.given() || !options->starts.empty();
    return of_network ? run_network_fixed_points(options->network, options->shared, options->start,
                                                 options->starts, call)
                      : run_fixed_points(*options, call);
  };
}

}  // namespace loradyn::cli
