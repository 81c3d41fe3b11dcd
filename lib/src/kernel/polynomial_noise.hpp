#pragma once

/// \file
/// V of polynomials. Internal to the kernel room.

#include <array>
#include <cstddef>
#include <loradyn/activation/polynomial.hpp>
#include <loradyn/kernel/noise_moment.hpp>
#include <span>
#include <vector>

namespace loradyn {

/// Where a polynomial student and teacher are compared: λ* = z, λ = M z + √gap z'.
struct noise_points {
  static constexpr std::size_t lane_count = 8;  ///< points are padded to a multiple

  std::size_t degree = 0;                      ///< of the student
  bool few_terms = false;                      ///< of the student, so that He_n's recurrence pays
  std::array<std::vector<double>, 4> student;  ///< h_n of σ, σ', σ'' and σ''', n <= degree
  std::vector<double> along;                   ///< z
  std::vector<double> across;                  ///< z'
  std::vector<double> weight;                  ///< 0 where there is no point
  std::vector<double> target;                  ///< g(z)
  std::vector<double> target_slope;            ///< g'(z)
};

/// The loops over points, (6.2) and its slopes, with λ = M z + spread · z'.
struct noise_kernels {
  double (*value)(const noise_points&, double M, double spread, double label_noise);
  noise_value (*with_slopes)(const noise_points&, double M, double spread, double label_noise);
};

/// Those that this processor runs, of one result: the widest last.
std::span<const noise_kernels* const> available_noise_kernels();

/// V of polynomials by Gauss-Hermite quadrature, which is exact for them. The square is summed as a
/// square: its terms are those that cancel near the target, by twenty digits for He_20.
class polynomial_noise {
 public:
  polynomial_noise(const polynomial& student, const polynomial& teacher);

  /// V (6.2); relative error 1e-13 of the sum of its terms, all of them positive.
  [[nodiscard]] double value(double M, double Q, double gap, double label_noise) const;
  /// With its slopes by M and Q.
  [[nodiscard]] noise_value with_derivatives(double M, double Q, double gap,
                                             double label_noise) const;

  /// What the loops go over.
  [[nodiscard]] const noise_points& points() const noexcept { return points_; }

 private:
  noise_points points_;
};

}  // namespace loradyn
