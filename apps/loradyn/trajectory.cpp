// loradyn trajectory: the overlaps and the risk in time, through one or more stages.

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <loradyn/error.hpp>
#include <loradyn/figures/study_figures.hpp>
#include <loradyn/report/stages_file.hpp>
#include <loradyn/report/start_file.hpp>
#include <loradyn/study/trajectory.hpp>
#include <loradyn/sweep/range.hpp>
#include <memory>

#include "command.hpp"
#include "interruption.hpp"
#include "message.hpp"
#include "network_commands.hpp"
#include "network_options.hpp"
#include "options.hpp"
#include "output.hpp"

namespace loradyn::cli {
namespace {

namespace registry = study::registry;

struct trajectory_options {
  shared_options shared;
  start_options start;
  integrator_options integrator;
  std::string t_end;
  std::string points = "201";
  std::string stages;
  std::string method = "flow";
  std::string learning_rate;
  std::string end_state;
  network_options network;
};

// n or log:n times up to the end, or a range or list.
study::record_times read_record(const std::string& text, std::vector<study::extent> runs) {
  study::record_times record;
  record.logarithmic = text.starts_with("log:");
  const std::string number = record.logarithmic ? text.substr(4) : text;
  if (number.find_first_of(":,") != std::string::npos) {
    record.times = parse_range("--points", text);
    return record;
  }
  const double n = parse_number("--points", number);
  if (!(n >= 2.0 && n <= static_cast<double>(max_range_size) && n == std::floor(n))) {
    throw argument_error("--points", "'" + text + "'",
                         fmt::format("a number from 2 to {}, log: before it or not, or a range of "
                                     "times",
                                     max_range_size));
  }
  // The run's points grow by doubling: old and new ones stand beside each other.
  constexpr double point =
      2 * sizeof(double) + 3 * sizeof(training_point) + sizeof(study::trajectory_row);
  runs.insert(runs.begin(), {"--points", text, n, true});
  study::require_table(runs, point);
  record.count = static_cast<std::size_t>(n);
  return record;
}

void read_method(const trajectory_options& options, training_protocol& protocol) {
  const std::string& rate = options.learning_rate;
  if (options.method == "map") {
    protocol.method = tuning_method::map;
    if (rate.empty()) {
      throw error("--lr is missing: the map needs a learning rate");
    }
    protocol.learning_rate = read_positive("--lr", rate);
  } else if (options.method != "flow") {
    throw argument_error("--method", "'" + options.method + "'", "flow or map");
  } else if (!rate.empty()) {
    throw argument_error("--lr", "'" + rate + "'", "left out, or given with --method map");
  }
}

// The stages of a file, and what the runs differ in: each stage says its own parameters, and the
// first may pre-train.
study::parameter_grid read_stages_of(const trajectory_options& options,
                                     const study::activation_pair& pair,
                                     training_protocol& protocol) {
  const shared_options& shared = options.shared;
  protocol.stages = read_stages(options.stages, pair, 1.0 / pair.rate_unit);
  const bool pretrains = std::holds_alternative<pretraining_stage>(protocol.stages.front());
  require_stages_parameters(shared);
  if (pretrains && read_values(registry::nu, shared.nu()) != std::vector<double>{0.0}) {
    throw argument_error("--nu", "'" + shared.nu() + "'", "left out: the first stage pre-trains");
  }
  if (pretrains == !shared.mu().empty()) {
    throw argument_error(
        "--mu", pretrains ? "given" : "missing",
        pretrains ? "left out: the first stage pre-trains" : "given, for no stage pre-trains");
  }
  static constexpr std::array swept{&registry::mu, &registry::nu};
  return pretrains ? study::parameter_grid() : read_grid(shared, swept);
}

// A problem for each run.
std::vector<study::trajectory_problem> problems_of(const trajectory_options& options,
                                                   const study::activation_pair& pair,
                                                   study::trajectory_problem problem,
                                                   const study::parameter_grid& grid) {
  std::vector<study::trajectory_problem> problems;
  for (std::size_t i = 0; i < grid.size(); ++i) {
    const lora_parameters p = grid.at(i).parameters;
    problem.protocol.alignment = p.alignment;
    problem.protocol.misalignment = p.misalignment;
    if (options.stages.empty()) {
      problem.protocol.stages = {tuning_stage{pair.task(), p.noise_scale, p.label_noise,
                                              p.rate_ratio, problem.end, std::nullopt}};
    }
    problem.protocol.validate();
    problems.push_back(problem);
  }
  return problems;
}

// How the stages of the runs ended.
described stages_of(const study::parameter_grid& grid,
                    const std::vector<study::trajectory_result>& runs) {
  described own;
  for (std::size_t run = 0; run < runs.size(); ++run) {
    std::string where;
    for (const study::parameter* p : grid.told({})) {
      where +=
          fmt::format("{}{} = {}", where.empty() ? " at " : ", ", p->name, *p->get(grid.at(run)));
    }
    for (std::size_t i = 0; i < runs[run].stages.size(); ++i) {
      const stage_summary& s = runs[run].stages[i];
      own += {{fmt::format("stage {}{}", i + 1, where),
               fmt::format("t = {} to {}: {}", s.begin, s.end, to_string(s.status))}};
    }
  }
  return own;
}

// How the runs were made, and how much the end of the one that took most depends on the tolerance.
void tell_making(const shared_options& shared, const std::vector<study::activation_pair>& pairs,
                 const std::vector<study::trajectory_problem>& problems,
                 const std::vector<study::trajectory_result>& runs) {
  if (!shared.verbose || runs.empty()) {
    return;
  }
  tell_methods(shared, pairs);
  integration_work work;
  std::size_t most = 0;
  for (std::size_t i = 0; i < runs.size(); ++i) {
    work += runs[i].work;
    most = runs[i].work.velocities > runs[most].work.velocities ? i : most;
  }
  tell_work(shared, work);
  if (problems[most].protocol.method == tuning_method::map || runs[most].rows.empty()) {
    return;
  }
  study::trajectory_problem finer = problems[most];
  finer.integrator.relative_tolerance = std::max(1e-13, 0.1 * finer.integrator.relative_tolerance);
  tell_error(shared, fmt::format("m at t = {} of the run that took most", runs[most].rows.back().t),
             runs[most].rows.back().x.m, study::trajectory(finer).rows.back().x.m);
}

int run_network(const trajectory_options& options, const invocation& call) {
  training_protocol way;
  read_method(options, way);
  const bool by_map = way.method == tuning_method::map;
  return run_network_trajectory(
      options.network, options.shared, options.start, options.integrator,
      {options.t_end, options.points, read_record(options.points, {}),
       by_map ? std::optional(way.learning_rate) : std::nullopt, options.stages, options.end_state},
      call);
}

int run_trajectory(trajectory_options options, const invocation& call) {
  if (options.network.given_with(options.start)) {
    return run_network(options, call);
  }
  apply_start_file(options.start, options.shared);
  const shared_options& shared = options.shared;
  const study::activation_pair pair =
      read_single_pair(shared, "one here, for the table has no column for it");
  study::trajectory_problem problem;
  problem.rate_unit = pair.rate_unit;
  problem.protocol.start = read_start(options.start);
  read_method(options, problem.protocol);
  problem.integrator = read_integrator(options.integrator, 1.0 / pair.rate_unit);
  if (!options.t_end.empty()) {
    problem.end = read_positive("--t-end", options.t_end) / pair.rate_unit;
  } else if (options.stages.empty()) {
    throw error("--t-end is missing: say how long the run is");
  }
  const study::parameter_grid grid =
      options.stages.empty() ? read_grid(shared) : read_stages_of(options, pair, problem.protocol);
  if (grid.size() > 1 && !options.end_state.empty()) {
    throw argument_error("--end-state", "'" + options.end_state + "'",
                         "left out: several runs have several ends");
  }
  problem.record = read_record(options.points, extents_of(shared, grid, 1));
  const std::vector<study::trajectory_problem> problems =
      problems_of(options, pair, std::move(problem), grid);
  outputs out(shared);

  const std::vector<study::trajectory_result> runs =
      study_run(shared, "runs", names_of({pair}, grid))(
          [&](const auto& control) { return study::trajectories(problems, control); });
  tell_making(shared, {pair}, problems, runs);
  described own = describe(options.start);
  own += describe(options.integrator);
  own += {{"points", options.points}, {"method", options.method}};
  add_given(own, "lr", options.learning_rate);
  own += stages_of(grid, runs);
  const provenance meta = provenance_of(call, shared, own);
  if (grid.size() == 1) {
    const std::vector<study::trajectory_row> rows =
        runs.empty() ? std::vector<study::trajectory_row>() : runs.front().rows;
    out.write(meta, study::trajectory_columns(), rows,
              [&] { return trajectory_figure(meta, rows); });
  } else {
    std::vector<study::family_row> rows;
    for (std::size_t i = 0; i < runs.size(); ++i) {
      for (const study::trajectory_row& row : runs[i].rows) {
        rows.push_back({{pair, grid.at(i)}, row});
      }
    }
    out.write(meta, study::family_columns(grid.told({})), rows,
              [&] { return family_figure(meta, rows); });
  }
  const auto cut = std::find_if(runs.begin(), runs.end(),
                                [](const study::trajectory_result& run) { return !run.complete; });
  if (cut == runs.end() && runs.size() == grid.size()) {
    if (!options.end_state.empty()) {
      write_start_file(options.end_state,
                       {runs.front().alignment, runs.front().misalignment, runs.front().end});
    }
    return done;
  }
  if (interruption() != 0) {
    if (grid.size() > 1) {
      return report_interruption(static_cast<std::size_t>(cut - runs.begin()), grid.size(),
                                 call.command_line.c_str());
    }
    say("interrupted in stage {}; the table holds what was reached. For all of it run: {}",
        runs.empty() ? 1 : runs.front().stages.size(), call.command_line);
    return 128 + interruption();
  }
  const stage_summary& last = cut->stages.back();
  say("stage {} ended at t = {} with {}; the table holds what was reached", cut->stages.size(),
      last.end, to_string(last.status));
  return computation_failed;
}

}  // namespace

std::function<int(const invocation&)> setup_trajectory(option_list& list) {
  auto options = std::make_shared<trajectory_options>();
  options->shared.add_mu_to(list, "R");
  list.text("--t-end", options->t_end, "the end of the run", "X");
  list.text("--points", options->points,
            "record this many times, log:N spaced logarithmically, or these times", "N|log:N|R");
  options->start.add_to(list, "1e-6");
  list.text("--stages", options->stages, "a TOML file of stages", "FILE");
  list.text("--method", options->method, "the flow, or the map of a finite learning rate",
            "flow|map");
  list.text("--lr", options->learning_rate, "learning rate of the map", "X");
  options->integrator.add_to(list);
  options->network.add_to(list);
  options->network.add_start_to(list, true);
  list.text("--end-state", options->end_state, "where the run ends, for --start of another command",
            "FILE");
  options->shared.add_to(list);
  options->start.add_file_to(list);
  list.footer(
      "Columns: t,u,m,s,M,Q,risk,stage, behind those of the parameters that have several values: a "
      "run\n"
      "each. The provenance says how each stage ended.\n"
      "Of a network (docs/networks.md): "
      "t,samples,risk,M_mean,U_1_1,...,M_1_1,...,m_1_1,...,S_1_1,...,stage\n\n"
      "Examples:\n"
      "  loradyn trajectory --student erf --mu 0.5 --t-end 300 --plot run.svg -o run.csv\n"
      "  loradyn trajectory --student erf --mu 0.1:0.9:9 --t-end 300 --plot family.svg -o "
      "family.csv\n"
      "  loradyn trajectory --student he3 --mu 0.5 --t-end 10 --method map --lr 0.01\n"
      "  loradyn trajectory --student erf --stages protocol.toml");
  return [options](const invocation& call) { return run_trajectory(*options, call); };
}

}  // namespace loradyn::cli
