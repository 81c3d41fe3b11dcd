#include <Eigen/Dense>
#include <Eigen/Eigenvalues>
#include <algorithm>
#include <array>
#include <catch2/catch.hpp>
#include <cmath>
#include <limits>
#include <loradyn/activation/parse.hpp>
#include <loradyn/dynamics/flow.hpp>
#include <loradyn/dynamics/pretraining.hpp>
#include <loradyn/error.hpp>
#include <loradyn/gaussian/average.hpp>
#include <span>
#include <string>
#include <vector>

#include "support/difference.hpp"
#include "support/within.hpp"

using namespace loradyn;

namespace {

flow make_flow(const char* student, const char* teacher, const lora_parameters& p) {
  return {learning_task(parse_activation(student), parse_activation(teacher)), p};
}

Eigen::Vector3d vector(const overlap_state& x) { return {x.u, x.m, x.s}; }
overlap_state state(const Eigen::Vector3d& x) { return {x[0], x[1], x[2]}; }

const lora_parameters general{.alignment = 0.4,
                              .misalignment = 0.3,
                              .noise_scale = 0.7,
                              .label_noise = 0.2,
                              .rate_ratio = 1.7};
const overlap_state somewhere{0.35, 0.45, -0.3};

// Training seen from the weights themselves: w* , ξ and one more axis span all that matters.
struct weights {
  double u;
  Eigen::Vector3d v;
};

weights weights_of(const overlap_state& x) {
  return {x.u, {x.m, x.s, std::sqrt(1.0 - x.m * x.m - x.s * x.s)}};
}

double risk_of(const flow& f, double u, const Eigen::Vector3d& v) {
  const lora_parameters& p = f.parameters();
  const Eigen::Vector3d w = Eigen::Vector3d(p.alignment, p.misalignment, 0.0) + u * v;
  return f.task().risk.value({.M = w[0], .Q = w.squaredNorm(), .gap = w[1] * w[1] + w[2] * w[2]},
                             p.label_noise);
}

Eigen::Vector3d gradient_in_v(const flow& f, const weights& x) {
  Eigen::Vector3d g;
  for (Eigen::Index i = 0; i < 3; ++i) {
    g[i] = test::difference(
        [&](double t) { return risk_of(f, x.u, x.v + t * Eigen::Vector3d::Unit(i)); }, 3e-3);
  }
  return g;
}

}  // namespace

// (6.3) at γ = 0
TEST_CASE("without noise the flow is gradient descent on the sphere") {
  for (const char* name : {"erf", "he3", "relu", "tanh"}) {
    for (const double nu : {0.0, 0.3}) {
      CAPTURE(name, nu);
      lora_parameters p = general;
      p.misalignment = nu;
      p.noise_scale = 0.0;
      const flow f = make_flow(name, name, p);
      const weights x = weights_of(somewhere);
      const double du = test::difference([&](double t) { return risk_of(f, x.u + t, x.v); }, 3e-3);
      const Eigen::Vector3d g = gradient_in_v(f, x);
      const Eigen::Vector3d tangent = g - g.dot(x.v) * x.v;
      const overlap_state v = f.velocity(somewhere);
      const double scale = g.norm() + std::abs(du);
      CHECK(v.u == test::within(-p.rate_ratio * du, 1e-9 * scale));
      CHECK(v.m == test::within(-tangent[0], 1e-9 * scale));
      CHECK(v.s == test::within(-tangent[1], 1e-9 * scale));
    }
  }
}

// (7.1) at γ = 0
TEST_CASE("the map without noise is a normalised gradient step") {
  lora_parameters p = general;
  p.noise_scale = 0.0;
  const flow f = make_flow("erf", "he3", p);
  const weights x = weights_of(somewhere);
  const double eta = 0.4;
  const double du = test::difference([&](double t) { return risk_of(f, x.u + t, x.v); }, 3e-3);
  const Eigen::Vector3d moved = (x.v - eta * gradient_in_v(f, x)).normalized();
  const overlap_state next = f.map(somewhere, eta);
  CHECK(next.u == Approx(x.u - eta * p.rate_ratio * du).epsilon(1e-9));
  CHECK(next.m == Approx(moved[0]).epsilon(1e-9));
  CHECK(next.s == Approx(moved[1]).epsilon(1e-9));
}

// (7.1), with what γ adds to first order in η
TEST_CASE("the map is the flow to first order in the learning rate") {
  const flow f = make_flow("erf", "erf", general);
  const Eigen::Vector3d x = vector(somewhere);
  const Eigen::Vector3d v = vector(f.velocity(somewhere));
  const auto error = [&](double eta) {
    return (vector(f.map(somewhere, eta)) - x - eta * v).norm();
  };
  const double order = std::log2(error(2e-3) / error(1e-3));
  CHECK(order > 1.95);
  CHECK(order < 2.05);
}

