#include <Eigen/Core>
#include <algorithm>
#include <catch2/catch.hpp>
#include <cmath>
#include <loradyn/activation/parse.hpp>
#include <loradyn/analysis/equilibria.hpp>
#include <loradyn/analysis/network_equilibria.hpp>
#include <loradyn/analysis/outcome.hpp>
#include <string>
#include <vector>

#include "support/within.hpp"

using namespace loradyn;
using Eigen::Index;
using Eigen::MatrixXd;

namespace {

double entry(Index i, Index j, double seed) {
  const double x =
      std::sin(12.9898 * static_cast<double>(i) + 78.233 * static_cast<double>(j) + 37.719 * seed) *
      43758.5453;
  return 2.0 * (x - std::floor(x)) - 1.0;
}

// Starts of every size and direction.
std::vector<network_state> starts_of(const network_flow& f, int count) {
  const network_geometry& g = f.geometry();
  const network_parameters& p = f.parameters();
  std::vector<network_state> starts;
  for (int s = 0; s < count; ++s) {
    const double size = 3.0 * (s + 0.5) / count;
    network_state x;
    x.U = MatrixXd::NullaryExpr(g.width(), p.rank,
                                [&](auto i, auto j) { return size * entry(i, j, s); });
    MatrixXd V = MatrixXd::NullaryExpr(p.rank, g.directions() + p.rank,
                                       [&](auto i, auto j) { return entry(i, j + 50, s); });
    V.rightCols(p.rank) *= 0.5 + 0.5 * entry(7, 7, s);
    if (p.adapter == adapter_constraint::sphere) {
      V.rowwise().normalize();
    }
    x.C = V.leftCols(g.directions());
    x.P = V.rightCols(p.rank) * V.rightCols(p.rank).transpose();
    x.a = g.readout;
    starts.push_back(x);
  }
  return starts;
}

}  // namespace

TEST_CASE("one neuron's equilibria are those of the network of one") {
  for (const auto& [name, mu, nu, gamma] : {std::tuple("he3", 0.2, 0.0, 0.0),
                                            {"he3", 0.5, 0.0, 0.0},
                                            {"he5", 0.3, 0.0, 0.0},
                                            {"erf", 0.5, 0.0, 0.0},
                                            {"tanh", 0.4, 0.3, 0.0},
                                            {"he2", 0.5, 0.2, 0.0},
                                            {"gelu", 0.3, 0.2, 0.0},
                                            {"erf", 0.5, 0.0, 0.5},
                                            {"he3", 0.5, 0.0, 0.02}}) {
    CAPTURE(name, mu, nu, gamma);
    const activation a = parse_activation(name);
    const learning_task task(a, a);
    const flow single(task, {mu, nu, gamma, 0.0, 1.0});
    const outcome_classifier classifier(task);
    const std::vector<equilibrium> expected = equilibria(single, classifier.critical_points());
    network_parameters p;
    p.noise_scale = gamma;
    const network_flow f({a, a}, aligned_geometry(1, 1, mu, nu, 1), p);
    const std::vector<network_equilibrium> found =
        equilibria(f, starts_of(f, std::string(name) == "gelu" ? 20 : 150));
    for (const equilibrium& e : expected) {
      CAPTURE(e.x.u, e.x.m, e.x.s, e.M, e.Q, e.risk);
      const auto same = std::find_if(found.begin(), found.end(), [&](const network_equilibrium& x) {
        const network_overlaps o = overlaps_of(f.geometry(), x.x);
        return std::abs(o.targets(0, 0) - e.M) <= 1e-9 * (1.0 + std::abs(e.M)) &&
               std::abs(o.weights(0, 0) - e.Q) <= 1e-9 * (1.0 + e.Q) &&
               (std::abs(e.x.u) > 1e-6) == (std::abs(x.x.U(0, 0)) > 1e-6);
      });
      REQUIRE(same != found.end());
      CHECK(same->risk == test::within(e.risk, 1e-9));
      CHECK(same->kind == e.kind);
      REQUIRE(same->eigenvalues.size() == (nu > 0.0 ? 3 : 2));
      // Where no family is, and the two have the same member.
      if (e.kind != equilibrium_kind::neutral && same->flat == 0 && nu == 0.0) {
        // Along s, which is not there, (u, m) has no eigenvalue.
        for (const auto& value : same->eigenvalues) {
          const double distance =
              std::abs(*std::min_element(e.eigenvalues.begin(), e.eigenvalues.end(),
                                         [&](const auto& b, const auto& c) {
                                           return std::abs(b - value) < std::abs(c - value);
                                         }) -
                       value);
          CHECK(distance <= 1e-7 * (1.0 + std::abs(value)));
        }
      }
    }
    // And no others.
    CHECK(found.size() == expected.size());
  }
}
