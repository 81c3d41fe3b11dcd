#include <algorithm>
#include <catch2/catch.hpp>
#include <cmath>
#include <limits>
#include <loradyn/activation/parse.hpp>
#include <loradyn/analysis/critical.hpp>
#include <loradyn/analysis/equilibria.hpp>
#include <loradyn/analysis/outcome.hpp>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include "support/within.hpp"

using namespace loradyn;

namespace {

learning_task task_of(const char* student, const char* teacher) {
  return {parse_activation(student), parse_activation(teacher)};
}

std::vector<double> edge_points(const char* name) {
  const activation a = parse_activation(name);
  std::vector<double> M;
  const risk_landscape landscape = landscape_of(population_risk(a, a));
  for (const risk_critical_point& p : landscape.points) {
    if (p.gap == 0.0) {
      M.push_back(p.M);
    }
  }
  std::sort(M.begin(), M.end());
  return M;
}

}  // namespace

TEST_CASE("at the target the slopes cancel to the rounding of their terms") {
  for (const char* name : {"he5*(relu+0.5*he6)", "relu^2", "relu^3+0.2*x", "min(max(x,-1),1)"}) {
    CAPTURE(name);
    const population_risk risk(parse_activation(name), parse_activation(name));
    const risk_slopes s = risk.slopes({.M = 1.0, .Q = 1.0, .gap = 0.0});
    CHECK(s.M + s.twice_Q == test::within(0.0, 4.5e-16 * risk.slope_size(1.0)));
  }
}

TEST_CASE("the target of a matched pair of any degree is M = 1 with no risk") {
  for (const char* name :
       {"he4*(he6+0.5*relu)", "he6*(he8+relu)", "he10*relu", "he5*he7*relu", "relu*he15", "he12"}) {
    CAPTURE(name);
    const learning_task task(parse_activation(name), parse_activation(name));
    const risk_landscape landscape = landscape_of(task.risk);
    CHECK(std::any_of(landscape.points.begin(), landscape.points.end(),
                      [](const auto& p) { return p.M == 1.0 && p.gap == 0.0 && p.risk == 0.0; }));
    // The adapter has u and m by rounding, the equilibrium M, Q and risk of the point.
    const flow f(task, {.alignment = 0.4, .misalignment = 0.37, .label_noise = 0.5});
    const auto found = equilibria(f, landscape.points);
    CHECK(std::any_of(found.begin(), found.end(), [](const equilibrium& e) {
      return e.M == 1.0 && e.Q == 1.0 && e.risk == 0.25 && e.kind == equilibrium_kind::sink;
    }));
    // Beside it the risk is E[σ'²]/2 of the gap, where the difference of the powers has the
    // rounding of both.
    const double squares =
        task.risk.self_kernel().moments(pair_covariance::diagonal(1.0), moment_set::gradient).e11;
    for (const double gap : {1e-32, 1e-20, 1e-15}) {
      const double M = 1.0 - std::numeric_limits<double>::epsilon();
      CHECK(task.risk.value({.M = M, .Q = M * M + gap, .gap = gap}, 0.0) ==
            test::within(0.5 * squares * gap, 1e-6 * squares * gap + 1e-29 * squares));
    }
  }
}

// (8.1) along w*
TEST_CASE("every critical point along the teacher is found") {
  // Against the sign changes of a dense scan of dR(M, M²)/dM.
  for (const char* name : {"linear", "erf", "he2", "he3", "he4", "he5", "he10", "he20", "tanh",
                           "he3+0.5*he5", "he3-0.2*he4"}) {
    CAPTURE(name);
    const activation a = parse_activation(name);
    const population_risk risk(a, a);
    const auto slope = [&](double M) {
      const risk_gradient r = risk.gradient({.M = M, .Q = M * M, .gap = 0.0});
      return r.M + 2.0 * M * r.Q;
    };
    std::vector<double> scanned;
    const double step = 1e-3;
    for (double M = -2.0005; M < 2.0; M += step) {
      if (std::signbit(slope(M)) != std::signbit(slope(M + step))) {
        scanned.push_back(M + 0.5 * step);
      }
    }
    std::vector<double> found = edge_points(name);
    std::erase_if(found, [](double M) { return std::abs(M) >= 2.0; });
    // A touching zero is no sign change: every scanned one must be found.
    for (const double M : scanned) {
      CAPTURE(M);
      CHECK(std::any_of(found.begin(), found.end(),
                        [&](double other) { return std::abs(other - M) <= step; }));
    }
    CHECK(found.size() >= scanned.size());
    CHECK(
        std::any_of(found.begin(), found.end(), [](double M) { return std::abs(M - 1.0) < 1e-9; }));
  }
}

