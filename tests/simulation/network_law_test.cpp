// The chain of any width and rank against explicit SGD, against the single neuron's engines, and
// against what is known of the start.

#include <algorithm>
#include <catch2/catch.hpp>
#include <cmath>
#include <functional>
#include <loradyn/activation/parse.hpp>
#include <loradyn/simulation/ensemble.hpp>
#include <loradyn/simulation/network_run.hpp>
#include <loradyn/simulation/statistics.hpp>
#include <string>
#include <vector>

#include "support/within.hpp"

using namespace loradyn;

namespace {

#if defined(__SANITIZE_ADDRESS__)
constexpr double effort = 0.1;
#else
constexpr double effort = 1.0;
#endif

struct setting {
  std::string name;
  network_problem problem;
};

network_problem problem_of(const std::string& name, network_geometry geometry,
                           std::ptrdiff_t rank) {
  const activation f = parse_activation(name);
  network_problem problem{.geometry = std::move(geometry), .student = f, .teacher = f};
  problem.parameters.rank = rank;
  problem.steps = 24;
  return problem;
}

// W0 with a part beside T, of its own for each neuron, and unequal readouts.
network_geometry geometry_of(std::ptrdiff_t width, std::ptrdiff_t teacher_width) {
  network_geometry geometry = aligned_geometry(width, teacher_width, 0.5, 0.4, width);
  for (Eigen::Index j = 0; j < width; ++j) {
    geometry.readout[j] = 1.0 - 0.3 * static_cast<double>(j);
    geometry.pretrained(j, geometry.directions() - 1) += 0.2;
  }
  geometry.teacher(0, teacher_width - 1) += 0.3;
  return geometry;
}

Eigen::MatrixXd outputs(Eigen::Index width, Eigen::Index rank, double size) {
  Eigen::MatrixXd U(width, rank);
  for (Eigen::Index j = 0; j < width; ++j) {
    for (Eigen::Index a = 0; a < rank; ++a) {
      U(j, a) = size * std::cos(static_cast<double>(1 + 3 * j + 7 * a));
    }
  }
  return U;
}

// Large U and noise scales γ = η d/B, so that what is orthogonal to all matters.
std::vector<setting> settings() {
  std::vector<setting> all;
  {
    network_problem p = problem_of("erf", geometry_of(2, 2), 2);
    p.parameters.rate_ratio = 1.3;
    p.parameters.label_noise = 0.05;
    p.dimension = 60;
    p.batch = 8;
    p.learning_rate = 0.6;
    p.start.U = outputs(2, 2, 1.2);
    all.push_back({"erf, sphere, K = r = k = 2, κ = 1.3, Δ = .05, B = 8", p});
  }
  {
    network_problem p = problem_of("relu", geometry_of(3, 1), 2);
    p.parameters.adapter = adapter_constraint::free;
    p.parameters.decay = 0.2;
    p.dimension = 40;
    p.batch = 4;
    p.learning_rate = 0.1;
    p.start.U = outputs(3, 2, 0.8);
    all.push_back({"relu, free, K = 3, r = 2, k = 1, ω = .2, B = 4", p});
  }
  {
    network_problem p = problem_of("he3", geometry_of(1, 2), 3);
    p.parameters.label_noise = 0.1;
    p.dimension = 30;
    p.batch = 2;
    p.learning_rate = 0.002;
    p.start.U = outputs(1, 3, 0.5);
    all.push_back({"he3, sphere, K = 1, r = 3, k = 2, B = 2 < r", p});
  }
  {
    network_problem p = problem_of("erf", geometry_of(4, 2), 1);
    p.parameters.rate_ratio = 0.7;
    p.parameters.readout_ratio = 0.5;
    p.parameters.label_noise = 0.2;
    p.dimension = static_cast<std::uint64_t>(p.geometry.directions()) + 2;
    p.batch = 70;
    p.learning_rate = 1.5;
    p.start.U = outputs(4, 1, 1.0);
    all.push_back({"erf, sphere, K = 4, r = 1, k = 2, a trained, least d, B = 70", p});
  }
  {
    network_problem p = problem_of("erf", geometry_of(2, 3), 1);
    p.trained = trained_part::v;
    p.parameters.adapter = adapter_constraint::frobenius;
    p.parameters.label_noise = 0.3;
    p.dimension = 50;
    p.batch = 6;
    p.learning_rate = 0.4;
    p.start.scale = 0.8;
    all.push_back({"erf, V alone, Frobenius, K = 2, k = 3, B = 6", p});
  }
  {
    network_problem p = problem_of("relu", geometry_of(3, 2), 1);
    p.trained = trained_part::full;
    p.parameters.adapter = adapter_constraint::free;
    p.parameters.decay = 0.1;
    p.parameters.label_noise = 0.1;
    p.dimension = 40;
    p.batch = 2;
    p.learning_rate = 0.08;
    all.push_back({"relu, all of W from W0, K = 3, k = 2, ω = .1, B = 2 < K", p});
  }
  for (const adapter_constraint adapter : {adapter_constraint::sphere, adapter_constraint::free}) {
    // Bartlett's χ² variates have 3, 2 and 1 degrees of freedom, steps are as long as V, and each
    // adapter has errors of its own: its own neuron's, which ReLU lets through or not.
    network_problem p = problem_of("relu", geometry_of(3, 1), 3);
    p.geometry.readout.setConstant(0.8);
    p.parameters.adapter = adapter;
    p.parameters.rate_ratio = 0.1;
    p.parameters.label_noise = 0.5;
    p.dimension = static_cast<std::uint64_t>(p.geometry.directions()) + 6;
    p.batch = 4;
    const bool sphere = adapter == adapter_constraint::sphere;
    p.learning_rate = sphere ? 1.0 : 0.25;
    p.start.U = Eigen::MatrixXd(1.2 * Eigen::MatrixXd::Identity(3, 3));
    all.push_back({sphere ? "relu, sphere, K = r = 3, k = 1, least d, B = 4"
                          : "relu, free, K = r = 3, k = 1, least d, B = 4",
                   p});
  }
  return all;
}

// What is recorded, to nine digits: where ReLU leaves a step without any change, the engines'
// states differ by rounding, and equal values are to count as equal.
std::vector<double> values_at(const network_ensemble& runs, const network_problem& problem,
                              const network_plan& plan, std::size_t point,
                              const network_quantity& quantity) {
  std::vector<double> values = recorded_values(runs, problem, plan, point, quantity);
  for (double& value : values) {
    value = std::round(value * 1e9) * 1e-9;
  }
  return values;
}

// At three times: after a step, a few, and all.
const std::vector<std::uint64_t> recorded{1, 6, 24};

}  // namespace

