#pragma once

/// \file
/// Many independent runs of one problem, over threads, with checkpoints.

#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include <loradyn/simulation/problem.hpp>
#include <loradyn/simulation/run.hpp>

namespace loradyn {

/// How an ensemble is computed. The results depend on none of it. The three functions are called
/// from the calling thread.
struct ensemble_control {
  std::size_t threads = 0;       ///< 0: as many as the machine has cores, which is the most
  std::function<bool()> stop{};  ///< true ends the work early, as request_stop() does
  /// Told how many runs have ended, and what share of all steps is behind.
  std::function<void(std::size_t ended, double share)> progress{};
  /// Given a checkpoint now and then, the last round's too, and when the work is stopped early.
  /// Checkpoints take at most 1 % of the time: the costlier one is, the later the next.
  std::function<void(const std::string& checkpoint)> keep{};
  double look_every = 0.25;   ///< seconds between two calls of stop and progress
  double keep_every = 5.0;    ///< seconds between two checkpoints, at least
  double memory_limit = 0.0;  ///< bytes; 0: what the machine has to spare
};

/// Where the work was stopped early, the runs that have ended are not a fair sample: the short ones
/// come first. `complete` tells.
template <class Run>
struct ensemble_of {
  std::uint64_t requested = 0;  ///< how many runs were asked for
  std::vector<Run> runs;        ///< those that have ended, by number

  /// Whether every run that was asked for is there.
  [[nodiscard]] bool complete() const noexcept { return runs.size() == requested; }
};

/// That of one neuron.
using ensemble = ensemble_of<run_result>;

/// Simulates the runs 0 … runs - 1. Each is the run that replay_run gives, to the last bit, on any
/// number of threads and after any number of interruptions. Activations of the user's own are
/// called from several threads. Memory: ensemble_bytes, and for `sgd` some 72 d bytes a thread.
/// \param checkpoint what `keep` was given by an earlier call, or empty; the work goes on from
/// there
///
/// \throws argument_error where problem, plan or runs are out of range, the results or the
/// engine need more memory than there is (naming how much), or the checkpoint is damaged or of
/// another configuration (naming the first difference)
ensemble simulate_ensemble(const simulation_problem& problem, simulation_engine engine,
                           const simulation_plan& plan, std::uint64_t runs,
                           const ensemble_control& control = {}, std::string_view checkpoint = {});

/// What the results of so many runs take, in bytes.
double ensemble_bytes(const simulation_plan& plan, std::uint64_t runs) noexcept;

/// The configuration that a checkpoint belongs to, as lines "name value"; numbers are exact. The
/// risk function of a plan is not part of it, and a function of the user's own only by its name.
std::string configuration_text(const simulation_problem& problem, simulation_engine engine,
                               const simulation_plan& plan, std::uint64_t runs);

}  // namespace loradyn
