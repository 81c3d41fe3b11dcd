#include "kernel/wave_pair.hpp"
#include <catch2/catch.hpp>
#include <cmath>
#include <loradyn/activation/parse.hpp>
#include <loradyn/gaussian/average.hpp>
#include <loradyn/kernel/pair_kernel.hpp>
#include <span>
#include <string>
#include <vector>

#include "kernel/averages.hpp"
#include "support/difference.hpp"
#include "support/within.hpp"

using namespace loradyn;

namespace {

const std::vector<std::string> names{"sin",        "cos",
                                     "sin^2",      "cos^2+1.3*cos",
                                     "sin^3*cos",  "cos*(he2+0.5*he4)",
                                     "x*sin(x/2)", "cos(2*x+0.7)",
                                     "x+sin",      "sin(x)+0.3*sin(2.5*x)",
                                     "he3(sin)",   "1-cos",
                                     "sin*he3"};

detail::wave_sum waves_of(const std::string& text) {
  const activation f = parse_activation(text);
  if (const auto* waves = f.as_waves()) {
    return detail::wave_sum(*waves);
  }
  REQUIRE(f.as_polynomial() != nullptr);
  return detail::wave_sum({{0.0, *f.as_polynomial(), {}}});
}

// Averages over the plane, by quadrature.
pair_moments over_plane(const std::string& f, const std::string& g, const pair_covariance& v) {
  const averages a = plane_averages(parse_activation(f), parse_activation(g), v, 2, 4,
                                    [](const point_block& at, double* values) {
                                      for (std::size_t p = 0; p < at.count; ++p) {
                                        values[p] = at.f[0][p] * at.g[0][p];
                                        values[at.count + p] = at.f[1][p] * at.g[1][p];
                                        values[2 * at.count + p] = at.f[2][p] * at.g[0][p];
                                        values[3 * at.count + p] = at.f[0][p] * at.g[2][p];
                                      }
                                    });
  return {.e00 = a.value[0], .e11 = a.value[1], .e20 = a.value[2], .e02 = a.value[3]};
}

double power_of(const std::string& f, std::size_t order, double q) {
  detail::wave_sum derivative = waves_of(f);
  for (std::size_t i = 0; i < order; ++i) {
    derivative = derivative.derivative();
  }
  return wave_average(derivative.times(derivative)).value(q);
}

}  // namespace

TEST_CASE("kernels of sums of waves are those of the quadrature") {  // (3.6)
  std::vector<std::string> teachers = names;
  for (const char* polynomial : {"x", "he2", "he3-0.4*x", "he12"}) {
    teachers.emplace_back(polynomial);
  }
  double worst = 0.0;
  for (const std::string& f : names) {
    for (const std::string& g : teachers) {
      const wave_pair pair(waves_of(f), waves_of(g));
      for (const double q1 : {0.05, 0.7, 2.3}) {
        for (const double correlation : {-0.97, -0.4, 0.0, 0.6, 0.999}) {
          const double c = correlation * std::sqrt(q1);
          const pair_covariance v = pair_covariance::of(q1, 1.0, c);
          if (!pair.holds_at(q1, 1.0)) {
            continue;
          }
          CAPTURE(f, g, q1, correlation);
          const pair_moments m =
              pair.gradient(v, moment_set::value | moment_set::gradient | moment_set::gradient2);
          const pair_moments expected = over_plane(f, g, v);
          const auto check = [&](double value, double reference, std::size_t i, std::size_t j) {
            const double size = std::sqrt(power_of(f, i, q1) * power_of(g, j, 1.0));
            worst = std::max(worst, std::abs(value - reference) / size);
            CHECK(value == test::within(reference, 1e-13 * size));
          };
          check(m.e00, expected.e00, 0, 0);
          check(m.e11, expected.e11, 1, 1);
          check(m.e20, expected.e20, 2, 0);
          check(m.e02, expected.e02, 0, 2);
        }
      }
    }
  }
  WARN("largest error over the sides' root mean squares: " << worst);
}

