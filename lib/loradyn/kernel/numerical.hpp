#pragma once

/// \file
/// Moments of any pair of activations by quadrature. Internal to the kernel room.

#include <array>
#include <optional>
#include <vector>

#include <loradyn/activation/activation.hpp>
#include <loradyn/activation/hermite_projection.hpp>
#include <loradyn/kernel/pair_kernel.hpp>

namespace loradyn {

/// The numerical kernel of a pair. Keeps what does not change between calls: the Hermite
/// coefficients of g at unit variance, the one of every target.
class numerical_pair {
 public:
  numerical_pair(const activation& f, const activation& g);

  [[nodiscard]] pair_moments moments(const pair_covariance& covariance, moment_set wanted) const;

 private:
  [[nodiscard]] pair_moments edge(const pair_covariance& covariance, moment_set wanted) const;
  [[nodiscard]] std::optional<pair_moments> hermite_series(const pair_covariance& covariance,
                                                           moment_set wanted) const;
  [[nodiscard]] pair_moments nested(const pair_covariance& covariance, moment_set wanted) const;

  activation f_;
  activation g_;
  std::optional<hermite_projection> unit_g_;
};

}  // namespace loradyn
