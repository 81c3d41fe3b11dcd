#include <Eigen/Eigenvalues>
#include <algorithm>
#include <catch2/catch.hpp>
#include <cmath>
#include <limits>
#include <loradyn/activation/approximation.hpp>
#include <loradyn/activation/parse.hpp>
#include <loradyn/error.hpp>
#include <loradyn/kernel/pair_kernel.hpp>
#include <string>
#include <support/difference.hpp>
#include <support/reference.hpp>
#include <utility>
#include <vector>

#include "support/nameless.hpp"
#include "support/within.hpp"

using namespace loradyn;

namespace {

pair_kernel kernel(const std::string& f, const std::string& g) {
  return {parse_activation(f), parse_activation(g)};
}

const std::vector<std::pair<std::string, std::string>> every_method{
    {"he4", "he2+he4"},  {"erf", "erf"},       {"relu", "relu"},         {"erf", "relu"},
    {"relu", "erf"},     {"he3", "erf"},       {"relu", "he2"},          {"erf+he1", "relu-he2"},
    {"tanh", "sigmoid"}, {"silu", "he3"},      {"relu", "tanh"},         {"gelu", "relu"},
    {"sin", "cos+erf"},  {"relu^2", "relu^2"}, {"relu*tanh", "relu*cos"}};

}  // namespace

TEST_CASE("kernels and their derivatives match the high-precision values") {
  // (3.2) for pairs of erf and ReLU, (3.1) for those of a smooth side, (3.3) for two kinked ones
  // at a correlation of 0.98.
  for (const auto& row : test::reference("kernels.json")) {
    const std::string f = row["f"];
    const std::string g = row["g"];
    const pair_covariance v = pair_covariance::of(test::number(row["q1"]), test::number(row["q2"]),
                                                  test::number(row["c"]));
    CAPTURE(f, g, v.q1, v.q2, v.c);
    const pair_kernel k = kernel(f, g);
    const kernel_gradient first = k.gradient(v);
    const auto check = [&row](const char* name, double value, double tolerance) {
      CAPTURE(name);
      if (row[name].is_null()) {
        return;
      }
      const double expected = test::number(row[name]);
      // On the scale of the moment, never smaller than 1 for these activations but for he3 and he4,
      // whose scale is the value's own.
      CHECK(std::abs(value - expected) <= tolerance * std::max(1.0, std::abs(expected)));
    };
    check("K", k.value(v), 1e-13);
    check("K_q1", first.q1, 1e-12);
    check("K_q2", first.q2, 1e-12);
    check("K_c", first.c, 1e-12);
    if (row["K_cc"].is_null()) {
      continue;
    }
    const kernel_hessian second = k.hessian(v);
    check("K_q1q1", second.q1q1, 1e-9);
    check("K_q1q2", second.q1q2, 1e-9);
    check("K_q1c", second.q1c, 1e-9);
    check("K_q2q2", second.q2q2, 1e-9);
    check("K_q2c", second.q2c, 1e-9);
    check("K_cc", second.cc, 1e-9);
  }
}

// (2.2)
TEST_CASE("derivatives are those of the value, by differences") {
  for (const auto& [f, g] : every_method) {
    const pair_kernel k = kernel(f, g);
    const double q1 = 0.7;
    const double q2 = 1.2;
    const double c = 0.45;
    CAPTURE(f, g);
    const double h = 4e-3;
    const auto difference = [&](auto at) {
      return (45 * (at(h) - at(-h)) - 9 * (at(2 * h) - at(-2 * h)) + (at(3 * h) - at(-3 * h))) /
             (60 * h);
    };
    const auto near = [](double expected) { return Approx(expected).epsilon(1e-8).margin(1e-8); };
    const kernel_gradient first = k.gradient(pair_covariance::of(q1, q2, c));
    CHECK(first.q1 ==
          near(difference([&](double t) { return k.value(pair_covariance::of(q1 + t, q2, c)); })));
    CHECK(first.q2 ==
          near(difference([&](double t) { return k.value(pair_covariance::of(q1, q2 + t, c)); })));
    CHECK(first.c ==
          near(difference([&](double t) { return k.value(pair_covariance::of(q1, q2, c + t)); })));
    const kernel_hessian second = k.hessian(pair_covariance::of(q1, q2, c));
    const auto by_q1 = [&](double kernel_gradient::*part) {
      return difference(
          [&](double t) { return k.gradient(pair_covariance::of(q1 + t, q2, c)).*part; });
    };
    const auto by_q2 = [&](double kernel_gradient::*part) {
      return difference(
          [&](double t) { return k.gradient(pair_covariance::of(q1, q2 + t, c)).*part; });
    };
    CHECK(second.q1q1 == near(by_q1(&kernel_gradient::q1)));
    CHECK(second.q1q2 == near(by_q1(&kernel_gradient::q2)));
    CHECK(second.q1c == near(by_q1(&kernel_gradient::c)));
    CHECK(second.q2q2 == near(by_q2(&kernel_gradient::q2)));
    CHECK(second.q2c == near(by_q2(&kernel_gradient::c)));
    CHECK(second.cc == near(difference([&](double t) {
            return k.gradient(pair_covariance::of(q1, q2, c + t)).c;
          })));
  }
}

