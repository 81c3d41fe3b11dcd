#pragma once

/// \file
/// The stages of a training protocol, as a TOML file has them: an array of tables [[stage]].

#include <loradyn/dynamics/protocol.hpp>
#include <loradyn/simulation/problem.hpp>
#include <loradyn/study/network.hpp>
#include <loradyn/study/pair.hpp>
#include <string>
#include <vector>

namespace loradyn {

/// The stages of a file; `time_unit` is what a unit of its times is in raw time.
/// \throws error and argument_error, naming the file, the stage and the key
std::vector<training_stage> read_stages(const std::string& path, const study::activation_pair& pair,
                                        double time_unit);

/// The same for a simulation: fine-tuning stages, each with its learning rate and its steps or
/// time.
std::vector<simulation_stage> read_simulation_stages(const std::string& path,
                                                     const study::activation_pair& pair,
                                                     double time_unit);

/// The same for a network's run in time.
std::vector<study::network_training_stage> read_network_stages(const std::string& path,
                                                               double time_unit);

/// The same for a network's simulation.
std::vector<study::network_simulated_stage> read_network_simulation_stages(const std::string& path,
                                                                           double time_unit);

}  // namespace loradyn
