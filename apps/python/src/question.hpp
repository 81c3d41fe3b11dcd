#pragma once

// The questions of the library as functions of the module: what they are told by, and how they are
// asked.

#include <algorithm>
#include <functional>
#include <loradyn/dynamics/integrate.hpp>
#include <loradyn/dynamics/overlap_event.hpp>
#include <loradyn/simulation/problem.hpp>
#include <memory>
#include <string>
#include <type_traits>
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
  // What a result has of a network, beside or instead of its columns.
  std::vector<std::pair<std::string, std::string>> of_network;
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
// \param of_network the question may be one of a network, which has more of them
std::vector<argument> event_arguments(overlap_quantity quantity, const std::string& at,
                                      bool of_network = false);
inline constexpr const char* network_events =
    "; of a network also 'source-risk', or an entry such as 'M_1_2'";
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

// What `at(i)` gives of each point, computed on all threads, so many points at a time.
template <class At>
auto of_points(const call& given, std::size_t count, std::size_t block, const At& at) {
  std::vector<std::invoke_result_t<const At&, std::size_t>> found;
  run(run_options_of(given), [&](const study::study_control& control) {
    found = study::run_sweep(control, count, block, at);
    if (found.size() < count) {
      throw interrupted();
    }
  });
  return found;
}

// The same where each takes all threads: of(i, control).
template <class Of>
auto in_turn(const call& given, std::size_t count, const Of& of) {
  std::vector<std::invoke_result_t<const Of&, std::size_t, const study::study_control&>> found;
  run(run_options_of(given), [&](const study::study_control& control) {
    for (std::size_t i = 0; i < count; ++i) {
      study::study_control own{control.threads, {}};
      if (control.progress) {
        own.progress = [&, i](std::size_t done, std::size_t total) {
          control.progress(i * total + done, count * total);
        };
      }
      found.push_back(of(i, own));
      check_stop();
    }
  });
  return found;
}

// A table with a row for each point, row_at(i), computed on all threads.
template <class Row, class RowAt>
py::dict answer_points(const call& given, const points& where,
                       const study::row_description<Row>& columns, std::size_t block,
                       const RowAt& row_at, std::size_t brief_up_to = 0) {
  run_options options = run_options_of(given);
  options.brief = where.size() <= brief_up_to && options.progress.is_none();
  auto rows = std::make_unique<table>(told(columns), where.extent());
  run(options, [&](const study::study_control& control) {
    compute_rows(*rows, columns, control, block, row_at);
  });
  return answer(std::move(rows), where);
}

// One table of the rows that the results of the points have, `rows_of` each: as many as there are,
// with `point` in `more`, the number of each row's.
template <class Row, class Result, class RowsOf = std::identity>
py::dict answer_list(const points& where, const study::row_description<Row>& columns,
                     const std::vector<Result>& of_points, py::dict more = {},
                     const RowsOf& rows_of = {}) {
  std::vector<const Row*> rows;
  std::vector<std::int64_t> point;
  for (std::size_t i = 0; i < of_points.size(); ++i) {
    for (const Row& row : std::invoke(rows_of, of_points[i])) {
      rows.push_back(&row);
      point.push_back(static_cast<std::int64_t>(i));
    }
  }
  auto result =
      std::make_unique<table>(told(columns), shape{static_cast<py::ssize_t>(rows.size())});
  result->fill(columns, 0, rows.size(), [&](std::size_t i) { return rows[i]; });
  more["point"] = py::array_t<std::int64_t>(static_cast<py::ssize_t>(point.size()), point.data());
  return answer(std::move(result), where, std::move(more));
}

// The same with an axis for the rows of a point, the last; missing rows at its end.
template <class Row, class Result, class RowsOf = std::identity>
py::dict answer_stack(const points& where, const study::row_description<Row>& columns,
                      const std::vector<Result>& of_points, py::dict more = {},
                      const RowsOf& rows_of = {}) {
  std::size_t most = 0;
  for (const Result& r : of_points) {
    most = std::max(most, std::invoke(rows_of, r).size());
  }
  shape extent = where.extent();
  extent.push_back(static_cast<py::ssize_t>(most));
  auto result = std::make_unique<table>(told(columns), std::move(extent));
  result->fill(columns, 0, result->size(), [&](std::size_t i) -> const Row* {
    const std::vector<Row>& rows = std::invoke(rows_of, of_points[i / most]);
    return i % most < rows.size() ? &rows[i % most] : nullptr;
  });
  return answer(std::move(result), where, std::move(more));
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
