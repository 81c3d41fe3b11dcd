#include <catch2/catch.hpp>
#include <cmath>
#include <limits>
#include <loradyn/activation/parse.hpp>
#include <loradyn/error.hpp>
#include <loradyn/gaussian/gauss_hermite.hpp>
#include <loradyn/model/parameters.hpp>
#include <loradyn/model/population_risk.hpp>
#include <string>
#include <utility>

#include "support/difference.hpp"
#include "support/within.hpp"

using namespace loradyn;

TEST_CASE("the risk vanishes at the target and its curvature is that of the gradient") {
  for (const char* name : {"linear", "erf", "relu", "tanh", "he3", "gelu"}) {
    CAPTURE(name);
    const activation a = parse_activation(name);
    const population_risk risk(a, a);
    CHECK(risk.value({.M = 1.0, .Q = 1.0, .gap = 0.0}, 0.0) == test::within(0.0, 1e-14));
    CHECK(risk.value({.M = 1.0, .Q = 1.0, .gap = 0.0}, 0.5) == Approx(0.25));
    const double M = 0.6;
    const double Q = 0.9;
    // In M and the gap: ∂R/∂M at fixed gap is R_M + 2M R_Q.
    struct slopes {
      double M;
      double gap;
    };
    const auto at = [&](double dm, double dgap) {
      const double m = M + dm;
      const double gap = Q - M * M + dgap;
      const risk_gradient g = risk.gradient({.M = m, .Q = m * m + gap, .gap = gap});
      return slopes{g.M + 2 * m * g.Q, g.Q};
    };
    const double h = 4e-3;
    const auto difference = [h](auto f) { return test::difference(f, h); };
    const risk_curvature r = risk.curvature({.M = M, .Q = Q, .gap = Q - M * M});
    const double scale = std::abs(r.MM) + std::abs(r.M_gap) + std::abs(r.gap_gap);
    CHECK(r.MM == test::within(difference([&](double t) { return at(t, 0).M; }), 1e-8 * scale));
    CHECK(r.M_gap == test::within(difference([&](double t) { return at(0, t).M; }), 1e-8 * scale));
    CHECK(r.M_gap ==
          test::within(difference([&](double t) { return at(t, 0).gap; }), 1e-8 * scale));
    CHECK(r.gap_gap ==
          test::within(difference([&](double t) { return at(0, t).gap; }), 1e-8 * scale));
  }
}

TEST_CASE("where two kinks meet the curvature along the edge is finite") {
  // R(M, M²) = (1 - M)²/4 for a pair of ReLUs, and R_Q = ¼ there.
  const activation relu = parse_activation("relu");
  const population_risk risk(relu, relu);
  for (const double M : {0.3, 1.0, 1.7}) {
    const risk_curvature h = risk.curvature({.M = M, .Q = M * M, .gap = 0.0});
    CHECK(h.MM == Approx(0.5).epsilon(1e-14));
    CHECK(h.M_gap == test::within(0.0, 1e-15));
  }
}

TEST_CASE("the curvature at the edge is the limit of that beside it") {
  // The second derivatives of kinked pairs approach like √gap.
  for (const auto& [student, teacher] :
       {std::pair("relu", "relu"), std::pair("relu^2", "relu^2"), std::pair("erf*relu", "erf*relu"),
        std::pair("relu*he3", "tanh"), std::pair("relu^2+he3", "relu*cos"),
        std::pair("tanh", "erf"), std::pair("sin", "sin^2"), std::pair("relu*tanh", "he4"),
        std::pair("he5", "relu*gelu")}) {
    const population_risk risk(parse_activation(student), parse_activation(teacher));
    for (const double M : {-1.3, 0.4, 1.0}) {
      CAPTURE(student, teacher, M);
      const double gap = 1e-14;
      const risk_curvature edge = risk.curvature({.M = M, .Q = M * M, .gap = 0.0});
      const risk_curvature beside = risk.curvature({.M = M, .Q = M * M + gap, .gap = gap});
      const double scale = std::abs(edge.MM) + std::abs(edge.M_gap) + 1.0;
      CHECK(edge.MM == test::within(beside.MM, 2e-7 * scale));
      CHECK(edge.M_gap == test::within(beside.M_gap, 2e-7 * scale));
    }
  }
}

