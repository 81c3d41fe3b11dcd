#include <array>
#include <catch2/catch.hpp>
#include <cmath>
#include <initializer_list>
#include <limits>
#include <loradyn/activation/activation.hpp>
#include <loradyn/activation/from_callable.hpp>
#include <loradyn/activation/parse.hpp>
#include <loradyn/error.hpp>
#include <span>
#include <string>
#include <support/reference.hpp>
#include <vector>

#include "support/within.hpp"

using namespace loradyn;

namespace {

const std::vector<std::string> names{"linear", "relu", "erf", "sigmoid", "tanh", "softplus",
                                     "gelu",   "silu", "sin", "cos",     "abs",  "he2",
                                     "he3",    "he9",  "exp", "step"};

const std::vector<std::string> smooth{
    "linear", "erf", "sigmoid", "tanh",     "softplus", "gelu",      "silu",           "sin",
    "cos",    "he7", "erf^2",   "tanh*erf", "he3*tanh", "sin^3*cos", "softplus^2-gelu"};

}  // namespace

// Whether each derivative of f is the derivative of the one before.
void check_derivatives(const activation& f, std::initializer_list<double> points) {
  for (const double x : points) {
    CAPTURE(f.name(), x);
    // A central difference of eighth order.
    const double h = 4e-3;
    const auto at = [&](int i) { return f.all(x + i * h); };
    const derivatives d = f.all(x);
    double size = 0.0;
    for (const double v : d) {
      size = std::max(size, std::abs(v));
    }
    for (std::size_t k = 0; k < 4; ++k) {
      const double difference = (672 * (at(1)[k] - at(-1)[k]) - 168 * (at(2)[k] - at(-2)[k]) +
                                 32 * (at(3)[k] - at(-3)[k]) - 3 * (at(4)[k] - at(-4)[k])) /
                                (840 * h);
      CHECK(std::abs(d[k + 1] - difference) <= 1e-9 * size);
    }
    CHECK(f(x) == Approx(d[0]).epsilon(1e-14).margin(1e-300));
    CHECK(f.first(x) == Approx(d[1]).epsilon(1e-13).margin(1e-300));
    CHECK(f.second(x) == Approx(d[2]).epsilon(1e-13).margin(1e-300));
  }
}

TEST_CASE("each derivative is the derivative of the one before") {
  for (const std::string& a : names) {
    check_derivatives(parse_activation(a), {-4.1, -0.8, 0.35, 1.9});
    check_derivatives(parse_activation(a + "(0.7*x-0.2)"), {-4.1, -0.8, 0.35, 1.9});
    check_derivatives(parse_activation(a + "(-2*x+1)"), {-1.9, 0.3, 0.7, 1.9});
    check_derivatives(parse_activation(a + "/(1+x^2)"), {-4.1, -0.8, 0.35, 1.9});
    for (const std::string& b : names) {
      check_derivatives(parse_activation(a + "*" + b), {-2.1, -0.8, 0.35, 1.9});
      // Not where it outgrows a Gaussian, or its derivatives rise by powers of ten over a step.
      const bool steep = b == "exp" || b == "he9" || (a == "exp" && b.starts_with("he"));
      if (!steep && a != "he9") {
        check_derivatives(parse_activation(a + "(0.3*" + b + "+0.1)"), {-1.1, 0.35, 1.6});
      }
    }
  }
  for (const std::string& a : smooth) {
    check_derivatives(parse_activation(a), {-4.1, -0.8, 0.35, 1.9});
  }
  for (const char* text :
       {"relu^3*cos", "log(1+exp(x))", "sqrt(1+x^2)", "exp(-x^2/2)", "x/(1+exp(-1.7*x))",
        "max(x,0.1*x)", "max(x,0)+min(exp(x)-1,0)", "min(max(x,-1),1)", "sqrt(x^2)",
        "log(2+sin(3*x))", "tanh(softplus(x))*x", "he4(tanh)", "(2+cos(x))^7", "1/(1+x^2)^3",
        "he12/1e5"}) {
    check_derivatives(parse_activation(text), {-4.1, -0.8, 0.35, 1.9});
  }
}

