#pragma once

/// \file
/// One run of a simulation, and packs of runs that advance together.

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include <loradyn/simulation/problem.hpp>

namespace loradyn {

/// How a run ended.
enum class run_outcome {
  finished,  ///< after the last step of the last stage
  stopped,   ///< every event had happened, and the plan said to stop then
  diverged   ///< the next step's state is not finite, or |u| is beyond 10^12
};
/// Its name in tables.
std::string_view name_of(run_outcome outcome);

/// The first time of an event.
template <class State>
struct hit_of {
  bool happened = false;
  std::uint64_t step = 0;  ///< the number of steps taken; 0: the start satisfies it already
  State state;             ///< then
};

/// One finished run.
template <class State>
struct run_of {
  std::uint64_t run = 0;
  run_outcome outcome = run_outcome::finished;
  std::uint64_t steps = 0;          ///< how many were taken: a diverged run has no state after
  State last;                       ///< the state then, the last finite one of a diverged run
  std::vector<hit_of<State>> hits;  ///< one for each event of the plan
  std::vector<State> record;        ///< one for each recorded step that the run has reached
};

/// Those of one neuron.
using event_hit = hit_of<simulated_state>;
/// Those of one neuron.
using run_result = run_of<simulated_state>;

/// A run alone: the same numbers, to the last bit, as run `run` of any ensemble of this problem.
/// Cost: see simulation_engine; for batches below 64 as much as eight runs of an ensemble.
/// \throws argument_error where problem, plan or run are out of range
run_result replay_run(const simulation_problem& problem, simulation_engine engine,
                      const simulation_plan& plan, std::uint64_t run);

namespace detail {

/// Consecutive runs that advance together. What it computes is independent of how `advance` is
/// sliced, and of a `save` and `restore` between two slices.
template <class Run>
class pack_of {
 public:
  virtual ~pack_of() = default;

  /// Takes at most this many steps. \return the number taken; 0 once every run has ended
  virtual std::uint64_t advance(std::uint64_t steps) = 0;
  [[nodiscard]] virtual bool done() const = 0;
  /// The steps behind.
  [[nodiscard]] virtual std::uint64_t steps_taken() const = 0;
  /// The results, once; the pack is done.
  [[nodiscard]] virtual std::vector<Run> take_results() = 0;

  /// All that the rest depends on, as bytes, and back. \return false where they are not of a pack
  /// of these runs
  [[nodiscard]] virtual std::string save() const = 0;
  virtual bool restore(std::string_view saved) = 0;
};

using run_pack = pack_of<run_result>;

/// How many runs a pack holds: a function of the problem alone.
std::size_t pack_width(const simulation_problem& problem, simulation_engine engine);

/// \param problem \param plan must outlive the pack, which has runs first … first + count - 1
std::unique_ptr<run_pack> make_pack(const simulation_problem& problem, simulation_engine engine,
                                    const simulation_plan& plan, std::uint64_t first,
                                    std::size_t count);

}  // namespace detail
}  // namespace loradyn
