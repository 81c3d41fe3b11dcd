#include "output.hpp"

#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cmath>
#include <cstdio>
#include <cstring>
#include <loradyn/error.hpp>
#include <loradyn/printable.hpp>
#include <loradyn/version.hpp>
#include <string_view>
#include <variant>

namespace loradyn::cli {
namespace {

// Names the option in what the constructor of a file throws.
template <class File>
void open(std::optional<File>& file, const char* option, const std::string& path) {
  if (path.empty()) {
    return;
  }
  try {
    file.emplace(path);
  } catch (const argument_error& e) {
    throw argument_error(option, e.value(), "a name that ends in " + e.expected());
  } catch (const file_error& e) {
    throw file_error(std::string(option) + " " + e.what());
  }
}

}  // namespace

std::string shell_quoted(const std::string& word) {
  const std::string plain =
      "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789@%+=:,./-_";
  if (!word.empty() && word.find_first_not_of(plain) == std::string::npos) {
    return word;
  }
  std::string quoted = "'";
  for (const char c : word) {
    quoted += c == '\'' ? std::string("'\\''") : std::string(1, c);
  }
  return quoted + "'";
}

outputs::outputs(const shared_options& options) {
  open(table_, "--output", options.output);
  open(figure_, "--plot", options.figure);
}

void outputs::write(const table& t, const std::function<figure(const table&)>& figure_of) {
  begin(header_of(t));
  for (const auto& row : t.rows) {
    add(row);
  }
  finish_table();
  if (draws()) {
    draw(figure_of(t));
  }
}

void outputs::begin(const table_header& header) {
  if (table_) {
    table_->begin(header);
  } else {
    text_ = csv_head(header);
  }
}

void outputs::add(std::span<const cell> row) {
  if (table_) {
    table_->add(row);
    return;
  }
  append_csv_row(text_, row);
  constexpr std::size_t piece = std::size_t{1} << 16;
  if (text_.size() >= piece) {
    write_stdout(text_);
    text_.clear();
  }
}

void outputs::finish_table() {
  if (table_) {
    table_->finish();
  } else {
    write_stdout(text_);
    text_.clear();
  }
}

void outputs::draw(const figure& f) {
  if (figure_) {
    figure_->draw(f);
  }
}

void write_stdout(const std::string& text) {
  // A store of a stranger's sends no commands to a terminal.
  static const bool terminal = ::isatty(STDOUT_FILENO) != 0;
  const std::string& out = terminal ? printable_lines(text) : text;
  const std::size_t written = std::fwrite(out.data(), 1, out.size(), stdout);
  if (written != out.size() || std::fflush(stdout) != 0) {
    throw file_error(std::string("standard output can't be written: ") + std::strerror(errno));
  }
}

table make_table(const invocation& call, const shared_options& options, const std::string& mu,
                 std::vector<std::string> columns) {
  table t;
  t.meta.version = version;
  t.meta.command = call.command_line;
  t.meta.parameters = describe(options, mu);
  t.columns = std::move(columns);
  return t;
}

void append(table& t, const std::vector<std::pair<std::string, std::string>>& parameters) {
  t.meta.parameters.insert(t.meta.parameters.end(), parameters.begin(), parameters.end());
}

failure_count::failure_count(const std::vector<std::string>& columns) {
  const auto status = find_column(columns, "status");
  if (!status) {
    throw argument_error("the column", "'status'", "one of the table's");
  }
  status_ = *status;
  time_ = find_column(columns, "t_hit");
}

void failure_count::add(std::span<const cell> row) {
  constexpr std::array<std::string_view, 4> failures{"no-convergence", "blow-up", "step-limit",
                                                     "step-underflow"};
  ++rows_;
  const auto* status = std::get_if<std::string>(&row[status_]);
  if (status == nullptr || std::find(failures.begin(), failures.end(), *status) == failures.end()) {
    return;
  }
  // A run that met its event is a result, though its rest was not reached.
  const bool met = time_ && !std::isnan(to_number(row[*time_]));
  failed_ += met ? 0 : 1;
}

int failure_count::exit_code() const {
  if (rows_ > 0 && failed_ == rows_) {
    std::fputs("loradyn: no point came to a result; the table names the status of each\n", stderr);
    return computation_failed;
  }
  return done;
}

int exit_code_for(const table& t) {
  failure_count failures(t.columns);
  for (const auto& row : t.rows) {
    failures.add(row);
  }
  return failures.exit_code();
}

}  // namespace loradyn::cli
