#include <algorithm>
#include <array>
#include <catch2/catch.hpp>
#include <cmath>
#include <limits>
#include <loradyn/activation/parse.hpp>
#include <loradyn/analysis/critical.hpp>
#include <loradyn/analysis/search_phase.hpp>
#include <loradyn/error.hpp>
#include <span>
#include <string>
#include "analysis/limits.hpp"
#include "analysis/roots.hpp"

#include "support/within.hpp"

using namespace loradyn;

namespace {

population_risk matched(const std::string& name) {
  return {parse_activation(name), parse_activation(name)};
}

std::vector<critical_alignment> roots(const std::string& name, double lo, double hi) {
  return critical_alignments(matched(name), {}, lo, hi);
}

}  // namespace

TEST_CASE("the known critical alignments of Hermite pairs") {
  const auto he3 = roots("he3", 0.0, 1.0);
  REQUIRE(he3.size() == 1);
  CHECK(he3[0].alignment == Approx(0.3207243473230675).epsilon(1e-15));
  CHECK(he3[0].status == critical_status::diverges);
  const auto he10 = roots("he10", 0.0, 1.0);
  REQUIRE(he10.size() == 2);
  CHECK(he10[0].alignment == Approx(0.3967893025649656).epsilon(1e-14));
  CHECK(he10[1].alignment == Approx(0.5732010245551071).epsilon(1e-14));
  for (const char* name : {"linear", "he2", "he4", "he6", "he8", "erf", "relu", "sigmoid"}) {
    CAPTURE(name);
    CHECK(roots(name, 0.0, 1.0).empty());
  }
}

TEST_CASE("the slope of A at a root, against He3's polynomial") {
  // For He3, A = 18 μ² + μ B with B = -9(5μ⁴ - 6μ² + 1)... by parts: A is a polynomial of degree 5,
  // so a sixth-order difference of it is exact but for rounding.
  const population_risk risk = matched("he3");
  const auto root = critical_alignments(risk, {}, 0.0, 1.0).at(0);
  const double h = 1e-2;
  const auto A = [&](int i) { return search_phase(risk, {.alignment = root.alignment + i * h}).A; };
  const double slope = (45 * (A(1) - A(-1)) - 9 * (A(2) - A(-2)) + (A(3) - A(-3))) / (60 * h);
  CHECK(root.slope == Approx(slope).epsilon(1e-12));
}

TEST_CASE("zeros at the ends of the interval are not counted, the same inside are") {
  CHECK(roots("he3", 0.0, 1.0).size() == 1);
  const auto wide = roots("he3", -0.5, 1.5);
  REQUIRE(wide.size() == 3);
  CHECK(wide[0].alignment == test::within(0.0, 1e-14));
  CHECK(wide[2].alignment == Approx(1.0).epsilon(1e-14));
  CHECK(wide[2].slope == Approx(-90.0));  // -E[z² σ'²] = -9 E[z² (z²-1)²]
}

TEST_CASE("roots of every activation are found, however narrow the interval") {
  for (const char* name : {"he3", "he7", "he14", "he20", "sin", "he3+0.5*he5"}) {
    CAPTURE(name);
    const population_risk risk = matched(name);
    // A scan that is dense enough to see every sign change of these.
    std::vector<double> seen;
    const int points = 20000;
    double before = search_phase(risk, {.alignment = -1.5}).A;
    for (int i = 1; i <= points; ++i) {
      const double mu = -1.5 + 3.0 * (i + 0.1) / points;
      const double A = search_phase(risk, {.alignment = mu}).A;
      if (std::signbit(A) != std::signbit(before)) {
        seen.push_back(mu - 1.5 / points);
      }
      before = A;
    }
    const auto found = critical_alignments(risk, {}, -1.5, 1.5);
    REQUIRE(found.size() == seen.size());
    for (std::size_t i = 0; i < seen.size(); ++i) {
      CHECK(std::abs(found[i].alignment - seen[i]) < 3.0 / points);
      const double mu = found[i].alignment;
      const auto again = critical_alignments(risk, {}, mu - 1e-4, mu + 2e-4);
      REQUIRE(again.size() == 1);
      CHECK(again[0].alignment == test::within(mu, 1e-12));
    }
  }
}

