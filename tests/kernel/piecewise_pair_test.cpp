#include "kernel/piecewise_pair.hpp"
#include <algorithm>
#include <boost/math/quadrature/gauss_kronrod.hpp>
#include <catch2/catch.hpp>
#include <cmath>
#include <functional>
#include <loradyn/activation/parse.hpp>
#include <loradyn/kernel/noise_moment.hpp>
#include <loradyn/kernel/pair_kernel.hpp>
#include <string>
#include <vector>

#include "kernel/numerical.hpp"
#include "support/difference.hpp"
#include "support/within.hpp"

using namespace loradyn;

namespace {

const std::vector<std::string> names{"min(max(x,-1),1)",
                                     "relu(x-1)",
                                     "relu(-0.5-x)",
                                     "abs(x-0.7)-0.3*relu(x+1.2)^2",
                                     "max(0.1*x,x-1)",
                                     "relu(x-1)^2+x",
                                     "max(min(x^2-1,1),-0.5)",
                                     "abs(abs(x)-2)",
                                     "relu"};

// E[f(mean + deviation z)], in pieces between the kinks.
double average(const std::function<double(double)>& f, const std::vector<kink>& kinks, double mean,
               double deviation) {
  using rule = boost::math::quadrature::gauss_kronrod<double, 61>;
  if (deviation == 0.0) {
    return f(mean);
  }
  std::vector<double> ends{-9.0};
  for (int k = -2; k <= 2; ++k) {
    ends.push_back(3.0 * k);
  }
  ends.push_back(9.0);
  for (const kink& k : kinks) {
    ends.push_back(std::clamp((k.location - mean) / deviation, -9.0, 9.0));
  }
  std::sort(ends.begin(), ends.end());
  double sum = 0.0;
  for (std::size_t i = 0; i + 1 < ends.size(); ++i) {
    if (ends[i + 1] > ends[i]) {
      sum += rule::integrate(
          [&](double z) {
            return f(mean + deviation * z) * std::exp(-0.5 * z * z) / std::sqrt(2.0 * M_PI);
          },
          ends[i], ends[i + 1], 0);
    }
  }
  return sum;
}

}  // namespace

// (3.5)
TEST_CASE("kernels between knots are the integrals that define them") {
  for (const std::string& of_f : names) {
    for (const std::string& of_g : names) {
      const activation f = parse_activation(of_f);
      const activation g = parse_activation(of_g);
      CAPTURE(of_f, of_g);
      const pair_kernel k(f, g);
      if (of_f == "relu" && of_g == "relu") {
        continue;
      }
      REQUIRE(k.closed());
      for (const double M : {-0.8, 0.0, 0.6}) {
        for (const double gap : {0.0, 0.05, 0.9}) {
          if (M == 0.0 && gap == 0.0) {
            continue;
          }
          CAPTURE(M, gap);
          const double Q = M * M + gap;
          const pair_moments m =
              k.moments({Q, 1.0, M, gap}, moment_set::value | moment_set::gradient);
          // X = Mz + √gap z' beside Y = z
          const auto direct = [&](const std::function<double(double)>& a,
                                  const std::function<double(double)>& b) {
            std::vector<kink> both = g.kinks();
            for (const kink& t : f.kinks()) {
              if (gap == 0.0) {
                both.push_back({t.location / M, {}});
              }
            }
            return average(
                [&](double z) { return b(z) * average(a, f.kinks(), M * z, std::sqrt(gap)); }, both,
                0.0, 1.0);
          };
          CHECK(m.e00 == test::within(direct(f, g), 1e-8));
          CHECK(m.e11 == test::within(direct([&](double x) { return f.first(x); },
                                             [&](double y) { return g.first(y); }),
                                      1e-8));
        }
      }
    }
  }
}

// (6.2)
TEST_CASE("V between knots is the integral that defines it") {
  for (const std::string& student : names) {
    for (const std::string& teacher : names) {
      CAPTURE(student, teacher);
      const activation s = parse_activation(student);
      const activation g = parse_activation(teacher);
      const noise_moment v(s, g);
      for (const auto& [M, gap] : {std::pair(-0.4, 0.7), std::pair(0.9, 0.02)}) {
        CAPTURE(M, gap);
        const double Q = M * M + gap;
        const double direct = average(
            [&, slope = M / Q, spread = std::sqrt(gap / Q)](double x) {
              const double value = s(x);
              const double square = s.first(x) * s.first(x);
              const auto error = [&](double y) { return (value - g(y)) * (value - g(y)) + 0.2; };
              return square == 0.0 ? 0.0 : square * average(error, g.kinks(), slope * x, spread);
            },
            s.kinks(), 0.0, std::sqrt(Q));
        CHECK(v.value(M, Q, gap, 0.2) == test::within(direct, 1e-8 * (1.0 + direct)));
      }
      // No noise at the target but the labels'.
      if (student == teacher) {
        CHECK(v.value(1.0, 1.0, 0.0, 0.0) == 0.0);
      }
    }
  }
}

TEST_CASE("slopes between knots are those of the values") {
  for (const std::string& of_f : names) {
    for (const std::string& of_g : names) {
      CAPTURE(of_f, of_g);
      const pair_kernel k(parse_activation(of_f), parse_activation(of_g));
      const auto value = [&k](double q1, double q2, double c) {
        return k.value({q1, q2, c, q1 * q2 - c * c});
      };
      for (const double c : {-0.5, 0.1, 0.7}) {
        CAPTURE(c);
        const double q1 = 1.3;
        const double q2 = 0.8;
        const double h = 2e-3;
        const pair_moments m =
            k.moments({q1, q2, c, q1 * q2 - c * c}, moment_set::gradient | moment_set::gradient2);
        CHECK(m.e11 ==
              test::within(test::difference([&](double t) { return value(q1, q2, c + t); }, h),
                           1e-9));
        CHECK(m.e20 ==
              test::within(
                  2.0 * test::difference([&](double t) { return value(q1 + t, q2, c); }, h), 1e-9));
        CHECK(m.e02 ==
              test::within(
                  2.0 * test::difference([&](double t) { return value(q1, q2 + t, c); }, h), 1e-9));
      }
    }
  }
}

