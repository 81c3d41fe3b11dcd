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

/// The readouts while the search goes on, where they train: nothing that grows moves them to first
/// order, so that they relax to the best ones of W = W0.
class searching_readouts {
 public:
  /// \throws convergence_error where a kernel's quadrature does not converge
  explicit searching_readouts(const network_flow& f);

  /// a at time t, which may be infinite.
  [[nodiscard]] Eigen::VectorXd at(double t) const;

 private:
  Eigen::VectorXd start_;
  Eigen::MatrixXd modes_;  // columns; none where the readouts are frozen
  Eigen::VectorXd rates_;
  Eigen::VectorXd pull_;  // -∂R/∂a at the start, over κ_a times each rate
};

/// The gradient of the risk at U = 0, with the sizes of its terms beside which it is told from
/// rounding.
struct network_drive {
  Eigen::MatrixXd G;      ///< R_N T + 2 R_Λ W0 in the frozen directions, K x p
  Eigen::MatrixXd H;      ///< 2 R_Λ times |V_a|², K x K
  double size = 0.0;      ///< of the two terms of G
  Eigen::MatrixXd sizes;  ///< of all terms of G T', entry by entry, K x k
};

/// At readouts a and |V_a|² = square. \throws convergence_error where a kernel's quadrature does
/// not converge
network_drive drive_at(const network_flow& f, const Eigen::VectorXd& a, double square);

/// As a long search ends: where all that relaxes has done so.
network_drive searching_drive(const network_flow& f);

/// [[-κ (H + ω), -√κ G], [-√κ G', -ω]] (the last only for free adapters): how (u/√κ, v) moves.
Eigen::MatrixXd searching_matrix(const network_parameters& p, const network_drive& drive);

/// Σ at U = 0 and readouts a.
Eigen::MatrixXd noise_at(const network_flow& f, const Eigen::VectorXd& a);

}  // namespace loradyn