TEST_CASE("a double root is reported as possible, and splits when A moves") {
  // For the student He1 + a He2 and the teacher He1 + b He2, A has a double root where its
  // discriminant vanishes; b is found by bisection on the number of roots.
  const activation student = parse_activation("he1+0.5*he2");
  const auto with_teacher = [&](double b) {
    const activation teacher = parse_activation("{x}*he1+he2", {{"x", b}});
    return critical_alignments({student, teacher}, {}, 0.05, 2.0);
  };
  double two = 0.0;
  double none = 0.0;
  for (double b = -6.0; b < 6.0; b += 0.25) {
    const std::size_t here = with_teacher(b).size();
    const std::size_t next = with_teacher(b + 0.25).size();
    if (here + 2 == next) {
      none = b;
      two = b + 0.25;
    } else if (here == next + 2) {
      two = b;
      none = b + 0.25;
    }
  }
  REQUIRE(two != none);
  const std::size_t many = with_teacher(two).size();
  const std::size_t few = with_teacher(none).size();
  bool touched = false;
  for (int i = 0; i < 60; ++i) {
    const double middle = 0.5 * (two + none);
    const auto found = with_teacher(middle);
    const bool possible = std::any_of(found.begin(), found.end(), [](const critical_alignment& c) {
      return c.status == critical_status::possible_double;
    });
    touched = touched || possible;
    if (found.size() == few) {
      none = middle;
    } else {
      CHECK((found.size() == many || possible));
      two = middle;
    }
  }
  CHECK(touched);
}

TEST_CASE("at mu = 0 a kinked student's A may cross, turn, jump or vanish with B") {
  const auto at_zero = [](const char* student, const char* teacher) {
    const auto found =
        critical_alignments({parse_activation(student), parse_activation(teacher)}, {}, -0.4, 0.4);
    REQUIRE(found.size() == 1);
    CHECK(found[0].alignment == 0.0);
    return found[0];
  };
  // Where relu meets an odd teacher A goes on through zero: A = -μ/2 on both sides.
  const critical_alignment crossing = at_zero("relu", "he3");
  CHECK(crossing.status == critical_status::diverges);
  CHECK(crossing.B == Approx(-0.5));
  CHECK(crossing.slope == Approx(-0.5));
  // relu² and he3: A = 1.5958 |μ| to first order, and B jumps from 0.798 to -0.798.
  const critical_alignment turning = at_zero("relu^2", "he3");
  CHECK(turning.status == critical_status::touches);
  CHECK(std::isnan(turning.slope));
  CHECK(std::isnan(turning.B));
  // A pair of relus: A = -μ/2 on the left, (1 - μ)/2 on the right.
  const critical_alignment jumping = at_zero("relu", "relu");
  CHECK(jumping.status == critical_status::touches);
  CHECK(jumping.B == Approx(-0.5));
  CHECK(std::isnan(jumping.slope));
  CHECK_THROWS_AS(critical_law({.slope = jumping.slope}), argument_error);
  // relu² and he2: B = -3μ² vanishes as well.
  const critical_alignment marginal = at_zero("relu^2", "he2");
  CHECK(marginal.status == critical_status::marginal);
  CHECK(marginal.slope == Approx(2.0));
}

TEST_CASE("a piece on which A can't be followed leaves the roots on the others") {
  // |w0|² beyond 1e100 is no number that kernels take.
  const auto found = critical_alignments(matched("he3"), {}, 0.1, 4e50);
  REQUIRE(found.size() >= 1);
  const critical_alignment& piece = found.back();
  CHECK(piece.status == critical_status::unresolved);
  CHECK(std::isnan(piece.alignment));
  CHECK(piece.hi == 4e50);
  CHECK(piece.lo > 0.9e50);
  CHECK(piece.lo <= 1e50);
}

