#include <catch2/catch.hpp>
#include <cmath>
#include <loradyn/error.hpp>
#include <loradyn/sweep/refinement.hpp>
#include <set>

using namespace loradyn;

namespace {

// Which side of a circle about the middle of the lattice a point is on.
bool inside(const grid_refinement& grid, std::uint64_t point) {
  const double x =
      static_cast<double>(point % grid.width()) / static_cast<double>(grid.width() - 1);
  const double y =
      static_cast<double>(point / grid.width()) / static_cast<double>(grid.height() - 1);
  return std::hypot(x - 0.5, y - 0.5) < 0.3;
}

// Those that the current level added.
std::vector<std::uint64_t> points_of(const grid_refinement& grid) {
  std::vector<std::uint64_t> points;
  for (std::uint64_t i = grid.first(); i < grid.size(); ++i) {
    points.push_back(grid.point(i));
  }
  return points;
}

}  // namespace

TEST_CASE("level 0 is the grid itself, on the lattice of its halvings") {
  const grid_refinement grid(3, 2, 2);
  CHECK(grid.width() == 9);
  CHECK(grid.height() == 5);
  CHECK(points_of(grid) == std::vector<std::uint64_t>{0, 4, 8, 36, 40, 44});
  const grid_refinement plain(4, 3, 0);
  CHECK(points_of(plain) == std::vector<std::uint64_t>{0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11});
}

TEST_CASE("a square whose corners differ gets five points, and only it") {
  grid_refinement grid(3, 2, 1);  // 5 × 3
  REQUIRE(grid.advance([](const auto& corners) { return corners[0] == 2; }));
  CHECK(grid.level() == 1);
  CHECK(points_of(grid) == std::vector<std::uint64_t>{3, 7, 8, 9, 13});
  CHECK_FALSE(grid.advance([](const auto&) { return true; }));
}

TEST_CASE("where all squares differ, the points are those of the finest grid, each once") {
  grid_refinement grid(4, 3, 3);
  std::set<std::uint64_t> all;
  std::size_t count = 0;
  do {
    for (const std::uint64_t p : points_of(grid)) {
      all.insert(p);
      ++count;
    }
  } while (grid.advance([](const auto&) { return true; }));
  CHECK(grid.level() == 3);
  CHECK(count == all.size());
  CHECK(all.size() == grid.width() * grid.height());
  CHECK(*all.rbegin() == grid.width() * grid.height() - 1);
}

TEST_CASE("corners that are asked for were points before, and surround their square") {
  grid_refinement grid(5, 5, 4);
  std::set<std::uint64_t> known;
  do {
    for (const std::uint64_t p : points_of(grid)) {
      known.insert(p);
    }
  } while (grid.advance([&](const auto& c) {
    for (const std::uint64_t corner : c) {
      CHECK(known.contains(corner));
    }
    const std::uint64_t side = 16U >> grid.level();
    CHECK(c[1] == c[0] + side);
    CHECK(c[2] == c[0] + side * grid.width());
    CHECK(c[3] == c[2] + side);
    return inside(grid, c[0]) != inside(grid, c[1]) || inside(grid, c[0]) != inside(grid, c[2]) ||
           inside(grid, c[0]) != inside(grid, c[3]);
  }));
}

TEST_CASE("a line is followed: twice the points for each halving, where a grid takes four times") {
  grid_refinement grid(17, 17, 6);
  std::vector<double> added;
  const auto differs = [&](const auto& c) {
    const bool first = inside(grid, c[0]);
    return inside(grid, c[1]) != first || inside(grid, c[2]) != first ||
           inside(grid, c[3]) != first;
  };
  while (grid.advance(differs)) {
    added.push_back(static_cast<double>(grid.size() - grid.first()));
  }
  REQUIRE(added.size() == 6);
  for (std::size_t i = 2; i < added.size(); ++i) {
    CHECK(added[i] / added[i - 1] > 1.8);
    CHECK(added[i] / added[i - 1] < 2.2);
  }
}

TEST_CASE("values that agree everywhere add nothing, and a bad grid is refused") {
  grid_refinement grid(3, 3, 2);
  CHECK_FALSE(grid.advance([](const auto&) { return false; }));
  CHECK(grid.level() == 0);
  CHECK(grid.size() == 9);
  CHECK_THROWS_AS(grid_refinement(0, 3, 0), argument_error);
  CHECK_THROWS_AS(grid_refinement(1, 3, 1), argument_error);
  CHECK_THROWS_AS(grid_refinement(3, 3, 40), argument_error);
  CHECK_THROWS_AS(grid_refinement(1U << 30, 1U << 30, 5), argument_error);
}
