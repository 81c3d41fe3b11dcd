#pragma once

/// \file
/// Kernels of activations that are polynomials on either side of 0. Internal to the kernel room.

#include <array>
#include <cstddef>
#include <span>
#include <vector>

#include <loradyn/activation/activation.hpp>
#include <loradyn/kernel/pair_kernel.hpp>

namespace loradyn {

/// The largest degree on a half-line that closed kernels are summed for: V of degree 4 asks for 14.
inline constexpr std::size_t most_half_line_degree = 16;

/// Whether the monomials of f cancel so little, at variances from 1e-2 to 1e2, that their sums keep
/// the kernels' accuracy: √E[(Σ |c_k| |x|ᵏ)²] <= 30 √E[f²], and the degree is not too large.
bool is_well_conditioned(const half_line_polynomials& f);

/// f' between the kinks
half_line_polynomials derivative_of(const half_line_polynomials& f);
/// f g
half_line_polynomials product_of(const half_line_polynomials& f, const half_line_polynomials& g);

/// E[f(√q z)] of f, which may jump, prepared.
class half_line_average {
 public:
  explicit half_line_average(const half_line_polynomials& f);
  [[nodiscard]] double value(double q) const;
  /// d/dq, q > 0
  [[nodiscard]] double slope(double q) const;
  /// d²/dq², q > 0
  [[nodiscard]] double curvature(double q) const;

 private:
  std::vector<double> c_;  // of √q ᵏ
};

/// The kernel of f, which may jump at 0, and g, which may not, in closed form: (3.4) of
/// docs/theory.md. Error: rounding of the terms.
class half_line_pair {
 public:
  half_line_pair(const half_line_polynomials& f, const half_line_polynomials& g);

  /// Of derivatives, <= 4.
  struct orders {
    std::size_t i;
    std::size_t j;
  };
  /// The averages E[f⁽ⁱ⁾(X) g⁽ʲ⁾(Y)] of the pieces alone, q1, q2 > 0.
  void pieces(const pair_covariance& v, std::span<const orders> wanted, double* out) const;

  /// Those of e00, e11, e20 and e02 that are wanted, q1, q2 > 0, with what the kinks add.
  [[nodiscard]] pair_moments gradient(const pair_covariance& v, moment_set wanted) const;

 private:
  static constexpr std::size_t size = most_half_line_degree + 1;
  // Of a derivative, on x < 0 in powers of |x|, and on x > 0.
  struct halves {
    std::size_t count = 0;
    std::array<std::array<double, size>, 2> c{};

    [[nodiscard]] double jump() const { return c[1][0] - c[0][0]; }
    // E[f(deviation z)]
    [[nodiscard]] double average(double deviation) const;
  };
  static std::array<halves, 5> derivatives_of(half_line_polynomials f);

  std::array<halves, 5> f_;
  std::array<halves, 5> g_;
  bool has_alike_;   // whether both are anything where X and Y have one sign
  bool has_unlike_;  // and where they have different ones
};

}  // namespace loradyn
