// The questions that are runs in time: trajectory, simulate and validate.

#include <fmt/format.h>
#include <pybind11/stl.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <loradyn/error.hpp>
#include <loradyn/simulation/random.hpp>
#include <loradyn/study/resources.hpp>
#include <loradyn/study/simulate.hpp>
#include <loradyn/study/trajectory.hpp>
#include <loradyn/study/validation.hpp>
#include <loradyn/sweep/range.hpp>
#include <memory>

#include "question.hpp"

namespace loradyn::python {
namespace {

namespace registry = study::registry;

// A simulation's noise scale is made of its learning rate, batch and dimension.
constexpr std::array<const study::parameter*, 7> simulated_parameters{
    &registry::mu, &registry::nu, &registry::noise, &registry::lr_ratio,
    &registry::u0, &registry::m0, &registry::s0};

argument record_argument(int standard, const std::string& more = "") {
  return {"points", kinds::record,
          "how many times are recorded, evenly; 'log:N': N in geometric progression" + more,
          py::int_(standard)};
}

argument seed_argument() { return {"seed", kinds::whole, "of the random numbers", py::int_(0)}; }

argument engine_argument() {
  return {"engine", kinds::text,
          "'chain': the overlaps alone, exact in law at a cost that does not grow with d; 'sgd': "
          "all d dimensions",
          py::str(std::string(name_of(simulation_engines, simulation_engine::chain)))};
}

constexpr const char* validated_shape =
    "Every field is an array with an element for each comparison; `point` is the number of the "
    "element of the broadcast of the arguments, in C order, that it belongs to.";

// N, or "log:N".
struct record_count {
  std::uint64_t count = 0;
  bool logarithmic = false;
};
record_count record_count_of(const call& given, std::uint64_t most) {
  if (!py::isinstance<py::str>(given["points"])) {
    return {given.count("points", 2, most), false};
  }
  const std::string text = given.text("points");
  try {
    if (text.starts_with("log:")) {
      const double n = parse_number("points", text.substr(4));
      if (n >= 2.0 && n <= static_cast<double>(most) && n == std::floor(n)) {
        return {static_cast<std::uint64_t>(n), true};
      }
    }
  } catch (const argument_error&) {
  }
  throw argument_error("points", "'" + text + "'",
                       fmt::format("a whole number from 2 to {}, or 'log:N'", most));
}

// An array's element as a whole number.
std::uint64_t whole_of(const char* name, double value, std::uint64_t least, std::uint64_t most) {
  if (!(value >= static_cast<double>(least) && value <= static_cast<double>(most)) ||
      value != std::floor(value)) {
    throw argument_error(name, fmt::format("{}", value),
                         fmt::format("a whole number from {} to {}", least, most));
  }
  return static_cast<std::uint64_t>(value);
}

double positive_of(const char* name, double value) {
  if (!(value > 0.0)) {
    throw argument_error(name, fmt::format("{}", value), "> 0");
  }
  return value;
}

study::record_times record_times_of(const call& given) {
  study::record_times record;
  const py::handle value = given["points"];
  if (py::isinstance<py::sequence>(value) && !py::isinstance<py::str>(value)) {
    record.times = given.list("points");
    if (!std::is_sorted(record.times.begin(), record.times.end())) {
      throw argument_error("points", "not in order", "increasing times");
    }
    return record;
  }
  if (py::isinstance<py::array>(value) && py::cast<py::array>(value).ndim() > 0) {
    record.times = given.list("points");
    return record;
  }
  constexpr std::uint64_t most = 10'000'000;
  const record_count n = record_count_of(given, most);
  record.count = n.count;
  record.logarithmic = n.logarithmic;
  return record;
}

}  // namespace

question trajectory_question() {
  question q;
  q.name = "trajectory";
  q.title = "The overlaps and the risk in time.";
  q.text =
      "A run of the flow, or of the map of a finite learning rate, recorded at some times "
      "(docs/theory.md, sections 6 and 7). Where a run ends early its last elements are NaN; "
      "`complete` and `status` tell.";
  q.returned =
      "Every field has the shape of the broadcast of all arguments that are arrays, and the "
      "recorded times as its last axis.";
  q.example =
      ">>> r = ld.trajectory(\"erf\", mu=0.5, t_end=300)\n"
      ">>> r.t.shape, r.risk[-1] < 1e-12\n"
      "((201,), True)\n";
  q.arguments = joined(
      {pair_arguments(),
       arguments_of(run_parameters()),
       {{"t_end", kinds::numbers, "the end of the run, > 0", {}},
        record_argument(static_cast<int>(study::record_times{}.count), "; or the times"),
        {"method", kinds::text, "'flow', or 'map', of a finite learning rate", py::str("flow")},
        {"lr", kinds::numbers, "learning rate of the map", py::none()}},
       integrator_arguments(integration_options{}.step_limit),
       {time_unit_argument()},
       run_arguments()});
  q.columns = told(study::trajectory_columns());
  q.more = {{"complete", "whether the run came to its end"}, {"status", "how it ended"}};
  q.drawn = {"runs", {"u", "m", "risk"}};
  q.ask = [](const call& given) {
    const bool maps = given.text("method") == "map";
    if (!maps && given.text("method") != "flow") {
      throw argument_error("method", "'" + given.text("method") + "'", "flow or map");
    }
    if (maps != given.has("lr")) {
      throw argument_error(
          "lr", maps ? "None" : "given",
          maps ? "given: the map has a learning rate" : "left out, or given with method='map'");
    }
    std::vector<std::string> others{"t_end"};
    if (maps) {
      others.emplace_back("lr");
    }
    const points where(given, run_parameters(), others);
    const study::record_times record = record_times_of(given);
    const integration_options integrator = integrator_of(given);
    std::vector<study::trajectory_problem> problems;
    for (std::size_t i = 0; i < where.size(); ++i) {
      const study::activation_pair& pair = where.pair(i).pair();
      const study::parameter_point at = where.at(i);
      const lora_parameters& p = at.parameters;
      study::trajectory_problem problem{
          .protocol = {},
          .integrator = integrator,
          .end = positive_of("t_end", where.other(0, i)) / pair.rate_unit,
          .record = record,
          .rate_unit = pair.rate_unit};
      problem.integrator.end_time /= pair.rate_unit;
      problem.protocol.alignment = p.alignment;
      problem.protocol.misalignment = p.misalignment;
      problem.protocol.start = at.start;
      if (maps) {
        problem.protocol.method = tuning_method::map;
        problem.protocol.learning_rate = positive_of("lr", where.other(1, i));
      }
      problem.protocol.stages = {tuning_stage{where.pair(i).prepared().task, p.noise_scale,
                                              p.label_noise, p.rate_ratio, problem.end,
                                              std::nullopt}};
      problem.protocol.validate();
      problems.push_back(std::move(problem));
    }
    std::vector<study::trajectory_result> found(problems.size());
    run(run_options_of(given), [&](const study::study_control& control) {
      const auto done = study::run_sweep(control, problems.size(), 1, [&](std::size_t i) {
        found[i] = study::trajectory(problems[i]);
        check_stop();
        return true;
      });
      if (done.size() < problems.size()) {
        throw interrupted();
      }
    });
    std::vector<std::vector<study::trajectory_row>> rows;
    for (study::trajectory_result& r : found) {
      rows.push_back(std::move(r.rows));
    }
    py::dict more;
    more["complete"] = at_points<bool>(where.extent(), found.size(),
                                       [&](std::size_t i) { return found[i].complete; });
    more["status"] = texts_at_points(where.extent(), found.size(), [&](std::size_t i) {
      return to_string(found[i].stages.back().status);
    });
    return answer(stacked(study::trajectory_columns(), where.extent(), rows), where, more);
  };
  return q;
}

question simulate_question() {
  question q;
  q.name = "simulate";
  q.title = "Training at finite dimension and learning rate.";
  q.text =
      "An ensemble of runs of one-pass SGD (docs/theory.md, section 11), summarised at recorded "
      "times; with `event` or `at` a row for each run instead, with its hitting time. Numbers "
      "depend on the seed and on nothing else; the noise scale is γ = lr d/batch.";
  q.returned =
      "Every field has the shape of the broadcast of all arguments that are arrays, and as its "
      "last axis the recorded times or, with an event, the runs.";
  q.example =
      ">>> r = ld.simulate(\"erf\", mu=0.5, dim=1000, batch=20, lr=0.02, t_end=10, runs=8, "
      "points=3)\n"
      ">>> r.step.tolist(), r.u_mean.shape\n"
      "([0, 250, 500], (3,))\n"
      ">>> r.runs_u.shape\n"
      "(8, 3)\n";
  std::vector<argument> parameters = arguments_of(simulated_parameters);
  for (argument& a : parameters) {
    const auto standard = [&a](const char* otherwise) {
      a.meaning += std::string("; None: ") + otherwise;
      a.standard = py::none();
    };
    if (a.name == registry::u0.column()) {
      standard("1/d²");
    } else if (a.name == registry::m0.column()) {
      standard("v is uniform on the sphere");
    } else if (a.name == registry::s0.column()) {
      standard("0, or as that");
    }
  }
  argument dim = argument_of(registry::dim);
  dim.meaning = "the " + dim.meaning;
  q.arguments =
      joined({pair_arguments(),
              parameters,
              {dim,
               {"batch", kinds::numbers, "samples in a step", {}},
               {"lr", kinds::numbers, "learning rate of v; u's is lr_ratio times it", {}},
               {"steps", kinds::numbers, "steps of a run; None: t_end says", py::none()},
               {"t_end", kinds::numbers, "the length of a run in time, steps times lr", py::none()},
               {"runs", kinds::whole, "independent runs", py::int_(100)},
               engine_argument(),
               record_argument(101),
               {"event", kinds::text,
                "a row for each run, with the time of this: 'm', 'M' or 'risk'", py::none()},
               {"at", kinds::number, "the value it reaches; None: 0.5 for m", py::none()},
               {"signed", kinds::flag, "m or M itself, not its absolute value", py::bool_(false)},
               {"seed", kinds::numbers, "of the random numbers", py::int_(0)}},
              {time_unit_argument()},
              run_arguments()});
  q.columns = told(study::record_columns());
  q.more = {{"runs_u",
             "u of every run, an axis of runs before the last (at the event, or the "
             "last, where there is an event); NaN after a run diverged"},
            {"runs_m", "m likewise"},
            {"runs_s", "s likewise"},
            {"diverged_runs", "how many runs diverged"}};
  q.drawn = {"band", {"u", "m_abs", "risk"}};
  q.ask = [](const call& given) {
    if (given.has("steps") == given.has("t_end")) {
      throw argument_error("steps", given.has("steps") ? "given with t_end" : "None, as t_end",
                           "given, or t_end, the length of a run");
    }
    const bool by_steps = given.has("steps");
    const points where(given, simulated_parameters,
                       {"dim", "batch", "lr", by_steps ? "steps" : "t_end", "seed"});
    const bool by_event = given.has("event") || given.has("at");
    constexpr std::uint64_t largest = std::uint64_t{1} << 53;
    constexpr std::uint64_t most_points = 100'000'000;
    const std::uint64_t runs = given.count("runs", 1, random_runs - 1);
    const simulation_engine engine = given.choice("engine", simulation_engines);
    std::vector<study::simulate_problem> problems;
    for (std::size_t i = 0; i < where.size(); ++i) {
      const study::activation_pair& pair = where.pair(i).pair();
      const study::parameter_point at = where.at(i);
      const std::uint64_t d = whole_of("dim", where.other(0, i), 3, largest);
      const std::uint64_t batch = whole_of("batch", where.other(1, i), 1, largest);
      const double eta = positive_of("lr", where.other(2, i));
      std::uint64_t steps = 0;
      if (by_steps) {
        steps = whole_of("steps", where.other(3, i), 1, random_steps - 1);
      } else {
        const double count =
            std::ceil(positive_of("t_end", where.other(3, i)) / pair.rate_unit / eta - 1e-9);
        if (!(count >= 1.0 && count < static_cast<double>(random_steps))) {
          throw argument_error("t_end", fmt::format("{}", where.other(3, i)),
                               fmt::format("> 0 and less than {} steps", random_steps));
        }
        steps = static_cast<std::uint64_t>(count);
      }
      study::simulate_problem asked{
          .problem = make_problem(pair.risk.student(), pair.risk.teacher(), at.parameters, d, batch,
                                  eta, steps),
          .engine = engine,
          .plan = {},
          .runs = runs,
          .rate_unit = pair.rate_unit};
      asked.problem.seed = whole_of("seed", where.other(4, i), 0, max_seed);
      if (given.has("u0")) {
        asked.problem.start.u0 = at.start.u;
      }
      if (given.has("m0")) {
        asked.problem.start.m0 = at.start.m;
      }
      if (given.has("s0")) {
        asked.problem.start.s0 = at.start.s;
      }
      asked.problem.validate();
      asked.plan.risk = study::risk_of(pair.risk, at.parameters.label_noise);
      if (by_event) {
        overlap_event event;
        event.is_signed = given.flag("signed");
        if (given.has("event")) {
          event.quantity = given.choice("event", overlap_quantities);
        }
        if (!given.has("at") && event.quantity != overlap_quantity::m) {
          throw argument_error("at", "None",
                               "given: the value that " + given.text("event") + " reaches");
        }
        event.at = given.optional_number("at").value_or(event.at);
        event.validate();
        asked.plan.events = {study::simulated_event(event)};
        asked.plan.stop_after_events = true;
      } else {
        const record_count n = record_count_of(given, most_points);
        asked.plan.record =
            n.logarithmic ? logarithmic_record(steps, n.count) : linear_record(steps, n.count);
      }
      const auto extent = [](const char* name, double count) {
        return study::extent{name, fmt::format("{}", count), count, true};
      };
      study::require_simulation(
          {extent("runs", static_cast<double>(runs)),
           extent(by_steps ? "steps" : "t_end", by_event ? 1.0 : static_cast<double>(steps)),
           extent("batch", static_cast<double>(batch)), extent("dim", static_cast<double>(d)),
           engine == simulation_engine::sgd},
          static_cast<double>(where.size()));
      problems.push_back(std::move(asked));
    }
    std::vector<study::simulate_result> found(problems.size());
    const run_options options = run_options_of(given);
    run(options, [&](const study::study_control& control) {
      for (std::size_t i = 0; i < problems.size(); ++i) {
        ensemble_control own{.threads = options.threads};
        if (control.progress) {
          own.progress = [&, i](std::size_t, double share) {
            control.progress(i * runs + static_cast<std::size_t>(share * static_cast<double>(runs)),
                             problems.size() * runs);
          };
        }
        found[i] = study::simulate(problems[i], own);
        if (!found[i].done.complete()) {
          throw interrupted();
        }
      }
    });
    // The runs themselves: at each recorded step, or at their ends.
    std::size_t recorded = 1;
    for (const study::simulate_problem& p : problems) {
      recorded = std::max(recorded, p.plan.record.size());
    }
    shape extent = where.extent();
    extent.push_back(static_cast<py::ssize_t>(runs));
    if (!by_event) {
      extent.push_back(static_cast<py::ssize_t>(recorded));
    }
    py::dict more;
    const auto add = [&](const char* name, double simulated_state::*overlap) {
      py::array_t<double> all(extent);
      std::fill_n(all.mutable_data(), all.size(), std::numeric_limits<double>::quiet_NaN());
      double* out = all.mutable_data();
      for (const study::simulate_result& r : found) {
        for (const run_result& one : r.done.runs) {
          if (by_event) {
            const event_hit& hit = one.hits.front();
            *out++ = (hit.happened ? hit.state : one.last).*overlap;
            continue;
          }
          for (std::size_t k = 0; k < one.record.size(); ++k) {
            out[k] = one.record[k].*overlap;
          }
          out += recorded;
        }
      }
      more[name] = all;
    };
    add("runs_u", &simulated_state::u);
    add("runs_m", &simulated_state::m);
    add("runs_s", &simulated_state::s);
    more["diverged_runs"] =
        at_points<std::int64_t>(where.extent(), found.size(), [&](std::size_t i) {
          return std::count_if(
              found[i].done.runs.begin(), found[i].done.runs.end(),
              [](const run_result& one) { return one.outcome == run_outcome::diverged; });
        });
    if (by_event) {
      std::vector<std::vector<study::run_row>> rows;
      for (study::simulate_result& r : found) {
        rows.push_back(std::move(r.runs));
      }
      return answer(stacked(study::run_columns(), where.extent(), rows), where, more);
    }
    std::vector<std::vector<study::record_row>> rows;
    for (study::simulate_result& r : found) {
      rows.push_back(std::move(r.recorded));
    }
    return answer(stacked(study::record_columns(), where.extent(), rows), where, more);
  };
  return q;
}

question validate_question() {
  question q;
  q.name = "validate";
  q.title = "Theory and simulation side by side, with a verdict for each comparison.";
  q.text =
      "The ODE, or the map where `lr` is given, and the law of the escape time against ensembles "
      "at several dimensions (docs/theory.md, section 13).";
  q.returned = validated_shape;
  q.example =
      ">>> r = ld.validate(\"erf\", mu=0.5, gamma=1, dim=[300, 1000], runs=100, law_runs=0)\n"
      ">>> \"fail\" in r.verdict\n"
      "False\n";
  std::vector<argument> parameters = arguments_of(run_parameters());
  for (argument& a : parameters) {
    if (a.name == registry::gamma.column()) {
      a.meaning += ", > 0 here";
      a.standard = py::object();
    } else if (a.name == registry::m0.column()) {
      a.standard = py::float_(0.3);
    }
  }
  q.arguments = joined(
      {pair_arguments(),
       parameters,
       {{"dim", kinds::numbers, "the dimensions, one list for all", {}},
        {"batch", kinds::whole, "samples in a step; the learning rate is gamma batch/d",
         py::int_(16)},
        {"lr", kinds::number,
         "a learning rate instead: the theory is its map, the batch lr d/gamma", py::none()},
        {"t_end", kinds::number, "the time of the means; None: when the ODE meets the event",
         py::none()},
        {"points", kinds::whole, "times at which means are compared", py::int_(8)},
        {"runs", kinds::whole, "runs from m0 for the means", py::int_(400)},
        {"law_runs", kinds::whole, "runs from a random start for the law; None: runs", py::none()},
        {"alpha", kinds::number, "chance that a right theory fails, over all rows",
         py::float_(0.01)},
        engine_argument(),
        seed_argument()},
       event_arguments(overlap_quantity::m, "0.5 for m"),
       {time_unit_argument()},
       run_arguments()});
  q.columns = told(study::validation_columns());
  q.more = {{"point", "the element of the broadcast that a row belongs to"}};
  q.drawn = {"places", {"statistic"}};
  q.ask = [](const call& given) {
    const points where(given, run_parameters());
    std::vector<double> dimensions = given.list("dim");
    std::sort(dimensions.begin(), dimensions.end());
    dimensions.erase(std::unique(dimensions.begin(), dimensions.end()), dimensions.end());
    for (const double d : dimensions) {
      constexpr std::uint64_t largest = 9'000'000'000'000'000;
      whole_of("dim", d, 4, largest);
    }
    const overlap_event event = event_of(given);
    if (event.is_signed && event.quantity == overlap_quantity::m) {
      throw argument_error("signed", "True", "False: the law is that of both signs");
    }
    constexpr std::uint64_t most_runs = 10'000'000;
    const std::uint64_t runs = given.count("runs", 2, most_runs);
    const double alpha = given.number("alpha");
    if (!(alpha > 0.0 && alpha < 1.0)) {
      throw argument_error("alpha", fmt::format("{}", alpha), "between 0 and 1");
    }
    std::vector<study::validation_problem> problems;
    for (std::size_t i = 0; i < where.size(); ++i) {
      const study::activation_pair& pair = where.pair(i).pair();
      study::validation_problem problem{.pair = pair};
      problem.at = where.at(i);
      if (!(problem.at.parameters.noise_scale > 0.0)) {
        throw argument_error(registry::gamma.column(), "0", "> 0 here: a simulation has batches");
      }
      validate_start(problem.at.start);
      problem.event = event;
      problem.dimensions = dimensions;
      problem.batch = given.count("batch", 1, 1'000'000'000);
      if (given.has("lr")) {
        problem.learning_rate = given.positive("lr");
      }
      problem.points = given.count("points", 1, 10'000);
      problem.runs = runs;
      problem.law_runs = given.has("law_runs") ? given.count("law_runs", 0, most_runs) : runs;
      problem.significance = alpha;
      problem.engine = given.choice("engine", simulation_engines);
      problem.seed = given.count("seed", 0, max_seed);
      if (given.has("t_end")) {
        problem.t_end = given.positive("t_end") / pair.rate_unit;
      } else {
        const auto met = study::event_time(pair, problem.at, event);
        if (!met || !std::isfinite(*met)) {
          throw argument_error("t_end", "None",
                               met ? "given: the ODE does not reach the event"
                                   : "given: the start already meets the event");
        }
        problem.t_end = *met;
      }
      const auto extent = [](const char* name, double count) {
        return study::extent{name, fmt::format("{}", count), count, true};
      };
      for (const study::experiment& e : study::experiments_of(problem)) {
        study::require_simulation({extent("runs", static_cast<double>(runs)),
                                   extent("t_end", static_cast<double>(e.steps)),
                                   extent("batch", static_cast<double>(e.batch)),
                                   extent("dim", static_cast<double>(e.dimension)),
                                   problem.engine == simulation_engine::sgd});
      }
      problems.push_back(std::move(problem));
    }
    std::vector<std::vector<study::validation_row>> found;
    run(run_options_of(given), [&](const study::study_control& control) {
      for (std::size_t i = 0; i < problems.size(); ++i) {
        study::study_control own{control.threads, {}};
        if (control.progress) {
          own.progress = [&, i](std::size_t done, std::size_t total) {
            control.progress(i * total + done, problems.size() * total);
          };
        }
        study::validation_result r = study::validate(problems[i], own);
        if (!r.complete) {
          throw interrupted();
        }
        found.push_back(std::move(r.rows));
      }
    });
    auto [result, more] = listed(study::validation_columns(), found);
    return answer(std::move(result), where, more);
  };
  return q;
}

}  // namespace loradyn::python