TEST_CASE("exchanging the activations exchanges the variances") {
  for (const auto& [f, g] : every_method) {
    CAPTURE(f, g);
    const pair_covariance v = pair_covariance::of(0.5, 1.4, -0.3);
    const pair_covariance w = pair_covariance::of(1.4, 0.5, -0.3);
    const kernel_gradient a = kernel(f, g).gradient(v);
    const kernel_gradient b = kernel(g, f).gradient(w);
    CHECK(a.q1 == Approx(b.q2).epsilon(1e-12).margin(1e-12));
    CHECK(a.q2 == Approx(b.q1).epsilon(1e-12).margin(1e-12));
    CHECK(a.c == Approx(b.c).epsilon(1e-12).margin(1e-12));
  }
}

TEST_CASE("every method meets the one-dimensional integral at the degenerate edge") {
  // K and its first derivatives are continuous up to c² = q1 q2; the gap is given, so that nothing
  // is lost to its rounding. K_c approaches like √gap where both sides have kinks.
  for (const auto& [f, g] : every_method) {
    CAPTURE(f, g);
    const pair_kernel k = kernel(f, g);
    for (const double sign : {1.0, -1.0}) {
      CAPTURE(sign);
      const double gap = 1e-16;
      const pair_covariance edge{0.25, 1.0, sign * 0.5, 0.0};
      const pair_covariance beside{0.25, 1.0, sign * 0.5, gap};
      CHECK(k.value(beside) == Approx(k.value(edge)).epsilon(1e-11).margin(1e-11));
      CHECK(k.gradient(beside).c == test::within(k.gradient(edge).c, 2e-8));
      CHECK(k.gradient(beside).q1 == test::within(k.gradient(edge).q1, 2e-8));
    }
  }
}

TEST_CASE("a variable of no variance is a constant") {
  for (const char* f : {"tanh", "he3+he2", "gelu", "erf"}) {
    const activation a = parse_activation(f);
    const activation b = parse_activation("sigmoid");
    const pair_kernel k(a, b);
    const pair_covariance v = pair_covariance::of(0.0, 1.0, 0.0);
    CAPTURE(f);
    CHECK(k.value(v) == test::within(a(0.0) * b.hermite_coefficient(0, 1.0), 1e-15));
    CHECK(k.gradient(v).c == test::within(a.first(0.0) * b.hermite_coefficient(1, 1.0), 1e-15));
    CHECK(k.gradient(v).q1 ==
          test::within(0.5 * a.second(0.0) * b.hermite_coefficient(0, 1.0), 1e-15));
  }
}

TEST_CASE("a kinked variable of no variance has a value, if no slope") {
  for (const char* f : {"relu", "relu+he2", "relu-0.5*linear", "abs(x)", "relu*tanh"}) {
    for (const char* g : {"he3", "relu+1", "erf", "sin+1", "he2+relu"}) {
      CAPTURE(f, g);
      const activation a = parse_activation(f);
      const activation b = parse_activation(g);
      CHECK(pair_kernel(a, b).value({0.0, 1.0, 0.0, 0.0}) ==
            test::within(a(0.0) * b.hermite_coefficient(0, 1.0), 1e-15));
    }
  }
}

