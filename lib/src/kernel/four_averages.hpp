#pragma once

/// \file
/// Averages over four jointly Gaussian variables. Internal to the library.

#include <Eigen/Core>
#include <array>
#include <cstddef>
#include <map>
#include <span>

namespace loradyn {

/// E[f1(X1) f2(X2) f3(X3) f4(X4)] of polynomials: f[i][n] = E[fi⁽ⁿ⁾(Xi)] for every n up to fi's
/// degree. The variances stand in these; of the covariance the parts off the diagonal are used. A
/// finite sum, exact to the rounding of its terms.
double polynomial_average(const std::array<std::span<const double>, 4>& f,
                          const Eigen::Matrix4d& covariance);

/// P(X1 > 0, …, X4 > 0) of a correlation matrix, to about 1e-9, at singular ones too. One
/// integral along which the fourth variable is turned away from the others.
double orthant_probability(const Eigen::Matrix4d& correlation);

/// Averages of products of piecewise linear functions of Gaussian variables that are kinked at 0,
/// from the covariance of all of them.
class sign_averages {
 public:
  /// Refers to the covariance, n x n, which must outlive it.
  explicit sign_averages(const Eigen::MatrixXd& covariance);

  /// E[X_m X_l Π 1(X_i > 0)] over a set of at most four variables i, each once. By Stein's lemma
  /// from the probabilities of orthants of four, three and two variables.
  double product(Eigen::Index m, Eigen::Index l, std::span<const Eigen::Index> set);

  /// E[Π 1(X_i > 0)]
  double probability(std::span<const Eigen::Index> set);

 private:
  const Eigen::MatrixXd& c_;
  Eigen::Index n_;
  std::map<std::size_t, double> fours_;  // the probabilities of four that are known
};

}  // namespace loradyn