TEST_CASE("a student that vanishes about 0 has a landscape") {
  // Its slopes fall like e^{-1/2M²}: those of R_M keep their digits beside the tails of the
  // teacher.
  for (const char* name :
       {"max(he2,0)", "relu(x-1)+relu(-x-1)", "max(abs(x)-2,0)", "relu(x-1)^2", "relu(x-1)^3"}) {
    CAPTURE(name);
    const activation a = parse_activation(name);
    const risk_landscape found = landscape_of(population_risk(a, a));
    CHECK(std::any_of(found.points.begin(), found.points.end(),
                      [](const risk_critical_point& p) { return p.M == 1.0 && p.gap == 0.0; }));
  }
}

TEST_CASE("a critical alignment is a critical point along the teacher") {
  // A(μ) = -dR(M, M²)/dM at M = μ for ν = 0.
  const activation he10 = parse_activation("he10");
  const auto roots = critical_alignments(population_risk(he10, he10), {}, 0.0, 1.0);
  const std::vector<double> M = edge_points("he10");
  CHECK(roots.size() == 2);
  for (const critical_alignment& r : roots) {
    CHECK(std::any_of(M.begin(), M.end(),
                      [&](double m) { return std::abs(m - r.alignment) < 1e-12; }));
  }
}

// (8.1) beside w*
TEST_CASE("a critical point beside the teacher: He_2") {
  // R(0, Q) = ½ E[(Q z² - 1)²] + 1 = ½ (3Q² - 2Q + 1) + 1 is least at Q = 1/3.
  const activation he2 = parse_activation("he2");
  const auto points = landscape_of(population_risk(he2, he2)).points;
  const auto inside = std::find_if(points.begin(), points.end(),
                                   [](const risk_critical_point& p) { return p.gap > 0.0; });
  REQUIRE(inside != points.end());
  CHECK(inside->M == 0.0);
  CHECK(inside->gap == Approx(1.0 / 3.0).epsilon(1e-12));
  CHECK(inside->risk == Approx(4.0 / 3.0).epsilon(1e-12));
}

TEST_CASE("a kinked student rests at w = 0 where the risk's cone rises all around") {
  const auto corner_of = [](const char* student, const char* teacher) {
    const learning_task task(parse_activation(student), parse_activation(teacher));
    const auto found = equilibria(flow(task, {.alignment = 0.3}), landscape_of(task.risk).points);
    const auto at =
        std::find_if(found.begin(), found.end(), [](const equilibrium& e) { return e.corner; });
    return at == found.end() ? std::nullopt : std::optional(*at);
  };
  // R(w) - R(0) = -|w| E[(g(z) - σ(0)) relu(X)] + O(|w|²), X of variance 1.
  const auto relu = corner_of("relu", "-1-1*relu");
  REQUIRE(relu);
  CHECK(relu->kind == equilibrium_kind::sink);  // (1 + relu(z)) relu(X) >= 0 at every angle
  CHECK(relu->x.u == Approx(0.3));
  CHECK(relu->x.m == Approx(-1.0));
  CHECK(relu->risk == Approx(0.5 * (1.0 + 2.0 / std::sqrt(2.0 * M_PI) + 0.5)));
  const auto flat = corner_of("relu", "he3");  // E[he3(z) relu(X)] = 0: R = 3 + |w|²/4
  REQUIRE(flat);
  CHECK(flat->kind == equilibrium_kind::sink);
  CHECK(flat->risk == Approx(3.0));
  CHECK(corner_of("relu", "-1*relu")->kind == equilibrium_kind::neutral);  // no slope behind w*
  CHECK(!corner_of("relu", "relu+1"));
  CHECK(!corner_of("relu", "relu"));
  CHECK(!corner_of("tanh", "he3"));
  CHECK(!corner_of("relu^2", "he3"));
}

TEST_CASE("a student that grows like an exponential has a landscape as far as it is resolved") {
  const activation elu = parse_activation("max(x,exp(x)-1)");
  const auto points = landscape_of(population_risk(elu, elu)).points;
  REQUIRE(!points.empty());
  CHECK(points.front().risk == test::within(0.0, 1e-20));
  CHECK(points.front().M == Approx(1.0).epsilon(1e-8));
}

