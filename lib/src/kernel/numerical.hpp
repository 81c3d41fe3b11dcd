#pragma once

/// \file
/// Moments of any pair of activations by quadrature. Internal to the kernel room.

#include <cstddef>
#include <optional>
#include <span>

#include <loradyn/activation/activation.hpp>
#include <loradyn/kernel/pair_kernel.hpp>
#include "activation/hermite_projection.hpp"

namespace loradyn {

/// Orders of derivatives that a moment multiplies.
struct moment_term {
  moment_set set;
  double pair_moments::*target;
  std::size_t i;
  std::size_t j;
};

/// The numerical kernel of a pair. Keeps what does not change between calls: g's Hermite
/// coefficients at unit variance, the one of every target.
class numerical_pair {
 public:
  numerical_pair(const activation& f, const activation& g);

  [[nodiscard]] pair_moments moments(const pair_covariance& covariance, moment_set wanted) const;

  [[nodiscard]] edge_curvature along_edge(double c) const;

  /// d²/dq² K(q, q, q)
  [[nodiscard]] double diagonal_curvature(double q) const;

 private:
  [[nodiscard]] pair_moments edge(const pair_covariance& covariance, moment_set wanted) const;
  [[nodiscard]] std::optional<pair_moments> hermite_series(const pair_covariance& covariance,
                                                           moment_set wanted) const;
  [[nodiscard]] pair_moments plane(const pair_covariance& covariance, moment_set wanted) const;
  void add_kinks(pair_moments& m, const pair_covariance& covariance,
                 std::span<const moment_term> terms) const;

  activation f_;
  activation g_;
  std::optional<hermite_projection> unit_g_;
};

}  // namespace loradyn
