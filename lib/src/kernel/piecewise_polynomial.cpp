#include "kernel/piecewise_polynomial.hpp"
#include <algorithm>
#include <boost/math/constants/constants.hpp>
#include <boost/math/special_functions/erf.hpp>
#include <cmath>
#include <limits>

namespace loradyn {
namespace {

using boost::math::constants::half_root_two;
using boost::math::constants::root_two_pi;

constexpr std::size_t size = piecewise_polynomial::max_degree + 1;
using powers = std::array<double, size>;

constexpr double infinity = std::numeric_limits<double>::infinity();

// ∫ zᵏ φ(z) dz from lo to hi.
powers truncated_moments(double lo, double hi) {
  const auto density = [](double z) {
    return std::isinf(z) ? 0.0 : std::exp(-0.5 * z * z) / root_two_pi<double>();
  };
  const auto beyond = [](double z) { return 0.5 * std::erfc(z * half_root_two<double>()); };
  const double at_lo = density(lo);
  const double at_hi = density(hi);
  powers m{};
  m[0] = lo > 0.0 ? beyond(lo) - beyond(hi) : beyond(-hi) - beyond(-lo);
  m[1] = at_lo - at_hi;
  double of_lo = at_lo;
  double of_hi = at_hi;
  for (std::size_t k = 2; k < size; ++k) {
    of_lo = at_lo == 0.0 ? 0.0 : of_lo * lo;
    of_hi = at_hi == 0.0 ? 0.0 : of_hi * hi;
    m[k] = static_cast<double>(k - 1) * m[k - 2] + of_lo - of_hi;
  }
  return m;
}

// At a kink of the piece to the left.
powers taylor(const activation& f, double x) {
  powers c = f.all(x);
  double factorial = 1.0;
  for (std::size_t k = 2; k < size; ++k) {
    factorial *= static_cast<double>(k);
    c[k] /= factorial;
  }
  return c;
}

void add(const polynomial_piece& p, const gaussian_line& x, std::size_t order, line_moments& to) {
  const powers truncated =
      truncated_moments((p.lo - x.mean) / x.deviation, (p.hi - x.mean) / x.deviation);
  if (truncated[0] == 0.0) {
    return;
  }
  const powers c = p.about(x.mean);
  for (std::size_t i = 0; i <= order; ++i) {
    double scale = 1.0;
    for (std::size_t k = 0; k + i < size; ++k) {
      double factor = c[k + i] * scale;  // (k+i)!/k! of it
      for (std::size_t l = k + 1; l <= k + i; ++l) {
        factor *= static_cast<double>(l);
      }
      const double term = factor * truncated[k];
      to.value[i] += term;
      to.magnitude[i] += std::abs(term);
      scale *= x.deviation;
    }
  }
}

// Whether f is the Taylor polynomial at x wherever the points are.
bool is_polynomial(const activation& f, const powers& c, double origin,
                   const std::vector<double>& points) {
  constexpr double rounding = 1e-13;
  return std::all_of(points.begin(), points.end(), [&](double x) {
    double value = 0.0;
    double magnitude = 0.0;
    for (std::size_t k = size; k-- > 0;) {
      value = value * (x - origin) + c[k];
      magnitude = magnitude * std::abs(x - origin) + std::abs(c[k]);
    }
    return std::abs(f(x) - value) <= rounding * (magnitude + std::abs(f(x)));
  });
}

}  // namespace

std::array<double, 5> polynomial_piece::about(double at) const {
  powers s = coefficients;
  for (std::size_t k = 0; k + 1 < size; ++k) {
    for (std::size_t j = size - 1; j-- > k;) {
      s[j] += (at - origin) * s[j + 1];
    }
  }
  return s;
}

std::optional<piecewise_polynomial> piecewise_polynomial::of(const activation& f) {
  // Heuristic: "averages over a short line are those of the pieces" passes with 4 points, not with
  // 2, and with a farthest of 10 and of 120: a Gaussian has no weight beyond 40.
  constexpr std::size_t points_a_piece = 48;
  constexpr double nearest = 1e-3;  // to a kink, of the length of a piece or of 1
  constexpr double farthest = 60.0;
  const std::vector<kink>& kinks = f.kinks();
  if (kinks.empty() || f.errors() != std::array<double, 5>{}) {
    return std::nullopt;
  }
  piecewise_polynomial p;
  for (std::size_t i = 0; i <= kinks.size(); ++i) {
    const double lo = i == 0 ? -infinity : kinks[i - 1].location;
    const double hi = i == kinks.size() ? infinity : kinks[i].location;
    std::vector<double> points;
    for (std::size_t k = 0; k < points_a_piece; ++k) {
      const double t = (static_cast<double>(k) + 0.5) / static_cast<double>(points_a_piece);
      const double out = nearest * std::pow(farthest / nearest, t);
      points.push_back(std::isinf(lo) ? hi - out : std::isinf(hi) ? lo + out : lo + (hi - lo) * t);
    }
    for (const double x : f.features()) {
      if (lo < x && x < hi) {
        points.push_back(x);
      }
    }
    const double origin = points[points_a_piece / 2];
    const powers c = taylor(f, origin);
    if (!is_polynomial(f, c, origin, points)) {
      return std::nullopt;
    }
    p.pieces_.push_back({lo, hi, origin, c});
  }
  return p;
}

line_moments piecewise_polynomial::moments(const gaussian_line& x, std::size_t order) const {
  line_moments result;
  for (const polynomial_piece& p : pieces_) {
    add(p, x, order, result);
  }
  return result;
}

line_moments short_line_moments(const activation& f, const gaussian_line& x, std::size_t order) {
  constexpr double farthest = 40.0;  // beyond it a Gaussian weighs nothing
  line_moments result;
  polynomial_piece p{-infinity, infinity, x.mean, {}};
  bool alone = true;
  for (const kink& k : f.kinks()) {
    if (std::abs(k.location - x.mean) > farthest * x.deviation) {
      continue;
    }
    p.hi = k.location;
    if (alone) {
      p.origin = k.location;
      p.coefficients = taylor(f, k.location);
    }
    add(p, x, order, result);
    p = {k.location, infinity, k.location, taylor(f, std::nextafter(k.location, infinity))};
    alone = false;
  }
  if (alone) {
    p.coefficients = taylor(f, x.mean);
  }
  add(p, x, order, result);
  return result;
}

}  // namespace loradyn