TEST_CASE("no root beside a stretch of zeros is passed over") {
  // Zero on two stretches, between which it dips, and right behind the second, where it turns.
  constexpr double beyond = 3e-5;
  const auto f = [](double x) {
    const double value = x < 0.3    ? x - 0.3
                         : x < 0.5  ? 0.0
                         : x < 0.51 ? 100.0 * (x - 0.5) * (x - 0.51)
                         : x < 0.7  ? 0.0
                                    : 100.0 * (x - 0.7) * (x - 0.7 - beyond);
    return scaled_value{value, 1.0};
  };
  constexpr std::array breaks{0.3, 0.5, 0.51, 0.7};
  const auto roots = isolate_roots(f, 0.0, 1.0, breaks, "stretches");
  REQUIRE(roots.size() == 3);
  CHECK_FALSE(roots[0].crosses);
  CHECK(roots[0].x <= 0.5);
  CHECK_FALSE(roots[1].crosses);
  CHECK(roots[1].x >= 0.51);
  CHECK(roots[2].crosses);
  CHECK(roots[2].x == test::within(0.7 + beyond, 1e-12));
}

TEST_CASE("a weak corner is resolved, and is no noise that hides how near zero f comes") {
  // At 1/3, which has the same place in an interval and in its quarter, the tail of a corner falls
  // to a quarter at two halvings. Taken for noise, it would make zero of what is less than 1e-9.
  const double corner = 1e-6;
  const double least = 1e-10;
  const auto f = [&](double x) {
    const double d = x - 0.3;
    const double turned = std::abs(x - 1.0 / 3.0) - (1.0 / 3.0 - 0.3);
    return scaled_value{d * d + corner * turned + least + 0.25 * corner * corner, 1.0};
  };
  const auto found = find_roots(f, 0, 1, {});
  CHECK(found.roots.empty());
  CHECK(found.unresolved.empty());
  // Lower by twice that it has two roots.
  const auto crossing = find_roots(
      [&](double x) {
        return scaled_value{f(x).value - 2.0 * least, 1.0};
      },
      0, 1, {});
  REQUIRE(crossing.roots.size() == 2);
  CHECK(crossing.roots[1].x - crossing.roots[0].x == Approx(2.0 * std::sqrt(least)).epsilon(1e-6));
}

TEST_CASE("what is no smooth function is searched with a bounded number of evaluations") {
  std::size_t count = 0;
  const auto counted = [&count](auto f) {
    return [&count, f](double x) {
      ++count;
      return scaled_value{f(x), 1.0};
    };
  };
  const auto none = std::span<const double>();
  // A jump through zero is a root, one that does not reach it is none.
  const auto up = find_roots(counted([](double x) { return x < 0.3 ? -1.0 : 2.0; }), 0, 1, none);
  REQUIRE(up.roots.size() == 1);
  CHECK(up.roots[0].x == Approx(0.3).epsilon(1e-9));
  CHECK(up.roots[0].crosses);
  CHECK(std::isnan(up.roots[0].slope));
  CHECK(up.unresolved.empty());
  CHECK(
      find_roots(counted([](double x) { return x < 0.3 ? 1.0 : 2.0; }), 0, 1, none).roots.empty());
  // Rounding noise of 1e-11 does not hide a root.
  const auto noisy =
      find_roots(counted([](double x) { return x - 0.3 + 1e-11 * std::sin(1e9 * x); }), 0, 1, none);
  REQUIRE(noisy.roots.size() == 1);
  CHECK(noisy.roots[0].x == Approx(0.3).epsilon(1e-9));
  CHECK(noisy.unresolved.empty());
  CHECK(count < 24 * 3 * most_series);
  // One that swings everywhere can't be followed; the half without is.
  count = 0;
  const auto wild = find_roots(
      counted([](double x) { return x < 0.5 ? x - 0.25 : std::sin(1e12 * x); }), 0, 1, none);
  CHECK(count < 40 * most_series);
  REQUIRE_FALSE(wild.roots.empty());
  CHECK(wild.roots[0].x == Approx(0.25).epsilon(1e-13));
  REQUIRE_FALSE(wild.unresolved.empty());
  CHECK(wild.unresolved.back().hi == 1.0);
  CHECK_THROWS_AS(isolate_roots(counted([](double x) { return std::sin(1e12 * x); }), 0, 1, none,
                                "a wild function"),
                  convergence_error);
  // Nor can one that is not finite.
  const auto partly = find_roots(
      [](double x) {
        return scaled_value{x < 0.5 ? x - 0.25 : std::numeric_limits<double>::quiet_NaN(), 1.0};
      },
      0, 1, none);
  REQUIRE(partly.roots.size() == 1);
  REQUIRE(partly.unresolved.size() == 1);
  CHECK(partly.unresolved[0].lo <= 0.5);
  CHECK(partly.unresolved[0].lo > 0.45);
  CHECK(partly.unresolved[0].hi == 1.0);
}

