#pragma once

/// \file
/// Averages of products of polynomials on half-lines over jointly Gaussian variables. Internal to
/// the model room.

#include <Eigen/Core>
#include <array>
#include <cstdint>
#include <map>
#include <memory>
#include <span>
#include <vector>

namespace loradyn {

/// E[Π X_i^{n_i} Π_{i in S} 1(X_i > 0)] of at most four variables. By Stein's lemma, which takes a
/// power away and leaves the average where a sign changes, down to the probabilities of orthants;
/// singular covariances too, of which parallel variables are one.
class orthant_moments {
 public:
  using powers = std::array<unsigned, 4>;

  /// \param set bit i: whether X_i > 0 is asked
  orthant_moments(Eigen::MatrixXd covariance, unsigned set);

  /// Powers of at most 255 each; of what is no variable 0.
  double value(const powers& n);

 private:
  double of_kept(const powers& n);
  [[nodiscard]] double probability() const;
  orthant_moments& where_vanishes(Eigen::Index b);

  Eigen::MatrixXd c_;  // of the variables that are kept
  unsigned set_ = 0;
  bool impossible_ = false;
  std::vector<std::size_t> place_;  // of each variable among those kept
  std::vector<double> factor_;      // and what times that it is
  std::map<std::uint32_t, double> known_;
  std::array<std::unique_ptr<orthant_moments>, 4> beside_;
};

/// A function that is a polynomial on either side of 0, coefficients of xⁿ.
struct half_line_function {
  std::vector<double> negative;
  std::vector<double> positive;
};

/// E[Π f_i(X_i)] of four of n jointly Gaussian variables, with what is known of their moments.
class half_line_averages {
 public:
  /// Refers to the covariance, which must outlive it.
  explicit half_line_averages(const Eigen::MatrixXd& covariance) : c_(covariance) {}

  /// Of variables that may repeat.
  double value(const std::array<Eigen::Index, 4>& variables,
               const std::array<const half_line_function*, 4>& functions);

 private:
  const Eigen::MatrixXd& c_;
  std::map<std::vector<Eigen::Index>, std::array<std::unique_ptr<orthant_moments>, 16>> moments_;
};

}  // namespace loradyn
