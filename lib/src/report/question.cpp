// The questions of one neuron.

#include <fmt/format.h>

#include <cmath>
#include <limits>
#include <loradyn/activation/parse.hpp>
#include <loradyn/report/problem_text.hpp>
#include <loradyn/simulation/random.hpp>
#include <loradyn/simulation/statistics.hpp>
#include "report/file_words.hpp"
#include "report/network_words.hpp"
#include "report/question_io.hpp"
#include "report/question_templates.hpp"

namespace loradyn {
namespace {

namespace registry = study::registry;
using study::extent;

constexpr double infinity = std::numeric_limits<double>::infinity();
constexpr const char* one_here = "one here, for the table has no column for it";

double raw_unit(const study::activation_pair& pair) { return 1.0 / pair.rate_unit; }

// The pairs and the parameters' values.
template <class Io, class Problem>
void grid_members(Io& io, Problem& p, std::span<const study::parameter* const> swept) {
  if constexpr (Io::reads) {
    p.pairs = read_pairs(io);
    p.grid = read_grid(io, swept);
  } else {
    say_pairs(io, p.pairs);
    say_grid(io, p.grid);
  }
}

template <class Io, class State>
void start_members(Io& io, State& x) {
  if constexpr (Io::reads) {
    x = read_start(io);
  } else {
    say_start(io, x);
  }
}

template <class Io, class Event>
void event_members(Io& io, Event& event) {
  if constexpr (Io::reads) {
    event = read_event(io, "m");
  } else {
    say_event(io, event);
  }
}

}  // namespace

template <class Io, class Problem>
void members_of(Io& io, Problem& p, const study::rates_problem*) {
  static constexpr std::array swept{&registry::mu, &registry::nu, &registry::lr_ratio};
  grid_members(io, p, swept);
  if constexpr (Io::reads) {
    study::require_table(extents_of(io, p.grid, p.pairs.size()), sizeof(study::rates_row));
  }
}

template <class Io, class Problem>
void members_of(Io& io, Problem& p, const study::critical_problem*) {
  critical_members(io, p);
}

template <class Io, class Problem>
void members_of(Io& io, Problem& p, const study::escape_problem*) {
  if constexpr (Io::reads) {
    read_start_file_of(io);
  }
  grid_members(io, p, study::model_parameters);
  start_members(io, p.grid.otherwise.start);
  bool has_law = false;
  if constexpr (Io::reads) {
    has_law = io.says("dim");
    if (has_law) {
      p.grid.axes.push_back({&registry::dim, read_values(registry::dim, io.peek("dim"))});
    }
    p.request.event = read_events(io, p.grid);
  } else {
    say_event(io, p.request.event);
    for (const study::swept_parameter& axis : p.grid.axes) {
      has_law = has_law || axis.what == &registry::dim;
      if (axis.what == &registry::at) {
        io.member("at", axis.values, read_quantiles);
      }
    }
  }
  integrator_members(io, p.request.integrator, 1.0);
  if (has_law) {
    if constexpr (Io::reads) {
      io.take_in_order({"dim"});
    }
    io.member("quantiles", p.request.quantiles, read_quantiles);
  }
  if constexpr (Io::reads) {
    if (has_law) {
      study::require_law_event(p.request.event);
    }
    study::require_table(extents_of(io, p.grid, p.pairs.size()),
                         static_cast<double>(sizeof(study::escape_row) +
                                             sizeof(double) * p.request.quantiles.size()));
  }
}

template <class Io, class Problem>
void members_of(Io& io, Problem& p, const study::fixed_points_problem*) {
  grid_members(io, p, study::model_parameters);
  if constexpr (Io::reads) {
    for (const study::swept_parameter& axis : p.grid.axes) {
      if (axis.what == &registry::lr_ratio &&
          std::find(axis.values.begin(), axis.values.end(), 0.0) != axis.values.end()) {
        throw argument_error("--lr-ratio", "'" + io.peek("lr-ratio") + "'",
                             "> 0 here: with u frozen the equilibria are curves over u");
      }
    }
  }
  start_members(io, p.grid.otherwise.start);
  if constexpr (Io::reads) {
    constexpr double usual = 4.0;  // equilibria of a point
    study::require_table(extents_of(io, p.grid, p.pairs.size()),
                         usual * sizeof(study::fixed_point_row));
  }
}

namespace {

// The stages of a file, and what the runs differ in: each stage says its own parameters, and the
// first may pre-train.
study::parameter_grid read_stages_of(question_reader& io, const study::activation_pair& pair,
                                     training_protocol& protocol) {
  protocol.stages = read_stages(io.file("stages"), pair, raw_unit(pair));
  const bool pretrains = std::holds_alternative<pretraining_stage>(protocol.stages.front());
  refuse_parameters_of_stages(io);
  const std::string nu = io.peek("nu");
  if (pretrains && !nu.empty() && read_values(registry::nu, nu) != std::vector<double>{0.0}) {
    throw argument_error("--nu", "'" + nu + "'", "left out: the first stage pre-trains");
  }
  if (pretrains == io.says("mu")) {
    throw argument_error(
        "--mu", pretrains ? "given" : "missing",
        pretrains ? "left out: the first stage pre-trains" : "given, for no stage pre-trains");
  }
  static constexpr std::array swept{&registry::mu, &registry::nu};
  return pretrains ? study::parameter_grid() : read_grid(io, swept);
}

}  // namespace

template <class Io, class Problem>
void members_of(Io& io, Problem& p, const study::trajectory_family*) {
  auto& run = p.each;
  const double unit = p.pair.rate_unit;
  if constexpr (Io::reads) {
    run.rate_unit = unit;
    const bool has_stages = io.says("stages");
    p.grid = has_stages ? read_stages_of(io, p.pair, run.protocol)
                        : read_grid(io, study::model_parameters);
    io.member("t-end", run.end, [=](const std::string& option, const std::string& text) {
      return read_positive(option, text) / unit;
    });
    if (!run.end && !has_stages) {
      throw error("--t-end is missing: say how long the run is");
    }
  } else {
    say_pairs(io, {&p.pair, 1});
    const auto& stages = run.protocol.stages;
    if (!stages.empty()) {
      io.say("stages", text_of(stages, raw_unit(p.pair)));
    }
    if (stages.empty() || !std::holds_alternative<pretraining_stage>(stages.front())) {
      say_grid(io, p.grid);
    }
    io.say("t-end", run.end ? fmt::format("{}", *run.end * unit) : "");
  }
  start_members(io, run.protocol.start);
  integrator_members(io, run.integrator, raw_unit(p.pair));
  if constexpr (Io::reads) {
    run.record = read_record(io);
  } else {
    say_record(io, run.record);
  }
  method_members(io, run.protocol);
  if constexpr (Io::reads) {
    // The run's points grow by doubling: old and new ones stand beside each other.
    constexpr double point =
        2 * sizeof(double) + 3 * sizeof(training_point) + sizeof(study::trajectory_row);
    std::vector<extent> extents = extents_of(io, p.grid, 1);
    if (run.record.times.empty()) {
      extents.insert(extents.begin(), count_extent("--points", io.peek("points"),
                                                   static_cast<double>(run.record.count)));
      study::require_table(extents, point);
    }
  }
}

template <class Io, class Problem>
void members_of(Io& io, Problem& p, const study::budget_problem*) {
  auto& b = p.budget;
  auto& from = b.pretraining;
  if constexpr (Io::reads) {
    study::parameter_point at;
    read_point(io, at);
    if (read_single_nu(io, "left out: pre-training decides it") != 0.0) {
      throw argument_error("--nu", "'" + io.peek("nu") + "'", "left out: pre-training decides it");
    }
    b.noise_scale = at.parameters.noise_scale;
    b.label_noise = at.parameters.label_noise;
    b.rate_ratio = at.parameters.rate_ratio;
    if (const std::string source = io.text("source"); !source.empty()) {
      b.source = learning_task(b.target.risk.student(), read_activation("--source", source));
    }
    if (!io.says("t-pre")) {
      throw error("--t-pre is missing: give the pre-training times, such as --t-pre 0:20:81");
    }
  } else {
    say_pairs(io, std::array{study::activation_pair{b.target.risk, p.rate_unit}});
    study::parameter_point at;
    at.parameters.noise_scale = b.noise_scale;
    at.parameters.label_noise = b.label_noise;
    at.parameters.rate_ratio = b.rate_ratio;
    say_point(io, at, std::array{&registry::gamma, &registry::noise, &registry::lr_ratio});
    io.say_name("source", b.source.risk.teacher().name());
  }
  io.member("rho", from.source_overlap, read_overlap);
  auto& a0 = b.weight_at_start.a;
  io.member("a0", a0, read_number);
  if constexpr (Io::reads) {
    b.weight_at_start.gap = 0.0;
    io.member("q0", b.weight_at_start.gap, [=](const std::string& option, const std::string& text) {
      const double q0 = parse_number(option, text);
      if (!(q0 >= a0 * a0)) {
        throw argument_error(option, "'" + text + "'", "at least the square of --a0");
      }
      return q0 - a0 * a0;
    });
  } else if (b.weight_at_start.gap != 0.0) {
    io.say("q0", fmt::format("{}", b.weight_at_start.gap + a0 * a0));
  }
  io.member("pre-gamma", from.noise_scale, read_at_least_zero);
  io.member("pre-noise", from.label_noise, read_at_least_zero);
  start_members(io, b.start);
  if constexpr (Io::reads) {
    const bool is_risk = !io.says("event") || io.peek("event") == "risk";
    if (is_risk && !io.says("at")) {
      const overlap_event standard = study::standard_budget_event(b.target.risk, b.label_noise);
      io.replace("at", fmt::format("{}", standard.at));
    }
    b.event = read_event(io, "risk");
  } else {
    say_event(io, b.event);
  }
  integrator_members(io, p.integrator, 1.0 / p.rate_unit);
  io.member("t-pre", p.times, [](const std::string& option, const std::string& text) {
    std::vector<double> times = parse_range(option, text);
    std::sort(times.begin(), times.end());
    study::require_table(std::vector<extent>{{option, text, static_cast<double>(times.size())}},
                         sizeof(study::budget_row) + sizeof(budget_point));
    if (times.front() < 0.0) {
      throw argument_error(option, "'" + text + "'", ">= 0");
    }
    return times;
  });
}

namespace {

// Throws argument_error where the machine is too small, or the user's life too short.
void require_size(question_reader& io, const study::simulate_problem& p) {
  const bool by_event = !p.plan.events.empty();
  const extent runs = count_extent("--runs", io.peek("runs"), static_cast<double>(p.runs));
  // A run ends with its event: of one step is known that it is taken.
  const double steps = by_event ? 1.0 : static_cast<double>(p.problem.steps());
  const char* const by = io.says("stages") ? "--stages" : io.says("t-end") ? "--t-end" : "--steps";
  const std::string said = io.peek(by + 2);
  study::require_simulation(
      {runs,
       {by, said, steps, by == std::string_view("--steps")},
       count_extent("--batch", io.peek("batch"), static_cast<double>(p.problem.batch)),
       count_extent("--dim", io.peek("dim"), static_cast<double>(p.problem.dimension)),
       p.engine == simulation_engine::sgd});
  if (by_event) {
    study::require_affordable(
        std::vector<extent>{runs},
        {"runs", sizeof(run_result) + sizeof(event_hit) + sizeof(study::run_row), 0.0}, infinity);
    return;
  }
  const std::string text = io.says("points") ? io.peek("points") : "101";
  const extent points = count_extent("--points", text, static_cast<double>(read_record_size(text)));
  study::require_table(std::vector<extent>{points},
                       sizeof(recorded_summary) + sizeof(study::record_row));
  study::require_affordable(std::vector<extent>{runs, points},
                            {"recorded states", sizeof(simulated_state), 0.0}, infinity);
}

// The stages: one that the words say, or those of a file.
void read_simulated_stages(question_reader& io, const study::activation_pair& pair,
                           simulation_problem& p) {
  if (!io.says("stages")) {
    if (!io.says("lr")) {
      throw error("--lr is missing: give the learning rate, such as --lr 0.1");
    }
    simulation_stage& stage = p.stages.front();
    stage.learning_rate = read_positive("--lr", io.text("lr"));
    stage.steps = read_steps(io, stage.learning_rate, pair.rate_unit);
    return;
  }
  refuse_parameters_of_stages(io, &registry::gamma);
  p.stages = read_simulation_stages(io.file("stages"), pair, raw_unit(pair));
  tell_of_stages(io, p.stages.back().learning_rate, p.steps());
}

void read_simulated_problem(question_reader& io, const study::activation_pair& pair,
                            simulation_problem& p) {
  read_start_file_of(io);
  lora_parameters at;
  at.alignment = read_single_mu(io);
  study::parameter_point others;
  read_point(io, others);
  p.alignment = at.alignment;
  p.misalignment = read_single_nu(io, "one number here");
  p.stages.front().label_noise = others.parameters.label_noise;
  p.stages.front().rate_ratio = others.parameters.rate_ratio;
  constexpr std::uint64_t largest = std::uint64_t{1} << 53;
  const bool misaligned =
      p.misalignment > 0.0 || (io.says("s0") && parse_number("--s0", io.peek("s0")) != 0.0);
  for (const auto& [name, what] : {std::pair("dim", "the dimension, such as 1000"),
                                   {"batch", "the size of a batch, such as 64"}}) {
    if (!io.says(name)) {
      throw error(fmt::format("--{} is missing: give {}", name, what));
    }
  }
  io.member("dim", p.dimension, count_between(misaligned ? 4 : 3, largest));
  io.member("batch", p.batch, count_between(1, largest));
  io.tell("dim", std::to_string(p.dimension));
  io.tell("batch", std::to_string(p.batch));
  io.member("seed", p.seed, read_simulation_seed);
  read_simulated_stages(io, pair, p);
  tell_gamma(io, p.stages.back().learning_rate * static_cast<double>(p.dimension) /
                     static_cast<double>(p.batch));
}

}  // namespace

template <class Io, class Problem>
void members_of(Io& io, Problem& asked, const study::simulate_problem*) {
  auto& p = asked.problem;
  if constexpr (Io::reads) {
    read_simulated_problem(io, io.pair(), p);
  } else {
    const simulation_stage& stage = p.stages.front();
    const bool one_stage = p.stages.size() == 1 && !stage.flips && !stage.label;
    say_pairs(io, std::array{study::activation_pair{population_risk(p.student, stage.teacher),
                                                    asked.rate_unit}});
    study::parameter_point at;
    at.parameters.alignment = p.alignment;
    at.parameters.misalignment = p.misalignment;
    say_point(io, at, std::array{&registry::mu, &registry::nu});
    for (const auto& [name, count] :
         {std::pair("dim", p.dimension), {"batch", p.batch}, {"seed", p.seed}}) {
      io.say(name, std::to_string(count));
    }
    if (one_stage) {
      at.parameters.label_noise = stage.label_noise;
      at.parameters.rate_ratio = stage.rate_ratio;
      say_point(io, at, std::array{&registry::noise, &registry::lr_ratio});
      io.say("steps", std::to_string(p.steps()));
      io.say("lr", fmt::format("{}", stage.learning_rate));
    } else {
      io.say("stages", text_of(p.stages));
    }
  }
  io.member("runs", asked.runs, count_between(1, random_runs - 1));
  if constexpr (Io::reads) {
    io.tell("runs", std::to_string(asked.runs));
  }
  io.choice("engine", asked.engine, simulation_engines);
  io.member("u0", p.start.u0, read_number);
  io.member("m0", p.start.m0, read_number);
  if constexpr (Io::reads) {
    io.member("s0", p.start.s0, read_number);
    if (io.says("s0") && !p.start.m0) {
      throw error("--m0 is missing: --s0 fixes v, and needs both its overlaps");
    }
    p.validate();
    asked.plan.risk = study::risk_of(io.pair().risk, p.stages.back().label_noise);
    if (io.says("event") || io.says("at")) {
      asked.plan.events = {study::simulated_event(read_event(io, "m"))};
      asked.plan.stop_after_events = true;
      require_size(io, asked);
    } else {
      require_size(io, asked);
      asked.plan.record = read_steps_of_record(io, p.steps());
    }
  } else {
    if (p.start.m0) {
      io.say("s0", fmt::format("{}", p.start.s0));
    }
    if (asked.plan.events.empty()) {
      say_steps_of_record(io, asked.plan.record, p.steps());
    } else {
      say_event(io, study::overlap_event_of(asked.plan.events.front()));
    }
  }
}

namespace {

std::vector<double> read_dimensions(const std::string& option, const std::string& text) {
  constexpr double largest = 9e15;
  std::vector<double> dimensions = parse_range(option, text);
  std::sort(dimensions.begin(), dimensions.end());
  dimensions.erase(std::unique(dimensions.begin(), dimensions.end()), dimensions.end());
  for (const double d : dimensions) {
    if (!(d >= 4.0 && d <= largest) || d != std::floor(d)) {
      throw argument_error(option, "'" + text + "'", "whole numbers from 4 to 9e15");
    }
  }
  return dimensions;
}

}  // namespace

template <class Io, class Problem>
void validation_members(Io& io, Problem& p) {
  if constexpr (Io::reads) {
    read_point(io, p.at);
    if (!(p.at.parameters.noise_scale > 0.0)) {
      throw argument_error("--gamma", "'" + (io.says("gamma") ? io.peek("gamma") : "0") + "'",
                           "> 0 here: a simulation has batches");
    }
    if (!io.says("dim")) {
      throw error("--dim is missing: give the dimensions, such as --dim 300,1000,3000");
    }
    io.replace("m0", io.says("m0") ? io.peek("m0") : "0.3");
  } else {
    say_pairs(io, {&p.pair, 1});
    say_point(io, p.at, study::model_parameters);
  }
  io.member("seed", p.seed, read_simulation_seed);
  io.member("dim", p.dimensions, read_dimensions);
  constexpr std::uint64_t most_batch = 1'000'000'000;
  constexpr std::uint64_t most_points = 10'000;
  constexpr std::uint64_t most_runs = 10'000'000;
  // The other follows from γ = η d/B.
  bool by_batch = !p.learning_rate;
  if constexpr (Io::reads) {
    by_batch = !io.says("lr");
    p.batch = io.says("batch") ? read_count("--batch", io.peek("batch"), 1, most_batch) : p.batch;
  }
  if (by_batch) {
    io.member("batch", p.batch, count_between(1, most_batch));
  } else {
    io.member("lr", p.learning_rate, read_positive);
  }
  if constexpr (Io::reads) {
    io.tell("t-end", "");  // its place; the event decides it
  } else {
    io.say("t-end", fmt::format("{}", p.t_end * p.pair.rate_unit));
  }
  io.member("points", p.points, count_between(1, most_points));
  io.member("runs", p.runs, count_between(2, most_runs));
  if constexpr (Io::reads) {
    p.law_runs = p.runs;
  }
  io.member("law-runs", p.law_runs, count_between(0, most_runs));
  if constexpr (Io::reads) {
    io.tell("law-runs", io.says("law-runs") ? io.peek("law-runs") : io.peek("runs"));
  }
  io.member("alpha", p.significance, [](const std::string& option, const std::string& text) {
    const double value = parse_number(option, text);
    if (!(value > 0.0 && value < 1.0)) {
      throw argument_error(option, "'" + text + "'", "between 0 and 1");
    }
    return value;
  });
  io.choice("engine", p.engine, simulation_engines);
  start_members(io, p.at.start);
}

void read_end(question_reader& io, study::validation_problem& p,
              const std::function<std::optional<double>()>& event_time) {
  if (const std::string text = io.peek("t-end"); !text.empty()) {
    p.t_end = read_positive("--t-end", text) / p.pair.rate_unit;
  } else {
    const std::optional<double> met = event_time();
    if (!met) {
      throw error(
          "--t-end is missing: the start already meets the event, so no time follows from it");
    }
    if (!std::isfinite(*met)) {
      throw error(
          "--t-end is missing: the ODE does not reach the event, so no time follows from it");
    }
    p.t_end = *met;
  }
  io.tell("t-end", fmt::format("{}", p.t_end * p.pair.rate_unit));

  const std::vector<study::experiment> experiments = study::experiments_of(p);
  const extent runs = count_extent("--runs", io.peek("runs"), static_cast<double>(p.runs));
  const extent points = count_extent("--points", io.peek("points"),
                                     static_cast<double>(experiments.front().record.size()));
  study::require_affordable(std::vector<extent>{runs, points},
                            {"recorded states", sizeof(simulated_state), 0.0}, infinity);
  for (const study::experiment& e : experiments) {
    const std::string t_end = io.peek("t-end");
    study::require_simulation(
        {runs,
         count_extent(t_end.empty() ? "" : "--t-end", t_end, static_cast<double>(e.steps)),
         count_extent("--batch", io.peek("batch"), static_cast<double>(e.batch)),
         {"--dim", io.peek("dim"), static_cast<double>(e.dimension)},
         p.engine == simulation_engine::sgd});
  }
}

template <class Io, class Problem>
void members_of(Io& io, Problem& p, const study::validation_problem*) {
  validation_members(io, p);
  if constexpr (Io::reads) {
    p.at.parameters.alignment = read_single_mu(io);
    p.at.parameters.misalignment = read_single_nu(io, "one number here");
    p.event = read_event(io, "m");
    if (p.event.is_signed && p.event.quantity == overlap_quantity::m) {
      throw argument_error("--signed", "given", "left out: the law is that of both signs");
    }
    read_end(io, p, [&] { return study::event_time(p.pair, p.at, p.event); });
  } else {
    say_event(io, p.event);
  }
}

template <class Io, class Problem>
void members_of(Io& io, Problem& p, const study::network_validation_problem*) {
  if constexpr (Io::reads) {
    io.refuse({"start-batch"}, "a network's means start at --u0 and --m0");
    if (const std::string s0 = io.peek("s0");
        !s0.empty() && s0 != fmt::format("{}", *registry::s0.standard)) {
      io.refuse({"s0"}, "it is one neuron's");
    }
  }
  validation_members(io, p.asked);
  if constexpr (Io::reads) {
    p.event = read_network_event(io);
    take_network(io);
    p.layout = read_layout(io, scale_words::none);
    p.asked.at.parameters =
        read_network_point(io, p.layout.geometry.has_value(),
                           "--mu, --nu, --gamma, --noise, --lr-ratio", "one each here")
            .parameters;
    p.scale = study::network_start_request().scale;
    read_scratch_norm(io, p.scale);
    read_end(io, p.asked, [&] { return study::event_time(p); });
  } else {
    say_network_event(io, p.event);
    say_layout(io, p.layout);
    if (p.layout.trained == trained_part::scratch) {
      io.say("scratch-norm", fmt::format("{}", p.scale));
    }
  }
}

study::network_validation_problem blank(question_reader& io,
                                        const study::network_validation_problem*) {
  return {.asked = {.pair = read_pair(io, "one here")}};
}

study::trajectory_family blank(question_reader& io, const study::trajectory_family*) {
  read_start_file_of(io);
  return {.pair = read_pair(io, one_here), .grid = {}, .each = {}};
}

study::budget_problem blank(question_reader& io, const study::budget_problem*) {
  const study::activation_pair pair = read_pair(io, one_here);
  return {.budget = {.source = pair.task(), .target = pair.task(), .pretraining = {}, .event = {}},
          .integrator = {},
          .times = {},
          .rate_unit = pair.rate_unit};
}

study::simulate_problem blank(question_reader& io, const study::simulate_problem*) {
  const study::activation_pair pair = read_pair(io, one_here);
  return {.problem = {.student = pair.risk.student(), .stages = {{.teacher = pair.risk.teacher()}}},
          .plan = {},
          .rate_unit = pair.rate_unit};
}

study::validation_problem blank(question_reader& io, const study::validation_problem*) {
  return {.pair = read_pair(io, "one here")};
}

LORADYN_QUESTION(study::rates_problem);
LORADYN_QUESTION(study::critical_problem);
LORADYN_QUESTION(study::trajectory_family);
LORADYN_QUESTION(study::escape_problem);
LORADYN_QUESTION(study::fixed_points_problem);
LORADYN_QUESTION(study::budget_problem);
LORADYN_QUESTION(study::simulate_problem);
LORADYN_QUESTION(study::validation_problem);
LORADYN_QUESTION(study::network_validation_problem);

}  // namespace loradyn
