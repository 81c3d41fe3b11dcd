#include <algorithm>
#include <catch2/catch.hpp>
#include <cmath>
#include <loradyn/activation/parse.hpp>
#include <loradyn/analysis/phase_plane.hpp>
#include <loradyn/dynamics/flow.hpp>
#include <vector>

#include "support/within.hpp"

using namespace loradyn;

namespace {

flow flow_of(const char* student, const lora_parameters& p) {
  return {learning_task(parse_activation(student), parse_activation(student)), p};
}

double length(const std::vector<plane_segment>& segments) {
  double sum = 0.0;
  for (const plane_segment& p : segments) {
    sum += std::hypot(p[1][0] - p[0][0], p[1][1] - p[0][1]);
  }
  return sum;
}

}  // namespace

TEST_CASE("arrows stand in the middle of their cells and tell the velocity there") {
  const flow f = flow_of("erf", {.alignment = 0.4, .misalignment = 0.3, .noise_scale = 0.5});
  const double s = 0.6;
  const phase_plane plane = plane_of(f, 1.5, s, 4);
  REQUIRE(plane.places.size() == 16);
  REQUIRE(plane.velocities.size() == 16);
  // Row after row: u runs first, and m goes up to √(1 - s²).
  CHECK(plane.places[0].u == test::within(-1.5 * 0.75, 1e-15));
  CHECK(plane.places[1].u == test::within(-1.5 * 0.25, 1e-15));
  CHECK(plane.places[0].m == test::within(-0.8 * 0.75, 1e-15));
  CHECK(plane.places[4].m == test::within(-0.8 * 0.25, 1e-15));
  CHECK(plane.places[15].u == test::within(1.5 * 0.75, 1e-15));
  CHECK(plane.places[15].m == test::within(0.8 * 0.75, 1e-15));
  for (std::size_t i = 0; i < 16; ++i) {
    const overlap_state v = f.velocity(plane.places[i]);
    CHECK(plane.places[i].s == s);
    CHECK(plane.velocities[i].u == v.u);
    CHECK(plane.velocities[i].m == v.m);
    CHECK(plane.velocities[i].s == v.s);
  }
}

TEST_CASE("the nullclines of the linear student are straight lines") {
  // u' = -κ (u - (1-μ) m) and m' = (1-μ) u (1 - m²).
  const double mu = 0.3;
  const phase_plane plane =
      plane_of(flow_of("linear", {.alignment = mu, .rate_ratio = 2.0}), 0.5, 0.0, 3);
  for (const plane_segment& segment : plane.u_nullcline) {
    for (const auto& [u, m] : segment) {
      CHECK(u == test::within((1.0 - mu) * m, 1e-14));
    }
  }
  // It leaves the plane at |u| = reach, where |m| = reach/(1-μ) < 1.
  CHECK(length(plane.u_nullcline) == test::within(2.0 * std::hypot(0.5, 0.5 / (1.0 - mu)), 1e-12));
  double along_m = 0.0;
  for (const plane_segment& segment : plane.m_nullcline) {
    if (std::max(std::abs(segment[0][1]), std::abs(segment[1][1])) < 0.98) {
      CHECK(segment[0][0] == test::within(0.0, 1e-14));
      CHECK(segment[1][0] == test::within(0.0, 1e-14));
      along_m += std::abs(segment[1][1] - segment[0][1]);
    }
  }
  CHECK(along_m == test::within(2.0 * 0.98, 0.03));
}

TEST_CASE("nullclines are zeros of the velocity to the square of a cell") {
  const flow f = flow_of("he3", {.alignment = 0.5, .misalignment = 0.2});
  const double s = 0.1;
  const phase_plane plane = plane_of(f, 1.2, s, 2);
  REQUIRE(plane.u_nullcline.size() > 100);
  REQUIRE(plane.m_nullcline.size() > 100);
  // A cell is a hundredth of the reach: its square is 1e-4 of what the velocity is at most, times a
  // second derivative.
  const auto off = [&](const std::vector<plane_segment>& segments, auto member) {
    double worst = 0.0;
    for (const plane_segment& segment : segments) {
      for (const auto& [u, m] : segment) {
        worst = std::max(worst, std::abs(f.velocity({u, m, s}).*member));
      }
    }
    return worst;
  };
  double largest_u = 0.0;
  double largest_m = 0.0;
  for (const overlap_state& v : plane_of(f, 1.2, s, 40).velocities) {
    largest_u = std::max(largest_u, std::abs(v.u));
    largest_m = std::max(largest_m, std::abs(v.m));
  }
  CHECK(off(plane.u_nullcline, &overlap_state::u) < 1e-3 * largest_u);
  CHECK(off(plane.m_nullcline, &overlap_state::m) < 1e-3 * largest_m);
}

TEST_CASE("where the velocity has no value there is no nullcline") {
  const flow f = flow_of("he2", {.alignment = 0.2});
  const phase_plane beyond = plane_of(f, 1e60, 0.0, 2);  // |w|² > 1e100 at all but u = 0
  for (const plane_segment& segment : beyond.u_nullcline) {
    for (const auto& point : segment) {
      CHECK(std::isfinite(point[0]));
      CHECK(std::isfinite(point[1]));
    }
  }
  CHECK(std::isnan(beyond.velocities[0].u));
}
