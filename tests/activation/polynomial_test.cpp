#include <catch2/catch.hpp>
#include <loradyn/activation/polynomial.hpp>
#include <loradyn/error.hpp>
#include <vector>

#include "support/within.hpp"

using namespace loradyn;

TEST_CASE("both expansions of a polynomial agree") {
  // x⁴ - 2x = He4 + 6 He2 + 3 - 2 He1
  const polynomial p = polynomial::from_monomials({0, -2, 0, 0, 1});
  const std::vector<double> expected{3, -2, 6, 0, 1};
  CHECK(std::vector<double>(p.hermite().begin(), p.hermite().end()) == expected);
  CHECK(p.degree() == 4);
  CHECK(p(1.5) == Approx(1.5 * 1.5 * 1.5 * 1.5 - 3.0));
  CHECK(p.derivative()(1.5) == Approx(4 * 1.5 * 1.5 * 1.5 - 2.0));
}

TEST_CASE("Gaussian moments of the derivatives at any variance") {
  const polynomial p = polynomial::from_monomials({0, -2, 0, 0, 1});
  for (const double q : {0.0, 0.1, 0.2499999, 0.25, 1.0, 4.0}) {
    CAPTURE(q);
    std::vector<double> moments(7);
    p.gaussian_derivatives(q, moments);
    CHECK(moments[0] == Approx(3 * q * q));  // E[x⁴]
    CHECK(moments[1] == Approx(-2.0));       // E[4x³ - 2]
    CHECK(moments[2] == Approx(12 * q));     // E[12x²]
    CHECK(moments[3] == test::within(0.0, 1e-15));
    CHECK(moments[4] == Approx(24.0));
    CHECK(moments[5] == 0.0);
    CHECK(moments[6] == 0.0);
  }
}

TEST_CASE("zero, trailing zeros and too high a degree") {
  CHECK(polynomial().zero());
  CHECK(polynomial::from_monomials({0, 0}).zero());
  CHECK(polynomial::from_monomials({1, 0, 0}).degree() == 0);
  CHECK(polynomial()(3.0) == 0.0);
  CHECK_THROWS_AS(polynomial::from_monomials(std::vector<double>(max_degree + 2, 1.0)),
                  argument_error);
}
