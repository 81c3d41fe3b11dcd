#include <poll.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <climits>
#include <cstdlib>
#include <cstring>
#include <loradyn/error.hpp>
#include <loradyn/interruption.hpp>
#include <loradyn/report/file.hpp>
#include <loradyn/report/printable.hpp>
#include <loradyn/report/table_output.hpp>

namespace loradyn {

void write_stdout(const std::string& table) {
  // A store of a stranger's sends no commands to a terminal.
  static const bool terminal = ::isatty(STDOUT_FILENO) != 0;
  const std::string escaped = terminal ? printable_lines(table) : "";
  const std::string& text = terminal ? escaped : table;
  const auto failed = [] {
    throw file_error(std::string("standard output can't be written: ") + std::strerror(errno));
  };
  // A pipe that can be written takes so much without a wait.
  constexpr std::size_t piece = PIPE_BUF;
  constexpr int look_every = 100;  // milliseconds
  constexpr int patience = 3;      // looks, from the interruption on
  int idle = 0;
  for (std::size_t at = 0; at < text.size();) {
    pollfd ready{STDOUT_FILENO, POLLOUT, 0};
    const int found = ::poll(&ready, 1, look_every);
    if (found < 0 && errno != EINTR) {
      failed();
    }
    if (found <= 0) {
      if (stop_requested() && ++idle > patience) {
        throw interrupted();
      }
      continue;
    }
    idle = 0;
    const ssize_t count =
        ::write(STDOUT_FILENO, text.data() + at, std::min(piece, text.size() - at));
    if (count < 0 && errno != EINTR && errno != EAGAIN) {
      failed();
    }
    at += count > 0 ? static_cast<std::size_t>(count) : 0;
  }
}

bool names_stdout(const std::string& name) {
  return name.empty() || name == "-" || name == "/dev/stdout";
}

bool names_nowhere(const std::string& name) { return name == "/dev/null"; }

table_output::staging_directory::staging_directory() {
  std::string name = (std::filesystem::temp_directory_path() / "loradyn-XXXXXX").string();
  if (::mkdtemp(name.data()) == nullptr) {
    throw file_error("'" + name + "' can't be made: " + std::strerror(errno));
  }
  path = name;
}

table_output::staging_directory::~staging_directory() {
  std::error_code ignored;
  std::filesystem::remove_all(path, ignored);
}

table_output::table_output(const std::string& name, std::optional<table_format> format,
                           bool headless)
    : headless_(headless), nowhere_(names_nowhere(name)) {
  const bool to_stdout = names_stdout(name);
  if (!to_stdout && !nowhere_ && !format) {
    format = table_format_of(name);
  }
  if (headless_ && format.value_or(table_format::csv) != table_format::csv) {
    throw error("--no-header is of csv alone");
  }
  if (nowhere_ || (to_stdout && format.value_or(table_format::csv) == table_format::csv)) {
    return;
  }
  if (!to_stdout) {
    table_.emplace(name, format, headless_);
    return;
  }
  if (format == table_format::hdf5 && ::isatty(STDOUT_FILENO) != 0) {
    throw error("--format h5 is nothing for a terminal: give -o FILE");
  }
  staging_.emplace();
  table_.emplace(staging_->path / "table", format);
}

void table_output::begin(const table_header& header) {
  if (table_) {
    table_->begin(header);
  } else if (!headless_) {
    text_ = csv_head(header);
  }
}

void table_output::add(std::span<const cell> row) {
  if (table_) {
    table_->add(row);
    return;
  }
  if (nowhere_) {
    return;
  }
  append_csv_row(text_, row);
  constexpr std::size_t piece = std::size_t{1} << 16;
  if (text_.size() >= piece) {
    write_stdout(text_);
    text_.clear();
  }
}

void table_output::finish() {
  if (table_) {
    table_->finish();
    if (staging_) {
      write_stdout(read_file(staging_->path / "table"));
    }
  } else if (!nowhere_) {
    write_stdout(text_);
    text_.clear();
  }
}

}  // namespace loradyn
