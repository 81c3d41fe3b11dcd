#include <array>
#include <catch2/catch.hpp>
#include <cmath>
#include <loradyn/gaussian/hermite.hpp>
#include <vector>

#include "support/within.hpp"

using namespace loradyn;

TEST_CASE("normalised Hermite polynomials match their explicit forms") {
  for (const double z : {-3.2, -0.5, 0.0, 1.0, 2.75}) {
    std::array<double, 6> he{};
    normalised_hermite(z, he);
    const double z2 = z * z;
    CHECK(he[0] == 1.0);
    CHECK(he[1] == z);
    CHECK(he[2] == test::within((z2 - 1) / std::sqrt(2.0), 1e-15));
    CHECK(he[3] == test::within((z2 - 3) * z / std::sqrt(6.0), 1e-15));
    CHECK(he[4] == test::within(((z2 - 6) * z2 + 3) / std::sqrt(24.0), 1e-14));
    CHECK(he[5] == test::within(((z2 - 10) * z2 + 15) * z / std::sqrt(120.0), 1e-14));
  }
}

TEST_CASE("Clenshaw's sum equals the term-by-term sum") {
  const std::vector<double> coefficients{0.3, -1.0, 0.25, 0.0, 0.125};
  for (const double x : {-4.0, -0.1, 0.0, 1.7}) {
    std::array<double, 5> he{};
    normalised_hermite(x, he);
    double sum = 0.0;
    double factorial = 1.0;
    for (std::size_t n = 0; n < coefficients.size(); ++n) {
      factorial *= n == 0 ? 1.0 : static_cast<double>(n);
      sum += coefficients[n] * he[n] * std::sqrt(factorial);
    }
    CHECK(hermite_series(coefficients, x) == Approx(sum).epsilon(1e-14));
  }
  CHECK(hermite_series({}, 2.0) == 0.0);
}
