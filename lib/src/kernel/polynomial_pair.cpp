#include "kernel/polynomial_pair.hpp"
#include <span>
#include "kernel/closed_form.hpp"

namespace loradyn {
namespace {

// Whether the orders parity, parity + 2, … of both expansions vanish.
bool lacks(const polynomial& f, std::size_t parity) {
  for (const std::span<const double> coefficients : {f.monomial(), f.hermite()}) {
    for (std::size_t n = parity; n < coefficients.size(); n += 2) {
      if (coefficients[n] != 0.0) {
        return false;
      }
    }
  }
  return true;
}

}  // namespace

polynomial_pair::polynomial_pair(const polynomial& f, const polynomial& g)
    : f_(f), terms_(f.degree() + 1), even_(lacks(f, 1)), odd_(lacks(f, 0)) {
  g.gaussian_derivatives(1.0, unit_g_);
}

polynomial_pair_moments polynomial_pair::moments(double q, double c) const {
  derivative_array F;
  f_.gaussian_derivatives(q, {F.data(), terms_ + 2});
  return even_ || odd_ ? sums<2>(F, q, c) : sums<1>(F, q, c);
}

// (3.1): Σ_n F_{n+i} G_{n+j} cⁿ/n! for (i, j) = (1, 1) and (2, 0), and the same with F for G and q
// for c, by the order k of their G_k. With stride 2 only the orders of f's parity are visited.
template <std::size_t Stride>
polynomial_pair_moments polynomial_pair::sums(const derivative_array& F, double q, double c) const {
  polynomial_pair_moments m;
  struct power {
    double q;
    double c;
  };
  power before{};        // qⁿ/n! and cⁿ/n! at n = k - 1
  power here{1.0, 1.0};  // and at n = k
  std::size_t k = 0;
  const auto advance = [&] {
    ++k;
    before = here;
    here.q *= q * reciprocals[k];
    here.c *= c * reciprocals[k];
  };
  const auto add_e11 = [&] {
    m.self_e11 += F[k] * F[k] * before.q;
    m.cross_e11 += F[k] * unit_g_[k] * before.c;
  };
  const auto add_e20 = [&] {
    m.self_e20 += F[k + 2] * F[k] * here.q;
    m.cross_e20 += F[k + 2] * unit_g_[k] * here.c;
  };
  if (Stride == 2 && odd_) {
    advance();
  } else {
    add_e20();
    for (std::size_t i = 0; i < Stride; ++i) {
      advance();
    }
  }
  while (k + 2 < terms_) {
    add_e11();
    add_e20();
    for (std::size_t i = 0; i < Stride; ++i) {
      advance();
    }
  }
  // The last orders have no F_{k+2}.
  for (; k < terms_; advance()) {
    add_e11();
  }
  return m;
}

}  // namespace loradyn
