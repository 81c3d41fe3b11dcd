// What a point of `loradyn rates` costs, against the same point by a 40 × 40 Gauss-Hermite rule:
// what a careful script does. The counter `ratio` is baseline over library in this run.

#include <benchmark/benchmark.h>

#include <chrono>
#include <cmath>
#include <loradyn/activation/parse.hpp>
#include <loradyn/analysis/critical.hpp>
#include <loradyn/analysis/search_phase.hpp>
#include <loradyn/gaussian/gauss_hermite.hpp>
#include <loradyn/study/rates.hpp>
#include <loradyn/sweep/range.hpp>
#include <string>
#include <utility>
#include <vector>

namespace {

using namespace loradyn;

double fixed_quadrature_rate(const activation& student, const activation& teacher,
                             const gauss_hermite_rule& rule, double mu, double nu) {
  double A = 0.0;
  double B = 0.0;
  double C = 0.0;
  for (std::size_t i = 0; i < rule.nodes.size(); ++i) {
    const double z = rule.nodes[i];
    const double target = teacher(z);
    for (std::size_t j = 0; j < rule.nodes.size(); ++j) {
      const double other = rule.nodes[j];
      const double weight = rule.weights[i] * rule.weights[j];
      const double field = mu * z + nu * other;
      double value = 0.0;
      double slope = 0.0;
      double curvature = 0.0;
      student.tabulate({&field, 1}, {&value, 1}, {&slope, 1}, {&curvature, 1});
      A += weight * (target - value) * slope * z;
      C += weight * (target - value) * slope * other;
      B += weight * ((target - value) * curvature - slope * slope);
    }
  }
  return 0.5 * (B + std::sqrt(B * B + 4.0 * (A * A + C * C)));
}

double seconds_of(const auto& work, int repetitions) {
  const auto start = std::chrono::steady_clock::now();
  for (int i = 0; i < repetitions; ++i) {
    work(i);
  }
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count() /
         repetitions;
}

void rates_point(benchmark::State& state, const std::string& student, const std::string& teacher,
                 double nu) {
  const activation s = parse_activation(student);
  const activation g = parse_activation(teacher);
  const population_risk risk(s, g);
  const gauss_hermite_rule rule(40);
  int step = 0;
  const auto alignment = [](int i) { return 0.03 + 0.96 * ((i * 37) % 200) / 199.0; };
  const auto point = [&](int i) {
    benchmark::DoNotOptimize(search_phase(risk, {.alignment = alignment(i), .misalignment = nu},
                                          search_kernels::prepared));
  };
  state.counters["preparation"] = 200.0 * seconds_of(point, 200);
  for (auto _ : state) {
    point(step++);
  }
  const double ours = seconds_of(point, 200);
  const double theirs = seconds_of(
      [&](int i) { benchmark::DoNotOptimize(fixed_quadrature_rate(s, g, rule, alignment(i), nu)); },
      20);
  state.counters["ratio"] = theirs / ours;
}

void critical_roots(benchmark::State& state, const std::string& name) {
  const population_risk risk(parse_activation(name), parse_activation(name));
  for (auto _ : state) {
    benchmark::DoNotOptimize(critical_alignments(risk, {}, 0.0, 1.0));
  }
}

// The same sweep as tests/bench/python_bench.py's.
void a_million_rates(benchmark::State& state) {
  const activation erf = parse_activation("erf");
  study::rates_problem problem;
  problem.pairs.push_back(study::make_pair(erf, erf, study::time_unit::raw));
  problem.grid.axes = {{&study::registry::mu, parse_range("mu", "0.001:0.999:1000000")}};
  for (auto _ : state) {
    benchmark::DoNotOptimize(study::rates(problem, {.threads = 1}));
  }
}
BENCHMARK(a_million_rates)->Unit(benchmark::kMillisecond);

const int registered = [] {
  const std::vector<std::pair<std::string, std::string>> pairs{
      {"linear", "linear"},     {"erf", "erf"},           {"relu", "relu"},
      {"he3", "he3"},           {"he14", "he14"},         {"he20", "he20"},
      {"erf", "he3"},           {"relu", "erf"},          {"sigmoid", "sigmoid"},
      {"tanh", "tanh"},         {"softplus", "softplus"}, {"gelu", "gelu"},
      {"silu", "silu"},         {"sin", "sin"},           {"erf^2", "erf^2"},
      {"tanh*erf", "tanh*erf"}, {"relu^2", "relu^2"},     {"relu*tanh", "relu*tanh"},
      {"relu", "sigmoid"},      {"tanh", "relu"}};
  for (const auto& [student, teacher] : pairs) {
    for (const double nu : {0.0, 0.3}) {
      const std::string label = "rates/" + student + "/" + teacher + (nu > 0 ? "/nu=0.3" : "/nu=0");
      benchmark::RegisterBenchmark(label.c_str(), rates_point, student, teacher, nu)
          ->Unit(benchmark::kMicrosecond);
    }
  }
  for (const std::string name : {"he3", "he20", "tanh", "relu^2"}) {
    benchmark::RegisterBenchmark(("critical/" + name).c_str(), critical_roots, name)
        ->Unit(benchmark::kMicrosecond);
  }
  return 0;
}();

}  // namespace
