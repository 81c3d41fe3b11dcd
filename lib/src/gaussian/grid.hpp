#pragma once

/// \file
/// Quadrature grids for E[f(z)], z ~ N(0, 1), and for the Hermite coefficients of f.
///
/// A grid is symmetric: it stores nodes z >= 0 and every one stands for the pair ±z. Two kinds:
/// - equispaced (the trapezoidal rule), for smooth functions;
/// - panels of 16-point Gauss-Legendre rules between breakpoints, for functions with kinks: no
///   panel runs across a break.
/// A *level* halves the step or the panel.

#include <cstddef>
#include <span>
#include <vector>

#include <Eigen/Core>

namespace loradyn {

/// How far a grid goes: to |z| = 16, where the weight e^{-z²/2} times the growth e^{z²/4} of he_n
/// is 2e-28 and outlasts a function of degree 20; or to 24, 3e-63 and a degree of 120, that of the
/// products σσ'² of the largest polynomials.
enum class grid_extent { usual, wide };

/// Nodes and Gaussian weights of one grid, with the table of he_n at its nodes on demand.
class gaussian_grid {
 public:
  /// Number of Hermite polynomials in a table; a multiple of the block.
  static constexpr std::size_t table_size = 512;
  /// Polynomials of one parity that `project` handles at a time.
  static constexpr Eigen::Index half_block = 16;

  /// The trapezoidal rule of step 2^-(level + 2).
  static gaussian_grid equispaced(int level, grid_extent extent = grid_extent::usual);

  /// Gauss-Legendre panels of width at most 2^(1 - level), broken at 0 and at ±|breaks|.
  static gaussian_grid panels(std::span<const double> breaks, int level,
                              grid_extent extent = grid_extent::usual);

  /// Nodes z_i >= 0, increasing.
  [[nodiscard]] const std::vector<double>& nodes() const noexcept { return nodes_; }

  /// w_i with E[f(z)] ≈ Σ_i w_i (f(z_i) + f(-z_i)).
  [[nodiscard]] const std::vector<double>& weights() const noexcept { return weights_; }

  /// Half the width of panel p, whose nodes are the 16 from 16 p on.
  [[nodiscard]] double panel_half_width(std::size_t p) const { return half_widths_[p]; }

  /// Computes the table of he_n(z_i), n < table_size; `even_table` and `odd_table` need it.
  void tabulate();

  /// Row j: he_{2j} at the nodes.
  [[nodiscard]] const Eigen::MatrixXd& even_table() const noexcept { return even_; }
  /// Row j: he_{2j+1} at the nodes.
  [[nodiscard]] const Eigen::MatrixXd& odd_table() const noexcept { return odd_; }

 private:
  std::vector<double> nodes_;
  std::vector<double> weights_;
  std::vector<double> half_widths_;
  Eigen::MatrixXd even_;
  Eigen::MatrixXd odd_;
};

/// The coarsest and the finest level there are.
inline constexpr int min_grid_level = 0;
inline constexpr int max_grid_level = 5;

/// The shared equispaced grid of a level, tabulated; built once, safe from any thread.
const gaussian_grid& shared_equispaced_grid(int level, grid_extent extent = grid_extent::usual);

/// The shared panels of a level with a break at 0 alone, tabulated; built once, safe from any
/// thread.
const gaussian_grid& shared_panel_grid(int level, grid_extent extent = grid_extent::usual);

}  // namespace loradyn