TEST_CASE("what decays keeps its digits") {
  // E[sin(3X) (x^3 of Y)'s slope] and the like, where they are as small as exp(-9Q/2).
  const pair_kernel sine(parse_activation("sin(3*x)"), parse_activation("he3"));
  for (const double q : {1.0, 4.0, 9.0, 50.0}) {
    const double c = -0.8 * std::sqrt(q);
    const pair_moments m =
        sine.moments(pair_covariance::of(q, 1.0, c), moment_set::value | moment_set::gradient);
    // E[sin(3X) He_3(Y)] = c³ E[sin'''(3X)], E[3 cos(3X) 3 He_2(Y)] = 3c² E[(cos(3X))''] 3,
    // E[-9 sin(3X) He_3(Y)] = -9 of the first.
    const double e = std::exp(-4.5 * q);
    const double value = -27.0 * c * c * c * e;
    CHECK(m.e00 == Approx(value).epsilon(1e-13));
    CHECK(m.e11 == Approx(-81.0 * c * c * e).epsilon(1e-13));
    CHECK(m.e20 == Approx(-9.0 * value).epsilon(1e-13));
  }
}

TEST_CASE("averages of waves have the slopes of their values") {
  for (const std::string& f : names) {
    const wave_average average(waves_of(f));
    for (const double q : {0.2, 1.0, 3.0}) {
      CAPTURE(f, q);
      const auto value = [&](double t) { return average.value(q + t); };
      const auto slope = [&](double t) { return average.slope(q + t); };
      const double size = 1e-9 * (1.0 + std::abs(average.value(q)));
      CHECK(average.slope(q) == test::within(test::difference(value, 3e-3 * q), size));
      CHECK(average.curvature(q) == test::within(test::difference(slope, 3e-3 * q), 10.0 * size));
    }
  }
}

TEST_CASE("waves that cancel are left to the quadrature") {
  CHECK(least_variance_of(waves_of("sin")) <= 1e-2);
  // (1 - cos)^3 is x^6/8 near 0: beside it the waves have no digits, and at 1 they have all.
  const double least = least_variance_of(waves_of("(1-cos)^3"));
  CHECK(least > 0.01);
  CHECK(least <= 1.0);
  CHECK(least_variance_of(waves_of("he12")) == 0.0);
  // Below it E[f²] goes on as 10395 q⁶/64.
  const activation f = parse_activation("(1-cos)^3");
  const double q = 1e-4;
  CHECK(pair_kernel(f, f).value(pair_covariance::diagonal(q)) ==
        Approx(10395.0 / 64.0 * std::pow(q, 6)).epsilon(1e-2));
}

TEST_CASE("beside a side of one parity the other is its part of that parity") {
  const auto kernel = [](const char* f, const char* g) {
    return pair_kernel(parse_activation(f), parse_activation(g));
  };
  const pair_covariance v = pair_covariance::of(1.7, 1.0, -0.9);
  const auto moments = [&](const char* f, const char* g) {
    return kernel(f, g).moments(v,
                                moment_set::value | moment_set::gradient | moment_set::gradient2);
  };
  struct pairs {
    const char* f;
    const char* g;
    const char* part_of_f;
    const char* part_of_g;
  };
  for (const pairs& p :
       {pairs{"relu", "tanh", "x/2", "tanh"}, pairs{"gelu", "he3", "x/2", "he3"},
        pairs{"sin", "softplus-2*x", "sin", "-1.5*x"}, pairs{"cos", "relu^2", "cos", "x^2/2"},
        pairs{"relu^3+x", "erf", "x^3/2+x", "erf"}, pairs{"cos", "sigmoid", "cos", "1/2"}}) {
    CAPTURE(p.f, p.g);
    const pair_moments m = moments(p.f, p.g);
    const pair_moments of_parts = moments(p.part_of_f, p.part_of_g);
    // By quadrature of the functions as they stand.
    const pair_moments plane = over_plane(p.f, p.g, v);
    CHECK(m.e00 == Approx(of_parts.e00).epsilon(1e-13));
    CHECK(m.e11 == test::within(of_parts.e11, 1e-13));
    CHECK(m.e20 == test::within(of_parts.e20, 1e-13));
    CHECK(m.e02 == test::within(of_parts.e02, 1e-13));
    CHECK(m.e00 == test::within(plane.e00, 1e-12));
    CHECK(m.e11 == test::within(plane.e11, 1e-12));
  }
  // Odd about a constant is not odd: an even part meets the constant.
  CHECK(moments("softplus", "sigmoid").e00 ==
        test::within(over_plane("softplus", "sigmoid", v).e00, 1e-12));
  CHECK(moments("softplus", "sigmoid").e20 ==
        test::within(over_plane("softplus", "sigmoid", v).e20, 1e-12));
}