TEST_CASE("the equilibria of a linear student are those by hand") {
  // R = ½ (Q - 2M + 1): one minimum, and the line u = 0 with λ² + λ - (1-μ)² = 0.
  const learning_task task = task_of("linear", "linear");
  const double mu = 0.4;
  const double nu = 0.3;
  const flow f(task, {.alignment = mu, .misalignment = nu, .rate_ratio = 1.0});
  const auto found = equilibria(f, landscape_of(task.risk).points);
  REQUIRE(found.size() == 2);
  const double u = std::hypot(1.0 - mu, nu);
  CHECK(found[0].x.u == Approx(u).epsilon(1e-12));
  CHECK(found[0].x.m == Approx((1.0 - mu) / u).epsilon(1e-12));
  CHECK(found[0].x.s == Approx(-nu / u).epsilon(1e-12));
  CHECK(found[0].kind == equilibrium_kind::sink);
  // R = ½|w0 + u v - w*|²: there u returns at the rate 1, v within the plane of w* and ξ at u², and
  // the part of v beside that plane, whose square 1 - m² - s² is, at u² as well, its square at 2u².
  CHECK(found[0].eigenvalues[0].real() == Approx(-u * u).epsilon(1e-9));
  CHECK(found[0].eigenvalues[1].real() == Approx(-2.0 * u * u).epsilon(1e-9));
  CHECK(found[0].eigenvalues[2].real() == Approx(-1.0).epsilon(1e-9));
  CHECK(found[1].x.u == 0.0);
  CHECK(found[1].kind == equilibrium_kind::saddle);
  const double pull = (1.0 - mu) * (1.0 - mu) + nu * nu;
  CHECK(found[1].eigenvalues[0].real() ==
        Approx(0.5 * (-1.0 + std::sqrt(1.0 + 4.0 * pull))).epsilon(1e-12));
}

TEST_CASE("every equilibrium is one: the velocity is at rounding") {
  for (const auto& [student, teacher] :
       {std::pair("erf", "erf"), std::pair("he3", "he3"), std::pair("relu", "relu"),
        std::pair("he2", "he2"), std::pair("erf", "he3"), std::pair("tanh", "tanh"),
        std::pair("he10", "he10")}) {
    const learning_task task = task_of(student, teacher);
    const auto points = landscape_of(task.risk).points;
    for (const double nu : {0.0, 0.3}) {
      for (const double gamma : {0.0, 0.5}) {
        CAPTURE(student, teacher, nu, gamma);
        // He_10's noise, at a learning rate for He_3, would move its equilibria far off.
        const double scale = std::string(student) == "he10" ? 1e-9 : 1.0;
        const flow f(task, {.alignment = 0.3,
                            .misalignment = nu,
                            .noise_scale = gamma * scale,
                            .label_noise = 0.1,
                            .rate_ratio = 2.0});
        const auto found = equilibria(f, points);
        CHECK(found.size() >= 2);
        CHECK(std::is_sorted(found.begin(), found.end(),
                             [](const auto& a, const auto& b) { return a.risk < b.risk; }));
        for (const equilibrium& e : found) {
          const double rate = f.jacobian(e.x).cwiseAbs().maxCoeff();
          CAPTURE(e.x.u, e.x.m, e.x.s, to_string(e.kind));
          CHECK(f.velocity(e.x).norm() <= 1e-11 * rate);
          CHECK(e.x.m * e.x.m + e.x.s * e.x.s <= 1.0 + 1e-9);
          CHECK(e.x.u >= 0.0);
        }
      }
    }
  }
}

TEST_CASE("no start leads to a rest that is not a critical point found") {
  std::mt19937 random(20261128);
  const auto uniform = [&random](double lo, double hi) {
    return std::uniform_real_distribution<double>(lo, hi)(random);
  };
  for (const auto& [student, teacher] :
       {std::pair("erf", "erf"), std::pair("he2", "he2"), std::pair("he4", "he4"),
        std::pair("he6", "he2"), std::pair("he2-0.3*he4", "he4"), std::pair("erf", "he3"),
        std::pair("he2+he3", "he4"), std::pair("he3+he4", "he2-he3"),
        std::pair("relu+he2", "he3+he2")}) {
    const learning_task task = task_of(student, teacher);
    const auto points = landscape_of(task.risk).points;
    const flow f(task, {.alignment = 0.3, .misalignment = 0.4});
    for (int i = 0; i < 2000; ++i) {
      const double m = uniform(-1.0, 1.0);
      const overlap_state start{std::pow(10.0, uniform(-1.5, 0.7)), m,
                                std::sqrt(1.0 - m * m) * uniform(-1.0, 1.0)};
      const auto e = nearest_equilibrium(f, start);
      if (!e || std::abs(e->x.u) < 1e-6 || e->x.m * e->x.m + e->x.s * e->x.s > 1.0 + 1e-9) {
        continue;
      }
      if (e->Q < 1e-12 && !task.risk.student().kinks().empty()) {
        continue;  // a corner of the risk
      }
      const double gap = e->Q - e->M * e->M;
      CAPTURE(student, teacher, e->M, gap, to_string(e->kind));
      CHECK(std::any_of(points.begin(), points.end(), [&](const risk_critical_point& p) {
        return std::hypot(p.M - e->M, p.gap - gap) < 1e-4;
      }));
    }
  }
}

