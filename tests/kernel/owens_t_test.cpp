#include "kernel/owens_t.hpp"
#include <boost/math/special_functions/owens_t.hpp>
#include <catch2/catch.hpp>
#include <cmath>

using namespace loradyn;

// Either side of what needs a longer rule, and of where all of the weight is.
TEST_CASE("Owen's function is that of extended precision") {
  for (const double h :
       {0.0, 1e-9, 0.3, 1.0, 2.2, 2.4, 4.4, 4.6, 6.0, 8.7, 8.9, 13.0, 25.0, 38.0}) {
    for (const double a : {1e-12, 0.01, 0.1, 0.3, 0.34, 0.36, 0.5, 0.8, 0.97, 1.0}) {
      CAPTURE(h, a);
      const long double all = boost::math::owens_t(static_cast<long double>(h), a);
      const double expected = static_cast<double>(all * std::exp(0.5L * h * h));
      CHECK(owens_integral(h, a) == Approx(expected).epsilon(5e-15).margin(0.0));
    }
  }
}

TEST_CASE("Owen's function has the same bits with every vector width") {
  constexpr std::array<double, 8> node{0.02, 0.1, 0.24, 0.41, 0.59, 0.76, 0.9, 0.98};
  constexpr std::array<double, 8> weight{0.05, 0.11, 0.16, 0.18, 0.18, 0.16, 0.11, 0.05};
  const auto sum = [&](const owens_kernels& kernels, double power) {
    return kernels.sum(node.data(), weight.data(), node.size(), 0.7, power);
  };
  for (const double power : {0.0, 0.3, 7.0, 150.0, 1e4}) {
    for (const owens_kernels* const kernels : available_owens_kernels()) {
      CHECK(sum(*kernels, power) == sum(*available_owens_kernels().front(), power));
    }
  }
}
