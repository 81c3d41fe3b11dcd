#pragma once

/// \file
/// A diagram over two parameters: its axes, and what a cell computes.

#include <array>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <loradyn/study/control.hpp>
#include <loradyn/study/ensemble_cell.hpp>
#include <loradyn/study/escape.hpp>
#include <loradyn/study/network.hpp>
#include <loradyn/study/parameter.hpp>
#include <loradyn/study/row.hpp>
#include <loradyn/sweep/range.hpp>
#include <loradyn/sweep/refinement.hpp>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace loradyn::study {

/// The largest number of cells, those of the finest refinement counted.
inline constexpr double max_cells = 1e9;

/// Values of the parameters in braces.
using brace_values = std::map<std::string, double, std::less<>>;

/// An axis as it is asked for.
struct axis_request {
  std::string parameter;  ///< of the registry, or in braces in an activation
  value_range values;

  /// Whether all members are equal.
  bool operator==(const axis_request&) const = default;
};

/// Reads PARAM=R. \throws argument_error, naming the option
axis_request read_axis(const std::string& option, const std::string& text);
/// The text that read_axis takes for it.
std::string to_text(const axis_request& axis);

/// An axis and its values.
struct phase_axis {
  std::string name;                 ///< of the parameter
  const parameter* what = nullptr;  ///< nullptr: a parameter in braces in an activation
  bool logarithmic = false;
  bool whole = false;  ///< rounded to whole numbers: the dimension of a start or a simulation
  std::vector<double> values;
  unsigned levels = 0;  ///< of refinement: each halves the steps between the values

  /// Places from 0 to size() - 1, at both values and between them.
  [[nodiscard]] std::uint64_t size() const;
  /// The value at a place.
  [[nodiscard]] double at(std::uint64_t place) const;
  /// The place of a value of the axis, or none.
  [[nodiscard]] std::optional<std::uint64_t> place_of(double value) const;
  /// How it is titled.
  [[nodiscard]] std::string title() const { return what != nullptr ? what->axis_title() : name; }
};

/// The network that a diagram is of. Its widths, rank, decay and source's overlap are the point's,
/// as is the dimension of its start.
struct phase_network {
  network_layout layout;
  network_start_request start;
  network_overlap_event event;
  /// The risk on the source at the end beyond which a run that learned has the outcome "forgotten".
  std::optional<double> forgotten;
};

/// A diagram over two parameters.
struct phase_problem {
  std::string student;  ///< may have parameters in braces, which the axes set
  std::string teacher;  ///< empty: as the student
  time_unit unit = time_unit::raw;
  axis_request x;
  axis_request y;
  parameter_point otherwise;                 ///< what no axis sets
  bool has_alignment = false;                ///< whether that has a μ; none where an axis sets it
  bool tau_only = false;                     ///< the search time alone, without a run
  escape_request request;                    ///< of a network but the event
  std::optional<ensemble_request> ensemble;  ///< simulated in every cell
  std::optional<phase_network> network;      ///< in the place of one neuron
  unsigned levels = 0;                       ///< of refinement, at most max_levels
  double refine_step = 0.2;  ///< decades of time between neighbours that are not refined
};

/// The most levels of refinement.
inline constexpr unsigned max_levels = 20;

/// A cell.
struct phase_row {
  std::vector<double> own;  ///< of the axes that the other columns don't tell
  escape_row escape;
  ensemble_values simulated;
  double source_risk = 0.0;  ///< of a network at the end
};

/// The cells of a diagram: their places, values and columns.
class phase_grid {
 public:
  /// \throws argument_error and error: an axis that can't be read, one parameter on both, a brace
  /// parameter that no axis sets or one that no activation has, an alignment given twice or not at
  /// all, an ensemble without a dimension or a learning rate, a number outside its range, more than
  /// max_cells cells
  explicit phase_grid(phase_problem problem);
  ~phase_grid();
  phase_grid(const phase_grid&) = delete;
  phase_grid& operator=(const phase_grid&) = delete;

