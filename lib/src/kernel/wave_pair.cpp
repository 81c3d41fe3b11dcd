#include "kernel/wave_pair.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <utility>

namespace loradyn {
namespace {

using complex = std::complex<double>;
using series = std::vector<complex>;

std::array<polynomial, 2> parts_of(const detail::wave_sum::amplitude& a) {
  std::vector<double> real;
  std::vector<double> imaginary;
  for (const complex& c : a) {
    real.push_back(c.real());
    imaginary.push_back(c.imag());
  }
  return {polynomial::from_monomials(std::move(real)),
          polynomial::from_monomials(std::move(imaginary))};
}

// E[P⁽ⁿ⁾(√q z)] for n <= degree
series derivatives_of(const polynomial& real, const polynomial& imaginary, std::size_t degree,
                      double q) {
  std::vector<double> of_real(degree + 1);
  std::vector<double> of_imaginary(degree + 1);
  real.gaussian_derivatives(q, of_real);
  imaginary.gaussian_derivatives(q, of_imaginary);
  series F(degree + 1);
  for (std::size_t n = 0; n <= degree; ++n) {
    F[n] = {of_real[n], of_imaginary[n]};
  }
  return F;
}

// E[P⁽ⁿ⁾(X + i shift)] = Σ_j E[P⁽ⁿ⁺ʲ⁾(X)] (i shift)ʲ/j!
complex shifted(const series& F, std::size_t n, double shift) {
  complex sum = 0.0;
  for (std::size_t j = F.size() - n; j-- > 0;) {
    sum = F[n + j] + sum * complex{0.0, shift / (static_cast<double>(j) + 1.0)};
  }
  return sum;
}

// E[P(X + iα) Q(Y + iβ)] = Σ_n cⁿ/n! E[P⁽ⁿ⁾(X + iα)] E[Q⁽ⁿ⁾(Y + iβ)], or with the conjugate of Q.
complex average_of(const series& P, double alpha, const series& Q, double beta, bool conjugate,
                   double c) {
  complex sum = 0.0;
  double weight = 1.0;
  for (std::size_t n = 0; n < std::min(P.size(), Q.size()); ++n) {
    sum += weight * shifted(P, n, alpha) *
           (conjugate ? std::conj(shifted(Q, n, -beta)) : shifted(Q, n, beta));
    weight *= c / (static_cast<double>(n) + 1.0);
  }
  return sum;
}

// Σ √E[|amplitude(√q z)|²] over the waves, at most.
double size_of(const detail::wave_sum& f, double q) {
  double sum = 0.0;
  for (const auto& term : f.terms()) {
    double power = 1.0;  // √E[(√q z)²ᵏ]
    for (std::size_t k = 0; k < term.second.size(); ++k) {
      sum += power * std::abs(term.second[k]);
      power *= std::sqrt(q * (2.0 * static_cast<double>(k) + 1.0));
    }
  }
  return sum;
}

}  // namespace

wave_average::wave_average(const detail::wave_sum& f) : value_(terms_of(f)) {
  const detail::wave_sum second = f.derivative().derivative();
  second_ = terms_of(second);
  fourth_ = terms_of(second.derivative().derivative());
}

std::vector<wave_average::term> wave_average::terms_of(const detail::wave_sum& f) {
  std::vector<term> terms;
  for (const auto& [frequency, a] : f.terms()) {
    auto parts = parts_of(a);
    terms.push_back({frequency, std::move(parts[0]), std::move(parts[1])});
  }
  return terms;
}

// E[P(X) exp(ikX)] = exp(-k²q/2) E[P(X + ikq)]
double wave_average::average(const std::vector<term>& terms, double q) {
  double sum = 0.0;
  for (const term& t : terms) {
    const std::size_t degree = std::max(t.real.degree(), t.imaginary.degree());
    const series F = derivatives_of(t.real, t.imaginary, degree, q);
    sum += std::exp(-0.5 * t.frequency * t.frequency * q) * shifted(F, 0, t.frequency * q).real();
  }
  return sum;
}

double wave_average::value(double q) const { return average(value_, q); }
double wave_average::slope(double q) const { return 0.5 * average(second_, q); }
double wave_average::curvature(double q) const { return 0.25 * average(fourth_, q); }

double least_variance_of(const detail::wave_sum& f) {
  if (f.terms().empty() || f.terms().rbegin()->first == 0.0) {
    return 0.0;
  }
  // Three digits of the 16 at most, with the squares of the sides' sizes.
  constexpr double most_cancelled = 30.0;
  constexpr double farthest = 0x1p7;
  constexpr double nearest = 0x1p-20;
  struct size_and_average {
    detail::wave_sum f;
    wave_average square;
  };
  std::vector<size_and_average> all;
  detail::wave_sum derivative = f;
  for (int i = 0; i < 3; ++i) {
    all.push_back({derivative, wave_average(derivative.times(derivative))});
    derivative = derivative.derivative();
  }
  const auto holds = [&](double q) {
    return std::all_of(all.begin(), all.end(), [q](const size_and_average& d) {
      const double size = size_of(d.f, q);
      return size * size <= most_cancelled * most_cancelled * d.square.value(q);
    });
  };
  double least = std::numeric_limits<double>::infinity();
  for (double q = farthest; q >= nearest && holds(q); q *= 0.5) {
    least = q;
  }
  return least > 1.0 ? std::numeric_limits<double>::infinity() : least;
}

wave_pair::wave_pair(const detail::wave_sum& f, const detail::wave_sum& g)
    : f_(terms_of(f)),
      g_(terms_of(g)),
      least_q1_(least_variance_of(f)),
      least_q2_(least_variance_of(g)) {}

std::vector<wave_pair::term> wave_pair::terms_of(detail::wave_sum f) {
  std::vector<term> terms;
  for (const auto& [frequency, a] : f.terms()) {
    terms.push_back({frequency, {}, {}, a.size() - 1});
  }
  for (std::size_t order = 0; order < orders; ++order) {
    for (term& t : terms) {
      if (const auto found = f.terms().find(t.frequency); found != f.terms().end()) {
        auto parts = parts_of(found->second);
        t.real[order] = std::move(parts[0]);
        t.imaginary[order] = std::move(parts[1]);
      }
    }
    f = f.derivative();
  }
  return terms;
}

wave_pair::moments_of_terms wave_pair::moments_of(const std::vector<term>& terms, double q) {
  moments_of_terms moments;
  for (const term& t : terms) {
    auto& of_term = moments.emplace_back();
    for (std::size_t order = 0; order < orders; ++order) {
      of_term[order] = derivatives_of(t.real[order], t.imaginary[order], t.degree, q);
    }
  }
  return moments;
}

// (3.6)
pair_moments wave_pair::gradient(const pair_covariance& v, moment_set wanted) const {
  const moments_of_terms of_f = moments_of(f_, v.q1);
  const moments_of_terms of_g = moments_of(g_, v.q2);
  pair_moments m;
  for (std::size_t a = 0; a < f_.size(); ++a) {
    for (std::size_t b = 0; b < g_.size(); ++b) {
      const double k = f_[a].frequency;
      const bool waves = k > 0.0 && g_[b].frequency > 0.0;
      // Re u Re v = ½ Re[uv] + ½ Re[u v̄]; where one is real, Re[uv].
      for (const double l : {g_[b].frequency, -g_[b].frequency}) {
        const double alpha = k * v.q1 + l * v.c;
        const double beta = k * v.c + l * v.q2;
        const double factor = (waves ? 0.5 : 1.0) * std::exp(-0.5 * (k * alpha + l * beta));
        const auto average = [&](std::size_t i, std::size_t j) {
          return factor * average_of(of_f[a][i], alpha, of_g[b][j], beta, l < 0.0, v.c).real();
        };
        if (contains(wanted, moment_set::value)) {
          m.e00 += average(0, 0);
        }
        if (contains(wanted, moment_set::gradient)) {
          m.e11 += average(1, 1);
          m.e20 += average(2, 0);
        }
        if (contains(wanted, moment_set::gradient2)) {
          m.e02 += average(0, 2);
        }
        if (!waves) {
          break;
        }
      }
    }
  }
  return m;
}

}  // namespace loradyn
