#pragma once

// The options of the commands that simulate at finite dimension.

#include <CLI/CLI.hpp>
#include <functional>
#include <loradyn/dynamics/overlap_event.hpp>
#include <loradyn/simulation/ensemble.hpp>
#include <loradyn/simulation/problem.hpp>
#include <string>

#include "options.hpp"

namespace loradyn::cli {

// A whole number from `least` to `most`, as 1000, 1e12 or 10^12. Throws argument_error.
std::uint64_t read_count(const std::string& option, const std::string& text, std::uint64_t least,
                         std::uint64_t most);

// Throws argument_error.
simulation_engine read_engine(const std::string& text);

// The event as a simulation watches it; M is reached from the side of the start.
simulation_event simulated_event(const overlap_event& event);

// R(M, Q) of a pair, with label noise, as a simulation asks for it.
std::function<double(double, double)> risk_of(const population_risk& risk, double label_noise);

// An ensemble with progress, which the user may interrupt. Where `checkpoint` names a file, what is
// done is kept there and the work goes on from it. The file stays until the caller, whose table
// stands, removes it.
ensemble run_ensemble(const shared_options& shared, const simulation_problem& problem,
                      simulation_engine engine, const simulation_plan& plan, std::uint64_t runs,
                      const std::string& checkpoint);

// Says what an interrupted ensemble has kept and how to go on; returns the exit code.
int report_interrupted_ensemble(const ensemble& done, const std::string& checkpoint,
                                const char* command_line);

}  // namespace loradyn::cli
