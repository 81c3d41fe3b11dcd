#include "question.hpp"

#include <fmt/format.h>
#include <pybind11/stl.h>

#include <loradyn/error.hpp>
#include <loradyn/study/escape.hpp>
#include <loradyn/version.hpp>

namespace loradyn::python {

namespace registry = study::registry;

std::vector<argument> run_arguments() {
  return {
      {"threads", kinds::whole, "threads to use; 0: all. Results don't depend on it", py::int_(0)},
      {"progress", kinds::progress,
       "True: a line on standard error; or a function, called with what is done and how much "
       "there is",
       py::bool_(false)}};
}

run_options run_options_of(const call& given) {
  constexpr std::uint64_t most_threads = 4096;
  run_options options{.threads = given.count("threads", 0, most_threads)};
  const py::handle progress = given["progress"];
  if (PyCallable_Check(progress.ptr()) != 0) {
    options.progress = py::reinterpret_borrow<py::object>(progress);
  } else if (given.flag("progress")) {
    options.progress = py::module_::import("loradyn._progress").attr("printed")();
  }
  return options;
}

std::vector<argument> integrator_arguments(std::size_t step_limit) {
  const integration_options standard;
  return {
      {"t_max", kinds::number, "the time after which a run is given up; None: none", py::none()},
      {"rtol", kinds::number, "relative tolerance of a step, 1e-13 to 0.1",
       py::float_(standard.relative_tolerance)},
      {"atol", kinds::number, "absolute tolerance of a step",
       py::float_(standard.absolute_tolerance)},
      {"stepper", kinds::text,
       "'auto', 'explicit' (Dormand-Prince) or 'stiff' (implicit Euler, extrapolated)",
       py::str("auto")},
      {"max_steps", kinds::whole, "steps after which a run is given up", py::int_(step_limit)}};
}

integration_options integrator_of(const call& given) {
  integration_options o;
  if (given.has("t_max")) {
    o.end_time = given.positive("t_max");
  }
  o.relative_tolerance = given.number("rtol");
  o.absolute_tolerance = given.number("atol");
  o.step_limit = given.count("max_steps", 1, UINT64_MAX / 2);
  o.method = given.choice("stepper", steppers);
  o.validate();
  return o;
}

std::vector<argument> event_arguments(overlap_quantity quantity, const std::string& at,
                                      bool of_network) {
  return {{"event", kinds::text,
           std::string("what tells the end of the search: 'm', 'M' or 'risk'") +
               (of_network ? network_events : ""),
           py::str(std::string(name_of(overlap_quantities, quantity)))},
          {"at", kinds::number, "the value it reaches; None: " + at, py::none()},
          {"signed", kinds::flag, "m or M itself, not its absolute value", py::bool_(false)}};
}

overlap_event event_of(const call& given) {
  overlap_event event;
  event.is_signed = given.flag("signed");
  event.quantity = given.choice("event", overlap_quantities);
  if (given.has("at")) {
    event.at = given.number("at");
  } else if (event.quantity != overlap_quantity::m) {
    throw argument_error("at", "None", "given: the value that " + given.text("event") + " reaches");
  }
  try {
    event.validate();
  } catch (const argument_error& e) {
    throw argument_error("at", e.value(), e.expected());
  }
  if (event.quantity == overlap_quantity::M && !event.is_signed && event.at < 0.0) {
    throw argument_error("at", fmt::format("{}", event.at), ">= 0 for |M|; signed takes M itself");
  }
  return event;
}

// The parameters of a run: those of the equations, and those of its start.
std::vector<const study::parameter*> run_parameters() {
  std::vector<const study::parameter*> all(study::model_parameters.begin(),
                                           study::model_parameters.end());
  all.insert(all.end(), study::start_parameters.begin(), study::start_parameters.end());
  return all;
}

void require_starts(const points& where) {
  for (std::size_t i = 0; i < where.size(); ++i) {
    validate_start(where.at(i).start);
  }
}

// The dimension of the law, which may be left out.
argument law_dimension() {
  argument dim = argument_of(registry::dim);
  dim.meaning = "the law of the escape time over random starts in this " + dim.meaning +
                ", u0 = 1/d²; None: it is not asked for";
  dim.standard = py::none();
  return dim;
}

argument quantiles_argument() {
  py::list standard;
  for (const double q : study::escape_request{}.quantiles) {
    standard.append(q);
  }
  return {"quantiles", kinds::numbers, "of that law", py::tuple(standard)};
}

std::vector<double> quantiles_of(const call& given) {
  std::vector<double> quantiles = given.list("quantiles");
  for (const double q : quantiles) {
    if (!(q > 0.0 && q < 1.0)) {
      throw argument_error("quantiles", fmt::format("{}", q), "between 0 and 1");
    }
  }
  return quantiles;
}

std::vector<argument> joined(std::vector<std::vector<argument>> groups) {
  std::vector<argument> all;
  for (std::vector<argument>& group : groups) {
    for (argument& a : group) {
      all.push_back(std::move(a));
    }
  }
  return all;
}

py::dict answer(std::unique_ptr<table> rows, const points& where, py::dict more) {
  py::dict result;
  result["table"] = py::cast(std::move(rows));
  result["varying"] = where.varying();
  result["extent"] = py::tuple(py::cast(where.extent()));
  result["more"] = std::move(more);
  return result;
}

}  // namespace loradyn::python
