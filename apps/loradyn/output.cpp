#include "output.hpp"

#include <fmt/format.h>

#include <chrono>
#include <cmath>
#include <loradyn/error.hpp>
#include <loradyn/study/escape.hpp>

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

outputs::outputs(const question& words) {
  std::optional<table_format> format;
  if (words.says("format")) {
    format = read_choice("--format", words.text("format"), table_formats);
  }
  open(table_, "--output", format ? "" : ", or --format given", words.text("output"), format,
       words.says("no-header"));
  if (words.says("plot")) {
    open(figure_, "--plot", "", words.text("plot"), read_style(words));
  } else if (words.says("size") || words.says("font") || words.text("style") != "light") {
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

int finish(phase_report& report, outputs& out) {
  out.table().finish();
  if (out.draws() && !stop_requested()) {
    out.draw([&] { return report.drawn(); });
  }
  return failure_count(report.failed(), report.rows()).exit_code();
}

int write_store(const sweep_store& store, const study::phase_grid& grid, phase_colours colours,
                outputs& out) {
  phase_report report(grid, store.configuration().version, colours, out.table(), out.draws());
  const std::uint64_t missing = add_stored(store, report);
  const int code = finish(report, out);
  if (missing > 0) {
    throw file_error(fmt::format(
        "the store is damaged: {} of the {} cells that it counts as finished are missing. The "
        "others are in the table; loradyn merge takes them into a new store",
        missing, report.rows() + missing));
  }
  return code;
}

}  // namespace loradyn::cli