TEST_CASE("tabulated derivatives are those of single points") {
  for (const char* text : {"tanh", "erf+relu", "max(x,0.1*x)*cos", "he3"}) {
    const activation f = parse_activation(text);
    const std::vector<double> x{-2.0, -0.5, 0.0, 0.25, 3.0};
    std::array<std::vector<double>, 5> table;
    std::array<std::span<double>, 5> out;
    for (std::size_t k = 0; k < 5; ++k) {
      table[k].resize(x.size());
      out[k] = table[k];
    }
    f.tabulate_all(x, out);
    for (std::size_t i = 0; i < x.size(); ++i) {
      const derivatives d = f.all(x[i]);
      for (std::size_t k = 0; k < 5; ++k) {
        CHECK(table[k][i] == d[k]);
      }
    }
  }
}

TEST_CASE("an overflow on the way leaves finite functions finite") {
  struct pair {
    const char* written;
    const char* name;
  };
  for (const auto& [written, name] :
       {pair{"x/(1+exp(-x))", "silu"}, pair{"1/(1+exp(-x))", "sigmoid"},
        pair{"log(1+exp(x))", "softplus"}, pair{"exp(x)/(1+exp(x))", "sigmoid"},
        pair{"(exp(x)-exp(-x))/(exp(x)+exp(-x))", "tanh"}, pair{"1-2/(exp(2*x)+1)", "tanh"},
        pair{"log(sqrt((1+exp(x))^2))", "softplus"}, pair{"-log(sigmoid(-x))", "softplus"},
        pair{"exp(-log(1+exp(-x)))", "sigmoid"}}) {
    const activation a = parse_activation(written);
    const activation b = parse_activation(name);
    for (const double x : {-1e4, -3000.0, -745.0, -40.0, -3.0, -0.2, 0.0, 1.0, 5.0, 36.0, 709.0,
                           711.0, 2500.0, 1e4}) {
      CAPTURE(written, x);
      const derivatives d = a.all(x);
      const derivatives e = b.all(x);
      for (std::size_t k = 0; k < 5; ++k) {
        CHECK(d[k] == Approx(e[k]).epsilon(1e-13).margin(1e-14));
      }
    }
  }
  // Not by cancellation either.
  CHECK(parse_activation("1/(1+exp(x))").first(500.0) == Approx(-std::exp(-500.0)).epsilon(1e-12));
  CHECK(parse_activation("exp(1000*x)/(exp(1000*x)+1)")(-0.3) ==
        Approx(std::exp(-300.0)).epsilon(1e-12));
  for (const double x : {-1e4, 1e4}) {
    CHECK(parse_activation("exp(-x^4)*x")(x) == 0.0);
    CHECK(parse_activation("tanh(x^40)").all(x)[4] == 0.0);
    CHECK(parse_activation("x^40")(x) == Approx(1e160).epsilon(1e-14));
  }
  // Nor does a quotient of two that overflow depend on the derivatives that are asked for, be their
  // exponents beyond all shifts.
  const activation vanishing = parse_activation("exp(x^2)/(1+exp(x^12))");
  const activation half = parse_activation("exp(x^2)/2/exp(x^2)");
  for (const double x : {1e3, -1e4, 1e6, -1e8, 1e12}) {
    CAPTURE(x);
    CHECK(vanishing(x) == 0.0);
    CHECK(vanishing.all(x) == derivatives{});
    CHECK(half(x) == 0.5);
    CHECK(half.all(x) == derivatives{0.5});
  }
  CHECK(parse_activation("1/(1+exp(exp(exp(exp(x)))))")(3.0) == 0.0);
}

