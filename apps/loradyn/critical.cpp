// loradyn critical: every root of A on an interval.

#include <fmt/format.h>

#include <loradyn/figures/study_figures.hpp>
#include <loradyn/report/question.hpp>
#include <memory>

#include "command.hpp"
#include "interruption.hpp"
#include "network_commands.hpp"
#include "network_options.hpp"
#include "options.hpp"
#include "output.hpp"

namespace loradyn::cli {
namespace {

int run_critical(const shared_options& shared, const invocation& call) {
  auto asked = read_question<study::critical_problem>(question(describe(shared)));
  const study::critical_problem& problem = asked.problem;
  outputs out(shared);

  const study::critical_result result = study_run(shared, "pairs", names_of(problem.pairs, {}))(
      [&](const auto& control) { return study::critical(problem, control); });
  tell_methods(shared, problem.pairs);
  for (const auto& piece : result.unresolved) {
    asked.said.emplace_back("unresolved", fmt::format("{}|{} on {}:{}", piece.student,
                                                      piece.teacher, piece.lo, piece.hi));
  }
  const provenance meta = provenance_of(call, asked.said);
  out.write(meta, study::critical_columns(), result.rows,
            [&] { return critical_figure(meta, result.rows); });
  return result.finished < problem.pairs.size()
             ? report_interruption(result.finished, problem.pairs.size(), call.command_line.c_str())
             : exit_code_for(result.rows);
}

}  // namespace

std::function<int(const invocation&)> setup_critical(option_list& options) {
  auto shared = std::make_shared<shared_options>();
  auto network = std::make_shared<network_options>();
  shared->parameters[study::registry::mu] = "0:1";
  shared->add_mu_to(options, "LO:HI");
  network->add_to(options);
  shared->add_to(options);
  options.idle("--gamma");
  options.idle("--noise");
  options.footer(
      "--mu is an interval, its ends left out.\n\n"
      "Columns: student,teacher,mu_c,B,slope,status; slope is A'(mu_c); status is diverges (B < 0: "
      "tau\n"
      "goes to infinity there), finite (B > 0 or nu > 0: it does not), marginal (B = 0), touches "
      "(A\n"
      "is zero at its corner and keeps its sign), possible-double-root (a smooth A comes to zero\n"
      "within rounding and keeps its sign) or no-convergence (mu_c is nan: A can't be followed on "
      "a\n"
      "piece of the interval, which the lines above the table name). A student without a root has\n"
      "no row.\n\n"
      "Of a network (docs/networks.md): "
      "student,teacher,mu_c,modes,B,slope,lambda,u_1,...,m_1,...,\n"
      "status, a row for each mode that loses its drive there.\n\n"
      "Examples:\n"
      "  loradyn critical --student he3,he10\n"
      "  loradyn critical --student tanh --teacher relu --mu -1:1.5");
  return [shared, network](const invocation& call) {
    return network->given() ? run_network_critical(*network, *shared, call)
                            : run_critical(*shared, call);
  };
}

}  // namespace loradyn::cli
