// The questions that are asked point by point: rates, critical, escape, fixed_points and budget.

#include <fmt/format.h>
#include <pybind11/stl.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <loradyn/dynamics/overlap_event.hpp>
#include <loradyn/error.hpp>
#include <loradyn/study/budget.hpp>
#include <loradyn/study/critical.hpp>
#include <loradyn/study/escape.hpp>
#include <loradyn/study/fixed_points.hpp>
#include <loradyn/study/network_fixed_points.hpp>
#include <loradyn/study/rates.hpp>
#include <memory>

#include "networks.hpp"
#include "question.hpp"

namespace loradyn::python {
namespace {

namespace registry = study::registry;

constexpr double nan = std::numeric_limits<double>::quiet_NaN();

constexpr const char* broadcast_shape =
    "Every field has the shape of the broadcast of all arguments that are arrays.";
constexpr const char* list_shape =
    "Every field is an array with an element for each row; `point` is the number of the element "
    "of the broadcast of the arguments, in C order, that a row belongs to.";

}  // namespace

question rates_question() {
  question q;
  q.name = "rates";
  q.title = "How long the search phase lasts: A, B, C, λ₊ and τ.";
  q.text =
      "A near-zero adapter grows like e^{λ₊t}, and the search takes τ = 1/λ₊ (docs/theory.md, "
      "section 4): λ₊ is the positive root of λ(λ + 2κR_Q) = κ(A² + C²), written with B. 0.1 to "
      "0.5 µs a point for polynomials, erf and ReLU, 2 to 25 µs for others.";
  q.returned = broadcast_shape;
  q.example =
      ">>> r = ld.rates(\"he3\", mu=[0.2, 0.5, 0.8])\n"
      ">>> r.tau.round(6)\n"
      "array([11.866062,  0.501981,  0.163771])\n"
      ">>> ld.rates([[\"erf\"], [\"relu\"]], mu=np.linspace(0.1, 0.9, 9)).tau.shape\n"
      "(2, 9)\n";
  q.arguments = joined({pair_arguments(),
                        beside_network(arguments_of(study::model_parameters)),
                        network_arguments(),
                        {time_unit_argument()},
                        run_arguments()});
  q.columns = told(study::rates_columns());
  q.of_network = network_rates_fields();
  q.drawn = {"curves", {"tau"}};
  q.ask = [](const call& given) {
    if (given.asks_network()) {
      return network_rates(given);
    }
    static const auto columns = study::rates_columns();
    const points where(given, study::model_parameters);
    constexpr std::size_t block = 1024;
    constexpr std::size_t few = 64;
    return answer_points(
        given, where, columns, block,
        [&](std::size_t i) { return study::rates_at(where.pair(i).pair(), where.at(i)); }, few);
  };
  return q;
}

question critical_question() {
  question q;
  q.name = "critical";
  q.title = "The alignments at which the search loses its drive: every root of A.";
  q.text =
      "The roots of A(μ) inside an interval, whose ends are left out (docs/theory.md, section 5). "
      "At one with B < 0 and ν = 0 the search time diverges, τ ≈ |B|/(slope² (μ - μ_c)²).";
  q.returned = list_shape;
  q.example =
      ">>> ld.critical([\"he3\", \"he10\"]).mu_c.round(8)\n"
      "array([0.32072435, 0.3967893 , 0.57320102])\n";
  static constexpr std::array used{&registry::nu, &registry::lr_ratio};
  q.arguments =
      joined({pair_arguments(),
              {{"mu", kinds::interval, "the interval (lo, hi) of μ", py::make_tuple(0.0, 1.0)}},
              arguments_of(used),
              network_arguments(),
              {time_unit_argument()},
              run_arguments()});
  q.of_network = network_critical_fields();
  q.columns = told(study::critical_columns());
  q.more = {{"point", "the element of the broadcast that a row belongs to"},
            {"unresolved",
             "(point, lo, hi) of each piece of an interval on which A can't be "
             "followed"}};
  q.drawn = {"places", {"mu_c"}};
  q.ask = [](const call& given) {
    const std::vector<double> range = given.list("mu");
    if (range.size() != 2) {
      throw argument_error("mu", fmt::format("of {} numbers", range.size()), "a pair (lo, hi)");
    }
    if (given.asks_network()) {
      return network_critical(given, range[0], range[1]);
    }
    const points where(given, used);
    const auto found = of_points(given, where.size(), 1, [&](std::size_t i) {
      auto roots = study::critical({{where.pair(i).pair()}, where.at(i), {range[0], range[1]}}, {});
      if (!roots.finished) {
        throw interrupted();
      }
      return roots;
    });
    py::list unresolved;
    for (std::size_t i = 0; i < found.size(); ++i) {
      for (const auto& piece : found[i].unresolved) {
        unresolved.append(py::make_tuple(i, piece.lo, piece.hi));
      }
    }
    py::dict more;
    more["unresolved"] = unresolved;
    return answer_list(where, study::critical_columns(), found, more,
                       &study::critical_result::rows);
  };
  return q;
}

question escape_question() {
  question q;
  q.name = "escape";
  q.title = "When the search ends, and where the run does.";
  q.text =
      "A run of the flow from (u0, m0, s0) to an event and on to its rest (docs/theory.md, "
      "sections 8 and 9); with `dim` the law of the event's time over random starts too, which "
      "adds the columns t_mean, one for each of `quantiles` (t_q05, …) and law. 25 to 650 µs a "
      "point for polynomials, erf and ReLU, 30 to 140 ms for tanh and its like.";
  q.returned = broadcast_shape;
  q.example =
      ">>> r = ld.escape(\"he3\", mu=[0.2, 0.5])\n"
      ">>> r.t_hit.round(5), r.outcome.tolist()\n"
      "(array([31.93997,  1.31244]), ['unlearned', 'learned'])\n"
      ">>> ld.escape(\"erf\", mu=0.5, gamma=1, dim=1000).t_q50.round(2)\n"
      "143.9\n";
  q.arguments = joined({pair_arguments(),
                        beside_network(arguments_of(run_parameters())),
                        event_arguments(overlap_quantity::m, "0.5 for m", true),
                        {law_dimension(), quantiles_argument()},
                        network_arguments(),
                        network_start_arguments(false),
                        {network_seed_argument()},
                        integrator_arguments(study::row_step_limit),
                        {time_unit_argument()},
                        run_arguments()});
  q.columns = told(study::escape_columns(std::nullopt));
  q.of_network = network_fields();
  q.drawn = {"curves", {"t_hit"}};
  q.ask = [](const call& given) {
    if (given.asks_network()) {
      return network_escape(given);
    }
    given.require_left_out({"seed"}, "it is that of a network's start");
    std::vector<const study::parameter*> parameters = run_parameters();
    parameters.push_back(&registry::dim);
    const points where(given, parameters);
    require_starts(where);
    study::escape_request request;
    request.event = event_of(given);
    request.integrator = integrator_of(given);
    const bool has_law = given.has("dim");
    if (has_law) {
      request.quantiles = quantiles_of(given);
      study::require_law_event(request.event);
    }
    const auto columns =
        study::escape_columns(has_law ? std::optional(request.quantiles) : std::nullopt);
    constexpr std::size_t block = 4;
    return answer_points(given, where, columns, block, [&](std::size_t i) {
      const study::prepared_pair& pair = where.pair(i).prepared();
      const study::parameter_point at = where.at(i);
      return study::row_of(pair, at, request, study::escape_at(pair, at, request));
    });
  };
  return q;
}

question fixed_points_question() {
  question q;
  q.name = "fixed_points";
  q.title = "The equilibria of the flow.";
  q.text =
      "Every equilibrium with u >= 0, by increasing risk, with its eigenvalues by decreasing real "
      "part (docs/theory.md, section 8). Where there is none a row says so, with kind 'none'.";
  q.returned = list_shape;
  q.example =
      ">>> ld.fixed_points(\"he3\", mu=0.2).kind.tolist()\n"
      "['sink', 'sink', 'saddle', 'saddle']\n";
  argument norm = network_start_arguments(false).back();
  q.arguments =
      joined({pair_arguments(),
              beside_network(arguments_of(study::model_parameters)),
              network_arguments(),
              {norm,
               {"starts", kinds::whole,
                fmt::format("of Newton's method; None: {}", study::standard_starts), py::none()},
               {"seed", kinds::numbers, "of these; None: 0", py::none()}},
              {time_unit_argument()},
              run_arguments()});
  for (argument& a : q.arguments) {
    a.of_network = a.of_network || a.name == "starts" || a.name == "seed";
  }
  q.of_network = network_rest_fields();
  q.columns = told(study::fixed_point_columns());
  q.more = {{"point", "the element of the broadcast that a row belongs to"}};
  q.drawn = {"places", {"M"}};
  q.ask = [](const call& given) {
    if (given.asks_network()) {
      return network_fixed_points(given);
    }
    const points where(given, study::model_parameters);
    for (std::size_t i = 0; i < where.size(); ++i) {
      if (where.at(i).parameters.rate_ratio == 0.0) {
        throw argument_error(registry::lr_ratio.column(), "0",
                             "> 0 here: with u frozen the equilibria are curves over u");
      }
    }
    constexpr std::size_t block = 4;
    return answer_list(where, study::fixed_point_columns(),
                       of_points(given, where.size(), block, [&](std::size_t i) {
                         return study::fixed_points_at(where.pair(i).prepared(), where.at(i));
                       }));
  };
  return q;
}

question budget_question() {
  question q;
  q.name = "budget";
  q.title = "How long pre-training should be.";
  q.text =
      "Pre-train on a source for t_pre, then fine-tune to the event: what it costs in all "
      "(docs/theory.md, section 10). Pre-training decides μ and ν.";
  q.returned = broadcast_shape;
  q.example =
      ">>> r = ld.budget(\"he3\", rho=0.7, a0=0.4, t_pre=np.linspace(0, 1, 61))\n"
      ">>> round(float(r.best.t_pre), 4), round(float(r.best.t_total), 4)\n"
      "(0.1703, 1.2755)\n";
  static constexpr std::array used{&registry::gamma, &registry::noise, &registry::lr_ratio,
                                   &registry::u0,    &registry::m0,    &registry::s0};
  q.arguments = joined(
      {pair_arguments(),
       {{"t_pre", kinds::numbers, "pre-training times, >= 0", {}},
        {"source", kinds::activation, "what pre-training learns; None: the teacher's activation",
         py::none()},
        {"rho", kinds::numbers,
         "overlap of the source's weight with the target's, between -1 and 1",
         py::float_(pretraining_parameters{}.source_overlap)},
        {"a0", kinds::numbers, "overlap of w0 with the source's weight at the start",
         py::float_(pretraining_state{0.03, 0.0}.a)},
        {"q0", kinds::numbers, "|w0|² at the start; None: a0²", py::none()},
        {"pre_gamma", kinds::numbers, "SGD noise scale of pre-training, >= 0", py::float_(0.0)},
        {"pre_noise", kinds::numbers, "variance of the source labels' noise, >= 0",
         py::float_(0.0)}},
       arguments_of(used),
       event_arguments(overlap_quantity::risk,
                       "for risk noise/2 and a tenth of E[g²]/2, the risk of a student that is "
                       "zero without noise; 0.5 for m"),
       integrator_arguments(study::row_step_limit),
       {time_unit_argument()},
       run_arguments()});
  q.columns = told(study::budget_columns());
  q.more = {{"best",
             "the cheapest of each problem, found between its rows about the cheapest of "
             "these: a result with a row for each element of the broadcast of all "
             "arguments but t_pre; status 'none' where no row has a cost"}};
  q.drawn = {"curves", {"t_total"}};
  q.ask = [](const call& given) {
    const points where(given, used, {"rho", "a0", "pre_gamma", "pre_noise", "q0"});
    require_starts(where);
    numbers times("t_pre", given["t_pre"]);
    for (const double t : times) {
      if (t < 0.0) {
        throw argument_error("t_pre", fmt::format("{}", t), ">= 0");
      }
    }
    shape whole = where.extent();
    broadcast(whole, times.extent(), "t_pre");
    times.broadcast_to(whole);
    std::vector<std::vector<std::size_t>> elements(where.size());  // of each problem, by t_pre
    const std::vector<std::size_t> problem_of = places_of(where.extent(), whole);
    for (std::size_t i = 0; i < problem_of.size(); ++i) {
      elements[problem_of[i]].push_back(i);
    }
    const bool standard_event = given.text("event") == "risk" && !given.has("at");
    const overlap_event event = standard_event ? overlap_event{} : event_of(given);
    const integration_options integrator = integrator_of(given);
    std::vector<study::budget_problem> problems;
    for (std::size_t p = 0; p < where.size(); ++p) {
      const study::activation_pair& pair = where.pair(p).pair();
      const study::parameter_point at = where.at(p);
      const activation source = given.has("source")
                                    ? activation_from("source", given["source"])->function
                                    : pair.risk.teacher();
      const double a0 = where.other("a0", p);
      const double q0 = where.optional("q0", p).value_or(a0 * a0);
      if (!(q0 >= a0 * a0)) {
        throw argument_error("q0", fmt::format("{}", q0), "at least the square of a0");
      }
      study::budget_problem problem{
          {.source = learning_task(pair.risk.student(), source),
           .target = pair.task(),
           .pretraining = {where.other("rho", p), where.other("pre_gamma", p),
                           where.other("pre_noise", p)},
           .weight_at_start = {a0, q0 - a0 * a0},
           .noise_scale = at.parameters.noise_scale,
           .label_noise = at.parameters.label_noise,
           .rate_ratio = at.parameters.rate_ratio,
           .start = at.start,
           .event = event},
          integrator,
          {},
          pair.rate_unit};
      try {
        problem.budget.pretraining.validate();
      } catch (const argument_error& e) {
        const bool of_source = e.parameter().starts_with("rho");
        throw argument_error((of_source ? "" : "pre_") + e.parameter(), e.value(), e.expected());
      }
      problem.integrator.end_time /= pair.rate_unit;
      std::sort(elements[p].begin(), elements[p].end(),
                [&times](std::size_t a, std::size_t b) { return times[a] < times[b]; });
      for (const std::size_t i : elements[p]) {
        problem.times.push_back(times[i]);
      }
      problems.push_back(std::move(problem));
    }
    std::vector<const study::budget_row*> rows(problem_of.size(), nullptr);
    std::vector<study::budget_result> results(where.size());
    std::vector<study::budget_row> best;
    run(run_options_of(given), [&](const study::study_control& control) {
      std::size_t behind = 0;
      for (std::size_t p = 0; p < problems.size(); ++p) {
        study::budget_problem& problem = problems[p];
        if (standard_event) {
          problem.budget.event =
              study::standard_budget_event(problem.budget.target.risk, problem.budget.label_noise);
        }
        study::study_control own{control.threads, {}};
        if (control.progress) {
          own.progress = [&](std::size_t done, std::size_t) {
            control.progress(behind + done, rows.size());
          };
        }
        results[p] = study::budget(problem, own);
        check_stop();
        behind += problem.times.size();
        for (std::size_t k = 0; k < elements[p].size(); ++k) {
          rows[elements[p][k]] = &results[p].rows[k];
        }
        best.push_back(
            results[p].best.value_or(study::budget_row{nan, nan, nan, nan, nan, nan, "", "none"}));
      }
    });
    const auto columns = study::budget_columns();
    auto result = std::make_unique<table>(told(columns), whole);
    result->fill(columns, 0, rows.size(), [&](std::size_t i) { return rows[i]; });
    auto least = std::make_unique<table>(told(columns), where.extent());
    least->fill(columns, 0, best.size(), [&](std::size_t i) { return &best[i]; });
    py::dict more;
    more["best"] = py::cast(std::move(least));
    py::dict all = answer(std::move(result), where, more);
    if (!times.extent().empty()) {
      all["varying"]["t_pre"] = given["t_pre"];
    }
    all["extent"] = py::tuple(py::cast(whole));
    return all;
  };
  return q;
}

}  // namespace loradyn::python
