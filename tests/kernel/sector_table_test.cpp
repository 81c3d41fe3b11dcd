#include "kernel/sector_table.hpp"
#include <array>
#include <catch2/catch.hpp>
#include <cmath>
#include <loradyn/activation/parse.hpp>
#include <loradyn/kernel/pair_kernel.hpp>
#include <utility>
#include "kernel/averages.hpp"
#include "support/within.hpp"

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
      half_lines of_f(f, a);
      half_lines of_g(g, 1.0);
      const sector_table table(of_f, of_g, terms);
      sector_weights weights;
      REQUIRE(table.resolved());
      for (const double rho : {-0.9, -0.4, 0.0, 0.5, 0.92}) {
        CAPTURE(first, second, a, rho);
        const pair_covariance v{a * a, 1.0, rho * a, a * a * (1.0 - rho) * (1.0 + rho)};
        std::array<double, 2> averages{};
        table.averages(std::sqrt(v.gap), v.c, averages, weights);
        const pair_moments m = kernel.moments(v, moment_set::value | moment_set::gradient);
        CHECK(averages[0] == Approx(m.e00).epsilon(1e-13).margin(1e-13));
        CHECK(averages[1] == Approx(m.e11).epsilon(1e-12).margin(1e-12));
      }
    }
  }
}

// (3.3) at variances where the activations are close to steps or oscillate, and beside the edge,
// where one sector is almost all of the half plane and both activations turn at either end of it.
TEST_CASE("averages over sectors are those over the plane") {
  const std::array<sector_table::term, 2> terms{{{0, 0}, {1, 1}}};
  std::size_t tables = 0;
  for (const char* first : {"relu*tanh", "erf*relu", "erf^3", "exp(-2*x^2)", "sin+0.87*erf",
                            "relu*(cos+0.3)", "relu^3", "relu*sigmoid", "abs(tanh)"}) {
    for (const char* second : {"relu*tanh", "relu", "he6*(sin+0.5*relu)"}) {
      const activation f = parse_activation(first);
      const activation g = parse_activation(second);
      for (const double a : {0.05, 5.0, 25.0, 80.0}) {
        half_lines of_f(f, a);
        half_lines of_g(g, 1.0);
        const sector_table table(of_f, of_g, terms);
        sector_weights weights;
        tables += table.resolved() ? 1 : 0;
        for (const double angle : {0.003, 0.3, 2.8}) {
          if (!table.resolved()) {
            continue;
          }
          CAPTURE(first, second, a, angle);
          const double sine = std::sin(angle);
          const double cosine = std::cos(angle);
          std::array<double, 2> values{};
          table.averages(sine * a, cosine * a, values, weights);
          const averages plane = plane_averages(f, g, {a * a, 1.0, cosine * a, sine * sine * a * a},
                                                2, 2, [](const point_block& at, double* out) {
                                                  for (std::size_t p = 0; p < at.count; ++p) {
                                                    out[p] = at.f[0][p] * at.g[0][p];
                                                    out[at.count + p] = at.f[1][p] * at.g[1][p];
                                                  }
                                                });
          for (std::size_t k = 0; k < values.size(); ++k) {
            CHECK(values[k] == test::within(plane.value[k], 2e-12 * plane.magnitude[k] + 1e-14));
          }
        }
      }
    }
  }
  CHECK(tables >= 98);  // of 108: what oscillates at a = 80 needs more nodes
}