TEST_CASE("the Gram matrix of a kernel is positive") {
  // Three correlated variables of different variances: [K(q_i, q_j, c_ij)] is a covariance matrix.
  const double q[3] = {0.4, 1.0, 1.7};
  const double r[3][3] = {{1, .8, -.5}, {.8, 1, .05}, {-.5, .05, 1}};
  for (const char* f : {"erf", "relu", "tanh", "he5", "relu^2", "gelu"}) {
    CAPTURE(f);
    const pair_kernel k = kernel(f, f);
    Eigen::Matrix3d gram;
    for (int i = 0; i < 3; ++i) {
      for (int j = 0; j < 3; ++j) {
        gram(i, j) =
            i == j ? k.value(pair_covariance::diagonal(q[i]))
                   : k.value(pair_covariance::of(q[i], q[j], r[i][j] * std::sqrt(q[i] * q[j])));
      }
    }
    CHECK((gram - gram.transpose()).cwiseAbs().maxCoeff() <= 1e-12 * gram.trace());
    const double least = Eigen::SelfAdjointEigenSolver<Eigen::Matrix3d>(gram).eigenvalues()[0];
    CHECK(least > 0.0);
  }
}

TEST_CASE("a user's function with kinks away from 0 is integrated like a built-in one") {
  // relu(x - t) as a user's function against Gaussian integrals known in closed form:
  // E[(X-t)+ (X-t)+] = (q + t²) Φ(-t/√q) - t √q φ(t/√q), and K_c = P(X > t, Y > t) at c = 0.
  const double t = 0.8;
  user_function f;
  f.value = [t](double x) { return std::max(x - t, 0.0); };
  f.first = [t](double x) { return x > t ? 1.0 : 0.0; };
  f.second = [](double) { return 0.0; };
  f.kinks = {t};
  const activation shifted(f);
  const pair_kernel k(shifted, shifted);
  const double q = 1.3;
  const auto tail = [](double z) { return 0.5 * std::erfc(z / std::sqrt(2.0)); };
  const double density = std::exp(-0.5 * t * t / q) / std::sqrt(2 * M_PI * q);
  const double power = (q + t * t) * tail(t / std::sqrt(q)) - t * q * density;
  CHECK(k.value(pair_covariance::diagonal(q)) == Approx(power).epsilon(1e-13));
  CHECK(k.gradient(pair_covariance::diagonal(q)).c ==
        Approx(tail(t / std::sqrt(q))).epsilon(1e-13));
  const pair_covariance apart = pair_covariance::of(q, q, 0.0);
  CHECK(k.gradient(apart).c == Approx(std::pow(tail(t / std::sqrt(q)), 2)).epsilon(1e-12));
  // K_cc is the joint density at (t, t), at any correlation.
  const double c = 0.9;
  const double joint = std::exp(-t * t / (q + c)) / (2 * M_PI * std::sqrt(q * q - c * c));
  CHECK(k.hessian(pair_covariance::of(q, q, c)).cc == Approx(joint).epsilon(1e-11));
  // Against a smooth partner, by the Hermite series: E[δ(X-t) tanh(Y)] / 2 at c² = q1 q2.
  const pair_kernel mixed(shifted, parse_activation("tanh"));
  CHECK(mixed.gradient(pair_covariance::diagonal(q)).q1 ==
        Approx(0.5 * density * std::tanh(t)).epsilon(1e-12));
  CHECK(mixed.gradient({q, q, q, 1e-14}).q1 == Approx(0.5 * density * std::tanh(t)).epsilon(1e-10));
}

