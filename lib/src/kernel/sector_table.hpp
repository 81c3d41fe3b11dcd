#pragma once

/// \file
/// Averages over the plane of activations whose kinks are all at 0, at many correlations. Internal
/// to the kernel room.

#include <cstddef>
#include <memory>
#include <mutex>
#include <span>
#include <vector>
#include "kernel/half_lines.hpp"

namespace loradyn {

/// The integrals over sectors that sums of Chebyshev polynomials ask for, whatever the sums: those
/// last asked for are kept. Safe from any thread.
class sector_weights {
 public:
  /// One sector's: the number of polynomials, the maps to their arguments and the width.
  struct key {
    std::size_t size;
    stretching of_f;
    stretching of_g;
    double width;
    friend bool operator==(const key&, const key&) = default;
  };

  /// ∫ T_k(x(α)) T_l(y(width - α)) dα in row k, column l. x and y are from 0 to 1.
  std::shared_ptr<const half_lines::matrix> of(const key& sector);

 private:
  struct entry {
    key sector;
    std::shared_ptr<const half_lines::matrix> weights;
  };

  std::mutex making_;
  std::vector<entry> kept_;
  std::size_t oldest_ = 0;
};

/// E[f⁽ⁱ⁾(X) g⁽ʲ⁾(Y)] of the pieces of f and g, which have kinks at 0 alone, at fixed variances of
/// X and Y and any correlation cos θ.
///
/// In polar coordinates X = a R sin α and Y = b R sin β on the half-lines of a sector between X = 0
/// and Y = 0, with α + β its width, and the average is an integral over α of
///
///     H(α, β) = (1/2π) ∫ R e^{-R²/2} f⁽ⁱ⁾(± a R sin α) g⁽ʲ⁾(± b R sin β) dR
///
/// which knows nothing of θ: a matrix product of f's and g's values on half-lines. H is kept as a
/// polynomial in x(α) and y(β), sin α = sinh(k x)/sinh k, where k grows with the logarithm of a: so
/// saturating activations are resolved at large variances too, where they are close to steps.
class sector_table {
 public:
  /// Orders of derivatives of f and of g.
  struct term {
    std::size_t i;
    std::size_t j;
  };

  sector_table(half_lines& f, half_lines& g, std::span<const term> terms);

  /// Whether the last coefficients of H have died out, to 4e-15 of its size. Else no average can be
  /// asked for.
  [[nodiscard]] bool resolved() const noexcept { return size_ > 0; }

  /// The average of every term where √gap = sine · ab and c = cosine · ab, its angle to 47 bits: so
  /// many are the same along a ray, and its weights kept.
  void averages(double sine, double cosine, std::span<double> out, sector_weights& weights) const;

 private:
  stretching of_f_;
  stretching of_g_;
  std::size_t size_ = 0;          // coefficients of H in x and in y
  std::vector<double> apart_;     // H where X and Y have different signs, term by term
  std::vector<double> together_;  // and where they have the same
};

}  // namespace loradyn
