#include "kernel/piecewise_polynomial.hpp"
#include <array>
#include <catch2/catch.hpp>
#include <cmath>
#include <loradyn/activation/parse.hpp>
#include <loradyn/kernel/pair_kernel.hpp>
#include <loradyn/model/population_risk.hpp>
#include <utility>
#include <vector>
#include "kernel/averages.hpp"
#include "support/within.hpp"

using namespace loradyn;

TEST_CASE("what is a polynomial between its kinks is known, and nothing else is taken for it") {
  for (const char* name :
       {"relu", "relu^2", "relu(x-1)", "abs(x+0.3)", "min(max(x,-1),1)", "relu(x-1)^4", "relu+he4",
        "max(x,0.1*x)-2*relu(x-7)", "relu(x-1)*he2", "abs(he2)", "max(x,x^3)"}) {
    INFO(name);
    CHECK(piecewise_polynomial::of(parse_activation(name)));
  }
  for (const char* name :
       {"he3", "erf", "relu*tanh", "relu^5", "relu(x-1)*he4", "abs(sin)", "relu+0.001*erf",
        "relu(x-1)+1e-9*tanh(50*x)", "max(x,exp(x)-1)", "relu+exp(-900*(x-3.3)^2)"}) {
    INFO(name);
    CHECK_FALSE(piecewise_polynomial::of(parse_activation(name)));
  }
}

TEST_CASE("averages of piecewise polynomials over a line are those of the quadrature") {
  for (const char* name : {"relu(x-1)", "abs(x+0.3)", "min(max(x,-1),1)", "relu(x-1)^4+he3",
                           "max(x,0.1*x)-2*relu(x-7)", "abs(he2)"}) {
    const activation f = parse_activation(name);
    const auto pieces = piecewise_polynomial::of(f);
    REQUIRE(pieces);
    for (const double mean : {-3.0, 0.2, 1.0, 8.0}) {
      for (const double deviation : {1e-6, 0.1, 1.0, 30.0}) {
        CAPTURE(name, mean, deviation);
        const gaussian_line line{mean, deviation};
        const averages expected =
            line_averages(f, line, 4, 5, [](const point_block& at, double* values) {
              for (std::size_t k = 0; k < 5; ++k) {
                std::copy_n(at.f[k], at.count, values + k * at.count);
              }
            });
        const auto m = pieces->moments(line, 4);
        for (std::size_t k = 0; k < 5; ++k) {
          // The points of a quadrature are rounded where they are.
          const double of_points = k + 1 < 5 ? 1e-15 * std::abs(mean) * m.magnitude[k + 1] : 0.0;
          const double bound = 2e-14 * m.magnitude[k] + of_points + 1e-60;
          CHECK(m.value[k] == test::within(expected.value[k], bound));
          CHECK(m.magnitude[k] >= (1.0 - 1e-12) * std::abs(expected.value[k]));
        }
      }
    }
  }
}

TEST_CASE("averages given the other variable are those over the plane") {
  constexpr std::array<std::array<std::size_t, 2>, 4> orders{{{0, 0}, {1, 1}, {2, 0}, {0, 2}}};
  for (const auto& [first, second] :
       {std::pair("relu(x-1)", "relu(x-0.5)"), std::pair("abs(x+0.3)", "relu(x+1)*tanh"),
        std::pair("min(max(x,-1),1)", "sin"), std::pair("relu(x-1)^2", "abs(he2)"),
        std::pair("relu(x+0.5)", "erf*abs(x-0.2)")}) {
    const activation f = parse_activation(first);
    const activation g = parse_activation(second);
    const auto pieces = piecewise_polynomial::of(f);
    REQUIRE(pieces);
    for (const double r : {0.1, 1.0, 4.0}) {
      for (const double angle : {0.01, 0.4, 1.5, 2.9}) {
        CAPTURE(first, second, r, angle);
        const double h = r * std::sin(angle);
        const pair_covariance v{r * r, 1.0, r * std::cos(angle), h * h};
        const averages given = conditional_averages(
            f,
            [&pieces](const gaussian_line& x, std::size_t order) {
              return pieces->moments(x, order);
            },
            g, v, orders);
        const averages plane =
            plane_averages(f, g, v, 2, 4, [&](const point_block& at, double* values) {
              for (std::size_t k = 0; k < orders.size(); ++k) {
                for (std::size_t p = 0; p < at.count; ++p) {
                  values[k * at.count + p] = at.f[orders[k][0]][p] * at.g[orders[k][1]][p];
                }
              }
            });
        for (std::size_t k = 0; k < orders.size(); ++k) {
          CHECK(given.value[k] == test::within(plane.value[k], 3e-13 * plane.magnitude[k] + 1e-15));
        }
      }
    }
  }
}

TEST_CASE("averages over a short line are those of the pieces") {
  for (const char* name : {"relu(x-1)", "abs(x+0.3)", "min(max(x,-1),1)", "relu(x-1)^3+he3"}) {
    const activation f = parse_activation(name);
    const auto pieces = piecewise_polynomial::of(f);
    REQUIRE(pieces);
    for (const double kink : {1.0, -0.3, -1.0, 0.4}) {
      for (const double z : {-3.0, 0.0, 0.7, 12.0}) {
        for (const double deviation : {1e-8, 1e-11}) {
          CAPTURE(name, kink, z, deviation);
          const gaussian_line line{kink + z * deviation, deviation};
          const line_moments exact = pieces->moments(line, 4);
          const line_moments m = short_line_moments(f, line, 4);
          for (std::size_t k = 0; k < 5; ++k) {
            CHECK(m.value[k] == test::within(exact.value[k], 1e-13 * exact.magnitude[k] + 1e-14));
          }
        }
      }
    }
  }
}

// A kink of σ is carried across the same kink of g over a width of √gap, at an end of a panel.
TEST_CASE("slopes of pairs whose kinks meet beside zero have their limits at the edge") {
  for (const char* name : {"min(max(x,-1),1)", "relu(x-1)", "abs(x-0.5)", "relu(x-1)*tanh",
                           "abs(he2)", "relu(x+0.7)*erf+relu(x-2)", "abs(x-0.3)*sigmoid"}) {
    const activation a = parse_activation(name);
    const population_risk risk(a, a);
    const double size = risk.slope_size(1.0);
    for (const double M : {1.0, 1.0 + 1e-7, 1.0 - 1e-5}) {
      const risk_gradient edge = risk.gradient({M, M * M, 0.0});
      for (double gap = 1e-6; gap > 1e-26; gap *= 0.1) {
        CAPTURE(name, M, gap);
        const risk_gradient r = risk.gradient({M, M * M + gap, gap});
        // Both slopes turn by the kinks' density times √gap, and less where M holds them apart.
        const double turn = 3.0 * size * std::sqrt(gap) + 1e-14 * size;
        CHECK(r.M == test::within(edge.M, turn));
        CHECK(r.Q == test::within(edge.Q, turn));
        // At M = 1, w* is at a distance of √gap: the slope along w* is of second order in it.
        if (M == 1.0) {
          CHECK(r.M + 2.0 * M * r.Q == test::within(0.0, 3.0 * size * gap + 1e-14 * size));
        }
      }
    }
  }
}
