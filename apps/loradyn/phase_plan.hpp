#pragma once

// Which cells a phase diagram has: those of its grid, and those that --refine adds.

#include <cstdint>
#include <loradyn/report/store.hpp>
#include <loradyn/report/table.hpp>
#include <loradyn/sweep/refinement.hpp>
#include <string>
#include <unordered_map>
#include <vector>

#include "phase_grid.hpp"

namespace loradyn::cli {

// Cells are numbered as they are planned: the grid's, then those of each level of refinement. Which
// these are follows from the values of the cells before, so that every process plans the same.
class phase_plan {
 public:
  explicit phase_plan(const phase_grid& grid);

  // Those known so far, and where each is.
  [[nodiscard]] std::uint64_t cells() const noexcept { return refinement_.size(); }
  [[nodiscard]] std::uint64_t place(std::uint64_t index) const { return refinement_.point(index); }

  // Notes the values of a cell; any order.
  void take(std::uint64_t index, const std::vector<cell>& row);

  // Once all known cells are taken: adds those of the next level. False where there are no more.
  bool grow();
  // The same with the values in a store; false too where it has not all of them yet.
  bool grow_from(const sweep_store& store);

 private:
  // What decides whether two neighbours differ.
  struct sample {
    double log_time = 0.0;   // log10; NaN where there is none
    std::uint32_t kind = 0;  // of outcome
  };

  double step_;
  std::size_t time_column_;
  std::size_t kind_column_;
  grid_refinement refinement_;
  bool over_ = false;                                  // no level is to come
  std::vector<std::string> kinds_;                     // that have come up
  std::unordered_map<std::uint64_t, sample> samples_;  // by place; where there is a level to come
};

}  // namespace loradyn::cli