TEST_CASE("saturating activations are integrated up to variances of a million") {
  // At variance q tanh differs from the sign by a layer of width 1/√q: with E[sign(X) g(Y)] the
  // rest is of relative order 1/q. E[sign(X) sign(Y)] = (2/π) asin ρ, E[sign(X) Y] = ρ √(2/π) at
  // unit variance of Y, and E[sign(X)' …] shows in ∂/∂c: E[tanh'(X)] -> 2 φ(0)/√q.
  for (const char* f : {"tanh", "erf", "2*sigmoid-1"}) {
    for (const double q : {1e2, 1e4, 1e6}) {
      for (const double rho : {-0.95, 0.3, 0.9999, 1.0}) {
        CAPTURE(f, q, rho);
        const double c = rho * std::sqrt(q);
        const pair_covariance v{q, 1.0, c, q * (1.0 - rho) * (1.0 + rho)};
        const pair_kernel k = kernel(f, "linear");
        CHECK(k.value(v) == Approx(rho * std::sqrt(2 / M_PI)).epsilon(5.0 / q));
        CHECK(k.gradient(v).c == Approx(std::sqrt(2 / M_PI / q)).epsilon(5.0 / q));
        const pair_kernel kinked = kernel(f, "relu");
        // E[sign(X) relu(Y)] = ρ/√(2π): only the odd half of ReLU meets an odd function.
        CHECK(kinked.value(v) == Approx(rho / std::sqrt(2 * M_PI)).epsilon(5.0 / q));
      }
    }
  }
}

TEST_CASE("every product of two names has the derivatives of its value") {
  const std::vector<std::string> names{"linear", "relu", "erf", "sigmoid", "tanh", "softplus",
                                       "gelu",   "silu", "sin", "cos",     "he2",  "he3"};
  // Each product against a smooth and a kinked partner; a gap at which both coordinates matter.
  const double M = 0.55;
  const double gap = 0.2;
  std::size_t which = 0;
  for (std::size_t i = 0; i < names.size(); ++i) {
    for (std::size_t j = i; j < names.size(); ++j) {
      const std::string f = names[i] + "*" + names[j];
      const std::string g = ++which % 2 == 0 ? "relu*" + names[j] : names[i];
      CAPTURE(f, g);
      const pair_kernel k = kernel(f, g);
      const auto at = [&](double dM, double dgap) {
        const double m = M + dM;
        return pair_covariance{m * m + gap + dgap, 1.0, m, gap + dgap};
      };
      const kernel_gradient first = k.gradient(at(0, 0));
      const kernel_hessian second = k.hessian(at(0, 0));
      const double size = std::sqrt(kernel(f, f).value(pair_covariance::diagonal(1.0)) *
                                    kernel(g, g).value(pair_covariance::diagonal(1.0)));
      const double h = 4e-3;
      const auto near = [&](double expected) {
        return Approx(expected).epsilon(1e-7).margin(1e-7 * size);
      };
      const auto by_M = [&](auto value) {
        return test::difference([&](double t) { return value(at(t, 0)); }, h);
      };
      const auto by_gap = [&](auto value) {
        return test::difference([&](double t) { return value(at(0, t)); }, h);
      };
      const auto value = [&](const pair_covariance& v) { return k.value(v); };
      const auto slope_q = [&](const pair_covariance& v) { return k.gradient(v).q1; };
      const auto slope_c = [&](const pair_covariance& v) { return k.gradient(v).c; };
      CHECK(first.q1 == near(by_gap(value)));
      CHECK(first.c + 2 * M * first.q1 == near(by_M(value)));
      CHECK(second.q1q1 == near(by_gap(slope_q)));
      CHECK(second.q1c == near(by_gap(slope_c)));
      CHECK(second.cc + 2 * M * second.q1c == near(by_M(slope_c)));
    }
  }
}