// (6.3), what γ adds
TEST_CASE("noise turns v at random: its mean shrinks and nothing else changes") {
  // A random turn of v by an angle of variance w per unit time on a sphere of many dimensions makes
  // (m, s) decay at the rate w/2; here w = γ u² V.
  lora_parameters quiet = general;
  quiet.noise_scale = 0.0;
  const flow loud_flow = make_flow("erf", "erf", general);
  const flow quiet_flow = make_flow("erf", "erf", quiet);
  const field_overlaps o = fields(somewhere, general);
  const double V = loud_flow.task().noise.value(o.M, o.Q, o.gap, general.label_noise);
  const double decay = 0.5 * general.noise_scale * somewhere.u * somewhere.u * V;
  const Eigen::Vector3d change =
      vector(loud_flow.velocity(somewhere)) - vector(quiet_flow.velocity(somewhere));
  CHECK(change[0] == 0.0);
  CHECK(change[1] == Approx(-decay * somewhere.m).epsilon(1e-12));
  CHECK(change[2] == Approx(-decay * somewhere.s).epsilon(1e-12));
}

TEST_CASE("the Jacobian is that of the velocity") {
  for (const auto& [student, teacher] :
       {std::pair("erf", "erf"), std::pair("he3", "he3"), std::pair("relu", "relu"),
        std::pair("he2", "he4"), std::pair("erf", "he3"), std::pair("tanh", "tanh"),
        std::pair("gelu", "relu"), std::pair("relu", "sin")}) {
    CAPTURE(student, teacher);
    const flow f = make_flow(student, teacher, general);
    const Eigen::Matrix3d j = f.jacobian(somewhere);
    for (Eigen::Index k = 0; k < 3; ++k) {
      const Eigen::Vector3d column = test::difference(
          [&](double t) -> Eigen::Vector3d {
            return vector(f.velocity(state(vector(somewhere) + t * Eigen::Vector3d::Unit(k))));
          },
          2e-3);
      for (Eigen::Index i = 0; i < 3; ++i) {
        CAPTURE(i, k);
        CHECK(j(i, k) == test::within(column[i], 3e-8 * j.cwiseAbs().maxCoeff()));
      }
    }
  }
}

TEST_CASE("the flow is odd") {
  const flow f = make_flow("he3", "erf", general);
  const overlap_state v = f.velocity(somewhere);
  const overlap_state w = f.velocity({-somewhere.u, -somewhere.m, -somewhere.s});
  CHECK(w.u == -v.u);
  CHECK(w.m == -v.m);
  CHECK(w.s == -v.s);
}

TEST_CASE("the target of a matched pair is a rest, with noise too where the labels have none") {
  lora_parameters p = general;
  p.label_noise = 0.0;
  const double u = std::hypot(1.0 - p.alignment, p.misalignment);
  const overlap_state target{u, (1.0 - p.alignment) / u, -p.misalignment / u};
  for (const char* name : {"linear", "erf", "relu", "he3", "he7", "tanh", "gelu"}) {
    CAPTURE(name);
    const flow f = make_flow(name, name, p);
    const double scale = f.jacobian(target).cwiseAbs().maxCoeff();
    CHECK(f.velocity(target).norm() <= 1e-13 * scale);
    CHECK(f.risk(target) == test::within(0.0, 1e-12 * scale));
  }
}

TEST_CASE("the overlaps' two forms of the gap agree, and rounding never makes it negative") {
  const field_overlaps o = fields(somewhere, general);
  CHECK(o.gap == Approx(o.Q - o.M * o.M).epsilon(1e-13));
  const double p = general.alignment * somewhere.m + general.misalignment * somewhere.s;
  CHECK(o.Q ==
        Approx(general.alignment * general.alignment + general.misalignment * general.misalignment +
               2 * somewhere.u * p + somewhere.u * somewhere.u)
            .epsilon(1e-13));
  CHECK(fields({0.5, 1.0 + 1e-12, 0.0}, {.alignment = 0.5}).gap == 0.0);
  CHECK(overlap_state::unpack(somewhere.pack()).s == somewhere.s);
}

TEST_CASE("parameters out of range are refused") {
  lora_parameters p;
  p.noise_scale = -1.0;
  CHECK_THROWS_AS(make_flow("erf", "erf", p), argument_error);
}

