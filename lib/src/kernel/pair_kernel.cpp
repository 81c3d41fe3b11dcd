#include <loradyn/kernel/pair_kernel.hpp>

#include <algorithm>
#include <cmath>
#include <limits>
#include <loradyn/error.hpp>
#include <loradyn/number_text.hpp>
#include <optional>
#include <string>
#include <utility>
#include <vector>
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

// The even or the odd part of a function that is a polynomial on either side of 0, where that part
// is one polynomial: x²/2 is the even part of relu², x/2 the odd one of relu.
std::optional<polynomial> part_of(const half_line_polynomials& f, parity kind) {
  std::vector<double> part(std::max(f.negative.size(), f.positive.size()));
  for (std::size_t k = 0; k < part.size(); ++k) {
    const double below = k < f.negative.size() ? f.negative[k] : 0.0;
    const double above = k < f.positive.size() ? f.positive[k] : 0.0;
    if ((k % 2 == 0) == (kind == parity::even)) {
      part[k] = 0.5 * (above + below);
    } else if (above != below) {
      return std::nullopt;
    }
  }
  return polynomial::from_monomials(std::move(part));
}

// What is left of f beside `other`: where that is even, f's even part, the offset of an odd f;
// where it is odd about 0, f's odd part, the line of one that is even but for a line. Every average
// of the pair's derivatives is the same, and exactly so.
activation beside(const activation& f, const activation& other) {
  const activation_symmetry symmetry = f.symmetry();
  const activation_symmetry of_other = other.symmetry();
  const bool beside_odd = of_other.kind == parity::odd && of_other.offset == 0.0;
  if (of_other.kind == symmetry.kind || !(of_other.kind == parity::even || beside_odd)) {
    return f;
  }
  if (of_other.kind == parity::even && symmetry.kind == parity::odd) {
    return activation(polynomial({symmetry.offset}, {symmetry.offset}), f.name());
  }
  if (beside_odd && symmetry.slope) {
    const std::vector<double> line{0.0, *symmetry.slope};
    return activation(polynomial(line, line), f.name());
  }
  if (const half_line_polynomials* pieces = f.on_half_lines()) {
    if (auto part = part_of(*pieces, of_other.kind)) {
      return activation(*std::move(part), f.name());
    }
  }
  return f;
}

}  // namespace

pair_kernel::pair_kernel(activation f, activation g) : f_(std::move(f)), g_(std::move(g)) {
  if (!f_.parts().has_rest && !g_.parts().has_rest) {
    closed_ = std::make_shared<const closed_pair>(f_, g_);
  } else {
    const activation f_beside_g = beside(f_, g_);
    const activation g_beside_f = beside(g_, f_);
    // A pair may be closed where f with itself is not: then its series goes into their table.
    const bool is_part = !f_beside_g.same_as(f_) || !g_beside_f.same_as(g_);
    numerical_ = std::make_shared<const numerical_pair>(f_beside_g, g_beside_f, is_part);
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
