#include "phase_plan.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <loradyn/error.hpp>

namespace loradyn::cli {

phase_plan::phase_plan(const phase_grid& grid)
    : step_(grid.setting().refine_step),
      time_column_(find_column(grid.columns(), grid.time_column()).value()),
      kind_column_(find_column(grid.columns(), grid.outcome_column()).value()),
      refinement_(grid.refinement()),
      over_(refinement_.levels() == 0) {}

void phase_plan::take(std::uint64_t index, const std::vector<cell>& row) {
  if (over_) {
    return;
  }
  const std::string kind = to_text(row[kind_column_]);
  auto known = std::find(kinds_.begin(), kinds_.end(), kind);
  if (known == kinds_.end()) {
    known = kinds_.insert(known, kind);
  }
  samples_[place(index)] = {std::log10(to_number(row[time_column_])),
                            static_cast<std::uint32_t>(known - kinds_.begin())};
}

bool phase_plan::grow() {
  if (over_) {
    return false;
  }
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
  const bool grown = refinement_.advance(differs);
  over_ = !grown || refinement_.level() == refinement_.levels();
  return grown;
}

bool phase_plan::grow_from(const sweep_store& store) {
  if (over_ || store.finished() < cells()) {
    return false;
  }
  // The values of the levels before were taken when this one was planned.
  const std::uint64_t first = refinement_.first();
  std::uint64_t there = 0;
  store.read(first, cells() - first, [this, &there](std::uint64_t c, const std::vector<cell>& row) {
    take(c, row);
    ++there;
  });
  if (there < cells() - first) {
    throw file_error("the store is damaged: it counts cells as finished that it does not hold");
  }
  return grow();
}

}  // namespace loradyn::cli
