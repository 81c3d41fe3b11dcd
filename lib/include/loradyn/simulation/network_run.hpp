#pragma once

/// \file
/// Runs of a network's simulation, alone and in ensembles.

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include <loradyn/simulation/ensemble.hpp>
#include <loradyn/simulation/network_problem.hpp>
#include <loradyn/simulation/run.hpp>

namespace loradyn {

/// The first time of a network's event.
using network_hit = hit_of<network_state>;
/// What is kept of a network's run.
using network_run = run_of<network_state>;
/// A network's runs.
using network_ensemble = ensemble_of<network_run>;

/// A run alone: the same numbers, to the last bit, as run `run` of any ensemble of this problem.
/// \throws argument_error where problem, plan or run are out of range
network_run replay_run(const network_problem& problem, simulation_engine engine,
                       const network_plan& plan, std::uint64_t run);

/// Simulates the runs 0 … runs - 1. Each is the run that replay_run gives, to the last bit, on any
/// number of threads and after any number of interruptions. Activations of the user's own are
/// called from several threads. A step of the chain costs O(B (K + r)(p + r) + r³) whatever d is;
/// of explicit SGD O(B d (K + k)).
/// \param checkpoint what `keep` was given by an earlier call, or empty; the work goes on from
/// there
/// \throws argument_error where problem, plan or runs are out of range, the results or the
/// engine need more memory than there is (naming how much), or the checkpoint is damaged or of
/// another configuration (naming the first difference)
network_ensemble simulate_ensemble(const network_problem& problem, simulation_engine engine,
                                   const network_plan& plan, std::uint64_t runs,
                                   const ensemble_control& control = {},
                                   std::string_view checkpoint = {});

/// The configuration that a checkpoint belongs to, as lines "name value"; numbers are exact, and
/// matrices told by their checksum. The risks of a plan are not part of it, and a function of the
/// user's own only by its name.
std::string configuration_text(const network_problem& problem, simulation_engine engine,
                               const network_plan& plan, std::uint64_t runs);

/// What the results of so many runs take, in bytes, about.
double ensemble_bytes(const network_problem& problem, const network_plan& plan,
                      std::uint64_t runs) noexcept;

/// A quantity at recorded step number `point`, of the runs that have a state there, by run.
std::vector<double> recorded_values(const network_ensemble& runs, const network_problem& problem,
                                    const network_plan& plan, std::size_t point,
                                    const network_quantity& quantity);

namespace detail {

using network_pack = pack_of<network_run>;

/// How many runs a pack holds: a function of the problem alone.
std::size_t pack_width(const network_problem& problem, simulation_engine engine);

/// \param problem an adapter's \param plan must outlive the pack, which has runs first … first +
/// count - 1
std::unique_ptr<network_pack> make_pack(const network_problem& problem, simulation_engine engine,
                                        const network_plan& plan, std::uint64_t first,
                                        std::size_t count);

}  // namespace detail
}  // namespace loradyn
