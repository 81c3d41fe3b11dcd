#pragma once

/// \file
/// What drives the search of a network where it begins. Internal to the analysis room.

#include <Eigen/Core>
#include <loradyn/dynamics/network_flow.hpp>

namespace loradyn {

/// The state of U = 0, and V where it does not matter.
network_state origin_of(const network_flow& f);

/// The gradient of the risk at U = 0, with the sizes of its terms beside which it is told from
/// rounding.
struct network_drive {
  Eigen::MatrixXd G;      ///< R_N T + 2 R_Λ W0 in the frozen directions, K x p
  Eigen::MatrixXd H;      ///< 2 R_Λ, K x K
  double size = 0.0;      ///< of the two terms of G
  Eigen::MatrixXd sizes;  ///< of all terms of G T', entry by entry, K x k
};

/// \throws convergence_error where a kernel's quadrature does not converge
network_drive drive_at_start(const network_flow& f);

}  // namespace loradyn
