#include <boost/math/quadrature/gauss_kronrod.hpp>
#include <catch2/catch.hpp>
#include <cmath>
#include <limits>
#include <loradyn/activation/parse.hpp>
#include <loradyn/kernel/noise_moment.hpp>
#include <loradyn/kernel/pair_kernel.hpp>
#include <string>
#include <vector>

#include "support/difference.hpp"
#include "support/within.hpp"

using namespace loradyn;

namespace {

// V by direct integration of its definition, over λ and the part of λ* that it leaves free, in
// pieces that end where a kink at 0 is.
double direct(const activation& s, const activation& g, double M, double Q, double gap,
              double label_noise) {
  using rule = boost::math::quadrature::gauss_kronrod<double, 31>;
  const auto density = [](double z) { return std::exp(-0.5 * z * z) / std::sqrt(2.0 * M_PI); };
  const double spread = std::sqrt(gap / Q);
  const auto over = [&](auto f, double at) {
    double sum = 0.0;
    for (const auto& [a, b] : {std::pair(-10.0, at), std::pair(at, 10.0)}) {
      if (a < b) {
        sum += rule::integrate(f, a, b, 10, 1e-12);
      }
    }
    return sum;
  };
  const auto outer = [&](double z) {
    const double lambda = std::sqrt(Q) * z;
    const double mean = M * lambda / Q;
    const double slope = s.first(lambda);
    const double value = s(lambda);
    const auto inner = [&](double y) {
      const double error = value - g(mean + spread * y);
      return error * error * density(y);
    };
    const double turn = std::clamp(-mean / spread, -10.0, 10.0);
    return (over(inner, turn) + label_noise) * slope * slope * density(z);
  };
  return over(outer, 0.0);
}

struct point {
  double M;
  double gap;
};

const std::vector<point> points{{0.5, 0.3}, {-0.4, 0.7}, {0.9, 0.02}, {0.05, 0.9}};

}  // namespace

// (6.2)
TEST_CASE("V is the integral that defines it") {
  const std::vector<std::pair<std::string, std::string>> pairs{{"erf", "erf"},
                                                               {"0.7*erf", "erf"},
                                                               {"erf", "he3"},
                                                               {"erf", "relu"},
                                                               {"relu", "relu"},
                                                               {"2*relu", "0.5*relu"},
                                                               {"he3", "he3"},
                                                               {"he3", "he2+0.3*he5"},
                                                               {"linear", "linear"},
                                                               {"he3", "erf"},
                                                               {"tanh", "tanh"},
                                                               {"relu", "tanh"},
                                                               {"sigmoid", "relu"},
                                                               {"gelu", "he2"},
                                                               {"sin", "erf"},
                                                               {"relu", "he2"},
                                                               {"relu^2", "relu^2"},
                                                               {"relu^3", "relu^2"},
                                                               {"max(x,0.1*x)", "abs(x)"},
                                                               {"x*abs(x)", "he3"},
                                                               {"relu^2+he2", "relu"},
                                                               {"abs(x)", "relu-he2"}};
  for (const auto& [student, teacher] : pairs) {
    CAPTURE(student, teacher);
    const activation s = parse_activation(student);
    const activation g = parse_activation(teacher);
    const noise_moment v(s, g);
    for (const point& p : points) {
      const double Q = p.M * p.M + p.gap;
      const double expected = direct(s, g, p.M, Q, p.gap, 0.2);
      CAPTURE(p.M, p.gap);
      CHECK(v.value(p.M, Q, p.gap, 0.2) == Approx(expected).epsilon(2e-10));
      CHECK(v.with_derivatives(p.M, Q, p.gap, 0.2).V == Approx(expected).epsilon(2e-10));
    }
  }
}

