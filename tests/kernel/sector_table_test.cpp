#include "kernel/sector_table.hpp"
#include <array>
#include <catch2/catch.hpp>
#include <cmath>
#include <loradyn/activation/parse.hpp>
#include <loradyn/kernel/pair_kernel.hpp>
#include <utility>

using namespace loradyn;

// (3.3) where (3.1) is summed too: the same averages by another way.
TEST_CASE("averages over sectors are those that the Hermite series sums") {
  for (const auto& [first, second] :
       {std::pair("relu*tanh", "relu*cos"), std::pair("relu^2", "relu*tanh"),
        std::pair("silu*relu", "abs(x)*tanh(2*x)")}) {
    const activation f = parse_activation(first);
    const activation g = parse_activation(second);
    const pair_kernel kernel(f, g);
    const std::array<sector_table::term, 2> terms{{{0, 0}, {1, 1}}};
    for (const double a : {0.3, 1.0, 1.6}) {
      const sector_table table(f, a, g, 1.0, terms);
      REQUIRE(table.resolved());
      for (const double rho : {-0.9, -0.4, 0.0, 0.5, 0.92}) {
        CAPTURE(first, second, a, rho);
        const pair_covariance v{a * a, 1.0, rho * a, a * a * (1.0 - rho) * (1.0 + rho)};
        std::array<double, 2> averages{};
        table.averages(std::sqrt(v.gap), v.c, averages);
        const pair_moments m = kernel.moments(v, moment_set::value | moment_set::gradient);
        CHECK(averages[0] == Approx(m.e00).epsilon(1e-13).margin(1e-13));
        CHECK(averages[1] == Approx(m.e11).epsilon(1e-12).margin(1e-12));
      }
    }
  }
}
