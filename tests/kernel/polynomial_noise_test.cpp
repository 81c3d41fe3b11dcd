#include <catch2/catch.hpp>
#include <cmath>
#include <loradyn/activation/parse.hpp>
#include <string>

#include "kernel/polynomial_noise.hpp"

using namespace loradyn;

namespace {

polynomial polynomial_of(const std::string& text) {
  return *parse_activation(text).as_polynomial();
}

}  // namespace

TEST_CASE("V of polynomials has the same bits by every set of instructions") {
  for (const char* f : {"linear", "he2", "he3-0.2*he2", "he10", "he40"}) {
    for (const char* g : {"he2", "he3", "he3+0.3*he4", "he12"}) {
      CAPTURE(f, g);
      const polynomial_noise noise(polynomial_of(f), polynomial_of(g));
      for (const double M : {-0.9, 0.0, 0.37, 1.0}) {
        const double spread = std::sqrt((1.0 - M) * (1.0 + M));
        const noise_value first =
            available_noise_kernels().front()->with_slopes(noise.points(), M, spread, 0.1);
        for (const noise_kernels* const kernels : available_noise_kernels()) {
          const noise_value v = kernels->with_slopes(noise.points(), M, spread, 0.1);
          CHECK(v.V == first.V);
          CHECK(v.V_M == first.V_M);
          CHECK(v.V_Q == first.V_Q);
          CHECK(kernels->value(noise.points(), M, spread, 0.1) == first.V);
        }
      }
    }
  }
}

TEST_CASE("half of the points are enough where student and teacher have one parity") {
  // A constant of 1e-300 changes no digit of he3 or he10, but their parity.
  struct pair {
    const char* whole;
    const char* half;
  };
  for (const auto& [whole, half] :
       {pair{"he3+1e-300", "he3"}, pair{"he10+1e-300*linear", "he10"}}) {
    CAPTURE(half);
    const polynomial_noise all(polynomial_of(whole), polynomial_of(half));
    const polynomial_noise folded(polynomial_of(half), polynomial_of(half));
    CHECK(folded.points().weight.size() <= all.points().weight.size() / 2 + 8);
    const noise_value a = all.with_derivatives(0.4, 1.1, 0.94, 0.2);
    const noise_value b = folded.with_derivatives(0.4, 1.1, 0.94, 0.2);
    CHECK(b.V == Approx(a.V).epsilon(1e-13));
    CHECK(b.V_M == Approx(a.V_M).epsilon(1e-13));
    CHECK(b.V_Q == Approx(a.V_Q).epsilon(1e-13));
  }
}
