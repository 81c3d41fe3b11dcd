#pragma once

/// \file
/// Normalised Hermite coefficients of an activation and its derivatives, by quadrature.

#include <array>
#include <cstddef>
#include <memory>
#include <optional>
#include <vector>

#include <Eigen/Core>

#include <loradyn/activation/activation.hpp>
#include "gaussian/grid.hpp"

namespace loradyn {

/// φ_k,n = E[σ⁽ᵏ⁾(√q z) he_n(z)], z ~ N(0, 1), for derivatives k <= 4 and n < gaussian_grid::
/// table_size, computed a block at a time as they are asked for. Kinks of σ are breaks of the
/// quadrature and the δ-like parts of σ' and σ'' are added exactly; σ''' and σ⁗ of a kinked σ
/// follow from σ'' by Stein's identity, φ_{k+1,n} = √((n+1)/q) φ_{k,n+1}. Absolute error about
/// 1e-15 E[σ⁽ᵏ⁾²]^½ (times (n/q)^½ or n/q where Stein's identity is used).
class hermite_projection {
 public:
  /// Coefficients in a block.
  static constexpr std::size_t block_size = 2 * static_cast<std::size_t>(gaussian_grid::half_block);
  static constexpr std::size_t max_blocks = gaussian_grid::table_size / block_size;

  /// \param variance      q >= 0
  /// \param highest_order the highest derivative that will be asked for, 2 or 4
  /// \throws convergence_error where σ(√q z) varies too fast for the finest grid: the grid is the
  ///         first whose averages of σ⁽ᵏ⁾² (whose panels, with kinks) are resolved
  hermite_projection(const activation& f, double variance, std::size_t highest_order);

  /// The number of blocks that the derivative of this order has.
  [[nodiscard]] std::size_t blocks(std::size_t order) const noexcept;

  /// Block b of the coefficients of the derivative of this order: block_size values, φ_{k,n} with
  /// n = b block_size + i. Valid until the next call.
  const double* block(std::size_t order, std::size_t b);

  /// The same, of a projection that `complete` has filled that far.
  [[nodiscard]] const double* block(std::size_t order, std::size_t b) const {
    return coefficients_[order].data() + b * block_size;
  }

  /// Computes every block of the orders 0, 1 and 2.
  void complete();

 private:
  struct samples {
    Eigen::VectorXd even;  // w_i (f(z_i) + f(-z_i))
    Eigen::VectorXd odd;   // w_i (f(z_i) - f(-z_i))
  };

  void append_quadrature_block(std::size_t order);
  void append_stein_block(std::size_t order);

  std::shared_ptr<const gaussian_grid> grid_;
  std::vector<kink> kinks_;
  double variance_ = 0.0;
  std::optional<std::size_t> degree_;  // of a polynomial
  std::size_t sampled_orders_ = 3;
  std::array<samples, 5> samples_;
  std::array<std::vector<double>, 5> coefficients_;
};

}  // namespace loradyn
