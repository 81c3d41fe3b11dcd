// What a step of the chain costs at any width and rank. Counters: ns_per_sample, and, of what is
// measured in the same run, `ratio`, the step over its normals alone: B (p + r) of the samples'
// and, for the part of the gradient that is orthogonal to all, r χ² variates and r (r - 1)/2
// normals a step are not counted as normals but as work.

#include <benchmark/benchmark.h>

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <limits>
#include <loradyn/activation/parse.hpp>
#include <loradyn/simulation/network_problem.hpp>
#include <loradyn/simulation/random.hpp>
#include <numeric>
#include <string>
#include <vector>
#include "simulation/network_chain.hpp"

namespace {

using namespace loradyn;

struct shape {
  std::ptrdiff_t width;
  std::ptrdiff_t rank;
  std::ptrdiff_t teacher_width;
};

network_problem problem_of(const std::string& name, const shape& s, double nu,
                           std::uint64_t batch) {
  const activation f = parse_activation(name);
  network_problem problem{.geometry = aligned_geometry(s.width, s.teacher_width, 0.5, nu, s.width),
                          .student = f,
                          .teacher = f};
  problem.parameters.rank = s.rank;
  problem.dimension = 100'000;
  problem.batch = batch;
  // Slow enough that nothing diverges however long the benchmark is.
  problem.learning_rate = 1e-6;
  problem.steps = std::uint64_t{1} << 40;
  return problem;
}

double seconds_of(const auto& work) {
  const auto start = std::chrono::steady_clock::now();
  work();
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
}

// The normals of a step, block by block as the chain draws them.
double draw_normals(std::uint64_t step, std::size_t inputs, std::uint64_t rows, bool lanes) {
  const detail::batch_kernels& kernels = detail::best_kernels();
  static std::vector<detail::lane_values> out(2 * detail::block_rows);
  detail::counter_lanes at;
  at.stride = lanes ? detail::lane_count : 1;
  for (std::size_t e = 0; e < detail::lane_count; ++e) {
    at.draw[e] = lanes ? e : 0;
    at.run[e] = lanes ? 0 : e;
  }
  for (std::uint64_t row = 0; row < rows; row += detail::block_rows) {
    const auto n =
        static_cast<std::size_t>(std::min<std::uint64_t>(detail::block_rows, rows - row));
    for (std::size_t pair = 0; 2 * pair < inputs; ++pair) {
      kernels.normal_pairs(pair, at, step, row, n, out[0].data(), out[detail::block_rows].data());
    }
  }
  return out[0][0];
}

void network_step(benchmark::State& state, const std::string& name, const shape& s, double nu,
                  std::uint64_t batch) {
  const network_problem problem = problem_of(name, s, nu, batch);
  problem.validate();
  const std::size_t runs = detail::network_chain::width(problem);
  std::vector<std::uint64_t> numbers(runs);
  std::iota(numbers.begin(), numbers.end(), std::uint64_t{0});
  detail::network_chain chain(problem, numbers, detail::best_kernels());
  chain.start();
  const bool lanes = runs == 1;
  const std::size_t inputs =
      static_cast<std::size_t>(problem.geometry.directions() + problem.parameters.rank);
  const std::uint64_t rows = lanes ? (batch + detail::lane_count - 1) / detail::lane_count : batch;
  const std::uint64_t chunk = 1 + 20000 / (batch * runs * inputs);
  std::uint64_t step = 0;
  double ours = std::numeric_limits<double>::infinity();
  double normals = ours;
  for (auto _ : state) {
    ours = std::min(ours, seconds_of([&] {
                      for (std::uint64_t i = 0; i < chunk; ++i) {
                        chain.step(step + i);
                      }
                    }));
    normals = std::min(normals, seconds_of([&] {
                         for (std::uint64_t i = 0; i < chunk; ++i) {
                           benchmark::DoNotOptimize(draw_normals(step + i, inputs, rows, lanes));
                         }
                       }));
    step += chunk;
  }
  const auto samples = static_cast<double>(chunk * batch * runs);
  state.counters["ns_per_sample"] = 1e9 * ours / samples;
  state.counters["ratio"] = ours / normals;
}

const int registered = [] {
  for (const std::string name : {"erf", "he3", "relu"}) {
    for (const shape& s :
         {shape{1, 1, 1}, shape{1, 2, 1}, shape{1, 4, 1}, shape{2, 1, 2}, shape{2, 2, 2},
          shape{4, 1, 4}, shape{4, 2, 4}, shape{8, 4, 2}, shape{8, 4, 8}, shape{64, 4, 64}}) {
      for (const double nu : {0.0, 0.3}) {
        for (const std::uint64_t batch : {20U, 500U}) {
          const std::string label =
              "chain/" + name + "/K=" + std::to_string(s.width) + "/r=" + std::to_string(s.rank) +
              "/k=" + std::to_string(s.teacher_width) + (nu > 0.0 ? "/misaligned" : "/aligned") +
              "/B=" + std::to_string(batch);
          benchmark::RegisterBenchmark(label.c_str(), network_step, name, s, nu, batch)
              ->Unit(benchmark::kMicrosecond);
        }
      }
    }
  }
  return 0;
}();

}  // namespace
