// The two engines against each other and against the expectation of a step.

#include <algorithm>
#include <catch2/catch.hpp>
#include <cmath>
#include <loradyn/activation/parse.hpp>
#include <loradyn/model/population_risk.hpp>
#include <loradyn/simulation/ensemble.hpp>
#include <loradyn/simulation/random.hpp>
#include <loradyn/simulation/statistics.hpp>
#include <string>
#include <utility>
#include <vector>
#include "simulation/chain.hpp"

#include "support/within.hpp"

using namespace loradyn;

namespace {

#if defined(__SANITIZE_ADDRESS__)
constexpr double effort = 0.1;
#else
constexpr double effort = 1.0;
#endif

struct law_case {
  std::string activation;
  std::uint64_t dimension;
  std::uint64_t batch;
  bool plain;  // ν = Δ = 0 and κ = 1
};

simulation_problem problem_of(const law_case& c) {
  const activation f = parse_activation(c.activation);
  const lora_parameters parameters =
      c.plain ? lora_parameters{.alignment = 0.4}
              : lora_parameters{
                    .alignment = 0.4, .misalignment = 0.5, .label_noise = 1.0, .rate_ratio = 2.5};
  // A large u and a large noise scale γ = η d/B, so that the orthogonal part of the gradient
  // matters. He3's gradient is some 18 times the others', and heavy-tailed.
  const bool steep = c.activation == "he3";
  const double scale =
      std::min(1.0, 16.0 * static_cast<double>(c.batch) / static_cast<double>(c.dimension));
  simulation_problem problem =
      make_problem(f, f, parameters, c.dimension, c.batch, (steep ? 0.01 : 0.3) * scale, 24);
  problem.start.u0 = steep ? 0.6 : 1.5;
  return problem;
}

}  // namespace

// (11.1) against (6.1)
TEST_CASE("the chain has the law of explicit SGD") {
  // 54 cases, three times, u and m and (with ν > 0) s: 405 tests. A false alarm of the whole at
  // 1 %, by Bonferroni, is 2.5e-5 for each.
  constexpr double significance = 0.01 / 405.0;
  const simulation_plan plan{.record = {2, 8, 24}};
  std::uint64_t seed = 20240;  // one for each case: equal seeds draw equal normals
  std::size_t tests = 0;
  std::vector<double> p_values;
  for (const std::string name : {"erf", "he3", "relu"}) {
    for (const std::uint64_t dimension : {8U, 40U, 300U}) {
      for (const std::uint64_t batch : {1U, 8U, 64U}) {
        for (const bool plain : {true, false}) {
          simulation_problem problem = problem_of({name, dimension, batch, plain});
          problem.seed = ++seed;
          const double inputs = static_cast<double>(dimension * batch);
          const auto runs =
              static_cast<std::uint64_t>(effort * std::clamp(3e6 / inputs, 300.0, 3000.0));
          const ensemble chain = simulate_ensemble(problem, simulation_engine::chain, plan, runs);
          const ensemble sgd = simulate_ensemble(problem, simulation_engine::sgd, plan, runs);
          for (std::size_t point = 0; point < plan.record.size(); ++point) {
            for (const simulated_quantity quantity :
                 {simulated_quantity::u, simulated_quantity::m, simulated_quantity::s}) {
              if (plain && quantity == simulated_quantity::s) {
                continue;
              }
              const distance_test test =
                  kolmogorov_smirnov(recorded_values(chain, problem, plan, point, quantity),
                                     recorded_values(sgd, problem, plan, point, quantity));
              ++tests;
              p_values.push_back(test.p_value);
              CAPTURE(name, dimension, batch, plain, plan.record[point], static_cast<int>(quantity),
                      test.distance);
              CHECK(test.p_value > significance);
            }
          }
        }
      }
    }
  }
  CHECK(tests == 405);
  // The p-values themselves are nearly uniform (those of one case are correlated).
  const auto small =
      std::count_if(p_values.begin(), p_values.end(), [](double p) { return p < 0.1; });
  std::sort(p_values.begin(), p_values.end());
  INFO("405 tests: least p " << p_values.front() << ", median " << p_values[202] << ", below 0.1 "
                             << small);
  CHECK(small < 81);
}

