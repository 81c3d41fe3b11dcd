// loradyn trajectory: the overlaps and the risk in time, through one or more stages.

#include <fmt/format.h>

#include <algorithm>
#include <loradyn/error.hpp>
#include <loradyn/figures/study_figures.hpp>
#include <loradyn/report/question.hpp>
#include <loradyn/report/start_file.hpp>
#include <loradyn/study/tolerance.hpp>
#include <loradyn/study/trajectory.hpp>
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

// What the options say.
question question_from(const trajectory_options& o) {
  question words = words_of({describe(o.shared), describe(o.start), describe(o.integrator)});
  words.say("start", text_parameter(o.start.file));
  words.say("stages", text_parameter(o.stages));
  for (const auto& [name, text] : {std::pair("t-end", &o.t_end),
                                   {"points", &o.points},
                                   {"method", &o.method},
                                   {"lr", &o.learning_rate}}) {
    words.say(name, *text);
  }
  return words;
}

// How the runs were made, and how much the end of the one that took most depends on the tolerance.
void tell_making(const shared_options& shared, const std::vector<study::activation_pair>& pairs,
                 const std::vector<study::trajectory_problem>& problems,
                 const std::vector<study::trajectory_result>& runs) {
  if (!shared.verbose || runs.empty()) {
    return;
  }
  tell_methods(shared, pairs);
  const study::tolerance_check check = study::check_tolerance(problems, runs);
  const auto& rows = runs[check.which].rows;
  tell_error(
      shared, check,
      rows.empty() ? "" : fmt::format("m at t = {} of the run that took most", rows.back().t));
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

int run_network(const trajectory_options& options, const invocation& call) {
  training_protocol way;
  read_method(options, way);
  const bool by_map = way.method == tuning_method::map;
  return run_network_trajectory(
      options.network, options.shared, options.start, options.integrator,
      {options.t_end, options.points, read_record(options.points),
       by_map ? std::optional(way.learning_rate) : std::nullopt, options.stages, options.end_state},
      call);
}

int run_trajectory(trajectory_options options, const invocation& call) {
  if (options.network.given_with(options.start)) {
    return run_network(options, call);
  }
  const shared_options& shared = options.shared;
  auto asked = read_question<study::trajectory_family>(question_from(options));
  const study::trajectory_family& family = asked.problem;
  const study::parameter_grid& grid = family.grid;
  if (grid.size() > 1 && !options.end_state.empty()) {
    throw argument_error("--end-state", "'" + options.end_state + "'",
                         "left out: several runs have several ends");
  }
  const std::vector<study::trajectory_problem> problems = study::problems_of(family);
  outputs out(shared);

  const std::vector<study::trajectory_result> runs =
      study_run(shared, "runs", names_of({family.pair}, grid))(
          [&](const auto& control) { return study::trajectories(problems, control); });
  tell_making(shared, {family.pair}, problems, runs);
  asked.said += study::words_of_stages(grid, runs);
  const provenance meta = provenance_of(call, asked.said);
  if (grid.size() == 1) {
    const std::vector<study::trajectory_row> rows =
        runs.empty() ? std::vector<study::trajectory_row>() : runs.front().rows;
    out.write(meta, study::trajectory_columns(), rows,
              [&] { return trajectory_figure(meta, rows); });
  } else {
    const std::vector<study::family_row> rows = study::rows_of(family, runs);
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
