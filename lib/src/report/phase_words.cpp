// The question of a diagram.

#include <fmt/format.h>

#include <loradyn/report/problem_text.hpp>
#include <loradyn/simulation/random.hpp>
#include "report/network_words.hpp"
#include "report/question_io.hpp"

namespace loradyn {
namespace {

namespace registry = study::registry;

constexpr name_table<bool, 2> only_names{{{"escape", false}, {"tau", true}}};

void read_activations(question_reader& io, study::phase_problem& p) {
  p.student = io.peek("student");
  if (p.student.empty()) {
    throw error("--student is missing: name an activation, such as --student erf");
  }
  if (p.student.find(',') != std::string::npos || p.student.find(" | ") != std::string::npos) {
    throw argument_error("--student", "a list", "one activation, for a diagram has one");
  }
  p.teacher = io.peek("teacher");
  io.choice("time-unit", p.unit, study::time_units);
}

// What a search time alone does not depend on is at its default.
void refuse_for_tau(question_reader& io) {
  const auto require = [&](std::string_view name, bool usual) {
    if (!usual) {
      throw argument_error(option_of(name), "'" + io.peek(name) + "'",
                           "left out: --only tau has no run");
    }
  };
  require("event", !io.says("event") || io.peek("event") == "m");
  require("at", !io.says("at") || parse_number("--at", io.peek("at")) == overlap_event().at);
  require("dim", !io.says("dim"));
  for (const study::parameter* p : study::start_parameters) {
    require(p->name, !io.says(p->name) || parse_number(p->name, io.peek(p->name)) == *p->standard);
  }
}

study::ensemble_request read_ensemble(question_reader& io) {
  using study::ensemble_request;
  ensemble_request e;
  io.choice("engine", e.engine, simulation_engines);
  io.member("batch", e.batch, count_between(1, ensemble_request::max_batch));
  io.member("lr", e.learning_rate, read_positive);
  io.member("runs", e.runs, count_between(1, ensemble_request::max_runs));
  io.member("steps", e.steps, count_between(1, random_steps - 1));
  io.member("seed", e.seed, read_seed);
  return e;
}

// The network, whose numbers go to the point.
study::phase_network read_network(question_reader& io, study::parameter_point& point) {
  refuse_start_of_one_neuron(io);
  const auto on_axis = [&](const study::parameter& p) {
    const std::string start = std::string(p.name) + "=";
    return io.peek("x").starts_with(start) || io.peek("y").starts_with(start);
  };
  // What is on an axis is no word: a value that goes with all others stands for it.
  for (const auto& [p, any] : {std::pair(&registry::width, "256"),
                               {&registry::teacher_width, ""},
                               {&registry::rank, ""},
                               {&registry::decay, ""},
                               {&registry::source_overlap, "0"}}) {
    if (on_axis(*p) && (!io.says("network") || p == &registry::rank || p == &registry::decay)) {
      io.refuse({p->name}, "it is on an axis");
      io.replace(std::string(p->name), any);
    }
  }
  const std::string dimension = io.peek("dim");
  io.replace("dim", "");
  study::phase_network n{read_layout(io), read_network_start(io), read_network_event(io),
                         std::nullopt};
  io.replace("dim", dimension);
  io.member("forgotten", n.forgotten, read_positive);
  point.layout = study::numbers_of(n.layout);
  if (on_axis(registry::source_overlap)) {
    point.layout.source_overlap.reset();
  }
  return n;
}

}  // namespace

template <>
asked<study::phase_problem> read_question(const question& words) {
  question_reader io(words);
  study::phase_problem p;
  read_activations(io, p);
  const std::string only = io.says("only") ? io.peek("only") : "escape";
  const auto tau_only = value_named(only_names, only);
  if (!tau_only) {
    throw argument_error("--only", "'" + only + "'", "tau, or escape for all of it");
  }
  p.tau_only = *tau_only;
  if (p.tau_only && !io.says("engine")) {
    refuse_for_tau(io);
  }
  read_point(io, p.otherwise);
  p.otherwise.parameters.misalignment = read_single_nu(io, "one number, or an axis");
  p.has_alignment = io.says("mu");
  if (p.has_alignment) {
    p.otherwise.parameters.alignment = read_value(registry::mu, io.peek("mu"));
  }
  p.otherwise.start = read_start(io);
  if (asks_network(words)) {
    p.network = read_network(io, p.otherwise);
  } else {
    p.request.event = read_event(io, "m");
  }
  integrator_members(io, p.request.integrator, 1.0);
  if (io.says("dim")) {
    p.otherwise.dimension = read_value(registry::dim, io.peek("dim"));
  }
  io.member("quantiles", p.request.quantiles, read_quantiles);
  if (io.says("engine")) {
    p.ensemble = read_ensemble(io);
  }
  std::uint64_t levels = 0;
  io.member("refine", levels, count_between(0, study::max_levels));
  p.levels = static_cast<unsigned>(levels);
  io.member("refine-step", p.refine_step, read_positive);
  p.x = study::read_axis("--x", io.peek("x"));
  p.y = study::read_axis("--y", io.peek("y"));
  parameter_list said = parameters_of(p);
  return {std::move(p), std::move(said)};
}

}  // namespace loradyn