TEST_CASE("the derivatives of V are those of its values") {
  for (const auto& [student, teacher, tolerance] :
       {std::tuple("erf", "erf", 1e-9), std::tuple("erf", "relu", 1e-9),
        std::tuple("relu", "relu", 1e-9), std::tuple("he3", "he3", 1e-9),
        std::tuple("he6", "he2", 1e-7), std::tuple("he2", "he6", 1e-8),
        std::tuple("tanh", "sigmoid", 1e-8), std::tuple("relu", "tanh", 1e-8),
        std::tuple("gelu", "relu", 1e-8), std::tuple("relu^2", "relu", 1e-8),
        std::tuple("relu^3", "relu^3", 1e-8), std::tuple("abs(x)", "relu-he2", 1e-8),
        std::tuple("max(x,0.1*x)", "max(x,0.1*x)", 1e-8), std::tuple("erf*relu", "relu+he2", 1e-8),
        std::tuple("relu*tanh", "sin", 1e-8),
        // Knots beside 0.
        std::tuple("min(max(x,-1),1)", "relu(x-0.3)", 1e-8),
        std::tuple("relu(x-1)^2+x", "abs(x-0.7)", 1e-8),
        // Kinks with slopes, and curvatures, on both sides.
        std::tuple("max(x,0.1*x)", "tanh", 1e-8), std::tuple("abs(x-0.3)*(2+tanh)", "sin", 1e-8),
        // A teacher that jumps, with a student of each kind.
        std::tuple("tanh", "step(x-0.3)", 1e-8), std::tuple("he3", "step", 1e-8),
        std::tuple("relu", "step(x-0.3)+sin", 1e-8),
        std::tuple("relu(x-0.5)", "step(x-0.3)", 1e-8)}) {
    CAPTURE(student, teacher);
    const noise_moment v(parse_activation(student), parse_activation(teacher));
    const double M = 0.5;
    const double gap = 0.3;
    const double Q = M * M + gap;
    const auto at = [&](double dM, double dQ) {
      return v.value(M + dM, Q + dQ, gap + dQ - 2 * M * dM - dM * dM, 0.3);
    };
    const double h = 5e-3;
    const auto slope = [h](auto f) { return test::difference(f, h); };
    const noise_value r = v.with_derivatives(M, Q, gap, 0.3);
    CHECK(r.V_M == test::within(slope([&](double t) { return at(t, 0); }), tolerance * r.V * 10));
    CHECK(r.V_Q == test::within(slope([&](double t) { return at(0, t); }), tolerance * r.V * 10));
  }
}

TEST_CASE("the noise of polynomials up to degree 40 is quadratic in the teacher") {
  // V(he2 + a t) has no third difference in a; at a = 0 it is a sum of Gauss-Hermite, exact, and
  // elsewhere an average over kinks or a series.
  for (const char* student : {"he5", "he9^2", "he12*he12", "he14^2", "he40"}) {
    for (const char* t : {"relu", "tanh", "relu(x-1)"}) {
      CAPTURE(student, t);
      const activation s = parse_activation(student);
      const auto noise = [&](double a) {
        return noise_moment(s, parse_activation("he2+{a}*" + std::string(t), {{"a", a}}));
      };
      const std::vector<double> weights{-1.0, 3.0, -3.0, 1.0};  // at a = -1, 0, 1, 2
      const std::vector<noise_moment> at{noise(-1.0), noise(0.0), noise(1.0), noise(2.0)};
      for (const auto& [M, gap] :
           {std::pair(0.3, 0.05), std::pair(-0.06, 0.2), std::pair(0.8, 0.3)}) {
        CAPTURE(M, gap);
        noise_value sum;
        noise_value size;
        double values = 0.0;
        for (std::size_t i = 0; i < weights.size(); ++i) {
          const noise_value v = at[i].with_derivatives(M, M * M + gap, gap, 0.2);
          sum.V += weights[i] * v.V;
          sum.V_M += weights[i] * v.V_M;
          sum.V_Q += weights[i] * v.V_Q;
          size.V += std::abs(v.V);
          size.V_M += std::abs(v.V_M);
          size.V_Q += std::abs(v.V_Q);
          values += weights[i] * at[i].value(M, M * M + gap, gap, 0.2);
        }
        // He14² as a Hermite series cancels by four digits: 2e-11 measured.
        CHECK(std::abs(values) < 5e-11 * size.V);
        CHECK(std::abs(sum.V) < 5e-11 * size.V);
        CHECK(std::abs(sum.V_M) < 1e-9 * size.V_M);
        CHECK(std::abs(sum.V_Q) < 1e-9 * size.V_Q);
      }
    }
  }
}

