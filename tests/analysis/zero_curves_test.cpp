#include <catch2/catch.hpp>
#include <cmath>
#include <limits>
#include <loradyn/activation/parse.hpp>
#include <loradyn/analysis/critical.hpp>
#include <loradyn/analysis/search_phase.hpp>
#include <loradyn/analysis/zero_curves.hpp>
#include <loradyn/error.hpp>

#include "support/within.hpp"

using namespace loradyn;

TEST_CASE("a circle is one closed curve, exactly on it") {
  const auto curves = zero_curves([](double x, double y) { return x * x + y * y - 1.0; },
                                  {-2.0, 2.0, -2.0, 2.0}, 32);
  REQUIRE(curves.size() == 1);
  CHECK(curves[0].closed);
  double length = 0.0;
  for (std::size_t i = 0; i < curves[0].points.size(); ++i) {
    const auto& p = curves[0].points[i];
    const auto& q = curves[0].points[(i + 1) % curves[0].points.size()];
    CHECK(std::hypot(p[0], p[1]) == test::within(1.0, 1e-8));
    length += std::hypot(p[0] - q[0], p[1] - q[1]);
  }
  CHECK(length == Approx(2.0 * M_PI).epsilon(1e-2));
}

TEST_CASE("open curves run from rim to rim, and each is found once") {
  // sin(πx) = y: over x from 0.25 to 3.25 three branches leave |y| <= ½.
  const auto curves = zero_curves([](double x, double y) { return std::sin(M_PI * x) - y; },
                                  {0.25, 3.25, -0.5, 0.5}, 40);
  CHECK(curves.size() == 3);
  for (const plane_curve& c : curves) {
    CHECK_FALSE(c.closed);
    CHECK(std::abs(c.points.front()[1]) == test::within(0.5, 1e-3));
    CHECK(std::abs(c.points.back()[1]) == test::within(0.5, 1e-3));
    for (const auto& p : c.points) {
      CHECK(std::sin(M_PI * p[0]) == test::within(p[1], 1e-8));
    }
  }
}

TEST_CASE("no zero, no curve; no value, no curve") {
  CHECK(zero_curves([](double x, double y) { return 1.0 + x * x + y * y; }, {}, 16).empty());
  const double nothing = std::numeric_limits<double>::quiet_NaN();
  CHECK(zero_curves([&](double, double) { return nothing; }, {}, 16).empty());
  CHECK_THROWS_AS(zero_curves([](double x, double) { return x; }, {1.0, 0.0, 0.0, 1.0}, 16),
                  argument_error);
}

TEST_CASE("the critical line of He_3 + a He_5 passes through the critical alignments") {
  const auto A = [](double mu, double a) {
    const activation s = parse_activation("he3+{a}*he5", {{"a", a}});
    return search_phase(population_risk(s, s), {.alignment = mu}).A;
  };
  const auto curves = zero_curves(A, {0.05, 0.95, 0.0, 1.0}, 24);
  REQUIRE(!curves.empty());
  for (const plane_curve& c : curves) {
    for (std::size_t i = 0; i < c.points.size(); i += 7) {
      const auto& [mu, a] = c.points[i];
      const activation s = parse_activation("he3+{a}*he5", {{"a", a}});
      const auto roots = critical_alignments(population_risk(s, s), {}, 0.0, 1.0);
      double nearest = 1.0;
      for (const critical_alignment& r : roots) {
        nearest = std::min(nearest, std::abs(r.alignment - mu));
      }
      CAPTURE(mu, a);
      CHECK(nearest < 1e-7);
    }
  }
}
