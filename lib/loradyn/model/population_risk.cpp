#include <loradyn/model/population_risk.hpp>

#include <algorithm>
#include <cmath>
#include <loradyn/kernel/polynomial_pair.hpp>
#include <utility>

namespace loradyn {
namespace {

pair_covariance student_teacher(const field_overlaps& o) { return {o.Q, 1.0, o.M, o.gap}; }

}  // namespace

population_risk::population_risk(activation student, activation teacher)
    : self_(student, student),
      cross_(std::move(student), teacher),
      teacher_power_(pair_kernel(teacher, teacher).value(pair_covariance::diagonal(1.0))) {
  const polynomial* f = self_.f().as_polynomial();
  const polynomial* g = teacher.as_polynomial();
  if (f != nullptr && g != nullptr) {
    polynomials_ = std::make_shared<const polynomial_pair>(*f, *g);
  }
}

double population_risk::value(const field_overlaps& overlaps, double label_noise) const {
  const double student_power = self_.value(pair_covariance::diagonal(overlaps.Q));
  const double product = cross_.value(student_teacher(overlaps));
  return 0.5 * (student_power + teacher_power_ + label_noise) - product;
}

polynomial_pair_moments population_risk::gradient_moments(const field_overlaps& overlaps) const {
  const pair_covariance covariance = student_teacher(overlaps);
  if (polynomials_) {
    if (!covariance.valid()) {
      covariance.validate();
    }
    return polynomials_->moments(covariance.q1, covariance.c);
  }
  const pair_moments self =
      self_.moments(pair_covariance::diagonal(covariance.q1), moment_set::gradient);
  const pair_moments cross = cross_.moments(covariance, moment_set::gradient);
  return {self.e11, self.e20, cross.e11, cross.e20};
}

// d/dQ E[σ(λ)²] = E[σ'²] + E[σσ''].
risk_gradient population_risk::gradient(const field_overlaps& overlaps) const {
  const polynomial_pair_moments m = gradient_moments(overlaps);
  return {-m.cross_e11, 0.5 * (m.self_e11 + m.self_e20 - m.cross_e20),
          0.5 * (std::abs(m.self_e11) + std::abs(m.self_e20) + std::abs(m.cross_e20))};
}

risk_slopes population_risk::slopes(const field_overlaps& overlaps) const {
  const polynomial_pair_moments m = gradient_moments(overlaps);
  return {-m.cross_e11, m.self_e11 + m.self_e20 - m.cross_e20};
}

risk_hessian population_risk::hessian(const field_overlaps& overlaps) const {
  field_overlaps o = overlaps;
  if (!student().kinks().empty() && !teacher().kinks().empty()) {
    constexpr double least_gap = 1e-14;
    o.gap = std::max(o.gap, least_gap * o.Q);
  }
  const pair_moments cross = cross_.moments(student_teacher(o), moment_set::hessian);
  return {-cross.e22, -0.5 * cross.e31, 0.5 * self_.diagonal_curvature(o.Q) - 0.25 * cross.e40};
}

}  // namespace loradyn
