// loradyn trajectory: the overlaps and the risk in time, through one or more stages.

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <loradyn/dynamics/protocol.hpp>
#include <loradyn/error.hpp>
#include <loradyn/sweep/range.hpp>
#include <memory>
#include <tuple>

#include "command.hpp"
#include "figures.hpp"
#include "flow_options.hpp"
#include "interruption.hpp"
#include "message.hpp"
#include "options.hpp"
#include "output.hpp"
#include "stages.hpp"

namespace loradyn::cli {
namespace {

struct trajectory_options {
  shared_options shared;
  std::string mu;
  start_options start;
  integrator_options integrator;
  std::string t_end;
  std::string points = "201";
  std::string stages;
  std::string method = "flow";
  std::string learning_rate;
  std::string end_state;
};

// The record times: n or log:n of them up to the end, or a range or list.
std::vector<double> read_times(const std::string& text, double end) {
  const bool logarithmic = text.starts_with("log:");
  const std::string number = logarithmic ? text.substr(4) : text;
  if (number.find_first_of(":,") != std::string::npos) {
    return parse_range("--points", text);
  }
  const double n = read_number("--points", number);
  if (!(n >= 2.0 && n <= static_cast<double>(max_range_size) && n == std::floor(n))) {
    throw argument_error("--points", "'" + text + "'",
                         fmt::format("a number from 2 to {}, log: before it or not, or a range of "
                                     "times",
                                     max_range_size));
  }
  constexpr std::size_t columns = 8;
  require_table(std::vector<extent>{{"--points", text, n, true}}, columns,
                sizeof(double) + sizeof(training_point));
  const auto count = static_cast<std::size_t>(n);
  constexpr double decades = 1e-4;  // of a logarithmic record, from this part of the end
  std::vector<double> times(count);
  for (std::size_t i = 0; i < count; ++i) {
    check_stop();
    const double part = static_cast<double>(i) / static_cast<double>(count - 1);
    times[i] =
        i + 1 == count ? end : (logarithmic ? end * std::pow(decades, 1.0 - part) : end * part);
  }
  return times;
}

int run_trajectory(trajectory_options options, const invocation& call) {
  read_start_file(options.start, options.shared, options.mu);
  const shared_options& shared = options.shared;
  const activation_pair pair = read_single_pair(shared, "one here, for a trajectory is one run");
  training_protocol protocol;
  protocol.start = read_start(options.start);
  if (options.method == "map") {
    protocol.method = tuning_method::map;
    if (options.learning_rate.empty()) {
      throw error("--lr is missing: the map needs a learning rate");
    }
    protocol.learning_rate = read_number("--lr", options.learning_rate);
    if (!(protocol.learning_rate > 0.0)) {
      throw argument_error("--lr", "'" + options.learning_rate + "'", "> 0");
    }
  } else if (options.method == "flow" && !options.learning_rate.empty()) {
    throw argument_error("--lr", "'" + options.learning_rate + "'",
                         "left out, or given with --method map");
  } else if (options.method != "flow") {
    throw argument_error("--method", "'" + options.method + "'", "flow or map");
  }
  const double unit = pair.rate_unit;
  const integration_options integrator = read_integrator(options.integrator, 1.0 / unit);
  std::optional<double> end;
  if (!options.t_end.empty()) {
    end = read_number("--t-end", options.t_end) / unit;
    if (!(*end > 0.0)) {
      throw argument_error("--t-end", "'" + options.t_end + "'", "> 0");
    }
  }
  const tuning_stage plain{task_of(pair), 0.0, 0.0, 1.0, end, std::nullopt};
  if (options.stages.empty()) {
    if (!end) {
      throw error("--t-end is missing: say how long the run is");
    }
    const parameter_grid grid = read_grid(shared, options.mu);
    if (grid.size() != 1) {
      throw argument_error("--mu, --nu, --gamma, --noise, --lr-ratio",
                           fmt::format("{} combinations", grid.size()),
                           "one each, for a trajectory is one run");
    }
    const lora_parameters p = grid.at(0);
    protocol.alignment = p.alignment;
    protocol.misalignment = p.misalignment;
    tuning_stage stage = plain;
    stage.noise_scale = p.noise_scale;
    stage.label_noise = p.label_noise;
    stage.rate_ratio = p.rate_ratio;
    protocol.stages.emplace_back(stage);
  } else {
    protocol.stages = read_stages(options.stages, pair, 1.0 / unit);
    const bool pretrains = std::holds_alternative<pretraining_stage>(protocol.stages.front());
    for (const auto& [option, value, otherwise] :
         {std::tuple("--gamma", &shared.gamma, "0"), std::tuple("--noise", &shared.noise, "0"),
          std::tuple("--lr-ratio", &shared.lr_ratio, "1")}) {
      if (*value != otherwise) {
        throw argument_error(option, "'" + *value + "'", "left out: each stage says its own");
      }
    }
    if (pretrains && read_nu(shared) != std::vector<double>{0.0}) {
      throw argument_error("--nu", "'" + shared.nu + "'", "left out: the first stage pre-trains");
    }
    if (pretrains == !options.mu.empty()) {
      throw argument_error(
          "--mu", pretrains ? "given" : "missing",
          pretrains ? "left out: the first stage pre-trains" : "given, for no stage pre-trains");
    }
    if (!pretrains) {
      protocol.alignment = read_number("--mu", options.mu);
      protocol.misalignment = read_single_nu(shared, "one number, for a trajectory is one run");
    }
  }
  protocol.validate();
  outputs out(shared);

  if (!end) {
    // The stages say how long the run is: run them once for that.
    const training_run run = run_protocol(protocol, {}, integrator);
    end = run.stages.back().end;
  }
  std::vector<double> times = read_times(options.points, *end * unit);
  // The end may be off by a rounding; what is beyond it is not recorded.
  std::erase_if(times, [&](double t) { return t / unit > *end * (1.0 + 1e-12); });
  for (double& t : times) {
    t = std::min(t / unit, *end);
  }
  const training_run run = run_protocol(protocol, times, integrator);

  table t = make_table(call, shared, options.mu, {"t", "u", "m", "s", "M", "Q", "risk", "stage"});
  append(t, describe(options.start));
  append(t, describe(options.integrator));
  append(t, {{"points", options.points}, {"method", options.method}});
  if (!options.learning_rate.empty()) {
    append(t, {{"lr", options.learning_rate}});
  }
  for (std::size_t i = 0; i < run.stages.size(); ++i) {
    const stage_summary& s = run.stages[i];
    append(t, {{fmt::format("stage {}", i + 1), fmt::format("t = {} to {}: {}", s.begin * unit,
                                                            s.end * unit, to_string(s.status))}});
  }
  for (const training_point& p : run.points) {
    t.rows.push_back(
        {p.t * unit, p.x.u, p.x.m, p.x.s, p.M, p.Q, p.risk, static_cast<std::int64_t>(p.stage)});
  }
  out.write(t, trajectory_figure);
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
        last.end * unit, to_string(last.status));
    return computation_failed;
  }
  return done;
}

}  // namespace

