#include <Eigen/Cholesky>
#include <Eigen/Core>
#include <algorithm>
#include <array>
#include <catch2/catch.hpp>
#include <cmath>
#include <loradyn/activation/parse.hpp>
#include <loradyn/dynamics/flow.hpp>
#include <loradyn/dynamics/integrate.hpp>
#include <loradyn/dynamics/network_event.hpp>
#include <loradyn/dynamics/network_flow.hpp>
#include <loradyn/error.hpp>
#include <string>
#include <vector>

#include "support/difference.hpp"
#include "support/network_task.hpp"
#include "support/within.hpp"

using namespace loradyn;
using Eigen::MatrixXd;
using Eigen::VectorXd;
using test::task_of;

namespace {

double entry(Eigen::Index i, Eigen::Index j, double seed) {
  return std::sin(seed + 1.7 * static_cast<double>(i) + 2.9 * static_cast<double>(j));
}

// A state in general position.
network_state some_state(const network_geometry& g, const network_parameters& p) {
  const Eigen::Index r = p.rank;
  network_state x;
  x.U = MatrixXd::NullaryExpr(g.width(), r, [](auto i, auto j) { return 0.6 * entry(i, j, 0.3); });
  x.C = MatrixXd::NullaryExpr(r, g.directions(),
                              [](auto i, auto j) { return 0.4 * entry(i, j, 1.1); });
  const MatrixXd beside = MatrixXd::NullaryExpr(
      r, r, [](auto i, auto j) { return 0.5 * entry(i, j, 2.2) + (i == j ? 0.4 : 0.0); });
  x.P = beside * beside.transpose();
  if (p.adapter == adapter_constraint::sphere) {
    const VectorXd shrink =
        (x.C.rowwise().squaredNorm() + x.P.diagonal()).cwiseSqrt().cwiseInverse();
    x.C = (shrink.asDiagonal() * x.C).eval();
    x.P = (shrink.asDiagonal() * x.P * shrink.asDiagonal()).eval();
  }
  x.a = g.readout;
  return x;
}

// The rows of V in the p directions and r more.
MatrixXd rows_of(const network_state& x) {
  MatrixXd V(x.C.rows(), x.C.cols() + x.P.rows());
  V << x.C, MatrixXd(x.P.llt().matrixL());
  return V;
}

network_state state_of(const MatrixXd& U, const MatrixXd& V, Eigen::Index p, const VectorXd& a) {
  const MatrixXd beside = V.rightCols(V.cols() - p);
  return {U, V.leftCols(p), beside * beside.transpose(), a};
}

}  // namespace

TEST_CASE("one neuron with one adapter is the flow of (u, m, s), whatever the activation (14.7)") {
  const char* name =
      GENERATE("linear", "relu", "erf", "sigmoid", "tanh", "softplus", "gelu", "silu", "sin", "cos",
               "he2", "he3", "he6", "relu+0.3*he2", "abs(x)", "0.5*relu-erf");
  const double nu = GENERATE(0.0, 0.3);
  CAPTURE(name, nu);
  const activation f = parse_activation(name);
  const double gamma = 0.7;
  const flow single(learning_task(f, f), {0.5, nu, gamma, 0.1, 1.3});
  network_parameters p;
  p.noise_scale = gamma;
  p.label_noise = 0.1;
  p.rate_ratio = 1.3;
  const network_flow network({f, f}, aligned_geometry(1, 1, 0.5, nu, 1), p);
  for (const overlap_state x : {overlap_state{0.4, 0.3, 0.2}, overlap_state{-0.7, 0.6, 0.1},
                                overlap_state{1e-4, 0.03, 0.01}}) {
    network_state y;
    y.U = MatrixXd::Constant(1, 1, x.u);
    y.C = nu > 0.0 ? MatrixXd(Eigen::RowVector2d(x.m, x.s)) : MatrixXd::Constant(1, 1, x.m);
    y.P = MatrixXd::Zero(1, 1);
    y.a = VectorXd::Ones(1);
    overlap_state at = x;
    if (nu == 0.0) {
      at.s = 0.0;
    }
    const overlap_state expected = single.velocity(at);
    const network_state found = network.velocity(y);
    // The tables of the one and the kernels of the other are within 1e-13 of their terms.
    const double scale = std::abs(expected.u) + std::abs(expected.m) + 0.1;
    CHECK(found.U(0, 0) == test::within(expected.u, 1e-12 * scale));
    CHECK(found.C(0, 0) == test::within(expected.m, 1e-12 * scale));
    if (nu > 0.0) {
      CHECK(found.C(0, 1) == test::within(expected.s, 1e-12 * scale));
    }
    CHECK(network.risk(y) == test::within(single.risk(at), 1e-13));
    const overlap_state step = single.map(at, 0.2);
    const network_state next = network.map(y, 0.2);
    CHECK(next.U(0, 0) == test::within(step.u, 1e-12 * scale));
    CHECK(next.C(0, 0) == test::within(step.m, 1e-12 * scale));
  }
}

