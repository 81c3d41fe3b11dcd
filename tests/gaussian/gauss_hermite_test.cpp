#include <catch2/catch.hpp>
#include <cmath>
#include <loradyn/error.hpp>
#include <loradyn/gaussian/gauss_hermite.hpp>

#include "support/within.hpp"

using namespace loradyn;

TEST_CASE("a Gauss-Hermite rule is exact below degree 2n") {
  for (const std::size_t n : {1U, 2U, 5U, 20U, 40U, 80U}) {
    CAPTURE(n);
    const gauss_hermite_rule rule(n);
    double moment = 1.0;  // E[z^{2k}] = (2k-1)!!
    for (std::size_t k = 0; 2 * k < 2 * n; ++k) {
      double even = 0.0;
      double odd = 0.0;
      for (std::size_t i = 0; i < n; ++i) {
        const double power = std::pow(rule.nodes[i], static_cast<double>(2 * k));
        even += rule.weights[i] * power;
        odd += rule.weights[i] * power * rule.nodes[i];
      }
      CHECK(even == Approx(moment).epsilon(1e-12));
      CHECK(odd == test::within(0.0, 1e-12 * moment * static_cast<double>(2 * k + 1)));
      moment *= static_cast<double>(2 * k + 1);
    }
  }
  CHECK_THROWS_AS(gauss_hermite_rule(0), argument_error);
  CHECK_THROWS_AS(gauss_hermite_rule(101), argument_error);
}
