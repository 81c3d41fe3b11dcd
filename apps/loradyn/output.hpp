#pragma once

// Where a command's table and figure go.

#include <functional>
#include <loradyn/report/figure.hpp>
#include <loradyn/report/table.hpp>
#include <loradyn/report/table_io.hpp>
#include <optional>
#include <string>

#include "command.hpp"
#include "options.hpp"

namespace loradyn::cli {

// The table's file (or standard output) and the figure's files, checked before anything is computed
// so that a long computation is not lost to a mistyped path.
class outputs {
 public:
  // Throws argument_error, naming the option, and file_error.
  explicit outputs(const shared_options& options);

  // Writes the table, then draws its figure.
  // Throws file_error and drawing_error; the table is complete in the latter case.
  void write(const table& t, const std::function<figure(const table&)>& figure_of);

 private:
  std::optional<table_file> table_;
  std::optional<figure_file> figure_;
};

// Writes a text to standard output. Throws file_error where that can't take it.
void write_stdout(const std::string& text);

// A table without rows, with its provenance.
table make_table(const invocation& call, const shared_options& options, const std::string& mu,
                 std::vector<std::string> columns);

// Adds parameters of the command's own to the table's provenance.
void append(table& t, const std::vector<std::pair<std::string, std::string>>& parameters);

// The exit code of a computation whose rows have these statuses: 3 where none of them is a result.
int exit_code_for(const table& t);

}  // namespace loradyn::cli