TEST_CASE("without noise the flow follows the gradient of the risk in U and V (14.7)") {
  const auto adapter =
      GENERATE(adapter_constraint::sphere, adapter_constraint::free, adapter_constraint::frobenius);
  const char* name = GENERATE("erf", "relu", "he3");
  CAPTURE(name_of(adapter_constraints, adapter), name);
  network_geometry g = aligned_geometry(3, 2, 0.6, 0.3, 2);
  g.readout = VectorXd::LinSpaced(3, 0.5, 0.9);
  network_parameters p;
  p.rank = 2;
  p.adapter = adapter;
  p.rate_ratio = 1.4;
  p.readout_ratio = 0.7;
  p.decay = 0.2;
  const network_flow f(task_of(name), g, p);
  const network_state x = some_state(g, p);
  const network_state v = f.velocity(x);
  const MatrixXd V = rows_of(x);
  const Eigen::Index n = g.directions();
  // The risk of the weights, which no constraint holds.
  network_parameters loose = p;
  loose.adapter = adapter_constraint::free;
  const network_flow unheld(task_of(name), g, loose);
  const auto by = [&](const MatrixXd& at, const auto& risk) {
    return MatrixXd::NullaryExpr(at.rows(), at.cols(),
                                 [&](auto i, auto j) {
                                   return test::difference(
                                       [&](double t) {
                                         MatrixXd moved = at;
                                         moved(i, j) += t;
                                         return risk(moved);
                                       },
                                       4e-3);
                                 })
        .eval();
  };
  const MatrixXd by_U =
      by(x.U, [&](const MatrixXd& U) { return unheld.risk(state_of(U, V, n, x.a)); });
  const MatrixXd by_V =
      by(V, [&](const MatrixXd& moved) { return unheld.risk(state_of(x.U, moved, n, x.a)); });
  const MatrixXd by_a =
      by(x.a, [&](const MatrixXd& a) { return unheld.risk(state_of(x.U, V, n, a)); });
  MatrixXd V_velocity = -by_V - p.decay * V;
  if (adapter == adapter_constraint::sphere) {
    for (Eigen::Index a = 0; a < V.rows(); ++a) {
      V_velocity.row(a) -= V_velocity.row(a).dot(V.row(a)) * V.row(a);
    }
  } else if (adapter == adapter_constraint::frobenius) {
    V_velocity -= (V_velocity.cwiseProduct(V).sum() / V.squaredNorm()) * V;
  }
  const double scale = by_U.cwiseAbs().maxCoeff() + by_V.cwiseAbs().maxCoeff();
  const double bound = 3e-8 * scale;
  CHECK((v.U + p.rate_ratio * (by_U + p.decay * x.U)).cwiseAbs().maxCoeff() ==
        test::within(0.0, bound));
  CHECK((v.C - V_velocity.leftCols(n)).cwiseAbs().maxCoeff() == test::within(0.0, bound));
  const MatrixXd beside = V.rightCols(V.cols() - n);
  const MatrixXd turned = V_velocity.rightCols(V.cols() - n) * beside.transpose();
  CHECK((v.P - turned - turned.transpose()).cwiseAbs().maxCoeff() == test::within(0.0, bound));
  CHECK((v.a + p.readout_ratio * by_a).cwiseAbs().maxCoeff() == test::within(0.0, bound));
}

TEST_CASE("the map goes to the flow with its learning rate, and keeps the constraint (14.8)") {
  const auto adapter =
      GENERATE(adapter_constraint::sphere, adapter_constraint::free, adapter_constraint::frobenius);
  CAPTURE(name_of(adapter_constraints, adapter));
  const network_geometry g = aligned_geometry(2, 2, 0.6, 0.3, 2);
  network_parameters p;
  p.rank = 2;
  p.adapter = adapter;
  p.noise_scale = 2.0;
  p.label_noise = 0.1;
  p.rate_ratio = 1.3;
  const network_flow f(task_of("erf"), g, p);
  const network_state x = some_state(g, p);
  const network_state v = f.velocity(x);
  const auto missed = [&](double eta) {
    const network_state next = f.map(x, eta);
    return ((next.U - x.U) / eta - v.U).norm() + ((next.C - x.C) / eta - v.C).norm() +
           ((next.P - x.P) / eta - v.P).norm();
  };
  CHECK(missed(1e-4) / missed(2e-4) == Approx(0.5).epsilon(0.01));
  const network_state next = f.map(x, 0.5);
  if (adapter == adapter_constraint::sphere) {
    CHECK((next.S().diagonal() - VectorXd::Ones(2)).norm() == test::within(0.0, 1e-15));
  } else if (adapter == adapter_constraint::frobenius) {
    CHECK(next.S().trace() == Approx(x.S().trace()).epsilon(1e-14));
  }
}

