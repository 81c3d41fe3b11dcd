#include <loradyn/activation/expression.hpp>

#include <algorithm>
#include <boost/math/constants/constants.hpp>
#include <cmath>
#include <limits>
#include <span>
#include <utility>

namespace loradyn::detail {
namespace {

using boost::math::constants::pi;

template <std::size_t Order>
using jet = std::array<double, Order + 1>;

constexpr std::size_t index_of(primitive p) { return static_cast<std::size_t>(p); }

// Leibniz' rule.
template <std::size_t Order>
jet<Order> multiply(const jet<Order>& f, const jet<Order>& g) {
  jet<Order> product{};
  product[0] = f[0] * g[0];
  product[1] = f[1] * g[0] + f[0] * g[1];
  product[2] = f[2] * g[0] + 2.0 * f[1] * g[1] + f[0] * g[2];
  if constexpr (Order == 4) {
    product[3] = f[3] * g[0] + 3.0 * (f[2] * g[1] + f[1] * g[2]) + f[0] * g[3];
    product[4] = f[4] * g[0] + 4.0 * (f[3] * g[1] + f[1] * g[3]) + 6.0 * f[2] * g[2] + f[0] * g[4];
  }
  return product;
}

template <std::size_t Order>
inline jet<Order> truncate(const jet<4>& full) {
  jet<Order> values{};
  std::copy_n(full.begin(), Order + 1, values.begin());
  return values;
}

// The logistic function at x and at -x, neither by cancellation.
struct logistic_pair {
  explicit logistic_pair(double x) {
    const double decay = std::exp(-std::abs(x));
    const double small = decay / (1.0 + decay);
    const double large = 1.0 / (1.0 + decay);
    rising = x >= 0.0 ? large : small;
    falling = x >= 0.0 ? small : large;
  }
  double rising;   // 1/(1 + e^{-x})
  double falling;  // 1/(1 + e^{x})
};

// s, s', … of the logistic function; the derivatives are polynomials in s and 1 - s.
jet<4> sigmoid_jet(double x) {
  const logistic_pair s(x);
  const double slope = s.rising * s.falling;
  const double odd = s.falling - s.rising;
  return {s.rising, slope, slope * odd, slope * (1.0 - 6.0 * slope),
          slope * odd * (1.0 - 12.0 * slope)};
}

jet<4> softplus_jet(double x) {
  const jet<4> s = sigmoid_jet(x);
  return {std::max(x, 0.0) + std::log1p(std::exp(-std::abs(x))), s[0], s[1], s[2], s[3]};
}

// t and 1 - t² from e^{-2|x|}, neither by cancellation.
jet<4> tanh_jet(double x) {
  const double decay = std::exp(-2.0 * std::abs(x));
  const double rise = decay < 0.5 ? 1.0 - decay : -std::expm1(-2.0 * std::abs(x));
  const double t = std::copysign(rise / (1.0 + decay), x);
  const double slope = 4.0 * decay / ((1.0 + decay) * (1.0 + decay));
  const double square = t * t;
  return {t, slope, -2.0 * t * slope, slope * (6.0 * square - 2.0),
          slope * t * (16.0 - 24.0 * square)};
}

jet<4> erf_jet(double x) {
  const double e = boost::math::constants::two_div_root_pi<double>() * std::exp(-x * x);
  const double y = x * x;
  return {std::erf(x), e, -2.0 * x * e, (4.0 * y - 2.0) * e, (12.0 - 8.0 * y) * x * e};
}

jet<4> normal_cdf_jet(double x) {
  const double density = std::exp(-0.5 * x * x) / boost::math::constants::root_two_pi<double>();
  const double y = x * x;
  return {0.5 * std::erfc(-x / boost::math::constants::root_two<double>()), density, -x * density,
          (y - 1.0) * density, (3.0 - y) * x * density};
}

jet<4> primitive_jet(primitive p, double x) {
  switch (p) {
    case primitive::erf:
      return erf_jet(x);
    case primitive::tanh:
      return tanh_jet(x);
    case primitive::sigmoid:
      return sigmoid_jet(x);
    case primitive::softplus:
      return softplus_jet(x);
    case primitive::normal_cdf:
      return normal_cdf_jet(x);
    case primitive::sin: {
      const double s = std::sin(x);
      const double c = std::cos(x);
      return {s, c, -s, -c, s};
    }
    case primitive::cos:
      break;
  }
  const double s = std::sin(x);
  const double c = std::cos(x);
  return {c, -s, -c, s, c};
}

unsigned total_power(const primitive_powers& powers) {
  unsigned total = 0;
  for (const auto power : powers) {
    total += power;
  }
  return total;
}

bool is_polynomial(const expression_term& term) {
  return !term.step && total_power(term.powers) == 0;
}

bool is_constant_times_erf(const expression_term& term) {
  return !term.step && total_power(term.powers) == 1 &&
         term.powers[index_of(primitive::erf)] == 1 && term.cofactor.degree() == 0;
}

bool is_constant_times_relu(const expression_term& term) {
  const auto c = term.cofactor.monomial();
  return term.step && total_power(term.powers) == 0 && c.size() == 2 && c[0] == 0.0;
}

// Near 0 to rounding of its own value there, so that a term that vanishes at a kink keeps its
// digits.
double local_value(const polynomial& p, double x) {
  constexpr double near = 0.5;
  if (std::abs(x) >= near) {
    return p(x);
  }
  const std::span<const double> c = p.monomial();
  double value = 0.0;
  for (std::size_t k = c.size(); k-- > 0;) {
    value = value * x + c[k];
  }
  return value;
}

}  // namespace

compiled_expression::compiled_expression(const expression& e) {
  for (const expression_term& term : e.terms) {
    compiled_term compiled;
    compiled.step = term.step;
    if (term.cofactor.degree() <= 1) {
      const auto c = term.cofactor.monomial();
      compiled.constant = c[0];
      compiled.slope = c.size() > 1 ? c[1] : 0.0;
    } else {
      compiled.cofactor[0] = term.cofactor;
      for (std::size_t k = 1; k < compiled.cofactor.size(); ++k) {
        compiled.cofactor[k] = compiled.cofactor[k - 1].derivative();
      }
    }
    for (std::size_t p = 0; p < primitive_count; ++p) {
      if (term.powers[p] > 0) {
        const auto known = std::find(used_.begin(), used_.end(), static_cast<primitive>(p));
        compiled.factors.push_back(
            {static_cast<std::size_t>(known - used_.begin()), term.powers[p]});
        if (known == used_.end()) {
          used_.push_back(static_cast<primitive>(p));
        }
      }
    }
    terms_.push_back(std::move(compiled));
  }
}

template <std::size_t Order>
void compiled_expression::evaluate(double x, std::array<double, Order + 1>& values) const {
  std::array<jet<Order>, primitive_count> primitives;
  for (std::size_t i = 0; i < used_.size(); ++i) {
    primitives[i] = truncate<Order>(primitive_jet(used_[i], x));
  }
  values.fill(0.0);
  for (const compiled_term& term : terms_) {
    if (term.step && x <= 0.0) {
      continue;
    }
    jet<Order> product{};
    if (term.cofactor[0].zero()) {
      product[0] = term.constant + term.slope * x;
      product[1] = term.slope;
    } else {
      for (std::size_t k = 0; k <= Order; ++k) {
        product[k] = local_value(term.cofactor[k], x);
      }
    }
    for (const factor& f : term.factors) {
      for (unsigned power = 0; power < f.power; ++power) {
        product = multiply<Order>(product, primitives[f.place]);
      }
    }
    for (std::size_t k = 0; k <= Order; ++k) {
      values[k] += product[k];
    }
  }
}

template void compiled_expression::evaluate<2>(double, std::array<double, 3>&) const;
template void compiled_expression::evaluate<4>(double, std::array<double, 5>&) const;

activation_parts parts_of(const expression& e) {
  activation_parts parts;
  for (const expression_term& term : e.terms) {
    if (is_polynomial(term)) {
      parts.polynomial_part = term.cofactor;
    } else if (is_constant_times_erf(term)) {
      parts.erf_weight = term.cofactor.monomial()[0];
    } else if (is_constant_times_relu(term)) {
      parts.relu_weight = term.cofactor.monomial()[1];
    } else {
      parts.has_rest = true;
    }
  }
  return parts;
}

std::vector<kink> kinks_of(const expression& e) {
  expression right;
  for (const expression_term& term : e.terms) {
    if (term.step) {
      right.terms.push_back(term);
      right.terms.back().step = false;
    }
  }
  if (right.terms.empty()) {
    return {};
  }
  std::array<double, 5> at_zero{};
  compiled_expression(right).evaluate<4>(0.0, at_zero);
  return {kink{.location = 0.0, .jumps = {at_zero[0], at_zero[1], at_zero[2], at_zero[3]}}};
}

std::vector<double> features_of(const expression& e) {
  const bool curved = std::any_of(e.terms.begin(), e.terms.end(), [](const expression_term& term) {
    return total_power(term.powers) > 0;
  });
  if (!curved) {
    return {};
  }
  return {-16.0, -8.0, -4.0, -2.0, -1.0, -0.5, 0.0, 0.5, 1.0, 2.0, 4.0, 8.0, 16.0};
}

}  // namespace loradyn::detail
