// The law of the escape time at rank r against the exact chain.

#include <algorithm>
#include <catch2/catch.hpp>
#include <cmath>
#include <loradyn/activation/parse.hpp>
#include <loradyn/analysis/network_escape.hpp>
#include <loradyn/simulation/network_run.hpp>
#include <loradyn/simulation/statistics.hpp>
#include <string>
#include <vector>

using namespace loradyn;

namespace {

struct row {
  std::string activation;
  std::ptrdiff_t width;  // its first neuron is off its target, the others are on theirs
  std::ptrdiff_t rank;
  adapter_constraint adapter;
  double dimension;
  double noise_scale;
  double misalignment = 0.0;
  double decay = 0.0;
  double readout_ratio = 0.0;
};

// d = 1000 and 10^4 at one γ have one limit.
constexpr double learning_rate = 0.02;
constexpr double level = 0.75;

network_problem problem_of(const row& r) {
  const activation f = parse_activation(r.activation);
  network_problem problem{.geometry = aligned_geometry(r.width, r.width, 0.5, r.misalignment, 1),
                          .student = f,
                          .teacher = f};
  problem.parameters.rank = r.rank;
  problem.parameters.adapter = r.adapter;
  problem.parameters.decay = r.decay;
  problem.parameters.readout_ratio = r.readout_ratio;
  if (r.adapter == adapter_constraint::frobenius) {  // V's norm is 1
    problem.start.scale = 1.0 / std::sqrt(static_cast<double>(r.rank));
  }
  problem.dimension = static_cast<std::uint64_t>(r.dimension);
  problem.learning_rate = learning_rate;
  problem.batch =
      static_cast<std::uint64_t>(std::llround(learning_rate * r.dimension / r.noise_scale));
  problem.steps = 200'000;
  return problem;
}

// M_11 from 0.5 to 0.75: for K > 1 told by the mean, of which the others' part is 1.
double mean_level(std::ptrdiff_t width) {
  return (level + static_cast<double>(width - 1)) / static_cast<double>(width);
}

escape_law law_of(const row& r) {
  const network_problem problem = problem_of(r);
  network_parameters parameters = problem.parameters;
  parameters.noise_scale = r.noise_scale;
  const network_flow flow({problem.student, problem.teacher}, problem.geometry, parameters);
  integration_options options;
  options.end_time = 1e5;
  return law_of_escape(flow,
                       {.quantity = network_overlap_quantity::M,
                        .at = mean_level(r.width),
                        .is_signed = false,
                        .entry = {}},
                       r.dimension, 1.0 / (r.dimension * r.dimension), options);
}

std::vector<double> simulated_times(const row& r, std::uint64_t runs, std::uint64_t seed) {
  network_problem problem = problem_of(r);
  problem.seed = seed;
  network_plan plan;
  plan.events = {{.quantity = {.matrix = network_matrix::mean_overlap, .absolute = true},
                  .level = mean_level(r.width),
                  .direction = event_direction::rising}};
  plan.stop_after_events = true;
  const network_ensemble done = simulate_ensemble(problem, simulation_engine::chain, plan, runs);
  std::vector<double> times;
  for (const network_run& run : done.runs) {
    if (run.hits[0].happened) {
      times.push_back(static_cast<double>(run.hits[0].step) * learning_rate);
    }
  }
  REQUIRE(times.size() == runs);
  return times;
}

// Those that `is_part` takes; the significance and the seeds are those of all.
template <class IsPart>
void compare(const std::vector<row>& rows, std::uint64_t runs, bool shrinks,
             const IsPart& is_part) {
  // 1 % for a false alarm of the whole, by Bonferroni.
  const double significance = 0.01 / static_cast<double>(rows.size());
  std::uint64_t seed = 900;
  for (const row& r : rows) {
    ++seed;
    if (!is_part(r)) {
      continue;
    }
    escape_law law = law_of(r);
    std::vector<double> times = simulated_times(r, runs, seed);
    const auto distance = [&] {
      return kolmogorov_smirnov(times, [&law](double t) { return law.cdf(t); });
    };
    const distance_test test = distance();
    const double ten = law.quantile(0.1);
    const double fifty = law.quantile(0.5);
    const double ninety = law.quantile(0.9);
    const sample_summary ours = summarise(times, std::vector<double>{0.1, 0.5, 0.9});
    CAPTURE(r.activation, r.width, r.rank, name_of(adapter_constraints, r.adapter), r.dimension,
            r.noise_scale, to_string(law.status), law.tau, ten, fifty, ninety, ours.quantiles,
            test.distance, test.p_value);
    CHECK(law.status == law_status::ok);
    CHECK(test.p_value > significance);
    if (shrinks) {
      row smaller = r;
      smaller.dimension = r.dimension / 10.0;
      const escape_law there = law_of(smaller);
      const double distance_there =
          kolmogorov_smirnov(simulated_times(smaller, runs, seed + 100), [&there](double t) {
            return there.cdf(t);
          }).distance;
      CAPTURE(distance_there);
      // What the runs' number leaves of either distance is some 1/√runs.
      CHECK(test.distance < distance_there + 1.0 / std::sqrt(static_cast<double>(runs)));
    }
    // With a degree of freedom less, or for one adapter with one more, it is no law.
    law.degrees = r.rank > 1 ? law.degrees - 1.0 : 2.0;
    CHECK(distance().p_value < significance * 1e-3);
  }
}

}  // namespace

