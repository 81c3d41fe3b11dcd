#include <algorithm>
#include <catch2/catch.hpp>
#include <cmath>
#include <limits>
#include <loradyn/activation/parse.hpp>
#include <loradyn/error.hpp>
#include <loradyn/simulation/ensemble.hpp>
#include <loradyn/simulation/random.hpp>
#include <string>
#include <vector>

using namespace loradyn;

namespace {

simulation_problem valid_problem() {
  const activation f = parse_activation("erf");
  return make_problem(f, f, {.alignment = 0.5}, 100, 10, 0.1, 50);
}

template <class Change>
std::string fault_of(const Change& change) {
  simulation_problem problem = valid_problem();
  change(problem);
  try {
    problem.validate();
  } catch (const argument_error& fault) {
    return fault.parameter();
  }
  return "none";
}

template <class Change>
std::string plan_fault_of(const Change& change) {
  simulation_plan plan{.record = {0, 50}};
  change(plan);
  try {
    plan.validate(valid_problem());
  } catch (const argument_error& fault) {
    return fault.parameter();
  }
  return "none";
}

}  // namespace

TEST_CASE("a problem that can't be simulated is refused by the name of what is wrong") {
  using problem = simulation_problem;
  const double nan = std::numeric_limits<double>::quiet_NaN();
  CHECK(fault_of([](problem&) {}) == "none");
  CHECK(fault_of([](problem& p) { p.dimension = 3; }) == "none");
  CHECK(fault_of([](problem& p) { p.dimension = 2; }) == "dim (dimension)");
  CHECK(fault_of([](problem& p) {
          p.dimension = 3;
          p.misalignment = 0.1;
        }) == "dim (dimension)");
  CHECK(fault_of([](problem& p) { p.batch = 0; }) == "batch");
  CHECK(fault_of([](problem& p) { p.stages[0].learning_rate = 0.0; }) == "lr (learning rate)");
  CHECK(fault_of([&](problem& p) { p.stages[0].learning_rate = nan; }) == "lr (learning rate)");
  CHECK(fault_of([](problem& p) { p.stages[0].steps = 0; }) == "steps");
  CHECK(fault_of([](problem& p) { p.stages[0].rate_ratio = -0.1; }) == "lr-ratio (rate ratio)");
  CHECK(fault_of([](problem& p) { p.stages[0].label_noise = -1.0; }) == "noise (label noise)");
  CHECK(fault_of([](problem& p) { p.stages[0].rate_ratio = 0.0; }) == "none");
  CHECK(fault_of([](problem& p) { p.stages.clear(); }) == "stages");
  // Alone each is short enough; the sum of the last ones is 0 modulo 2^64.
  CHECK(fault_of([](problem& p) {
          p.stages[0].steps = random_steps / 2;
          p.stages.push_back(p.stages[0]);
        }) == "steps of all stages");
  CHECK(fault_of([](problem& p) {
          p.stages[0].steps = random_steps / 2;
          p.stages = std::vector<simulation_stage>(131'072, p.stages[0]);
        }) == "steps of all stages");
  CHECK(fault_of([](problem& p) { p.seed = max_seed; }) == "none");
  CHECK(fault_of([](problem& p) { p.seed = max_seed + 1; }) == "seed");
  CHECK(fault_of([](problem& p) { p.start = {.m0 = 0.8, .s0 = 0.7}; }) == "m0² + s0²");
  CHECK(fault_of([](problem& p) { p.start = {.s0 = 0.7}; }) == "s0");
  CHECK(fault_of([&](problem& p) { p.start.u0 = nan; }) == "u0");
  // The rounding that a flow's start may have this one may have too.
  const double above = 0.8 + 1e-15;
  CHECK(0.6 * 0.6 + above * above > 1.0);
  CHECK(fault_of([above](problem& p) { p.start = {.m0 = 0.6, .s0 = above}; }) == "none");
  CHECK(fault_of([](problem& p) { p.misalignment = -0.1; }) == "nu (misalignment)");
  const activation f = parse_activation("erf");
  CHECK_THROWS_AS(make_problem(f, f, {.noise_scale = 1.0}, 100, 10, 0.1, 50), argument_error);
}

TEST_CASE("a plan that does not fit its problem is refused") {
  CHECK(plan_fault_of([](simulation_plan&) {}) == "none");
  CHECK(plan_fault_of([](simulation_plan& p) { p.record = {0, 51}; }) == "the last recorded step");
  CHECK(plan_fault_of([](simulation_plan& p) { p.record = {3, 3}; }) == "a recorded step");
  CHECK(plan_fault_of([](simulation_plan& p) { p.events = {{.level = INFINITY}}; }) ==
        "the level of an event");
  CHECK(plan_fault_of([](simulation_plan& p) {
          p.events = {{.quantity = simulated_quantity::risk}};
        }) == "the risk that an event watches");
  CHECK(plan_fault_of([](simulation_plan& p) { p.stop_after_events = true; }) ==
        "the list of events");
}

TEST_CASE("runs and memory have limits that are named") {
  const simulation_problem problem = valid_problem();
  const simulation_plan plan{.record = linear_record(50, 51)};
  const auto fault = [&](std::uint64_t runs, const ensemble_control& control) -> std::string {
    try {
      simulate_ensemble(problem, simulation_engine::chain, plan, runs, control);
    } catch (const argument_error& e) {
      return e.what();
    }
    return "none";
  };
  CHECK_THAT(fault(0, {}), Catch::Contains("runs is 0"));
  CHECK_THAT(fault(random_runs + 1, {}), Catch::Contains("runs is 4294967297"));
  // 51 states of 24 bytes, and the result itself.
  const double each = 51 * sizeof(simulated_state) + sizeof(run_result) + 1;
  CHECK(ensemble_bytes(plan, 1000) == 1000 * each);
  CHECK_THAT(fault(1000, {.memory_limit = 1e6}),
             Catch::Contains("1000 runs at 51 recorded steps is 1.3 MB") &&
                 Catch::Contains("at most the 1.0 MB that are free"));
  CHECK_THAT(fault(random_runs, {}), Catch::Contains("GB"));
  simulation_problem huge = problem;
  huge.dimension = 1'000'000'000'000;
  CHECK_THROWS_AS(simulate_ensemble(huge, simulation_engine::sgd, plan, 1), argument_error);
  CHECK_THROWS_AS(replay_run(problem, simulation_engine::chain, plan, random_runs), argument_error);
}

TEST_CASE("record grids are increasing, with both ends") {
  CHECK(linear_record(100, 5) == std::vector<std::uint64_t>{0, 25, 50, 75, 100});
  CHECK(linear_record(3, 100) == std::vector<std::uint64_t>{0, 1, 2, 3});
  CHECK(logarithmic_record(10000, 6) == std::vector<std::uint64_t>{0, 1, 10, 100, 1000, 10000});
  CHECK(logarithmic_record(7, 2) == std::vector<std::uint64_t>{0, 7});
  for (const std::uint64_t steps : {1ULL, 2ULL, 17ULL, 1'000'000ULL, 281'474'976'710'655ULL}) {
    for (const std::uint64_t points : {2ULL, 3ULL, 50ULL}) {
      for (const auto& grid : {linear_record(steps, points), logarithmic_record(steps, points)}) {
        CHECK(grid.front() == 0);
        CHECK(grid.back() == steps);
        CHECK(grid.size() <= points);
        CHECK(std::is_sorted(grid.begin(), grid.end()));
      }
    }
  }
  CHECK_THROWS_AS(linear_record(100, 1), argument_error);
}
