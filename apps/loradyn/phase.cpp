// loradyn phase: a diagram over two parameters, with everything that escape computes in each cell.

#include "phase.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <loradyn/error.hpp>
#include <memory>

#include "command.hpp"
#include "figures.hpp"
#include "flow_options.hpp"
#include "interruption.hpp"
#include "output.hpp"
#include "sweep.hpp"

namespace loradyn::cli {
namespace {

struct phase_options {
  shared_options shared;
  std::string x;
  std::string y;
  std::string mu;
  std::string show = "t";
  std::string dimension;
  std::string quantiles = "0.05,0.25,0.5,0.75,0.95";
  start_options start;
  event_options event;
  integrator_options integrator;
};

described describe(const phase_options& options) {
  described parameters = describe(options.shared, options.mu);
  const auto add = [&parameters](const described& more) {
    parameters.insert(parameters.end(), more.begin(), more.end());
  };
  add(describe(options.start));
  add(describe(options.event));
  add(describe(options.integrator));
  add({{"dim", options.dimension.empty() ? "none" : options.dimension},
       {"quantiles", options.quantiles},
       {"x", options.x},
       {"y", options.y},
       {"show", options.show}});
  return parameters;
}

phase_grid read_phase(const phase_options& options, const described& parameters) {
  if (options.shared.students.size() != 1 ||
      options.shared.students.front().find(',') != std::string::npos) {
    throw options.shared.students.empty()
        ? error("--student is missing: name an activation, such as --student erf")
        : argument_error("--student", "a list", "one activation, for a diagram has one");
  }
  if (options.show != "t" && options.show != "tau" && options.show != "risk" &&
      options.show != "outcome") {
    throw argument_error("--show", "'" + options.show + "'", "t, tau, risk or outcome");
  }
  read_unit(options.shared);
  return {setting_of_parameters(parameters), options.x, options.y};
}

int run_phase(const phase_options& options, const invocation& call) {
  const shared_options& shared = options.shared;
  const described parameters = describe(options);
  const phase_grid grid = read_phase(options, parameters);
  outputs out(shared);

  constexpr std::size_t block = 256;
  table t = make_table(call, shared, options.mu, grid.columns());
  t.meta.parameters = parameters;
  t.rows = run_sweep<std::vector<cell>>(shared, grid.cells(), block,
                                        [&](std::size_t i) { return grid.row(i); });
  out.write(t, [](const table& finished) { return phase_figure(finished, ""); });
  if (t.rows.size() < grid.cells()) {
    return report_interruption(t.rows.size(), grid.cells(), call.command_line.c_str());
  }
  return exit_code_for(t);
}

}  // namespace

std::function<int(const invocation&)> setup_phase(CLI::App& app) {
  auto options = std::make_shared<phase_options>();
  app.add_option("--x", options->x, "the horizontal parameter and its values")
      ->type_name("PARAM=R");
  app.add_option("--y", options->y, "the vertical one")->type_name("PARAM=R");
  app.add_option("--mu", options->mu, "pre-training alignment, where it is on no axis")
      ->type_name("X");
  app.add_option("--show", options->show, "what the colours of the figure tell")
      ->type_name("t|tau|risk|outcome")
      ->capture_default_str();
  options->event.add_to(app, "m", "0.5 for m");
  options->start.add_to(app, "1e-6");
  app.add_option("--dim", options->dimension, "the law over random starts in this dimension")
      ->type_name("D");
  app.add_option("--quantiles", options->quantiles, "of that law")
      ->type_name("R")
      ->capture_default_str();
  options->integrator.add_to(app);
  options->shared.add_to(app);
  app.footer(
      "PARAM is mu, nu, gamma, noise, lr-ratio, m0, dim, or one in braces in an activation. A row "
      "per\n"
      "cell, x fastest, with the columns of escape. The figure has the outcomes outlined and "
      "named,\n"
      "and the lines A = 0 where the search time diverges.\n\n"
      "Examples:\n"
      "  loradyn phase --student 'he3+{a}*he5' --x mu=0.05:0.95:64 --y a=-0.5:0.5:64 \\\n"
      "    -o map.csv --plot map.svg\n"
      "  loradyn phase --student erf --x mu=0.1:0.9:33 --y gamma=log:0.1:10:33 --noise 0.1");
  return [options](const invocation& call) { return run_phase(*options, call); };
}

}  // namespace loradyn::cli
