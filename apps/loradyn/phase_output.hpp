#pragma once

// Where the cells of a phase diagram go: its table and figure, and what a store of it is.

#include <loradyn/report/store.hpp>
#include <loradyn/report/table.hpp>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "output.hpp"
#include "phase.hpp"

namespace loradyn::cli {

// What a store of this diagram is.
sweep_configuration configuration_of(const study::phase_grid& grid);

// The grid of the problem that a table or a store holds. Throws error, whose message begins with
// `where`.
std::unique_ptr<const study::phase_grid> grid_of(const std::string& where,
                                                 const parameter_list& parameters);

// The table, and the figure where one is asked for, of rows as they come in. The table's command is
// made of the problem alone: the same for every run of the diagram, whatever threads, stores, ranks
// and shards took part. Refers to the grid and the outputs, which must outlive it.
class phase_report {
 public:
  // `version` of the program that computes the rows; `show` is what the figure tells.
  phase_report(const study::phase_grid& grid, const std::string& version, const std::string& show,
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

// The finished cells of a store, in order; `show` is what the figure tells. Returns the exit code.
// Throws as outputs does; file_error, once all is written, where cells are missing that the store
// counts as finished.
int write_store(const sweep_store& store, const study::phase_grid& grid, const std::string& show,
                outputs& out);

}  // namespace loradyn::cli
