// loradyn escape: when the search ends, and where the run does.

#include <fmt/format.h>

#include <algorithm>
#include <loradyn/error.hpp>
#include <memory>
#include <string>
#include <variant>

#include "command.hpp"
#include "escape_cell.hpp"
#include "figures.hpp"
#include "flow_options.hpp"
#include "interruption.hpp"
#include "options.hpp"
#include "output.hpp"
#include "sweep.hpp"

namespace loradyn::cli {
namespace {

struct escape_options {
  shared_options shared;
  std::string mu;
  start_options start;
  event_options event;
  integrator_options integrator;
  law_options law;
};

escape_request read_request(const escape_options& options) {
  escape_request request;
  request.start = read_start(options.start);
  request.event = read_event(options.event);
  request.integrator = read_integrator(options.integrator, 1.0);
  if (!options.law.dimension.empty()) {
    request.dimension = read_dimension(options.law.dimension);
    request.quantiles = read_quantiles(options.law.quantiles);
    require_law_event(request.event);
  }
  return request;
}

int run_escape(escape_options options, const invocation& call) {
  read_start_file(options.start, options.shared, options.mu);
  const shared_options& shared = options.shared;
  const std::vector<activation_pair> pairs = read_pairs(shared);
  const parameter_grid grid = read_grid(shared, options.mu);
  const escape_request request = read_request(options);
  std::vector<extent> extents = extents_of(shared, options.mu, grid, pairs.size());
  require_table(extents, escape_columns(request).size());
  const std::vector<escape_problem> problems(pairs.begin(), pairs.end());
  outputs out(shared);

  const std::size_t per_pair = grid.size();
  const std::size_t total = pairs.size() * per_pair;
  constexpr std::size_t block = 4;
  std::vector<std::vector<cell>> rows = run_sweep(shared, total, block, [&](std::size_t i) {
    const escape_problem& problem = problems[i / per_pair];
    const lora_parameters p = grid.at(i % per_pair);
    return escape_row(problem, p, request, escape_at(problem, p, request));
  });
  const std::size_t finished = rows.size();
  const auto met_at_start = [](const std::vector<cell>& row) {
    return std::get<std::string>(row[escape_status_column]) == "met-at-start";
  };
  if (finished > 0 && std::all_of(rows.begin(), rows.end(), met_at_start)) {
    throw argument_error(
        fmt::format("--event {} --at {}", options.event.quantity, request.event.at),
        "met by the start", "an event that the start does not meet");
  }

  table t = make_table(call, shared, options.mu, escape_columns(request));
  append(t, describe(options.start));
  append(t, describe(options.event));
  append(t, describe(options.integrator));
  if (request.dimension) {
    append(t, describe(options.law));
  }
  t.rows = std::move(rows);
  const std::size_t written = out.write(t, escape_figure);
  if (written < total) {
    return report_interruption(written, total, call.command_line.c_str());
  }
  return exit_code_for(t);
}

}  // namespace

std::function<int(const invocation&)> setup_escape(CLI::App& app) {
  auto options = std::make_shared<escape_options>();
  app.add_option("--mu", options->mu, "pre-training alignment")->type_name("R");
  options->event.add_to(app, "m", "0.5 for m");
  options->start.add_to(app, "1e-6");
  options->law.add_to(app);
  options->integrator.max_steps = row_step_limit;
  options->integrator.add_to(app);
  options->shared.add_to(app);
  options->start.add_file_to(app);
  app.footer(
      "_hit is the state at the event, _end where the flow ends; t_linear is tau log(at/m0).\n"
      "outcome: learned, unlearned (M -> 0), trapped, diverging (|w|^2 grows beyond 1e6) or\n"
      "searching. status: ok, no-event (the run ends without it), met-at-start, time-limit,\n"
      "step-limit, step-underflow, blow-up, undefined or no-convergence; after t_hit it tells why\n"
      "the run was not followed to its rest.\n\n"
      "Examples:\n"
      "  loradyn escape --student he3 --mu 0.1:0.9:81 --plot escape.svg -o escape.csv\n"
      "  loradyn escape --student erf --mu 0.5 --gamma 1 --dim 1000\n"
      "  loradyn escape --student erf --mu 0.5 --event risk --at 0.01");
  return [options](const invocation& call) { return run_escape(*options, call); };
}

}  // namespace loradyn::cli
