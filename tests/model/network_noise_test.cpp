#include <Eigen/Core>
#include <Eigen/Eigenvalues>
#include <array>
#include <catch2/catch.hpp>
#include <cmath>
#include <loradyn/activation/parse.hpp>
#include <loradyn/error.hpp>
#include <loradyn/kernel/noise_moment.hpp>
#include <loradyn/model/network.hpp>
#include <loradyn/model/network_noise.hpp>
#include <string>
#include <vector>

#include "kernel/four_averages.hpp"
#include "model/half_line_averages.hpp"
#include "support/within.hpp"

using namespace loradyn;
using Eigen::MatrixXd;
using Eigen::VectorXd;

namespace {

struct fields {
  network_geometry g;
  network_state s;
  network_overlaps o;
  MatrixXd gram;
};

// A network of several widths in the middle of its training, some of it skew.
fields some_fields(Eigen::Index width, Eigen::Index targets, Eigen::Index rank, double size = 0.6) {
  fields f;
  f.g = aligned_geometry(width, targets, 0.7, 0.3, width);
  f.g.readout = VectorXd::LinSpaced(width, 0.5, 0.9);
  f.g.teacher_readout = VectorXd::LinSpaced(targets, 0.8, 0.6);
  const auto entry = [](Eigen::Index i, Eigen::Index j, double seed) {
    return std::sin(seed + 1.7 * static_cast<double>(i) + 2.9 * static_cast<double>(j));
  };
  f.s.U =
      MatrixXd::NullaryExpr(width, rank, [&](auto i, auto j) { return size * entry(i, j, 0.3); });
  f.s.C = MatrixXd::NullaryExpr(rank, f.g.directions(),
                                [&](auto i, auto j) { return 0.4 * entry(i, j, 1.1); });
  const MatrixXd beside = MatrixXd::NullaryExpr(
      rank, rank, [&](auto i, auto j) { return 0.5 * entry(i, j, 2.2) + (i == j ? 0.4 : 0.0); });
  f.s.P = beside * beside.transpose();
  f.s.a = f.g.readout;
  f.o = overlaps_of(f.g, f.s);
  f.gram = f.g.teacher * f.g.teacher.transpose();
  return f;
}

network_noise_value noise_of(const fields& f, const std::string& student,
                             const std::string& teacher, double label_noise) {
  return network_noise(parse_activation(student), parse_activation(teacher))
      .value(f.o, f.gram, f.s.a, f.g.teacher_readout, label_noise);
}

network_noise_value quadrature_of(const fields& f, const std::string& student,
                                  const std::string& teacher, double label_noise) {
  return network_noise(parse_activation(student), parse_activation(teacher))
      .by_quadrature(f.o, f.gram, f.s.a, f.g.teacher_readout, label_noise);
}

}  // namespace

TEST_CASE("the noise of one neuron is the noise moment (14.3)") {
  fields f = some_fields(1, 1, 2);
  f.s.a[0] = f.g.teacher_readout[0] = 0.7;
  for (const char* name : {"erf", "relu", "he3", "tanh", "gelu"}) {
    CAPTURE(name);
    const activation a = parse_activation(name);
    const double V = noise_moment(a, a).value(f.o.targets(0, 0), f.o.weights(0, 0),
                                              f.o.target_gaps(0, 0), 0.1 / 0.49);
    const network_noise_value found = noise_of(f, name, name, 0.1);
    CHECK(found.method == noise_method_kind::pair);
    CHECK(found.covariance(0, 0) == Approx(0.49 * 0.49 * V).epsilon(1e-11));
    // The general ways agree with it.
    f.g.teacher_readout[0] = std::nextafter(0.7, 1.0);
    const network_noise_value general = noise_of(f, name, name, 0.1);
    CHECK(general.method != noise_method_kind::pair);
    CHECK(general.covariance(0, 0) ==
          test::within(0.49 * 0.49 * V, 1e-8 * 0.49 * 0.49 * V + 6.0 * general.error));
    f.g.teacher_readout[0] = 0.7;
  }
}

