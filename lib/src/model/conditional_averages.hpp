#pragma once

/// \file
/// Averages of products of four functions of jointly Gaussian variables, smooth but for two of
/// them, given those two. Internal to the model room.

#include <Eigen/Core>
#include <loradyn/activation/activation.hpp>
#include <vector>

namespace loradyn {

/// σ, or its slope, of one of the variables.
struct field_function {
  Eigen::Index field = 0;
  const activation* of = nullptr;
  bool slope = false;
};

/// E[u v f_i f_k] for all pairs of a list of functions f.
struct conditional_value {
  Eigen::MatrixXd averages;  ///< below and on the diagonal
  double error = 0.0;        ///< an estimate of what their weighted sum misses
};

/// The larger of an absolute one and of a part of the weighted sum.
struct conditional_tolerance {
  double absolute = 0.0;
  double part = 0.0;
};

/// The averages given two of n jointly Gaussian variables, (14.18): outside a rule over these two,
/// inside a sum of Hermite coefficients of what the others are given them.
class conditional_averages {
 public:
  /// Refers to the covariance, which must outlive it.
  explicit conditional_averages(const Eigen::MatrixXd& covariance) : c_(covariance) {}

  /// E[u(X) v(Y) f_i f_k], i >= k, of f that are smooth; u and v may have kinks.
  /// \param weights   of f_i f_k in the sum that the error is of
  /// \param tolerance rules are refined until the error is below it, or to their finest
  [[nodiscard]] conditional_value value(const field_function& u, const field_function& v,
                                        const std::vector<field_function>& f,
                                        const Eigen::MatrixXd& weights,
                                        const conditional_tolerance& tolerance) const;

 private:
  const Eigen::MatrixXd& c_;
};

}  // namespace loradyn
