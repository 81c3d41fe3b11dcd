#pragma once

/// \file
/// The equilibria of a network's flow, by Newton's method from many starts (docs/theory.md, section
/// 14).

#include <Eigen/Core>
#include <cstddef>
#include <loradyn/analysis/equilibria.hpp>
#include <loradyn/dynamics/network_flow.hpp>
#include <span>
#include <vector>

namespace loradyn {

/// A point where the flow rests.
struct network_equilibrium {
  network_state x;
  double risk = 0.0;  ///< with label noise
  /// Of the Jacobian in what moves: U (unless κ = 0), C, the part of P below the diagonal (with the
  /// diagonal, but on spheres), and the readouts where they train; by decreasing real part. NaN
  /// where the Jacobian is not finite.
  Eigen::VectorXcd eigenvalues;
  std::size_t unstable = 0;  ///< with a positive real part
  std::size_t flat = 0;      ///< zero: the dimensions of a family, or of a degenerate point
  equilibrium_kind kind = equilibrium_kind::saddle;
  std::size_t starts = 0;  ///< that led to it, or to another of its orbit or family
};

/// The equilibrium at x: risk and eigenvalues there; x is not improved. One below 1e-9 of the
/// largest counts as zero.
network_equilibrium describe_equilibrium(const network_flow& f, const network_state& x);

/// Every equilibrium that Newton's method finds from the starts, by increasing risk, and the origin
/// U = 0, V beside all frozen rows, which stands for the states of U V = 0 where nothing moves.
/// From the first, third, … start the flow without noise is followed for some hundred steps before.
///
/// Two whose risk, overlaps and readouts agree up to the order of the neurons and of the targets
/// are one: the images under permutations of exchangeable neurons, of adapters and of their signs,
/// and the members of the families of adapters that make the same weights. Of them the one that
/// is nearest to W0, |U V|² being the least, stands for all. \throws argument_error where a start
/// is none of this flow; convergence_error where a kernel's quadrature does not converge at the
/// origin
std::vector<network_equilibrium> equilibria(const network_flow& f,
                                            std::span<const network_state> starts);

}  // namespace loradyn