TEST_CASE("activations keep their digits far from the origin") {
  CHECK(parse_activation("sigmoid")(-700.0) == Approx(std::exp(-700.0)).epsilon(1e-14));
  CHECK(parse_activation("softplus")(-700.0) == Approx(std::exp(-700.0)).epsilon(1e-14));
  CHECK(parse_activation("softplus")(700.0) == 700.0);
  CHECK(parse_activation("tanh").first(300.0) == Approx(4 * std::exp(-600.0)).epsilon(1e-14));
  CHECK(parse_activation("gelu")(-30.0) == Approx(-30 * 0.5 * std::erfc(30 / std::sqrt(2.0))));
  CHECK(std::isfinite(parse_activation("silu")(-1e308)));
}

TEST_CASE("Hermite coefficients match the high-precision values") {
  // On the natural scale of a coefficient, 1/(√n! q^{n/2}) times the function's size, which is at
  // most about 2 here except for he7, whose coefficients are exact.
  for (const auto& row : test::reference("coefficients.json")) {
    const std::string name = row["f"];
    const auto n = row["n"].get<std::size_t>();
    const double q = test::number(row["q"]);
    CAPTURE(name, n, q);
    const double scale = std::max(std::abs(test::number(row["a"])),
                                  2.0 / (std::sqrt(std::tgamma(static_cast<double>(n) + 1)) *
                                         std::pow(q, 0.5 * static_cast<double>(n))));
    CHECK(std::abs(parse_activation(name).hermite_coefficient(n, q) - test::number(row["a"])) <=
          2e-14 * scale);
  }
}

TEST_CASE("Hermite coefficients obey the heat equation and their limits") {
  // (3.1): a_n'(q) = ½ (n+2)(n+1) a_{n+2}(q)
  for (const std::string& name : smooth) {
    const activation f = parse_activation(name);
    for (const std::size_t n : {0U, 1U, 4U}) {
      CAPTURE(name, n);
      const double q = 0.6;
      const double h = 1e-2;
      const auto a = [&](int i) { return f.hermite_coefficient(n, q + i * h); };
      const double slope = (45 * (a(1) - a(-1)) - 9 * (a(2) - a(-2)) + (a(3) - a(-3))) / (60 * h);
      const double expected =
          0.5 * static_cast<double>((n + 2) * (n + 1)) * f.hermite_coefficient(n + 2, q);
      CHECK(slope == Approx(expected).epsilon(1e-7).margin(1e-8));
    }
    // At q = 0 they are Taylor's.
    CHECK(f.hermite_coefficient(2, 0.0) == test::within(f.second(0.0) / 2, 1e-14));
  }
  CHECK_THROWS_AS(parse_activation("erf").hermite_coefficient(1, -0.1), argument_error);
  CHECK_THROWS_AS(parse_activation("erf").hermite_coefficient(501, 1.0), argument_error);
}

TEST_CASE("a user's function without derivatives gets them by differences") {
  const activation own(
      user_function{.name = "own", .value = [](double x) { return std::tanh(x); }});
  const activation built_in = parse_activation("tanh");
  double worst_first = 0.0;
  double worst_second = 0.0;
  for (double x = -5.0; x <= 5.0; x += 0.01) {
    worst_first = std::max(worst_first, std::abs(own.first(x) - built_in.first(x)));
    worst_second = std::max(worst_second, std::abs(own.second(x) - built_in.second(x)));
  }
  CHECK(worst_first < 4e-14);
  CHECK(worst_second < 6e-12);
}

TEST_CASE("a generic callable is differentiated automatically") {
  const activation own = activation_from_callable([](auto x) { return x * tanh(x); }, "x tanh x");
  const activation built_in = parse_activation("linear*tanh");
  for (const double x : {-2.0, -0.3, 0.4, 3.0}) {
    CHECK(own(x) == Approx(built_in(x)).epsilon(1e-14));
    CHECK(own.first(x) == Approx(built_in.first(x)).epsilon(1e-13));
    CHECK(own.second(x) == Approx(built_in.second(x)).epsilon(1e-12));
  }
}

