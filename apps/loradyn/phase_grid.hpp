#pragma once

// The grid of a phase diagram: two axes over parameters, and what a cell computes.

#include <array>
#include <cstdint>
#include <loradyn/report/table.hpp>
#include <memory>
#include <string>
#include <vector>

#include "escape_cell.hpp"
#include "options.hpp"

namespace loradyn::cli {

// The largest number of cells.
inline constexpr double max_cells = 1e9;

// PARAM=R.
struct phase_axis {
  std::string name;  // as the user knows it: mu, nu, gamma, noise, lr-ratio, m0, dim, or of a brace
  bool brace = false;
  bool logarithmic = false;
  std::vector<double> values;
};

// What stays the same over the grid, as text.
struct phase_setting {
  std::string student;
  std::string teacher;  // empty: as the student
  std::string mu;
  bool fisher = false;
  bool tau_only = false;       // the search time alone, without a run
  lora_parameters parameters;  // where no axis says otherwise; the alignment is in `mu`
  escape_request request;
};

class phase_grid {
 public:
  // Throws argument_error and error: an axis that can't be read, one parameter on both, a brace
  // parameter that no axis sets or one that no activation has, an alignment given twice or not at
  // all.
  phase_grid(const phase_setting& setting, const std::string& x, const std::string& y);

  [[nodiscard]] std::uint64_t cells() const;
  [[nodiscard]] const std::array<phase_axis, 2>& axes() const { return axes_; }
  [[nodiscard]] const phase_setting& setting() const { return setting_; }

  // Those of `escape` (or the parameters, tau and status), behind one for each axis that it has no
  // column for.
  [[nodiscard]] std::vector<std::string> columns() const;

  // x varies fastest.
  [[nodiscard]] std::vector<cell> row(std::uint64_t index) const;

  // A at a point between the cells, NaN where there is none.
  [[nodiscard]] double drive(double x, double y) const;

  // Whether A = 0 is where the search time diverges: ν = 0 everywhere.
  [[nodiscard]] bool has_critical_lines() const;

 private:
  struct point {
    lora_parameters parameters;
    escape_request request;
    brace_values braces;
  };
  [[nodiscard]] point at(double x, double y) const;
  [[nodiscard]] activation_pair pair_for(const brace_values& braces) const;

  phase_setting setting_;
  std::array<phase_axis, 2> axes_;
  // The problems that many cells share: one, or one for each value of the only axis in braces.
  std::vector<std::shared_ptr<const escape_problem>> shared_;
};

}  // namespace loradyn::cli