TEST_CASE(
    "erf and polynomials and kinked lines agree with points in all dimensions (14.4) (14.5) "
    "(14.6)") {
  struct setting {
    const char* student;
    const char* teacher;
    noise_method_kind method;
    double bound;  // of the trace, beside six standard errors of the points
  };
  const auto s = GENERATE(setting{"erf", "erf", noise_method_kind::erf, 1e-9},
                          setting{"2*erf", "he3+erf", noise_method_kind::erf, 1e-9},
                          setting{"he3", "he3", noise_method_kind::polynomial, 1e-12},
                          setting{"he2+0.3*x", "he3", noise_method_kind::polynomial, 1e-12},
                          setting{"relu", "relu", noise_method_kind::kinked, 1e-9},
                          setting{"relu-0.1*x", "abs(x)", noise_method_kind::kinked, 1e-9},
                          setting{"relu^2", "relu^2", noise_method_kind::kinked, 1e-9},
                          setting{"relu^3-he2", "relu", noise_method_kind::kinked, 1e-9});
  const auto [width, targets, rank] =
      GENERATE(std::array{2, 1, 1}, std::array{2, 2, 2}, std::array{4, 2, 1}, std::array{3, 3, 3});
  const fields f = some_fields(width, targets, rank);
  CAPTURE(s.student, s.teacher, width, targets, rank);
  const network_noise_value found = noise_of(f, s.student, s.teacher, 0.2);
  const network_noise_value points = quadrature_of(f, s.student, s.teacher, 0.2);
  CHECK(found.method == s.method);
  CAPTURE(points.error / points.covariance.trace());
  const double trace = points.covariance.trace();
  CHECK((found.covariance - points.covariance).cwiseAbs().maxCoeff() ==
        test::within(0.0, s.bound * trace + 6.0 * points.error));
  // The points are no idle comparison; of cubes they see less than a digit.
  const bool grows = s.method == noise_method_kind::polynomial ||
                     std::string(s.student).find('^') != std::string::npos;
  CHECK(points.error < (grows ? 0.25 : 2e-2) * trace);
}

TEST_CASE("polynomials on half-lines are averaged to what they are together (14.17)") {
  // Variables of which two pairs are parallel, one of them opposite, and the first four dependent.
  MatrixXd rows(6, 3);
  rows << 1.0, 0.0, 0.0, 0.3, 0.8, 0.0, -0.5, 0.4, 0.9, 0.7, -0.6, 0.2, 0.6, 1.6, 0.0, 0.5, -0.4,
      -0.9;
  const MatrixXd c = rows * rows.transpose();
  half_line_averages averages(c);
  const std::vector<double> cube{0.3, -1.0, 0.5, 0.7};
  const std::vector<double> none{0.0};
  const auto part = [&](unsigned positive) {
    return positive != 0 ? half_line_function{none, cube} : half_line_function{cube, none};
  };
  const polynomial p = polynomial::from_monomials(cube);
  for (const std::array<Eigen::Index, 4> of : {std::array<Eigen::Index, 4>{0, 1, 2, 3},
                                               {1, 4, 2, 5},
                                               {0, 0, 1, 4},
                                               {2, 5, 5, 2},
                                               {3, 3, 3, 3}}) {
    CAPTURE(of);
    double sum = 0.0;
    for (unsigned sides = 0; sides < 16; ++sides) {
      std::array<half_line_function, 4> f;
      for (unsigned i = 0; i < 4; ++i) {
        f[i] = part((sides >> i) & 1u);
      }
      sum += averages.value(of, {&f[0], &f[1], &f[2], &f[3]});
    }
    std::array<std::vector<double>, 4> moments;
    Eigen::Matrix4d four;
    for (std::size_t i = 0; i < 4; ++i) {
      moments[i].resize(4);
      p.gaussian_derivatives(c(of[i], of[i]), moments[i]);
      for (std::size_t j = 0; j < 4; ++j) {
        four(static_cast<Eigen::Index>(i), static_cast<Eigen::Index>(j)) = c(of[i], of[j]);
      }
    }
    const double whole = polynomial_average({moments[0], moments[1], moments[2], moments[3]}, four);
    CHECK(sum == Approx(whole).epsilon(1e-8));
  }
}

TEST_CASE("the noise of powers of relu in a network is the noise moment of one neuron (14.17)") {
  // Two neurons, of which the second has no readout: the first has V to 1e-9.
  fields f = some_fields(2, 1, 2);
  f.s.a = Eigen::Vector2d(0.7, 0.0);
  f.g.teacher_readout[0] = 0.7;
  for (const char* name : {"relu^2", "relu^3", "relu^2-0.3*relu+he2"}) {
    CAPTURE(name);
    const activation a = parse_activation(name);
    const double V = noise_moment(a, a).value(f.o.targets(0, 0), f.o.weights(0, 0),
                                              f.o.target_gaps(0, 0), 0.1 / 0.49);
    const network_noise_value found = noise_of(f, name, name, 0.1);
    CHECK(found.method == noise_method_kind::kinked);
    CHECK(found.covariance(0, 0) == Approx(0.49 * 0.49 * V).epsilon(1e-9));
    CHECK(found.covariance(1, 1) == 0.0);
  }
}

