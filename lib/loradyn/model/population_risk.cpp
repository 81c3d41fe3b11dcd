#include <loradyn/model/population_risk.hpp>

#include <algorithm>
#include <cmath>
#include <utility>

namespace loradyn {
namespace {

pair_covariance student_teacher(const field_overlaps& o) { return {o.Q, 1.0, o.M, o.gap}; }

}  // namespace

population_risk::population_risk(activation student, activation teacher)
    : self_(student, student),
      cross_(std::move(student), teacher),
      teacher_power_(pair_kernel(teacher, teacher).value(pair_covariance::diagonal(1.0))) {}

double population_risk::value(const field_overlaps& overlaps, double label_noise) const {
  const double student_power = self_.value(pair_covariance::diagonal(overlaps.Q));
  const double product = cross_.value(student_teacher(overlaps));
  return 0.5 * (student_power + teacher_power_ + label_noise) - product;
}

risk_gradient population_risk::gradient(const field_overlaps& overlaps) const {
  // d/dQ E[σ(λ)²] = E[σ'²] + E[σσ''].
  const pair_moments self =
      self_.moments(pair_covariance::diagonal(overlaps.Q), moment_set::gradient);
  const pair_moments cross = cross_.moments(student_teacher(overlaps), moment_set::gradient);
  return {-cross.e11, 0.5 * (self.e11 + self.e20 - cross.e20),
          0.5 * (std::abs(self.e11) + std::abs(self.e20) + std::abs(cross.e20))};
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
