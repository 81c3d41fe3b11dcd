#pragma once

/// \file
/// Runs of a network's simulation, alone and in ensembles.

#include <cstddef>
#include <cstdint>
#include <functional>
#include <vector>

#include <loradyn/simulation/network_problem.hpp>
#include <loradyn/simulation/run.hpp>

namespace loradyn {

/// The first time of an event.
struct network_hit {
  bool happened = false;
  std::uint64_t step = 0;  ///< the number of steps taken; 0: the start satisfies it already
  network_state state;     ///< then
};

/// What is kept of a run.
struct network_run {
  std::uint64_t run = 0;
  run_outcome outcome = run_outcome::finished;
  std::uint64_t steps = 0;            ///< how many were taken: a diverged run has no state after
  network_state last;                 ///< the state then, the last finite one of a diverged run
  std::vector<network_hit> hits;      ///< one for each event of the plan
  std::vector<network_state> record;  ///< one for each recorded step that the run has reached
};

/// A run alone: the same numbers, to the last bit, as run `run` of any ensemble of this problem.
/// \throws argument_error where problem, plan or run are out of range
network_run replay_run(const network_problem& problem, simulation_engine engine,
                       const network_plan& plan, std::uint64_t run);

/// How an ensemble is computed. The results depend on none of it. The two functions are called from
/// the calling thread.
struct network_control {
  std::size_t threads = 0;       ///< 0: as many as the machine has cores, which is the most
  std::function<bool()> stop{};  ///< true ends the work early, as request_stop() does
  /// Told how many runs have ended, and what share of all steps is behind.
  std::function<void(std::size_t ended, double share)> progress{};
  double memory_limit = 0.0;  ///< bytes; 0: what the machine has to spare
};

/// Where the work was stopped early, the runs that have ended are not a fair sample: the short ones
/// come first. `complete` tells.
struct network_ensemble {
  std::uint64_t requested = 0;    ///< how many runs were asked for
  std::vector<network_run> runs;  ///< those that have ended, by number

  /// Whether every run is there.
  [[nodiscard]] bool complete() const noexcept { return runs.size() == requested; }
};

/// Simulates the runs 0 … runs - 1. Each is the run that replay_run gives, to the last bit, on any
/// number of threads. Activations of the user's own are called from several threads.
/// A step of the chain costs O(B (K + r)(p + r) + r³) whatever d is; of explicit SGD O(B d (K +
/// k)). \throws argument_error where problem, plan or runs are out of range, or the results need
/// more
///         memory than there is (naming how much)
network_ensemble simulate_ensemble(const network_problem& problem, simulation_engine engine,
                                   const network_plan& plan, std::uint64_t runs,
                                   const network_control& control = {});

/// What the results of so many runs take, in bytes, about.
double ensemble_bytes(const network_problem& problem, const network_plan& plan,
                      std::uint64_t runs) noexcept;

/// A quantity at recorded step number `point`, of the runs that have a state there, by run.
std::vector<double> recorded_values(const network_ensemble& runs, const network_problem& problem,
                                    const network_plan& plan, std::size_t point,
                                    const network_quantity& quantity);

}  // namespace loradyn
