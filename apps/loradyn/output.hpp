#pragma once

// Where a command's table and figure go.

#include <cstddef>
#include <cstdint>
#include <functional>
#include <limits>
#include <loradyn/report/figure.hpp>
#include <loradyn/report/table.hpp>
#include <loradyn/report/table_output.hpp>
#include <loradyn/study/row.hpp>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "command.hpp"
#include "options.hpp"

namespace loradyn::cli {

// The table's file (or standard output) and the figure's files, checked before anything is computed
// so that a long computation is not lost to a mistyped path.
class outputs {
 public:
  // Throws argument_error, naming the option, and file_error.
  explicit outputs(const shared_options& options);

  // Writes the table, then draws its figure; of an interrupted command the table alone, as many
  // rows as a second allows. Returns how many. Throws file_error and drawing_error; the table is
  // complete in the latter case.
  template <class Row>
  std::size_t write(const provenance& meta, const study::row_description<Row>& columns,
                    const std::vector<Row>& rows, const std::function<figure()>& figure_of) {
    return write(
        {meta, columns.names(), columns.kinds(), rows.size()},
        [&](std::size_t i) { return columns.cells(rows[i]); }, figure_of);
  }

  // The same in parts, for a table that is not held in memory: its header, its rows, its end, then
  // the figure. The first three throw as table_file's do, `draw` as above.
  void begin(const table_header& header) { table_->begin(header); }
  void add(std::span<const cell> row) { table_->add(row); }
  void finish_table() { table_->finish(); }
  // Nothing where --plot is not given; `draws` says so before the figure is made.
  // Throws reported_interruption where the user interrupts it.
  void draw(const std::function<figure()>& figure_of);
  [[nodiscard]] bool draws() const { return figure_.has_value(); }

 private:
  std::size_t write(const table_header& header,
                    const std::function<std::vector<cell>(std::size_t)>& row,
                    const std::function<figure()>& figure_of);

  std::optional<table_output> table_;
  std::optional<figure_file> figure_;
};

// Where a table comes from: what was asked; or the shared parameters and those of the command's
// own.
provenance provenance_of(const invocation& call, parameter_list said);
provenance provenance_of(const invocation& call, const shared_options& options,
                         const described& own);

// Counts the rows that are no result, one after the other.
class failure_count {
 public:
  // A run that met its event is a result, though its rest was not reached.
  void add(const std::string& status, double t_hit = std::numeric_limits<double>::quiet_NaN());

  // 3, with a note on standard error, where there are rows and none of them is a result.
  [[nodiscard]] int exit_code() const;

 private:
  std::uint64_t rows_ = 0;
  std::uint64_t failed_ = 0;
};

// The exit code of a computation whose rows have these statuses: 3 where none of them is a result.
template <class Row>
int exit_code_for(const std::vector<Row>& rows) {
  failure_count failures;
  for (const Row& row : rows) {
    if constexpr (requires { row.t_hit; }) {
      failures.add(row.status, row.t_hit);
    } else {
      failures.add(row.status);
    }
  }
  return failures.exit_code();
}

}  // namespace loradyn::cli
