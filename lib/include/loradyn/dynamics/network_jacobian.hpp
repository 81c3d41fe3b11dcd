#pragma once

/// \file
/// The Jacobian of a network's flow.

#include <Eigen/Core>
#include <loradyn/dynamics/network_flow.hpp>
#include <span>

namespace loradyn {

/// The Jacobian of the velocity of a packed state: exact from the second derivatives of the pair
/// kernels, but for Σ at γ > 0, of which it takes differences. At an edge of the states (V beside
/// the frozen rows vanishes) it is that of the inside. Entries are not finite where a kinked pair's
/// second derivatives are none: where two weights, or a weight and its target, are parallel.
/// \throws argument_error, convergence_error as `velocity`
Eigen::MatrixXd jacobian_of(const network_flow& f, std::span<const double> packed);

}  // namespace loradyn
