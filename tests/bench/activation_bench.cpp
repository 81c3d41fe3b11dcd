// What a point of a formula costs: by blocks, for each instruction set, and by the series with
// exponents that a point falls back to. Labels say the order and the points of a call; counter:
// ns_per_point.

#include <benchmark/benchmark.h>

#include <array>
#include <random>
#include <string>
#include <vector>
#include "activation/formula_analysis.hpp"
#include "activation/formula_kernels.hpp"

namespace {

using namespace loradyn;
using namespace loradyn::detail;

std::vector<double> normal_points(std::size_t n) {
  std::mt19937_64 engine(1);
  std::normal_distribution<double> normal;
  std::vector<double> x(n);
  for (double& v : x) {
    v = normal(engine);
  }
  return x;
}

formula formula_of(const std::string& text) {
  formula f = parse_formula(text);
  analyse(f);
  return f;
}

void count(benchmark::State& state, std::size_t points) {
  state.counters["ns_per_point"] = benchmark::Counter(
      static_cast<double>(points) * static_cast<double>(state.iterations()) / 1e9,
      benchmark::Counter::kIsRate | benchmark::Counter::kInvert);
}

template <std::size_t Order>
void blocks(benchmark::State& state, const std::string& text, std::size_t points,
            const formula_kernels* kernels) {
  const formula f = formula_of(text);
  const std::vector<double> x = normal_points(points);
  std::array<std::vector<double>, Order + 1> table;
  std::array<double*, Order + 1> rows{};
  for (std::size_t k = 0; k <= Order; ++k) {
    table[k].resize(points);
    rows[k] = table[k].data();
  }
  for (auto _ : state) {
    tabulate<Order>(*kernels, f, x, rows);
    benchmark::ClobberMemory();
  }
  count(state, points);
}

template <std::size_t Order>
void single_points(benchmark::State& state, const std::string& text) {
  const formula f = formula_of(text);
  const std::vector<double> x = normal_points(64);
  std::array<double, Order + 1> values{};
  for (auto _ : state) {
    for (const double v : x) {
      f.evaluate<Order>(v, values);
      benchmark::DoNotOptimize(values);
    }
  }
  count(state, x.size());
}

const int registered = [] {
  for (const std::string text :
       {"relu*tanh", "tanh", "sigmoid", "gelu", "silu", "erf", "softplus", "sin", "exp(-x^2/2)",
        "log(1+exp(x))", "he7", "max(x,0.1*x)*cos", "x/(1+exp(-1.7*x))"}) {
    benchmark::RegisterBenchmark((text + "/order=2/series").c_str(), single_points<2>, text);
    benchmark::RegisterBenchmark((text + "/order=4/series").c_str(), single_points<4>, text);
    for (const formula_kernels* const kernels : available_formula_kernels()) {
      for (const std::size_t points : {1U, 16U, 64U}) {
        const std::string end =
            "/points=" + std::to_string(points) + "/" + std::string(kernels->name);
        benchmark::RegisterBenchmark((text + "/order=0" + end).c_str(), blocks<0>, text, points,
                                     kernels);
        benchmark::RegisterBenchmark((text + "/order=1" + end).c_str(), blocks<1>, text, points,
                                     kernels);
        benchmark::RegisterBenchmark((text + "/order=2" + end).c_str(), blocks<2>, text, points,
                                     kernels);
        benchmark::RegisterBenchmark((text + "/order=4" + end).c_str(), blocks<4>, text, points,
                                     kernels);
      }
    }
  }
  return 0;
}();

}  // namespace
