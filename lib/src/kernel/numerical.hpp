#pragma once

/// \file
/// Moments of any pair of activations by quadrature. Internal to the kernel room.

#include <cstddef>
#include <memory>
#include <optional>
#include <span>

#include <loradyn/activation/activation.hpp>
#include <loradyn/kernel/pair_kernel.hpp>
#include "activation/hermite_projection.hpp"
#include "kernel/half_line_pair.hpp"
#include "kernel/half_lines.hpp"
#include "kernel/piecewise_pair.hpp"
#include "kernel/piecewise_polynomial.hpp"
#include "kernel/sector_table.hpp"
#include "kernel/wave_pair.hpp"

namespace loradyn {

/// Orders of derivatives that a moment multiplies.
struct moment_term {
  moment_set set;
  double pair_moments::*target;
  std::size_t i;
  std::size_t j;
};

/// Whether the Hermite series comes to an end before its table does: two kinked sides need a
/// correlation that ends it.
bool series_ends(const activation& f, const activation& g, const pair_covariance& v);

/// The numerical kernel of a pair. Keeps what does not change between calls: g's Hermite
/// coefficients at unit variance, the one of every target.
class numerical_pair {
 public:
  /// \param with_series whether the slices' series are asked for of a closed pair too
  numerical_pair(const activation& f, const activation& g, bool with_series);

  [[nodiscard]] pair_moments moments(const pair_covariance& covariance, moment_set wanted) const;

  /// Whether values and slopes are summed in closed form.
  [[nodiscard]] bool closed() const noexcept { return half_lines_ || between_knots_; }

  /// Whether values and slopes are sums of waves at these variances, to rounding of each.
  [[nodiscard]] bool in_waves_at(double q1, double q2) const noexcept {
    return waves_ && waves_->holds_at(q1, q2);
  }

  /// Whether one side is a polynomial between kinks beside 0, so that the plane costs a line.
  [[nodiscard]] bool has_pieces() const noexcept { return pieces_of_f_ || pieces_of_g_; }

  /// Whether X given Y is a short line, and kinks beside 0 make a difference there.
  [[nodiscard]] bool is_narrow(const pair_covariance& covariance) const;

  [[nodiscard]] edge_curvature along_edge(double c) const;

  /// d²/dq² K(q, q, q)
  [[nodiscard]] double diagonal_curvature(double q) const;

  /// The pair at one variance of X: what f needs of it is computed once.
  class slice {
   public:
    /// \param highest 4 where second derivatives will be asked for, else 2
    slice(const numerical_pair& pair, double q1, std::size_t highest = 2)
        : pair_(pair), q1_(q1), highest_(highest) {}

    /// As numerical_pair::moments at this q1.
    pair_moments moments(const pair_covariance& covariance, moment_set wanted);

    /// The coefficients of ρⁿ, ρ = c/√(q1 q2), in E[f⁽ⁱ⁾(X) g⁽ʲ⁾(Y)] at q2 = 1, i, j <= 2.
    /// \throws convergence_error where there is no series
    void series(std::size_t i, std::size_t j, std::span<double> coefficients);

   private:
    hermite_projection& projection();
    // Averages between the kinks, for two sides with kinks at 0; nothing where the table does not
    // resolve them.
    std::optional<pair_moments> by_sectors(const pair_covariance& covariance, moment_set wanted);

    const numerical_pair& pair_;
    double q1_;
    std::size_t highest_;
    std::optional<hermite_projection> f_;
    std::optional<half_lines> half_lines_of_f_;
    std::optional<sector_table> sectors_;  // of these moments at this q2
    moment_set of_sectors_{};
    double q2_of_sectors_ = 0.0;
  };

 private:
  // Whether the Hermite series is to be tried.
  [[nodiscard]] bool has_series(const pair_covariance& covariance) const;
  [[nodiscard]] pair_moments edge(const pair_covariance& covariance, moment_set wanted) const;
  // Nothing where it does not settle.
  [[nodiscard]] std::optional<pair_moments> hermite_series(hermite_projection& f,
                                                           const pair_covariance& covariance,
                                                           moment_set wanted) const;
  // Where closed(), but for second derivatives on the edge.
  [[nodiscard]] pair_moments in_closed_form(const pair_covariance& covariance,
                                            moment_set wanted) const;
  [[nodiscard]] pair_moments plane(const pair_covariance& covariance, moment_set wanted) const;
  void add_kinks(pair_moments& m, const pair_covariance& covariance,
                 std::span<const moment_term> terms) const;

  activation f_;
  activation g_;
  bool kinks_at_zero_;                               // at 0 alone, or nowhere
  std::optional<piecewise_polynomial> pieces_of_f_;  // where the kinks are elsewhere as well
  std::optional<piecewise_polynomial> pieces_of_g_;
  std::shared_ptr<half_lines> half_lines_of_unit_g_;  // where all kinks are at 0
  std::shared_ptr<sector_weights> sector_weights_;
  std::optional<half_line_pair> half_lines_;
  std::optional<piecewise_pair> between_knots_;
  std::optional<wave_pair> waves_;
  std::optional<hermite_projection> unit_g_;
};

}  // namespace loradyn
