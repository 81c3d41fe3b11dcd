#include <Eigen/Dense>
#include <boost/math/special_functions/digamma.hpp>
#include <catch2/catch.hpp>
#include <cmath>
#include <loradyn/activation/parse.hpp>
#include <loradyn/analysis/escape_law.hpp>
#include <loradyn/analysis/search_phase.hpp>
#include <loradyn/error.hpp>
#include <string>
#include <unsupported/Eigen/MatrixFunctions>

#include "support/within.hpp"

using namespace loradyn;

namespace {

escape_law law_for(const char* name, const lora_parameters& p, double d, double u0 = 0.0,
                   const overlap_event& event = {}) {
  const learning_task task(parse_activation(name), parse_activation(name));
  return law_of_escape(flow(task, p), event, d, u0, {}, outcome_classifier(task));
}

}  // namespace

TEST_CASE("quantiles that were computed elsewhere") {
  // erf, μ = ½: d = 1000, B = 20, η = 0.02, so γ = 1; and d = 1e5, γ = 10.
  const escape_law a = law_for("erf", {.alignment = 0.5, .noise_scale = 1.0}, 1e3);
  CHECK(a.status == law_status::ok);
  CHECK(a.quantile(0.1) == test::within(103.3, 0.05));
  CHECK(a.quantile(0.5) == test::within(143.9, 0.05));
  CHECK(a.quantile(0.9) == test::within(220.5, 0.05));
  const escape_law b = law_for("erf", {.alignment = 0.5, .noise_scale = 10.0}, 1e5);
  CHECK(b.quantile(0.1) == test::within(205.5, 0.05));
  CHECK(b.quantile(0.5) == test::within(246.2, 0.05));
  CHECK(b.quantile(0.9) == test::within(322.8, 0.05));
}

// (9.1), Var Z
TEST_CASE("the variance is that of the linear flow with noise, for any κ and ν") {
  // Second route: the covariance of x' = J x + noise in u, from a unit variance of m and s, by the
  // matrix exponential, after so long that only the unstable direction is left.
  const lora_parameters p{.alignment = 0.4,
                          .misalignment = 0.3,
                          .noise_scale = 3.0,
                          .label_noise = 0.2,
                          .rate_ratio = 2.5};
  const learning_task task(parse_activation("erf"), parse_activation("erf"));
  const flow f(task, p);
  const escape_law law = law_of_escape(f, {}, 1e4, 0.0, {}, outcome_classifier(task));
  const Eigen::Matrix3d j = f.jacobian({});
  const field_overlaps o = fields({}, p);
  const double rate = p.rate_ratio * p.rate_ratio * p.noise_scale *
                      task.noise.value(o.M, o.Q, o.gap, p.label_noise);
  const double t = 20.0 * law.tau;
  Eigen::Matrix3d covariance = Eigen::Matrix3d::Zero();
  const Eigen::Matrix3d propagator = (j * t).exp();
  covariance += propagator * Eigen::Vector3d(0, 1, 1).asDiagonal() * propagator.transpose();
  // Simpson's rule over the noise that came at each time.
  constexpr int steps = 20'000;
  const Eigen::Matrix3d small = (j * (t / steps)).exp();
  Eigen::Matrix3d power = Eigen::Matrix3d::Identity();
  for (int i = 0; i <= steps; ++i) {
    const double weight = (i == 0 || i == steps ? 1.0 : (i % 2 == 1 ? 4.0 : 2.0)) * t / steps / 3.0;
    const Eigen::Vector3d column = power.col(0);
    covariance += weight * rate * column * column.transpose();
    power = small * power;
  }
  Eigen::SelfAdjointEigenSolver<Eigen::Matrix3d> solver(covariance);
  const double expected = solver.eigenvalues()[2] * std::exp(-2.0 * t / law.tau);
  CHECK(law.variance == Approx(expected).epsilon(1e-6));
}

