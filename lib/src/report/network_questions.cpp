// The questions of networks.

#include <fmt/format.h>

#include <limits>
#include <loradyn/simulation/random.hpp>
#include <numeric>
#include <vector>
#include "report/file_words.hpp"
#include "report/network_words.hpp"
#include "report/question_io.hpp"
#include "report/question_templates.hpp"

namespace loradyn {
namespace {

namespace registry = study::registry;
using study::extent;

constexpr double infinity = std::numeric_limits<double>::infinity();
constexpr const char* one_run = "one here, for a trajectory is one run";

void require_search(question_reader& io, const study::network_layout& layout) {
  if (layout.trained != trained_part::lora) {
    throw argument_error("--train", "'" + io.peek("train") + "'",
                         "lora, for nothing else has a search");
  }
}

// Every entry of U at the start.
double read_u0(question_reader& io) {
  const std::string text = io.text("u0");
  const double u0 = text.empty() ? *registry::u0.standard : parse_number("--u0", text);
  if (text.empty()) {
    io.tell("u0", fmt::format("{}", u0));
  }
  return u0;
}

template <class Problem>
void require_rows(question_reader& io, const Problem& p, double rows_each, double fixed) {
  study::require_table(extents_of(io, p.grid, p.pairs.size()),
                       rows_each * row_bytes(study::shape_of(p.layout), fixed));
}

// What `rates`, `escape` and `fixed-points` ask alike.
template <class Io, class Problem>
void grid_members(Io& io, Problem& p, const std::optional<study::network_given_start>& start = {}) {
  if constexpr (Io::reads) {
    p.pairs = read_pairs(io);
    take_network(io);
    p.layout = read_layout(io);
    p.grid = read_network_grid(io, p.layout.geometry.has_value());
  } else {
    say_pairs(io, p.pairs);
    say_grid(io, p.grid);
    say_layout(io, p.layout, start);
  }
}

}  // namespace

template <class Io, class Problem>
void members_of(Io& io, Problem& p, const study::network_rates_problem*) {
  grid_members(io, p);
  if constexpr (Io::reads) {
    require_search(io, p.layout);
    // A row for every mode.
    require_rows(io, p, static_cast<double>(p.layout.width), sizeof(study::network_rates_row));
  }
}

template <class Io, class Problem>
void members_of(Io& io, Problem& p, const study::network_critical_problem*) {
  if constexpr (Io::reads) {
    take_common(io);
    take_network(io);
    p.layout = read_layout(io);
    require_search(io, p.layout);
  } else {
    say_layout(io, p.layout);
  }
  critical_members(io, p.asked);
}

namespace {

// Where the first stage pre-trains it makes W0.
void refuse_aligned_rows(question_reader& io) {
  for (const study::parameter* p : {&registry::mu, &registry::nu}) {
    const std::string text = io.peek(p->name);
    if (!text.empty() && (!p->standard || text != fmt::format("{}", *p->standard))) {
      io.refuse({p->name}, "the first stage pre-trains");
    }
  }
}

}  // namespace

template <class Io, class Problem>
void members_of(Io& io, Problem& p, const study::network_trajectory_problem*) {
  const double unit = p.pair.rate_unit;
  training_protocol way;
  if constexpr (Io::reads) {
    refuse_start_of_one_neuron(io);
    take_network(io);
    io.take_in_order({"dim"});
    p.layout = read_layout(io);
    if (io.says("stages")) {
      refuse_parameters_of_stages(io);
      p.stages = read_network_stages(io.file("stages"), 1.0 / unit);
    }
    const bool pretrains = !p.stages.empty() && p.stages.front().pretrains;
    if (pretrains) {
      refuse_aligned_rows(io);
    }
    p.at = read_network_point(io, p.layout.geometry.has_value() || pretrains,
                              "--mu, --nu, --gamma, --noise, --lr-ratio",
                              "one each, for a trajectory is one run");
    if (!io.says("t-end") && !io.says("stages")) {
      throw error("--t-end is missing: say how long the run is");
    }
    p.start = read_network_start(io);
    p.at.start.u = read_u0(io);
    if (const std::string end = io.peek("t-end"); !end.empty()) {
      p.end = read_positive("--t-end", end) / unit;
    }
  } else {
    say_pairs(io, {&p.pair, 1});
    if (!p.stages.empty()) {
      io.say("stages", text_of(p.stages, 1.0 / unit));
    }
    say_layout(io, p.layout, p.start.given);
    say_network_start(io, p.start, p.layout);
    say_point(io, p.at, study::model_parameters);
    say_point(io, p.at, std::array{&registry::u0});
    const std::optional<double> end = p.end;
    io.say("t-end", end ? fmt::format("{}", *end * unit) : "");
    if (p.learning_rate) {
      way.method = tuning_method::map;
      way.learning_rate = *p.learning_rate;
    }
  }
  integrator_members(io, p.integrator, 1.0 / unit);
  if constexpr (Io::reads) {
    p.record = read_record(io);
  } else {
    say_record(io, p.record);
  }
  method_members(io, way);
  if constexpr (Io::reads) {
    if (way.method == tuning_method::map) {
      p.learning_rate = way.learning_rate;
    }
    study::require_table(
        std::vector<extent>{
            count_extent("--points", io.peek("points"), static_cast<double>(p.record.count))},
        row_bytes(study::shape_of(p.layout), sizeof(study::network_trajectory_row)));
    io.take_in_order({"t-end"});
  }
}

template <class Io, class Problem>
void members_of(Io& io, Problem& p, const study::network_escape_problem*) {
  if constexpr (Io::reads) {
    refuse_start_of_one_neuron(io);
  }
  grid_members(io, p, p.start.given);
  if constexpr (Io::reads) {
    p.start = read_network_start(io);
    p.grid.otherwise.start.u = read_u0(io);
    p.event = read_network_event(io);
    if (io.says("dim")) {
      p.quantiles = study::escape_request().quantiles;
    }
  } else {
    say_network_start(io, p.start, p.layout);
    io.say("dim", p.quantiles ? std::to_string(p.start.dimension) : "");
    say_point(io, p.grid.otherwise, std::array{&registry::u0});
    say_network_event(io, p.event);
  }
  integrator_members(io, p.integrator, 1.0);
  if constexpr (Io::reads) {
    io.take_in_order({"dim"});
  }
  if (p.quantiles) {
    io.member("quantiles", p.quantiles, read_quantiles);
  }
  if constexpr (Io::reads) {
    require_rows(io, p, 1.0, sizeof(study::network_escape_row));
  }
}

template <class Io, class Problem>
void members_of(Io& io, Problem& p, const study::network_fixed_points_problem*) {
  if constexpr (Io::reads) {
    refuse_start_of_one_neuron(io);
  }
  grid_members(io, p);
  if constexpr (Io::reads) {
    read_scratch_norm(io, p.scale);
    if (const std::string u0 = io.peek("u0"); !u0.empty()) {
      p.grid.otherwise.start.u = parse_number("--u0", u0);
    }
  } else {
    if (p.layout.trained == trained_part::scratch) {
      io.member("scratch-norm", p.scale, read_positive);
    }
    say_point(io, p.grid.otherwise, std::array{&registry::u0});
  }
  io.member("seed", p.seed, read_seed);
  io.member("starts", p.starts, count_between(1, study::max_starts));
  if constexpr (Io::reads) {
    io.tell("starts", std::to_string(p.starts));
    constexpr double usual = 4.0;  // equilibria of a point
    require_rows(io, p, usual, sizeof(study::network_fixed_point_row));
  }
}

namespace {

// Throws argument_error where the machine is too small, or the user's life too short.
void require_size(question_reader& io, const study::network_simulate_problem& p,
                  std::uint64_t all_steps) {
  const study::network_shape shape = study::shape_of(p.layout);
  const extent runs = count_extent("--runs", io.peek("runs"), static_cast<double>(p.runs));
  const auto steps = static_cast<double>(p.event ? 1 : all_steps);
  study::require_simulation(
      {runs,
       io.says("stages")  ? extent{"--stages", io.peek("stages"), steps}
       : io.says("t-end") ? extent{"--t-end", io.peek("t-end"), steps}
                          : count_extent("--steps", io.peek("steps"), steps),
       count_extent("--batch", io.peek("batch"), static_cast<double>(p.batch)),
       count_extent("--dim", io.peek("dim"), static_cast<double>(p.start.dimension)),
       p.engine == simulation_engine::sgd});
  const double entries = row_bytes(shape, 0.0);
  const double state = sizeof(network_state) + 2.0 * entries;
  if (p.event) {
    study::require_affordable(std::vector<extent>{runs}, {"runs", 3.0 * state, 0.0}, infinity);
    return;
  }
  const std::string text = io.says("points") ? io.peek("points") : "101";
  const extent points = count_extent("--points", text, static_cast<double>(read_record_size(text)));
  study::require_table(std::vector<extent>{points}, 5.0 * entries);
  study::require_affordable(std::vector<extent>{runs, points}, {"recorded states", state, 0.0},
                            infinity);
}

void refuse_for_simulation(question_reader& io) {
  refuse_start_of_one_neuron(io);
  io.refuse({"m0", "s0"}, "a network's V starts at random, or by --start-batch");
  for (const auto& [name, example] : {std::pair("dim", "the dimension, such as 1000"),
                                      {"batch", "the size of a batch, such as 64"},
                                      {"lr", "the learning rate, such as 0.1"}}) {
    if (!io.says(name) && (name != std::string_view("lr") || !io.says("stages"))) {
      throw error(fmt::format("--{} is missing: give {}", name, example));
    }
  }
}

std::uint64_t steps_of(const study::network_simulate_problem& p) {
  return p.stages.empty()
             ? p.steps
             : std::accumulate(p.stages.begin(), p.stages.end(), std::uint64_t{0},
                               [](std::uint64_t sum, const auto& s) { return sum + s.steps; });
}

// How long a run is: one stage that the words say, or those of a file. Returns all steps.
std::uint64_t read_length(question_reader& io, study::network_simulate_problem& p) {
  const double unit = p.pair.rate_unit;
  if (!io.says("stages")) {
    io.member("lr", p.learning_rate, read_positive);
    p.steps = read_steps(io, p.learning_rate, unit);
    return p.steps;
  }
  refuse_parameters_of_stages(io, &registry::gamma);
  p.stages = read_network_simulation_stages(io.file("stages"), 1.0 / unit);
  const std::uint64_t all = steps_of(p);
  tell_of_stages(io, p.stages.back().learning_rate, all);
  return all;
}

}  // namespace

template <class Io, class Problem>
void members_of(Io& io, Problem& p, const study::network_simulate_problem*) {
  // A batch's samples have 32 bits of their own in the counters of the random numbers.
  constexpr std::uint64_t largest_batch = (std::uint64_t{1} << 32) - 1;
  if constexpr (Io::reads) {
    refuse_for_simulation(io);
    io.take_in_order({"dim"});
  } else {
    say_pairs(io, {&p.pair, 1});
    say_network_start(io, p.start, p.layout);
    say_point(io, p.at,
              std::array{&registry::mu, &registry::nu, &registry::noise, &registry::lr_ratio});
    say_layout(io, p.layout, p.start.given);
    if (p.stages.empty()) {
      io.say("steps", std::to_string(p.steps));
      io.say("lr", fmt::format("{}", p.learning_rate));
    } else {
      io.say("stages", text_of(p.stages));
    }
  }
  io.member("batch", p.batch, count_between(1, largest_batch));
  std::uint64_t all_steps = p.steps;
  if constexpr (Io::reads) {
    all_steps = read_length(io, p);
  }
  io.member("runs", p.runs, count_between(1, random_runs - 1));
  io.choice("engine", p.engine, simulation_engines);
  io.member("u0", p.u0, read_number);
  if constexpr (Io::reads) {
    take_network(io);
    p.layout = read_layout(io);
    p.at = read_network_point(io, p.layout.geometry.has_value(), "--mu, --nu, --noise, --lr-ratio",
                              "one each here");
    p.start = read_network_start(io);
    const double rate = p.stages.empty() ? p.learning_rate : p.stages.back().learning_rate;
    tell_gamma(io, rate * static_cast<double>(p.start.dimension) / static_cast<double>(p.batch));
    io.tell("dim", std::to_string(p.start.dimension));
    io.tell("batch", std::to_string(p.batch));
    io.tell("runs", std::to_string(p.runs));
    if (io.says("event") || io.says("at")) {
      p.event = read_network_event(io);
    }
    require_size(io, p, all_steps);
    if (!p.event) {
      p.record = read_steps_of_record(io, all_steps);
    }
  } else if (p.event) {
    say_network_event(io, *p.event);
  } else {
    say_steps_of_record(io, p.record, steps_of(p));
  }
}

study::network_trajectory_problem blank(question_reader& io,
                                        const study::network_trajectory_problem*) {
  return {.pair = read_pair(io, one_run),
          .layout = {},
          .start = {},
          .at = {},
          .end = {},
          .record = {},
          .integrator = {},
          .learning_rate = {},
          .stages = {}};
}

study::network_simulate_problem blank(question_reader& io, const study::network_simulate_problem*) {
  return {.pair = read_pair(io, "one here, for the table has no column for it")};
}

LORADYN_QUESTION(study::network_rates_problem);
LORADYN_QUESTION(study::network_critical_problem);
LORADYN_QUESTION(study::network_trajectory_problem);
LORADYN_QUESTION(study::network_escape_problem);
LORADYN_QUESTION(study::network_fixed_points_problem);
LORADYN_QUESTION(study::network_simulate_problem);

}  // namespace loradyn
