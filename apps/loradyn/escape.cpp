// loradyn escape: when the search ends, and where the run does.

#include <fmt/format.h>

#include <algorithm>
#include <loradyn/error.hpp>
#include <loradyn/figures/study_figures.hpp>
#include <loradyn/study/escape.hpp>
#include <memory>

#include "command.hpp"
#include "interruption.hpp"
#include "network_commands.hpp"
#include "network_options.hpp"
#include "options.hpp"
#include "output.hpp"

namespace loradyn::cli {
namespace {

struct escape_options {
  shared_options shared;
  start_options start;
  event_options event;
  integrator_options integrator;
  law_options law;
  network_options network;
};

int run_escape(escape_options options, const invocation& call) {
  if (options.network.given()) {
    return run_network_escape(options.network, options.shared, options.start, options.event,
                              options.integrator, options.law, call);
  }
  read_start_file(options.start, options.shared);
  const shared_options& shared = options.shared;
  study::escape_problem problem{read_pairs(shared), read_grid(shared), {}};
  problem.grid.otherwise.start = read_start(options.start);
  problem.request.event = read_event(options.event);
  problem.request.integrator = read_integrator(options.integrator, 1.0);
  const bool has_law = !options.law.dimension.empty();
  if (has_law) {
    problem.grid.otherwise.dimension = read_value(study::registry::dim, options.law.dimension);
    problem.request.quantiles = read_quantiles(options.law.quantiles);
    study::require_law_event(problem.request.event);
  }
  const auto columns = study::columns_of(problem);
  study::require_table(extents_of(shared, problem.grid, problem.pairs.size()),
                       static_cast<double>(sizeof(study::escape_row) +
                                           sizeof(double) * problem.request.quantiles.size()));
  outputs out(shared);

  study_run run(shared);
  const std::vector<study::escape_row> rows = study::escape(problem, run.control());
  if (!rows.empty() && std::all_of(rows.begin(), rows.end(), [](const study::escape_row& row) {
        return row.status == "met-at-start";
      })) {
    throw argument_error(
        fmt::format("--event {} --at {}", options.event.quantity, problem.request.event.at),
        "met by the start", "an event that the start does not meet");
  }

  described own = describe(options.start);
  own += describe(problem.request.event);
  own += describe(options.integrator);
  if (has_law) {
    own += describe(options.law);
  }
  const provenance meta = provenance_of(call, shared, own);
  const std::size_t total = problem.pairs.size() * problem.grid.size();
  const std::size_t written =
      out.write(meta, columns, rows, [&] { return escape_figure(meta, rows); });
  return written < total ? report_interruption(written, total, call.command_line.c_str())
                         : exit_code_for(rows);
}

}  // namespace

std::function<int(const invocation&)> setup_escape(option_list& list) {
  auto options = std::make_shared<escape_options>();
  options->shared.add_mu_to(list, "R");
  options->event.add_to(list, "m", "0.5 for m");
  options->start.add_to(list, "1e-6");
  options->law.add_to(list);
  options->network.add_to(list);
  options->network.add_start_to(list, false);
  options->integrator.max_steps = study::row_step_limit;
  options->integrator.add_to(list);
  options->shared.add_to(list);
  options->start.add_file_to(list);
  list.footer(
      "_hit is the state at the event, _end where the flow ends; t_linear is tau log(at/m0).\n"
      "outcome: learned, unlearned (M -> 0), trapped, diverging (|w|^2 grows beyond 1e6) or\n"
      "searching. status: ok, no-event (the run ends without it), met-at-start, time-limit,\n"
      "step-limit, step-underflow, blow-up, undefined or no-convergence; after t_hit it tells why\n"
      "the run was not followed to its rest.\n\n"
      "Of a network (docs/networks.md) --event may be source-risk or an entry, U_1_1, M_1_2, "
      "m_1_2,\n"
      "S_1_2; the columns are tau,t_hit,samples_hit,outcome,status and the matrices at the end.\n\n"
      "Examples:\n"
      "  loradyn escape --student he3 --mu 0.1:0.9:81 --plot escape.svg -o escape.csv\n"
      "  loradyn escape --student erf --mu 0.5 --gamma 1 --dim 1000\n"
      "  loradyn escape --student erf --mu 0.5 --event risk --at 0.01");
  return [options](const invocation& call) { return run_escape(*options, call); };
}

}  // namespace loradyn::cli
