#include "kernel/polynomial_pair.hpp"
#include <catch2/catch.hpp>
#include <cmath>
#include <loradyn/activation/parse.hpp>
#include <loradyn/kernel/pair_kernel.hpp>

using namespace loradyn;

TEST_CASE("one pass over two polynomials gives the moments of their kernels, bit for bit") {
  // Odd, even and mixed students of every degree that ends the loop in its own way; the teacher's
  // parity and degree differ.
  for (const char* student : {"linear", "he1+2", "he2", "he3", "he3-0.4*he5", "1+he4", "he2+he3",
                              "he1+he2+he3+he4", "he19+he20", "he20", "3", "0*he1"}) {
    for (const char* teacher : {"linear", "he3-0.4*he5", "he2+he3", "he20", "2"}) {
      const activation f = parse_activation(student);
      const activation g = parse_activation(teacher);
      const pair_kernel self(f, f);
      const pair_kernel cross(f, g);
      const polynomial_pair pair(*f.as_polynomial(), *g.as_polynomial());
      for (const double q : {0.0, 0.1, 0.2499, 0.25, 1.0, 1.7, 30.0}) {
        for (const double cosine : {-1.0, -0.3, 0.0, 0.6, 1.0}) {
          const double c = cosine * std::sqrt(q);
          CAPTURE(student, teacher, q, c);
          const polynomial_pair_moments m = pair.moments(q, c);
          const pair_moments s = self.moments(pair_covariance::diagonal(q), moment_set::gradient);
          const pair_moments x =
              cross.moments({q, 1.0, c, (1.0 - cosine * cosine) * q}, moment_set::gradient);
          CHECK(m.self_e11 == s.e11);
          CHECK(m.self_e20 == s.e20);
          CHECK(m.cross_e11 == x.e11);
          CHECK(m.cross_e20 == x.e20);
        }
      }
    }
  }
}