TEST_CASE("a state whose |w|^2 is no number has no velocity, Jacobian, risk or image") {
  const double nan_value = std::numeric_limits<double>::quiet_NaN();
  const double inf = std::numeric_limits<double>::infinity();
  for (const char* name : {"linear", "erf", "relu", "he3", "tanh"}) {
    const learning_task task(parse_activation(name), parse_activation(name));
    const flow f(task, {.alignment = 0.5, .misalignment = 0.2, .noise_scale = 0.1});
    for (const overlap_state& x :
         {overlap_state{nan_value, 0.1, 0.1}, overlap_state{0.1, nan_value, 0.1},
          overlap_state{0.1, 0.1, nan_value}, overlap_state{inf, 0.1, 0.1},
          overlap_state{1e80, 0.5, 0.0}, overlap_state{1e200, 0.5, 0.0}}) {
      CAPTURE(name, x.u, x.m, x.s);
      CHECK_FALSE(f.velocity(x).finite());
      CHECK_FALSE(f.jacobian(x).allFinite());
      CHECK_FALSE(std::isfinite(f.risk(x)));
      CHECK_FALSE(f.map(x, 0.1).finite());
    }
    const pretraining_flow before(task, {});
    const ode_system<2> system = system_of(before);
    for (const std::array<double, 2>& x :
         {std::array{nan_value, 0.1}, std::array{0.1, nan_value}, std::array{1e80, 0.1},
          std::array{0.1, 1e150}, std::array{inf, inf}}) {
      CAPTURE(name, x[0], x[1]);
      CHECK_FALSE(std::isfinite(system.velocity(x)[0]));
      CHECK_FALSE(system.jacobian(x).allFinite());
    }
  }
}

TEST_CASE("the target is a sink with the eigenvalues of theory, for every product of two names") {
  // At the target of an aligned matched pair, γ = 0, the Hessian of the risk in w is E[σ'² x xᵀ],
  // whatever the kinks: the rates are κE[z²σ'²], (1 - μ)² E[σ'²] and twice the last.
  const std::vector<std::string> names{"linear",   "relu", "erf",  "sigmoid", "tanh",
                                       "softplus", "gelu", "silu", "sin",     "cos",
                                       "he2",      "he3",  "he4"};
  const double mu = 0.4;
  const double kappa = 1.7;
  const auto check = [&](const std::string& name) {
    CAPTURE(name);
    const activation a = parse_activation(name);
    std::vector<double> breaks;
    for (const kink& k : a.kinks()) {
      breaks.push_back(k.location);
    }
    const averages moments =
        gaussian_averages(2, breaks, a.features(), [&](std::span<const double> z, double* values) {
          for (std::size_t i = 0; i < z.size(); ++i) {
            const double slope = a.first(z[i]);
            values[i] = slope * slope;
            values[z.size() + i] = z[i] * z[i] * slope * slope;
          }
        });
    const double power = moments.value[0];
    const double weighted = moments.value[1];
    std::vector<double> expected{kappa * weighted, (1 - mu) * (1 - mu) * power,
                                 2 * (1 - mu) * (1 - mu) * power};
    std::sort(expected.begin(), expected.end());
    const flow f(learning_task(a, a), {.alignment = mu, .rate_ratio = kappa});
    const Eigen::Vector3cd values = f.jacobian({1 - mu, 1.0, 0.0}).eigenvalues();
    std::vector<double> rates;
    for (const auto& value : values) {
      CHECK(std::abs(value.imag()) < 1e-6 * expected[2]);
      rates.push_back(-value.real());
    }
    std::sort(rates.begin(), rates.end());
    for (std::size_t i = 0; i < rates.size(); ++i) {
      CHECK(rates[i] == test::within(expected[i], 1e-9 * expected[2]));
    }
  };
  for (std::size_t i = 0; i < names.size(); ++i) {
    check(names[i]);
    for (std::size_t j = i; j < names.size(); ++j) {
      check(names[i] + "*" + names[j]);
    }
  }
  for (const char* name : {"relu^3", "relu^2+he3", "max(x,0.1*x)", "relu(x-1)", "max(x,exp(x)-1)",
                           "abs(x)*tanh(2*x)", "x*sigmoid(1.7*x)"}) {
    check(name);
  }
}

TEST_CASE("the Jacobian of kinked products is that of differences of the velocity") {
  for (const auto& [student, teacher] :
       {std::pair("relu^2", "relu^2"), std::pair("erf*relu", "erf*relu"),
        std::pair("relu*tanh", "relu"), std::pair("relu(x-0.5)", "relu*cos"),
        std::pair("max(x,0.1*x)", "tanh")}) {
    for (const double gamma : {0.0, 0.7}) {
      CAPTURE(student, teacher, gamma);
      const flow f(
          learning_task(parse_activation(student), parse_activation(teacher)),
          {.alignment = 0.5, .misalignment = 0.3, .noise_scale = gamma, .label_noise = 0.1});
      const overlap_state x{0.45, 0.5, -0.2};
      const Eigen::Matrix3d j = f.jacobian(x);
      for (int column = 0; column < 3; ++column) {
        const auto at = [&](double t) {
          auto y = x.pack();
          y[static_cast<std::size_t>(column)] += t;
          const auto v = f.packed_velocity(y);
          return Eigen::Vector3d(v[0], v[1], v[2]);
        };
        const auto slope = [&](int row) {
          return test::difference([&](double t) { return at(t)[row]; }, 2e-3);
        };
        for (int row = 0; row < 3; ++row) {
          CHECK(j(row, column) == test::within(slope(row), 1e-7 * j.norm()));
        }
      }
    }
  }
}
