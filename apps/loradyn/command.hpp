#pragma once

// What main.cpp knows of a command: its options and what runs it.

#include <CLI/CLI.hpp>
#include <functional>
#include <string>

namespace loradyn::cli {

// A word as a POSIX shell takes it.
std::string shell_quoted(const std::string& word);

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
using setup = std::function<int(const invocation&)> (*)(CLI::App&);

std::function<int(const invocation&)> setup_rates(CLI::App& app);
std::function<int(const invocation&)> setup_critical(CLI::App& app);
std::function<int(const invocation&)> setup_trajectory(CLI::App& app);
std::function<int(const invocation&)> setup_escape(CLI::App& app);
std::function<int(const invocation&)> setup_fixed_points(CLI::App& app);
std::function<int(const invocation&)> setup_budget(CLI::App& app);
std::function<int(const invocation&)> setup_phase(CLI::App& app);
std::function<int(const invocation&)> setup_export(CLI::App& app);
std::function<int(const invocation&)> setup_merge(CLI::App& app);
std::function<int(const invocation&)> setup_simulate(CLI::App& app);
std::function<int(const invocation&)> setup_validate(CLI::App& app);
std::function<int(const invocation&)> setup_plot(CLI::App& app);

}  // namespace loradyn::cli
