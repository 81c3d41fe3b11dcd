#pragma once

#include <loradyn/dynamics/protocol.hpp>
#include <loradyn/simulation/problem.hpp>
#include <string>
#include <vector>

#include "options.hpp"

namespace loradyn::cli {

// The stages of a TOML file, an array of tables [[stage]]; `time_unit` is what a unit of its times
// is in raw time. Throws error and argument_error, naming the file, the stage and the key.
std::vector<training_stage> read_stages(const std::string& path, const study::activation_pair& pair,
                                        double time_unit);

// The same for a simulation: fine-tuning stages, each with its learning rate and its steps or time.
std::vector<simulation_stage> read_simulation_stages(const std::string& path,
                                                     const study::activation_pair& pair,
                                                     double time_unit);

}  // namespace loradyn::cli
