// loradyn trajectory: the overlaps and the risk in time, through one or more stages.

#include <fmt/format.h>

#include <array>
#include <cmath>
#include <loradyn/error.hpp>
#include <loradyn/figures/study_figures.hpp>
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
#include "stages.hpp"

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
study::record_times read_record(const std::string& text) {
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
  study::require_table(std::vector<study::extent>{{"--points", text, n, true}}, point);
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

// One stage with the parameters of the options.
void read_single_stage(const trajectory_options& options, const learning_task& task,
                       std::optional<double> end, training_protocol& protocol) {
  if (!end) {
    throw error("--t-end is missing: say how long the run is");
  }
  const study::parameter_grid grid = read_grid(options.shared);
  if (grid.size() != 1) {
    throw argument_error("--mu, --nu, --gamma, --noise, --lr-ratio",
                         fmt::format("{} combinations", grid.size()),
                         "one each, for a trajectory is one run");
  }
  const lora_parameters p = grid.at(0).parameters;
  protocol.alignment = p.alignment;
  protocol.misalignment = p.misalignment;
  protocol.stages.emplace_back(
      tuning_stage{task, p.noise_scale, p.label_noise, p.rate_ratio, end, std::nullopt});
}

// Those of a file, which say their own parameters.
void read_stages_of(const trajectory_options& options, const study::activation_pair& pair,
                    training_protocol& protocol) {
  const shared_options& shared = options.shared;
  protocol.stages = read_stages(options.stages, pair, 1.0 / pair.rate_unit);
  const bool pretrains = std::holds_alternative<pretraining_stage>(protocol.stages.front());
  for (const study::parameter* p : study::model_parameters) {
    const std::string& text = shared.parameters[*p];
    if (p != &registry::mu && p != &registry::nu && text != fmt::format("{}", *p->standard)) {
      throw argument_error(fmt::format("--{}", p->name), "'" + text + "'",
                           "left out: each stage says its own");
    }
  }
  if (pretrains && read_values(registry::nu, shared.nu()) != std::vector<double>{0.0}) {
    throw argument_error("--nu", "'" + shared.nu() + "'", "left out: the first stage pre-trains");
  }
  if (pretrains == !shared.mu().empty()) {
    throw argument_error(
        "--mu", pretrains ? "given" : "missing",
        pretrains ? "left out: the first stage pre-trains" : "given, for no stage pre-trains");
  }
  if (!pretrains) {
    protocol.alignment = read_value(registry::mu, shared.mu());
    protocol.misalignment = read_single_nu(shared, "one number, for a trajectory is one run");
  }
}

int run_network(const trajectory_options& options, const invocation& call) {
  for (const auto& [option, text] :
       {std::pair("--stages", &options.stages), {"--end-state", &options.end_state}}) {
    if (!text->empty()) {
      throw argument_error(option, "'" + *text + "'", "left out: it is one neuron's");
    }
  }
  training_protocol way;
  read_method(options, way);
  const bool by_map = way.method == tuning_method::map;
  return run_network_trajectory(options.network, options.shared, options.start, options.integrator,
                                {options.t_end, options.points, read_record(options.points),
                                 by_map ? std::optional(way.learning_rate) : std::nullopt},
                                call);
}

int run_trajectory(trajectory_options options, const invocation& call) {
  if (options.network.given()) {
    return run_network(options, call);
  }
  read_start_file(options.start, options.shared);
  const shared_options& shared = options.shared;
  const study::activation_pair pair =
      read_single_pair(shared, "one here, for a trajectory is one run");
  study::trajectory_problem problem;
  problem.rate_unit = pair.rate_unit;
  problem.protocol.start = read_start(options.start);
  read_method(options, problem.protocol);
  problem.integrator = read_integrator(options.integrator, 1.0 / pair.rate_unit);
  if (!options.t_end.empty()) {
    problem.end = read_positive("--t-end", options.t_end) / pair.rate_unit;
  }
  if (options.stages.empty()) {
    read_single_stage(options, pair.task(), problem.end, problem.protocol);
  } else {
    read_stages_of(options, pair, problem.protocol);
  }
  problem.record = read_record(options.points);
  problem.protocol.validate();
  outputs out(shared);

  const study::trajectory_result run = study::trajectory(problem);
  described own = describe(options.start);
  own += describe(options.integrator);
  own += {{"points", options.points}, {"method", options.method}};
  if (!options.learning_rate.empty()) {
    own += {{"lr", options.learning_rate}};
  }
  for (std::size_t i = 0; i < run.stages.size(); ++i) {
    const stage_summary& s = run.stages[i];
    own += {{fmt::format("stage {}", i + 1),
             fmt::format("t = {} to {}: {}", s.begin, s.end, to_string(s.status))}};
  }
  const provenance meta = provenance_of(call, shared, own);
  out.write(meta, study::trajectory_columns(), run.rows,
            [&] { return trajectory_figure(meta, run.rows); });
  if (run.complete && !options.end_state.empty()) {
    write_start_file(options.end_state, run.end, run.alignment, run.misalignment);
  }
  if (!run.complete && interruption() != 0) {
    say("interrupted in stage {}; the table holds what was reached. For all of it run: {}",
        run.stages.size(), call.command_line);
    return 128 + interruption();
  }
  if (!run.complete) {
    const stage_summary& last = run.stages.back();
    say("stage {} ended at t = {} with {}; the table holds what was reached", run.stages.size(),
        last.end, to_string(last.status));
    return computation_failed;
  }
  return done;
}

}  // namespace

std::function<int(const invocation&)> setup_trajectory(option_list& list) {
  auto options = std::make_shared<trajectory_options>();
  options->shared.add_mu_to(list, "X");
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
      "Columns: t,u,m,s,M,Q,risk,stage. The provenance says how each stage ended.\n"
      "Of a network (docs/networks.md): "
      "t,samples,risk,M_mean,U_1_1,...,M_1_1,...,m_1_1,...,S_1_1,...\n\n"
      "Examples:\n"
      "  loradyn trajectory --student erf --mu 0.5 --t-end 300 --plot run.svg -o run.csv\n"
      "  loradyn trajectory --student he3 --mu 0.5 --t-end 10 --method map --lr 0.01\n"
      "  loradyn trajectory --student erf --stages protocol.toml");
  return [options](const invocation& call) { return run_trajectory(*options, call); };
}

}  // namespace loradyn::cli
