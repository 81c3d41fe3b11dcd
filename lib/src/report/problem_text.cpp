#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdint>
#include <loradyn/activation/parse.hpp>
#include <loradyn/error.hpp>
#include <loradyn/names.hpp>
#include <loradyn/number_text.hpp>
#include <loradyn/report/printable.hpp>
#include <loradyn/report/problem_text.hpp>
#include <loradyn/report/question.hpp>
#include <loradyn/sweep/range.hpp>
#include <map>
#include <nlohmann/json.hpp>
#include <optional>
#include <set>
#include <utility>
#include <vector>
#include "report/file_words.hpp"
#include "report/one_line.hpp"
#include "report/parameter_json.hpp"

namespace loradyn {
namespace {

using json = nlohmann::ordered_json;
using study::axis_request;
using study::phase_problem;

std::string shown(const json& value) {
  if (value.is_structured()) {
    return value.is_array() ? "a list" : "an object";
  }
  constexpr std::size_t most = 60;
  std::string text = value.dump(-1, ' ', false, json::error_handler_t::replace);
  return text.size() > most ? text.substr(0, most) + "…" : text;
}

[[noreturn]] void refuse(const std::string& name, const json& value, const std::string& expected) {
  throw argument_error(name, shown(value), expected);
}

// How a value stands in JSON, and back.

void put(json& to, const std::string&, const std::string& text) { to = text; }
void put(json& to, const std::string&, bool value) { to = value; }
void put(json& to, const std::string&, std::uint64_t value) { to = value; }
void put(json& to, const std::string& name, double value) {
  if (!std::isfinite(value)) {
    throw argument_error(name, number_text(value), "finite");
  }
  // A whole number without ".0", as a user writes it; -0 would lose its sign.
  constexpr double exact = 0x1p53;
  if (value == std::trunc(value) && std::abs(value) < exact &&
      !(value == 0.0 && std::signbit(value))) {
    to = static_cast<std::int64_t>(value);
  } else {
    to = value;
  }
}
void put(json& to, const std::string& name, const std::vector<double>& values) {
  to = json::array();
  for (const double value : values) {
    put(to.emplace_back(), name, value);
  }
}

void get(const json& from, const std::string& name, std::string& text) {
  if (!from.is_string()) {
    refuse(name, from, "a text");
  }
  text = from.get<std::string>();
}
void get(const json& from, const std::string& name, bool& value) {
  if (!from.is_boolean()) {
    refuse(name, from, "true or false");
  }
  value = from.get<bool>();
}
void get(const json& from, const std::string& name, std::uint64_t& value) {
  if (!from.is_number_unsigned()) {
    refuse(name, from, "a whole number >= 0");
  }
  value = from.get<std::uint64_t>();
}
void get(const json& from, const std::string& name, double& value) {
  if (!from.is_number() || !std::isfinite(from.get<double>())) {
    refuse(name, from, "a number");
  }
  value = from.get<double>();
}
void get(const json& from, const std::string& name, std::vector<double>& values) {
  if (!from.is_array()) {
    refuse(name, from, "a list of numbers");
  }
  values.clear();
  for (const json& value : from) {
    get(value, name, values.emplace_back());
  }
}

void put(json& to, const std::string& name, const axis_request& axis);
void get(const json& from, const std::string& name, axis_request& axis);

// Two faces of one description: `members` below names each member of a problem once, and is run by
// the writer to make an object and by the reader to take it apart.

class object_writer {
 public:
  static constexpr bool reads = false;

  template <class Value>
  void member(const std::string& name, const Value& value) {
    put(object_[name], name, value);
  }
  template <class Value>
  void optional_member(const std::string& name, const std::optional<Value>& value) {
    if (value) {
      member(name, *value);
    }
  }
  template <class Value, std::size_t N>
  void choice(const std::string& name, const Value& value, const name_table<Value, N>& names) {
    object_[name] = name_of(names, value);
  }

  [[nodiscard]] json take() { return std::move(object_); }

 private:
  json object_ = json::object();
};

class object_reader {
 public:
  static constexpr bool reads = true;

