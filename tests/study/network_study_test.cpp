// Networks at finite dimension as tables tell them.

#include <algorithm>
#include <catch2/catch.hpp>
#include <cmath>
#include <loradyn/activation/parse.hpp>
#include <loradyn/error.hpp>
#include <loradyn/simulation/statistics.hpp>
#include <loradyn/study/network_simulate.hpp>
#include <loradyn/study/network_validation.hpp>
#include <string>
#include <vector>

#include "support/within.hpp"

using namespace loradyn;
using namespace loradyn::study;

namespace {

network_simulate_problem simulate_problem_of(std::ptrdiff_t width, std::ptrdiff_t rank) {
  const activation f = parse_activation("erf");
  network_simulate_problem problem{.pair = make_pair(f, f, time_unit::raw)};
  problem.layout.width = problem.layout.teacher_width = width;
  problem.layout.rank = rank;
  problem.layout.adapter = adapter_constraint::free;
  problem.at.parameters.alignment = 0.5;
  problem.start.dimension = 300;
  problem.start.seed = 4;
  problem.u0 = 0.3;
  problem.batch = 6;
  problem.learning_rate = 0.02;
  problem.steps = 200;
  problem.runs = 30;
  return problem;
}

double at(const row_description<network_summary_row>& columns, const network_summary_row& row,
          const std::string& name) {
  const std::vector<std::string> names = columns.names();
  const auto place = std::find(names.begin(), names.end(), name) - names.begin();
  REQUIRE(place < static_cast<std::ptrdiff_t>(names.size()));
  return to_number(columns.cells(row)[static_cast<std::size_t>(place)]);
}

}  // namespace

TEST_CASE("a network's summary is that of its runs' records, by the trajectory's names") {
  network_simulate_problem problem = simulate_problem_of(2, 2);
  problem.record = {0, 100, 200};
  const network_simulate_result result = simulate(problem, {.threads = 2});
  REQUIRE(result.done.complete());
  REQUIRE(result.recorded.size() == 3);
  const auto columns = network_summary_columns(shape_of(problem.layout));
  const network_problem simulated =
      simulated_problem(problem.pair, problem.layout, problem.start, problem.at, problem.u0);
  const network_flow f = flow_of(simulated, problem.layout, 0.0);
  std::vector<double> M;
  std::vector<double> risk;
  for (const network_run& run : result.done.runs) {
    M.push_back(overlaps_of(f.geometry(), run.record[2]).targets(0, 1));
    risk.push_back(f.risk(run.record[2]));
  }
  const sample_summary expected = summarise(M, std::vector<double>{0.05, 0.5, 0.95});
  const network_summary_row& last = result.recorded[2];
  CHECK(last.step == 200);
  CHECK(last.t == test::within(4.0, 1e-12));
  CHECK(last.samples == 1200.0);
  CHECK(last.runs == 30);
  CHECK(last.diverged == 0);
  CHECK(at(columns, last, "M_1_2_mean") == expected.mean);
  CHECK(at(columns, last, "M_1_2_sd") == expected.deviation);
  CHECK(at(columns, last, "M_1_2_q95") == expected.quantiles[2]);
  CHECK(at(columns, last, "risk_mean") == summarise(risk, {}).mean);
  CHECK(at(columns, result.recorded[0], "U_2_1_mean") == 0.3);
  // The columns of a trajectory, each five times.
  const auto names = columns.names();
  CHECK(names.size() == 5 + 5 * (record_columns(shape_of(problem.layout)).size() - 1));
  CHECK(shape_of(names)->rank == 2);
}

TEST_CASE("a network's runs end with the event that a flow knows by the same name") {
  network_simulate_problem problem = simulate_problem_of(1, 1);
  problem.steps = 20000;
  for (const auto& [quantity, level, entry] : {std::tuple(network_overlap_quantity::M, 0.7, false),
                                               {network_overlap_quantity::M, 0.7, true},
                                               {network_overlap_quantity::m, 0.6, false},
                                               {network_overlap_quantity::U, 0.4, true},
                                               {network_overlap_quantity::risk, 0.01, false}}) {
    network_overlap_event event{.quantity = quantity, .at = level, .is_signed = false, .entry = {}};
    if (entry) {
      event.entry = {1, 1};
    }
    problem.event = event;
    const network_simulate_result result = simulate(problem, {.threads = 2});
    const network_problem simulated =
        simulated_problem(problem.pair, problem.layout, problem.start, problem.at, problem.u0);
    const network_flow f = flow_of(simulated, problem.layout, 0.0);
    REQUIRE(result.runs.size() == 30);
    std::size_t hits = 0;
    for (std::size_t i = 0; i < 30; ++i) {
      const network_run_row& row = result.runs[i];
      if (row.outcome != "hit") {
        continue;
      }
      ++hits;
      const network_hit& hit = result.done.runs[i].hits.front();
      const double value = value_of(f, event, hit.state);
      CAPTURE(static_cast<int>(quantity), entry, i, value);
      CHECK((quantity == network_overlap_quantity::risk ? value <= level : value >= level));
      CHECK(row.t_hit == test::within(0.02 * static_cast<double>(hit.step), 1e-9));
      CHECK(row.at.samples == static_cast<double>(6 * hit.step));
    }
    CHECK(hits > 25);
  }
}