TEST_CASE("the chain has the law of explicit SGD in the smallest dimensions it takes") {
  // There the orthogonal part has a single component. Ten tests; 1 % in all.
  constexpr double significance = 0.01 / 10.0;
  const simulation_plan plan{.record = {2, 24}};
  for (const bool plain : {true, false}) {
    simulation_problem problem = problem_of({"erf", plain ? 3U : 4U, 4, plain});
    problem.seed = plain ? 5 : 6;
    const auto runs = static_cast<std::uint64_t>(effort * 4000.0);
    const ensemble chain = simulate_ensemble(problem, simulation_engine::chain, plan, runs);
    const ensemble sgd = simulate_ensemble(problem, simulation_engine::sgd, plan, runs);
    for (std::size_t point = 0; point < plan.record.size(); ++point) {
      for (const simulated_quantity quantity :
           {simulated_quantity::u, simulated_quantity::m, simulated_quantity::s}) {
        if (plain && quantity == simulated_quantity::s) {
          continue;
        }
        CAPTURE(plain, point, static_cast<int>(quantity));
        CHECK(kolmogorov_smirnov(recorded_values(chain, problem, plan, point, quantity),
                                 recorded_values(sgd, problem, plan, point, quantity))
                  .p_value > significance);
      }
    }
  }
}

TEST_CASE("the chain has the law of explicit SGD with transformed labels, a flip and a frozen u") {
  // Two batches (runs in lanes, samples in lanes), two times, three overlaps; u has no law where it
  // is frozen. 1 % in all.
  constexpr double significance = 0.01 / 20.0;
  std::size_t tests = 0;
  for (const bool frozen : {false, true}) {
    for (const std::uint64_t batch : {8U, 64U}) {
      simulation_problem problem = problem_of({"erf", 40, batch, false});
      problem.seed = derived_seed(31, {batch, frozen ? 1U : 0U});
      problem.stages[0].label = parse_activation("linear^2");
      problem.stages[0].steps = 12;
      problem.stages[0].rate_ratio = frozen ? 0.0 : 2.5;
      problem.stages.push_back(problem.stages[0]);
      problem.stages[1].label.reset();
      problem.stages[1].flips = true;
      const simulation_plan plan{.record = {8, 24}};
      const auto runs = static_cast<std::uint64_t>(effort * 2500.0);
      const ensemble chain = simulate_ensemble(problem, simulation_engine::chain, plan, runs);
      const ensemble sgd = simulate_ensemble(problem, simulation_engine::sgd, plan, runs);
      for (std::size_t point = 0; point < plan.record.size(); ++point) {
        for (const simulated_quantity quantity :
             {simulated_quantity::u, simulated_quantity::m, simulated_quantity::s}) {
          if (frozen && quantity == simulated_quantity::u) {
            continue;
          }
          CAPTURE(frozen, batch, point, static_cast<int>(quantity));
          ++tests;
          CHECK(kolmogorov_smirnov(recorded_values(chain, problem, plan, point, quantity),
                                   recorded_values(sgd, problem, plan, point, quantity))
                    .p_value > significance);
        }
      }
    }
  }
  CHECK(tests == 20);
}

TEST_CASE("one step of a large batch is its expectation, in both engines") {
  // (6.1) in the mean: w+ = w - η grad of the population risk, but for noise of order 1/√B, whose
  // standard error the runs themselves give, and a term of order η² d/B = 3e-5.
  const std::vector<std::pair<std::string, std::string>> pairs{
      {"linear", "linear"}, {"erf", "erf"},  {"relu", "relu"},    {"he3", "he3"},
      {"tanh", "tanh"},     {"erf", "relu"}, {"he2+erf", "tanh"}, {"relu", "linear"}};
  for (const auto& [name, target] : pairs) {
    for (const double nu : {0.0, 0.6}) {
      const activation f = parse_activation(name);
      const activation g = parse_activation(target);
      const lora_parameters parameters{
          .alignment = 0.3, .misalignment = nu, .label_noise = 0.1, .rate_ratio = 1.7};
      const double rate = name.find("he") == std::string::npos ? 0.2 : 0.01;
      simulation_problem problem = make_problem(f, g, parameters, 11, 16384, rate, 1);
      problem.start = {.u0 = 0.8, .m0 = 0.5, .s0 = nu > 0.0 ? -0.3 : 0.0};
      const population_risk risk(f, g);
      const double u = 0.8;
      const double m = 0.5;
      const double s = problem.start.s0;
      const double p = 0.3 * m + nu * s;
      const target_overlaps at = overlaps_of(problem, {.u = u, .m = m, .s = s});
      const risk_gradient slope = risk.gradient({.M = at.M, .Q = at.Q, .gap = at.Q - at.M * at.M});
      // G = u (R_M w* + 2 R_Q w); v - η G has components a, b on w*, ξ, and norm n.
      const double along = u * (slope.M * m + 2.0 * slope.Q * (p + u));
      const double square =
          u * u *
          (slope.M * slope.M + 4.0 * slope.M * slope.Q * at.M + 4.0 * slope.Q * slope.Q * at.Q);
      const double norm = std::sqrt(1.0 - 2.0 * rate * along + rate * rate * square);
      const double a = m - rate * u * (slope.M + 2.0 * slope.Q * at.M);
      const double b = s - rate * u * 2.0 * slope.Q * (nu + u * s);
      const double expected[3] = {u - 1.7 * rate * along / u, a / norm, b / norm};
      const double start[3] = {u, m, s};
      std::size_t moved = 0;
      const simulation_plan plan{.record = {1}};
      for (const simulation_engine engine : {simulation_engine::chain, simulation_engine::sgd}) {
        const ensemble runs = simulate_ensemble(problem, engine, plan, 24);
        const simulated_quantity quantities[3] = {simulated_quantity::u, simulated_quantity::m,
                                                  simulated_quantity::s};
        for (std::size_t i = 0; i < (nu > 0.0 ? 3U : 2U); ++i) {
          const sample_summary summary =
              summarise(recorded_values(runs, problem, plan, 0, quantities[i]), {});
          CAPTURE(name, target, nu, static_cast<int>(engine), i);
          const double error = summary.deviation / std::sqrt(24.0);
          CHECK(summary.mean ==
                test::within(expected[i], 5.0 * error + 3.0 * square * rate * rate * 11 / 16384));
          // A test of something: the step is large beside the error.
          moved += std::abs(expected[i] - start[i]) > 10.0 * error ? 1 : 0;
        }
      }
      CHECK(moved >= 2);
    }
  }
}

