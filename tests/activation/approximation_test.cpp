// Functions known by their values: what stands for them, where they have kinks, what is refused.

#include <catch2/catch.hpp>
#include <cmath>
#include <loradyn/activation/approximation.hpp>
#include <loradyn/activation/parse.hpp>
#include <loradyn/error.hpp>
#include <random>
#include <string>

#include "support/within.hpp"

using namespace loradyn;

namespace {

template <class F>
sampler sampled(F f) {
  return [f](std::span<const double> x, std::span<double> out) {
    for (std::size_t i = 0; i < x.size(); ++i) {
      out[i] = f(x[i]);
    }
  };
}

approximation stand_in(const std::string& name, double tolerance = 4e-15) {
  const activation named = parse_activation(name);
  return approximate({.name = name, .value = sampled([named](double x) { return named(x); })},
                     tolerance);
}

}  // namespace

TEST_CASE("values alone make an activation with its derivatives") {
  // Bounds: the noise of values in rounding, times the growth of a derivative of degree 15 over a
  // panel of width 1/2.
  const std::array<double, 5> bounds{4e-15, 1e-13, 4e-12, 2e-10, 1e-7};
  for (const std::string name : {"tanh", "erf", "sigmoid", "softplus", "silu", "gelu", "sin", "he3",
                                 "x*exp(-x^2/4)", "exp(x/2)"}) {
    CAPTURE(name);
    const activation named = parse_activation(name);
    const approximation a = stand_in(name);
    CHECK(a.function.kinks().empty());
    CHECK(a.error < 1e-14);
    CHECK(a.reach >= 64.0);
    for (double x = -6.03; x < 6.0; x += 0.0937) {
      CAPTURE(x);
      const derivatives got = a.function.all(x);
      const derivatives want = named.all(x);
      for (std::size_t k = 0; k < bounds.size(); ++k) {
        CAPTURE(k);
        const double size =
            std::max({1.0, std::abs(named(2.0 * x)), std::abs(named(-2.0 * x)), std::abs(want[k])});
        CHECK(got[k] == test::within(want[k], bounds[k] * size));
      }
    }
  }
}

TEST_CASE("kinks are found where they are") {
  struct known {
    std::string name;
    std::vector<double> kinks;
  };
  for (const known& k : std::vector<known>{{"relu", {0.0}},
                                           {"relu(x-0.3)+relu(-x-2)", {-2.0, 0.3}},
                                           {"abs(x-1.234567890123)", {1.234567890123}},
                                           {"relu^2", {0.0}},
                                           {"relu(x+0.7)^3", {-0.7}},
                                           {"max(min(x,1),-1)", {-1.0, 1.0}},
                                           {"step(x-0.125)*tanh", {0.125}},
                                           {"tanh(x)*relu(x-5)", {5.0}},
                                           {"max(x,0)+exp(min(x,0))-1", {0.0}}}) {
    CAPTURE(k.name);
    const approximation a = stand_in(k.name);
    REQUIRE(a.function.kinks().size() == k.kinks.size());
    for (std::size_t i = 0; i < k.kinks.size(); ++i) {
      CHECK(a.function.kinks()[i].location == test::within(k.kinks[i], 1e-13));
    }
    const activation named = parse_activation(k.name);
    for (double x = -6.03; x < 6.0; x += 0.0937) {
      CHECK(a.function(x) == test::within(named(x), 1e-13 * (1.0 + std::abs(named(x)))));
    }
  }
}

