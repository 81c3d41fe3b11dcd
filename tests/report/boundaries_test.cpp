#include "figures/boundaries.hpp"

#include <algorithm>
#include <catch2/catch.hpp>
#include <cmath>
#include <set>

namespace {

using namespace loradyn;

constexpr std::size_t side = 40;

template <class Kind>
std::vector<signed char> grid_of(const Kind& kind) {
  std::vector<signed char> kinds;
  for (std::size_t k = 0; k < side; ++k) {
    for (std::size_t i = 0; i < side; ++i) {
      kinds.push_back(
          static_cast<signed char>(kind(static_cast<double>(i), static_cast<double>(k))));
    }
  }
  return kinds;
}

double length_of(const boundary_curve& c) {
  double length = 0.0;
  for (std::size_t i = 1; i < c.size(); ++i) {
    length += std::hypot(c[i][0] - c[i - 1][0], c[i][1] - c[i - 1][1]);
  }
  return length;
}

// Whether a place is inside of a closed curve.
bool inside(const boundary_curve& c, double x, double y) {
  bool in = false;
  for (std::size_t i = 1; i < c.size(); ++i) {
    const auto& [ax, ay] = c[i - 1];
    const auto& [bx, by] = c[i];
    if ((ay > y) != (by > y) && x < ax + (y - ay) / (by - ay) * (bx - ax)) {
      in = !in;
    }
  }
  return in;
}

}  // namespace

TEST_CASE("the boundary along a line is a line, not its stairs") {
  const double slope = 0.21;
  const auto curves = boundaries(
      grid_of([&](double x, double y) { return y < 9.3 + slope * x ? 0 : 1; }), side, side);
  REQUIRE(curves.size() == 1);
  // From rim to rim; the stairs are longer by the factor 1 + slope.
  CHECK(std::min(curves[0].front()[0], curves[0].back()[0]) == -0.5);
  CHECK(std::max(curves[0].front()[0], curves[0].back()[0]) == side - 0.5);
  CHECK(length_of(curves[0]) < 1.005 * side * std::hypot(1.0, slope));
  for (const auto& [x, y] : curves[0]) {
    CHECK(std::abs(y - (9.3 + slope * x)) < 1.0);
  }
}

TEST_CASE("the boundary of a disc is closed, round, and has every place on its side") {
  const auto in_disc = [](double x, double y) { return std::hypot(x - 17.3, y - 21.8) < 12.4; };
  const auto curves = boundaries(grid_of(in_disc), side, side);
  REQUIRE(curves.size() == 1);
  CHECK(curves[0].front() == curves[0].back());
  CHECK(length_of(curves[0]) < 1.01 * 2.0 * 3.14159265 * 12.4);
  for (double y = 0.0; y < side; y += 1.0) {
    for (double x = 0.0; x < side; x += 1.0) {
      REQUIRE(inside(curves[0], x, y) == in_disc(x, y));
    }
  }
}

TEST_CASE("three kinds meet in a point, and what is not known has no boundary") {
  const auto kind = [](double x, double y) { return y < 15.0 ? 0 : x < 20.0 ? 1 : 2; };
  const auto curves = boundaries(grid_of(kind), side, side);
  REQUIRE(curves.size() == 3);
  std::multiset<std::array<double, 2>> ends;
  for (const boundary_curve& c : curves) {
    ends.insert(c.front());
    ends.insert(c.back());
  }
  CHECK(
      std::any_of(ends.begin(), ends.end(), [&](const auto& end) { return ends.count(end) == 3; }));
  CHECK(
      boundaries(grid_of([](double x, double) { return x < 20.0 ? 0 : -1; }), side, side).empty());
  CHECK(boundaries(grid_of([](double, double) { return 3; }), side, side).empty());
}