TEST_CASE("kinks of a user's function get their slope jumps") {
  const auto hard_tanh = [](double x) { return std::clamp(x, -1.0, 1.0); };
  for (const bool with_derivative : {false, true}) {
    user_function f;
    f.name = "hard tanh";
    f.value = hard_tanh;
    if (with_derivative) {
      f.first = [](double x) { return x > -1.0 && x < 1.0 ? 1.0 : 0.0; };
    }
    f.kinks = {1.0, -1.0};
    const activation a(f);
    REQUIRE(a.kinks().size() == 2);
    CHECK(a.kinks()[0].location == -1.0);
    CHECK(a.kinks()[0].jumps[1] == Approx(1.0).epsilon(1e-11));
    CHECK(a.kinks()[1].jumps[1] == Approx(-1.0).epsilon(1e-11));
    CHECK(std::abs(a.second(0.999)) < 1e-6);
  }
}

TEST_CASE("a kink that is not named is noticed") {
  user_function f;
  f.value = [](double x) { return std::abs(x - 0.3); };
  CHECK_THROWS_AS(activation(f), convergence_error);
  f.kinks = {0.3};
  CHECK_NOTHROW(activation(f));
}

TEST_CASE("bad user functions are refused") {
  user_function f;
  CHECK_THROWS_AS(activation(f), argument_error);
  f.value = [](double x) { return x; };
  f.kinks = {0.0, 0.0};
  CHECK_THROWS_AS(activation(f), argument_error);
  f.kinks = {std::numeric_limits<double>::infinity()};
  CHECK_THROWS_AS(activation(f), argument_error);
  f.kinks = {};
  f.first = [](double) { return 2.0; };
  CHECK_THROWS_AS(activation(f), convergence_error);  // not the derivative of x
}

TEST_CASE("the higher derivatives of a user's function are those given, or differences") {
  const activation built_in = parse_activation("tanh");
  user_function f;
  f.value = [](double x) { return std::tanh(x); };
  const activation by_value(f);
  f.second = [&](double x) { return built_in.second(x); };
  const activation by_second(f);
  const activation automatic = activation_from_callable([](auto x) { return tanh(x); });
  const auto worst = [&](const activation& a, std::size_t k) {
    double error = 0.0;
    for (double x = -5.0; x <= 5.0; x += 0.01) {
      error = std::max(error, std::abs(a.all(x)[k] - built_in.all(x)[k]));
    }
    return error;
  };
  CHECK(worst(by_value, 3) < 4e-10);
  CHECK(worst(by_value, 4) < 2e-8);
  CHECK(worst(by_second, 3) < 3e-13);
  CHECK(worst(by_second, 4) < 3e-11);
  CHECK(worst(automatic, 3) < 1e-14);
  CHECK(worst(automatic, 4) < 1e-13);
}

TEST_CASE("a user's function may jump, and its higher derivatives too") {
  user_function f;
  f.value = [](double x) { return x <= 0.5 ? std::sin(x) : std::cos(x); };
  f.kinks = {0.5};
  const activation a(f);
  CHECK_FALSE(a.continuous());
  const double s = std::sin(0.5);
  const double c = std::cos(0.5);
  REQUIRE(a.kinks().size() == 1);
  CHECK(a.kinks()[0].jumps[0] == Approx(c - s).epsilon(1e-14));
  CHECK(a.kinks()[0].jumps[1] == Approx(-s - c).epsilon(1e-9));
  CHECK(a.kinks()[0].jumps[2] == Approx(s - c).epsilon(1e-7));
  CHECK(a.kinks()[0].jumps[3] == Approx(s + c).epsilon(1e-5));
  CHECK(a(0.5) == std::sin(0.5));
  CHECK(a.first(0.5) == Approx(c).epsilon(1e-10));
}
