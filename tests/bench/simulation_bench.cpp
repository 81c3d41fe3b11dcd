// What a step of a simulation costs: the chain by activation, batch and dimension, and explicit
// SGD. Counters: ns_per_sample (or ns_per_step for one run), and against what is measured in the
// same run: `ratio`, the scalar chain with std::mt19937_64 and std::normal_distribution over ours;
// `sgd_ratio`, explicit SGD over the chain at equal dimension and batch.

#include <benchmark/benchmark.h>

#include <chrono>
#include <cmath>
#include <cstdint>
#include <loradyn/activation/parse.hpp>
#include <loradyn/simulation/ensemble.hpp>
#include <loradyn/simulation/run.hpp>
#include <random>
#include <string>

namespace {

using namespace loradyn;

simulation_problem problem_of(const std::string& name, double nu, std::uint64_t dimension,
                              std::uint64_t batch) {
  const activation f = parse_activation(name);
  // Slow enough that nothing diverges however long the benchmark is.
  return make_problem(f, f,
                      {.alignment = 0.5, .misalignment = nu, .label_noise = nu > 0.0 ? 0.1 : 0.0},
                      dimension, batch, 1e-6, std::uint64_t{1} << 40);
}

double seconds_of(const auto& work) {
  const auto start = std::chrono::steady_clock::now();
  work();
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
}

double seconds_per_step(detail::run_pack& pack, std::uint64_t steps) {
  pack.advance(1);
  return seconds_of([&] { pack.advance(steps); }) / static_cast<double>(steps);
}

// The aligned chain as one writes it first.
class scalar_chain {
 public:
  scalar_chain(const activation& f, std::uint64_t dimension, std::uint64_t batch)
      : f_(f), batch_(batch), rest_(static_cast<double>(dimension) - 2.0) {}

  void step() {
    const double c = std::sqrt(1.0 - m_ * m_);
    double first = 0.0;
    double third = 0.0;
    double square = 0.0;
    for (std::uint64_t i = 0; i < batch_; ++i) {
      const double z1 = normal_(engine_);
      const double z3 = normal_(engine_);
      const double field = 0.5 * z1 + u_ * (m_ * z1 + c * z3);
      double value = 0.0;
      double slope = 0.0;
      double curvature = 0.0;
      f_.tabulate({&field, 1}, {&value, 1}, {&slope, 1}, {&curvature, 1});
      const double h = (value - f_(z1)) * slope;
      first += h * z1;
      third += h * z3;
      square += h * h;
    }
    const double rate = 1e-6 / static_cast<double>(batch_);
    const double a = m_ - rate * u_ * first;
    const double r = c - rate * u_ * third;
    const double norm = std::sqrt(a * a + r * r + rate * rate * u_ * u_ * square * rest_(engine_));
    u_ -= rate * (m_ * first + c * third);
    m_ = a / norm;
  }

