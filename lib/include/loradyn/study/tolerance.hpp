#pragma once

/// \file
/// By how much an answer depends on the integrator's tolerance.

#include <cstddef>
#include <loradyn/study/escape.hpp>
#include <loradyn/study/trajectory.hpp>
#include <optional>
#include <vector>

namespace loradyn::study {

/// A number of the answer that took the most right-hand sides, and the same with a tenth of the
/// tolerance.
struct tolerance_check {
  std::size_t which = 0;  ///< the row, or the run
  double value = 0.0;
  std::optional<double>
      again{};              ///< none of a map, which has no tolerance, and of a run without rows
  integration_work work{};  ///< of all rows or runs
};

/// Of t_hit. \pre there is a row
tolerance_check check_tolerance(const escape_problem& problem, const std::vector<escape_row>& rows);

/// Of m at the last time. \pre there is a run
tolerance_check check_tolerance(const std::vector<trajectory_problem>& problems,
                                const std::vector<trajectory_result>& runs);

}  // namespace loradyn::study
