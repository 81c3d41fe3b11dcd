#include "phase_output.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>
#include <limits>
#include <loradyn/error.hpp>
#include <loradyn/interruption.hpp>
#include <loradyn/version.hpp>

#include "command.hpp"

namespace loradyn::cli {
namespace {

bool is_shown_only(const std::string& name) { return name == "show"; }

std::string canonical_command(const described& parameters) {
  std::string command = "loradyn phase";
  for (const auto& [name, value] : parameters) {
    const bool absent = value.empty() || value == "default" || value == "none" ||
                        value == "as the student" || is_shown_only(name) ||
                        (name == "t-max" && value == "inf") ||
                        (name == "only" && value == "escape");
    if (absent) {
      continue;
    }
    const bool is_signed = name == "event" && value.ends_with(" signed");
    const std::string text = is_signed ? value.substr(0, value.find(' ')) : value;
    command += fmt::format(" --{} {}{}", name, shell_quoted(text), is_signed ? " --signed" : "");
  }
  return command;
}

}  // namespace

sweep_configuration configuration_of(const study::phase_grid& grid, const described& parameters) {
  sweep_configuration c;
  c.version = version;
  std::copy_if(parameters.begin(), parameters.end(), std::back_inserter(c.parameters),
               [](const auto& p) { return !is_shown_only(p.first); });
  c.columns = grid.columns().names();
  c.cells = grid.cells();
  c.tally = grid.outcome_column();
  return c;
}

table_header header_of(const study::phase_grid& grid, const std::string& version,
                       const described& parameters) {
  table_header h;
  h.meta = {version, canonical_command(parameters), parameters};
  h.columns = grid.columns().names();
  h.kinds = grid.columns().kinds();
  h.rows = grid.cells();
  return h;
}

phase_report::phase_report(const study::phase_grid& grid, const table_header& header, outputs& out)
    : grid_(grid), out_(out) {
  out_.begin(header);
  if (out_.draws()) {
    picture_.emplace(grid, header.meta);
  }
}

void phase_report::add(const study::phase_row& row, const std::vector<cell>& cells) {
  out_.add(cells);
  failures_.add(row.escape.status, grid_.problem().tau_only
                                       ? std::numeric_limits<double>::quiet_NaN()
                                       : row.escape.t_hit);
  if (picture_) {
    picture_->add(row);
  }
}

int phase_report::finish() {
  out_.finish_table();
  if (picture_ && !stop_requested()) {
    out_.draw([this] { return picture_->drawn(); });
  }
  return failures_.exit_code();
}

int write_store(const sweep_store& store, const study::phase_grid& grid, const std::string& show,
                outputs& out) {
  described parameters = store.configuration().parameters;
  parameters.emplace_back("show", show);
  phase_report report(grid, header_of(grid, store.configuration().version, parameters), out);
  const std::uint64_t counted = store.finished();  // before others add to it
  std::uint64_t there = 0;
  store.read(0, store.cells(), [&](std::uint64_t, const std::vector<cell>& row) {
    check_stop();
    report.add(row);
    ++there;
  });
  const int code = report.finish();
  if (there < counted) {
    throw file_error(fmt::format(
        "the store is damaged: {} of the {} cells that it counts as finished are missing. The "
        "others are in the table; loradyn merge takes them into a new store",
        counted - there, counted));
  }
  return code;
}

}  // namespace loradyn::cli