TEST_CASE("no start leads to an equilibrium with noise that is not among those found") {
  std::mt19937 random(20261127);
  const auto uniform = [&random](double lo, double hi) {
    return std::uniform_real_distribution<double>(lo, hi)(random);
  };
  for (const auto& [student, teacher] :
       {std::pair("erf", "erf"), std::pair("he3", "he3"), std::pair("relu", "relu"),
        std::pair("he2", "he2"), std::pair("erf", "he3")}) {
    const learning_task task = task_of(student, teacher);
    const auto points = landscape_of(task.risk).points;
    for (const double nu : {0.0, 0.3}) {
      const flow f(task,
                   {.alignment = 0.3, .misalignment = nu, .noise_scale = 0.2, .label_noise = 0.1});
      const auto found = equilibria(f, points);
      for (int i = 0; i < 3000; ++i) {
        const double m = uniform(-1.0, 1.0);
        const double s = nu > 0.0 ? std::sqrt(1.0 - m * m) * uniform(-1.0, 1.0) : 0.0;
        const auto e = nearest_equilibrium(f, {uniform(0.0, 2.6), m, s}, 4.0);
        if (!e || std::abs(e->x.u) < 1e-6 || e->x.m * e->x.m + e->x.s * e->x.s > 1.0 + 1e-9) {
          continue;
        }
        const double sign = e->x.u < 0.0 ? -1.0 : 1.0;
        const overlap_state x{sign * e->x.u, sign * e->x.m, sign * e->x.s};
        CAPTURE(student, teacher, nu, x.u, x.m, x.s);
        CHECK(std::any_of(found.begin(), found.end(),
                          [&](const equilibrium& other) { return distance(other.x, x) < 1e-5; }));
      }
    }
  }
}

TEST_CASE("label noise at γ > 0 moves the target inward") {
  const learning_task task = task_of("erf", "erf");
  const auto points = landscape_of(task.risk).points;
  double last = 1.0;
  for (const double gamma : {0.1, 0.5, 2.0}) {
    const auto found = equilibria(
        flow(task, {.alignment = 0.5, .noise_scale = gamma, .label_noise = 0.1}), points);
    CHECK(found.front().kind == equilibrium_kind::sink);
    CHECK(found.front().x.m < last);
    last = found.front().x.m;
  }
}

TEST_CASE("below its critical alignment He_3's target and w = 0 are both stable") {
  const learning_task task = task_of("he3", "he3");
  const auto found = equilibria(flow(task, {.alignment = 0.2}), landscape_of(task.risk).points);
  REQUIRE(found.size() == 4);
  CHECK(found[0].M == Approx(1.0));
  CHECK(found[0].kind == equilibrium_kind::sink);
  CHECK(found[1].M == test::within(0.0, 1e-12));
  CHECK(found[1].risk == Approx(3.0));
  CHECK(found[1].kind == equilibrium_kind::sink);
  CHECK(found[2].kind == equilibrium_kind::saddle);
  CHECK(found[3].kind == equilibrium_kind::saddle);
}

TEST_CASE("a rest near a critical alignment is not taken for an equilibrium") {
  // At μ_c + 4e-6 the growth rate is 4e-10 and u follows m: all velocities are below 1e-7, and
  // Newton's method with a threshold for singular values called a point on the way an equilibrium.
  const learning_task task = task_of("he3", "he3");
  const flow f(task, {.alignment = 0.32072});
  const overlap_state on_the_way{-2.553796734e-07, 0.03, 0.0};
  const auto e = nearest_equilibrium(f, on_the_way);
  CHECK((!e || std::abs(e->x.m) < 1e-9 || std::abs(e->x.m) > 0.9));
}