TEST_CASE("a free adapter without noise stays balanced") {
  // V V' - U' U/κ.
  const network_geometry g = aligned_geometry(3, 2, 0.5, 0.2, 3);
  network_parameters p;
  p.rank = 2;
  p.adapter = adapter_constraint::free;
  p.rate_ratio = 1.4;
  const char* name = GENERATE("erf", "relu", "he3");
  const network_flow f(task_of(name), g, p);
  const network_state x = some_state(g, p);
  integration_options options;
  options.end_time = 5.0;
  const auto r = integrate_network(system_of(f), f.pack(x), 0.0, options);
  CHECK(r.status == integration_status::end_time);
  const network_state y = f.unpack(r.x);
  CHECK((y.U - x.U).norm() > 0.05);
  const auto balance = [&](const network_state& s) {
    return (s.S() - s.U.transpose() * s.U / p.rate_ratio).eval();
  };
  CHECK((balance(y) - balance(x)).norm() == test::within(0.0, 1e-7));
  CHECK(f.risk(y) < f.risk(x));
}

TEST_CASE("a free adapter of one neuron follows the scalar equations") {
  // docs/theory.md, section 14: u' = -κ<v,g>, q' = -2u<v,g> + γu²V, m' = -u(R_M + 2R_Q M),
  // s' = -2u R_Q(ν + us), Q = μ² + ν² + 2up + qu².
  const activation a = parse_activation("erf");
  const learning_task task(a, a);
  const double mu = 0.5;
  const double nu = 0.3;
  const double kappa = 1.4;
  const double gamma = 0.8;
  const double noise = 0.1;
  using state = std::array<double, 3>;
  const auto slopes = [&](double u, double m, double s, double q) {
    const double M = mu + u * m;
    const double Q = mu * mu + nu * nu + 2.0 * u * (mu * m + nu * s) + q * u * u;
    return field_overlaps{M, Q, Q - M * M};
  };
  // q follows from what is conserved where γ = 0; with noise it is integrated by its own formula.
  network_parameters p;
  p.adapter = adapter_constraint::free;
  p.rate_ratio = kappa;
  p.noise_scale = gamma;
  p.label_noise = noise;
  const network_flow f({a, a}, aligned_geometry(1, 1, mu, nu, 1), p);
  const double q = 1.2;
  const state x{0.4, 0.3, 0.2};
  network_state y;
  y.U = MatrixXd::Constant(1, 1, x[0]);
  y.C = Eigen::RowVector2d(x[1], x[2]);
  y.P = MatrixXd::Constant(1, 1, q - x[1] * x[1] - x[2] * x[2]);
  y.a = VectorXd::Ones(1);
  const network_state v = f.velocity(y);
  const field_overlaps o = slopes(x[0], x[1], x[2], q);
  const risk_gradient r = task.risk.gradient(o);
  const double along = r.M * x[1] + 2.0 * r.Q * (mu * x[1] + nu * x[2] + q * x[0]);
  const double V = task.noise.value(o.M, o.Q, o.gap, noise);
  CHECK(v.U(0, 0) == Approx(-kappa * along).epsilon(1e-12));
  CHECK(v.C(0, 0) == Approx(-x[0] * (r.M + 2.0 * r.Q * o.M)).epsilon(1e-12));
  CHECK(v.C(0, 1) == Approx(-2.0 * x[0] * r.Q * (nu + x[0] * x[2])).epsilon(1e-12));
  const double q_slope = v.P(0, 0) + 2.0 * (x[1] * v.C(0, 0) + x[2] * v.C(0, 1));
  CHECK(q_slope == Approx(-2.0 * x[0] * along + gamma * x[0] * x[0] * V).epsilon(1e-12));
}