TEST_CASE("sums of polynomials, erf and ReLU are recognised") {
  for (const std::string name : {"he3", "he3+0.5*he5", "erf", "relu", "relu-0.1*relu(-x)",
                                 "he2+erf", "0.3*x-2", "abs(x)", "he8"}) {
    CAPTURE(name);
    const approximation a = stand_in(name);
    const activation named = parse_activation(name);
    REQUIRE_FALSE(a.function.parts().has_rest);
    CHECK(std::isinf(a.reach));
    for (std::size_t n = 0; n < 9; ++n) {
      const double want = named.hermite_coefficient(n, 1.0);
      CHECK(a.function.hermite_coefficient(n, 1.0) ==
            test::within(want, 1e-14 * (1.0 + std::abs(want))));
    }
  }
  // What named He_3 has none of, it has none of.
  CHECK(stand_in("he3").function.hermite_coefficient(1, 1.0) == 0.0);
  for (const std::string name : {"tanh", "relu(x-0.3)", "he3+1e-9*sin", "erf(2*x)", "relu^2"}) {
    CHECK(stand_in(name).function.parts().has_rest);
  }
}

TEST_CASE("a kink at 0 is at 0, with its jump") {
  const approximation a = stand_in("max(x,0.1*tanh(x))");
  REQUIRE(a.function.kinked_at_zero_alone());
  CHECK(a.function.kinks()[0].jumps[1] == test::within(0.9, 1e-12));
}

TEST_CASE("a short scale is no kink") {
  const approximation a = stand_in("tanh(200*x)");
  CHECK(a.function.kinks().empty());
  CHECK(a.function(0.001) == test::within(std::tanh(0.2), 1e-14));
}

TEST_CASE("derivatives that are given are used") {
  const auto f = sampled([](double x) { return std::tanh(x); });
  const auto d = sampled([](double x) { return 1.0 / (std::cosh(x) * std::cosh(x)); });
  const approximation a = approximate({.name = "f", .value = f, .first = d});
  for (double x = -3.0; x < 3.0; x += 0.1) {
    CHECK(a.function.first(x) == test::within(1.0 / (std::cosh(x) * std::cosh(x)), 4e-15));
  }
}

TEST_CASE("kinks are found by derivatives that are given") {
  const auto elu = [](std::size_t order) {
    return sampled([order](double x) {
      return x <= 0.0 ? (order == 0 ? std::expm1(x) : std::exp(x))
                      : (order == 0 ? x : (order == 1 ? 1.0 : 0.0));
    });
  };
  const approximation a =
      approximate({.name = "elu", .value = elu(0), .first = elu(1), .second = elu(2)});
  REQUIRE(a.function.kinks().size() == 1);
  CHECK(a.function.kinks()[0].location == 0.0);
  CHECK(a.function.kinks()[0].jumps[2] == test::within(-1.0, 1e-13));
}

TEST_CASE("beyond its reach it is not a number") {
  const approximation a = stand_in("exp(x)");
  CHECK(a.reach >= 64.0);
  CHECK(a.reach < 1024.0);
  CHECK(std::isnan(a.function(2.0 * a.reach)));
  const approximation wide = stand_in("tanh");
  CHECK(wide.function(1e9) == test::within(1.0, 4e-16));
}

TEST_CASE("what is not resolved is refused, with the place") {
  CHECK_THROWS_WITH(approximate({.name = "noise", .value = sampled([](double x) {
                                                    return x + 1e-6 * std::sin(1e7 * x * x);
                                                  })}),
                    Catch::Contains("'noise' is not resolved near x = "));
  CHECK_THROWS_AS(approximate({.name = "pole", .value = sampled([](double x) { return 1.0 / x; })}),
                  convergence_error);
  CHECK_THROWS_AS(approximate({.name = "named",
                               .value = sampled([](double x) { return std::abs(x - 0.3); }),
                               .kinks = std::vector<double>{0.0}}),
                  convergence_error);
  CHECK_THROWS_AS(approximate({.name = "nothing", .value = {}}), argument_error);
}

TEST_CASE("what is known to fewer digits takes a tolerance") {
  const auto coarse =
      sampled([](double x) { return static_cast<double>(static_cast<float>(std::tanh(x))); });
  CHECK_THROWS_AS(approximate({.name = "coarse", .value = coarse}), convergence_error);
}
