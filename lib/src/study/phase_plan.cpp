#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <loradyn/interruption.hpp>
#include <loradyn/study/phase_plan.hpp>
#include <utility>

namespace loradyn::study {

phase_plan::phase_plan(const phase_grid& grid)
    : grid_(grid),
      step_(grid.problem().refine_step),
      refinement_(grid.refinement()),
      over_(refinement_.levels() == 0) {}

void phase_plan::take(std::uint64_t index, const phase_row& row) {
  if (over_) {
    return;
  }
  const std::string& kind = grid_.outcome_of(row);
  auto known = std::find(kinds_.begin(), kinds_.end(), kind);
  if (known == kinds_.end()) {
    known = kinds_.insert(known, kind);
  }
  samples_[place(index)] = {std::log10(grid_.time_of(row)),
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

std::uint64_t phase(const phase_grid& grid, const study_control& control,
                    const std::function<void(phase_row)>& take) {
  phase_plan plan(grid);
  std::uint64_t taken = 0;
  const auto tell = [&] {
    if (control.progress) {
      control.progress(static_cast<std::size_t>(taken), static_cast<std::size_t>(plan.cells()));
    }
  };
  do {
    tell();
    const std::uint64_t first = taken;
    ordered_map(
        static_cast<std::size_t>(plan.cells() - first), stoppable(control.threads, grid.block()),
        [&](std::size_t i) {
          const std::uint64_t place = plan.place(first + i);
          const point_watch::visit here(control.watch, place);
          auto row = grid.row(place);
          if (!row) {
            throw interrupted();
          }
          return *std::move(row);
        },
        [&](std::size_t i, phase_row row) {
          plan.take(first + i, row);
          take(std::move(row));
          ++taken;
          tell();
        });
  } while (taken == plan.cells() && plan.grow());
  return taken;
}

std::vector<phase_row> phase(const phase_problem& problem, const study_control& control) {
  const phase_grid grid(problem);
  std::vector<phase_row> rows;
  phase(grid, control, [&rows](phase_row row) { rows.push_back(std::move(row)); });
  return rows;
}

}  // namespace loradyn::study
