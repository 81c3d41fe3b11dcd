// The module loradyn._loradyn.

#include <pybind11/pybind11.h>

#include <loradyn/version.hpp>

#include "errors.hpp"
#include "networks.hpp"
#include "pairs.hpp"
#include "parts.hpp"
#include "question.hpp"
#include "table.hpp"

namespace loradyn::python {
namespace {

py::dict description_of(const argument& a) {
  py::dict d;
  d["name"] = a.name;
  d["type"] = a.type;
  d["meaning"] = a.meaning;
  d["required"] = !a.standard;
  d["unless"] = a.unless;
  d["of_network"] = a.of_network;
  d["standard"] = a.standard ? a.standard : py::none();
  return d;
}

py::list descriptions_of(const std::vector<argument>& arguments) {
  py::list all;
  for (const argument& a : arguments) {
    all.append(description_of(a));
  }
  return all;
}

const char* name_of(study::measure m) {
  switch (m) {
    case study::measure::time:
      return "time";
    case study::measure::rate:
      return "rate";
    case study::measure::none:
      break;
  }
  return "none";
}

const char* name_of(column_kind k) {
  switch (k) {
    case column_kind::integer:
      return "integer";
    case column_kind::text:
      return "text";
    case column_kind::number:
      break;
  }
  return "number";
}

// All that the package makes a function and its result of.
py::dict description_of(const question& q) {
  py::dict d;
  d["name"] = q.name;
  d["title"] = q.title;
  d["text"] = q.text;
  d["returned"] = q.returned;
  d["example"] = q.example;
  d["arguments"] = descriptions_of(q.arguments);
  py::list columns;
  for (const told_column& c : q.columns) {
    py::dict column;
    column["name"] = c.name;
    column["meaning"] = c.meaning;
    column["measure"] = name_of(c.measured);
    column["kind"] = name_of(c.kind);
    columns.append(column);
  }
  d["columns"] = columns;
  py::dict more;
  for (const auto& [name, meaning] : q.more) {
    more[py::str(name)] = meaning;
  }
  d["more"] = more;
  py::dict of_network;
  for (const auto& [name, meaning] : q.of_network) {
    of_network[py::str(name)] = meaning;
  }
  d["of_network"] = of_network;
  d["drawing"] = q.drawn.kind;
  py::list drawn;
  for (const std::string& y : q.drawn.y) {
    drawn.append(y);
  }
  d["drawn"] = drawn;
  return d;
}

}  // namespace

PYBIND11_MODULE(_loradyn, module) {
  // Docstrings begin with signatures of their own, which inspect reads.
  py::options options;
  options.disable_function_signatures();
  module.doc() = "The compiled part of loradyn; use the package.";
  module.attr("version") = version;
  register_errors(module);
  define_table(module);
  define_activation(module);
  define_parts(module);
  define_network(module);
  py::list descriptions;
  for (const auto& made : {rates_question, critical_question, trajectory_question, escape_question,
                           fixed_points_question, budget_question, phase_question,
                           simulate_question, validate_question}) {
    // For the life of the process: its defaults are Python objects.
    const auto* q = new question(made());
    constexpr std::size_t positional = 2;  // student and teacher
    module.def(("ask_" + q->name).c_str(), [q](const py::args& args, const py::kwargs& kwargs) {
      const call given(q->name, q->arguments, positional, args, kwargs);
      return q->ask(given);
    });
    descriptions.append(description_of(*q));
  }
  module.attr("questions") = descriptions;
  py::dict classes;
  for (const auto& [name, arguments] :
       {std::pair("Flow", &flow_arguments()), std::pair("EscapeLaw", &law_arguments()),
        std::pair("Network", &network_class_arguments())}) {
    classes[name] = descriptions_of(*arguments);
  }
  module.attr("class_arguments") = classes;
  py::list ranges;
  for (const study::parameter* p : study::all_parameters) {
    py::dict d;
    d["name"] = p->column();
    d["title"] = p->axis_title();
    ranges.append(d);
  }
  module.attr("parameters") = ranges;
}

}  // namespace loradyn::python