TEST_CASE("kernels between knots have their limits at the edge") {
  for (const std::string& of_f : names) {
    for (const std::string& of_g : names) {
      CAPTURE(of_f, of_g);
      const pair_kernel k(parse_activation(of_f), parse_activation(of_g));
      // At M = -0.7 no two kinks meet; at ±1 those of equal pairs do, and others of these.
      for (const double M : {-1.0, -0.7, 1.0}) {
        CAPTURE(M);
        const pair_moments edge =
            k.moments({M * M, 1.0, M, 0.0}, moment_set::value | moment_set::gradient);
        for (const double gap : {1e-10, 1e-14, 1e-20, 1e-30}) {
          CAPTURE(gap);
          const pair_moments m =
              k.moments({M * M + gap, 1.0, M, gap}, moment_set::value | moment_set::gradient);
          CHECK(m.e00 == test::within(edge.e00, 10.0 * gap + 1e-14));
          CHECK(m.e11 == test::within(edge.e11, 10.0 * std::sqrt(gap) + 1e-14));
          CHECK(m.e20 == test::within(edge.e20, 10.0 * std::sqrt(gap) + 1e-14));
        }
      }
    }
  }
}

TEST_CASE("the averages between knots of what jumps have the slopes of their values") {
  const knot_polynomials jumping{
      {{-0.4, {0.5, -1.0}, {2.0, 0.3, 1.0}}, {0.9, {2.0 + 0.39 + 1.69, 2.9, 1.0}, {-1.0}}}};
  const knot_polynomials kinked{{{0.3, {1.0, -0.7}, {1.0, 0.4, 0.2}}}};
  const piecewise_pair k(jumping, kinked);
  const auto value = [&k](double q1, double c) {
    return k.gradient({q1, 1.0, c, q1 - c * c}, moment_set::value).e00;
  };
  const double h = 1e-3;
  const pair_moments m = k.gradient({0.8, 1.0, 0.3, 0.8 - 0.09}, moment_set::gradient);
  CHECK(m.e11 ==
        test::within(test::difference([&](double t) { return value(0.8, 0.3 + t); }, h), 1e-9));
  CHECK(
      m.e20 ==
      test::within(2.0 * test::difference([&](double t) { return value(0.8 + t, 0.3); }, h), 1e-9));
  const knot_average average(jumping);
  CHECK(average.slope(0.8) ==
        test::within(test::difference([&](double t) { return average.value(0.8 + t); }, h), 1e-9));
  // The delta's derivatives up to the third, of jumps up to the third derivative.
  const knot_polynomials cubic{{{-0.4, {1.0, 0.2, 0.1, -0.3}, {0.5, 1.0, -0.6, 0.4}},
                                {0.9, {0.3, -0.7, 0.2, 0.4}, {-1.0, 0.1, 0.3, 0.1, 0.05}}}};
  for (const knot_polynomials& f : {jumping, cubic}) {
    const knot_average of_f(f);
    for (const double q : {0.3, 0.8, 4.0}) {
      const auto slope = [&](double t) { return of_f.slope(q + t); };
      CHECK(of_f.curvature(q) == test::within(test::difference(slope, 1e-2 * q), 1e-8));
    }
  }
  // f g of equal knots, and f' between them.
  const knot_polynomials square = product_of(jumping, jumping);
  CHECK(square.knots[0].right[1] == Approx(2.0 * 2.0 * 0.3));
  CHECK(derivative_of(square).knots[1].left[0] == Approx(2.0 * 4.08 * 2.9));
}

TEST_CASE("far tails have their digits") {
  using rule = boost::math::quadrature::gauss_kronrod<double, 61>;
  for (std::size_t k = 1; k <= 8; ++k) {
    std::vector<double> power(k + 1, 0.0);
    power[k] = 1.0;
    const knot_average above(knot_polynomials{{{1.0, {}, power}}});
    for (const double z : {0.5, 1.9, 2.1, 2.9, 3.1, 4.9, 5.1, 14.9, 15.1, 33.0}) {
      CAPTURE(k, z);
      // E[(X - 1)ᵏ 1(X > 1)] at √q = 1/z
      double integral = 0.0;
      const double end = 90.0 / z;
      for (int i = 0; i < 16; ++i) {
        integral += rule::integrate(
            [&](double t) {
              return std::pow(t, static_cast<double>(k)) * std::exp(-0.5 * t * t - z * t);
            },
            end * i / 16, end * (i + 1) / 16, 0);
      }
      const double expected = std::pow(z, -static_cast<double>(k)) * std::exp(-0.5 * z * z) /
                              std::sqrt(2.0 * M_PI) * integral;
      const double relative = above.value(1.0 / (z * z)) / expected - 1.0;
      CHECK(relative == test::within(0.0, 3e-12));
    }
  }
}

TEST_CASE("what cancels between knots keeps the plane") {
  CHECK_FALSE(is_well_conditioned(*knot_polynomials_of(parse_activation("min(max(1e4*x,-1),1)"))));
  CHECK(is_well_conditioned(*knot_polynomials_of(parse_activation("min(max(10*x,-1),1)"))));
  CHECK_FALSE(knot_polynomials_of(parse_activation("abs(x-1)*tanh")).has_value());
  CHECK_FALSE(knot_polynomials_of(parse_activation("he3")).has_value());
}