namespace {

// Overlaps of rows of neurons and of targets, which may be parallel, or nothing.
fields fields_of_rows(const MatrixXd& W, const MatrixXd& T) {
  fields f;
  f.o.weights = W * W.transpose();
  f.o.targets = W * T.transpose();
  f.gram = T * T.transpose();
  f.s.a = VectorXd::LinSpaced(W.rows(), 0.5, 0.9);
  f.g.teacher_readout = VectorXd::LinSpaced(T.rows(), 0.8, -0.6);
  return f;
}

// Whether one is within the other's stated error, which is at most a part of the trace.
void check_within_error(const network_noise_value& found, const MatrixXd& exact, double part) {
  const double trace = exact.trace();
  CAPTURE(found.error / trace, exact, found.covariance);
  CHECK(found.error < part * trace);
  CHECK((found.covariance - exact).cwiseAbs().maxCoeff() ==
        test::within(0.0, found.error + 1e-12 * trace));
}

}  // namespace

TEST_CASE("given two fields, noise is that of closed forms to its stated error (14.18)") {
  struct setting {
    const char* student;  // the same function, but to the eye
    const char* exact;
    const char* teacher;
  };
  const auto s = GENERATE(
      setting{"erf+1e-30*tanh", "erf", "erf"}, setting{"2*erf+1e-30*tanh", "2*erf", "he3+erf"},
      setting{"erf+1e-30*tanh", "erf", "relu"}, setting{"erf+1e-30*tanh", "erf", "erf-0.3*relu"},
      setting{"he3+1e-30*tanh", "he3", "he3"}, setting{"he2+0.3*x+1e-30*tanh", "he2+0.3*x", "he3"});
  const auto [width, targets, rank] =
      GENERATE(std::array{2, 1, 1}, std::array{2, 2, 2}, std::array{3, 2, 1});
  const fields f = some_fields(width, targets, rank);
  CAPTURE(s.student, s.teacher, width, targets);
  const network_noise_value found = noise_of(f, s.student, s.teacher, 0.2);
  CHECK(found.method == noise_method_kind::conditional);
  check_within_error(found, noise_of(f, s.exact, s.teacher, 0.2).covariance, 1e-6);
}

TEST_CASE("parallel fields and rows of nothing have the noise that they have (14.18)") {
  MatrixXd T(2, 3);
  T << 1.0, 0.0, 0.0, 0.6, 0.8, 0.0;
  MatrixXd W(4, 3);
  SECTION("neurons at a target, against it, of it with another length") {
    W << 1.0, 0.0, 0.0, -1.0, 0.0, 0.0, 1.2, 1.6, 0.0, 0.3, 0.2, 0.4;
  }
  SECTION("nearly parallel neurons") {
    W << 1.0, 1e-5, 0.0, 1.0, 0.0, 1e-5, 0.5, -0.5, 0.2, 0.5, -0.5, 0.2 + 1e-8;
  }
  SECTION("a neuron of nothing, and two of which little is left beside the others") {
    W << 0.0, 0.0, 0.0, 1e-4, 0.0, 0.0, 0.6, 0.8, 1e-7, 0.4, 0.1, -0.9;
  }
  const fields f = fields_of_rows(W, T);
  for (const char* teacher : {"erf", "relu", "abs"}) {
    CAPTURE(teacher);
    const network_noise_value found = noise_of(f, "erf+1e-30*tanh", teacher, 0.1);
    CHECK(found.method == noise_method_kind::conditional);
    check_within_error(found, noise_of(f, "erf", teacher, 0.1).covariance, 1e-6);
  }
}

TEST_CASE("given two fields, noise is that of points for any smooth student (14.18)") {
  const auto pair = GENERATE(
      std::array{"tanh", "tanh"}, std::array{"gelu", "silu"}, std::array{"sin(2*x)+x", "tanh"},
      std::array{"softplus", "relu(x-0.5)"}, std::array{"sigmoid", "min(max(x,-1),1)"},
      std::array{"x*tanh(x)", "step(x-0.3)"}, std::array{"exp(-x^2)", "max(x,0.2*x-0.1)"});
  const fields f = some_fields(2, 2, 1);
  CAPTURE(pair[0], pair[1]);
  const network_noise_value found = noise_of(f, pair[0], pair[1], 0.2);
  const network_noise_value points = quadrature_of(f, pair[0], pair[1], 0.2);
  CHECK(found.method == noise_method_kind::conditional);
  const double trace = points.covariance.trace();
  CAPTURE(found.error / trace, points.error / trace);
  CHECK(found.error < 1e-6 * trace);
  CHECK((found.covariance - points.covariance).cwiseAbs().maxCoeff() ==
        test::within(0.0, found.error + 6.0 * points.error));
  CHECK(points.error < 1e-2 * trace);
}

