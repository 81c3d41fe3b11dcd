#include <loradyn/kernel/closed_form.hpp>

#include <algorithm>
#include <array>
#include <boost/math/constants/constants.hpp>
#include <cmath>
#include <cstddef>
#include <span>

namespace loradyn {
namespace {

using boost::math::constants::pi;
using boost::math::constants::root_pi;
using boost::math::constants::two_pi;

// Derivatives up to the fourth of a polynomial of the highest degree.
constexpr std::size_t moment_count = max_degree + 5;

// F_n = E[f⁽ⁿ⁾(X)] of the polynomial part, and of erf and ReLU.
struct derivative_moments {
  derivative_moments(const activation_parts& f, double q, std::size_t count) {
    f.polynomial_part.gaussian_derivatives(q, {of_polynomial.data(), count});
    add_erf_derivatives(q, f.erf_weight, {of_transcendental.data(), count});
    add_relu_derivatives(q, f.relu_weight, {of_transcendental.data(), count});
  }
  std::array<double, moment_count> of_polynomial{};
  std::array<double, moment_count> of_transcendental{};
};

bool is_transcendental(const activation_parts& f) {
  return f.erf_weight != 0.0 || f.relu_weight != 0.0;
}

// E[f⁽ⁱ⁾(X) g⁽ʲ⁾(Y)] = Σ_n F_{n+i} G_{n+j} cⁿ/n!, for every (i, j) that is wanted. The series ends
// where one side is a polynomial; `terms` is one more than its degree.
struct series {
  std::span<const double> f;
  std::span<const double> g;
  bool f_is_polynomial = true;
  std::size_t terms = 0;
  double c = 0.0;

