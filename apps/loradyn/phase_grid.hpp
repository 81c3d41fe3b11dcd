#pragma once

// The grid of a phase diagram: two axes over parameters, and what a cell computes.

#include <array>
#include <cstdint>
#include <loradyn/report/table.hpp>
#include <loradyn/sweep/refinement.hpp>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "ensemble_cell.hpp"
#include "escape_cell.hpp"
#include "options.hpp"

namespace loradyn::cli {

// The largest number of cells, those of the finest refinement counted.
inline constexpr double max_cells = 1e9;

// PARAM=R.
struct phase_axis {
  std::string name;  // as the user knows it: mu, nu, gamma, noise, lr-ratio, m0, dim, or of a brace
  bool brace = false;
  bool logarithmic = false;
  bool whole = false;  // rounded to whole numbers: the dimension of a simulation
  std::vector<double> values;
  unsigned levels = 0;  // of refinement: each halves the steps between the values

  // Places from 0 to size() - 1, at both values and between them.
  [[nodiscard]] std::uint64_t size() const;
  [[nodiscard]] double at(std::uint64_t place) const;
  // The place of a value of the axis, or none.
  [[nodiscard]] std::optional<std::uint64_t> place_of(double value) const;
  // The column of its values.
  [[nodiscard]] std::string column() const;
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
  std::optional<ensemble_request> ensemble;
  unsigned levels = 0;       // of refinement
  double refine_step = 0.2;  // decades of time between neighbours that are not refined
};

class phase_grid {
 public:
  // Throws argument_error and error: an axis that can't be read, one parameter on both, a brace
  // parameter that no axis sets or one that no activation has, an alignment given twice or not at
  // all, an ensemble without a dimension or a learning rate.
  phase_grid(const phase_setting& setting, const std::string& x, const std::string& y);
  ~phase_grid();
  phase_grid(const phase_grid&) = delete;
  phase_grid& operator=(const phase_grid&) = delete;

  // The cells of the axes' own values, x fastest.
  [[nodiscard]] std::uint64_t cells() const;
  // The places of cells: y's place * x's size + x's place.
  [[nodiscard]] grid_refinement refinement() const;
  [[nodiscard]] const std::array<phase_axis, 2>& axes() const { return axes_; }
  [[nodiscard]] const phase_setting& setting() const { return setting_; }

  // Those of `escape` (or the parameters, tau and status), behind one for each axis that it has no
  // column for, then those of the ensemble.
  [[nodiscard]] const std::vector<std::string>& columns() const { return columns_; }
  [[nodiscard]] std::vector<column_kind> kinds() const;
  // Those that tell what became of a cell, and when.
  [[nodiscard]] const char* outcome_column() const {
    return setting_.tau_only ? "status" : "outcome";
  }
  [[nodiscard]] const char* time_column() const { return setting_.tau_only ? "tau" : "t_hit"; }

  // The values of the columns at a place; nothing where the user interrupts it. Of any thread.
  [[nodiscard]] std::optional<std::vector<cell>> row(std::uint64_t place) const;

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
  class problem_pool;

  void check_ensemble() const;
  [[nodiscard]] bool is_on_axis(const char* name) const;
  [[nodiscard]] point at(double x, double y) const;
  [[nodiscard]] activation_pair pair_for(const brace_values& braces) const;
  [[nodiscard]] std::vector<std::string> make_columns() const;

  phase_setting setting_;
  std::array<phase_axis, 2> axes_;
  std::vector<std::string> columns_;
  std::unique_ptr<problem_pool> problems_;
};

}  // namespace loradyn::cli
