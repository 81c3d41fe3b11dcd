#pragma once

/// \file
/// Gauss-Legendre rules in the order of their nodes. Internal to the library.

#include <array>
#include <boost/math/quadrature/gauss.hpp>
#include <cstddef>

namespace loradyn {

/// The rule of N points, N even, on [-1, 1], with increasing nodes.
template <unsigned N>
struct legendre_rule {
  legendre_rule() {
    using gauss = boost::math::quadrature::gauss<double, N>;
    for (std::size_t i = 0; i < N / 2; ++i) {
      const std::size_t k = N / 2 - 1 - i;
      node[i] = -gauss::abscissa()[k];
      node[N - 1 - i] = gauss::abscissa()[k];
      weight[i] = weight[N - 1 - i] = gauss::weights()[k];
    }
  }
  std::array<double, N> node;
  std::array<double, N> weight;
};

}  // namespace loradyn