// (14.13)
TEST_CASE("the chain of any width and rank has the law of explicit SGD") {
  const std::vector<setting> all = settings();
  const network_plan plan{.record = recorded};
  std::size_t tests = 0;
  for (const setting& s : all) {
    tests += moving_entries(s.problem).size() * recorded.size();
  }
  REQUIRE(tests == 432);
  // A false alarm of the whole at 1 %, by Bonferroni over all rows.
  const double significance = 0.01 / static_cast<double>(tests);
  std::uint64_t seed = 1500;
  std::vector<double> p_values;
  for (const setting& s : all) {
    network_problem problem = s.problem;
    problem.seed = ++seed;
    // More where a run costs less.
    const auto runs =
        static_cast<std::uint64_t>(effort * (problem.dimension < 12 ? 16000.0 : 4000.0));
    const network_ensemble chain = simulate_ensemble(problem, simulation_engine::chain, plan, runs);
    const network_ensemble sgd = simulate_ensemble(problem, simulation_engine::sgd, plan, runs);
    for (std::size_t point = 0; point < recorded.size(); ++point) {
      for (const network_quantity& quantity : moving_entries(problem)) {
        const distance_test test =
            kolmogorov_smirnov(values_at(chain, problem, plan, point, quantity),
                               values_at(sgd, problem, plan, point, quantity));
        p_values.push_back(test.p_value);
        CAPTURE(s.name, recorded[point], name_of(quantity), test.distance, test.p_value);
        CHECK(test.p_value > significance);
      }
    }
  }
  CHECK(p_values.size() == tests);
  std::sort(p_values.begin(), p_values.end());
  // The p-values themselves are nearly uniform (those of one setting are correlated).
  const auto small =
      std::count_if(p_values.begin(), p_values.end(), [](double p) { return p < 0.1; });
  INFO(tests << " tests: least p " << p_values.front() << ", median " << p_values[tests / 2]
             << ", below 0.1 " << small);
  CHECK(small < 87);
}

