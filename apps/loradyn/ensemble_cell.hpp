#pragma once

// The simulated part of a cell of a phase diagram: an ensemble at finite dimension beside the law.

#include <cstdint>
#include <loradyn/report/table.hpp>
#include <loradyn/simulation/problem.hpp>
#include <optional>
#include <string>
#include <vector>

#include "escape_cell.hpp"
#include "flow_options.hpp"

namespace loradyn::cli {

// As text until `read` turns them into values.
struct ensemble_options {
  std::string engine;  // empty: no ensembles
  std::string batch = "16";
  std::string learning_rate;
  std::string runs = "100";
  std::string steps = "1000000";

  void add_to(CLI::App& app);
};

// What is simulated in every cell.
struct ensemble_request {
  simulation_engine engine = simulation_engine::chain;
  std::uint64_t batch = 16;
  std::optional<double> learning_rate;  // γ is made of it; without it, it is γ batch/d
  std::uint64_t runs = 100;
  std::uint64_t steps = 1'000'000;  // after which a run is given up
  std::uint64_t seed = 0;
  bool starts_fixed = false;  // from the cell's u0, m0, s0 rather than from a random v
};

// Nothing where no engine is named. Throws argument_error, naming the option.
std::optional<ensemble_request> read_ensemble(const ensemble_options& options, std::uint64_t seed);

// For a table's provenance; nothing where no engine is named.
described describe(const ensemble_options& options);

// Those of `quantiles` are of the runs' hitting times.
std::vector<std::string> ensemble_columns(const std::vector<double>& quantiles);

// The values of these columns. `seed` is the cell's own. Nothing where the user interrupts.
std::optional<std::vector<cell>> ensemble_row(const escape_problem& problem,
                                              const lora_parameters& parameters,
                                              const escape_request& request,
                                              const escape_point& theory,
                                              const ensemble_request& ensemble, std::uint64_t seed);

// The seed of a cell at (x, y): it depends on the place alone, not on the grid that holds it.
std::uint64_t seed_at(std::uint64_t seed, double x, double y);

}  // namespace loradyn::cli
