#pragma once

/// \file
/// Kernels of activations that are polynomials between kinks anywhere. Internal to the kernel room.

#include <array>
#include <cstddef>
#include <optional>
#include <span>
#include <utility>
#include <vector>

#include <loradyn/activation/activation.hpp>
#include <loradyn/kernel/pair_kernel.hpp>
#include "kernel/half_line_pair.hpp"

namespace loradyn {

/// A function that is a polynomial between its knots: at each those of both sides, by their
/// coefficients of (x - at)ᵏ.
struct knot_polynomials {
  struct knot {
    double at;
    std::vector<double> left;
    std::vector<double> right;
  };
  std::vector<knot> knots;  ///< in increasing order, one at least
};

/// The largest degree between knots that closed kernels are summed for: V of degree 2 asks for 4.
inline constexpr std::size_t most_piece_degree = 8;

/// f by its kinks, or nothing where it has none or is no piecewise_polynomial.
std::optional<knot_polynomials> knot_polynomials_of(const activation& f);

/// Whether the parts that f is summed of, each from its knot on, cancel so little, at variances
/// from 1e-2 to 1e2, that their sums keep the kernels' accuracy: no more than by 3000, of √E[f²],
/// and the degree is not too large.
bool is_well_conditioned(const knot_polynomials& f);

/// f' between the knots
knot_polynomials derivative_of(const knot_polynomials& f);
/// f g, of equal knots
knot_polynomials product_of(const knot_polynomials& f, const knot_polynomials& g);

/// E[f(√q z)] of f, which may jump, prepared; q > 0.
class knot_average {
 public:
  explicit knot_average(const knot_polynomials& f);
  [[nodiscard]] double value(double q) const;
  /// d/dq
  [[nodiscard]] double slope(double q) const;
  /// d²/dq²
  [[nodiscard]] double curvature(double q) const;

 private:
  // What lies above a knot, or, by -x, below it, or everywhere: f, f'' and f⁗ in powers of x - at.
  struct part {
    double at;
    bool everywhere;
    std::array<std::vector<double>, 3> c;
  };
  // What a knot adds to the averages of derivatives: of[k] is the jump of the k-th.
  struct jumps {
    double at;
    std::array<double, 4> of;
  };
  // E[f⁽²ʰ⁾(√q z)] with its δ-like parts
  [[nodiscard]] double derivative(std::size_t h, double q) const;

  std::vector<part> parts_;
  std::vector<jumps> jumps_;
};

/// What a standard normal variable Z has at z.
struct normal_place {
  double z = 0.0;
  double tail = 0.5;  ///< P(Z > |z|)
  double bell = 1.0;  ///< e^{-z²/2}

  normal_place() = default;
  explicit normal_place(double at);
  [[nodiscard]] double above() const { return z > 0.0 ? tail : 1.0 - tail; }  ///< P(Z > z)
  [[nodiscard]] double below() const { return z > 0.0 ? 1.0 - tail : tail; }  ///< P(Z < z)
};

/// The kernel of f, which may jump, and g, which may not, in closed form: (3.5) of docs/theory.md.
/// Error: rounding of the terms.
class piecewise_pair {
 public:
  piecewise_pair(const knot_polynomials& f, const knot_polynomials& g);

  /// The averages E[f⁽ⁱ⁾(X) g⁽ʲ⁾(Y)] of the pieces alone, q1, q2 > 0.
  void pieces(const pair_covariance& v, std::span<const half_line_pair::orders> wanted,
              double* out) const;

  /// Those of e00, e11, e20 and e02 that are wanted, q1, q2 > 0, with what the kinks add.
  [[nodiscard]] pair_moments gradient(const pair_covariance& v, moment_set wanted) const;

 private:
  static constexpr std::size_t size = most_piece_degree + 1;
  // What lies above or below a knot, or everywhere, in powers of x - at or at - x.
  struct part {
    double at = 0.0;
    bool everywhere = false;
    double direction = 1.0;                       // -1 below the knot
    std::array<std::size_t, 5> count{};           // of coefficients, by derivative
    std::array<std::array<double, size>, 5> c{};  // by derivative
    [[nodiscard]] double jump(std::size_t k) const {
      return everywhere ? 0.0 : direction * c[k][0];
    }
  };
  // What a part's knot is to a variance: -X in place of X below the knot.
  struct seen {
    normal_place place;  // its distance, in deviations
    double beyond;       // the probability of the part
    double density;      // of what is everywhere 0
  };
  // Pairs of parts whose averages are the same but for their coefficients: of odd or even functions
  // those of opposite knots.
  struct alike {
    std::vector<std::pair<std::size_t, std::size_t>> pairs;
  };
  struct averages;
  static std::vector<part> parts_of(const knot_polynomials& f);
  static std::vector<seen> seen_at(const std::vector<part>& parts, double q);

  std::vector<part> f_;
  std::vector<part> g_;
  std::vector<alike> groups_;
};

}  // namespace loradyn
