// The tables of the flow's gradient and noise against the kernels that they are made of.

#include <algorithm>
#include <catch2/catch.hpp>
#include <cmath>
#include <loradyn/activation/parse.hpp>
#include <loradyn/error.hpp>
#include <loradyn/kernel/noise_moment.hpp>
#include <loradyn/model/population_risk.hpp>
#include <random>
#include <string>
#include <thread>
#include <vector>
#include "kernel/averages.hpp"

#include "support/within.hpp"

using namespace loradyn;

namespace {

const std::vector<std::string> names{"linear",   "relu", "erf",  "sigmoid",  "tanh",
                                     "softplus", "gelu", "silu", "sin",      "cos",
                                     "he2",      "he3",  "he4",  "step(x)*x"};

struct pair_of_names {
  std::string student;
  std::string teacher;
};

// Every name, its square, the product with the next, and mixtures, matched and not.
std::vector<pair_of_names> pairs() {
  std::vector<pair_of_names> all;
  for (std::size_t i = 0; i < names.size(); ++i) {
    const std::string& a = names[i];
    const std::string& b = names[(i + 5) % names.size()];
    for (const std::string& text : {a, a + "*" + a, a + "*" + b, a + "+0.5*" + b}) {
      all.push_back({text, text});
      all.push_back({text, b});
    }
  }
  for (const char* text : {"relu(x-1)", "sigmoid(5*x)", "max(x,0.1*x)", "abs(x)", "sin(3*x)",
                           "he5*(cos+0.5*relu)", "relu*tanh", "relu^3"}) {
    all.push_back({text, text});
    all.push_back({text, "relu"});
  }
  // High degrees, and a slope with a zero inside a patch.
  for (const char* text : {"he9^2", "he9*tanh", "relu*(he6+0.5*tanh)"}) {
    all.push_back({text, "relu-0.834*he3"});
    all.push_back({text, "tanh"});
  }
  return all;
}

field_overlaps random_overlaps(std::mt19937& random) {
  const auto uniform = [&](double lo, double hi) {
    return std::uniform_real_distribution<double>(lo, hi)(random);
  };
  const double r = std::exp(uniform(std::log(0.05), std::log(4.0)));
  // A third of the points near an edge.
  double angle = uniform(0.0, M_PI);
  if (uniform(0.0, 1.0) < 0.33) {
    angle = std::pow(10.0, uniform(-7.0, -0.3));
    angle = uniform(0.0, 1.0) < 0.5 ? angle : M_PI - angle;
  }
  const double M = r * std::cos(angle);
  const double h = r * std::sin(angle);
  return {M, M * M + h * h, h * h};
}

}  // namespace

TEST_CASE("tabulated slopes and noise are those of the kernels") {
  std::mt19937 random(20261124);
  double worst = 0.0;
  double worst_noise = 0.0;
  for (const auto& [student, teacher] : pairs()) {
    const activation f = parse_activation(student);
    const activation g = parse_activation(teacher);
    if (!f.continuous()) {
      continue;
    }
    const population_risk risk(f, g);
    const noise_moment noise(f, g);
    const pair_kernel own(f, f);
    const double teacher_slope =
        g.continuous()
            ? pair_kernel(g, g).moments(pair_covariance::diagonal(1.0), moment_set::gradient).e11
            : 1.0;
    for (int i = 0; i < 6; ++i) {
      const field_overlaps o = random_overlaps(random);
      CAPTURE(student, teacher, o.M, o.gap);
      const risk_gradient exact = risk.gradient(o);
      const risk_slopes table = risk.slopes(o);
      const double slope = own.moments(pair_covariance::diagonal(o.Q), moment_set::gradient).e11;
      const double scale = std::sqrt(slope * std::max(teacher_slope, slope));
      if (scale < 1e-20) {
        continue;  // a kink far out: everything is zero beside the teacher
      }
      const double error = std::max(std::abs(table.M - exact.M) / scale,
                                    std::abs(table.twice_Q - 2.0 * exact.Q) /
                                        (std::max(exact.Q_scale, risk.slope_size(o.Q)) + 1e-200));
      worst = std::max(worst, error);
      CHECK(error < 1e-12);
      if (i < 2) {
        const double V = noise.value(o.M, o.Q, o.gap, 0.1);
        const double V_table = noise.prepared_value(o.M, o.Q, o.gap, 0.1);
        // V's terms: E[(σσ')²] + E[σ'²g²] <= those at a perfectly opposed pair.
        const double terms = V + noise.value(-o.M, o.Q, o.gap, 0.0);
        worst_noise = std::max(worst_noise, std::abs(V - V_table) / terms);
        CHECK(V_table >= 0.0);
        CHECK(V_table == Approx(V).margin(1e-11 * terms).epsilon(1e-11));
      }
    }
  }
  WARN("largest error of a slope over E[sigma'^2]: " << worst
                                                     << ", of V over its terms: " << worst_noise);
}