TEST_CASE("the noise of neurons in another order is the same in that order (14.18)") {
  MatrixXd T(2, 4);
  T << 1.0, 0.0, 0.0, 0.0, 0.3, 0.9, 0.0, 0.0;
  MatrixXd W(3, 4);
  W << 0.8, 0.1, 0.4, 0.0, -0.3, 0.7, 0.2, 0.5, 0.1, -0.4, 0.9, 0.3;
  for (const char* teacher : {"tanh", "relu"}) {
    CAPTURE(teacher);
    fields f = fields_of_rows(W, T);
    const network_noise_value there = noise_of(f, "tanh", teacher, 0.0);
    const VectorXd a = f.s.a;
    f = fields_of_rows(W.colwise().reverse(), T);
    f.s.a = a.reverse();
    const network_noise_value here = noise_of(f, "tanh", teacher, 0.0);
    const MatrixXd reversed = here.covariance.colwise().reverse().rowwise().reverse();
    CHECK((there.covariance - reversed).cwiseAbs().maxCoeff() ==
          test::within(0.0, there.error + here.error));
    CHECK(there.covariance.selfadjointView<Eigen::Lower>().eigenvalues().minCoeff() > 0.0);
  }
  // At the targets there is none.
  fields f = fields_of_rows(T, T);
  f.s.a = f.g.teacher_readout;
  CHECK(noise_of(f, "tanh", "tanh", 0.0).covariance.cwiseAbs().maxCoeff() ==
        test::within(0.0, 1e-14));
}

TEST_CASE("the stated error of a steep student covers what is missed (14.18)") {
  const fields f = some_fields(2, 2, 1);
  // erf(6x): its strip is a fifth of that of tanh.
  MatrixXd gram = 36.0 * f.gram;
  fields steep = f;
  steep.o.weights *= 36.0;
  steep.o.targets *= 36.0;
  steep.gram = gram;
  const network_noise_value found = noise_of(steep, "erf+1e-30*tanh", "erf", 0.0);
  const network_noise_value exact = noise_of(steep, "erf", "erf", 0.0);
  CAPTURE(found.method, found.error / exact.covariance.trace());
  CHECK(std::abs((found.covariance - exact.covariance).trace()) <= 6.0 * found.error);
}

TEST_CASE("the stated error of points covers what they miss") {
  const auto [width, targets, rank] =
      GENERATE(std::array{2, 1, 1}, std::array{2, 2, 2}, std::array{4, 2, 1}, std::array{3, 2, 1},
               std::array{3, 3, 1});
  const auto pair = GENERATE(std::array{"erf", "erf"}, std::array{"relu", "relu"},
                             std::array{"he3", "he3"}, std::array{"he2", "he2"});
  const fields f = some_fields(width, targets, rank);
  CAPTURE(width, targets, rank, pair[0]);
  const network_noise_value exact = noise_of(f, pair[0], pair[1], 0.0);
  const network_noise_value points = quadrature_of(f, pair[0], pair[1], 0.0);
  const double missed = std::abs((exact.covariance - points.covariance).trace());
  CHECK(missed <= 6.0 * points.error);
  // Smooth pairs in three and four dimensions are within 1e-5 and 1e-4 of the trace.
  if (width * targets <= 4 && pair[0] == std::string("erf")) {
    CHECK(points.error < 1e-4 * exact.covariance.trace());
  }
}

TEST_CASE("orthants of known and of singular correlations (14.6)") {
  Eigen::Matrix4d r = Eigen::Matrix4d::Identity();
  CHECK(orthant_probability(r) == Approx(1.0 / 16.0));
  // Equal correlations ½: 1/(n + 1).
  r.setConstant(0.5);
  r.diagonal().setOnes();
  CHECK(orthant_probability(r) == test::within(0.2, 1e-9));
  // Four directions in a plane: the angle that their half planes share over 2π.
  const double pi = std::acos(-1.0);
  const auto plane = [pi](const Eigen::Vector4d& degrees) {
    Eigen::Matrix4d c;
    for (int i = 0; i < 4; ++i) {
      for (int j = 0; j < 4; ++j) {
        c(i, j) = std::cos((degrees[i] - degrees[j]) * pi / 180.0);
      }
    }
    return orthant_probability(c);
  };
  CHECK(plane({0.0, 20.0, 50.0, 75.0}) == test::within(105.0 / 360.0, 1e-7));
  CHECK(plane({50.0, 0.0, 120.0, 20.0}) == test::within(60.0 / 360.0, 1e-7));
  CHECK(plane({0.0, 1e-3, 170.0, 90.0}) == test::within(10.0 / 360.0, 1e-7));
  CHECK(plane({0.0, 100.0, 200.0, 300.0}) == test::within(0.0, 1e-7));
}
