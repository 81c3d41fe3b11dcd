#include <Eigen/Eigenvalues>
#include <catch2/catch.hpp>
#include <cmath>
#include <loradyn/activation/parse.hpp>
#include <loradyn/analysis/search_phase.hpp>
#include <loradyn/dynamics/flow.hpp>
#include <loradyn/error.hpp>
#include <string>
#include <support/reference.hpp>
#include <support/within.hpp>

using namespace loradyn;

namespace {

population_risk pair(const std::string& student, const std::string& teacher) {
  return {parse_activation(student), parse_activation(teacher)};
}

bool is_closed(const std::string& name) { return !parse_activation(name).parts().has_rest; }

}  // namespace

// (4.2) from tables. Near the target A's terms cancel, and the kernels are asked.
TEST_CASE("A, B and C from tables are those of the kernels") {
  for (const auto& [student, teacher] :
       {std::pair("tanh", "tanh"), std::pair("gelu", "he2"), std::pair("erf^2", "erf^2"),
        std::pair("cos*gelu", "silu"), std::pair("relu*tanh", "relu*tanh"),
        std::pair("tanh", "relu"), std::pair("he3", "he3")}) {
    const population_risk risk = pair(student, teacher);
    const double size = risk.slope_size(1.0);
    for (const double nu : {0.0, 0.3}) {
      for (const double mu : {-0.7, 1e-3, 0.04, 0.31, 0.62, 0.9, 0.999, 0.9999999, 1.7}) {
        CAPTURE(student, teacher, mu, nu);
        const lora_parameters at{.alignment = mu, .misalignment = nu};
        const search_phase_result exact = search_phase(risk, at);
        const search_phase_result r = search_phase(risk, at, search_kernels::prepared);
        CHECK(r.A == test::within(exact.A, 1e-12 * size));
        CHECK(r.B == test::within(exact.B, 1e-12 * size));
        CHECK(r.tau == Approx(exact.tau).epsilon(1e-10));
        CHECK(r.status == exact.status);
      }
    }
  }
}

// (4.2)
TEST_CASE("A, B and C match the high-precision values") {
  // The target: 1e-12 of E[σ'²] for polynomials, erf and ReLU, 1e-10 for all others.
  double worst_closed = 0.0;
  double worst_other = 0.0;
  for (const auto& row : test::reference("search_phase.json")) {
    const std::string student = row["student"];
    const std::string teacher = row["teacher"];
    const double mu = test::number(row["mu"]);
    const double nu = test::number(row["nu"]);
    const double scale = test::number(row["scale"]);
    CAPTURE(student, teacher, mu, nu);
    const search_phase_result r =
        search_phase(pair(student, teacher), {.alignment = mu, .misalignment = nu});
    const bool closed = is_closed(student) && is_closed(teacher);
    const double error =
        std::max({std::abs(r.A - test::number(row["A"])), std::abs(r.B - test::number(row["B"])),
                  std::abs(r.C - test::number(row["C"]))}) /
        scale;
    CHECK(error <= (closed ? 1e-12 : 1e-10));
    (closed ? worst_closed : worst_other) = std::max(closed ? worst_closed : worst_other, error);
    if (student == teacher && nu == 0.0 && mu > 0.9999 && mu < 1.0) {
      // A is (1-μ) of its terms here.
      CHECK(std::abs(r.A / test::number(row["A"]) - 1.0) <= 1e-8);
    }
  }
  WARN("largest error over E[sigma'^2]: closed pairs " << worst_closed << ", others "
                                                       << worst_other);
}

TEST_CASE("linear and ReLU students have the known rates") {
  for (const double mu : {0.03, 0.4, 0.99, 1.5}) {
    CAPTURE(mu);
    const auto linear = search_phase(pair("linear", "linear"), {.alignment = mu});
    CHECK(linear.A == Approx(1 - mu).epsilon(1e-14));
    CHECK(linear.B == -1.0);
    const auto relu = search_phase(pair("relu", "relu"), {.alignment = mu});
    CHECK(relu.A == Approx((1 - mu) / 2).epsilon(1e-14));
    CHECK(relu.B == -0.5);
    CHECK(relu.tau == Approx(2 * linear.tau).epsilon(1e-13));
  }
}