TEST_CASE("random, small and one-step starts have one law in both engines") {
  std::vector<setting> all;
  network_problem p = problem_of("erf", geometry_of(3, 2), 2);
  p.dimension = 13;
  p.batch = 5;
  p.steps = 1;
  all.push_back({"random", p});
  p.start.one_step_batch = 40;
  all.push_back({"one-step", p});
  p.start.one_step_batch = 4;
  p.batch = 64;
  p.parameters.adapter = adapter_constraint::free;
  p.parameters.label_noise = 0.5;
  all.push_back({"one-step of few", p});
  p.start.one_step_batch = 0;
  p.trained = trained_part::scratch;
  p.start.scale = 0.3;
  p.dimension = 16;
  all.push_back({"scratch", p});
  const network_plan plan{.record = {0, 1}};
  const auto runs = static_cast<std::uint64_t>(effort * 4000.0);
  std::size_t tests = 0;
  for (const setting& s : all) {
    // At the start U is the same in every run, S too but for a random one; 1 % in all.
    for (const std::size_t point : {0U, 1U}) {
      const network_ensemble chain =
          simulate_ensemble(s.problem, simulation_engine::chain, plan, runs);
      const network_ensemble sgd = simulate_ensemble(s.problem, simulation_engine::sgd, plan, runs);
      for (const network_quantity& quantity : moving_entries(s.problem)) {
        const bool fixed =
            point == 0 &&
            (quantity.matrix == network_matrix::U ||
             (quantity.matrix == network_matrix::S &&
              (quantity.row == quantity.column || s.problem.start.one_step_batch > 0)));
        if (fixed) {
          continue;
        }
        ++tests;
        const distance_test test =
            kolmogorov_smirnov(recorded_values(chain, s.problem, plan, point, quantity),
                               recorded_values(sgd, s.problem, plan, point, quantity));
        CAPTURE(s.name, point, name_of(quantity), test.distance, test.p_value);
        CHECK(test.p_value > 0.01 / 150.0);
      }
    }
  }
  CHECK(tests <= 150);
}