  /// The cells of the axes' own values, x fastest.
  [[nodiscard]] std::uint64_t cells() const;
  /// The places of cells: y's place * x's size + x's place.
  [[nodiscard]] grid_refinement refinement() const;
  /// x and y.
  [[nodiscard]] const std::array<phase_axis, 2>& axes() const { return axes_; }
  /// As it was given.
  [[nodiscard]] const phase_problem& problem() const { return problem_; }
  /// Whether cells have the law of a finite dimension.
  [[nodiscard]] bool has_law() const { return otherwise_.dimension.has_value(); }
  /// Whether simulated runs start at the cell's u0, m0 and s0, one of them being on an axis, rather
  /// than from a random v.
  [[nodiscard]] bool starts_fixed() const { return starts_fixed_; }

  /// Those of `escape` (or the parameters, tau and status), behind one for each axis that it has no
  /// column for, then those of the ensemble. Of a network those of them that every size has, and
  /// the risk on the source at the end.
  [[nodiscard]] const row_description<phase_row>& columns() const { return columns_; }

  /// What became of a cell, and when, and its place on an axis.
  [[nodiscard]] const std::string& outcome_of(const phase_row& row) const {
    return problem_.tau_only ? row.escape.status : row.escape.outcome;
  }
  /// When that was.
  [[nodiscard]] double time_of(const phase_row& row) const {
    return problem_.tau_only ? row.escape.tau : row.escape.t_hit;
  }
  /// A cell's value on axis 0 or 1.
  [[nodiscard]] double value_on(std::size_t axis, const phase_row& row) const;
  /// The name of the column that `outcome_of` is.
  [[nodiscard]] const char* outcome_column() const {
    return problem_.tau_only ? "status" : "outcome";
  }

  /// How many cells a thread best takes at a time: search times alone are quick.
  [[nodiscard]] std::size_t block() const { return problem_.tau_only ? 64 : 1; }

  /// The cell at a place; nothing where it is stopped. Of any thread.
  [[nodiscard]] std::optional<phase_row> row(std::uint64_t place) const;

  /// A at a point between the cells, NaN where there is none; of a network the `critical_function`
  /// of its modes.
  [[nodiscard]] double drive(double x, double y) const;

  /// Whether drive = 0 is where a search time diverges: ν = 0, or nothing of a network's rows
  /// beside its targets, everywhere; of free adapters that decay in any case.
  [[nodiscard]] bool has_critical_lines() const;

  /// What such a line is: "A = 0", "a drive = 0", "a drive = ω".
  [[nodiscard]] const char* critical_line() const;

 private:
  struct point {
    parameter_point at;
    brace_values braces;
  };
  class pair_pool;
  class critical_map;

  void check_numbers() const;
  void check_alignment() const;
  void check_size() const;
  void check_start() const;
  void check_ensemble() const;
  void check_network() const;
  void check_rows() const;
  [[nodiscard]] bool is_on_axis(const parameter& p) const;
  [[nodiscard]] bool has_rows() const;
  [[nodiscard]] bool decays_while_searching() const;
  [[nodiscard]] bool has_own_column(const phase_axis& axis) const;
  [[nodiscard]] point at(double x, double y) const;
  [[nodiscard]] activation_pair pair_for(const brace_values& braces) const;
  [[nodiscard]] row_description<phase_row> make_columns() const;
  void add_network_columns(row_description<phase_row>& columns) const;
  [[nodiscard]] network_escape_problem network_problem_at(const parameter_point& here) const;
  void fill_network(const activation_pair& pair, const parameter_point& here, phase_row& row) const;

  phase_problem problem_;
  parameter_point otherwise_;  // with a dimension where an axis has one
  bool starts_fixed_ = false;
  std::array<phase_axis, 2> axes_;
  row_description<phase_row> columns_;
  std::unique_ptr<pair_pool> pairs_;
  std::unique_ptr<critical_map> lines_;  // of a network
};

/// The cells of the grid, x fastest, then those that each level of refinement adds, level by level:
/// the order of a phase_plan. Those of the first cells where it is stopped.
/// \throws what phase_grid's constructor does
std::vector<phase_row> phase(const phase_problem& problem, const study_control& control);

/// The same for a diagram that is not held in memory: rows are passed on in order, by one thread at
/// a time, as soon as those before them are there. The total that progress is told counts the cells
/// that are planned so far. \returns how many were passed on
std::uint64_t phase(const phase_grid& grid, const study_control& control,
                    const std::function<void(phase_row)>& take);

}  // namespace loradyn::study
