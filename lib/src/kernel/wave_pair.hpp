#pragma once

/// \file
/// Kernels of sums of waves. Internal to the kernel room.

#include <array>
#include <complex>
#include <cstddef>
#include <vector>

#include <loradyn/activation/activation.hpp>
#include <loradyn/kernel/pair_kernel.hpp>
#include "activation/waves.hpp"

namespace loradyn {

/// E[f(√q z)] of a sum of waves and its derivatives by q, prepared: each to rounding of its own
/// size, also where that is small beside f.
class wave_average {
 public:
  explicit wave_average(const detail::wave_sum& f);
  [[nodiscard]] double value(double q) const;
  /// d/dq
  [[nodiscard]] double slope(double q) const;
  /// d²/dq²
  [[nodiscard]] double curvature(double q) const;

 private:
  struct term {
    double frequency;
    polynomial real;
    polynomial imaginary;
  };
  static std::vector<term> terms_of(const detail::wave_sum& f);
  static double average(const std::vector<term>& terms, double q);

  std::vector<term> value_;
  std::vector<term> second_;
  std::vector<term> fourth_;
};

/// From which variance on the waves of f, f' and f'' cancel so little that their sums keep the
/// kernels' accuracy: Σ of their sizes <= 30 √E[f²]; infinite where they do so at 1 or above, 0 of
/// a polynomial.
double least_variance_of(const detail::wave_sum& f);

/// The kernel of two sums of waves, one of which may be a polynomial, in closed form: (3.6) of
/// docs/theory.md. Error: rounding of the terms, each of which is as small as what it adds.
class wave_pair {
 public:
  wave_pair(const detail::wave_sum& f, const detail::wave_sum& g);

  /// Whether the waves' sums keep the kernels' accuracy at these variances.
  [[nodiscard]] bool holds_at(double q1, double q2) const noexcept {
    return q1 >= least_q1_ && q2 >= least_q2_;
  }

  /// Those of e00, e11, e20 and e02 that are wanted.
  [[nodiscard]] pair_moments gradient(const pair_covariance& v, moment_set wanted) const;

 private:
  static constexpr std::size_t orders = 3;  // f, f' and f''
  // Of one frequency, by derivative.
  struct term {
    double frequency;
    std::array<polynomial, orders> real;
    std::array<polynomial, orders> imaginary;
    std::size_t degree = 0;  // the largest
  };
  // E[P⁽ⁿ⁾(X)] of every amplitude P of a side, n <= degree.
  using moments_of_terms = std::vector<std::array<std::vector<std::complex<double>>, orders>>;
  static std::vector<term> terms_of(detail::wave_sum f);
  static moments_of_terms moments_of(const std::vector<term>& terms, double q);

  std::vector<term> f_;
  std::vector<term> g_;
  double least_q1_;
  double least_q2_;
};

}  // namespace loradyn
