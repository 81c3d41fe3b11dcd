#pragma once

// Where a command's table and figure go.

#include <cstddef>
#include <cstdint>
#include <functional>
#include <loradyn/report/figure.hpp>
#include <loradyn/report/table.hpp>
#include <loradyn/report/table_io.hpp>
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
  std::size_t write(const table& t, const std::function<figure(const table&)>& figure_of);

  // The same in parts, for a table that is not held in memory: its header, its rows, its end, then
  // the figure. The first three throw as table_file's do, `draw` as above.
  void begin(const table_header& header);
  void add(std::span<const cell> row);
  void finish_table();
  // Nothing where --plot is not given; `draws` says so before the figure is made.
  // Throws reported_interruption where the user interrupts it.
  void draw(const std::function<figure()>& figure_of);
  [[nodiscard]] bool draws() const { return figure_.has_value(); }

 private:
  std::optional<table_file> table_;
  std::optional<figure_file> figure_;
  std::string text_;  // for standard output
};

// Writes a text to standard output; a terminal gets its control characters as visible escapes.
// Throws file_error where that can't take it; interrupted where the user interrupts it and nobody
// reads.
void write_stdout(const std::string& text);

// A table without rows, with its provenance.
table make_table(const invocation& call, const shared_options& options, const std::string& mu,
                 std::vector<std::string> columns);

// Adds parameters of the command's own to the table's provenance.
void append(table& t, const std::vector<std::pair<std::string, std::string>>& parameters);

// Counts the rows whose status is a failure's, one after the other.
class failure_count {
 public:
  // Throws argument_error for columns without a status.
  explicit failure_count(const std::vector<std::string>& columns);

  void add(std::span<const cell> row);

  // 3, with a note on standard error, where there are rows and none of them is a result.
  [[nodiscard]] int exit_code() const;

 private:
  std::size_t status_ = 0;
  std::optional<std::size_t> time_;
  std::uint64_t rows_ = 0;
  std::uint64_t failed_ = 0;
};

// The exit code of a computation whose rows have these statuses: 3 where none of them is a result.
int exit_code_for(const table& t);

}  // namespace loradyn::cli
