#pragma once

/// \file
/// Moments of pairs of polynomials, erf and ReLU in closed form. Internal to the kernel room.

#include <array>
#include <cstddef>
#include <loradyn/activation/activation.hpp>
#include <loradyn/kernel/pair_kernel.hpp>

namespace loradyn {

/// 1/n for the orders of a series that a polynomial ends; that of 0 is 0.
inline constexpr auto reciprocals = [] {
  std::array<double, max_degree + 2> table{};
  for (std::size_t n = 1; n < table.size(); ++n) {
    table[n] = 1.0 / static_cast<double>(n);
  }
  return table;
}();

/// The closed kernel of a pair without a rest. Keeps g's moments at unit variance, the one of every
/// target.
class closed_pair {
 public:
  closed_pair(const activation& f, const activation& g);

  [[nodiscard]] pair_moments moments(const pair_covariance& covariance, moment_set wanted) const;

  [[nodiscard]] edge_curvature along_edge(double c) const;

  /// d²/dq² K(q, q, q)
  [[nodiscard]] double diagonal_curvature(double q) const;

 private:
  // Derivatives up to the fourth of a polynomial of the highest degree.
  static constexpr std::size_t moment_count = max_degree + 5;
  using moment_array = std::array<double, moment_count>;

  // F_n = E[f⁽ⁿ⁾(X)], n < count, of the polynomial part, and of erf and ReLU where f has them.
  struct side {
    moment_array of_polynomial;
    moment_array of_transcendental;
    void fill(const activation_parts& f, double q, std::size_t count);
  };

  // All but the pair of ReLUs, whose second derivatives are infinite on the diagonal.
  void add_regular(pair_moments& m, const pair_covariance& covariance, moment_set wanted) const;

  void add_polynomials(pair_moments& m, const pair_covariance& covariance, moment_set wanted) const;

  activation_parts f_;
  activation_parts g_;
  bool same_;
  std::size_t terms_f_;  // of the series that a polynomial ends: one more than its degree
  std::size_t terms_g_;
  double erf_erf_;  // products of weights
  double relu_relu_;
  double erf_relu_;
  double relu_erf_;
  side unit_g_;
};

}  // namespace loradyn
