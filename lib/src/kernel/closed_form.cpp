#include "kernel/closed_form.hpp"

#include <algorithm>
#include <boost/math/constants/constants.hpp>
#include <cmath>
#include <span>

namespace loradyn {
namespace {

using boost::math::constants::pi;
using boost::math::constants::root_pi;
using boost::math::constants::two_pi;

bool is_transcendental(const activation_parts& f) {
  return f.erf_weight != 0.0 || f.relu_weight != 0.0;
}

// Terms of the series that a polynomial ends: one more than its degree.
std::size_t terms_of(const polynomial& p) { return p.zero() ? 0 : p.degree() + 1; }

// (3.1): E[f⁽ⁱ⁾(X) g⁽ʲ⁾(Y)] = Σ_n F_{n+i} G_{n+j} cⁿ/n!, F_n = n! a_n; the series ends where n +
// shift reaches `terms`, or with its first term at c = 0, where the others may be infinite: those
// of a ReLU at no variance.
double series(const double* f, const double* g, std::size_t shift, std::size_t terms, double c) {
  const std::size_t end = c == 0.0 ? std::min(terms, shift + 1) : terms;
  double sum = 0.0;
  double weight = 1.0;
  for (std::size_t n = 0; n + shift < end; ++n) {
    sum += f[n] * g[n] * weight;
    weight *= c * reciprocals[n + 1];
  }
  return sum;
}

// Adds the moments of a pair whose f (or whose g) is a polynomial.
void add_series(pair_moments& m, moment_set wanted, const double* f, const double* g,
                bool f_is_polynomial, std::size_t terms, double c) {
  const auto e = [&](std::size_t i, std::size_t j) {
    return series(f + i, g + j, f_is_polynomial ? i : j, terms, c);
  };
  if (contains(wanted, moment_set::value)) {
    m.e00 += e(0, 0);
  }
  if (contains(wanted, moment_set::gradient)) {
    m.e11 += e(1, 1);
    m.e20 += e(2, 0);
  }
  if (contains(wanted, moment_set::gradient2)) {
    m.e02 += e(0, 2);
  }
  if (contains(wanted, moment_set::hessian)) {
    m.e22 += e(2, 2);
    m.e31 += e(3, 1);
    m.e13 += e(1, 3);
    m.e40 += e(4, 0);
    m.e04 += e(0, 4);
  }
}

// (3.2): weight × (2/π) asin(2c/√(D1 D2)), D = 1 + 2q, and its derivatives.
// D1 D2 - 4c² = 1 + 2q1 + 2q2 + 4 gap.
void add_erf_erf(pair_moments& m, moment_set wanted, double weight, const pair_covariance& v) {
  const double d1 = 1.0 + 2.0 * v.q1;
  const double d2 = 1.0 + 2.0 * v.q2;
  const double t = d1 + 2.0 * v.q2 + 4.0 * v.gap;
  const double root = std::sqrt(t);
  const double slope = weight * (4.0 / pi<double>()) / root;
  if (contains(wanted, moment_set::value)) {
    m.e00 += weight * 2.0 / pi<double>() * std::atan2(2.0 * v.c, root);
  }
  if (contains(wanted, moment_set::gradient)) {
    m.e11 += slope;
    m.e20 -= (2.0 * v.c / d1) * slope;  // the quotient does not wait for the root
  }
  if (contains(wanted, moment_set::gradient2)) {
    m.e02 -= (2.0 * v.c / d2) * slope;
  }
  if (contains(wanted, moment_set::hessian)) {
    const double curvature = 4.0 * slope / t;
    m.e22 += curvature * v.c;
    m.e31 -= 0.5 * curvature * d2;
    m.e13 -= 0.5 * curvature * d1;
    m.e40 += curvature * v.c * (2.0 * t + d1 * d2) / (d1 * d1);
    m.e04 += curvature * v.c * (2.0 * t + d1 * d2) / (d2 * d2);
  }
}

// (3.2): weight × the arc-cosine kernel (√gap + (π - θ) c)/(2π), tan θ = √gap/c, and its
// derivatives.
void add_relu_relu(pair_moments& m, moment_set wanted, double weight, const pair_covariance& v) {
  const double root = std::sqrt(v.gap);
  const bool aligned = root == 0.0 && v.c > 0.0;
  const double angle = aligned ? pi<double>() : pi<double>() - std::atan2(root, v.c);
  const double factor = weight / two_pi<double>();
  if (contains(wanted, moment_set::value)) {
    m.e00 += factor * (root + angle * v.c);
  }
  if (contains(wanted, moment_set::gradient)) {
    m.e11 += factor * angle;
    m.e20 += (factor / v.q1) * root;
  }
  if (contains(wanted, moment_set::gradient2)) {
    m.e02 += (factor / v.q2) * root;
  }
  if (contains(wanted, moment_set::hessian)) {
    const double curvature = factor / root;
    m.e22 += curvature;
    m.e31 -= v.c / v.q1 * curvature;
    m.e13 -= v.c / v.q2 * curvature;
    m.e40 += (v.q1 * v.q2 - 2.0 * v.gap) / (v.q1 * v.q1) * curvature;
    m.e04 += (v.q1 * v.q2 - 2.0 * v.gap) / (v.q2 * v.q2) * curvature;
  }
}

// (3.2): E[erf(X) relu(Y)] = c/√(π(1 + 2q)), Var X = q: only the odd part y/2 of ReLU meets the odd
// erf.
struct erf_relu {
  erf_relu(double q, double c) {
    const double d = 1.0 + 2.0 * q;
    e11 = 1.0 / (root_pi<double>() * std::sqrt(d));
    e00 = c * e11;
    e20 = -2.0 * c * e11 / d;
    e31 = -2.0 * e11 / d;
    e40 = 12.0 * c * e11 / (d * d);
  }
  double e00;
  double e11;
  double e20;
  double e31;
  double e40;
};

void add_erf_relu(pair_moments& m, moment_set wanted, double weight, const pair_covariance& v) {
  const erf_relu e(v.q1, v.c);
  if (contains(wanted, moment_set::value)) {
    m.e00 += weight * e.e00;
  }
  if (contains(wanted, moment_set::gradient)) {
    m.e11 += weight * e.e11;
    m.e20 += weight * e.e20;
  }
  if (contains(wanted, moment_set::hessian)) {
    m.e31 += weight * e.e31;
    m.e40 += weight * e.e40;
  }
}

void add_relu_erf(pair_moments& m, moment_set wanted, double weight, const pair_covariance& v) {
  const erf_relu e(v.q2, v.c);
  if (contains(wanted, moment_set::value)) {
    m.e00 += weight * e.e00;
  }
  if (contains(wanted, moment_set::gradient)) {
    m.e11 += weight * e.e11;
  }
  if (contains(wanted, moment_set::gradient2)) {
    m.e02 += weight * e.e20;
  }
  if (contains(wanted, moment_set::hessian)) {
    m.e13 += weight * e.e31;
    m.e04 += weight * e.e40;
  }
}

}  // namespace

void closed_pair::side::fill(const activation_parts& f, double q, std::size_t count) {
  f.polynomial_part.gaussian_derivatives(q, {of_polynomial.data(), count});
  if (!is_transcendental(f)) {
    return;
  }
  std::fill_n(of_transcendental.begin(), count, 0.0);
  add_erf_derivatives(q, f.erf_weight, {of_transcendental.data(), count});
  add_relu_derivatives(q, f.relu_weight, {of_transcendental.data(), count});
}

closed_pair::closed_pair(const activation& f, const activation& g)
    : f_(f.parts()),
      g_(g.parts()),
      same_(f.same_as(g)),
      terms_f_(terms_of(f_.polynomial_part)),
      terms_g_(terms_of(g_.polynomial_part)),
      erf_erf_(f_.erf_weight * g_.erf_weight),
      relu_relu_(f_.relu_weight * g_.relu_weight),
      erf_relu_(f_.erf_weight * g_.relu_weight),
      relu_erf_(f_.relu_weight * g_.erf_weight) {
  unit_g_.fill(g_, 1.0, moment_count);
}

pair_moments closed_pair::moments(const pair_covariance& covariance, moment_set wanted) const {
  pair_moments m;
  add_regular(m, covariance, wanted);
  if (relu_relu_ != 0.0) {
    add_relu_relu(m, wanted, relu_relu_, covariance);
  }
  return m;
}

edge_curvature closed_pair::along_edge(double c) const {
  // The pair of ReLUs is linear in c there, and flat across.
  pair_moments m;
  add_regular(m, {c * c, 1.0, c, 0.0}, moment_set::gradient | moment_set::hessian);
  const double q1q1 = 0.25 * m.e40;
  const double q1c = 0.5 * m.e31;
  return {m.e22 + 4.0 * c * (q1c + c * q1q1) + m.e20, q1c + 2.0 * c * q1q1};
}

double closed_pair::diagonal_curvature(double q) const {
  // The pair of ReLUs is q/2 there.
  pair_moments m;
  add_regular(m, pair_covariance::diagonal(q), moment_set::hessian);
  return m.diagonal_curvature();
}

void closed_pair::add_regular(pair_moments& m, const pair_covariance& covariance,
                              moment_set wanted) const {
  if (terms_f_ + terms_g_ > 0) {
    add_polynomials(m, covariance, wanted);
  }
  if (erf_erf_ != 0.0) {
    add_erf_erf(m, wanted, erf_erf_, covariance);
  }
  if (erf_relu_ != 0.0) {
    add_erf_relu(m, wanted, erf_relu_, covariance);
  }
  if (relu_erf_ != 0.0) {
    add_relu_erf(m, wanted, relu_erf_, covariance);
  }
}

void closed_pair::add_polynomials(pair_moments& m, const pair_covariance& covariance,
                                  moment_set wanted) const {
  const std::size_t highest = contains(wanted, moment_set::hessian) ? 4 : 2;
  const std::size_t count = std::max(terms_f_, terms_g_) + highest;
  side own_f;
  own_f.fill(f_, covariance.q1, count);
  side own_g;
  const side* gm = &unit_g_;
  if (same_ && covariance.q1 == covariance.q2) {
    gm = &own_f;
  } else if (covariance.q2 != 1.0) {
    own_g.fill(g_, covariance.q2, count);
    gm = &own_g;
  }
  const double c = covariance.c;
  if (terms_f_ > 0 && terms_g_ > 0) {
    add_series(m, wanted, own_f.of_polynomial.data(), gm->of_polynomial.data(), true, terms_f_, c);
  }
  if (terms_f_ > 0 && is_transcendental(g_)) {
    add_series(m, wanted, own_f.of_polynomial.data(), gm->of_transcendental.data(), true, terms_f_,
               c);
  }
  if (terms_g_ > 0 && is_transcendental(f_)) {
    add_series(m, wanted, own_f.of_transcendental.data(), gm->of_polynomial.data(), false, terms_g_,
               c);
  }
}

}  // namespace loradyn
