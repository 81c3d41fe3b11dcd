#include <catch2/catch.hpp>
#include <limits>
#include <loradyn/activation/parse.hpp>
#include <loradyn/error.hpp>
#include <loradyn/model/parameters.hpp>
#include <loradyn/model/population_risk.hpp>
#include <string>

#include "support/difference.hpp"

using namespace loradyn;

TEST_CASE("the risk vanishes at the target and its gradient is that of the value") {
  for (const char* name : {"linear", "erf", "relu", "tanh", "he3", "gelu"}) {
    CAPTURE(name);
    const activation a = parse_activation(name);
    const population_risk risk(a, a);
    CHECK(risk.value({.M = 1.0, .Q = 1.0, .gap = 0.0}, 0.0) == Approx(0.0).margin(1e-14));
    CHECK(risk.value({.M = 1.0, .Q = 1.0, .gap = 0.0}, 0.5) == Approx(0.25));
    const double M = 0.6;
    const double Q = 0.9;
    const auto at = [&](double dm, double dq) {
      const double m = M + dm;
      const double q = Q + dq;
      return risk.value({.M = m, .Q = q, .gap = q - m * m}, 0.1);
    };
    const double h = 4e-3;
    const auto difference = [h](auto f) { return test::difference(f, h); };
    const risk_gradient g = risk.gradient({.M = M, .Q = Q, .gap = Q - M * M});
    CHECK(g.M == Approx(difference([&](double t) { return at(t, 0); })).epsilon(1e-8));
    CHECK(g.Q == Approx(difference([&](double t) { return at(0, t); })).epsilon(1e-8).margin(1e-9));
  }
}

TEST_CASE("the second derivatives are those of the gradient") {
  for (const auto& [student, teacher] :
       {std::pair("erf", "erf"), std::pair("relu", "relu"), std::pair("he3", "he3"),
        std::pair("he6", "he2"), std::pair("tanh", "tanh"), std::pair("relu", "tanh"),
        std::pair("gelu", "relu"), std::pair("relu+0.3*erf", "relu")}) {
    CAPTURE(student, teacher);
    const population_risk risk(parse_activation(student), parse_activation(teacher));
    const double M = 0.6;
    const double Q = 0.9;
    const auto at = [&](double dm, double dq) {
      const double m = M + dm;
      const double q = Q + dq;
      return risk.gradient({.M = m, .Q = q, .gap = q - m * m});
    };
    const double h = 4e-3;
    const auto difference = [h](auto f) { return test::difference(f, h); };
    const risk_hessian r = risk.hessian({.M = M, .Q = Q, .gap = Q - M * M});
    const double scale = std::abs(r.MM) + std::abs(r.MQ) + std::abs(r.QQ);
    CHECK(r.MM == Approx(difference([&](double t) { return at(t, 0).M; })).margin(1e-8 * scale));
    CHECK(r.MQ == Approx(difference([&](double t) { return at(0, t).M; })).margin(1e-8 * scale));
    CHECK(r.MQ == Approx(difference([&](double t) { return at(t, 0).Q; })).margin(1e-8 * scale));
    CHECK(r.QQ == Approx(difference([&](double t) { return at(0, t).Q; })).margin(1e-8 * scale));
  }
}

TEST_CASE("where two kinks meet the curvature along the edge is finite") {
  // R(M, M²) = (1 - M)²/4 for a pair of ReLUs: d²/dM² = ½, that is R_MM + 4M R_MQ + 4M² R_QQ + 2
  // R_Q.
  const activation relu = parse_activation("relu");
  const population_risk risk(relu, relu);
  for (const double M : {0.3, 1.0, 1.7}) {
    const field_overlaps o{.M = M, .Q = M * M, .gap = 0.0};
    const risk_hessian h = risk.hessian(o);
    CHECK(h.MM + 4 * M * h.MQ + 4 * M * M * h.QQ + 2 * risk.gradient(o).Q ==
          Approx(0.5).margin(1e-6));
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
  CHECK(fault({.rate_ratio = 0.0}) == "lr-ratio (rate ratio)");
}