// (14.10) by (14.13)
TEST_CASE("escape times of two and four adapters have the law's distribution") {
  compare({{"erf", 1, 2, adapter_constraint::free, 1e4, 10.0},
           {"erf", 1, 2, adapter_constraint::frobenius, 1e4, 10.0},
           {"relu", 1, 4, adapter_constraint::sphere, 1e4, 10.0}},
          800, false, [](const row&) { return true; });
}

// (14.16) by (14.13)
TEST_CASE("escape times have the law's distribution where the rates move while they are searched") {
  compare({{"erf", 1, 2, adapter_constraint::free, 1e4, 10.0, 0.0, 0.005},
           {"erf", 1, 1, adapter_constraint::free, 1e4, 10.0, 0.0, 0.02},
           {"relu", 1, 2, adapter_constraint::sphere, 1e4, 1.0, 0.3, 0.0, 0.05}},
          800, false, [](const row&) { return true; });
}

namespace {

// 4000 escape times at rank 1, 2 and 4 at d = 10^4, and how far those at 1000 are, in parts of one
// activation, width and adapter.
void compare_part(const std::string& activation, std::ptrdiff_t width, adapter_constraint adapter,
                  std::uint64_t runs = 4000) {
  std::vector<row> rows;
  for (const std::string name : {"erf", "relu"}) {
    for (const std::ptrdiff_t rank : {1, 2, 4}) {
      for (const auto held : {adapter_constraint::free, adapter_constraint::sphere}) {
        rows.push_back({name, 1, rank, held, 1e4, 1.0});
      }
    }
  }
  rows.push_back({"erf", 2, 2, adapter_constraint::free, 1e4, 1.0});
  compare(rows, runs, true, [&](const row& r) {
    return r.activation == activation && r.width == width && r.adapter == adapter;
  });
}

}  // namespace

TEST_CASE("4000 escape times of erf on spheres have the law's distribution",
          "[.][networks][law-erf-sphere]") {
  compare_part("erf", 1, adapter_constraint::sphere);
}
TEST_CASE("4000 escape times of free erf have the law's distribution",
          "[.][networks][law-erf-free]") {
  compare_part("erf", 1, adapter_constraint::free);
}
TEST_CASE("4000 escape times of relu on spheres have the law's distribution",
          "[.][networks][law-relu-sphere]") {
  compare_part("relu", 1, adapter_constraint::sphere);
}
// The first 4000 of rank 1 have a p of .0007, of which one in a hundred sets of these rows has the
// like: 20000 of other seeds have .1, with 12000 more of this one it is .004.
TEST_CASE("16000 escape times of free relu have the law's distribution",
          "[.][networks][law-relu-free]") {
  compare_part("relu", 1, adapter_constraint::free, 16000);
}
TEST_CASE("4000 escape times of one of two neurons have the law's distribution",
          "[.][networks][law-erf-two]") {
  compare_part("erf", 2, adapter_constraint::free);
}
