// The flow of networks against the exact chain at d = 10^5. The two share the activations, the
// problem and nothing else. Seeds are fixed; thresholds follow from the runs' own spread and the
// number of comparisons.

#include <algorithm>
#include <boost/math/distributions/students_t.hpp>
#include <catch2/catch.hpp>
#include <cmath>
#include <loradyn/activation/parse.hpp>
#include <loradyn/dynamics/network_flow.hpp>
#include <loradyn/simulation/network_run.hpp>
#include <loradyn/simulation/statistics.hpp>
#include <string>
#include <utility>
#include <vector>

using namespace loradyn;

namespace {

constexpr double dimension = 1e5;

struct comparison {
  std::string activation;
  std::ptrdiff_t width;
  std::ptrdiff_t rank;
  std::ptrdiff_t teacher_width;
  adapter_constraint adapter;
  double noise_scale;
};

Eigen::MatrixXd pattern(Eigen::Index rows, Eigen::Index columns, double size) {
  Eigen::MatrixXd m(rows, columns);
  for (Eigen::Index i = 0; i < rows; ++i) {
    for (Eigen::Index j = 0; j < columns; ++j) {
      m(i, j) = size * std::cos(static_cast<double>(1 + 3 * i + 7 * j));
    }
  }
  return m;
}

network_problem problem_of(const comparison& c) {
  const activation f = parse_activation(c.activation);
  network_problem problem{
      .geometry = aligned_geometry(c.width, c.teacher_width, 0.5, 0.3, (c.width + 1) / 2),
      .student = f,
      .teacher = f};
  const readout_rule rule = c.activation == "erf" ? readout_rule::sqrt : readout_rule::mean;
  problem.geometry.readout = readouts(rule, c.width);
  problem.geometry.teacher_readout = readouts(rule, c.teacher_width);
  problem.parameters.rank = c.rank;
  problem.parameters.adapter = c.adapter;
  problem.parameters.label_noise = 0.1;
  problem.parameters.rate_ratio = 1.3;
  problem.dimension = static_cast<std::uint64_t>(dimension);
  // He3's gradient is some 18 times the others', and heavy-tailed: free adapters diverge from
  // larger amplitudes at γ = 0.5.
  problem.start.U = pattern(c.width, c.rank, c.activation == "he3" ? 0.3 : 0.8);
  const Eigen::MatrixXd C = pattern(c.rank, problem.geometry.directions(), 0.3);
  problem.start.C = C;
  // Rows of norm 1; of what is beside the frozen directions no two are orthogonal.
  const Eigen::VectorXd beside = (1.0 - C.rowwise().squaredNorm().array()).sqrt().matrix();
  Eigen::MatrixXd mixed = Eigen::MatrixXd::Constant(c.rank, c.rank, 0.2);
  mixed.diagonal().setOnes();
  problem.start.P = beside.asDiagonal() * mixed * beside.asDiagonal();
  return problem;
}

struct times {
  double end;
  std::uint64_t steps;  // of the coarser of two rates
};

times times_of(const comparison& c) {
  return c.activation == "he3" ? times{0.04, 1500} : times{4.0, 1500};
}

// Means of all entries half way and at the end, with their standard errors.
struct means {
  std::vector<double> value;
  std::vector<double> error;
};

means simulated(network_problem problem, const times& t, std::uint64_t steps, std::uint64_t batch,
                std::uint64_t runs, std::uint64_t seed) {
  problem.steps = steps;
  problem.learning_rate = t.end / static_cast<double>(steps);
  problem.batch = batch;
  problem.seed = seed;
  const network_plan plan{.record = {steps / 2, steps}};
  const network_ensemble done = simulate_ensemble(problem, simulation_engine::chain, plan, runs);
  means m;
  for (std::size_t point = 0; point < 2; ++point) {
    for (const network_quantity& quantity : moving_entries(problem)) {
      const sample_summary s = summarise(recorded_values(done, problem, plan, point, quantity), {});
      REQUIRE(s.count == runs);
      m.value.push_back(s.mean);
      m.error.push_back(s.deviation / std::sqrt(static_cast<double>(s.count)));
    }
  }
  return m;
}

// At learning rate 0 by that and its half: what is linear in η, and where the batch is the same in
// γ = η d/B, cancels.
means extrapolated(const comparison& c, std::uint64_t runs, std::uint64_t seed) {
  const network_problem problem = problem_of(c);
  const times t = times_of(c);
  const auto batch = [&](std::uint64_t steps) {
    // γ = 0: a batch that makes it small.
    return c.noise_scale == 0.0
               ? std::uint64_t{5000}
               : static_cast<std::uint64_t>(
                     std::llround(t.end / static_cast<double>(steps) * dimension / c.noise_scale));
  };
  const std::uint64_t fine_steps = 2 * t.steps;
  const means coarse = simulated(problem, t, t.steps, batch(t.steps), runs, 2 * seed);
  means fine = simulated(problem, t, fine_steps, batch(fine_steps), runs, 2 * seed + 1);
  for (std::size_t i = 0; i < fine.value.size(); ++i) {
    fine.value[i] = 2.0 * fine.value[i] - coarse.value[i];
    fine.error[i] = std::hypot(2.0 * fine.error[i], coarse.error[i]);
  }
  return fine;
}

std::vector<double> flow_of(const comparison& c, double noise_scale) {
  const network_problem problem = problem_of(c);
  network_parameters parameters = problem.parameters;
  parameters.noise_scale = noise_scale;
  const network_flow flow({problem.student, problem.teacher}, problem.geometry, parameters);
  const ode_system<any_dimension> system = system_of(flow);
  integration_options options;
  options.relative_tolerance = 1e-6;
  options.absolute_tolerance = 1e-8;
  options.method = stepper::explicit_5;
  std::vector<double> x = flow.pack({.U = *problem.start.U,
                                     .C = *problem.start.C,
                                     .P = *problem.start.P,
                                     .a = problem.geometry.readout});
  std::vector<double> entries;
  const double end = times_of(c).end;
  for (const double begin : {0.0, 0.5 * end}) {
    options.end_time = begin + 0.5 * end;
    const auto result = integrate<any_dimension>(system, x, begin, options);
    REQUIRE(result.status == integration_status::end_time);
    x = result.x;
    for (const network_quantity& quantity : moving_entries(problem)) {
      entries.push_back(value_of(quantity, problem, {}, flow.unpack(x)));
    }
  }
  return entries;
}

double largest_deviation(const means& chain, const std::vector<double>& flow) {
  REQUIRE(chain.value.size() == flow.size());
  double largest = 0.0;
  for (std::size_t i = 0; i < flow.size(); ++i) {
    largest = std::max(largest, std::abs(chain.value[i] - flow[i]) / chain.error[i]);
  }
  return largest;
}

// Those that `is_part` takes; thresholds and seeds are those of all. At least so many of them find
// out a theory without the noise: of some little of it is left beside the frozen rows.
template <class IsPart>
void compare(const std::vector<comparison>& all, std::uint64_t runs, std::size_t least_found,
             const IsPart& is_part) {
  std::size_t rows = 0;
  for (const comparison& c : all) {
    rows += 2 * moving_entries(problem_of(c)).size();
  }
  // 1 % for a false alarm of the whole, by Bonferroni over all entries at two times; Student's t,
  // since each has its own standard error.
  const boost::math::students_t distribution(static_cast<double>(runs - 1));
  const double threshold = boost::math::quantile(
      boost::math::complement(distribution, 0.005 / static_cast<double>(rows)));
  std::uint64_t seed = 100;
  std::size_t found_out = 0;
  for (const comparison& c : all) {
    ++seed;
    if (!is_part(c)) {
      continue;
    }
    const means chain = extrapolated(c, runs, seed);
    const double deviation = largest_deviation(chain, flow_of(c, c.noise_scale));
    double largest_error = 0.0;
    for (const double error : chain.error) {
      largest_error = std::max(largest_error, error);
    }
    CAPTURE(c.activation, c.width, c.rank, c.teacher_width, name_of(adapter_constraints, c.adapter),
            c.noise_scale, rows, threshold, largest_error);
    CHECK(deviation < threshold);
    if (c.noise_scale > 0.0) {
      found_out += largest_deviation(chain, flow_of(c, 0.0)) > threshold ? 1U : 0U;
    }
  }
  CHECK(found_out >= least_found);
}

}  // namespace