TEST_CASE("the slopes of V at the edge are those beside it") {
  for (const auto& [student, teacher] :
       {std::pair("relu", "relu+1"), std::pair("relu^2", "relu"), std::pair("erf*relu", "erf*relu"),
        std::pair("relu*sigmoid", "he2"), std::pair("tanh", "relu"), std::pair("relu^2", "relu^2"),
        std::pair("max(x,0.1*x)", "abs(x)")}) {
    CAPTURE(student, teacher);
    const noise_moment v(parse_activation(student), parse_activation(teacher));
    const double M = 0.6;
    const noise_value edge = v.with_derivatives(M, M * M, 0.0, 0.1);
    const double gap = 1e-10;
    const noise_value beside = v.with_derivatives(M, M * M + gap, gap, 0.1);
    CHECK(edge.V == Approx(v.value(M, M * M, 0.0, 0.1)).epsilon(1e-12));
    CHECK(edge.V_M == test::within(beside.V_M, 1e-4 * edge.V));
    CHECK(edge.V_Q == test::within(beside.V_Q, 1e-4 * edge.V));
    // A one-sided difference along the edge: d/dM V(M, M²).
    const auto along = [&](double t) { return v.value(M + t, (M + t) * (M + t), 0.0, 0.1); };
    CHECK(edge.V_M + 2 * M * edge.V_Q ==
          test::within(test::difference(along, 5e-3), 1e-6 * edge.V));
  }
}

TEST_CASE("a student at its target has no noise but the labels'") {
  for (const char* name :
       {"erf", "relu", "he3", "he20", "linear", "tanh", "gelu", "relu*tanh", "he9*(silu+0.5*relu)",
        "relu(x-1)", "relu^2", "relu^3", "max(x,0.1*x)"}) {
    CAPTURE(name);
    const activation a = parse_activation(name);
    const noise_moment v(a, a);
    const double power = pair_kernel(a, a)
                             .moments(pair_covariance::diagonal(1.0), moment_set::gradient)
                             .e11;  // E[σ'²]
    CHECK(v.value(1.0, 1.0, 0.0, 0.0) == test::within(0.0, 1e-12 * power));
    CHECK(v.value(1.0, 1.0, 0.0, 2.0) == Approx(2.0 * power).epsilon(1e-11));
    // A rounding beside it, where the error of the student is nothing but rounding.
    const double beside = std::nextafter(1.0, 2.0);
    CHECK(v.value(beside, beside * beside, 0.0, 0.0) <=
          1e-12 * power + 1e-20 * v.value(2.0, 4.0, 0.0, 0.0));
  }
}

TEST_CASE("a student that is nothing has the noise of its limit") {
  // E[(σ(0) - g)²] σ'(0)² at w = 0, in each of the ways that V is computed.
  const double a = 0.25;  // σ'(0) of the sigmoid, σ(0) is a half
  const noise_moment v(parse_activation("sigmoid"), parse_activation("he2+0.3*x"));
  CHECK(v.value(0.0, 0.0, 0.0, 0.2) == Approx((0.25 + 2.0 + 0.09 + 0.2) * a * a).epsilon(1e-12));
  const noise_moment of_erf(parse_activation("erf"), parse_activation("erf"));
  // E[erf²] = 2/π asin(2/3)
  CHECK(of_erf.value(0.0, 0.0, 0.0, 0.2) ==
        Approx((2.0 / M_PI * std::asin(2.0 / 3.0) + 0.2) * 4.0 / M_PI).epsilon(1e-12));
  const noise_moment pieces(parse_activation("min(max(x,-1),1)"), parse_activation("abs(x)"));
  CHECK(pieces.value(0.0, 0.0, 0.0, 0.2) == Approx(1.2).epsilon(1e-12));
}

TEST_CASE("copies share their tables") {
  const activation a = parse_activation("tanh");
  const noise_moment v(a, a);
  const noise_moment copy = v;
  CHECK(copy.value(0.5, 0.6, 0.35, 0.1) == v.value(0.5, 0.6, 0.35, 0.1));
}
