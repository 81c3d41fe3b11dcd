#include <loradyn/activation/symbolic.hpp>

#include <cmath>
#include <loradyn/error.hpp>
#include <string>
#include <utility>

namespace loradyn::detail {
namespace {

// Bounds on what is built on the way to a result, so that a short text can't ask for a huge one.
constexpr std::size_t max_intermediate_degree = 400;
constexpr std::size_t max_terms = 2000;

constexpr auto sine = static_cast<std::size_t>(primitive::sin);
constexpr auto cosine = static_cast<std::size_t>(primitive::cos);

rational_polynomial product(const rational_polynomial& a, const rational_polynomial& b) {
  if (a.empty() || b.empty()) {
    return {};
  }
  rational_polynomial result(a.size() + b.size() - 1);
  for (std::size_t i = 0; i < a.size(); ++i) {
    for (std::size_t j = 0; j < b.size(); ++j) {
      result[i + j] += a[i] * b[j];
    }
  }
  return result;
}

// h_n = Σ_j c_{n+2j} (n+2j)!/(n! j! 2^j)
rational_polynomial to_hermite(const rational_polynomial& c) {
  rational_polynomial h(c.size());
  for (std::size_t n = 0; n < c.size(); ++n) {
    rational weight = 1;
    for (std::size_t j = 0; n + 2 * j < c.size(); ++j) {
      h[n] += c[n + 2 * j] * weight;
      weight *= rational((n + 2 * j + 1) * (n + 2 * j + 2), 2 * (j + 1));
    }
  }
  return h;
}

std::vector<double> rounded(const rational_polynomial& p) {
  std::vector<double> values;
  for (const rational& c : p) {
    values.push_back(c.convert_to<double>());
    if (!std::isfinite(values.back())) {
      throw argument_error("a coefficient", c.str(0, std::ios_base::scientific).substr(0, 20) + "…",
                           "below 1.8e308");
    }
  }
  return values;
}

}  // namespace

symbolic symbolic::constant(const rational& value) {
  symbolic s;
  s.add({}, {value}, 1);
  return s;
}

symbolic symbolic::identity() {
  symbolic s;
  s.add({}, {0, 1}, 1);
  return s;
}

symbolic symbolic::hermite(std::size_t k) {
  rational_polynomial previous;
  rational_polynomial current{1};
  for (std::size_t n = 0; n < k; ++n) {
    rational_polynomial next = product({0, 1}, current);
    for (std::size_t i = 0; i < previous.size(); ++i) {
      next[i] -= previous[i] * n;
    }
    previous = std::exchange(current, std::move(next));
  }
  symbolic s;
  s.add({}, current, 1);
  return s;
}

symbolic symbolic::of(primitive p) {
  symbolic s;
  symbol key;
  key.powers[static_cast<std::size_t>(p)] = 1;
  s.add(key, {1}, 1);
  return s;
}

symbolic symbolic::relu() {
  symbolic s;
  s.add({.step = true, .powers = {}}, {0, 1}, 1);
  return s;
}

void symbolic::add(symbol key, const rational_polynomial& cofactor, const rational& factor) {
  if (key.powers[cosine] >= 2) {
    key.powers[cosine] -= 2;
    add(key, cofactor, factor);
    key.powers[sine] += 2;
    add(key, cofactor, -factor);
    return;
  }
  rational_polynomial& target = terms_[key];
  if (target.size() < cofactor.size()) {
    target.resize(cofactor.size());
  }
  for (std::size_t i = 0; i < cofactor.size(); ++i) {
    target[i] += cofactor[i] * factor;
  }
  while (!target.empty() && target.back() == 0) {
    target.pop_back();
  }
  if (target.empty()) {
    terms_.erase(key);
  }
}

symbolic& symbolic::operator+=(const symbolic& other) {
  for (const auto& [key, cofactor] : other.terms_) {
    add(key, cofactor, 1);
  }
  return *this;
}

symbolic& symbolic::operator-=(const symbolic& other) {
  for (const auto& [key, cofactor] : other.terms_) {
    add(key, cofactor, -1);
  }
  return *this;
}

symbolic operator*(const symbolic& a, const symbolic& b) {
  symbolic result;
  for (const auto& [key_a, cofactor_a] : a.terms_) {
    for (const auto& [key_b, cofactor_b] : b.terms_) {
      symbol key;
      key.step = key_a.step || key_b.step;
      for (std::size_t p = 0; p < primitive_count; ++p) {
        key.powers[p] = key_a.powers[p] + key_b.powers[p];
      }
      if (cofactor_a.size() + cofactor_b.size() > max_intermediate_degree + 2) {
        throw argument_error("the degree of a polynomial on the way",
                             std::to_string(cofactor_a.size() + cofactor_b.size() - 2),
                             "at most " + std::to_string(max_intermediate_degree));
      }
      result.add(key, product(cofactor_a, cofactor_b), 1);
    }
    if (result.terms_.size() > max_terms) {
      throw argument_error("the number of terms", "above " + std::to_string(max_terms), "smaller");
    }
  }
  return result;
}

symbolic symbolic::power(unsigned exponent) const {
  symbolic result = constant(1);
  for (unsigned i = 0; i < exponent; ++i) {
    result = result * *this;
  }
  return result;
}

expression symbolic::compile() const {
  expression e;
  for (const auto& [key, cofactor] : terms_) {
    expression_term term;
    term.step = key.step;
    for (std::size_t p = 0; p < primitive_count; ++p) {
      if (key.powers[p] > max_degree) {
        throw argument_error("a power", std::to_string(key.powers[p]),
                             "at most " + std::to_string(max_degree));
      }
      term.powers[p] = static_cast<std::uint8_t>(key.powers[p]);
    }
    term.cofactor = polynomial(rounded(cofactor), rounded(to_hermite(cofactor)));
    e.terms.push_back(std::move(term));
  }
  return e;
}

}  // namespace loradyn::detail