  // `where` stands before the names of members in messages.
  explicit object_reader(const json& object, std::string where = {})
      : object_(object), where_(std::move(where)) {}

  [[nodiscard]] bool has(const std::string& name) const { return object_.contains(name); }

  template <class Value>
  void member(const std::string& name, Value& value) {
    get(at(name), where_ + name, value);
  }
  template <class Value>
  void optional_member(const std::string& name, std::optional<Value>& value) {
    value.reset();
    if (has(name)) {
      member(name, value.emplace());
    }
  }
  template <class Value, std::size_t N>
  void choice(const std::string& name, Value& value, const name_table<Value, N>& names) {
    std::string text;
    member(name, text);
    const auto found = value_named(names, text);
    if (!found) {
      refuse(where_ + name, at(name), names_of(names));
    }
    value = *found;
  }

  // What nobody asked for is no part of a problem.
  void finish() const {
    for (const auto& [name, value] : object_.items()) {
      if (!read_.contains(name)) {
        throw error("'" + where_ + name + "' is no part of it");
      }
    }
  }

 private:
  const json& at(const std::string& name) {
    const auto found = object_.find(name);
    if (found == object_.end()) {
      throw error("'" + where_ + name + "' is missing");
    }
    read_.insert(name);
    return *found;
  }

  const json& object_;
  std::string where_;
  std::set<std::string> read_;
};

template <class Io, class Axis>
void axis_members(Io& io, Axis& axis, bool is_list) {
  io.member("parameter", axis.parameter);
  if (is_list) {
    io.member("values", axis.values.list);
    return;
  }
  io.member("from", axis.values.from);
  io.member("to", axis.values.to);
  io.member("count", axis.values.count);
  io.member("logarithmic", axis.values.logarithmic);
}

void put(json& to, const std::string&, const axis_request& axis) {
  object_writer io;
  axis_members(io, axis, !axis.values.list.empty());
  to = io.take();
}

void get(const json& from, const std::string& name, axis_request& axis) {
  if (!from.is_object()) {
    refuse(name, from, "an object of a parameter and its values");
  }
  object_reader io(from, name + ".");
  axis = {};
  axis_members(io, axis, io.has("values"));
  io.finish();
}

constexpr name_table<bool, 2> only_names{{{"escape", false}, {"tau", true}}};

template <class Io, class Ensemble>
void ensemble_members(Io& io, Ensemble& e) {
  io.choice("engine", e.engine, simulation_engines);
  io.member("batch", e.batch);
  io.optional_member("lr", e.learning_rate);
  io.member("runs", e.runs);
  io.member("steps", e.steps);
  io.member("seed", e.seed);
}

// Of a network what no parameter tells.
template <class Io, class Network>
void network_members(Io& io, Network& n) {
  auto& layout = n.layout;
  std::optional<std::uint64_t> off_target;
  if (layout.off_target) {
    off_target = static_cast<std::uint64_t>(*layout.off_target);
  }
  std::optional<std::string> rows;
  if (layout.geometry) {
    rows = text_of(*layout.geometry);
  }
  io.optional_member("network", rows);
  io.optional_member("off-target", off_target);
  if (!rows) {
    io.choice("readout", layout.readout, readout_rules);
  }
  io.choice("adapter", layout.adapter, adapter_constraints);
  io.choice("train", layout.trained, trained_parts);
  io.member("readout-rate", layout.readout_rate);
  io.optional_member("alpha", layout.alpha);
  if (layout.alpha) {
    io.choice("scaling", layout.scaling, study::lora_scalings);
  }
  std::optional<std::string> source;
  if (layout.source) {
    source = layout.source->name();
  }
  io.optional_member("source", source);
  io.optional_member("start-batch", n.start.one_step_batch);
  if (layout.trained == trained_part::scratch) {
    io.member("scratch-norm", n.start.scale);
  }
  io.member("seed", n.start.seed);
  io.optional_member("forgotten", n.forgotten);
  if constexpr (Io::reads) {
    constexpr std::uint64_t most = 1'000'000;  // far beyond any width
    layout.off_target.reset();
    if (off_target) {
      layout.off_target = static_cast<std::ptrdiff_t>(std::min(*off_target, most));
    }
    layout.geometry.reset();
    if (rows) {
      layout.geometry = network_of_text(*rows);
    }
    layout.source.reset();
    if (source) {
      layout.source = parse_activation(*source);
    }
  }
}

// The event that ends a run, of one neuron or of a network.
template <class Io, class Problem>
void event_members(Io& io, Problem& p) {
  if (!p.network) {
    auto& event = p.request.event;
    io.choice("event", event.quantity, overlap_quantities);
    io.member("at", event.at);
    io.member("signed", event.is_signed);
    return;
  }
  auto& event = p.network->event;
  std::string quantity = to_text(event);
  io.member("event", quantity);
  if constexpr (Io::reads) {
    const auto named = network_event_named(quantity);
    if (!named) {
      throw argument_error("event", "'" + quantity + "'", network_event_names());
    }
    event = *named;
  }
  io.member("at", event.at);
  io.member("signed", event.is_signed);
}

// Those that no axis sets. Which are optional are so for other reasons, which phase_grid knows.
template <class Io, class Problem>
void parameter_members(Io& io, Problem& p) {
  std::vector<const study::parameter*> parameters(study::all_parameters.begin(),
                                                  study::all_parameters.end());
  if (p.network) {
    // Its V starts at random, or along a gradient.
    std::erase(parameters, &study::registry::m0);
    std::erase(parameters, &study::registry::s0);
    parameters.insert(parameters.end(), study::layout_parameters.begin(),
                      study::layout_parameters.end());
    bool has_rows = p.network->layout.geometry.has_value();
    if constexpr (Io::reads) {
      has_rows = io.has("network");
    }
    if (has_rows) {  // which say them
      for (const study::parameter* what :
           {&study::registry::nu, &study::registry::width, &study::registry::teacher_width}) {
        std::erase(parameters, what);
      }
    }
  }
  for (const study::parameter* what : parameters) {
    if (p.x.parameter == what->name || p.y.parameter == what->name) {
      continue;
    }
    const bool is_alignment = what == &study::registry::mu;
    std::optional<double> value;
    if (!is_alignment || p.has_alignment) {
      value = what->get(p.otherwise);
    }
    const std::string name(what->name);
    if (what->standard) {
      double number = value.value_or(0.0);
      io.member(name, number);
      value = number;
    } else {
      io.optional_member(name, value);
    }
    if constexpr (Io::reads) {
      if (value) {
        what->set(p.otherwise, *value);
      }
      p.has_alignment = is_alignment ? value.has_value() : p.has_alignment;
    }
  }
}

template <class Io, class Problem>
void members(Io& io, Problem& p) {
  io.member("student", p.student);
  std::optional<std::string> teacher;
  if (!p.teacher.empty()) {
    teacher = p.teacher;
  }
  io.optional_member("teacher", teacher);
  io.choice("time-unit", p.unit, study::time_units);
  io.member("x", p.x);
  io.member("y", p.y);
  if constexpr (Io::reads) {
    if (io.has("adapter")) {
      p.network.emplace();
    }
  }
  parameter_members(io, p);
  if (p.network) {
    network_members(io, *p.network);
    if constexpr (Io::reads) {
      if (const auto& rows = p.network->layout.geometry) {
        p.otherwise.layout.width = static_cast<double>(rows->width());
        p.otherwise.layout.teacher_width = static_cast<double>(rows->teacher.rows());
      }
    }
  }
  event_members(io, p);
  auto& integrator = p.request.integrator;
  std::optional<double> t_max;
  if (std::isfinite(integrator.end_time)) {
    t_max = integrator.end_time;
  }
  io.optional_member("t-max", t_max);
  io.member("rtol", integrator.relative_tolerance);
  io.member("atol", integrator.absolute_tolerance);
  io.choice("stepper", integrator.method, steppers);
  std::uint64_t step_limit = integrator.step_limit;
  io.member("max-steps", step_limit);
  if constexpr (Io::reads) {
    integrator.end_time = t_max.value_or(integration_options().end_time);
    integrator.step_limit = static_cast<std::size_t>(step_limit);
    p.teacher = teacher.value_or("");
  }
  io.member("quantiles", p.request.quantiles);
  io.choice("only", p.tau_only, only_names);
  bool is_refined = p.levels > 0;
  if constexpr (Io::reads) {
    is_refined = io.has("refine");
    if (io.has("engine")) {
      p.ensemble.emplace();
    }
  }
  if (p.ensemble) {
    ensemble_members(io, *p.ensemble);
  }
  if (is_refined) {
    std::uint64_t levels = p.levels;
    io.member("refine", levels);
    io.member("refine-step", p.refine_step);
    if constexpr (Io::reads) {
      p.levels = static_cast<unsigned>(std::min<std::uint64_t>(levels, study::max_levels + 1));
    }
  }
}

json object_of(const phase_problem& problem) {
  object_writer io;
  members(io, problem);
  return io.take();
}

phase_problem problem_of(const json& object) {
  phase_problem problem;
  object_reader io(object);
  members(io, problem);
  io.finish();
  return problem;
}

}  // namespace

std::string to_json(const phase_problem& problem) { return object_of(problem).dump(); }

phase_problem phase_problem_from_json(std::string_view text) {
  // Deeper than any problem, and far from where nesting would be a load.
  constexpr int deepest = 3;
  std::array<std::set<std::string>, deepest + 1> names;
  std::string within;
  json object;
  try {
    object = json::parse(text, [&](int depth, json::parse_event_t event, json& parsed) {
      const auto at = static_cast<std::size_t>(depth);
      if (depth > deepest) {
        throw error("it is nested too deep");
      }
      if (event == json::parse_event_t::object_start && at < deepest) {
        names[at + 1].clear();
      }
      if (event == json::parse_event_t::key) {
        const std::string name = parsed.get<std::string>();
        if (!names[at].insert(name).second) {
          throw error("'" + (depth > 1 ? within + "." : "") + name + "' is given twice");
        }
        within = depth == 1 ? name : within;
      }
      return true;
    });
  } catch (const json::exception& e) {
    throw error("it is no JSON: " + one_line(e.what()));
  }
  if (!object.is_object()) {
    throw error("it is no object");
  }
  return problem_of(object);
}

parameter_list parameters_of(const phase_problem& problem) {
  parameter_list parameters;
  const json object = object_of(problem);
  for (const auto& [name, value] : object.items()) {
    parameters.emplace_back(
        name, value.is_string() ? text_parameter(value.get<std::string>()) : value.dump());
  }
  return parameters;
}

phase_problem phase_problem_of(const parameter_list& parameters) {
  json object = json::object();
  for (const auto& [name, value] : parameters) {
    if (object.contains(name)) {
      throw error("'" + name + "' is given twice");
    }
    object[name] = parameter_json(value);
  }
  return problem_of(object);
}

std::string command_of(const phase_problem& problem) {
  std::string command = "loradyn phase";
  for (const auto& [name, value] : parameters_of(problem)) {
    if (name == "signed") {
      command += value == "true" ? " --signed" : "";
    } else if (name != "only" || problem.tau_only) {
      // Axes and lists as their options take them.
      const std::string text =
          name == "x" || name == "y" ? to_text(name == "x" ? problem.x : problem.y)
          : name == "quantiles"      ? to_text(value_range{.list = problem.request.quantiles})
                                     : question({{name, value}}).text(name);
      command += fmt::format(" --{} {}", name, shell_quoted(text));
    }
  }
  return command;
}

std::unique_ptr<const study::phase_grid> phase_grid_of(const parameter_list& parameters) {
  try {
    return std::make_unique<const study::phase_grid>(phase_problem_of(parameters));
  } catch (const error& e) {
    throw error(std::string("its parameters are no phase diagram's of this version of loradyn: ") +
                e.what());
  }
}

}  // namespace loradyn