// (9.1), E Z
TEST_CASE("the starting amplitude shifts the mean of Z") {
  const lora_parameters p{.alignment = 0.5, .rate_ratio = 2.0};
  const learning_task task(parse_activation("erf"), parse_activation("erf"));
  const flow f(task, p);
  const double d = 1e6;
  const double u0 = 2e-3;
  const escape_law law = law_of_escape(f, {}, d, u0, {}, outcome_classifier(task));
  // u alone, propagated until only the unstable direction is left.
  const double t = 20.0 * law.tau;
  const Eigen::Vector3d x = (f.jacobian({}) * t).exp() * Eigen::Vector3d(u0, 0, 0);
  CHECK(law.mean_amplitude ==
        Approx(std::sqrt(d) * x.norm() * std::exp(-t / law.tau)).epsilon(1e-8));
}

TEST_CASE("cdf, density, quantile and mean fit together") {
  for (const double u0 : {0.0, 3e-3, 0.1}) {
    const escape_law law = law_for("relu", {.alignment = 0.3, .noise_scale = 1.0}, 1e5, u0);
    CAPTURE(u0, law.mean_amplitude);
    for (const double p : {0.001, 0.05, 0.5, 0.95, 0.999}) {
      CHECK(law.cdf(law.quantile(p)) == Approx(p).epsilon(1e-9));
    }
    double mass = 0.0;
    double mean = 0.0;
    const double step = 0.02 * law.tau;
    for (double t = law.quantile(1e-9); t < law.quantile(1.0 - 1e-9); t += step) {
      mass += step * law.density(t);
      mean += step * law.density(t) * t;
    }
    CHECK(mass == Approx(1.0).epsilon(1e-5));
    CHECK(law.mean() == Approx(mean).epsilon(1e-5));
  }
}

TEST_CASE("the mean is that of the law, however large the start's amplitude") {
  // Against E log|Z| by the trapezoidal rule; the mean takes another way from a = 24.5 on.
  for (const double a : {0.0, 0.5, 3.0, 10.0, 24.0, 24.4, 24.6, 25.0, 40.0, 300.0}) {
    escape_law law;
    law.dimension = 1e6;
    law.tau = 2.0;
    law.nonlinear_time = 5.0;
    law.mean_amplitude = a;
    law.variance = 1.0;
    double logarithm = 0.0;
    constexpr int points = 400'000;
    constexpr double reach = 12.0;
    const double h = 2.0 * reach / points;
    for (int i = 0; i < points; ++i) {
      const double z = -reach + (i + 0.5) * h;
      logarithm += h * std::exp(-0.5 * z * z) / std::sqrt(2.0 * M_PI) * std::log(std::abs(a + z));
    }
    CAPTURE(a);
    // log|Z| has a singularity inside: the rule is of first order there.
    CHECK(law.mean() ==
          test::within(2.0 * (0.5 * std::log(1e6) - logarithm) + 5.0, a < 10.0 ? 1e-4 : 1e-7));
  }
}

TEST_CASE("of several degrees the mean is that of a Poisson mixture, however large the amplitude") {
  for (const double degrees : {1.0, 2.0, 3.0, 4.0, 6.0}) {
    for (const double a : {24.4, 24.6, 30.0}) {
      escape_law law;
      law.dimension = 1e6;
      law.tau = 2.0;
      law.nonlinear_time = 5.0;
      law.mean_amplitude = a;
      law.variance = 1.0;
      law.degrees = degrees;
      const double half = 0.5 * a * a;
      double log_square = std::log(2.0);
      for (int j = 0; j < 1500; ++j) {
        log_square += std::exp(j * std::log(half) - half - std::lgamma(j + 1.0)) *
                      boost::math::digamma(0.5 * degrees + j);
      }
      CAPTURE(degrees, a);
      CHECK(law.mean() == test::within(std::log(1e6) - log_square + 5.0, 3e-7));
    }
  }
}