TEST_CASE("a committee of erf stays on a plateau and then specialises") {
  // Saad and Solla: K = k = 3, orthonormal teacher, all of W from small weights. On the symmetric
  // plateau every student sees every target alike; then each takes one.
  network_geometry g;
  // Their erf is erf(x/√2): weights of 1/√2 of theirs.
  const double scale = std::sqrt(0.5);
  g.teacher = scale * MatrixXd::Identity(3, 3);
  g.pretrained = MatrixXd::Zero(3, 3);
  g.source = MatrixXd::Zero(0, 3);
  g.readout = g.teacher_readout = VectorXd::Ones(3);
  g.source_readout = VectorXd::Zero(0);
  network_parameters p;
  p.rank = 3;
  p.adapter = adapter_constraint::free;
  p.rate_ratio = 0.0;
  // The plateau at small learning rates has overlaps R² = 1/(k (2k - 1)) and Q = 1/(2k - 1) (Saad
  // and Solla 1995).
  const network_flow f(task_of("erf"), g, p);
  network_state x;
  x.U = MatrixXd::Identity(3, 3);
  x.C = MatrixXd::NullaryExpr(3, 3, [](auto i, auto j) { return 1e-6 * entry(i, j, 0.4); });
  x.P = 0.005 * MatrixXd::Identity(3, 3);
  x.a = g.readout;
  integration_options options;
  options.end_time = 5000.0;
  double flattest = 1.0;
  network_state plateau;
  const std::function<bool(const dense_step<any_dimension>&)> watch =
      [&](const dense_step<any_dimension>& step) {
        double speed = 0.0;
        for (const double v : step.velocity_at_end) {
          speed = std::max(speed, std::abs(v));
        }
        const network_state at = f.unpack(step.at_end);
        if (speed < flattest && at.C.maxCoeff() < 0.4 && at.C.maxCoeff() > 0.1) {
          flattest = speed;
          plateau = at;
        }
        return true;
      };
  const auto r = integrate_network(system_of(f), f.pack(x), 0.0, options, {}, watch);
  REQUIRE(plateau.C.size() == 9);
  CHECK((plateau.C.array() / scale - std::sqrt(1.0 / 15.0)).abs().maxCoeff() ==
        test::within(0.0, 0.01));
  CHECK((plateau.S().array() / (scale * scale) - 1.0 / 5.0).abs().maxCoeff() ==
        test::within(0.0, 0.01));
  // Specialised: a permutation of the targets, and no risk.
  const network_state end = f.unpack(r.x);
  CHECK(f.risk(end) < 1e-6);
  CHECK(end.C.rowwise().maxCoeff().minCoeff() > 0.999 * scale);
  CHECK(end.C.colwise().maxCoeff().minCoeff() > 0.999 * scale);
}

TEST_CASE("a source task's risk is that of its own rows") {
  const activation a = parse_activation("erf");
  const activation s = parse_activation("he2");
  const network_geometry g = aligned_geometry(2, 2, 0.5, 0.2, 2, 0.6);
  network_parameters p;
  const network_flow f({a, a, s}, g, p);
  network_geometry swapped = g;
  swapped.teacher = g.source;
  swapped.source = MatrixXd::Zero(0, g.directions());
  swapped.source_readout = VectorXd::Zero(0);
  const network_flow other({a, s}, swapped, p);
  const network_state x = some_state(g, p);
  CHECK(f.source_risk(x) == Approx(other.risk(x)).epsilon(1e-14));
  CHECK(std::isnan(other.source_risk(x)));
  CHECK_THROWS_AS(network_flow({a, a}, g, p), argument_error);
}

TEST_CASE("an event has a name") {
  const auto m = network_event_named("m");
  REQUIRE(m);
  CHECK(m->quantity == network_overlap_quantity::m);
  CHECK(!m->entry);
  const auto source = network_event_named("source-risk");
  REQUIRE(source);
  CHECK(source->quantity == network_overlap_quantity::source_risk);
  const auto entry = network_event_named("M_1_12");
  REQUIRE(entry);
  CHECK(entry->quantity == network_overlap_quantity::M);
  CHECK(entry->entry == std::pair<std::ptrdiff_t, std::ptrdiff_t>(1, 12));
  for (const char* const none : {"", "n", "n_1_1", "_1_1", "risks", "M "}) {
    CHECK(!network_event_named(none));
  }
  // An entry that is none is refused where the sizes are known.
  network_parameters p;
  const network_flow f(task_of("erf"), aligned_geometry(2, 2, 0.5, 0.0, 2), p);
  CHECK_NOTHROW(network_event_named("M_2_1")->validate(f));
  for (const char* const wrong :
       {"M_3_1", "M_1", "M_1_x", "M_1_1_1", "M_", "M_1_-1", "S_1_2", "M_99999999999999999999_1"}) {
    CHECK_THROWS_AS(network_event_named(wrong)->validate(f), argument_error);
  }
}
