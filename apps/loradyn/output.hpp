#pragma once

// Where a command's table and figure go.

#include <cstddef>
#include <cstdint>
#include <functional>
#include <limits>
#include <loradyn/figures/phase_report.hpp>
#include <loradyn/report/figure.hpp>
#include <loradyn/report/table.hpp>
#include <loradyn/report/table_output.hpp>
#include <loradyn/study/row.hpp>
#include <loradyn/version.hpp>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "command.hpp"
#include "interruption.hpp"
#include "options.hpp"

namespace loradyn::cli {

// The table's file (or standard output) and the figure's files, checked before anything is computed
// so that a long computation is not lost to a mistyped path.
class outputs {
 public:
  // Throws argument_error, naming the option, and file_error.
  explicit outputs(const question& words);

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

  // The same in parts, for a table that is not held in memory, then the figure.
  [[nodiscard]] table_output& table() { return *table_; }
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

// Counts the rows that are no result, one after the other.
class failure_count {
 public:
  // None yet, or so many of so many rows.
  failure_count() = default;
  failure_count(std::uint64_t failed, std::uint64_t rows) : rows_(rows), failed_(failed) {}

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

// The end of a diagram's table, and its figure; returns the exit code.
int finish(phase_report& report, outputs& out);
// The finished cells of a store, and the end. Throws file_error, once all is written, where cells
// are missing that the store counts as finished.
int write_store(const sweep_store& store, const study::phase_grid& grid, phase_colours colours,
                outputs& out);

// What a command was asked, and its answer on the way out.
template <class Problem>
class answer {
 public:
  // Reads the question, then opens the files. Throws as both do.
  answer(const question& words, const invocation& call)
      : call_(call), asked_(read_question<Problem>(words)), out_(words) {}

  [[nodiscard]] const Problem& problem() const { return asked_.problem; }
  // Says more in the table's provenance than the question.
  void tell(const parameter_list& more) {
    asked_.said.insert(asked_.said.end(), more.begin(), more.end());
  }

  // Writes the rows and draws their figure, draw(asked, rows). Returns how many rows there are
  // then.
  template <class Row, class Draw>
  std::size_t write(const study::row_description<Row>& columns, const std::vector<Row>& rows,
                    const Draw& draw) {
    const provenance meta{version, call_.command_line, asked_.said};
    return out_.write(meta, columns, rows, [&] { return draw(asked_, rows); });
  }

  // The exit code of rows of so many points.
  template <class Row>
  [[nodiscard]] int code(const std::vector<Row>& rows, std::size_t finished,
                         std::size_t total) const {
    return finished < total ? report_interruption(finished, total, call_.command_line.c_str())
                            : exit_code_for(rows);
  }

 private:
  const invocation& call_;
  asked<Problem> asked_;
  outputs out_;
};

}  // namespace loradyn::cli