// (9.2), for a given Z
TEST_CASE("T_nl does not depend on where the run along the unstable direction starts") {
  const lora_parameters p{.alignment = 0.5, .misalignment = 0.3, .rate_ratio = 1.5};
  const learning_task task(parse_activation("he3"), parse_activation("he3"));
  const flow f(task, p);
  const outcome_classifier classifier(task);
  const overlap_event event{.at = 0.4};
  const escape_law law = law_of_escape(f, event, 1e4, 0.0, {}, classifier);
  // One run from a point of a given amplitude must agree with the law for that Z.
  const Eigen::Matrix3d j = f.jacobian({});
  Eigen::EigenSolver<Eigen::Matrix3d> solver(j);
  Eigen::Index k = 0;
  solver.eigenvalues().real().maxCoeff(&k);
  Eigen::Vector3d e = solver.eigenvectors().col(k).real();
  const double size = 1e-3;
  const escape_run run = escape(f, {size * e[0], size * e[1], size * e[2]}, event, {}, classifier);
  CHECK(run.t_hit == Approx(law.nonlinear_time + law.tau * std::log(1.0 / size)).epsilon(1e-5));
}

TEST_CASE("where kinks meet T_nl needs a smaller start, and gets it") {
  // A pair of ReLUs has corrections of first order: runs from δ e₊ approach T_nl like δ, not like
  // δ².
  const lora_parameters p{.alignment = 0.3};
  const learning_task task(parse_activation("relu"), parse_activation("relu"));
  const flow f(task, p);
  const outcome_classifier classifier(task);
  const escape_law law = law_of_escape(f, {}, 1e6, 0.0, {}, classifier);
  const search_phase_result phase = search_phase(task.risk, p);
  const auto error = [&](double size) {
    const overlap_state& e = phase.unstable;
    const escape_run run =
        escape(f, {size * e.u, size * e.m, size * e.s}, {}, {}, classifier, run_extent::to_event);
    return std::abs(run.t_hit + law.tau * std::log(size) - law.nonlinear_time) / law.tau;
  };
  CHECK(std::log10(error(1e-3) / error(1e-4)) == test::within(1.0, 0.1));
  CHECK(error(1e-6) < 1e-5);
  CHECK(error(1e-9) < 1e-7);
}

TEST_CASE("where the linear theory does not hold the law says so") {
  const escape_law none = law_for("linear", {.alignment = 1.0}, 1e4);
  CHECK(none.status == law_status::no_instability);
  CHECK(std::isnan(none.quantile(0.5)));
  CHECK(std::isnan(none.mean()));
  CHECK(std::isnan(none.cdf(1.0)));
  // A frozen u, whose rate is zero though the target pulls; and he2 from μ = 0, where u grows of
  // its own (B = 2 > 0) and nothing pulls v.
  CHECK(law_for("erf", {.alignment = 0.5, .rate_ratio = 0.0}, 1e4).status ==
        law_status::no_instability);
  CHECK(law_for("he2", {.alignment = 0.0}, 1e4).status == law_status::no_instability);
  CHECK(law_for("erf", {.alignment = 0.5}, 10.0).status == law_status::small_dimension);
  // He_3 at μ = 0.2 never lowers the risk below one.
  const escape_law never =
      law_for("he3", {.alignment = 0.2}, 1e4, 0.0, {.quantity = overlap_quantity::risk, .at = 1.0});
  CHECK(never.status == law_status::no_escape);
  CHECK(std::isnan(never.quantile(0.5)));
}

TEST_CASE("arguments out of range are refused") {
  CHECK_THROWS_AS(law_for("erf", {.alignment = 0.5}, 2.0), argument_error);
  CHECK_THROWS_AS(law_for("erf", {.alignment = 0.5}, 1e4, 0.0, {.at = 0.5, .is_signed = true}),
                  argument_error);
  const escape_law law = law_for("erf", {.alignment = 0.5}, 1e4);
  CHECK_THROWS_AS(law.quantile(0.0), argument_error);
  CHECK_THROWS_AS(law.quantile(1.0), argument_error);
}
