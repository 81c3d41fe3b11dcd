#pragma once

/// \file
/// The overlaps and the risk in time, through one or more stages (docs/theory.md, section 10).

#include <cstddef>
#include <loradyn/dynamics/protocol.hpp>
#include <loradyn/study/control.hpp>
#include <loradyn/study/pair.hpp>
#include <loradyn/study/parameter.hpp>
#include <loradyn/study/row.hpp>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

namespace loradyn::study {

/// When a run is recorded; times are in the unit of the table.
struct record_times {
  std::vector<double> times{};  ///< these, or where there are none:
  std::size_t count = 201;      ///< so many up to the end, >= 2
  bool logarithmic = false;     ///< in geometric progression from 1e-4 of the end
};

/// The times of a record that ends there; both in the unit of the table.
std::vector<double> times_of(const record_times& record, double end);

/// One run in time.
struct trajectory_problem {
  training_protocol protocol;  ///< in raw time, as the next two
  integration_options integrator;
  std::optional<double> end;  ///< without it, where the last stage ends
  record_times record;
  double rate_unit = 1.0;  ///< times of the table are raw times multiplied by it
};

/// The state at one time.
using trajectory_row = training_point;

/// The columns of its rows.
row_description<trajectory_row> trajectory_columns();

/// The rows, and how each stage ended.
struct trajectory_result {
  std::vector<trajectory_row> rows;
  std::vector<stage_summary> stages;  ///< in the unit of the table
  overlap_state end;
  double alignment = 0.0;     ///< μ of the last stage
  double misalignment = 0.0;  ///< ν of the last stage
  bool complete = false;      ///< every stage ended by its duration or its event
  integration_work work{};
};

/// \throws argument_error as the protocol's validate(); convergence_error from a kernel
trajectory_result trajectory(const trajectory_problem& problem);

/// The same for several problems; those of the first where it is stopped.
std::vector<trajectory_result> trajectories(const std::vector<trajectory_problem>& problems,
                                            const study_control& control);

/// Runs from one start over several values of the parameters.
struct trajectory_family {
  activation_pair pair;
  parameter_grid grid;  ///< of stages that say their own parameters, μ and ν alone, or nothing
  trajectory_problem each;  ///< all but μ and ν, and where it has no stage, what the grid makes one
};

/// A problem for each point of the grid. \throws argument_error as the protocol's validate()
std::vector<trajectory_problem> problems_of(const trajectory_family& family);

/// A point of one of several runs.
struct family_row {
  row_key key;  ///< of the run
  trajectory_row point;
};

/// Some parameters, and the columns of a trajectory.
row_description<family_row> family_columns(std::span<const parameter* const> told);

/// The points of its runs, one after the other.
std::vector<family_row> rows_of(const trajectory_family& family,
                                const std::vector<trajectory_result>& runs);

/// How each stage of the runs ended, in words: "stage 2 at mu = 0.3" and "t = 3 to 7: event".
std::vector<std::pair<std::string, std::string>> words_of_stages(
    const parameter_grid& grid, const std::vector<trajectory_result>& runs);

}  // namespace loradyn::study
