#pragma once

/// \file
/// The table and the figure of a phase diagram, whose rows come one after the other.

#include <cstdint>
#include <functional>
#include <loradyn/figures/phase_picture.hpp>
#include <loradyn/report/store.hpp>
#include <loradyn/report/table_output.hpp>
#include <loradyn/study/phase.hpp>
#include <optional>
#include <string>
#include <vector>

namespace loradyn {

/// A table, and what a figure is drawn of. The table's command is made of the problem alone: the
/// same for every run of the diagram, whatever threads, stores, ranks and shards took part.
class phase_report {
 public:
  /// Refers to the grid and the table, which must outlive it, and begins the table.
  /// \param version of the program that computes the rows \param draws whether there will be a
  /// figure \throws as table_output::begin and phase_picture's constructor do
  phase_report(const study::phase_grid& grid, const std::string& version, phase_colours colours,
               table_output& table, bool draws);

  /// The next row. \throws as table_output::add and phase_picture::add do
  void add(const study::phase_row& row) { add(row, grid_.columns().cells(row)); }
  /// The same as the cells of a table.
  void add(const std::vector<cell>& cells) { add(grid_.columns().row(cells), cells); }

  /// Rows so far.
  [[nodiscard]] std::uint64_t rows() const { return rows_; }
  /// Those of them that are no result: a run that met its event is one, though its rest was not
  /// reached.
  [[nodiscard]] std::uint64_t failed() const { return failed_; }
  /// The figure; once, after the last row of a report that draws.
  [[nodiscard]] figure drawn() { return picture_->drawn(); }

 private:
  void add(const study::phase_row& row, const std::vector<cell>& cells);

  const study::phase_grid& grid_;
  table_output& table_;
  std::uint64_t rows_ = 0;
  std::uint64_t failed_ = 0;
  std::optional<phase_picture> picture_;
};

/// The finished cells of a store, in order. Returns how many are missing that the store counts as
/// finished: of a damaged one. \throws interrupted, and as phase_report::add does
std::uint64_t add_stored(const sweep_store& store, phase_report& report);

}  // namespace loradyn
