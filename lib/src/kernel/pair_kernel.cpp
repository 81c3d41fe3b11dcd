#include <loradyn/kernel/pair_kernel.hpp>

#include <algorithm>
#include <cmath>
#include <limits>
#include <loradyn/error.hpp>
#include <loradyn/number_text.hpp>
#include <string>
#include <utility>
#include "kernel/closed_form.hpp"
#include "kernel/numerical.hpp"

namespace loradyn {

pair_covariance pair_covariance::of(double q1, double q2, double c) {
  const double product = q1 * q2;
  // Kahan's difference of products: the rounding of each product is put back.
  const double square = c * c;
  const double gap = (product - square) + (std::fma(q1, q2, -product) - std::fma(c, c, -square));
  const double rounding = 4.0 * std::numeric_limits<double>::epsilon() * product;
  return {q1, q2, c, std::abs(gap) <= rounding ? 0.0 : gap};
}

void pair_covariance::validate() const {
  if (valid()) {
    return;
  }
  const auto require = [](bool holds, const char* name, double value, const char* expected) {
    if (!holds) {
      throw argument_error(name, number_text(value), expected);
    }
  };
  require(q1 >= 0.0 && std::isfinite(q1), "the variance q1", q1, "finite and >= 0");
  require(q2 >= 0.0 && std::isfinite(q2), "the variance q2", q2, "finite and >= 0");
  require(gap >= 0.0 && std::isfinite(gap), "the gap q1 q2 - c^2", gap, "finite and >= 0");
  require(false, "the covariance c", c, "such that q1 q2 - c^2 is the gap");
}

namespace {

// f where `other` has the parity that f - offset has not: every average of the pair's derivatives
// is that of the constant, and exactly so.
activation beside(const activation& f, const activation& other) {
  const activation_symmetry symmetry = f.symmetry();
  if (symmetry.kind == parity::odd && other.symmetry().kind == parity::even) {
    return activation(polynomial({symmetry.offset}, {symmetry.offset}), f.name());
  }
  return f;
}

}  // namespace

pair_kernel::pair_kernel(activation f, activation g) : f_(std::move(f)), g_(std::move(g)) {
  if (!f_.parts().has_rest && !g_.parts().has_rest) {
    closed_ = std::make_shared<const closed_pair>(f_, g_);
  } else {
    numerical_ = std::make_shared<const numerical_pair>(beside(f_, g_), beside(g_, f_));
  }
}

bool pair_kernel::closed() const noexcept { return closed_ || numerical_->closed(); }

pair_moments pair_kernel::moments(const pair_covariance& covariance, moment_set wanted) const {
  if (!covariance.valid()) {
    covariance.validate();
  }
  return closed_ ? closed_->moments(covariance, wanted) : numerical_->moments(covariance, wanted);
}

double pair_kernel::value(const pair_covariance& covariance) const {
  return moments(covariance, moment_set::value).e00;
}

kernel_gradient pair_kernel::gradient(const pair_covariance& covariance) const {
  const pair_moments m = moments(covariance, moment_set::gradient | moment_set::gradient2);
  return {0.5 * m.e20, 0.5 * m.e02, m.e11};  // (2.2)
}

kernel_hessian pair_kernel::hessian(const pair_covariance& covariance) const {
  const pair_moments m = moments(covariance, moment_set::hessian);
  // (2.2), twice.
  return {0.25 * m.e40, 0.25 * m.e22, 0.5 * m.e31, 0.25 * m.e04, 0.5 * m.e13, m.e22};
}

edge_curvature pair_kernel::along_edge(double c) const {
  return closed_ ? closed_->along_edge(c) : numerical_->along_edge(c);
}

double pair_kernel::diagonal_curvature(double q) const {
  pair_covariance::diagonal(q).validate();
  return closed_ ? closed_->diagonal_curvature(q) : numerical_->diagonal_curvature(q);
}

}  // namespace loradyn
