// What a phase diagram costs: escapes over μ and a for he3 + a he5, on one thread and on two, the
// search time alone, and the store. The counters `ratio…` are within one run: `ratio_threads` one
// thread over two, `ratio_store` with the store over without.

#include <benchmark/benchmark.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <filesystem>
#include <loradyn/activation/parse.hpp>
#include <loradyn/analysis/escape.hpp>
#include <loradyn/analysis/search_phase.hpp>
#include <loradyn/report/store.hpp>
#include <loradyn/sweep/parallel_map.hpp>
#include <memory>
#include <string>
#include <vector>

namespace {

using namespace loradyn;

// side × side cells, evenly over 0.05 <= μ <= 0.95 and -0.5 <= a <= 0.5.
class map {
 public:
  explicit map(std::size_t side) : side_(side) {
    for (std::size_t k = 0; k < side; ++k) {
      const activation g = parse_activation("he3+{a}*he5", {{"a", -0.5 + step(k)}});
      tasks_.emplace_back(g, g);
      classifiers_.emplace_back(tasks_.back());
    }
  }

  [[nodiscard]] std::size_t cells() const { return side_ * side_; }

  [[nodiscard]] escape_run escape_at(std::size_t i) const {
    const std::size_t k = i / side_;
    return escape(flow(tasks_[k], parameters(i)), default_start, {}, {}, classifiers_[k]);
  }

  [[nodiscard]] double tau_at(std::size_t i) const {
    return search_phase(tasks_[i / side_].risk, parameters(i)).tau;
  }

 private:
  [[nodiscard]] double step(std::size_t i) const {
    return static_cast<double>(i) / static_cast<double>(side_ - 1);
  }
  [[nodiscard]] lora_parameters parameters(std::size_t i) const {
    return {.alignment = 0.05 + 0.9 * step(i % side_)};
  }

  std::size_t side_;
  std::vector<learning_task> tasks_;
  std::vector<outcome_classifier> classifiers_;
};

template <class Work>
double seconds_of(const Work& work) {
  const auto start = std::chrono::steady_clock::now();
  work();
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
}

double median(std::vector<double> values) {
  std::sort(values.begin(), values.end());
  return values[values.size() / 2];
}

void on_threads(const map& m, std::size_t threads) {
  sweep_control control;
  control.threads = threads;
  control.block = 1;
  ordered_map(
      m.cells(), control, [&m](std::size_t i) { return m.escape_at(i); },
      [](std::size_t, const escape_run& run) { benchmark::DoNotOptimize(run.t_hit); });
}

void escapes(benchmark::State& bench) {
  const map m(64);
  std::vector<double> ratios;
  std::vector<double> both;
  for (auto _ : bench) {
    // In turn, so that a machine that changes its speed changes both.
    const double one = seconds_of([&m] { on_threads(m, 1); });
    both.push_back(seconds_of([&m] { on_threads(m, 2); }));
    ratios.push_back(one / both.back());
  }
  bench.counters["ratio_threads"] = median(ratios);
  constexpr double large = 512.0 * 512.0;
  bench.counters["seconds_for_512x512"] = median(both) * large / static_cast<double>(m.cells());
}

void search_times(benchmark::State& bench) {
  const map m(256);
  sweep_control control;
  control.block = 64;
  for (auto _ : bench) {
    ordered_map(
        m.cells(), control, [&m](std::size_t i) { return m.tau_at(i); },
        [](std::size_t, double tau) { benchmark::DoNotOptimize(tau); });
  }
  bench.SetItemsProcessed(bench.iterations() * static_cast<std::int64_t>(m.cells()));
}

// A file that is gone when the benchmark is.
struct scratch_store {
  std::filesystem::path path = std::filesystem::temp_directory_path() /
                               ("loradyn-bench-" + std::to_string(::getpid()) + ".sqlite");
  ~scratch_store() { std::filesystem::remove(path); }
};

void stored_escapes(benchmark::State& bench) {
  const map m(64);
  const scratch_store file;
  std::vector<double> ratios;
  for (auto _ : bench) {
    const double without = seconds_of([&m] { on_threads(m, 0); });
    const double with = seconds_of([&] {
      sweep_store store(file.path, {"0", {}, {"t_hit", "m", "u", "outcome"}, m.cells(), "outcome"});
      sweep_control control;
      control.block = 1;
      const std::vector<std::uint64_t> cells = store.claim(m.cells());
      std::vector<kept_cell> waiting;
      ordered_map(
          cells.size(), control, [&m](std::size_t i) { return m.escape_at(i); },
          [&](std::size_t i, const escape_run& run) {
            waiting.push_back(
                {cells[i],
                 {run.t_hit, run.at_hit.m, run.at_hit.u, std::string(to_string(run.result))},
                 0.0});
          });
      store.keep(waiting);
    });
    std::filesystem::remove(file.path);
    ratios.push_back(with / without);
  }
  bench.counters["ratio_store"] = median(ratios);
}

BENCHMARK(escapes)->Iterations(3)->Unit(benchmark::kMillisecond)->UseRealTime();
BENCHMARK(search_times)->Unit(benchmark::kMillisecond)->UseRealTime();
BENCHMARK(stored_escapes)->Iterations(3)->Unit(benchmark::kMillisecond)->UseRealTime();

}  // namespace
