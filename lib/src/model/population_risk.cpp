#include <loradyn/model/population_risk.hpp>

#include <cmath>
#include <limits>
#include <loradyn/error.hpp>
#include <sstream>
#include <utility>
#include "kernel/averages.hpp"
#include "kernel/numerical.hpp"
#include "kernel/polynomial_pair.hpp"
#include "model/power_slope.hpp"
#include "model/prepared_slopes.hpp"

namespace loradyn {
namespace {

pair_covariance student_teacher(const field_overlaps& o) { return {o.Q, 1.0, o.M, o.gap}; }

// A student that jumps has no finite E[σ'²], so no gradient.
activation continuous_student(activation student) {
  for (const kink& k : student.kinks()) {
    if (k.jumps[0] != 0.0) {
      std::ostringstream place;
      place << k.location;
      throw argument_error("the student",
                           "'" + student.name() + "', which jumps at x = " + place.str(),
                           "continuous; a teacher may jump");
    }
  }
  return student;
}

// E[g²]
double power_of(const activation& teacher) {
  try {
    return pair_kernel(teacher, teacher).value(pair_covariance::diagonal(1.0));
  } catch (const convergence_error&) {
    throw convergence_error("the teacher '" + teacher.name() +
                            "' varies too fast: its average square is not resolved");
  }
}

}  // namespace

population_risk::population_risk(activation student, activation teacher)
    : self_(continuous_student(student), student),
      cross_(std::move(student), teacher),
      teacher_power_(power_of(teacher)) {
  const polynomial* f = self_.f().as_polynomial();
  const polynomial* g = teacher.as_polynomial();
  if (f != nullptr && g != nullptr) {
    polynomials_ = std::make_shared<const polynomial_pair>(*f, *g);
  }
  if (auto own = power_slope::of(self_.f(), cross_.g())) {
    own_ = std::make_shared<const power_slope>(*std::move(own));
  }
  if (!self_.closed() || !cross_.closed()) {
    prepared_ = std::make_shared<const prepared_slopes>(self_, cross_, own_);
  }
}

double population_risk::value(const field_overlaps& overlaps, double label_noise) const {
  const pair_covariance covariance = student_teacher(overlaps);
  if (prepared_ && covariance.on_edge()) {
    // One line of squares, which keeps its digits where student and teacher agree; their own size
    // tells what is rounding.
    const averages squares = line_averages(student(), {0.0, std::sqrt(covariance.q1)}, teacher(),
                                           {0.0, std::copysign(1.0, covariance.c)}, 0, 2,
                                           [](const point_block& at, double* values) {
                                             for (std::size_t p = 0; p < at.count; ++p) {
                                               const double f = at.f[0][p];
                                               const double g = at.g[0][p];
                                               values[p] = (f - g) * (f - g);
                                               values[at.count + p] = f * f + g * g;
                                             }
                                           });
    return 0.5 * squares.value[0] + 0.5 * label_noise;
  }
  // Rounding of M and gap alone is as many times the powers' as the degree is: next to w = ±w* the
  // difference is its first order, which leaves 64 ε (or the root of it, where kinks meet) of
  // itself times the degree's square, and zero at a target.
  constexpr double nearest = 64.0 * std::numeric_limits<double>::epsilon();
  const double away = overlaps.M - std::copysign(1.0, overlaps.M);
  if (std::abs(away) <= nearest && overlaps.gap <= nearest &&
      (away != 0.0 || overlaps.gap != 0.0)) {
    const field_overlaps there{overlaps.M - away, 1.0, 0.0};
    const risk_gradient slope = gradient(there);
    return value(there, label_noise) + (slope.M + 2.0 * there.M * slope.Q) * away +
           slope.Q * overlaps.gap;
  }
  const double student_power = self_.value(pair_covariance::diagonal(overlaps.Q));  // (2.1)
  const double product = cross_.value(covariance);
  const double powers = student_power + teacher_power_;
  const double quiet = 0.5 * powers - product;
  // Half a mean square: what differs from zero by the rounding of its terms is zero.
  constexpr double rounding = 4.0 * std::numeric_limits<double>::epsilon();
  return (quiet <= rounding * powers && quiet >= -rounding * powers ? 0.0 : quiet) +
         0.5 * label_noise;
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

// (2.3), with d/dQ E[σ(λ)²] = E[σ'²] + E[σσ''].
risk_gradient population_risk::gradient(const field_overlaps& overlaps) const {
  const polynomial_pair_moments m = gradient_moments(overlaps);
  double twice_Q = m.self_e11 + m.self_e20 - m.cross_e20;
  double terms = std::abs(m.self_e11) + std::abs(m.self_e20) + std::abs(m.cross_e20);
  if (has_own_at(overlaps.Q)) {
    twice_Q = own_->twice_Q(overlaps.Q, m.cross_e20);
    // Of sums of waves each is as small as what it adds.
    if (own_->is_of_waves() && own_->is_whole()) {
      terms = std::abs(twice_Q);
    } else if (own_->is_of_waves() && cross_.numerical()->in_waves_at(overlaps.Q, 1.0)) {
      terms = std::abs((*own_)(overlaps.Q)) + std::abs(m.cross_e20);
    }
  }
  return {-m.cross_e11, 0.5 * twice_Q, 0.5 * terms};
}

// A call of its own for tables, so that closed pairs pay for a test of the pointer alone.
risk_slopes population_risk::slopes(const field_overlaps& overlaps) const {
  return prepared_ ? tabulated_slopes(overlaps) : computed_slopes(overlaps);
}

risk_slopes population_risk::tabulated_slopes(const field_overlaps& overlaps) const {
  const auto s = prepared_->slopes(overlaps);
  return s ? *s : computed_slopes(overlaps);
}

std::vector<risk_slopes> population_risk::slopes_on_circle(double Q, std::span<const double> M,
                                                           std::span<const double> gap) const {
  if (prepared_) {
    return prepared_->on_circle(Q, M, gap);
  }
  std::vector<risk_slopes> slopes;
  for (std::size_t i = 0; i < M.size(); ++i) {
    slopes.push_back(computed_slopes({M[i], Q, gap[i]}));
  }
  return slopes;
}

double population_risk::slope_size(double Q) const {
  const pair_moments m = self_.moments(pair_covariance::diagonal(Q), moment_set::gradient);
  return std::abs(m.e11) + std::abs(m.e20);
}

risk_slopes population_risk::computed_slopes(const field_overlaps& overlaps) const {
  if (has_own_at(overlaps.Q)) {
    return slopes_beside_own(overlaps);
  }
  const polynomial_pair_moments m = gradient_moments(overlaps);
  return {-m.cross_e11, m.self_e11 + m.self_e20 - m.cross_e20};  // (2.3)
}

bool population_risk::has_own_at(double Q) const noexcept { return own_ && own_->holds_at(Q); }

risk_slopes population_risk::slopes_beside_own(const field_overlaps& overlaps) const {
  const pair_moments cross = cross_.moments(student_teacher(overlaps), moment_set::gradient);
  return {-cross.e11, own_->twice_Q(overlaps.Q, cross.e20)};
}

risk_curvature population_risk::approximate_curvature(const field_overlaps& overlaps) const {
  if (prepared_) {
    if (const auto c = prepared_->curvature(overlaps)) {
      return *c;
    }
  }
  return curvature(overlaps);
}

// R = ½E[σ²](Q) - K(Q, 1, M) + const with Q = M² + gap.
risk_curvature population_risk::curvature(const field_overlaps& o) const {
  double own_slope = 0.0;
  double power_curvature = 0.0;
  if (has_own_at(o.Q) && !own_->is_whole()) {
    own_slope = (*own_)(o.Q);
    power_curvature = own_->slope(o.Q);
  } else {
    const pair_moments self = self_.moments(pair_covariance::diagonal(o.Q), moment_set::gradient);
    own_slope = self.e11 + self.e20;
    power_curvature = self_.diagonal_curvature(o.Q);
  }
  risk_curvature r{own_slope + 2.0 * o.M * o.M * power_curvature, o.M * power_curvature,
                   0.5 * power_curvature};
  if (student_teacher(o).on_edge()) {
    const edge_curvature k = cross_.along_edge(o.M);
    return {r.MM - k.cc, r.M_gap - k.q1c, 0.0};
  }
  const pair_moments m =
      cross_.moments(student_teacher(o), moment_set::gradient | moment_set::hessian);
  const double q1q1 = 0.25 * m.e40;
  const double q1c = 0.5 * m.e31;
  r.MM -= m.e22 + 4.0 * o.M * (q1c + o.M * q1q1) + m.e20;
  r.M_gap -= q1c + 2.0 * o.M * q1q1;
  r.gap_gap -= q1q1;
  return r;
}

std::string_view population_risk::method() const noexcept {
  return polynomials_ ? "polynomials in closed form"
         : prepared_  ? "quadrature, tabulated where a flow goes"
                      : "closed forms";
}

}  // namespace loradyn