TEST_CASE("lambda, tau and the unstable direction solve the linearised flow") {
  for (const double kappa : {0.25, 1.0, 16.0}) {
    for (const double nu : {0.0, 0.3}) {
      const lora_parameters p{.alignment = 0.4, .misalignment = nu, .rate_ratio = kappa};
      const auto r = search_phase(pair("tanh", "he1+he3"), p);
      Eigen::Matrix3d j;
      j << kappa * r.B, kappa * r.A, kappa * r.C, r.A, 0, 0, r.C, 0, 0;
      // (4.1): it is the Jacobian of the flow at rest.
      const flow f({parse_activation("tanh"), parse_activation("he1+he3")}, p);
      CHECK((f.jacobian({}) - j).norm() <= 1e-12 * j.norm());
      const Eigen::Vector3d e(r.unstable.u, r.unstable.m, r.unstable.s);
      CHECK(e.norm() == Approx(1.0));
      CHECK(e[0] >= 0.0);
      CHECK((j * e - r.lambda * e).norm() <= 1e-14 * j.norm());
      const double largest = Eigen::EigenSolver<Eigen::Matrix3d>(j).eigenvalues().real().maxCoeff();
      CHECK(r.lambda == Approx(largest).epsilon(1e-13));  // (4.3)
      CHECK(r.tau == Approx(1 / largest).epsilon(1e-13));
      CHECK(r.C == Approx(nu * r.B));
    }
  }
}

TEST_CASE("tau keeps its digits where A vanishes and B < 0") {
  // Linear students have A = 1 - μ, B = -1 without any rounding of the kernels: with a = 1 - μ,
  // τ = (1 + √(1 + 4a²))/(2a²). The textbook λ₊ has no digit left at a = 1e-8.
  for (const int k : {10, 20, 27, 40}) {
    const double a = std::ldexp(1.0, -k);
    const auto r = search_phase(pair("linear", "linear"), {.alignment = 1.0 - a});
    CHECK(r.tau == Approx((1 + std::sqrt(1 + 4 * a * a)) / (2 * a * a)).epsilon(1e-10));
    CHECK(r.lambda * r.tau == Approx(1.0).epsilon(1e-15));
  }
}

TEST_CASE("what has no search time says so") {
  const auto at_target = search_phase(pair("linear", "linear"), {.alignment = 1.0});
  CHECK(at_target.status == search_status::diverges);
  CHECK(at_target.lambda == 0.0);
  CHECK(std::isnan(at_target.tau));
  const auto no_student = search_phase(pair("relu", "relu"), {.alignment = 0.0});
  CHECK(no_student.status == search_status::undefined);
  CHECK(std::isnan(no_student.A));
  const auto constant = search_phase(pair("he0", "he3"), {.alignment = 0.5});
  CHECK(constant.status == search_status::diverges);
  const auto critical = search_phase(pair("he3", "he3"), {.alignment = 0.3207243473230675});
  CHECK(critical.status == search_status::imprecise);
  CHECK(search_phase(pair("he3", "he3"), {.alignment = 0.3208}).status == search_status::ok);
  // So many digits are lost whatever the unit: A and the size of its terms grow alike.
  for (const char* name : {"he3", "1000*he3", "0.001*he3"}) {
    CHECK(search_phase(pair(name, name), {.alignment = 0.3207243474}).status ==
          search_status::imprecise);
    CHECK(search_phase(pair(name, name), {.alignment = 0.320725}).status == search_status::ok);
  }
  CHECK_THROWS_AS(search_phase(pair("erf", "erf"), {.misalignment = -1.0}), argument_error);
}

