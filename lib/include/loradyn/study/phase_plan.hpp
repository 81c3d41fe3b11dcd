#pragma once

/// \file
/// Which cells a phase diagram has: those of its grid, and those that refinement adds.

#include <cstdint>
#include <loradyn/study/phase.hpp>
#include <loradyn/sweep/refinement.hpp>
#include <string>
#include <unordered_map>
#include <vector>

namespace loradyn::study {

/// A cell to compute, and where it is on its grid.
struct planned_cell {
  std::uint64_t cell = 0;
  std::uint64_t place = 0;
};

/// Cells are numbered as they are planned: the grid's, then those of each level of refinement.
/// Which these are follows from the values of the cells before, so that every process plans the
/// same.
class phase_plan {
 public:
  /// The plan of a grid, at its coarsest level.
  explicit phase_plan(const phase_grid& grid);

  /// Those known so far, the first of the last level, and where each is.
  [[nodiscard]] std::uint64_t cells() const noexcept { return refinement_.size(); }
  /// The first cell of the present level.
  [[nodiscard]] std::uint64_t first() const { return refinement_.first(); }
  /// The place of a cell.
  [[nodiscard]] std::uint64_t place(std::uint64_t index) const { return refinement_.point(index); }
  /// No level is to come.
  [[nodiscard]] bool over() const noexcept { return over_; }

  /// Notes the values of a cell; any order.
  void take(std::uint64_t index, const phase_row& row);

  /// Once all known cells are taken: adds those of the next level. False where there are no more.
  bool grow();

 private:
  // What decides whether two neighbours differ.
  struct sample {
    double log_time = 0.0;   // log10; NaN where there is none
    std::uint32_t kind = 0;  // of outcome
  };

  const phase_grid& grid_;
  double step_;
  grid_refinement refinement_;
  bool over_ = false;
  std::vector<std::string> kinds_;                     // that have come up
  std::unordered_map<std::uint64_t, sample> samples_;  // by place; where there is a level to come
};

}  // namespace loradyn::study