 private:
  const activation& f_;
  std::uint64_t batch_;
  std::mt19937_64 engine_{1};
  std::normal_distribution<double> normal_;
  std::chi_squared_distribution<double> rest_;
  double u_ = 1e-6;
  double m_ = 0.03;
};

void chain_step(benchmark::State& state, const std::string& name, double nu,
                std::uint64_t dimension, std::uint64_t batch, bool with_baseline) {
  const simulation_problem problem = problem_of(name, nu, dimension, batch);
  const simulation_plan plan;
  const std::size_t runs = detail::pack_width(problem, simulation_engine::chain);
  const auto pack = detail::make_pack(problem, simulation_engine::chain, plan, 0, runs);
  pack->advance(1);
  const auto steps = static_cast<std::uint64_t>(1 + 20000 / (batch * runs));
  const double seconds = seconds_of([&] {
    for (auto _ : state) {
      pack->advance(steps);
    }
  });
  const double samples = static_cast<double>(steps * batch * runs);
  state.counters["ns_per_sample"] =
      1e9 * seconds / (samples * static_cast<double>(state.iterations()));
  if (with_baseline) {
    const double ours = seconds_per_step(*pack, steps) / static_cast<double>(runs);
    scalar_chain baseline(problem.student, dimension, batch);
    const double theirs = seconds_of([&] {
                            for (std::uint64_t i = 0; i < steps; ++i) {
                              baseline.step();
                            }
                          }) /
                          static_cast<double>(steps);
    state.counters["ratio"] = theirs / ours;
  }
}

void sgd_step(benchmark::State& state, const std::string& name, std::uint64_t dimension,
              std::uint64_t batch) {
  const simulation_problem problem = problem_of(name, 0.0, dimension, batch);
  const simulation_plan plan;
  const auto sgd = detail::make_pack(problem, simulation_engine::sgd, plan, 0, 1);
  sgd->advance(1);
  for (auto _ : state) {
    sgd->advance(1);
  }
  const std::size_t runs = detail::pack_width(problem, simulation_engine::chain);
  const auto chain = detail::make_pack(problem, simulation_engine::chain, plan, 0, runs);
  state.counters["sgd_ratio"] =
      seconds_per_step(*sgd, 10) / seconds_per_step(*chain, 200) * static_cast<double>(runs);
}

// What checkpoints add to an ensemble's time, where they come as fast as they may.
void checkpoint_overhead(benchmark::State& state) {
  simulation_problem problem = problem_of("erf", 0.0, 1000, 20);
  problem.stages[0].steps = 4000;
  const simulation_plan plan{.record = linear_record(4000, 201)};
  const auto seconds = [&](const ensemble_control& control) {
    return seconds_of([&] {
      benchmark::DoNotOptimize(
          simulate_ensemble(problem, simulation_engine::chain, plan, 1000, control));
    });
  };
  double with = 0.0;
  double without = 0.0;
  std::string kept;
  std::size_t checkpoints = 0;
  for (auto _ : state) {
    with += seconds({.threads = 1,
                     .keep =
                         [&](const std::string& checkpoint) {
                           kept = checkpoint;
                           ++checkpoints;
                         },
                     .keep_every = 0.0});
    without += seconds({.threads = 1});
  }
  state.counters["overhead"] = with / without - 1.0;
  state.counters["checkpoints"] = static_cast<double>(checkpoints);
}

const int registered = [] {
  const auto chain = [](const std::string& name, double nu, std::uint64_t dimension,
                        std::uint64_t batch, bool with_baseline) {
    const std::string label = "chain/" + name + (nu > 0.0 ? "/misaligned" : "/aligned") +
                              "/d=" + std::to_string(dimension) + "/B=" + std::to_string(batch);
    benchmark::RegisterBenchmark(label.c_str(), chain_step, name, nu, dimension, batch,
                                 with_baseline)
        ->Unit(benchmark::kMicrosecond);
  };
  for (const std::string name : {"erf", "he3", "relu", "tanh"}) {
    for (const double nu : {0.0, 0.3}) {
      for (const std::uint64_t batch : {1U, 64U, 500U}) {
        chain(name, nu, 1000, batch, nu == 0.0);
      }
    }
  }
  for (const char* name : {"sigmoid", "gelu", "silu", "relu^2"}) {
    chain(name, 0.0, 1000, 64, true);
  }
  for (const std::uint64_t dimension :
       {100ULL, 10'000ULL, 1'000'000ULL, 100'000'000ULL, 1'000'000'000'000ULL}) {
    chain("erf", 0.0, dimension, 64, false);
    chain("erf", 0.0, dimension, 1, false);
  }
  for (const std::string name : {"erf", "relu"}) {
    benchmark::RegisterBenchmark(("sgd/" + name + "/d=1000/B=500").c_str(), sgd_step, name, 1000,
                                 500)
        ->Unit(benchmark::kMillisecond);
  }
  benchmark::RegisterBenchmark("checkpoint", checkpoint_overhead)->Unit(benchmark::kMillisecond);
  return 0;
}();

}  // namespace