TEST_CASE("an even function beside an odd one has no slope by the covariance") {
  // Beside the same functions as a user's, whose symmetry nobody knows.
  const std::vector<std::pair<std::string, std::string>> pairs{
      {"cos^3", "tanh"},       {"sin^2", "sigmoid"}, {"sigmoid", "he4"},  {"erf+1.13*sin", "he3^2"},
      {"2-sigmoid", "abs(x)"}, {"tanh", "relu*x"},   {"relu*tanh", "cos"}};
  for (const auto& [f, g] : pairs) {
    CAPTURE(f, g);
    const pair_kernel shown = kernel(f, g);
    const pair_kernel hidden(test::nameless(parse_activation(f)),
                             test::nameless(parse_activation(g)));
    for (const pair_covariance& v :
         {pair_covariance{1.3, 1.0, 0.6, 1.3 - 0.36}, pair_covariance{0.25, 1.0, 0.5, 0.0},
          pair_covariance{4.0, 1.0, -1.9, 4.0 - 3.61}}) {
      CAPTURE(v.c);
      const moment_set slopes = moment_set::value | moment_set::gradient | moment_set::gradient2;
      const pair_moments a = shown.moments(v, slopes);
      const pair_moments b = hidden.moments(v, slopes);
      const double size = std::sqrt(kernel(f, f).value(pair_covariance::diagonal(v.q1)) *
                                    kernel(g, g).value(pair_covariance::diagonal(1.0)));
      const bool known =
          shown.f().symmetry().kind != parity::none && shown.g().symmetry().kind != parity::none;
      if (known && shown.f().symmetry().kind != shown.g().symmetry().kind) {
        CHECK(a.e11 == 0.0);
      }
      CHECK(a.e00 == test::within(b.e00, 1e-12 * size));
      CHECK(a.e11 == test::within(b.e11, 1e-11 * size));
      CHECK(a.e20 == test::within(b.e20, 1e-11 * size));
      CHECK(a.e02 == test::within(b.e02, 1e-11 * size));
    }
  }
}

TEST_CASE("a function that is known by its values has the kernels of its name") {
  const auto by_values = [](const std::string& name) {
    const activation named = parse_activation(name);
    return approximate({.name = "f",
                        .value = [named](auto x, auto out) { named.tabulate(x, out, {}, {}); }})
        .function;
  };
  for (const std::string name :
       {"tanh", "silu", "gelu", "sin", "relu(x-0.3)*tanh", "max(x,0)+exp(min(x,0))-1"}) {
    const activation mine = by_values(name);
    const pair_kernel k(mine, mine);
    const pair_kernel named = kernel(name, name);
    const double size = named.value(pair_covariance::diagonal(1.3)) + 1.0;
    for (const double c : {0.0, 0.4, 0.9}) {
      CAPTURE(name, c);
      const pair_covariance v = pair_covariance::of(1.3, 0.8, c);
      // Bounds: the errors of values, of first and second, and of third and fourth derivatives
      // (activation/approximation_test.cpp), which averages make smaller.
      CHECK(k.value(v) == test::within(named.value(v), 1e-14 * size));
      CHECK(k.gradient(v).c == test::within(named.gradient(v).c, 1e-12 * size));
      CHECK(k.gradient(v).q1 == test::within(named.gradient(v).q1, 1e-12 * size));
      CHECK(k.hessian(v).q1q1 == test::within(named.hessian(v).q1q1, 1e-9 * size));
      CHECK(k.hessian(v).cc == test::within(named.hessian(v).cc, 1e-9 * size));
    }
    // Along a line, where the average itself is what the errors end.
    CHECK(k.diagonal_curvature(1.1) == test::within(named.diagonal_curvature(1.1), 1e-9 * size));
  }
}

TEST_CASE("covariances that are none are refused") {
  const pair_kernel k = kernel("erf", "erf");
  CHECK_THROWS_AS(k.value({-1.0, 1.0, 0.0, 0.0}), argument_error);
  CHECK_THROWS_AS(k.value(pair_covariance::of(1.0, 1.0, 1.1)), argument_error);
  CHECK_THROWS_AS(k.value({1.0, 1.0, 0.5, 0.2}), argument_error);
  CHECK_THROWS_AS(k.value({std::numeric_limits<double>::quiet_NaN(), 1.0, 0.0, 1.0}),
                  argument_error);
}

TEST_CASE("the gap of a degenerate covariance is exactly zero, whatever the rounding") {
  for (const double mu : {0.1, 0.3, 0.7, 1.1, 1e-3, 1e3}) {
    CHECK(pair_covariance::of(mu * mu, 1.0, mu).gap == 0.0);
  }
  CHECK(pair_covariance::of(2.0, 0.5, 0.25).gap == 0.9375);
  // What is rounding is told by the size of the product.
  CHECK(pair_covariance::of(std::ldexp(1.0, -40), 1.0, std::ldexp(1.0, -21)).gap ==
        std::ldexp(3.0, -42));
}