TEST_CASE("through stages the chain of a network has the law of explicit SGD") {
  network_geometry geometry = aligned_geometry(2, 2, 0.5, 0.4, 2, 0.5);
  geometry.source_readout = Eigen::Vector2d(1.0, -0.6);
  network_problem problem = problem_of("erf", geometry, 2);
  problem.parameters.readout_ratio = 0.2;
  problem.dimension = 14;
  problem.batch = 6;
  problem.start.U = outputs(2, 2, 0.8);
  problem.seed = 90;
  problem.stages = {{.teacher = parse_activation("erf^2"),
                     .label_noise = 0.5,
                     .rate_ratio = 1.5,
                     .learning_rate = 0.2,
                     .steps = 8},
                    {.teacher = parse_activation("tanh"),
                     .on_source = true,
                     .decay = 0.1,
                     .learning_rate = 0.3,
                     .steps = 10},
                    {.teacher = parse_activation("erf"),
                     .rate_ratio = 0.0,
                     .learning_rate = 0.3,
                     .steps = 6,
                     .flips = true},
                    {.teacher = parse_activation("erf"),
                     .label_noise = 0.5,
                     .learning_rate = 0.2,
                     .steps = 6,
                     .label = parse_activation("linear^2")}};
  const network_plan plan{.record = {8, 18, 30}};
  const auto runs = static_cast<std::uint64_t>(effort * 4000.0);
  const network_ensemble chain = simulate_ensemble(problem, simulation_engine::chain, plan, runs);
  const network_ensemble sgd = simulate_ensemble(problem, simulation_engine::sgd, plan, runs);
  const std::vector<network_quantity> entries = moving_entries(problem);
  const double significance = 0.01 / static_cast<double>(3 * entries.size());
  for (std::size_t point = 0; point < 3; ++point) {
    for (const network_quantity& quantity : entries) {
      const distance_test test =
          kolmogorov_smirnov(recorded_values(chain, problem, plan, point, quantity),
                             recorded_values(sgd, problem, plan, point, quantity));
      CAPTURE(point, name_of(quantity), test.distance, test.p_value);
      CHECK(test.p_value > significance);
    }
  }
  // Without one of the stages' numbers it has not.
  const std::vector<std::function<void(network_problem&)>> changes{
      [](network_problem& p) { p.stages[1].on_source = false; },
      [](network_problem& p) { p.stages[3].label = parse_activation("1.5*linear^2"); }};
  for (const auto& change : changes) {
    network_problem other = problem;
    change(other);
    const network_ensemble wrong = simulate_ensemble(other, simulation_engine::chain, plan, runs);
    double least = 1.0;
    for (const network_quantity& quantity : entries) {
      least = std::min(least, kolmogorov_smirnov(recorded_values(wrong, other, plan, 2, quantity),
                                                 recorded_values(sgd, problem, plan, 2, quantity))
                                  .p_value);
    }
    CHECK(least < significance);
  }
}

TEST_CASE("the chain of a network takes transformed labels as that of one neuron does") {
  const activation f = parse_activation("erf");
  const activation square = parse_activation("linear^2");
  simulation_problem one = make_problem(
      f, f, {.alignment = 0.4, .misalignment = 0.5, .label_noise = 0.4}, 60, 8, 0.3, 24);
  one.start.u0 = 1.0;
  one.stages.front().label = square;
  one.seed = 5;
  network_problem problem = problem_of("erf", aligned_geometry(1, 1, 0.4, 0.5, 1), 1);
  problem.dimension = 60;
  problem.batch = 8;
  problem.start.U = Eigen::MatrixXd::Constant(1, 1, 1.0);
  problem.seed = 6;
  problem.stages = {
      {.teacher = f, .label_noise = 0.4, .learning_rate = 0.3, .steps = 24, .label = square}};
  const auto runs = static_cast<std::uint64_t>(effort * 3000.0);
  const ensemble theirs =
      simulate_ensemble(one, simulation_engine::chain, simulation_plan{.record = {24}}, runs);
  const auto least = [&](const network_problem& p) {
    const network_plan plan{.record = {24}};
    const network_ensemble ours = simulate_ensemble(p, simulation_engine::chain, plan, runs);
    double found = 1.0;
    const std::vector<std::pair<network_quantity, simulated_quantity>> pairs{
        {{.matrix = network_matrix::U}, simulated_quantity::u},
        {{.matrix = network_matrix::C, .column = 0}, simulated_quantity::m},
        {{.matrix = network_matrix::C, .column = 1}, simulated_quantity::s}};
    for (const auto& [quantity, simulated] : pairs) {
      found = std::min(
          found, kolmogorov_smirnov(
                     recorded_values(ours, p, plan, 0, quantity),
                     recorded_values(theirs, one, simulation_plan{.record = {24}}, 0, simulated))
                     .p_value);
    }
    return found;
  };
  CHECK(least(problem) > 0.01 / 3.0);
  problem.stages.front().label.reset();
  CHECK(least(problem) < 1e-4);
}

