#include <catch2/catch.hpp>
#include <cmath>
#include <loradyn/activation/parse.hpp>
#include <loradyn/error.hpp>
#include <loradyn/gaussian/gauss_hermite.hpp>
#include <loradyn/model/transformed_labels.hpp>
#include <string>

#include "support/within.hpp"

using namespace loradyn;

namespace {

polynomial transform_named(const char* text) { return *parse_activation(text).as_polynomial(); }

}  // namespace

// (10.3) for T = y²
TEST_CASE("squared labels are the square plus Δ, with noise of variance 4Δg² + 2Δ²") {
  const double noise = 0.3;
  const activation g = parse_activation("erf");
  const transformed_labels labels = transform_labels(g, transform_named("linear^2"), noise);
  REQUIRE(labels.excess);
  const double power = parse_activation("erf^2").hermite_coefficient(0, 1.0);
  CHECK(labels.label_noise == Approx(4 * noise * power + 2 * noise * noise).epsilon(1e-12));
  for (const double z : {-1.3, 0.0, 0.4, 2.2}) {
    CHECK(labels.target(z) == Approx(g(z) * g(z) + noise).epsilon(1e-14));
    CHECK((*labels.excess)(z) == test::within(4 * noise * (g(z) * g(z) - power), 1e-14));
  }
}

// (10.3), and ḡ and v of (10.2)
TEST_CASE("mean and variance of a transformed label are those over its noise") {
  const gauss_hermite_rule rule(40);
  for (const char* teacher : {"erf", "he2", "relu-0.3*linear", "linear"}) {
    for (const char* transform : {"linear^2", "0.5*linear-2", "he3-0.2*linear^2+1", "linear^4"}) {
      for (const double noise : {0.0, 0.4}) {
        CAPTURE(teacher, transform, noise);
        const activation g = parse_activation(teacher);
        const polynomial t = transform_named(transform);
        const transformed_labels labels = transform_labels(g, t, noise);
        for (const double z : {-1.1, 0.3, 1.7}) {
          double mean = 0.0;
          double square = 0.0;
          for (std::size_t i = 0; i < rule.nodes.size(); ++i) {
            const double y = t(g(z) + std::sqrt(noise) * rule.nodes[i]);
            mean += rule.weights[i] * y;
            square += rule.weights[i] * y * y;
          }
          CHECK(labels.target(z) == Approx(mean).epsilon(1e-11).margin(1e-11));
          const double variance = labels.label_noise + (labels.excess ? (*labels.excess)(z) : 0.0);
          CHECK(variance == test::within(square - mean * mean, 1e-9 * (1.0 + square)));
        }
        if (labels.excess) {
          CHECK(labels.excess->hermite_coefficient(0, 1.0) ==
                test::within(0.0, 1e-12 * labels.label_noise));
        }
        CHECK((noise > 0.0) == (labels.label_noise > 0.0));
      }
    }
  }
}

TEST_CASE("a line through the label scales its noise, and nothing else") {
  const transformed_labels labels =
      transform_labels(parse_activation("relu"), transform_named("3*linear-1"), 0.2);
  CHECK_FALSE(labels.excess);
  CHECK(labels.label_noise == Approx(9 * 0.2));
  CHECK(labels.target(2.0) == Approx(5.0));
}

TEST_CASE("labels that can't be transformed are refused") {
  const polynomial square = transform_named("linear^2");
  CHECK_THROWS_AS(transform_labels(parse_activation("erf"), square, -1.0), argument_error);
  user_function own;
  own.name = "my own";
  own.value = [](double x) { return x / (1.0 + x * x); };
  CHECK_THROWS_AS(transform_labels(activation(own), square, 0.1), argument_error);
}
