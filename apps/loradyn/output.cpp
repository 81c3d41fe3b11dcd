#include "output.hpp"

#include <chrono>
#include <cmath>
#include <loradyn/error.hpp>
#include <loradyn/study/escape.hpp>
#include <loradyn/version.hpp>

#include "interruption.hpp"
#include "message.hpp"

namespace loradyn::cli {
namespace {

// Names the option in what the constructor of a file throws.
template <class File, class... Arguments>
void open(std::optional<File>& file, const char* option, const char* otherwise,
          const std::string& path, const Arguments&... arguments) {
  try {
    file.emplace(path, arguments...);
  } catch (const argument_error& e) {
    if (e.parameter() == "the font") {
      throw argument_error("--font", e.value(), e.expected());
    }
    throw argument_error(option, e.value(), "a name that ends in " + e.expected() + otherwise);
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
  return in_quotes(word);
}

std::string in_quotes(const std::string& text) {
  std::string quoted = "'";
  for (const char c : text) {
    quoted += c == '\'' ? std::string("'\\''") : std::string(1, c);
  }
  return quoted + "'";
}

outputs::outputs(const shared_options& options) {
  std::optional<table_format> format;
  if (!options.output.format.empty()) {
    format = read_choice("--format", options.output.format, table_formats);
  }
  open(table_, "--output", format ? "" : ", or --format given", options.output.file, format,
       options.output.headless);
  if (!options.figure.empty()) {
    open(figure_, "--plot", "", options.figure, options.look.style());
  } else if (options.look.given()) {
    throw error("--size, --font and --style are of a figure: give --plot too");
  }
}

std::size_t outputs::write(const table_header& header,
                           const std::function<std::vector<cell>(std::size_t)>& row,
                           const std::function<figure()>& figure_of) {
  using clock = std::chrono::steady_clock;
  constexpr std::chrono::seconds patience(1);
  table_->begin(header);
  std::optional<clock::time_point> stopped;
  std::size_t written = 0;
  while (written < header.rows) {
    if (stop_requested()) {
      stopped = stopped ? stopped : clock::now();
      if (clock::now() - *stopped > patience) {
        break;
      }
    }
    table_->add(row(written++));
  }
  table_->finish();
  // An interrupted command ends with its table.
  if (draws() && !stop_requested()) {
    draw(figure_of);
  }
  return written;
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

provenance provenance_of(const invocation& call, parameter_list said) {
  return {version, call.command_line, std::move(said)};
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
