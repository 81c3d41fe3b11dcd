#pragma once

// Where the cells of a phase diagram go: its table and figure.

#include <loradyn/figures/phase_picture.hpp>
#include <loradyn/report/store.hpp>
#include <loradyn/report/table.hpp>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "output.hpp"

namespace loradyn::cli {

// The table, and the figure where one is asked for, of rows as they come in. The table's command is
// made of the problem alone: the same for every run of the diagram, whatever threads, stores, ranks
// and shards took part. Refers to the grid and the outputs, which must outlive it.
class phase_report {
 public:
  // `version` of the program that computes the rows.
  phase_report(const study::phase_grid& grid, const std::string& version, phase_colours colours,
               outputs& out);

  void add(const study::phase_row& row) { add(row, grid_.columns().cells(row)); }
  // The same as the cells of a table.
  void add(const std::vector<cell>& cells) { add(grid_.columns().row(cells), cells); }
  // Returns the exit code. Throws as outputs does.
  int finish();

 private:
  void add(const study::phase_row& row, const std::vector<cell>& cells);

  const study::phase_grid& grid_;
  outputs& out_;
  failure_count failures_;
  std::optional<phase_picture> picture_;
};

// The finished cells of a store, in order. Returns the exit code.
// Throws as outputs does; file_error, once all is written, where cells are missing that the store
// counts as finished.
int write_store(const sweep_store& store, const study::phase_grid& grid, phase_colours colours,
                outputs& out);

}  // namespace loradyn::cli
