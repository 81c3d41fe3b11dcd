// loradyn rates: the search phase, a row per pair, κ, ν and μ.

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

int run_rates(const shared_options& shared, const invocation& call) {
  const auto asked = read_question<study::rates_problem>(question(describe(shared)));
  const study::rates_problem& problem = asked.problem;
  outputs out(shared);

  const std::vector<study::rates_row> rows =
      study_run(shared)([&](const auto& control) { return study::rates(problem, control); });
  tell_methods(shared, problem.pairs);
  const std::size_t total = problem.pairs.size() * problem.grid.size();
  const provenance meta = provenance_of(call, asked.said);
  const std::size_t written =
      out.write(meta, study::rates_columns(problem.grid.told(study::rates_parameters)), rows,
                [&] { return rates_figure(meta, rows); });
  return written < total ? report_interruption(written, total, call.command_line.c_str())
                         : exit_code_for(rows);
}

}  // namespace

std::function<int(const invocation&)> setup_rates(option_list& options) {
  auto shared = std::make_shared<shared_options>();
  auto network = std::make_shared<network_options>();
  shared->add_mu_to(options, "R");
  network->add_to(options);
  shared->add_to(options);
  options.idle("--gamma");
  options.idle("--noise");
  options.footer(
      "R is a number, a list 0.1,0.2,0.5, a range lo:hi:n, or log:lo:hi:n.\n\n"
      "Columns: student,teacher,mu,nu, lr_ratio where it has several values, "
      "A,B,C,lambda,tau,status;\n"
      "status is ok, imprecise (A is within its rounding error), diverges (no linear\n"
      "instability), frozen (--lr-ratio 0), undefined, overflow (|w0|^2 is beyond a number's "
      "range) or\n"
      "no-convergence.\n\n"
      "Of a network (docs/networks.md): "
      "student,teacher,mu,nu,mode,lambda,tau,pull,u_1,...,m_1,...,\n"
      "status, a row for each mode that grows.\n\n"
      "Examples:\n"
      "  loradyn rates --student erf,relu --mu 0.1:0.9:9\n"
      "  loradyn rates --student relu --teacher relu,erf --mu 0.1:0.9:9 --lr-ratio 0.1,1,10\n"
      "  loradyn rates --student he3 --mu 0.03:0.99:193 --time-unit fisher --plot tau.svg -o "
      "tau.csv");
  return [shared, network](const invocation& call) {
    return network->given() ? run_network_rates(*network, *shared, call) : run_rates(*shared, call);
  };
}

}  // namespace loradyn::cli
