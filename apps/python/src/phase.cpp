// The question phase: a diagram over two parameters.

#include <fmt/format.h>
#include <pybind11/stl.h>

#include <loradyn/error.hpp>
#include <loradyn/simulation/random.hpp>
#include <loradyn/study/phase.hpp>
#include <memory>

#include "networks.hpp"
#include "question.hpp"

namespace loradyn::python {
namespace {

namespace registry = study::registry;

// "PARAM=R" as the program takes it, or (PARAM, values).
study::axis_request axis_of(const call& given, const char* name) {
  const py::handle value = given[name];
  if (py::isinstance<py::str>(value)) {
    return study::read_axis(name, value.cast<std::string>());
  }
  if (!py::isinstance<py::tuple>(value) || py::len(value) != 2 ||
      !py::isinstance<py::str>(value[py::int_(0)])) {
    throw py::type_error(fmt::format(
        "{} is {}, but must be a str such as 'mu=0.1:0.9:33', or a parameter's name and its values",
        name, py::repr(value).cast<std::string>()));
  }
  std::string parameter = py::cast<std::string>(value[py::int_(0)]);
  for (const study::parameter* p : study::all_parameters) {
    parameter = parameter == p->column() ? std::string(p->name) : parameter;
  }
  for (const study::parameter* p : study::layout_parameters) {
    parameter = parameter == p->column() ? std::string(p->name) : parameter;
  }
  study::axis_request axis{std::move(parameter), {}};
  const numbers values(name, value[py::int_(1)]);
  axis.values.list.assign(values.begin(), values.end());
  return axis;
}

study::ensemble_request ensemble_of(const call& given) {
  using study::ensemble_request;
  ensemble_request e;
  e.engine = given.choice("engine", simulation_engines);
  e.batch = given.count("batch", 1, ensemble_request::max_batch);
  if (given.has("lr")) {
    e.learning_rate = given.positive("lr");
  }
  e.runs = given.count("runs", 1, ensemble_request::max_runs);
  e.steps = given.count("steps", 1, random_steps - 1);
  e.seed = given.count("seed", 0, max_seed);
  return e;
}

study::phase_problem problem_of(const call& given) {
  study::phase_problem p;
  p.student = given.text("student");
  p.teacher = given.has("teacher") ? given.text("teacher") : "";
  p.unit = given.choice("time_unit", study::time_units);
  const std::string only = given.text("only");
  if (only != "escape" && only != "tau") {
    throw argument_error("only", "'" + only + "'", "tau, or escape for all of it");
  }
  p.tau_only = only == "tau";
  p.has_alignment = given.has(registry::mu.column());
  std::vector<const study::parameter*> parameters = run_parameters();
  parameters.push_back(&registry::dim);
  for (const study::parameter* q : parameters) {
    const std::string name = q->column();
    if (!given.has(name)) {
      continue;
    }
    const double value = given.number(name);
    if (!q->allows(value)) {
      throw argument_error(name, fmt::format("{}", value), "a number " + q->range());
    }
    q->set(p.otherwise, value);
  }
  p.x = axis_of(given, "x");
  p.y = axis_of(given, "y");
  const auto over_sizes = [](const study::axis_request& axis) {
    return study::layout_parameter_named(axis.parameter) != nullptr;
  };
  if (given.asks_network() || over_sizes(p.x) || over_sizes(p.y)) {
    std::vector<std::string> axes;
    for (const study::axis_request* axis : {&p.x, &p.y}) {
      const study::parameter* q = study::layout_parameter_named(axis->parameter);
      axes.push_back(q != nullptr ? q->column() : axis->parameter);
    }
    p.network = phase_network_of(given, axes, p.otherwise);
  } else {
    p.request.event = event_of(given);
  }
  p.request.integrator = integrator_of(given);
  p.request.quantiles = quantiles_of(given);
  if (given.has("engine")) {
    p.ensemble = ensemble_of(given);
  }
  p.levels = static_cast<unsigned>(given.count("refine", 0, study::max_levels));
  p.refine_step = given.positive("refine_step");
  return p;
}

// Where the cells of a diagram are, and what its axes are called.
py::dict places_of(const study::phase_grid& grid, const std::vector<study::phase_row>& refined) {
  py::dict more;
  for (std::size_t a = 0; a < 2; ++a) {
    const study::phase_axis& axis = grid.axes()[a];
    std::vector<double> values = axis.values;
    if (grid.problem().levels > 0) {
      values.clear();
      for (const study::phase_row& row : refined) {
        values.push_back(grid.value_on(a, row));
      }
    }
    const char* name = a == 0 ? "x" : "y";
    more[name] = py::array_t<double>(static_cast<py::ssize_t>(values.size()), values.data());
    more[fmt::format("{}_name", name).c_str()] =
        axis.what != nullptr ? axis.what->column() : axis.name;
  }
  return more;
}

}  // namespace

namespace {

// What a diagram has of a network: one number where other questions have arrays of them.
std::vector<argument> network_numbers() {
  std::vector<argument> all = joined({network_arguments(), network_start_arguments(false)});
  all.push_back({"forgotten", kinds::number,
                 "a run that learned has the outcome 'forgotten' where the risk on the source then "
                 "is beyond this; None: it has not",
                 py::none()});
  for (argument& a : all) {
    a.type = a.type == kinds::numbers ? kinds::number : a.type;
    a.of_network = true;
  }
  return all;
}

}  // namespace

question phase_question() {
  question q;
  q.name = "phase";
  q.title = "A diagram over two parameters, with all that escape computes in each cell.";
  q.text =
      "An axis is a parameter, or one in braces in an activation, with its values: "
      "x='mu=0.05:0.95:96', as the program takes it, or x=('mu', values), increasing. With "
      "`engine` an ensemble is simulated in every cell, which adds its columns; of a function of "
      "Python the same map is that of `escape` with arrays.";
  q.returned =
      "Every field has the shape (values of y, values of x); with `refine` it has an element for "
      "each cell, those of the grid first.";
  q.example =
      ">>> r = ld.phase(\"he3+{a}*he5\", x=(\"mu\", [0.2, 0.5, 0.8]), y=(\"a\", [-0.1, 0.1]))\n"
      ">>> r.outcome.tolist()\n"
      "[['unlearned', 'learned', 'learned'], ['unlearned', 'learned', 'learned']]\n";
  std::vector<argument> parameters = arguments_of(run_parameters());
  parameters.front().meaning += "; None: it is on an axis";
  parameters.front().standard = py::none();
  for (argument& a : parameters) {
    a.type = kinds::number;
  }
  argument dim = law_dimension();
  dim.type = kinds::number;
  const study::phase_problem standard;
  const study::ensemble_request ensemble;
  q.arguments = joined(
      {{{"student", kinds::text, "the student's activation; {a} in it is a parameter", {}},
        {"teacher", kinds::text, "the teacher's; None: the student's", py::none()},
        {"x", kinds::axis, "the horizontal parameter and its values", {}},
        {"y", kinds::axis, "the vertical one", {}}},
       parameters,
       {{"only", kinds::text, "'tau': the search time alone, without a run; 'escape': all",
         py::str("escape")},
        {"refine", kinds::whole,
         "halve the steps of the grid so often, where neighbours differ in outcome or time",
         py::int_(standard.levels)},
        {"refine_step", kinds::number, "decades of time between neighbours that are not refined",
         py::float_(standard.refine_step)}},
       event_arguments(overlap_quantity::m, "0.5 for m", true),
       network_numbers(),
       {dim,
        quantiles_argument(),
        {"engine", kinds::text, "'chain' or 'sgd': simulate an ensemble in every cell", py::none()},
        {"batch", kinds::whole, "samples in a step of a simulated run", py::int_(ensemble.batch)},
        {"lr", kinds::number,
         "learning rate of simulated runs, which γ is made of; None: gamma batch/dim", py::none()},
        {"runs", kinds::whole, "simulated runs in a cell", py::int_(ensemble.runs)},
        {"steps", kinds::whole, "steps after which a simulated run is given up",
         py::int_(ensemble.steps)},
        {"seed", kinds::whole, "of the random numbers", py::int_(ensemble.seed)}},
       integrator_arguments(study::row_step_limit),
       {time_unit_argument()},
       run_arguments()});
  q.columns = told(study::escape_columns(std::nullopt));
  q.more = {{"x", "the values along the last axis, or of each cell"},
            {"y", "those along the first, or of each cell"},
            {"x_name", "what x is"},
            {"y_name", "what y is"}};
  q.of_network = {{"samples_hit", "seen until the event: t d/γ"},
                  {"M_mean_end", "mean over the neurons of the overlap with their own target"},
                  {"source_risk_end", "risk on the source task"}};
  q.drawn = {"map", {"t_hit", "tau"}};
  q.ask = [](const call& given) {
    std::unique_ptr<const study::phase_grid> grid;
    std::unique_ptr<table> rows;
    std::vector<study::phase_row> waiting;
    const run_options options = run_options_of(given);
    study::phase_problem problem = problem_of(given);
    run(options, [&](const study::study_control& control) {
      grid = std::make_unique<const study::phase_grid>(std::move(problem));
      const auto& columns = grid->columns();
      const bool refined = grid->problem().levels > 0;
      const auto total = static_cast<std::size_t>(grid->cells());
      if (!refined) {
        rows = std::make_unique<table>(
            told(columns), shape{static_cast<py::ssize_t>(grid->axes()[1].values.size()),
                                 static_cast<py::ssize_t>(grid->axes()[0].values.size())});
      }
      std::size_t written = 0;
      const auto flush = [&] {
        rows->fill(columns, written, waiting.size(),
                   [&](std::size_t i) { return &waiting[i - written]; });
        written += waiting.size();
        waiting.clear();
      };
      constexpr std::size_t block = 1024;
      const std::uint64_t taken = study::phase(*grid, control, [&](study::phase_row row) {
        waiting.push_back(std::move(row));
        if (!refined && waiting.size() == block) {
          flush();
        }
      });
      check_stop();
      if (refined) {
        rows = std::make_unique<table>(told(columns), shape{static_cast<py::ssize_t>(taken)});
        rows->fill(columns, 0, waiting.size(), [&](std::size_t i) { return &waiting[i]; });
      } else {
        flush();
        if (written < total) {
          throw interrupted();
        }
      }
    });
    py::dict more = places_of(*grid, waiting);
    py::dict result;
    result["extent"] = py::tuple(py::cast(rows->extent()));
    result["table"] = py::cast(std::move(rows));
    result["varying"] = py::dict();
    result["more"] = std::move(more);
    return result;
  };
  return q;
}

}  // namespace loradyn::python
