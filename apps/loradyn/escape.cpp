// loradyn escape: when the search ends, and where the run does.

#include <fmt/format.h>

#include <algorithm>
#include <loradyn/error.hpp>
#include <loradyn/figures/study_figures.hpp>
#include <loradyn/report/question.hpp>
#include <loradyn/study/tolerance.hpp>
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

// How the rows were made, and how much the time of the one that took most depends on the tolerance.
void tell_making(const shared_options& shared, const study::escape_problem& problem,
                 const std::vector<study::escape_row>& rows) {
  if (!shared.verbose || rows.empty()) {
    return;
  }
  tell_methods(shared, problem.pairs);
  const study::tolerance_check check = study::check_tolerance(problem, rows);
  tell_error(shared, check,
             fmt::format("t_hit of {}, which took {} right-hand sides,",
                         names_of(problem.pairs, problem.grid)(check.which),
                         rows[check.which].work.velocities));
}

int run_escape(escape_options options, const invocation& call) {
  if (options.network.given_with(options.start)) {
    return run_network_escape(options.network, options.shared, options.start, options.event,
                              options.integrator, options.law, call);
  }
  const shared_options& shared = options.shared;
  question words = words_of({describe(shared), describe(options.start), words_of(options.event),
                             describe(options.integrator)});
  words.say("start", text_parameter(options.start.file));
  if (!options.law.dimension.empty()) {
    words.say("dim", options.law.dimension);
    words.say("quantiles", options.law.quantiles);
  }
  const auto asked = read_question<study::escape_problem>(words);
  const study::escape_problem& problem = asked.problem;
  const auto columns = study::columns_of(problem);
  outputs out(shared);

  const std::vector<study::escape_row> rows =
      study_run(shared, "points", names_of(problem.pairs, problem.grid))(
          [&](const auto& control) { return study::escape(problem, control); });
  if (!rows.empty() && std::all_of(rows.begin(), rows.end(), [](const study::escape_row& row) {
        return row.status == "met-at-start";
      })) {
    throw argument_error(
        fmt::format("--event {} --at {}", options.event.quantity,
                    options.event.at.empty() ? fmt::format("{}", problem.request.event.at)
                                             : options.event.at),
        "met by the start", "an event that the start does not meet");
  }

  tell_making(shared, problem, rows);
  const provenance meta = provenance_of(call, asked.said);
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
  options->event.add_to(list, "m", "0.5 for m", "R");
  options->start.add_to(list, "1e-6");
  options->law.add_to(list, "R");
  list.needs("--quantiles", {"--dim"});
  options->network.add_to(list);
  options->network.add_start_to(list, false);
  options->integrator.max_steps = study::row_step_limit;
  options->integrator.add_to(list);
  options->shared.add_to(list);
  options->start.add_file_to(list);
  list.footer(
      "A row for each value of every R; columns: student,teacher,mu,nu,gamma,noise,lr_ratio, dim "
      "and\n"
      "at where they have several, tau,t_hit,t_linear,u_hit,m_hit,s_hit,u_end,m_end,s_end,M_end,\n"
      "risk_end,rate_end,outcome,status, and with --dim t_mean, the quantiles, law and samples.\n"
      "_hit is the state at the event, _end where the flow ends; t_linear is tau log(at/m0),\n"
      "rate_end the rate at which the run comes to its rest, samples the number t_hit d/gamma.\n"
      "outcome: learned, unlearned (M -> 0), trapped, diverging (|w|^2 grows beyond 1e6), cycling\n"
      "(a closed orbit) or searching. status: ok, no-event (the run ends without it), "
      "met-at-start, time-limit,\n"
      "step-limit, step-underflow, blow-up, undefined or no-convergence; after t_hit it tells why\n"
      "the run was not followed to its rest.\n\n"
      "Of a network (docs/networks.md) --event may be source-risk or an entry, U_1_1, M_1_2, "
      "m_1_2,\n"
      "S_1_2; the columns are tau,t_hit,samples_hit,outcome,status and the matrices at the end.\n\n"
      "Examples:\n"
      "  loradyn escape --student he3 --mu 0.1:0.9:81 --plot escape.svg -o escape.csv\n"
      "  loradyn escape --student erf --mu 0.1:0.9:81 --at 0.1,0.5,0.9 --plot levels.svg -o "
      "levels.csv\n"
      "  loradyn escape --student erf --mu 0.5 --gamma 1 --dim log:100:10000:9\n"
      "  loradyn escape --student erf --mu 0.5 --event risk --at 0.01");
  return [options](const invocation& call) { return run_escape(*options, call); };
}

}  // namespace loradyn::cli
