#include "activation/waves.hpp"

#include <algorithm>
#include <cmath>
#include <utility>

namespace loradyn::detail {
namespace {

// What a kernel still sums in a microsecond or two, and what monomials keep their digits for.
constexpr std::size_t most_waves = 8;
constexpr std::size_t most_wave_degree = 6;

wave_sum::amplitude product(const wave_sum::amplitude& a, const wave_sum::amplitude& b) {
  wave_sum::amplitude c(a.size() + b.size() - 1);
  for (std::size_t i = 0; i < a.size(); ++i) {
    for (std::size_t j = 0; j < b.size(); ++j) {
      c[i + j] += a[i] * b[j];
    }
  }
  return c;
}

wave_sum::amplitude conjugate(wave_sum::amplitude a) {
  for (std::complex<double>& c : a) {
    c = std::conj(c);
  }
  return a;
}

bool is_small(const wave_sum& f) {
  const bool finite = std::all_of(f.terms().begin(), f.terms().end(), [](const auto& term) {
    return std::isfinite(term.first) &&
           std::all_of(term.second.begin(), term.second.end(), [](const std::complex<double>& c) {
             return std::isfinite(c.real()) && std::isfinite(c.imag());
           });
  });
  return finite && f.terms().size() <= most_waves && f.degree() <= most_wave_degree;
}

// f^n, or nothing where it, or a power on the way, is too large.
std::optional<wave_sum> power(const wave_sum& f, unsigned n) {
  wave_sum result = wave_sum::constant(1.0);
  for (unsigned k = 0; k < n; ++k) {
    result = result.times(f);
    if (!is_small(result)) {
      return std::nullopt;
    }
  }
  return result;
}

// He_{n+1}(f) = f He_n(f) - n He_{n-1}(f)
std::optional<wave_sum> hermite(const wave_sum& f, unsigned n) {
  wave_sum before;
  wave_sum current = wave_sum::constant(1.0);
  for (unsigned k = 0; k < n; ++k) {
    wave_sum next = current.times(f).plus(before, -static_cast<double>(k));
    if (!is_small(next)) {
      return std::nullopt;
    }
    before = std::exchange(current, std::move(next));
  }
  return current;
}

// sin or cos of a line
wave_sum oscillation_of(operation what, const wave_sum::line& at) {
  // sin y = Re[-i exp(iy)]
  const std::complex<double> unit = what == operation::sin ? std::complex<double>{0.0, -1.0} : 1.0;
  const std::complex<double> phase =
      at.constant == 0.0 ? std::complex<double>{1.0} : std::polar(1.0, at.constant);
  return wave_sum::oscillation(at.slope, unit * phase);
}

std::optional<wave_sum> value_of(const formula_node& node, const std::optional<wave_sum>& left,
                                 const std::optional<wave_sum>& right) {
  switch (node.what) {
    case operation::argument:
      return wave_sum::argument();
    case operation::constant:
      return wave_sum::constant(node.value);
    default:
      break;
  }
  if (!left) {
    return std::nullopt;
  }
  switch (node.what) {
    case operation::shift:
      return left->plus(wave_sum::constant(node.value), 1.0);
    case operation::scale:
      return wave_sum().plus(*left, node.value);
    case operation::add:
    case operation::subtract:
      return right ? std::optional(left->plus(*right, node.what == operation::add ? 1.0 : -1.0))
                   : std::nullopt;
    case operation::multiply:
      return right ? std::optional(left->times(*right)) : std::nullopt;
    case operation::divide: {
      const auto divisor = right ? right->as_line() : std::nullopt;
      return divisor && divisor->slope == 0.0
                 ? std::optional(wave_sum().plus(*left, 1.0 / divisor->constant))
                 : std::nullopt;
    }
    case operation::power:
      return power(*left, node.order);
    case operation::hermite:
      return hermite(*left, node.order);
    case operation::sin:
    case operation::cos: {
      const auto line = left->as_line();
      return line ? std::optional(oscillation_of(node.what, *line)) : std::nullopt;
    }
    default:
      return std::nullopt;
  }
}

}  // namespace

wave_sum::wave_sum(const std::vector<wave>& waves) {
  for (const wave& w : waves) {
    const auto cosine = w.cosine.monomial();
    const auto sine = w.sine.monomial();
    amplitude a(std::max(cosine.size(), sine.size()));
    for (std::size_t k = 0; k < a.size(); ++k) {
      a[k] = {k < cosine.size() ? cosine[k] : 0.0, k < sine.size() ? -sine[k] : 0.0};
    }
    add(w.frequency, a, 1.0);
  }
}

wave_sum wave_sum::constant(double value) { return oscillation(0.0, value); }

wave_sum wave_sum::argument() {
  wave_sum f;
  f.add(0.0, {0.0, 1.0}, 1.0);
  return f;
}

wave_sum wave_sum::oscillation(double frequency, std::complex<double> c) {
  wave_sum f;
  f.add(frequency, {c}, 1.0);
  return f;
}

void wave_sum::add(double frequency, const amplitude& a, std::complex<double> factor) {
  amplitude& sum = terms_[std::abs(frequency)];
  sum.resize(std::max(sum.size(), a.size()));
  for (std::size_t k = 0; k < a.size(); ++k) {
    const std::complex<double> c = factor * (frequency < 0.0 ? std::conj(a[k]) : a[k]);
    sum[k] += frequency == 0.0 ? c.real() : c;
  }
  while (!sum.empty() && sum.back() == 0.0) {
    sum.pop_back();
  }
  if (sum.empty()) {
    terms_.erase(std::abs(frequency));
  }
}

wave_sum wave_sum::plus(const wave_sum& other, double factor) const {
  wave_sum sum = *this;
  for (const auto& [frequency, a] : other.terms_) {
    sum.add(frequency, a, factor);
  }
  return sum;
}

// Re u Re v = ½ Re[uv] + ½ Re[u v̄]
wave_sum wave_sum::times(const wave_sum& other) const {
  wave_sum f;
  for (const auto& [k, a] : terms_) {
    for (const auto& [l, b] : other.terms_) {
      f.add(k + l, product(a, b), 0.5);
      f.add(k - l, product(a, conjugate(b)), 0.5);
    }
  }
  return f;
}

wave_sum wave_sum::derivative() const {
  wave_sum f;
  for (const auto& [frequency, a] : terms_) {
    f.add(frequency, a, {0.0, frequency});
    amplitude slope;
    for (std::size_t k = 1; k < a.size(); ++k) {
      slope.push_back(static_cast<double>(k) * a[k]);
    }
    f.add(frequency, slope, 1.0);
  }
  return f;
}

std::optional<wave_sum::line> wave_sum::as_line() const {
  if (terms_.empty()) {
    return line{};
  }
  const auto& [frequency, a] = *terms_.begin();
  if (terms_.size() > 1 || frequency != 0.0 || a.size() > 2) {
    return std::nullopt;
  }
  return line{a.size() > 1 ? a[1].real() : 0.0, a[0].real()};
}

std::size_t wave_sum::degree() const {
  std::size_t largest = 0;
  for (const auto& term : terms_) {
    largest = std::max(largest, term.second.size() - 1);
  }
  return largest;
}

std::optional<std::vector<wave>> waves_of(const formula& f) {
  std::vector<std::optional<wave_sum>> values(f.nodes.size());
  for (std::size_t i = 0; i < values.size(); ++i) {
    const formula_node& node = f.nodes[i];
    auto value = value_of(node, values[node.left], values[node.right]);
    if (value && is_small(*value)) {
      values[i] = std::move(value);
    }
  }
  if (!values.back() || values.back()->terms().empty() ||
      values.back()->terms().rbegin()->first == 0.0) {
    return std::nullopt;
  }
  std::vector<wave> waves;
  for (const auto& [frequency, a] : values.back()->terms()) {
    std::vector<double> cosine;
    std::vector<double> sine;
    for (const std::complex<double>& c : a) {
      cosine.push_back(c.real());
      sine.push_back(-c.imag());
    }
    waves.push_back({frequency, polynomial::from_monomials(std::move(cosine)),
                     polynomial::from_monomials(std::move(sine))});
  }
  return waves;
}

}  // namespace loradyn::detail
