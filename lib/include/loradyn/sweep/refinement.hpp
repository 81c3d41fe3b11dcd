#pragma once

/// \file
/// Adaptive refinement of a grid: points are added only where its values change.

#include <array>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <vector>

namespace loradyn {

/// Points of a rectangular grid and of its halvings. All lie on one lattice, the grid halved
/// `levels` times, and are told by their index y * width + x there. Level 0 is the whole grid; each
/// further level divides those squares of the level before whose corners differ into four, which
/// adds the middles of their sides and their centres. Points are numbered level by level, those of
/// a level by increasing index.
///
/// A square whose four corners agree is never divided: what lies wholly inside it is not seen.
class grid_refinement {
 public:
  /// A grid of columns × rows points. \throws argument_error where columns or rows is 0, or either
  /// is 1 with levels > 0, or the lattice has more than 2^62 points
  grid_refinement(std::uint64_t columns, std::uint64_t rows, unsigned levels);

  /// The points of a row of the lattice.
  [[nodiscard]] std::uint64_t width() const noexcept { return width_; }
  /// The rows of the lattice.
  [[nodiscard]] std::uint64_t height() const noexcept { return height_; }
  /// The present level.
  [[nodiscard]] unsigned level() const noexcept { return level_; }
  /// How many halvings there may be.
  [[nodiscard]] unsigned levels() const noexcept { return levels_; }

  /// How many points there are, those of all levels so far; the first that the current level added;
  /// and the index of each.
  [[nodiscard]] std::uint64_t size() const noexcept { return columns_ * rows_ + added_.size(); }
  /// The first point that the present level added.
  [[nodiscard]] std::uint64_t first() const noexcept { return first_; }
  /// The index of point i.
  [[nodiscard]] std::uint64_t point(std::uint64_t i) const;

  /// Goes on to the next level. \param differs of the four corners of a square, all of them points
  /// of this level or those before; asked for every square that this level made. \returns false,
  /// changing nothing, after the last level, or where no square's corners differ
  bool advance(const std::function<bool(const std::array<std::uint64_t, 4>&)>& differs);

 private:
  [[nodiscard]] std::uint64_t spacing() const noexcept {
    return std::uint64_t{1} << (levels_ - level_);
  }

  std::uint64_t columns_;
  std::uint64_t rows_;
  unsigned levels_;
  unsigned level_ = 0;
  std::uint64_t width_ = 0;
  std::uint64_t height_ = 0;
  std::uint64_t first_ = 0;
  std::vector<std::uint64_t> added_;    // the points beyond the grid
  std::vector<std::uint64_t> squares_;  // the lowest corners of this level's, from level 1 on
};

}  // namespace loradyn
