#include "kernel/label_variance.hpp"
#include <boost/math/quadrature/gauss_kronrod.hpp>
#include <catch2/catch.hpp>
#include <cmath>
#include <loradyn/activation/parse.hpp>
#include <loradyn/kernel/noise_moment.hpp>
#include <tuple>

#include "support/difference.hpp"
#include "support/within.hpp"

using namespace loradyn;

namespace {

// E[σ'(λ)² v(λ*)] by nested Gauss-Kronrod rules, broken where a kink at 0 is.
double direct(const activation& s, const activation& v, double M, double Q, double gap) {
  using rule = boost::math::quadrature::gauss_kronrod<double, 31>;
  const auto density = [](double z) { return std::exp(-0.5 * z * z) / std::sqrt(2.0 * M_PI); };
  const double spread = std::sqrt(gap / Q);
  const auto over = [&](const auto& f, double at) {
    return rule::integrate(f, -14.0, at, 10, 1e-12) + rule::integrate(f, at, 14.0, 10, 1e-12);
  };
  return over(
      [&](double z) {
        const double mean = M * z / std::sqrt(Q);
        const double slope = s.first(std::sqrt(Q) * z);
        const double turn = std::min(13.9, std::max(-13.9, -mean / spread));
        return slope * slope * density(z) *
               over([&](double y) { return v(mean + spread * y) * density(y); }, turn);
      },
      0.0);
}

}  // namespace

// (10.2)
TEST_CASE("labels of variance v(λ*) add E[σ'² v] to V, with its slopes") {
  for (const auto& [student, variance, tolerance] :
       {std::tuple("erf", "4*erf^2-0.3", 1e-9), std::tuple("he3", "he2", 1e-9),
        std::tuple("linear", "he3^2+he2", 1e-9), std::tuple("he12", "he2", 1e-8),
        std::tuple("tanh", "erf^2", 1e-8), std::tuple("relu", "relu^2-0.5", 1e-7),
        std::tuple("relu", "he2", 1e-7), std::tuple("erf", "relu^2", 1e-7)}) {
    CAPTURE(student, variance);
    const activation s = parse_activation(student);
    const activation v = parse_activation(variance);
    const label_variance kernel(s, v);
    for (const auto& [M, gap] : {std::pair(0.5, 0.3), std::pair(-0.4, 0.7)}) {
      const double Q = M * M + gap;
      const double expected = direct(s, v, M, Q, gap);
      const label_variance_value r = kernel.with_derivatives(M, Q, gap);
      CHECK(kernel.value(M, Q, gap) == Approx(expected).epsilon(2e-10).margin(1e-11));
      CHECK(r.value == Approx(expected).epsilon(2e-10).margin(1e-11));
      const auto at = [&, M = M, gap = gap](double dM, double dQ) {
        return kernel.value(M + dM, Q + dQ, gap + dQ - 2 * M * dM - dM * dM);
      };
      const double scale = std::abs(expected) + 1.0;
      CHECK(r.by_M == test::within(test::difference([&](double t) { return at(t, 0); }, 5e-3),
                                   tolerance * 10 * scale));
      CHECK(r.by_Q == test::within(test::difference([&](double t) { return at(0, t); }, 5e-3),
                                   tolerance * 10 * scale));
      // Beside V's own terms.
      const double plain = noise_moment(s, v).value(M, Q, gap, 0.2);
      const noise_moment with_excess(s, v, v);
      CHECK(with_excess.value(M, Q, gap, 0.2) == Approx(plain + expected).epsilon(1e-9));
      CHECK(with_excess.with_derivatives(M, Q, gap, 0.2).V ==
            Approx(plain + expected).epsilon(1e-9));
    }
    // Without what is beside w*: one Gaussian variable. The way there is √gap at most.
    // A gap of 1e-8 moves it by as much, relative to its size.
    const double beside = kernel.value(0.6, 0.36 + 1e-8, 1e-8);
    CHECK(kernel.value(0.6, 0.36, 0.0) == test::within(beside, 1e-6 * (1.0 + std::abs(beside))));
  }
}
