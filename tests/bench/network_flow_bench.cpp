// What a right-hand side of a network costs beside the kernels that it is made of, measured in the
// same run: (K² + K k) times a kernel with its derivatives, plus 2 µs, is its allowance at γ = 0.

#include <benchmark/benchmark.h>

#include <Eigen/Core>
#include <algorithm>
#include <chrono>
#include <cmath>
#include <loradyn/activation/parse.hpp>
#include <loradyn/dynamics/network_flow.hpp>
#include <loradyn/kernel/pair_kernel.hpp>
#include <loradyn/model/network.hpp>

using namespace loradyn;
using Eigen::MatrixXd;

namespace {

// Nanoseconds a call, the least of three rounds.
template <class Function>
double cost_of(const Function& f) {
  using clock = std::chrono::steady_clock;
  double best = 1e300;
  for (int round = 0; round < 3; ++round) {
    int calls = 0;
    const auto begin = clock::now();
    double elapsed = 0.0;
    do {
      f();
      ++calls;
      elapsed = std::chrono::duration<double, std::nano>(clock::now() - begin).count();
    } while (elapsed < 5e6);
    best = std::min(best, elapsed / calls);
  }
  return best;
}

double entry(Eigen::Index i, Eigen::Index j, double seed) {
  return std::sin(seed + 1.7 * static_cast<double>(i) + 2.9 * static_cast<double>(j));
}

network_state some_state(const network_geometry& g, Eigen::Index r) {
  network_state x;
  x.U = MatrixXd::NullaryExpr(g.width(), r, [](auto i, auto j) { return 0.3 * entry(i, j, 0.3); });
  x.C = MatrixXd::NullaryExpr(r, g.directions(),
                              [](auto i, auto j) { return 0.1 * entry(i, j, 1.1); });
  x.P = MatrixXd::Identity(r, r);
  x.a = g.readout;
  return x;
}

// Counters: microseconds a right-hand side, and its part of what is allowed.
void right_hand_side(benchmark::State& state, const char* name) {
  volatile double sink = 0.0;
  const activation f = parse_activation(name);
  const pair_kernel kernel(f, f);
  const pair_covariance at = pair_covariance::of(0.9, 1.1, 0.4);
  const auto width = static_cast<Eigen::Index>(state.range(0));
  network_parameters p;
  p.rank = std::min<Eigen::Index>(width, 4);
  p.adapter = adapter_constraint::free;
  const network_flow flow({f, f}, aligned_geometry(width, width, 0.5, 0.0, width), p);
  const network_state x = some_state(flow.geometry(), p.rank);
  double one = 0.0;
  double cost = 0.0;
  for (auto _ : state) {
    one = cost_of([&] {
      const pair_moments m =
          kernel.moments(at, moment_set::value | moment_set::gradient | moment_set::gradient2);
      sink = sink + m.e11 + m.e20;
    });
    cost = cost_of([&] { sink = sink + flow.velocity(x).U(0, 0); });
  }
  const double allowed = static_cast<double>(2 * width * width) * one + 2000.0;
  state.counters["kernel_ns"] = one;
  state.counters["flow_us"] = 1e-3 * cost;
  state.counters["of_allowed"] = cost / allowed;
}

void with_noise(benchmark::State& state, const char* name) {
  volatile double sink = 0.0;
  const activation f = parse_activation(name);
  network_parameters p;
  p.rank = 2;
  p.adapter = adapter_constraint::free;
  p.noise_scale = 0.5;
  const network_flow flow({f, f}, aligned_geometry(4, 4, 0.5, 0.0, 4), p);
  const network_state x = some_state(flow.geometry(), 2);
  for (auto _ : state) {
    sink = sink + flow.velocity(x).U(0, 0);
  }
}

}  // namespace

BENCHMARK_CAPTURE(right_hand_side, erf, "erf")->RangeMultiplier(2)->Range(1, 64)->Iterations(1);
BENCHMARK_CAPTURE(right_hand_side, relu, "relu")->RangeMultiplier(2)->Range(1, 64)->Iterations(1);
BENCHMARK_CAPTURE(right_hand_side, he3, "he3")->RangeMultiplier(2)->Range(1, 64)->Iterations(1);
BENCHMARK_CAPTURE(right_hand_side, he6, "he6")->RangeMultiplier(2)->Range(1, 64)->Iterations(1);
BENCHMARK_CAPTURE(with_noise, erf, "erf");
BENCHMARK_CAPTURE(with_noise, relu, "relu");
BENCHMARK_CAPTURE(with_noise, he3, "he3");
BENCHMARK_CAPTURE(with_noise, tanh, "tanh");