TEST_CASE("with a misalignment tau stays finite where A vanishes") {
  const auto found = critical_alignments(matched("he3"), {.misalignment = 0.3}, 0.0, 1.0);
  for (const critical_alignment& c : found) {
    CHECK(c.status == critical_status::finite);
    const auto r = search_phase(matched("he3"), {.alignment = c.alignment, .misalignment = 0.3});
    CHECK(std::abs(r.A) < 1e-12);
    CHECK(r.tau < 1e3);
  }
  CHECK_FALSE(found.empty());
}

TEST_CASE("intervals that are none are refused") {
  CHECK_THROWS_AS(roots("erf", 1.0, 0.0), argument_error);
  CHECK_THROWS_AS(roots("erf", 0.5, 0.5), argument_error);
  CHECK_THROWS_AS(roots("erf", 0.0, std::numeric_limits<double>::infinity()), argument_error);
}

// (5.2)
TEST_CASE("strong pre-training: tau approaches its law at first order in 1 - mu") {
  for (const char* name : {"erf", "relu", "he3", "he10", "tanh", "softplus", "relu^2"}) {
    CAPTURE(name);
    const population_risk risk = matched(name);
    const divergence_law law = strong_pretraining_law(parse_activation(name));
    const auto excess = [&](double e) {
      return search_phase(risk, {.alignment = 1 - e}).tau / law(1 - e) - 1;
    };
    CHECK(std::abs(excess(1e-4)) < 5e-3);
    if (!std::string(name).starts_with("relu")) {  // whose correction starts at second order
      const double order = std::log2(excess(2e-3) / excess(1e-3));
      CHECK(order > 0.9);
      CHECK(order < 1.1);
    }
  }
  CHECK(strong_pretraining_law(parse_activation("relu")).prefactor == Approx(2.0));
  CHECK(strong_pretraining_law(parse_activation("linear")).prefactor == Approx(1.0));
  CHECK_THROWS_AS(strong_pretraining_law(parse_activation("he0")), argument_error);
}

// (5.1)
TEST_CASE("near a critical alignment tau follows the inverse square") {
  const population_risk risk = matched("he3");
  const divergence_law law = critical_law(roots("he3", 0.0, 1.0).at(0));
  for (const double e : {-1e-4, 1e-4}) {
    const double mu = law.centre + e;
    CHECK(search_phase(risk, {.alignment = mu}).tau == Approx(law(mu)).epsilon(2e-3));
  }
  const auto slow = search_phase(risk, {.alignment = law.centre + 1e-4, .rate_ratio = 7.0});
  CHECK(slow.tau == Approx(law(law.centre + 1e-4)).epsilon(2e-3));  // κ drops out
  CHECK_THROWS_AS(critical_law({.status = critical_status::finite}), argument_error);
}
