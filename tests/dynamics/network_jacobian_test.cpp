#include <Eigen/Core>
#include <algorithm>
#include <catch2/catch.hpp>
#include <cmath>
#include <loradyn/activation/parse.hpp>
#include <loradyn/dynamics/flow.hpp>
#include <loradyn/dynamics/network_jacobian.hpp>
#include <string>
#include <vector>

#include "support/network_task.hpp"
#include "support/within.hpp"

using namespace loradyn;
using Eigen::Index;
using Eigen::MatrixXd;
using Eigen::VectorXd;
using test::task_of;

namespace {

double entry(Index i, Index j, double seed) {
  return std::sin(seed + 1.7 * static_cast<double>(i) + 2.9 * static_cast<double>(j));
}

// A state inside all edges.
network_state some_state(const network_geometry& g, const network_parameters& p) {
  const Index r = p.rank;
  network_state x;
  x.U = MatrixXd::NullaryExpr(g.width(), r, [](auto i, auto j) { return 0.6 * entry(i, j, 0.3); });
  MatrixXd V = MatrixXd::NullaryExpr(r, g.directions() + r,
                                     [](auto i, auto j) { return 0.4 * entry(i, j, 1.1); });
  V.rightCols(r).diagonal().array() += 0.5;
  if (p.adapter == adapter_constraint::sphere) {
    V.rowwise().normalize();
  }
  x.C = V.leftCols(g.directions());
  x.P = V.rightCols(r) * V.rightCols(r).transpose();
  x.a = g.readout;
  return x;
}

// By differences of the sixth order.
MatrixXd differences(const network_flow& f, const std::vector<double>& x) {
  const auto n = static_cast<Index>(x.size());
  MatrixXd j(n, n);
  for (std::size_t k = 0; k < x.size(); ++k) {
    const double h = 2e-3;
    const auto at = [&](double step) {
      std::vector<double> moved = x;
      moved[k] += step;
      const std::vector<double> v = f.pack(f.velocity(f.unpack(moved)));
      return VectorXd(Eigen::Map<const VectorXd>(v.data(), n));
    };
    j.col(static_cast<Index>(k)) = (45.0 * (at(h) - at(-h)) - 9.0 * (at(2.0 * h) - at(-2.0 * h)) +
                                    (at(3.0 * h) - at(-3.0 * h))) /
                                   (60.0 * h);
  }
  return j;
}

}  // namespace

TEST_CASE("the Jacobian of a network's flow, against differences of its velocity") {
  const auto* name = GENERATE("erf", "he3", "gelu", "relu", "he1+he2");
  const auto adapter =
      GENERATE(adapter_constraint::sphere, adapter_constraint::free, adapter_constraint::frobenius);
  CAPTURE(name, name_of(adapter_constraints, adapter));
  network_parameters p;
  p.rank = 2;
  p.adapter = adapter;
  p.rate_ratio = 0.7;
  p.readout_ratio = 0.3;
  p.decay = 0.05;
  // Where Σ is exact.
  p.noise_scale = std::string(name) == "erf" || std::string(name) == "he3" ? 0.4 : 0.0;
  p.label_noise = 0.1;
  network_geometry g = aligned_geometry(3, 2, 0.5, 0.3, 2);
  g.readout << 1.0, 0.7, -0.4;
  const network_flow f(task_of(name), g, p);
  const std::vector<double> x = f.pack(some_state(g, p));
  const MatrixXd exact = jacobian_of(f, x);
  const MatrixXd expected = differences(f, x);
  // Where Σ's own differences are in it, half its digits are.
  const double bound = p.noise_scale > 0.0 ? 1e-8 : 1e-9;
  CHECK((exact - expected).cwiseAbs().maxCoeff() <= bound * expected.cwiseAbs().maxCoeff());
}

TEST_CASE("with noise the system takes differences, whose steps are as small as the overlaps") {
  network_parameters p;
  p.rank = 2;
  p.noise_scale = 0.4;
  const network_flow f(task_of("erf"), aligned_geometry(3, 2, 0.5, 0.3, 2), p);
  network_state start = some_state(f.geometry(), p);
  start.U(0, 0) = 1e-4;
  const std::vector<double> x = f.pack(start);
  const MatrixXd expected = differences(f, x);
  CHECK((system_of(f).jacobian(x) - expected).cwiseAbs().maxCoeff() <=
        1e-6 * expected.cwiseAbs().maxCoeff());
}

TEST_CASE("the Jacobian of one neuron's flow, on the sphere's edge too") {
  const auto* name = GENERATE("erf", "he3", "tanh", "he2");
  CAPTURE(name);
  const activation a = parse_activation(name);
  const flow single(learning_task(a, a), {0.4, 0.3, 0.0, 0.0, 1.3});
  network_parameters p;
  p.rate_ratio = 1.3;
  const network_flow network(task_of(name), aligned_geometry(1, 1, 0.4, 0.3, 1), p);
  for (const overlap_state& x :
       {overlap_state{0.3, 0.4, -0.2}, {0.7, 0.8, 0.6}, {-0.5, 1.0, 0.0}}) {
    CAPTURE(x.u, x.m, x.s);
    const Eigen::Matrix3d expected = single.jacobian(x);
    const MatrixXd found = jacobian_of(network, std::vector<double>{x.u, x.m, x.s, 1.0});
    CHECK((found.topLeftCorner(3, 3) - expected).cwiseAbs().maxCoeff() <=
          1e-10 * expected.cwiseAbs().maxCoeff());
    CHECK(found.row(3).isZero(0.0));
  }
}
