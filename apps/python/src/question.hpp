#pragma once

// The questions of the library as functions of the module: what they are told by, and how they are
// asked.

#include <functional>
#include <loradyn/dynamics/integrate.hpp>
#include <loradyn/dynamics/overlap_event.hpp>
#include <loradyn/simulation/problem.hpp>
#include <memory>
#include <string>
#include <vector>

#include "call.hpp"
#include "points.hpp"
#include "running.hpp"
#include "table.hpp"

namespace loradyn::python {

// What a result is drawn as where nothing else is said.
struct drawing {
  std::string kind;            // curves, map, runs or places
  std::vector<std::string> y;  // the columns
};

struct question {
  std::string name;
  std::string title;     // the first line of its docstring
  std::string text;      // what it computes, with the section of docs/theory.md
  std::string returned;  // the shape of its fields
  std::string example;   // a doctest
  std::vector<argument> arguments;
  std::vector<told_column> columns;                       // with the standard arguments
  std::vector<std::pair<std::string, std::string>> more;  // what a result has beside its columns
  drawing drawn;
  std::function<py::dict(const call&)> ask;
};

question phase_question();
question rates_question();
question critical_question();
question escape_question();
question fixed_points_question();
question budget_question();
question trajectory_question();
question simulate_question();
question validate_question();

// ---- groups of arguments, and how they are read ----

// threads and progress, which every question has at its end.
std::vector<argument> run_arguments();
run_options run_options_of(const call& given);

std::vector<argument> integrator_arguments(std::size_t step_limit);
integration_options integrator_of(const call& given);  // its end time in the unit of the call

// \param at what it is where nothing is given, in words
std::vector<argument> event_arguments(overlap_quantity quantity, const std::string& at);
overlap_event event_of(const call& given);

// The parameters of a run: those of the equations, and those of its start.
std::vector<const study::parameter*> run_parameters();
void require_starts(const points& where);

// The dimension of the law, which may be left out, and its quantiles.
argument law_dimension();
argument quantiles_argument();
std::vector<double> quantiles_of(const call& given);

// All of these, one after another.
std::vector<argument> joined(std::vector<std::vector<argument>> groups);

// What a question gives: the table and what stands beside it.
py::dict answer(std::unique_ptr<table> rows, const points& where, py::dict more = {});

// One table of rows that belong to the points of a call: as many of each as it has, with `point`
// in `more`, the number of each row's.
template <class Row>
std::pair<std::unique_ptr<table>, py::dict> listed(const study::row_description<Row>& description,
                                                   const std::vector<std::vector<Row>>& of_points) {
  std::vector<const Row*> rows;
  std::vector<std::int64_t> point;
  for (std::size_t i = 0; i < of_points.size(); ++i) {
    for (const Row& row : of_points[i]) {
      rows.push_back(&row);
      point.push_back(static_cast<std::int64_t>(i));
    }
  }
  auto result =
      std::make_unique<table>(told(description), shape{static_cast<py::ssize_t>(rows.size())});
  result->fill(description, 0, rows.size(), [&](std::size_t i) { return rows[i]; });
  py::dict more;
  more["point"] = py::array_t<std::int64_t>(static_cast<py::ssize_t>(point.size()), point.data());
  return {std::move(result), more};
}

// The same with an axis for the rows of a point, the last; missing rows at its end.
template <class Row>
std::unique_ptr<table> stacked(const study::row_description<Row>& description, shape extent,
                               const std::vector<std::vector<Row>>& of_points) {
  std::size_t most = 0;
  for (const std::vector<Row>& rows : of_points) {
    most = std::max(most, rows.size());
  }
  extent.push_back(static_cast<py::ssize_t>(most));
  auto result = std::make_unique<table>(told(description), extent);
  result->fill(description, 0, result->size(), [&](std::size_t i) -> const Row* {
    const std::vector<Row>& rows = of_points[i / most];
    return i % most < rows.size() ? &rows[i % most] : nullptr;
  });
  return result;
}

// An array with an element for each point.
template <class Value, class ValueOf>
py::object at_points(const shape& extent, std::size_t count, const ValueOf& value_of) {
  py::array_t<Value> all(extent);
  for (std::size_t i = 0; i < count; ++i) {
    all.mutable_data()[i] = value_of(i);
  }
  return extent.empty() ? all.attr("item")() : py::object(all);
}
// One of texts.
template <class TextOf>
py::object texts_at_points(const shape& extent, std::size_t count, const TextOf& text_of) {
  py::list all;
  for (std::size_t i = 0; i < count; ++i) {
    all.append(py::str(std::string(text_of(i))));
  }
  if (extent.empty()) {
    return all[0];
  }
  return py::module_::import("numpy").attr("array")(all).attr("reshape")(py::cast(extent));
}

}  // namespace loradyn::python