  [[nodiscard]] double operator()(std::size_t i, std::size_t j) const {
    const std::size_t shift = f_is_polynomial ? i : j;
    double sum = 0.0;
    double weight = 1.0;
    for (std::size_t n = 0; n + shift < terms; ++n) {
      sum += f[n + i] * g[n + j] * weight;
      weight *= c / (static_cast<double>(n) + 1.0);
    }
    return sum;
  }
};

template <class Moment>
void add(pair_moments& m, moment_set wanted, const Moment& e) {
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

constexpr int key(std::size_t i, std::size_t j) { return static_cast<int>(10 * i + j); }

// (2/π) asin(2c/√(D1 D2)), D = 1 + 2q, and its derivatives. D1 D2 - 4c² = 1 + 2q1 + 2q2 + 4 gap.
double erf_erf(const pair_covariance& v, std::size_t i, std::size_t j) {
  const double d1 = 1.0 + 2.0 * v.q1;
  const double d2 = 1.0 + 2.0 * v.q2;
  const double t = 1.0 + 2.0 * v.q1 + 2.0 * v.q2 + 4.0 * v.gap;
  const double root = std::sqrt(t);
  switch (key(i, j)) {
    case 0:
      return 2.0 / pi<double>() * std::atan2(2.0 * v.c, root);
    case 11:
      return 4.0 / (pi<double>() * root);
    case 20:
      return -8.0 * v.c / (pi<double>() * d1 * root);
    case 2:
      return -8.0 * v.c / (pi<double>() * d2 * root);
    case 22:
      return 16.0 * v.c / (pi<double>() * t * root);
    case 31:
      return -8.0 * d2 / (pi<double>() * t * root);
    case 13:
      return -8.0 * d1 / (pi<double>() * t * root);
    case 40:
      return 16.0 * v.c * (2.0 * t + d1 * d2) / (pi<double>() * d1 * d1 * t * root);
    default:
      return 16.0 * v.c * (2.0 * t + d1 * d2) / (pi<double>() * d2 * d2 * t * root);
  }
}

// The arc-cosine kernel (√gap + (π - θ) c)/(2π), tan θ = √gap/c, and its derivatives.
double relu_relu(const pair_covariance& v, std::size_t i, std::size_t j) {
  const double root = std::sqrt(v.gap);
  const double angle = pi<double>() - std::atan2(root, v.c);
  switch (key(i, j)) {
    case 0:
      return (root + angle * v.c) / two_pi<double>();
    case 11:
      return angle / two_pi<double>();
    case 20:
      return root / (two_pi<double>() * v.q1);
    case 2:
      return root / (two_pi<double>() * v.q2);
    case 22:
      return 1.0 / (two_pi<double>() * root);
    case 31:
      return -v.c / (two_pi<double>() * v.q1 * root);
    case 13:
      return -v.c / (two_pi<double>() * v.q2 * root);
    case 40:
      return (v.q1 * v.q2 - 2.0 * v.gap) / (two_pi<double>() * v.q1 * v.q1 * root);
    default:
      return (v.q1 * v.q2 - 2.0 * v.gap) / (two_pi<double>() * v.q2 * v.q2 * root);
  }
}

// E[erf(X) relu(Y)] = c/√(π(1 + 2q1)): only the odd part y/2 of ReLU meets the odd erf.
double erf_relu(const pair_covariance& v, std::size_t i, std::size_t j) {
  const double d = 1.0 + 2.0 * v.q1;
  const double slope = 1.0 / (root_pi<double>() * std::sqrt(d));
  switch (key(i, j)) {
    case 0:
      return v.c * slope;
    case 11:
      return slope;
    case 20:
      return -2.0 * v.c * slope / d;
    case 31:
      return -2.0 * slope / d;
    case 40:
      return 12.0 * v.c * slope / (d * d);
    default:
      return 0.0;
  }
}

pair_covariance swapped(const pair_covariance& v) { return {v.q2, v.q1, v.c, v.gap}; }

}  // namespace

pair_moments closed_moments(const activation_parts& f, const activation_parts& g,
                            const pair_covariance& covariance, moment_set wanted) {
  pair_moments m;
  const polynomial& p = f.polynomial_part;
  const polynomial& r = g.polynomial_part;
  const std::size_t terms_f = p.zero() ? 0 : p.degree() + 1;
  const std::size_t terms_g = r.zero() ? 0 : r.degree() + 1;
  if (terms_f + terms_g > 0) {
    const std::size_t count =
        std::max(terms_f, terms_g) + (contains(wanted, moment_set::hessian) ? 4 : 2);
    const derivative_moments fm(f, covariance.q1, count);
    const bool same = &f == &g && covariance.q1 == covariance.q2;
    const derivative_moments gm = same ? fm : derivative_moments(g, covariance.q2, count);
    const double c = covariance.c;
    if (terms_f > 0 && terms_g > 0) {
      add(m, wanted, series{fm.of_polynomial, gm.of_polynomial, true, terms_f, c});
    }
    if (terms_f > 0 && is_transcendental(g)) {
      add(m, wanted, series{fm.of_polynomial, gm.of_transcendental, true, terms_f, c});
    }
    if (terms_g > 0 && is_transcendental(f)) {
      add(m, wanted, series{fm.of_transcendental, gm.of_polynomial, false, terms_g, c});
    }
  }
  const auto add_pair = [&](double weight, auto moment) {
    if (weight != 0.0) {
      add(m, wanted, [&](std::size_t i, std::size_t j) { return weight * moment(i, j); });
    }
  };
  add_pair(f.erf_weight * g.erf_weight,
           [&](std::size_t i, std::size_t j) { return erf_erf(covariance, i, j); });
  add_pair(f.relu_weight * g.relu_weight,
           [&](std::size_t i, std::size_t j) { return relu_relu(covariance, i, j); });
  add_pair(f.erf_weight * g.relu_weight,
           [&](std::size_t i, std::size_t j) { return erf_relu(covariance, i, j); });
  add_pair(f.relu_weight * g.erf_weight,
           [&](std::size_t i, std::size_t j) { return erf_relu(swapped(covariance), j, i); });
  return m;
}

}  // namespace loradyn
