#include "output.hpp"

#include <poll.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <climits>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <loradyn/error.hpp>
#include <loradyn/report/printable.hpp>
#include <loradyn/study/escape.hpp>
#include <loradyn/version.hpp>

#include "interruption.hpp"
#include "message.hpp"

namespace loradyn::cli {
namespace {

// Names the option in what the constructor of a file throws.
template <class File, class... Arguments>
void open(std::optional<File>& file, const char* option, const std::string& path,
          const Arguments&... arguments) {
  try {
    file.emplace(path, arguments...);
  } catch (const argument_error& e) {
    if (e.parameter() == "the font") {
      throw argument_error("--font", e.value(), e.expected());
    }
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

outputs::staging_directory::staging_directory() {
  std::string name = (std::filesystem::temp_directory_path() / "loradyn-XXXXXX").string();
  if (::mkdtemp(name.data()) == nullptr) {
    throw file_error("'" + name + "' can't be made: " + std::strerror(errno));
  }
  path = name;
}

outputs::staging_directory::~staging_directory() {
  std::error_code ignored;
  std::filesystem::remove_all(path, ignored);
}

outputs::outputs(const shared_options& options) {
  open_table(options.output);
  if (!options.figure.empty()) {
    open(figure_, "--plot", options.figure, options.look.style());
  } else if (options.look.given()) {
    throw error("--size, --font and --style are of a figure: give --plot too");
  }
}

void outputs::open_table(const table_options& options) {
  std::optional<table_format> format;
  if (!options.format.empty()) {
    format = read_choice("--format", options.format, table_formats);
  }
  const bool to_stdout = options.to_stdout();
  nowhere_ = options.to_nowhere();
  if (!to_stdout && !nowhere_ && !format) {
    try {
      format = table_format_of(options.file);
    } catch (const argument_error& e) {
      throw argument_error("--output", e.value(),
                           "a name that ends in " + e.expected() + ", or --format given");
    }
  }
  headless_ = options.headless;
  if (headless_ && format.value_or(table_format::csv) != table_format::csv) {
    throw error("--no-header is of csv alone");
  }
  if (nowhere_ || (to_stdout && format.value_or(table_format::csv) == table_format::csv)) {
    return;
  }
  if (!to_stdout) {
    open(table_, "--output", options.file, format, headless_);
    return;
  }
  if (format == table_format::hdf5 && ::isatty(STDOUT_FILENO) != 0) {
    throw error("--format h5 is nothing for a terminal: give -o FILE");
  }
  staging_.emplace();
  table_.emplace(staging_->path / "table", format);
}

std::size_t outputs::write(const table_header& header,
                           const std::function<std::vector<cell>(std::size_t)>& row,
                           const std::function<figure()>& figure_of) {
  using clock = std::chrono::steady_clock;
  constexpr std::chrono::seconds patience(1);
  begin(header);
  std::optional<clock::time_point> stopped;
  std::size_t written = 0;
  while (written < header.rows) {
    if (stop_requested()) {
      stopped = stopped ? stopped : clock::now();
      if (clock::now() - *stopped > patience) {
        break;
      }
    }
    add(row(written++));
  }
  finish_table();
  // An interrupted command ends with its table.
  if (draws() && !stop_requested()) {
    draw(figure_of);
  }
  return written;
}

void outputs::begin(const table_header& header) {
  if (table_) {
    table_->begin(header);
  } else if (!headless_) {
    text_ = csv_head(header);
  }
}

void outputs::add(std::span<const cell> row) {
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

void outputs::finish_table() {
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

void outputs::draw(const std::function<figure()>& figure_of) {
  if (!figure_) {
    return;
  }
  try {
    const figure f = figure_of();
    figure_->draw(f);
    if (!has_content(f)) {
      say("the figure is empty: {}", f.panels.front().nothing);
    }
  } catch (const interrupted&) {
    say("interrupted while drawing; the table is whole, the figure is not drawn");
    throw reported_interruption();
  }
}

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

provenance provenance_of(const invocation& call, const shared_options& options,
                         const described& own) {
  provenance meta{version, call.command_line, describe(options)};
  meta.parameters += own;
  return meta;
}

void failure_count::add(const std::string& status, double t_hit) {
  ++rows_;
  failed_ += study::is_failure(status) && std::isnan(t_hit) ? 1 : 0;
}

int failure_count::exit_code() const {
  if (rows_ > 0 && failed_ == rows_) {
    say("no point came to a result; the table names the status of each");
    return computation_failed;
  }
  return done;
}

}  // namespace loradyn::cli