TEST_CASE("one neuron with one adapter has the law of the single neuron's engines") {
  // d, B of either layout of lanes; two engines; two times; u, m, s. 1 % in all.
  constexpr double significance = 0.01 / 48.0;
  std::size_t tests = 0;
  const activation f = parse_activation("erf");
  const auto runs = static_cast<std::uint64_t>(effort * 3000.0);
  std::uint64_t seed = 70;
  for (const std::uint64_t batch : {8U, 64U}) {
    for (const std::uint64_t dimension : {8U, 60U}) {
      simulation_problem one = make_problem(
          f, f, {.alignment = 0.4, .misalignment = 0.5, .label_noise = 1.0, .rate_ratio = 2.5},
          dimension, batch, 0.3, 24);
      one.start.u0 = 1.5;
      one.seed = ++seed;
      network_problem problem = problem_of("erf", aligned_geometry(1, 1, 0.4, 0.5, 1), 1);
      problem.parameters.label_noise = 1.0;
      problem.parameters.rate_ratio = 2.5;
      problem.dimension = dimension;
      problem.batch = batch;
      problem.learning_rate = 0.3;
      problem.start.U = Eigen::MatrixXd::Constant(1, 1, 1.5);
      problem.seed = ++seed;
      const network_plan plan{.record = {2, 24}};
      const simulation_plan one_plan{.record = {2, 24}};
      const network_ensemble ours =
          simulate_ensemble(problem, simulation_engine::chain, plan, runs);
      for (const simulation_engine engine : {simulation_engine::chain, simulation_engine::sgd}) {
        const ensemble theirs = simulate_ensemble(one, engine, one_plan, runs);
        const std::vector<std::pair<network_quantity, simulated_quantity>> pairs{
            {{.matrix = network_matrix::U}, simulated_quantity::u},
            {{.matrix = network_matrix::C, .column = 0}, simulated_quantity::m},
            {{.matrix = network_matrix::C, .column = 1}, simulated_quantity::s}};
        for (std::size_t point = 0; point < 2; ++point) {
          for (const auto& [quantity, simulated] : pairs) {
            ++tests;
            CAPTURE(batch, dimension, static_cast<int>(engine), point, name_of(quantity));
            CHECK(kolmogorov_smirnov(recorded_values(ours, problem, plan, point, quantity),
                                     recorded_values(theirs, one, one_plan, point, simulated))
                      .p_value > significance);
          }
        }
      }
    }
  }
  CHECK(tests == 48);
}

TEST_CASE("a one-step start has the overlaps that the theory gives it") {
  // (A, C)/√(A² + C² + (d/N) V0) for erf, μ = .5, ν = .3, Δ = .1, by one-dimensional quadrature,
  // to leading order: at d = 1000 and 4000 some .001 of explicit SGD.
  struct expected {
    std::uint64_t dimension;
    std::uint64_t samples;
    double m;
    double s;
  };
  const std::vector<expected> cases{
      {1000, 500, 0.2639, -0.3475}, {1000, 4000, 0.4886, -0.6436}, {4000, 2000, 0.2639, -0.3475}};
  for (const expected& c : cases) {
    network_problem problem = problem_of("erf", aligned_geometry(1, 1, 0.5, 0.3, 1), 1);
    problem.parameters.label_noise = 0.1;
    problem.dimension = c.dimension;
    problem.batch = 8;
    problem.steps = 1;
    problem.start.one_step_batch = c.samples;
    const network_plan plan{.record = {0}};
    const network_ensemble runs = simulate_ensemble(problem, simulation_engine::chain, plan, 400);
    const double wanted[2] = {c.m, c.s};
    for (Eigen::Index i = 0; i < 2; ++i) {
      const sample_summary summary = summarise(
          recorded_values(runs, problem, plan, 0, {.matrix = network_matrix::C, .column = i}), {});
      CAPTURE(c.dimension, c.samples, i);
      CHECK(summary.mean ==
            test::within(wanted[i], 4.0 * summary.deviation / std::sqrt(400.0) + 2.0 / 1000.0));
    }
    CHECK(runs.runs[0].record[0].U(0, 0) == 0.0);
  }
}
