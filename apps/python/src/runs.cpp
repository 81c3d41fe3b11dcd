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

#include "networks.hpp"
#include "runs.hpp"
#include "stages.hpp"

namespace loradyn::python {
namespace {

namespace registry = study::registry;

// A simulation's noise scale is made of its learning rate, batch and dimension.
constexpr std::array<const study::parameter*, 7> simulated_parameters{
    &registry::mu, &registry::nu, &registry::noise, &registry::lr_ratio,
    &registry::u0, &registry::m0, &registry::s0};

argument seed_argument() { return {"seed", kinds::whole, "of the random numbers", py::int_(0)}; }

argument engine_argument() {
  return {"engine", kinds::text,
          "'chain': the overlaps alone, exact in law at a cost that does not grow with d; 'sgd': "
          "all d dimensions",
          py::str(std::string(name_of(simulation_engines, simulation_engine::chain)))};
}

// Pre-training sets μ and ν, and nothing else does.
void require_pretrained(const call& given, const training_protocol& protocol) {
  const bool pretrains = std::holds_alternative<pretraining_stage>(protocol.stages.front());
  if (pretrains) {
    given.require_left_out({"mu", "nu"}, "the first stage pre-trains");
  } else if (!given.has("mu")) {
    throw argument_error("mu", "None", "given: no stage pre-trains");
  }
}

constexpr const char* validated_shape =
    "Every field is an array with an element for each comparison; `point` is the number of the "
    "element of the broadcast of the arguments, in C order, that it belongs to.";

}  // namespace

argument record_argument(int standard, const std::string& more) {
  return {"points", kinds::record,
          "how many times are recorded, evenly; 'log:N': N in geometric progression" + more,
          py::int_(standard)};
}

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

bool asks_map(const call& given) {
  const bool maps = given.text("method") == "map";
  if (!maps && given.text("method") != "flow") {
    throw argument_error("method", "'" + given.text("method") + "'", "flow or map");
  }
  if (maps != given.has("lr")) {
    throw argument_error(
        "lr", maps ? "None" : "given",
        maps ? "given: the map has a learning rate" : "left out, or given with method='map'");
  }
  return maps;
}

std::vector<std::string> simulated_numbers() {
  return {"dim", "batch", "lr", "steps", "t_end", "seed"};
}

bool asks_event(const call& given) { return given.has("event") || given.has("at"); }

std::uint64_t simulated_runs(const call& given) { return given.count("runs", 1, random_runs - 1); }

simulated_run simulated_at(const call& given, const points& where, std::size_t i,
                           std::optional<std::uint64_t> staged) {
  require_stages_alone(given, {"lr", "steps", "t_end", "noise", "lr_ratio"});
  if (!staged && given.has("steps") == given.has("t_end")) {
    throw argument_error("steps", given.has("steps") ? "given with t_end" : "None, as t_end",
                         "given, or t_end, the length of a run");
  }
  constexpr std::uint64_t largest = std::uint64_t{1} << 53;
  constexpr std::uint64_t most_points = 100'000'000;
  simulated_run r;
  r.dimension = whole_of("dim", where.other("dim", i), 3, largest);
  r.batch = whole_of("batch", where.other("batch", i), 1, largest);
  if (!staged) {
    r.learning_rate = positive_of("lr", where.other("lr", i));
  }
  r.seed = whole_of("seed", where.other("seed", i), 0, max_seed);
  const bool by_steps = given.has("steps");
  if (staged) {
    if (!(*staged < random_steps)) {
      throw argument_error("stages", fmt::format("of {} steps", *staged),
                           fmt::format("of less than {} steps", random_steps));
    }
    r.steps = *staged;
  } else if (by_steps) {
    r.steps = whole_of("steps", where.other("steps", i), 1, random_steps - 1);
  } else {
    const double end = positive_of("t_end", where.other("t_end", i));
    const double count = std::ceil(end / where.pair(i).pair().rate_unit / r.learning_rate - 1e-9);
    if (!(count >= 1.0 && count < static_cast<double>(random_steps))) {
      throw argument_error("t_end", fmt::format("{}", end),
                           fmt::format("> 0 and less than {} steps", random_steps));
    }
    r.steps = static_cast<std::uint64_t>(count);
  }
  const bool by_event = asks_event(given);
  if (!by_event) {
    const record_count n = record_count_of(given, most_points);
    r.record =
        n.logarithmic ? logarithmic_record(r.steps, n.count) : linear_record(r.steps, n.count);
  }
  const auto extent = [](const char* name, double count) {
    return study::extent{name, fmt::format("{}", count), count, true};
  };
  study::require_simulation({extent("runs", static_cast<double>(simulated_runs(given))),
                             extent(staged     ? "stages"
                                    : by_steps ? "steps"
                                               : "t_end",
                                    by_event ? 1.0 : static_cast<double>(r.steps)),
                             extent("batch", static_cast<double>(r.batch)),
                             extent("dim", static_cast<double>(r.dimension)),
                             given.choice("engine", simulation_engines) == simulation_engine::sgd},
                            static_cast<double>(where.size()));
  return r;
}

study::validation_problem validation_of(const call& given, const study::activation_pair& pair,
                                        const study::parameter_point& at) {
  study::validation_problem problem{.pair = pair};
  problem.at = at;
  if (!(at.parameters.noise_scale > 0.0)) {
    throw argument_error(registry::gamma.column(), "0", "> 0 here: a simulation has batches");
  }
  problem.dimensions = given.list("dim");
  std::vector<double>& dimensions = problem.dimensions;
  std::sort(dimensions.begin(), dimensions.end());
  dimensions.erase(std::unique(dimensions.begin(), dimensions.end()), dimensions.end());
  for (const double d : dimensions) {
    constexpr std::uint64_t largest = 9'000'000'000'000'000;
    whole_of("dim", d, 4, largest);
  }
  problem.batch = given.count("batch", 1, 1'000'000'000);
  if (given.has("lr")) {
    problem.learning_rate = given.positive("lr");
  }
  problem.points = given.count("points", 1, 10'000);
  constexpr std::uint64_t most_runs = 10'000'000;
  problem.runs = given.count("runs", 2, most_runs);
  problem.law_runs = given.has("law_runs") ? given.count("law_runs", 0, most_runs) : problem.runs;
  problem.significance = given.number("alpha");
  if (!(problem.significance > 0.0 && problem.significance < 1.0)) {
    throw argument_error("alpha", fmt::format("{}", problem.significance), "between 0 and 1");
  }
  problem.engine = given.choice("engine", simulation_engines);
  problem.seed = given.count("seed", 0, max_seed);
  return problem;
}

void require_experiments(const study::validation_problem& problem) {
  const auto extent = [](const char* name, double count) {
    return study::extent{name, fmt::format("{}", count), count, true};
  };
  for (const study::experiment& e : study::experiments_of(problem)) {
    study::require_simulation({extent("runs", static_cast<double>(problem.runs)),
                               extent("t_end", static_cast<double>(e.steps)),
                               extent("batch", static_cast<double>(e.batch)),
                               extent("dim", static_cast<double>(e.dimension)),
                               problem.engine == simulation_engine::sgd});
  }
}

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
       beside_network(arguments_of(run_parameters()), "network or stages"),
       {{"t_end", kinds::numbers, "the end of the run, > 0", {}, "stages"},
        stages_argument("teacher, gamma, noise, label, lr_ratio, time, until, at, signed, or flip; "
                        "the first also pretrain, rho, a0, q0, until_risk; of a network on and "
                        "decay"),
        record_argument(static_cast<int>(study::record_times{}.count), "; or the times"),
        {"method", kinds::text, "'flow', or 'map', of a finite learning rate", py::str("flow")},
        {"lr", kinds::numbers, "learning rate of the map", py::none()}},
       network_arguments(),
       network_start_arguments(true),
       {network_seed_argument()},
       integrator_arguments(integration_options{}.step_limit),
       {time_unit_argument()},
       run_arguments()});
  q.columns = told(study::trajectory_columns());
  q.more = {{"complete", "whether the run came to its end"},
            {"status", "how it ended"},
            {"stage_end", "when each stage ended, an axis of stages last"},
            {"stage_status", "and by what"}};
  q.of_network = network_fields();
  q.of_network.emplace_back("noise_method", "how the noise of the gradient was averaged");
  q.of_network.emplace_back("noise_error", "and its error, beside the trace of the noise");
  q.drawn = {"runs", {"u", "m", "risk"}};
  q.ask = [](const call& given) {
    if (given.asks_network()) {
      return network_trajectory(given);
    }
    given.require_left_out({"seed"}, "it is that of a network's start");
    const bool maps = asks_map(given);
    require_stages_alone(given, {"gamma", "noise", "lr_ratio"});
    const points where(given, run_parameters(), {"t_end", "lr"});
    const study::stage_list stages = stages_from(given);
    const study::record_times record = record_times_of(given);
    const integration_options integrator = integrator_of(given);
    std::vector<study::trajectory_problem> problems;
    for (std::size_t i = 0; i < where.size(); ++i) {
      const study::activation_pair& pair = where.pair(i).pair();
      const study::parameter_point at = where.at(i);
      const lora_parameters& p = at.parameters;
      study::trajectory_problem problem{.protocol = {},
                                        .integrator = integrator,
                                        .end = {},
                                        .record = record,
                                        .rate_unit = pair.rate_unit};
      if (given.has("t_end")) {
        problem.end = positive_of("t_end", where.other("t_end", i)) / pair.rate_unit;
      }
      problem.integrator.end_time /= pair.rate_unit;
      problem.protocol.alignment = p.alignment;
      problem.protocol.misalignment = p.misalignment;
      problem.protocol.start = at.start;
      if (maps) {
        problem.protocol.method = tuning_method::map;
        problem.protocol.learning_rate = positive_of("lr", where.other("lr", i));
      }
      if (stages.empty()) {
        problem.protocol.stages = {tuning_stage{where.pair(i).prepared().task, p.noise_scale,
                                                p.label_noise, p.rate_ratio, problem.end,
                                                std::nullopt}};
      } else {
        problem.protocol.stages = study::stages_of(stages, pair, 1.0 / pair.rate_unit);
        require_pretrained(given, problem.protocol);
      }
      problem.protocol.validate();
      problems.push_back(std::move(problem));
    }
    const auto found = of_points(given, problems.size(), 1, [&](std::size_t i) {
      auto run = study::trajectory(problems[i]);
      check_stop();
      return run;
    });
    py::dict more;
    more["complete"] = at_points<bool>(where.extent(), found.size(),
                                       [&](std::size_t i) { return found[i].complete; });
    more["status"] = texts_at_points(where.extent(), found.size(), [&](std::size_t i) {
      return to_string(found[i].stages.back().status);
    });
    std::vector<std::vector<stage_summary>> summaries;
    for (const study::trajectory_result& run : found) {
      summaries.push_back(run.stages);
    }
    tell_stages(more, where.extent(), std::max<std::size_t>(stages.size(), 1), summaries);
    return answer_stack(where, study::trajectory_columns(), found, more,
                        &study::trajectory_result::rows);
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
              beside_network(parameters),
              {dim,
               {"batch", kinds::numbers, "samples in a step", {}},
               {"lr", kinds::numbers, "learning rate of v; u's is lr_ratio times it", {}, "stages"},
               {"steps", kinds::numbers, "steps of a run; None: t_end says", py::none()},
               stages_argument("lr and steps or time, teacher, noise, label, lr_ratio, or flip; of "
                               "a network on and decay"),
               {"t_end", kinds::numbers, "the length of a run in time, steps times lr", py::none()},
               {"runs", kinds::whole, "independent runs", py::int_(100)},
               engine_argument(),
               record_argument(101),
               {"event", kinds::text,
                std::string("a row for each run, with the time of this: 'm', 'M' or 'risk'") +
                    network_events,
                py::none()},
               {"at", kinds::number, "the value it reaches; None: 0.5 for m", py::none()},
               {"signed", kinds::flag, "m or M itself, not its absolute value", py::bool_(false)},
               {"seed", kinds::numbers, "of the random numbers", py::int_(0)}},
              network_arguments(),
              network_start_arguments(false),
              {time_unit_argument()},
              run_arguments()});
  q.columns = told(study::record_columns());
  q.more = {{"runs_u",
             "u of every run, an axis of runs before the last (at the event, or the "
             "last, where there is an event); NaN after a run diverged"},
            {"runs_m", "m likewise"},
            {"runs_s", "s likewise"},
            {"diverged_runs", "how many runs diverged"}};
  q.of_network = network_summary_fields();
  q.drawn = {"band", {"u", "m_abs", "risk"}};
  q.ask = [](const call& given) {
    if (given.asks_network()) {
      return network_simulate(given);
    }
    const points where(given, simulated_parameters, simulated_numbers());
    const study::stage_list stages = stages_from(given);
    const bool by_event = asks_event(given);
    const std::uint64_t runs = simulated_runs(given);
    const simulation_engine engine = given.choice("engine", simulation_engines);
    std::vector<study::simulate_problem> problems;
    for (std::size_t i = 0; i < where.size(); ++i) {
      const study::activation_pair& pair = where.pair(i).pair();
      const study::parameter_point at = where.at(i);
      std::vector<simulation_stage> staged;
      std::optional<std::uint64_t> all_steps;
      if (!stages.empty()) {
        staged = study::simulation_stages_of(stages, pair, 1.0 / pair.rate_unit);
        all_steps = 0;
        for (const simulation_stage& stage : staged) {
          *all_steps += stage.steps;
        }
      }
      const simulated_run run = simulated_at(given, where, i, all_steps);
      const double rate = staged.empty() ? run.learning_rate : staged.back().learning_rate;
      study::simulate_problem asked{
          .problem = make_problem(pair.risk.student(), pair.risk.teacher(), at.parameters,
                                  run.dimension, run.batch, rate, run.steps),
          .engine = engine,
          .plan = {},
          .runs = runs,
          .rate_unit = pair.rate_unit};
      if (!staged.empty()) {
        asked.problem.stages = std::move(staged);
      }
      asked.problem.seed = run.seed;
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
      asked.plan.risk = study::risk_of(pair.risk, asked.problem.stages.back().label_noise);
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
        asked.plan.record = run.record;
      }
      problems.push_back(std::move(asked));
    }
    const auto found =
        in_turn(given, problems.size(), [&](std::size_t i, const study::study_control& control) {
          return complete_ensemble(
              control, runs, [&](const auto& own) { return study::simulate(problems[i], own); });
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
      return answer_stack(where, study::run_columns(), found, more, &study::simulate_result::runs);
    }
    return answer_stack(where, study::record_columns(), found, more,
                        &study::simulate_result::recorded);
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
       beside_network(parameters),
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
       event_arguments(overlap_quantity::m, "0.5 for m", true),
       network_arguments(false),
       {network_start_arguments(false).back()},
       {time_unit_argument()},
       run_arguments()});
  q.columns = told(study::validation_columns());
  q.more = {{"point", "the element of the broadcast that a row belongs to"}};
  q.drawn = {"places", {"statistic"}};
  q.ask = [](const call& given) {
    if (given.asks_network()) {
      return network_validate(given);
    }
    const points where(given, run_parameters());
    const overlap_event event = event_of(given);
    if (event.is_signed && event.quantity == overlap_quantity::m) {
      throw argument_error("signed", "True", "False: the law is that of both signs");
    }
    std::vector<study::validation_problem> problems;
    for (std::size_t i = 0; i < where.size(); ++i) {
      const study::activation_pair& pair = where.pair(i).pair();
      const study::parameter_point at = where.at(i);
      validate_start(at.start);
      study::validation_problem problem = validation_of(given, pair, at);
      problem.event = event;
      problem.t_end =
          validation_end(given, pair.rate_unit, [&] { return study::event_time(pair, at, event); });
      require_experiments(problem);
      problems.push_back(std::move(problem));
    }
    return answer_validation(given, where, problems);
  };
  return q;
}

}  // namespace loradyn::python
