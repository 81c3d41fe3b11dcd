#include <algorithm>
#include <limits>
#include <loradyn/error.hpp>
#include <loradyn/sweep/refinement.hpp>
#include <string>
#include <utility>

namespace loradyn {

grid_refinement::grid_refinement(std::uint64_t columns, std::uint64_t rows, unsigned levels)
    : columns_(columns), rows_(rows), levels_(levels) {
  const auto size_text = [&] { return std::to_string(columns) + " by " + std::to_string(rows); };
  if (columns == 0 || rows == 0) {
    throw argument_error("the grid", size_text(), "of at least one point each way");
  }
  if (levels > 0 && (columns == 1 || rows == 1)) {
    throw argument_error("the grid to refine", size_text(), "of at least two points each way");
  }
  constexpr double most = 0x1p62;
  const auto reach = [levels](std::uint64_t n) {
    return static_cast<double>(n - 1) * static_cast<double>(std::uint64_t{1} << levels) + 1.0;
  };
  if (levels > 31 || !(reach(columns) * reach(rows) < most)) {
    throw argument_error("the refined grid", "halved " + std::to_string(levels) + " times",
                         "of fewer than 2^62 points");
  }
  width_ = ((columns - 1) << levels) + 1;
  height_ = ((rows - 1) << levels) + 1;
}

std::uint64_t grid_refinement::point(std::uint64_t i) const {
  if (i >= columns_ * rows_) {
    return added_[i - columns_ * rows_];
  }
  return (i / columns_ << levels_) * width_ + (i % columns_ << levels_);
}

bool grid_refinement::advance(
    const std::function<bool(const std::array<std::uint64_t, 4>&)>& differs) {
  if (level_ == levels_) {
    return false;
  }
  const std::uint64_t side = spacing();
  const std::uint64_t half = side / 2;
  std::vector<std::uint64_t> squares;
  std::vector<std::uint64_t> points;
  const auto look_at = [&](std::uint64_t corner) {
    const std::uint64_t above = corner + side * width_;
    if (!differs({corner, corner + side, above, above + side})) {
      return;
    }
    const std::uint64_t middle = corner + half * width_;
    squares.insert(squares.end(), {corner, corner + half, middle, middle + half});
    points.insert(points.end(),
                  {corner + half, middle, middle + half, middle + side, above + half});
  };
  if (level_ == 0) {
    for (std::uint64_t y = 0; y + 1 < rows_; ++y) {
      for (std::uint64_t x = 0; x + 1 < columns_; ++x) {
        look_at((y << levels_) * width_ + (x << levels_));
      }
    }
  } else {
    for (const std::uint64_t corner : squares_) {
      look_at(corner);
    }
  }
  if (points.empty()) {
    return false;
  }
  // Neighbours share the middles of their sides.
  std::sort(points.begin(), points.end());
  points.erase(std::unique(points.begin(), points.end()), points.end());
  first_ = size();
  added_.insert(added_.end(), points.begin(), points.end());
  squares_ = std::move(squares);
  ++level_;
  return true;
}

}  // namespace loradyn
