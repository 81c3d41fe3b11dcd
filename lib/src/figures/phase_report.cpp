#include <cmath>
#include <loradyn/figures/phase_report.hpp>
#include <loradyn/interruption.hpp>
#include <loradyn/report/problem_text.hpp>
#include <loradyn/study/escape.hpp>

namespace loradyn {

phase_report::phase_report(const study::phase_grid& grid, const std::string& version,
                           phase_colours colours, table_output& table, bool draws)
    : grid_(grid), table_(table) {
  table_header header{{version, command_of(grid.problem()), parameters_of(grid.problem())},
                      grid.columns().names(),
                      grid.columns().kinds(),
                      grid.cells()};
  header.meta.parameters.emplace_back("show", name_of(phase_colour_names, colours));
  table_.begin(header);
  if (draws) {
    picture_.emplace(grid, colours);
  }
}

void phase_report::add(const study::phase_row& row, const std::vector<cell>& cells) {
  table_.add(cells);
  ++rows_;
  const bool met = !grid_.problem().tau_only && !std::isnan(row.escape.t_hit);
  failed_ += study::is_failure(row.escape.status) && !met ? 1 : 0;
  if (picture_) {
    picture_->add(row);
  }
}

std::uint64_t add_stored(const sweep_store& store, phase_report& report) {
  const std::uint64_t counted = store.finished();  // before others add to it
  std::uint64_t there = 0;
  store.read(0, store.cells(), [&](std::uint64_t, const std::vector<cell>& row) {
    check_stop();
    report.add(row);
    ++there;
  });
  return there < counted ? counted - there : 0;
}

}  // namespace loradyn
