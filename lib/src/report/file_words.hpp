#pragma once

// The files that words of a question name, read.

#include <loradyn/report/network_file.hpp>
#include <loradyn/report/stages_file.hpp>
#include <span>
#include <string>
#include <vector>
#include "report/file_word.hpp"

namespace loradyn {

// As the functions of stages_file.hpp and network_file.hpp, of what is read already.
std::vector<training_stage> read_stages(const file_word& file, const study::activation_pair& pair,
                                        double time_unit);
std::vector<simulation_stage> read_simulation_stages(const file_word& file,
                                                     const study::activation_pair& pair,
                                                     double time_unit);
std::vector<study::network_training_stage> read_network_stages(const file_word& file,
                                                               double time_unit);
std::vector<study::network_simulated_stage> read_network_simulation_stages(const file_word& file,
                                                                           double time_unit);
network_geometry read_network(const file_word& file);
network_start_values read_network_start(const file_word& file);

// The same as words: what a file of them would hold, as a JSON object.
std::string text_of(const network_geometry& rows);
std::string text_of(const network_start_values& start);
// Rows back from such a text, to the same bits. Throws error, argument_error.
network_geometry network_of_text(const std::string& text);

// Stages likewise, with times in the units that read_stages takes. Throws argument_error for noisy
// labels that a transform has made: what they were before is no part of a stage.
std::string text_of(std::span<const training_stage> stages, double time_unit);
std::string text_of(std::span<const simulation_stage> stages);
std::string text_of(std::span<const study::network_training_stage> stages, double time_unit);
std::string text_of(std::span<const study::network_simulated_stage> stages);

}  // namespace loradyn