// (14.7), (14.13)
TEST_CASE("through stages a network's map is the mean of its simulation at large d") {
  network_simulate_problem problem = simulate_problem_of(2, 2);
  problem.at.parameters.misalignment = 0.3;
  problem.layout.source = parse_activation("tanh");
  problem.layout.source_overlap = 0.5;
  problem.layout.readout = readout_rule::sqrt;
  problem.start.dimension = 40000;
  problem.batch = 4000;  // γ = 1 at the first rate
  problem.runs = 48;
  problem.stages = {{.task = {.teacher = parse_activation("erf^2"), .rate_ratio = 1.5},
                     .learning_rate = 0.1,
                     .steps = 40},
                    {.task = {.teacher = {}, .on_source = true, .label_noise = 0.2, .decay = 0.05},
                     .learning_rate = 0.1,
                     .steps = 40},
                    {.task = {}, .learning_rate = 0.1, .steps = 20, .flips = true}};
  // A start that all runs share.
  const network_problem random = simulated_problem(problem);
  const Eigen::Index p = random.geometry.directions();
  network_given_start start;
  start.U = (Eigen::MatrixXd(2, 2) << 0.6, -0.3, 0.2, 0.5).finished();
  start.C = Eigen::MatrixXd::Constant(2, p, 0.2);
  start.C(0, 0) = 0.5;
  start.P = Eigen::MatrixXd::Identity(2, 2) * 0.7;
  problem.start.given = start;
  problem.record = {0, 40, 60, 80, 100};
  const network_simulate_result simulated = simulate(problem, {.threads = 2});
  REQUIRE(simulated.recorded.size() == 5);

  network_trajectory_problem asked{
      problem.pair, problem.layout, problem.start, problem.at, {}, {}, {}, 0.1};
  asked.record.times = {0.0, 4.0, 6.0, 8.0, 10.0};
  for (const network_simulated_stage& stage : problem.stages) {
    asked.stages.push_back({.task = stage.task,
                            .noise_scale = 1.0,
                            .flips = stage.flips,
                            .duration = 0.1 * static_cast<double>(stage.steps),
                            .until = {}});
  }
  const network_trajectory_result theory = trajectory(asked);
  REQUIRE(theory.complete);
  REQUIRE(theory.rows.size() == 5);
  const network_shape shape = shape_of(problem.layout);
  const auto columns = network_summary_columns(shape);
  const auto told = network_trajectory_columns(shape);
  const std::vector<std::string> names = told.names();
  std::size_t compared = 0;
  double moved = 0.0;
  for (std::size_t i = 0; i < 5; ++i) {
    CHECK(simulated.recorded[i].t == test::within(theory.rows[i].t, 1e-9));
    for (const std::string name : {"U_1_1", "U_2_2", "M_1_1", "M_2_1", "m_1_2", "S_2_1", "S_1_1"}) {
      const auto place = std::find(names.begin(), names.end(), name) - names.begin();
      const double expected =
          to_number(told.cells(theory.rows[i])[static_cast<std::size_t>(place)]);
      const double mean = at(columns, simulated.recorded[i], name + "_mean");
      const double error = at(columns, simulated.recorded[i], name + "_sd") / std::sqrt(48.0);
      CAPTURE(i, name, expected, mean, error);
      // 35 comparisons at 1e-3 in all, and what is of order 1/d.
      CHECK(std::abs(mean - expected) < 4.6 * error + 3.0 / 40000.0);
      moved = std::max(moved, std::abs(mean - at(columns, simulated.recorded[0], name + "_mean")));
      ++compared;
    }
  }
  CHECK(compared == 35);
  CHECK(moved > 0.3);
}

TEST_CASE("flow and map of a network pass; the law of what is one adapter's alone is refused") {
  const activation f = parse_activation("erf");
  network_validation_problem problem{.asked = {.pair = make_pair(f, f, time_unit::raw)}};
  problem.layout.width = problem.layout.teacher_width = 2;
  problem.layout.rank = 2;
  problem.layout.adapter = adapter_constraint::free;
  problem.asked.at.parameters.alignment = 0.5;
  problem.asked.at.parameters.noise_scale = 1.0;
  problem.asked.at.start = {0.2, 0.3, 0.0};
  problem.asked.dimensions = {1000.0, 4000.0};
  problem.asked.t_end = 6.0;
  problem.asked.points = 3;
  problem.asked.runs = 100;
  problem.asked.law_runs = 0;
  problem.asked.significance = 1e-3;
  const validation_result right = validate(problem, {});
  CHECK(right.complete);
  for (const validation_row& row : right.rows) {
    CAPTURE(row.check, row.quantity, row.dim, row.statistic, row.threshold);
    CHECK(row.verdict != "fail");
  }
  const auto has = [&](const std::string& name) {
    return std::any_of(right.rows.begin(), right.rows.end(),
                       [&](const validation_row& row) { return row.quantity == name; });
  };
  for (const char* const name : {"U_2_1", "S_1_1", "S_2_1", "M_1_2", "m_2_2"}) {
    CHECK(has(name));
  }
  CHECK_FALSE(has("C_1_1"));

  // At a learning rate where the flow is another.
  problem.asked.learning_rate = 0.5;
  for (const validation_row& row : validate(problem, {}).rows) {
    CAPTURE(row.check, row.quantity, row.dim, row.statistic, row.threshold);
    CHECK(row.verdict != "fail");
  }

  problem.asked.law_runs = 10;
  CHECK_THROWS_AS(validate(problem, {}), argument_error);  // m of two adapters has no law
}
