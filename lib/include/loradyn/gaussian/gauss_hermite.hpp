#pragma once

/// \file
/// Gauss-Hermite quadrature.

#include <cstddef>
#include <vector>

namespace loradyn {

/// E[f(z)] = Σ weights[i] f(nodes[i]) for z ~ N(0, 1) and every polynomial f of degree < 2 n. Nodes
/// to a few ulp of the largest, weights to a few n ulp each, however small.
struct gauss_hermite_rule {
  /// \param n the number of nodes, 1 to 100
  /// \throws argument_error for another
  explicit gauss_hermite_rule(std::size_t n);

  std::vector<double> nodes;  ///< increasing
  std::vector<double> weights;
};

}  // namespace loradyn
