#include <loradyn/activation/polynomial.hpp>

#include <algorithm>
#include <array>
#include <boost/math/special_functions/factorials.hpp>
#include <cmath>
#include <cstddef>
#include <loradyn/error.hpp>
#include <loradyn/gaussian/hermite.hpp>
#include <string>
#include <utility>

namespace loradyn {
namespace {

using boost::math::unchecked_factorial;

void drop_trailing_zeros(std::vector<double>& coefficients) {
  while (!coefficients.empty() && coefficients.back() == 0.0) {
    coefficients.pop_back();
  }
}

std::vector<double> weighted_shift(std::span<const double> coefficients) {
  std::vector<double> shifted;
  for (std::size_t n = 1; n < coefficients.size(); ++n) {
    shifted.push_back(static_cast<double>(n) * coefficients[n]);
  }
  return shifted;
}

}  // namespace

polynomial::polynomial(std::vector<double> monomial, std::vector<double> hermite)
    : monomial_(std::move(monomial)), hermite_(std::move(hermite)) {
  drop_trailing_zeros(monomial_);
  drop_trailing_zeros(hermite_);
  if (degree() > max_degree) {
    throw argument_error("the degree of a polynomial", std::to_string(degree()),
                         "at most " + std::to_string(max_degree));
  }
  about_zero_ = heat_polynomials(monomial_);
  about_one_ = heat_polynomials(hermite_);
}

// The heat equation of (3.1) carries the coefficients at variance q0 (Hermite's at 1, the
// monomials' at 0) to any other: E[f⁽ⁿ⁾(X)] = Σ_j w_{n+2j} (n+2j)!/(j! 2^j) t^j.
polynomial::heat_table polynomial::heat_polynomials(std::span<const double> coefficients) {
  heat_table table;
  for (std::size_t n = 0; n < coefficients.size(); ++n) {
    double inverse = 1.0;  // 1/(j! 2^j)
    for (std::size_t k = n, j = 0; k < coefficients.size(); k += 2, ++j) {
      table.coefficients.push_back(coefficients[k] *
                                   unchecked_factorial<double>(static_cast<unsigned>(k)) * inverse);
      inverse /= 2.0 * (static_cast<double>(j) + 1.0);
    }
    while (table.coefficients.size() > table.begin.back() && table.coefficients.back() == 0.0) {
      table.coefficients.pop_back();
    }
    table.begin.push_back(table.coefficients.size());
  }
  // Rows beyond the degree, for the four derivatives that a kernel asks for.
  table.begin.insert(table.begin.end(), 4, table.begin.back());
  return table;
}

polynomial polynomial::from_monomials(std::vector<double> monomial) {
  const heat_table table = heat_polynomials(monomial);
  std::vector<double> hermite(monomial.size());
  for (std::size_t n = 0; n < hermite.size(); ++n) {
    for (std::size_t i = table.begin[n]; i < table.begin[n + 1]; ++i) {
      hermite[n] += table.coefficients[i];
    }
    hermite[n] /= unchecked_factorial<double>(static_cast<unsigned>(n));
  }
  return {std::move(monomial), std::move(hermite)};
}

double polynomial::operator()(double x) const { return hermite_series(hermite_, x); }

void polynomial::tabulate(std::span<const double> x, std::span<double> out) const {
  // There the monomials of He_n are cosh(√n/2) times its size at most, 12 times that of He_40: one
  // digit. At 0 nothing cancels, where He_n of odd n have a zero.
  constexpr double near = 0.5;
  constexpr std::size_t lanes = 8;  // sums that don't wait for each other
  for (std::size_t from = 0; from < x.size(); from += lanes) {
    const std::size_t count = std::min(lanes, x.size() - from);
    std::array<double, lanes> at{};
    std::copy_n(&x[from], count, at.begin());
    std::array<double, lanes> after{};
    std::array<double, lanes> current{};
    for (std::size_t n = hermite_.size(); n-- > 0;) {
      const double step = static_cast<double>(n) + 1.0;
      for (std::size_t l = 0; l < lanes; ++l) {
        const double next = hermite_[n] + at[l] * current[l] - step * after[l];
        after[l] = current[l];
        current[l] = next;
      }
    }
    for (std::size_t l = 0; l < count; ++l) {
      if (std::abs(at[l]) < near) {
        double value = 0.0;
        for (std::size_t k = monomial_.size(); k-- > 0;) {
          value = value * at[l] + monomial_[k];
        }
        current[l] = value;
      }
    }
    std::copy_n(current.begin(), count, &out[from]);
  }
}

polynomial polynomial::derivative() const {
  // He_n' = n He_{n-1}, as for monomials.
  return {weighted_shift(monomial_), weighted_shift(hermite_)};
}

void polynomial::gaussian_derivatives(double q, std::span<double> moments) const {
  // Below this variance the sums about 0 lose fewer digits than those about 1.
  constexpr double switch_variance = 0.25;
  const bool near_zero = q < switch_variance;
  const heat_table& table = near_zero ? about_zero_ : about_one_;
  const double t = near_zero ? q : q - 1.0;
  const std::size_t known = std::min(moments.size(), table.begin.size() - 1);
  const double* coefficient = table.coefficients.data();
  const std::size_t* begin = table.begin.data();
  for (std::size_t n = 0; n < known; ++n) {
    std::size_t i = begin[n + 1];
    if (i == begin[n]) {
      moments[n] = 0.0;
      continue;
    }
    double value = coefficient[--i];
    while (i != begin[n]) {
      value = value * t + coefficient[--i];
    }
    moments[n] = value;
  }
  if (known < moments.size()) {
    std::fill(moments.begin() + static_cast<std::ptrdiff_t>(known), moments.end(), 0.0);
  }
}

}  // namespace loradyn
