#include "phase_plan.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <variant>

namespace loradyn::cli {
namespace {

std::size_t index_of(const std::vector<std::string>& columns, const char* name) {
  return static_cast<std::size_t>(std::find(columns.begin(), columns.end(), name) -
                                  columns.begin());
}

}  // namespace

phase_plan::phase_plan(const phase_grid& grid)
    : base_(grid.cells()), step_(grid.setting().refine_step), refinement_(grid.refinement()) {
  const bool tau_only = grid.setting().tau_only;
  time_column_ = index_of(grid.columns(), tau_only ? "tau" : "t_hit");
  kind_column_ = index_of(grid.columns(), tau_only ? "status" : "outcome");
}

std::uint64_t phase_plan::place(std::uint64_t index) const {
  if (index >= base_) {
    return places_[index - base_];
  }
  const std::uint64_t columns = ((refinement_.width() - 1) >> refinement_.levels()) + 1;
  return ((index / columns) << refinement_.levels()) * refinement_.width() +
         ((index % columns) << refinement_.levels());
}

void phase_plan::take(std::uint64_t index, const std::vector<cell>& row) {
  if (refinement_.level() == refinement_.levels()) {
    return;
  }
  const std::string& kind = std::get<std::string>(row[kind_column_]);
  auto known = std::find(kinds_.begin(), kinds_.end(), kind);
  if (known == kinds_.end()) {
    known = kinds_.insert(known, kind);
  }
  samples_[place(index)] = {std::log10(std::get<double>(row[time_column_])),
                            static_cast<std::uint32_t>(known - kinds_.begin())};
}

bool phase_plan::grow() {
  const std::uint64_t end = cells();
  const auto differs = [this](const std::array<std::uint64_t, 4>& corners) {
    const sample& first = samples_.at(corners[0]);
    double least = std::numeric_limits<double>::infinity();
    double most = -least;
    int times = 0;
    for (const std::uint64_t corner : corners) {
      const sample& s = samples_.at(corner);
      if (s.kind != first.kind) {
        return true;
      }
      if (!std::isnan(s.log_time)) {
        ++times;
        least = std::min(least, s.log_time);
        most = std::max(most, s.log_time);
      }
    }
    return times > 0 && (times < 4 || most - least > step_);
  };
  if (!refinement_.advance(differs)) {
    return false;
  }
  for (std::uint64_t i = 0; i < refinement_.size(); ++i) {
    places_.push_back(refinement_.point(i));
  }
  first_ = end;
  return true;
}

}  // namespace loradyn::cli
