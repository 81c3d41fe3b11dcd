#include "phase_output.hpp"

#include <fmt/format.h>

#include <limits>
#include <loradyn/error.hpp>
#include <loradyn/interruption.hpp>
#include <loradyn/report/problem_text.hpp>
#include <loradyn/sweep/range.hpp>
#include <loradyn/version.hpp>

#include "command.hpp"

namespace loradyn::cli {
namespace {

// A parameter's value as its option takes it.
std::string option_value(const study::phase_problem& problem, const provenance& meta,
                         const std::string& name) {
  if (name == "x" || name == "y") {
    return to_text(name == "x" ? problem.x : problem.y);
  }
  return name == "quantiles" ? to_text(value_range{.list = problem.request.quantiles})
                             : meta.parameter(name);
}

provenance provenance_of(const study::phase_problem& problem, const std::string& version) {
  provenance meta{version, "loradyn phase", parameters_of(problem)};
  for (const auto& [name, value] : meta.parameters) {
    if (name == "signed") {
      meta.command += value == "true" ? " --signed" : "";
    } else if (name != "only" || problem.tau_only) {
      meta.command +=
          fmt::format(" --{} {}", name, shell_quoted(option_value(problem, meta, name)));
    }
  }
  return meta;
}

}  // namespace

phase_report::phase_report(const study::phase_grid& grid, const std::string& version,
                           phase_colours colours, outputs& out)
    : grid_(grid), out_(out) {
  table_header header{provenance_of(grid.problem(), version), grid.columns().names(),
                      grid.columns().kinds(), grid.cells()};
  header.meta.parameters.emplace_back("show", name_of(phase_colour_names, colours));
  out_.begin(header);
  if (out_.draws()) {
    picture_.emplace(grid, colours);
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

int write_store(const sweep_store& store, const study::phase_grid& grid, phase_colours colours,
                outputs& out) {
  phase_report report(grid, store.configuration().version, colours, out);
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