// (2.1) and (2.3)
TEST_CASE("the risk is half the mean square error, and its gradient is that of its values") {
  // λ* = z, λ = M z + √gap z', averaged by a rule that knows nothing of kernels.
  const gauss_hermite_rule rule(60);
  for (const auto& [student, teacher] : {std::pair("linear", "he3"), std::pair("erf", "he2+he3"),
                                         std::pair("he3", "erf"), std::pair("tanh", "sin")}) {
    CAPTURE(student, teacher);
    const activation f = parse_activation(student);
    const activation g = parse_activation(teacher);
    const population_risk risk(f, g);
    const double M = 0.3;
    const double Q = 0.4;
    const auto mean = [&](double m, double q) {
      double sum = 0.0;
      for (std::size_t i = 0; i < rule.nodes.size(); ++i) {
        for (std::size_t k = 0; k < rule.nodes.size(); ++k) {
          const double z = rule.nodes[i];
          const double error = f(m * z + std::sqrt(q - m * m) * rule.nodes[k]) - g(z);
          sum += rule.weights[i] * rule.weights[k] * error * error;
        }
      }
      return 0.5 * sum;
    };
    const field_overlaps at{.M = M, .Q = Q, .gap = Q - M * M};
    CHECK(risk.value(at, 0.2) == Approx(mean(M, Q) + 0.1).epsilon(1e-9));
    const risk_gradient slope = risk.gradient(at);
    const double h = 4e-3;
    CHECK(slope.M == Approx(test::difference([&](double t) { return mean(M + t, Q); }, h))
                         .epsilon(1e-8)
                         .margin(1e-8 * risk.value(at, 0.0)));
    CHECK(slope.Q == Approx(test::difference([&](double t) { return mean(M, Q + t); }, h))
                         .epsilon(1e-8)
                         .margin(1e-8 * risk.value(at, 0.0)));
  }
}

TEST_CASE("along the edge the risk is an average over one line") {
  // λ = M λ*, a student of another size than its target.
  const gauss_hermite_rule rule(100);
  for (const double M : {0.3, -0.6, 0.9}) {
    double mean = 0.0;
    for (std::size_t i = 0; i < rule.nodes.size(); ++i) {
      const double error = std::tanh(M * rule.nodes[i]) - std::sin(rule.nodes[i]);
      mean += rule.weights[i] * error * error;
    }
    const population_risk risk(parse_activation("tanh"), parse_activation("sin"));
    CAPTURE(M);
    CHECK(risk.value({.M = M, .Q = M * M, .gap = 0.0}, 0.0) == Approx(0.5 * mean).epsilon(1e-8));
  }
}

TEST_CASE("slopes that have decayed keep their digits") {  // (3.6)
  for (const double Q : {0.3, 1.0, 2.5, 9.0}) {
    CAPTURE(Q);
    const field_overlaps o{std::sqrt(Q), Q, 0.0};
    // R = ½E[(cos² - ½)²] + … = (1 + e^{-8Q})/16 + …: 2R_Q = -e^{-8Q}.
    const population_risk whole(parse_activation("cos^2"), parse_activation("sigmoid"));
    CHECK(2.0 * whole.gradient(o).Q == Approx(-std::exp(-8.0 * Q)).epsilon(1e-13));
    CHECK(whole.gradient(o).Q_scale <= 2.0 * std::exp(-8.0 * Q));
    // d/dQ E[sin²] = e^{-2Q}, whatever even teacher.
    const population_risk sine(parse_activation("sin"), parse_activation("he2+cos"));
    CHECK(2.0 * sine.gradient(o).Q == Approx(std::exp(-2.0 * Q)).epsilon(1e-13));
    CHECK(sine.gradient(o).M == 0.0);
    // A teacher that is no sum of waves leaves the rounding of its average.
    const population_risk mixed(parse_activation("sin"), parse_activation("tanh"));
    CHECK(mixed.gradient(o).Q_scale >= 0.5);
  }
}

TEST_CASE("the linear risk is a quadratic form") {
  const activation x = parse_activation("linear");
  const population_risk risk(x, x);
  CHECK(risk.value({.M = 0.3, .Q = 0.7, .gap = 0.61}, 0.2) ==
        Approx(0.5 * (0.7 - 0.6 + 1.0 + 0.2)));
}

TEST_CASE("parameters out of range are named") {
  const auto fault = [](lora_parameters p) -> std::string {
    try {
      p.validate();
    } catch (const argument_error& e) {
      return e.parameter();
    }
    return "none";
  };
  const double inf = std::numeric_limits<double>::infinity();
  CHECK(fault({}) == "none");
  CHECK(fault({.alignment = -3.0}) == "none");
  CHECK(fault({.alignment = inf}) == "mu (alignment)");
  CHECK(fault({.misalignment = -0.1}) == "nu (misalignment)");
  CHECK(fault({.noise_scale = -1.0}) == "gamma (noise scale)");
  CHECK(fault({.label_noise = -1.0}) == "noise (label noise)");
  CHECK(fault({.rate_ratio = -0.1}) == "lr-ratio (rate ratio)");
}
