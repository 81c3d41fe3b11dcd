#include <Eigen/Core>
#include <catch2/catch.hpp>
#include <cmath>
#include <loradyn/activation/parse.hpp>
#include <loradyn/error.hpp>
#include <loradyn/model/network.hpp>
#include <loradyn/model/network_risk.hpp>
#include <loradyn/model/population_risk.hpp>

#include "support/difference.hpp"
#include "support/within.hpp"

using namespace loradyn;
using Eigen::MatrixXd;
using Eigen::VectorXd;

namespace {

double entry(Eigen::Index i, Eigen::Index j, double seed) {
  return std::sin(seed + 1.7 * static_cast<double>(i) + 2.9 * static_cast<double>(j));
}

network_overlaps overlaps(const MatrixXd& W, const MatrixXd& T) {
  network_geometry g;
  g.teacher = T;
  g.pretrained = W;
  network_state s;
  s.U = MatrixXd::Zero(W.rows(), 1);
  s.C = MatrixXd::Zero(1, W.cols());
  s.P = MatrixXd::Zero(1, 1);
  return overlaps_of(g, s);
}

}  // namespace

TEST_CASE("the risk's slopes are those of the risk in the weights and readouts (14.1) (14.2)") {
  const char* name = GENERATE("erf", "relu", "he3", "tanh", "gelu", "relu+0.2*he2");
  CAPTURE(name);
  const network_risk risk(parse_activation(name), parse_activation(name));
  const MatrixXd W =
      MatrixXd::NullaryExpr(3, 4, [](auto i, auto j) { return 0.8 * entry(i, j, 0.2); });
  const MatrixXd T = MatrixXd::NullaryExpr(2, 4, [](auto i, auto j) { return entry(i, j, 1.3); });
  const VectorXd a = VectorXd::LinSpaced(3, 0.4, -0.7);
  const VectorXd b = VectorXd::LinSpaced(2, 0.5, 0.8);
  const MatrixXd gram = T * T.transpose();
  network_slopes s;
  risk.slopes(overlaps(W, T), gram, a, b, true, s);
  const MatrixXd G = s.targets * T + s.twice_weights * W;
  const double scale = G.cwiseAbs().maxCoeff();
  for (Eigen::Index j = 0; j < W.rows(); ++j) {
    const double by_a = test::difference(
        [&](double t) {
          VectorXd moved = a;
          moved[j] += t;
          return risk.value(overlaps(W, T), gram, moved, b, 0.0);
        },
        1e-3);
    CHECK(s.readouts[j] == test::within(by_a, 1e-9 * (1.0 + std::abs(by_a))));
    for (Eigen::Index i = 0; i < W.cols(); ++i) {
      const double by_W = test::difference(
          [&](double t) {
            MatrixXd moved = W;
            moved(j, i) += t;
            return risk.value(overlaps(moved, T), gram, a, b, 0.0);
          },
          4e-3);
      CHECK(G(j, i) == test::within(by_W, 1e-8 * scale));
    }
  }
}

TEST_CASE("the risk of one neuron is the population risk") {
  for (const char* name : {"erf", "relu", "he3", "tanh"}) {
    CAPTURE(name);
    const activation f = parse_activation(name);
    const network_risk network(f, f);
    const population_risk single(f, f);
    const MatrixXd W = Eigen::RowVector2d(0.4, 0.7);
    const MatrixXd T = Eigen::RowVector2d(1.0, 0.0);
    const network_overlaps o = overlaps(W, T);
    const VectorXd one = VectorXd::Ones(1);
    const field_overlaps fields{0.4, 0.65, 0.49};
    CHECK(network.value(o, T * T.transpose(), one, one, 0.3) ==
          Approx(single.value(fields, 0.3)).epsilon(1e-13));
  }
}

TEST_CASE("a network that is its teacher has no risk") {
  for (const char* name : {"erf", "relu", "he3"}) {
    const activation f = parse_activation(name);
    const MatrixXd T = MatrixXd::Identity(3, 3);
    const VectorXd b = VectorXd::Constant(3, 1.0 / std::sqrt(3.0));
    CHECK(network_risk(f, f).value(overlaps(T, T), T, b, b, 0.2) == 0.1);
  }
  CHECK_THROWS_AS(network_risk(parse_activation("step"), parse_activation("erf")), argument_error);
}
