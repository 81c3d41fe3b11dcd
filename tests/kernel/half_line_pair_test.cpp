#include "kernel/half_line_pair.hpp"

#include <catch2/catch.hpp>
#include <cmath>
#include <loradyn/activation/parse.hpp>
#include <loradyn/kernel/pair_kernel.hpp>
#include <string>
#include <utility>
#include <vector>

#include "support/nameless.hpp"
#include "support/within.hpp"

using namespace loradyn;

namespace {

const std::vector<std::string> half_lines{
    "relu^2",     "relu^3",     "relu^4",       "x*abs(x)",   "relu^2-0.5*relu",
    "abs(x)^3",   "relu*he3",   "relu^2+he2",   "relu*x+erf", "max(x^3,0)",
    "0.3+abs(x)", "abs(x)*he2", "he3-2*relu^3", "relu",       "he3"};

}  // namespace

TEST_CASE("what is a polynomial on either side of 0 is known") {
  for (const std::string& text : half_lines) {
    CAPTURE(text);
    const activation f = parse_activation(text);
    const half_line_polynomials* p = f.on_half_lines();
    if (text == "relu*x+erf") {
      CHECK(p == nullptr);
      continue;
    }
    REQUIRE(p != nullptr);
    for (const double x : {-2.3, -0.4, 0.7, 3.1}) {
      const std::vector<double>& c = x < 0.0 ? p->negative : p->positive;
      double sum = 0.0;
      for (std::size_t k = c.size(); k-- > 0;) {
        sum = sum * x + c[k];
      }
      CHECK(sum == test::within(f(x), 1e-14 * (1.0 + std::abs(f(x)))));
    }
  }
  for (const char* text : {"relu(x-1)", "tanh", "relu*tanh", "max(x,x^2)", "abs(x-1)+abs(x+1)"}) {
    CAPTURE(text);
    CHECK(parse_activation(text).on_half_lines() == nullptr);
  }
  // Where monomials cancel, their sums would too.
  CHECK(is_well_conditioned(*parse_activation("relu^3+he2").on_half_lines()));
  CHECK_FALSE(is_well_conditioned(*parse_activation("relu*he12").on_half_lines()));
}

// (3.4)
TEST_CASE("kernels of polynomials on half-lines are those of the quadrature") {
  std::size_t compared = 0;
  for (std::size_t i = 0; i < half_lines.size(); ++i) {
    for (const std::size_t j : {i, (i + 1) % half_lines.size(), (i + 4) % half_lines.size()}) {
      const activation f = parse_activation(half_lines[i]);
      const activation g = parse_activation(half_lines[j]);
      const pair_kernel closed(f, g);
      if (closed.numerical() == nullptr || !closed.closed()) {
        continue;
      }
      CAPTURE(half_lines[i], half_lines[j]);
      const pair_kernel plain(test::nameless(f), test::nameless(g));
      for (const double q : {1e-4, 0.3, 1.0, 40.0}) {
        for (const double r : {-1.0, -0.999999, -0.7, 0.0, 0.2, 0.95, 0.9999999, 1.0}) {
          CAPTURE(q, r);
          const double c = r * std::sqrt(q);
          const pair_covariance v{q, 1.0, c, std::abs(r) == 1.0 ? 0.0 : q * (1.0 - r) * (1.0 + r)};
          const moment_set slopes =
              moment_set::value | moment_set::gradient | moment_set::gradient2;
          const pair_moments a = closed.moments(v, slopes);
          const pair_moments b = plain.moments(v, slopes);
          const auto size = [&v](const activation& x, const activation& y, auto part) {
            const pair_kernel of_x(x, x);
            const pair_kernel of_y(y, y);
            return std::sqrt(std::abs(part(of_x, v.q1) * part(of_y, v.q2)));
          };
          const double values = size(f, g, [](const pair_kernel& k, double at) {
            return k.value(pair_covariance::diagonal(at));
          });
          const double firsts = size(f, g, [](const pair_kernel& k, double at) {
            return k.moments(pair_covariance::diagonal(at), moment_set::gradient).e11;
          });
          CHECK(a.e00 == test::within(b.e00, 1e-13 * values));
          CHECK(a.e11 == test::within(b.e11, 1e-13 * firsts));
          CHECK(a.e20 == test::within(b.e20, 2e-13 * (firsts / std::sqrt(q) + values / q)));
          CHECK(a.e02 == test::within(b.e02, 2e-13 * (firsts * std::sqrt(q) + values)));
          if (std::abs(r) < 0.99) {
            const pair_moments d = closed.moments(v, moment_set::hessian);
            const pair_moments e = plain.moments(v, moment_set::hessian);
            const double most = firsts * (1.0 + 1.0 / q) + values * (1.0 + 1.0 / (q * q));
            CHECK(d.e22 == test::within(e.e22, 1e-11 * most));
            CHECK(d.e31 == test::within(e.e31, 1e-11 * most));
            CHECK(d.e13 == test::within(e.e13, 1e-11 * most));
            CHECK(d.e40 == test::within(e.e40, 1e-11 * most));
            CHECK(d.e04 == test::within(e.e04, 1e-11 * most));
          }
          ++compared;
        }
      }
    }
  }
  CHECK(compared > 500);
}

TEST_CASE("the averages of what jumps have the slopes of their values") {
  const half_line_polynomials jumping{{0.5, -1.0}, {2.0, 0.3, 1.0}};
  const half_line_polynomials kinked{{1.0, -0.7}, {1.0, 0.4, 0.2}};
  const half_line_pair k(jumping, kinked);
  const auto value = [&k](double q1, double c) {
    return k.gradient({q1, 1.0, c, q1 - c * c}, moment_set::value).e00;
  };
  const double h = 1e-4;
  const pair_moments m = k.gradient({0.8, 1.0, 0.3, 0.8 - 0.09}, moment_set::gradient);
  CHECK(m.e11 == test::within((value(0.8, 0.3 + h) - value(0.8, 0.3 - h)) / (2 * h), 1e-7));
  CHECK(0.5 * m.e20 == test::within((value(0.8 + h, 0.3) - value(0.8 - h, 0.3)) / (2 * h), 1e-7));
  const half_line_average average(jumping);
  CHECK(average.slope(0.8) ==
        test::within((average.value(0.8 + h) - average.value(0.8 - h)) / (2 * h), 1e-7));
  CHECK(average.curvature(0.8) ==
        test::within((average.slope(0.8 + h) - average.slope(0.8 - h)) / (2 * h), 1e-7));
}
