#pragma once

/// \file
/// What drives the search of a network where it begins. Internal to the analysis room.

#include <Eigen/Core>
#include <loradyn/dynamics/network_flow.hpp>

namespace loradyn {

/// The state of U = 0, and V where it does not matter.
network_state origin_of(const network_flow& f);

/// |V_a|² of each adapter while it searches: 1, of V of Frobenius norm 1 its share, and of free
/// adapters that decay 0, for what of V does not grow is gone before the search ends.
double searching_square(const network_parameters& p);

/// Whether modes grow only where their drive is beyond the decay: that of free adapters.
bool decays_while_searching(const network_parameters& p);

/// The gradient of the risk at U = 0, with the sizes of its terms beside which it is told from
/// rounding.
struct network_drive {
  Eigen::MatrixXd G;      ///< R_N T + 2 R_Λ W0 in the frozen directions, K x p
  Eigen::MatrixXd H;      ///< 2 R_Λ |V_a|², K x K
  double size = 0.0;      ///< of the two terms of G
  Eigen::MatrixXd sizes;  ///< of all terms of G T', entry by entry, K x k
};

/// \throws convergence_error where a kernel's quadrature does not converge
network_drive drive_at_start(const network_flow& f);

}  // namespace loradyn