TEST_CASE("a learning rate of nothing moves nothing") {
  const activation f = parse_activation("erf");
  for (const double nu : {0.0, 0.3}) {
    for (const std::uint64_t batch : {3U, 100U}) {
      simulation_problem problem =
          make_problem(f, f, {.alignment = 0.3, .misalignment = nu}, 50, batch, 1e-30, 40);
      problem.start.u0 = 0.7;
      const simulation_plan plan{.record = {0, 40}};
      for (const simulation_engine engine : {simulation_engine::chain, simulation_engine::sgd}) {
        const run_result run = replay_run(problem, engine, plan, 5);
        CHECK(run.record[1].u == run.record[0].u);
        CHECK(run.record[1].m == Approx(run.record[0].m).epsilon(1e-14));
        CHECK(run.record[1].s == Approx(run.record[0].s).epsilon(1e-14));
      }
    }
  }
}

TEST_CASE("a uniform start has the overlaps of a random direction, and the default u0 is 1/d²") {
  const activation f = parse_activation("erf");
  const simulation_problem problem =
      make_problem(f, f, {.alignment = 0.3, .misalignment = 0.2}, 1'000'000'000'000, 1, 1e-3, 1);
  const simulation_plan plan{.record = {0}};
  const ensemble runs = simulate_ensemble(problem, simulation_engine::chain, plan, 4000);
  for (const auto quantity : {simulated_quantity::m, simulated_quantity::s}) {
    const sample_summary summary = summarise(recorded_values(runs, problem, plan, 0, quantity), {});
    // 1/√d with the standard error of a deviation, 1/√(2n).
    CHECK(summary.deviation == Approx(1e-6).epsilon(5.0 / std::sqrt(8000.0)));
  }
  CHECK(runs.runs[0].record[0].u == Approx(1e-24).epsilon(1e-15).margin(0.0));
}

TEST_CASE("every instruction set simulates the same bits") {
  const activation student = parse_activation("erf-0.3*relu+0.1*he3");
  const activation teacher = parse_activation("he2+erf");
  for (const std::uint64_t batch : {3U, 70U}) {
    const simulation_problem problem =
        make_problem(student, teacher,
                     {.alignment = 0.3, .misalignment = 0.2, .label_noise = 0.1, .rate_ratio = 2.0},
                     30, batch, 0.01, 64);
    const std::vector<std::uint64_t> runs{5};
    const auto end = [&](const detail::batch_kernels& kernels) {
      detail::chain_engine engine(problem, runs, kernels);
      engine.start();
      for (std::uint64_t step = 0; step < 64; ++step) {
        engine.step(step, 0);
      }
      return engine.save();
    };
    const std::vector<double> expected = end(*detail::available_kernels().front());
    for (const detail::batch_kernels* const kernels : detail::available_kernels()) {
      CAPTURE(kernels->name, batch);
      CHECK(end(*kernels) == expected);
    }
  }
}