std::function<int(const invocation&)> setup_trajectory(CLI::App& app) {
  auto options = std::make_shared<trajectory_options>();
  app.add_option("--mu", options->mu, "pre-training alignment")->type_name("X");
  app.add_option("--t-end", options->t_end, "the end of the run")->type_name("X");
  app.add_option("--points", options->points,
                 "record this many times, log:N spaced logarithmically, or these times")
      ->type_name("N|log:N|R")
      ->capture_default_str();
  options->start.add_to(app, "1e-6");
  app.add_option("--stages", options->stages, "a TOML file of stages")->type_name("FILE");
  app.add_option("--method", options->method, "the flow, or the map of a finite learning rate")
      ->type_name("flow|map")
      ->capture_default_str();
  app.add_option("--lr", options->learning_rate, "learning rate of the map")->type_name("X");
  options->integrator.add_to(app);
  app.add_option("--end-state", options->end_state,
                 "where the run ends, for --start of another command")
      ->type_name("FILE");
  options->shared.add_to(app);
  options->start.add_file_to(app);
  app.footer(
      "Columns: t,u,m,s,M,Q,risk,stage. The provenance says how each stage ended.\n\n"
      "Examples:\n"
      "  loradyn trajectory --student erf --mu 0.5 --t-end 300 --plot run.svg -o run.csv\n"
      "  loradyn trajectory --student he3 --mu 0.5 --t-end 10 --method map --lr 0.01\n"
      "  loradyn trajectory --student erf --stages protocol.toml");
  return [options](const invocation& call) { return run_trajectory(*options, call); };
}

}  // namespace loradyn::cli
