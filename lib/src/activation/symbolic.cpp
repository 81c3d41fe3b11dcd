#include "activation/symbolic.hpp"

#include <algorithm>
#include <cmath>
#include <loradyn/error.hpp>
#include <string>
#include <utility>

namespace loradyn::detail {
namespace {

// Bounds on what is built, so that a short text can't ask for a huge one.
constexpr std::size_t max_intermediate_degree = 400;
constexpr std::size_t max_terms = 500;
constexpr std::size_t max_bits = 8192;

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

std::size_t bits_of(const rational& value) {
  const auto of = [](const boost::multiprecision::cpp_int& n) -> std::size_t {
    return n == 0 ? 0 : msb(n < 0 ? boost::multiprecision::cpp_int(-n) : n) + 1;
  };
  return of(numerator(value)) + of(denominator(value));
}

// The cost of one operation on numbers of this many bits: a division by the greatest common divisor
// takes the square of the number of words.
std::size_t cost_of(std::size_t bits) {
  const std::size_t words = bits / 64;
  return 1 + words * words / 16;
}

bool spend(symbolic_budget& budget, std::size_t operations, std::size_t bits) {
  const std::size_t cost = cost_of(bits);
  if (bits > max_bits || operations > budget.left / cost) {
    return false;
  }
  budget.left -= operations * cost;
  return true;
}

double rounded(const rational& c) {
  const auto value = c.convert_to<double>();
  if (!std::isfinite(value)) {
    throw argument_error("a coefficient", c.str(0, std::ios_base::scientific).substr(0, 20) + "…",
                         "below 1.8e308");
  }
  return value;
}

std::vector<double> rounded(const rational_polynomial& p) {
  std::vector<double> values;
  for (const rational& c : p) {
    values.push_back(rounded(c));
  }
  return values;
}

int sign_of(const rational& r) { return r > 0 ? 1 : r < 0 ? -1 : 0; }

int sign_changes(const std::vector<int>& signs) {
  int changes = 0;
  int last = 0;
  for (const int sign : signs) {
    if (sign != 0) {
      changes += last != 0 && sign != last ? 1 : 0;
      last = sign;
    }
  }
  return changes;
}

// p(-x)
rational_polynomial mirrored(rational_polynomial p) {
  for (std::size_t k = 1; k < p.size(); k += 2) {
    p[k] = -p[k];
  }
  return p;
}

// The number of zeros of p in x > 0, by Sturm's sequence.
int positive_zeros(const rational_polynomial& p) {
  rational_polynomial before = p;
  before.erase(before.begin(), std::find_if(before.begin(), before.end(),
                                            [](const rational& c) { return c != 0; }));
  rational_polynomial current;
  for (std::size_t k = 1; k < before.size(); ++k) {
    current.push_back(before[k] * k);
  }
  std::vector<int> at_zero{sign_of(before.front())};
  std::vector<int> at_infinity{sign_of(before.back())};
  while (!current.empty()) {
    at_zero.push_back(sign_of(current.front()));
    at_infinity.push_back(sign_of(current.back()));
    // The remainder of the division, with its sign turned.
    rational_polynomial rest = std::move(before);
    while (rest.size() >= current.size()) {
      const rational factor = rest.back() / current.back();
      const std::size_t shift = rest.size() - current.size();
      for (std::size_t k = 0; k < current.size(); ++k) {
        rest[shift + k] -= factor * current[k];
      }
      while (!rest.empty() && rest.back() == 0) {
        rest.pop_back();
      }
    }
    for (rational& c : rest) {
      c = -c;
    }
    before = std::exchange(current, std::move(rest));
  }
  return sign_changes(at_zero) - sign_changes(at_infinity);
}

// The sign that p has on all of x > 0 but in zeros that it touches not; none where it changes, or
// where that would cost too much to find out.
std::optional<int> sign_on_positive(const rational_polynomial& p, symbolic_budget& budget) {
  constexpr std::size_t most_for_sturm = 8;
  std::vector<int> signs;
  std::size_t bits = 0;
  for (const rational& c : p) {
    signs.push_back(sign_of(c));
    bits = std::max(bits, bits_of(c));
  }
  if (signs.empty() || sign_changes(signs) == 0) {  // Descartes' rule
    return signs.empty() ? 0 : signs.back();
  }
  const std::size_t grown = bits * p.size() * p.size();  // by the last division
  if (p.size() > most_for_sturm + 1 || !spend(budget, p.size() * p.size() * p.size(), grown) ||
      positive_zeros(p) > 0) {
    return std::nullopt;
  }
  return signs.back();
}

unsigned total_power(const symbol& key) {
  unsigned total = 0;
  for (const unsigned power : key.powers) {
    total += power;
  }
  return total;
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

std::optional<symbolic> symbolic::hermite(unsigned k, symbolic_budget& budget) {
  if (!spend(budget, std::size_t{k} * k / 2, 0)) {
    return std::nullopt;
  }
  rational_polynomial previous;
  rational_polynomial current{1};
  for (unsigned n = 0; n < k; ++n) {
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

symbolic symbolic::step() {
  symbolic s;
  s.add({.step = true, .powers = {}}, {1}, 1);
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

std::size_t symbolic::bits() const {
  std::size_t most = 0;
  for (const auto& [key, cofactor] : terms_) {
    for (const rational& c : cofactor) {
      most = std::max(most, bits_of(c));
    }
  }
  return most;
}

std::size_t symbolic::coefficients() const {
  std::size_t count = 0;
  for (const auto& [key, cofactor] : terms_) {
    count += cofactor.size();
  }
  return count;
}

std::optional<symbolic> symbolic::plus(const symbolic& other, int sign,
                                       symbolic_budget& budget) const {
  const std::size_t count = coefficients() + other.coefficients();
  if (terms_.size() + other.terms_.size() > max_terms ||
      !spend(budget, count, bits() + other.bits() + 1)) {
    return std::nullopt;
  }
  symbolic result = *this;
  for (const auto& [key, cofactor] : other.terms_) {
    result.add(key, cofactor, sign);
  }
  return result;
}

std::optional<symbolic> symbolic::times(const symbolic& other, symbolic_budget& budget) const {
  if (degree() + other.degree() > max_intermediate_degree) {
    return std::nullopt;
  }
  // Sums of products of fractions: denominators may multiply.
  const std::size_t products = coefficients() * other.coefficients();
  if (!spend(budget, products + 1, bits() + other.bits() + 16)) {
    return std::nullopt;
  }
  symbolic result;
  for (const auto& [key_a, cofactor_a] : terms_) {
    for (const auto& [key_b, cofactor_b] : other.terms_) {
      symbol key;
      key.step = key_a.step || key_b.step;
      for (std::size_t p = 0; p < primitive_count; ++p) {
        key.powers[p] = key_a.powers[p] + key_b.powers[p];
      }
      result.add(key, product(cofactor_a, cofactor_b), 1);
    }
    if (result.terms_.size() > max_terms || result.bits() > max_bits) {
      return std::nullopt;
    }
  }
  return result;
}

std::optional<symbolic> symbolic::power(unsigned exponent, symbolic_budget& budget) const {
  std::optional<symbolic> result = constant(1);
  for (unsigned i = 0; i < exponent && result; ++i) {
    result = result->times(*this, budget);
  }
  return result;
}

std::optional<symbolic> symbolic::where_positive(switched what, symbolic_budget& budget) const {
  rational_polynomial left;
  rational_polynomial right;
  for (const auto& [key, cofactor] : terms_) {
    if (total_power(key) > 0) {
      return std::nullopt;
    }
    (key.step ? right : left) = cofactor;
  }
  // right = left + the step's part
  right.resize(std::max(left.size(), right.size()));
  for (std::size_t k = 0; k < left.size(); ++k) {
    right[k] += left[k];
  }
  while (!right.empty() && right.back() == 0) {
    right.pop_back();
  }
  const std::optional<int> sign_left = sign_on_positive(mirrored(left), budget);
  const std::optional<int> sign_right = sign_on_positive(right, budget);
  if (!sign_left || !sign_right) {
    return std::nullopt;
  }
  const auto piece = [what](const rational_polynomial& p, int sign) -> rational_polynomial {
    if (sign > 0) {
      return what == switched::step ? rational_polynomial{1} : p;
    }
    if (what != switched::abs || sign == 0) {
      return {};
    }
    rational_polynomial negative = p;
    for (rational& c : negative) {
      c = -c;
    }
    return negative;
  };
  const rational_polynomial new_left = piece(left, *sign_left);
  symbolic result;
  result.add({}, new_left, 1);
  result.add({.step = true, .powers = {}}, piece(right, *sign_right), 1);
  result.add({.step = true, .powers = {}}, new_left, -1);
  return result;
}

std::optional<rational> symbolic::as_constant() const {
  if (terms_.empty()) {
    return rational(0);
  }
  const auto& [key, cofactor] = *terms_.begin();
  if (terms_.size() > 1 || key != symbol{} || cofactor.size() > 1) {
    return std::nullopt;
  }
  return cofactor.front();
}

int symbolic::as_signed_argument() const {
  if (terms_.size() != 1 || terms_.begin()->first != symbol{}) {
    return 0;
  }
  const rational_polynomial& p = terms_.begin()->second;
  return p.size() != 2 || p[0] != 0 ? 0 : p[1] == 1 ? 1 : p[1] == -1 ? -1 : 0;
}

std::size_t symbolic::degree() const {
  std::size_t highest = 0;
  for (const auto& [key, cofactor] : terms_) {
    highest = std::max(highest, cofactor.size() - 1);
  }
  return highest;
}

bool symbolic::has_step() const {
  return std::any_of(terms_.begin(), terms_.end(),
                     [](const auto& term) { return term.first.step; });
}

std::optional<activation_parts> symbolic::closed() const {
  activation_parts parts;
  symbol erf_alone;
  erf_alone.powers[static_cast<std::size_t>(primitive::erf)] = 1;
  const symbol step_alone{.step = true, .powers = {}};
  for (const auto& [key, cofactor] : terms_) {
    if (key == symbol{}) {
      if (cofactor.size() > max_degree + 1) {
        throw argument_error("the degree of a polynomial", std::to_string(cofactor.size() - 1),
                             "at most " + std::to_string(max_degree));
      }
      parts.polynomial_part = polynomial(rounded(cofactor), rounded(to_hermite(cofactor)));
    } else if (key == erf_alone && cofactor.size() == 1) {
      parts.erf_weight = rounded(cofactor[0]);
    } else if (key == step_alone && cofactor.size() == 2 && cofactor[0] == 0) {
      parts.relu_weight = rounded(cofactor[1]);
    } else {
      return std::nullopt;
    }
  }
  return parts;
}

std::optional<half_line_polynomials> symbolic::on_half_lines() const {
  rational_polynomial left;
  rational_polynomial beyond;
  for (const auto& [key, cofactor] : terms_) {
    if (key.powers != symbol{}.powers) {
      return std::nullopt;
    }
    (key.step ? beyond : left) = cofactor;
  }
  rational_polynomial right = left;
  right.resize(std::max(left.size(), beyond.size()));
  for (std::size_t k = 0; k < beyond.size(); ++k) {
    right[k] += beyond[k];
  }
  return half_line_polynomials{rounded(left), rounded(right)};
}

}  // namespace loradyn::detail
