#pragma once

// What main.cpp knows of a command: its options and what runs it.

#include <functional>
#include <string>

#include "option_list.hpp"

namespace loradyn::cli {

// The words of the command line, for the table's provenance.
struct invocation {
  std::string command_line;  // quoted so that a shell takes it
};

enum exit_code : int {
  done = 0,
  comparison_failed = 1,
  wrong_input = 2,
  computation_failed = 3,
};

// Adds the command's options to its subcommand and returns what runs it, with the exit code.
using setup = std::function<int(const invocation&)> (*)(option_list&);

// What runs a command by what its options say.
inline std::function<int(const invocation&)> running(const option_list& list,
                                                     int (*run)(const question&,
                                                                const invocation&)) {
  return [said = list.said(), run](const invocation& call) { return run(said->said(), call); };
}

std::function<int(const invocation&)> setup_rates(option_list& options);
std::function<int(const invocation&)> setup_critical(option_list& options);
std::function<int(const invocation&)> setup_trajectory(option_list& options);
std::function<int(const invocation&)> setup_escape(option_list& options);
std::function<int(const invocation&)> setup_fixed_points(option_list& options);
std::function<int(const invocation&)> setup_budget(option_list& options);
std::function<int(const invocation&)> setup_phase(option_list& options);
std::function<int(const invocation&)> setup_export(option_list& options);
std::function<int(const invocation&)> setup_merge(option_list& options);
std::function<int(const invocation&)> setup_simulate(option_list& options);
std::function<int(const invocation&)> setup_validate(option_list& options);
std::function<int(const invocation&)> setup_plot(option_list& options);
std::function<int(const invocation&)> setup_help(option_list& options);
std::function<int(const invocation&)> setup_completion(option_list& options);
std::function<int(const invocation&)> setup_man(option_list& options);

}  // namespace loradyn::cli