TEST_CASE("negative alignments mirror positive ones by parity") {
  // x -> -x: an odd teacher and an odd student see (μ, z) as (-μ, -z).
  for (const char* name : {"erf", "he3", "tanh"}) {
    const population_risk odd = pair(name, name);
    const auto plus = search_phase(odd, {.alignment = 0.4});
    const auto minus = search_phase(odd, {.alignment = -0.4});
    const auto drive = [](const search_phase_result& r, double mu) { return r.A - mu * r.B; };
    CHECK(std::isfinite(minus.tau));
    CHECK(drive(plus, 0.4) == Approx(drive(minus, -0.4)).epsilon(1e-13));
  }
  const auto even_plus = search_phase(pair("cos", "cos"), {.alignment = 0.4});
  const auto even_minus = search_phase(pair("cos", "cos"), {.alignment = -0.4});
  CHECK(even_plus.A == Approx(-even_minus.A).epsilon(1e-13));
  CHECK(even_plus.tau == Approx(even_minus.tau).epsilon(1e-13));
}

TEST_CASE("an even teacher doesn't drive an odd student, nor an odd one an even student") {
  // Not even by rounding, beside which a small B would have no digits.
  for (const auto& [student, teacher] : {std::pair{"cos^3", "tanh"},
                                         {"sin^2", "sigmoid"},
                                         {"sigmoid", "he6^3"},
                                         {"cos+-1.01*cos", "erf"},
                                         {"erf+1.13*sin", "he9^2"}}) {
    CAPTURE(student, teacher);
    const population_risk risk = pair(student, teacher);
    for (const double mu : {0.5, 1.27, 2.44}) {
      const auto r = search_phase(risk, {.alignment = mu, .misalignment = 0.1});
      CHECK(r.A == mu * r.B);
    }
  }
}

TEST_CASE("a small alignment drives A like mu B, not like the information exponent's power") {
  // A = E[σ'(λ) g'(λ*)] + μ B: only the first term falls like μ^{k-1}, k the teacher's information
  // exponent (here 3); a student with B(0) ≠ 0 is driven by μ B.
  const population_risk risk = pair("erf", "he3");
  double previous = 0.0;
  for (const double mu : {1e-2, 1e-3}) {
    const auto r = search_phase(risk, {.alignment = mu});
    CHECK(r.A / (mu * r.B) == Approx(1.0).epsilon(0.1));
    const double first = r.A - mu * r.B;
    if (previous != 0.0) {
      CHECK(std::log10(previous / first) == Approx(2.0).epsilon(1e-3));
    }
    previous = first;
  }
}

TEST_CASE("Fisher information of the student") {
  CHECK(fisher_information(parse_activation("linear")) == 1.0);
  CHECK(fisher_information(parse_activation("he5")) == Approx(5 * 120.0));
  CHECK(fisher_information(parse_activation("relu")) == 0.5);
  CHECK(fisher_information(parse_activation("erf")) ==
        Approx(4 / (M_PI * std::sqrt(5.0))).epsilon(1e-14));
}

TEST_CASE("a weight whose square is no number is a status, for any pair") {
  for (const char* name : {"linear", "erf", "relu", "he3", "tanh", "relu*tanh"}) {
    const population_risk risk(parse_activation(name), parse_activation(name));
    for (const double mu : {1e60, -1e160, 1e200, 1e308}) {
      CAPTURE(name, mu);
      const search_phase_result r = search_phase(risk, {.alignment = mu});
      CHECK(r.status == search_status::overflow);
      CHECK(std::isnan(r.A));
      CHECK(std::isnan(r.tau));
      CHECK(search_phase(risk, {.alignment = 0.5, .misalignment = std::abs(mu)}).status ==
            search_status::overflow);
    }
  }
  // He_20's own A overflows long before.
  const population_risk he20(parse_activation("he20"), parse_activation("he20"));
  CHECK(search_phase(he20, {.alignment = 1e12}).status == search_status::overflow);
  CHECK(to_string(search_status::overflow) == "overflow");
}
