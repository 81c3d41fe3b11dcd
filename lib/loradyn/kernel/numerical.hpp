#pragma once

/// \file
/// Moments of any pair of activations by quadrature. Internal to the kernel room.

#include <cstddef>
#include <optional>
#include <vector>

#include <loradyn/activation/activation.hpp>
#include <loradyn/activation/hermite_projection.hpp>
#include <loradyn/gaussian/grid.hpp>
#include <loradyn/kernel/pair_kernel.hpp>

namespace loradyn {

/// An activation and its first two derivatives (without δ-like parts) at ±√q z_i, for the core of a
/// grid: first every plus, then every minus.
struct activation_table {
  activation_table(const activation& f, double deviation, const gaussian_grid& grid);

  std::size_t count;
  std::vector<double> x;
  std::vector<double> value;
  std::vector<double> first;
  std::vector<double> second;
};

/// The numerical kernel of a pair. Keeps what does not change between calls: g's values and Hermite
/// coefficients at unit variance, the one of every target.
class numerical_pair {
 public:
  numerical_pair(const activation& f, const activation& g);

  [[nodiscard]] pair_moments moments(const pair_covariance& covariance, moment_set wanted) const;

  /// d²/dq² K(q, q, q)
  [[nodiscard]] double diagonal_curvature(double q) const;

 private:
  [[nodiscard]] pair_moments edge(const pair_covariance& covariance, moment_set wanted) const;
  [[nodiscard]] std::optional<pair_moments> hermite_series(const pair_covariance& covariance,
                                                           moment_set wanted) const;
  [[nodiscard]] pair_moments nested(const pair_covariance& covariance, moment_set wanted) const;

  // g at unit variance on one of the shared grids.
  struct unit_table {
    const gaussian_grid* grid;
    activation_table values;
  };
  [[nodiscard]] const activation_table* unit_table_on(const gaussian_grid* grid) const;

  activation f_;
  activation g_;
  std::optional<hermite_projection> unit_g_;
  std::vector<unit_table> unit_tables_;
};

}  // namespace loradyn
