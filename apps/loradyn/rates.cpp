// loradyn rates: the search phase, a row per (μ, ν).

#include <fmt/format.h>

#include <loradyn/figures/study_figures.hpp>
#include <loradyn/study/rates.hpp>
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
  study::rates_problem problem{read_pairs(shared), {}};
  require_mu(shared, "the alignments, such as --mu 0.03:0.99:193");
  std::vector<study::extent> extents;
  for (const study::parameter* p : {&study::registry::mu, &study::registry::nu}) {
    const std::string& text = shared.parameters[*p];
    problem.grid.axes.push_back({p, read_values(*p, text)});
    extents.push_back({"--" + std::string(p->name), text,
                       static_cast<double>(problem.grid.axes.back().values.size())});
  }
  extents.push_back({"--student", fmt::format("{} activations", problem.pairs.size()),
                     static_cast<double>(problem.pairs.size())});
  problem.grid.otherwise = read_parameters(shared);
  study::require_table(extents, sizeof(study::rates_row));
  outputs out(shared);

  study_run run(shared);
  const std::vector<study::rates_row> rows = study::rates(problem, run.control());
  const std::size_t total = problem.pairs.size() * problem.grid.size();
  const provenance meta = provenance_of(call, shared, {});
  const std::size_t written =
      out.write(meta, study::rates_columns(), rows, [&] { return rates_figure(meta, rows); });
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
  options.footer(
      "R is a number, a list 0.1,0.2,0.5, a range lo:hi:n, or log:lo:hi:n.\n\n"
      "Columns: student,teacher,mu,nu,A,B,C,lambda,tau,status; status is ok, imprecise (A is "
      "within\n"
      "its rounding error), diverges (no linear instability), frozen (--lr-ratio 0), undefined,\n"
      "overflow (|w0|^2 is beyond a number's range) or no-convergence.\n\n"
      "Of a network (docs/networks.md): "
      "student,teacher,mu,nu,mode,lambda,tau,pull,u_1,...,m_1,...,\n"
      "status, a row for each mode that grows.\n\n"
      "Examples:\n"
      "  loradyn rates --student erf,relu --mu 0.1:0.9:9\n"
      "  loradyn rates --student he3 --mu 0.03:0.99:193 --time-unit fisher --plot tau.svg -o "
      "tau.csv");
  return [shared, network](const invocation& call) {
    return network->given() ? run_network_rates(*network, *shared, call) : run_rates(*shared, call);
  };
}

}  // namespace loradyn::cli