// A student that saturates has its slopes within 1/|w| of 0, where grids of the averages have few
// nodes or none: σ'² of erf³ at |w| = 111 was lost between them, and V was 1e-164.
TEST_CASE("far out, slopes and noise are those over the plane") {
  for (const char* student : {"erf^3", "tanh^2", "erf*exp(-x^2)"}) {
    for (const char* teacher : {"relu^3", "he3"}) {
      const activation f = parse_activation(student);
      const activation g = parse_activation(teacher);
      const population_risk risk(f, g);
      const noise_moment noise(f, g);
      for (const double r : {111.0, 700.0}) {
        for (const double angle : {0.02, 1.1}) {
          CAPTURE(student, teacher, r, angle);
          const double h = r * std::sin(angle);
          const field_overlaps o{r * std::cos(angle), r * r, h * h};
          const averages plane = plane_averages(f, g, {o.Q, 1.0, o.M, o.gap}, 2, 2,
                                                [](const point_block& at, double* out) {
                                                  for (std::size_t p = 0; p < at.count; ++p) {
                                                    const double e = at.f[0][p] - at.g[0][p];
                                                    const double slope = at.f[1][p];
                                                    out[p] = -slope * at.g[1][p];
                                                    out[at.count + p] = e * e * slope * slope;
                                                  }
                                                });
          CHECK(risk.gradient(o).M ==
                test::within(plane.value[0], 1e-12 * plane.magnitude[0] + 1e-14));
          CHECK(noise.value(o.M, o.Q, o.gap, 0.0) ==
                test::within(plane.value[1], 1e-12 * plane.magnitude[1] + 1e-14));
        }
      }
    }
  }
  const population_risk growing(parse_activation("tanh^2"), parse_activation("relu^3"));
  const field_overlaps o{0.3, 640000.0, 640000.0 - 0.09};
  const risk_gradient exact = growing.gradient(o);
  CHECK(growing.slopes(o).twice_Q == test::within(2.0 * exact.Q, 1e-12 * exact.Q_scale));
}

TEST_CASE("tables keep the digits of what vanishes with the overlap") {
  // R_M of a teacher of information exponent k falls like M^(k-1).
  const activation f = parse_activation("tanh+0.2*he5");
  const population_risk risk(f, parse_activation("he3+0.1*he5"));
  for (const double M : {1e-2, 1e-4, 1e-7, 1e-10}) {
    const field_overlaps o{M, 0.81, 0.81 - M * M};
    CHECK(risk.slopes(o).M == Approx(risk.gradient(o).M).epsilon(1e-11));
  }
}

TEST_CASE("the curvature and the noise's slopes by tables are close to the exact ones") {
  for (const char* name : {"tanh", "gelu", "relu^2", "erf*relu", "sin"}) {
    const activation a = parse_activation(name);
    const population_risk risk(a, a);
    const noise_moment noise(a, a);
    for (const auto& [M, gap] :
         {std::pair(0.4, 0.5), std::pair(0.95, 0.02), std::pair(-0.6, 0.3), std::pair(0.05, 1.1)}) {
      const field_overlaps o{M, M * M + gap, gap};
      CAPTURE(name, M, gap);
      const risk_curvature exact = risk.curvature(o);
      const risk_curvature table = risk.approximate_curvature(o);
      const double size = std::abs(exact.MM) + std::abs(exact.M_gap) + std::abs(exact.gap_gap);
      CHECK(table.MM == test::within(exact.MM, 1e-9 * size));
      CHECK(table.M_gap == test::within(exact.M_gap, 1e-9 * size));
      CHECK(table.gap_gap == test::within(exact.gap_gap, 1e-9 * size));
      const noise_value v = noise.with_derivatives(o.M, o.Q, o.gap, 0.2);
      const noise_value t = noise.approximate(o.M, o.Q, o.gap, 0.2);
      const double scale = std::abs(v.V) + std::abs(v.V_M) + std::abs(v.V_Q);
      CHECK(t.V == test::within(v.V, 1e-11 * scale));
      CHECK(t.V_M == test::within(v.V_M, 1e-9 * scale));
      CHECK(t.V_Q == test::within(v.V_Q, 1e-9 * scale));
    }
  }
}

TEST_CASE("tables have the same bits whoever makes them and in whatever order") {
  const activation a = parse_activation("tanh");
  std::mt19937 random(7);
  std::vector<field_overlaps> points;
  for (int i = 0; i < 200; ++i) {
    points.push_back(random_overlaps(random));
  }
  const population_risk alone(a, a);
  std::vector<double> expected;
  for (const field_overlaps& o : points) {
    expected.push_back(alone.slopes(o).twice_Q);
  }
  const population_risk shared(a, a);
  std::vector<double> found(points.size());
  std::vector<std::thread> threads;
  for (std::size_t t = 0; t < 4; ++t) {
    threads.emplace_back([&, t] {
      for (std::size_t i = points.size(); i-- > 0;) {
        if (i % 4 == t) {
          found[i] = shared.slopes(points[i]).twice_Q;
        }
      }
    });
  }
  for (std::thread& t : threads) {
    t.join();
  }
  CHECK(found == expected);
}
