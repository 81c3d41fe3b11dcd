#pragma once

/// \file
/// The search phase of a network: the linear instabilities of its flow at U = 0 (docs/theory.md,
/// section 14).

#include <Eigen/Core>
#include <loradyn/analysis/search_phase.hpp>
#include <loradyn/dynamics/network_flow.hpp>
#include <vector>

namespace loradyn {

/// A growing mode: every adapter a moves by x e^{rate t}, (U_a, V_a E') = (u, v).
struct network_mode {
  double rate = 0.0;
  Eigen::VectorXd u;       ///< K: which neurons it moves; (u, v) has length 1
  Eigen::VectorXd v;       ///< p: and in which of the frozen directions
  Eigen::VectorXd left_u;  ///< the left eigenvector, whose product with (u, v) is 1
  Eigen::VectorXd left_v;
};

/// The linearised flow at W = W0. The rank changes none of its rates, but where V's Frobenius norm
/// is kept, of which each adapter has a share.
struct network_search_result {
  std::vector<network_mode> modes;  ///< those that grow, the fastest first
  double pull = 0.0;  ///< |G0|: the drive of the search; it vanishes at critical alignments
  double size = 0.0;  ///< of the terms of G0, beside which it is told from rounding
  search_status status = search_status::ok;
};

/// The modes of [[-κ (q H0 + ω), -κ G0], [-G0', -ω]] (the last only for free adapters), which for
/// U = √κ Ũ is symmetric. q is |V_a|²: 1, 1/r where V's Frobenius norm is kept, and 0 for free
/// adapters that decay, whose V is gone before a search of τ log √d ends.
/// \throws convergence_error where a kernel's quadrature does not converge
network_search_result network_search(const network_flow& f);

/// What Σ is where the search begins, at U = 0.
Eigen::MatrixXd noise_at_start(const network_flow& f);

/// The start after one batch: V's rows are the leading singular vectors of its gradient at U = 0,
/// signed for descent, to leading order in d.
/// \param dimension d, \param batch N: samples of the batch
/// \throws argument_error where r > K or a number is not positive; convergence_error
network_state one_step_start(const network_flow& f, double dimension, double batch, double u0);

}  // namespace loradyn