// (14.7) by (14.13)
TEST_CASE("a network's flow is the chain at d = 10^5, within the ensemble's error") {
  compare({{"erf", 2, 1, 2, adapter_constraint::sphere, 0.5},
           {"relu", 1, 2, 1, adapter_constraint::free, 0.5},
           {"erf", 4, 2, 4, adapter_constraint::free, 0.5}},
          16, 2, [](const comparison&) { return true; });
}

namespace {

// Every width, rank, activation, adapter and noise, in parts of one activation and adapter.
void compare_part(const std::string& activation, adapter_constraint adapter,
                  std::size_t least_found = 4) {
  std::vector<comparison> all;
  const std::ptrdiff_t shapes[5][3] = {{1, 2, 1}, {2, 1, 2}, {4, 1, 4}, {4, 2, 4}, {8, 4, 2}};
  for (const std::string name : {"he3", "relu", "erf"}) {
    for (const auto& [width, rank, teacher_width] : shapes) {
      for (const auto held : {adapter_constraint::sphere, adapter_constraint::free}) {
        for (const double gamma : {0.5, 0.0}) {
          all.push_back({name, width, rank, teacher_width, held, gamma});
        }
      }
    }
  }
  compare(all, 24, least_found,
          [&](const comparison& c) { return c.activation == activation && c.adapter == adapter; });
}

}  // namespace

TEST_CASE("the flow of he3 on spheres is the chain at d = 10^5", "[.][networks][flow-he3-sphere]") {
  compare_part("he3", adapter_constraint::sphere, 1);
}
TEST_CASE("the flow of free he3 is the chain at d = 10^5", "[.][networks][flow-he3-free]") {
  compare_part("he3", adapter_constraint::free, 3);
}
TEST_CASE("the flow of relu on spheres is the chain at d = 10^5",
          "[.][networks][flow-relu-sphere]") {
  compare_part("relu", adapter_constraint::sphere);
}
TEST_CASE("the flow of free relu is the chain at d = 10^5", "[.][networks][flow-relu-free]") {
  compare_part("relu", adapter_constraint::free);
}
TEST_CASE("the flow of erf on spheres is the chain at d = 10^5", "[.][networks][flow-erf-sphere]") {
  compare_part("erf", adapter_constraint::sphere);
}
TEST_CASE("the flow of free erf is the chain at d = 10^5", "[.][networks][flow-erf-free]") {
  compare_part("erf", adapter_constraint::free);
}
