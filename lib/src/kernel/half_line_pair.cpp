#include "kernel/half_line_pair.hpp"
#include <algorithm>
#include <boost/math/constants/constants.hpp>
#include <cmath>
#include <utility>
#include "kernel/power_series.hpp"

namespace loradyn {
namespace {

using boost::math::constants::one_div_root_two_pi;
using boost::math::constants::pi;
using boost::math::constants::two_pi;

// E[zᵏ 1(z > 0)], k = 0 … 2 most_half_line_degree.
const auto half_moments = [] {
  std::array<double, 2 * most_half_line_degree + 1> m{0.5, one_div_root_two_pi<double>()};
  for (std::size_t k = 2; k < m.size(); ++k) {
    m[k] = static_cast<double>(k - 1) * m[k - 2];
  }
  return m;
}();

double coefficient(const std::vector<double>& c, std::size_t k) {
  return k < c.size() ? c[k] : 0.0;
}

// E[Xᵃ Yᵇ 1(X > 0, Y > 0)] of a pair of unit variances and correlation r, s = √(1 - r²), by
// integration by parts from orders 0. Of r > 0 every term is positive; of r < 0 the rounding is
// that of r > 0.
constexpr std::size_t size = most_half_line_degree + 1;
using table = std::array<std::array<double, size>, size>;

void fill(table& t, std::size_t highest_a, std::size_t highest_b, double r, double s) {
  // Of what is left of X, or Y, on the line where the other is 0.
  std::array<double, size> across{};
  double power = one_div_root_two_pi<double>();
  for (std::size_t k = 0; k <= std::max(highest_a, highest_b); ++k) {
    across[k] = power * half_moments[k];
    power *= s;
  }
  t[0][0] = (pi<double>() - std::atan2(s, r)) / two_pi<double>();
  for (std::size_t b = 1; b <= highest_b; ++b) {
    t[0][b] = (b == 1 ? across[0] : static_cast<double>(b - 1) * t[0][b - 2]) + r * across[b - 1];
  }
  for (std::size_t a = 1; a <= highest_a; ++a) {
    t[a][0] = (a == 1 ? across[0] : static_cast<double>(a - 1) * t[a - 2][0]) + r * across[a - 1];
    for (std::size_t b = 1; b <= highest_b; ++b) {
      t[a][b] = (a == 1 ? across[b] : static_cast<double>(a - 1) * t[a - 2][b]) +
                r * static_cast<double>(b) * t[a - 1][b - 1];
    }
  }
}

}  // namespace

bool is_well_conditioned(const half_line_polynomials& f) {
  constexpr double most_cancelled = 30.0;  // of squares 900: three of the 16 digits at most
  if (std::max(f.negative.size(), f.positive.size()) > size) {
    return false;
  }
  half_line_polynomials magnitudes = f;
  double sign = 1.0;
  for (double& c : magnitudes.negative) {
    c = sign * std::abs(c);
    sign = -sign;
  }
  for (double& c : magnitudes.positive) {
    c = std::abs(c);
  }
  const half_line_average square(product_of(f, f));
  const half_line_average largest(product_of(magnitudes, magnitudes));
  constexpr std::array<double, 5> variances{1e-2, 1e-1, 1.0, 1e1, 1e2};
  return std::all_of(variances.begin(), variances.end(), [&](double q) {
    return largest.value(q) <= most_cancelled * most_cancelled * square.value(q);
  });
}

half_line_polynomials derivative_of(const half_line_polynomials& f) {
  return {derivative_of(f.negative), derivative_of(f.positive)};
}

half_line_polynomials product_of(const half_line_polynomials& f, const half_line_polynomials& g) {
  return {product_of(f.negative, g.negative), product_of(f.positive, g.positive)};
}

half_line_average::half_line_average(const half_line_polynomials& f)
    : c_(std::max(f.negative.size(), f.positive.size())) {
  for (std::size_t k = 0; k < c_.size(); ++k) {
    const double below = coefficient(f.negative, k);
    c_[k] = half_moments[k] * (coefficient(f.positive, k) + (k % 2 == 0 ? below : -below));
  }
}

double half_line_average::value(double q) const {
  const double deviation = std::sqrt(q);
  double sum = 0.0;
  for (std::size_t k = c_.size(); k-- > 0;) {
    sum = sum * deviation + c_[k];
  }
  return sum;
}

// Of √q ᵏ: what jumps at 0 jumps there whatever q is.
double half_line_average::slope(double q) const {
  const double deviation = std::sqrt(q);
  double sum = 0.0;
  for (std::size_t k = c_.size(); k-- > 1;) {
    sum = sum * deviation + static_cast<double>(k) * c_[k];
  }
  return sum / (2.0 * deviation);
}

double half_line_average::curvature(double q) const {
  const double deviation = std::sqrt(q);
  double sum = 0.0;
  for (std::size_t k = c_.size(); k-- > 1;) {
    const auto n = static_cast<double>(k);
    sum = sum * deviation + n * (n - 2.0) * c_[k];
  }
  return sum / (4.0 * q * deviation);
}

half_line_pair::half_line_pair(const half_line_polynomials& f, const half_line_polynomials& g)
    : f_(derivatives_of(f)), g_(derivatives_of(g)) {
  const auto some = [](const std::vector<double>& c) {
    return std::any_of(c.begin(), c.end(), [](double x) { return x != 0.0; });
  };
  const bool f_below = some(f.negative);
  const bool f_above = some(f.positive);
  const bool g_below = some(g.negative);
  const bool g_above = some(g.positive);
  has_alike_ = (f_above && g_above) || (f_below && g_below);
  has_unlike_ = (f_above && g_below) || (f_below && g_above);
}

std::array<half_line_pair::halves, 5> half_line_pair::derivatives_of(half_line_polynomials f) {
  std::array<halves, 5> result;
  for (halves& h : result) {
    h.count = std::max(f.negative.size(), f.positive.size());
    double sign = 1.0;
    for (std::size_t k = 0; k < h.count; ++k) {
      h.c[0][k] = sign * coefficient(f.negative, k);
      h.c[1][k] = coefficient(f.positive, k);
      sign = -sign;
    }
    f = derivative_of(f);
  }
  return result;
}

double half_line_pair::halves::average(double deviation) const {
  double sum = 0.0;
  double power = 1.0;
  for (std::size_t k = 0; k < count; ++k) {
    sum += (c[0][k] + c[1][k]) * power * half_moments[k];
    power *= deviation;
  }
  return sum;
}

void half_line_pair::pieces(const pair_covariance& v, std::span<const orders> wanted,
                            double* out) const {
  const double x = std::sqrt(v.q1);
  const double y = std::sqrt(v.q2);
  const double r = v.c / (x * y);
  const double s = std::sqrt(v.gap) / (x * y);
  const std::size_t highest_f = std::max<std::size_t>(1, f_[0].count) - 1;
  const std::size_t highest_g = std::max<std::size_t>(1, g_[0].count) - 1;
  table alike;   // E[|X|ᵃ |Y|ᵇ 1(X > 0, Y > 0)]
  table unlike;  // the same where X > 0 > Y
  if (has_alike_) {
    fill(alike, highest_f, highest_g, r, s);
  }
  if (has_unlike_) {
    fill(unlike, highest_f, highest_g, -r, s);
  }
  std::array<double, size> power_of_y;
  power_of_y[0] = 1.0;
  for (std::size_t b = 1; b <= highest_g; ++b) {
    power_of_y[b] = power_of_y[b - 1] * y;
  }
  // (3.4)
  for (std::size_t k = 0; k < wanted.size(); ++k) {
    const halves& f = f_[wanted[k].i];
    const halves& g = g_[wanted[k].j];
    double sum = 0.0;
    double power_of_x = 1.0;
    for (std::size_t a = 0; a < f.count; ++a) {
      const double below = f.c[0][a] * power_of_x;
      const double above = f.c[1][a] * power_of_x;
      power_of_x *= x;
      if (above == 0.0 && below == 0.0) {
        continue;
      }
      for (std::size_t b = 0; b < g.count; ++b) {
        double average = 0.0;
        if (has_alike_) {
          average += (above * g.c[1][b] + below * g.c[0][b]) * alike[a][b];
        }
        if (has_unlike_) {
          average += (above * g.c[0][b] + below * g.c[1][b]) * unlike[a][b];
        }
        sum += power_of_y[b] * average;
      }
    }
    out[k] = sum;
  }
}

pair_moments half_line_pair::gradient(const pair_covariance& v, moment_set wanted) const {
  const bool value = contains(wanted, moment_set::value);
  const bool slopes = contains(wanted, moment_set::gradient);
  const bool slope_of_g = contains(wanted, moment_set::gradient2);
  static constexpr std::array<orders, 4> all{{{0, 0}, {1, 1}, {2, 0}, {0, 2}}};
  const std::size_t first = value ? 0 : slopes ? 1 : 3;
  const std::size_t last = slope_of_g ? 4 : slopes ? 3 : 1;
  std::array<double, all.size()> of_pieces{};
  if (first < last) {
    pieces(v, std::span(all).subspan(first, last - first), of_pieces.data() + first);
  }
  // δ(X) and δ'(X) of f's jumps, δ(Y) of g's slope's.
  const auto density = [](double q) { return one_div_root_two_pi<double>() / std::sqrt(q); };
  const double beside_x = std::sqrt(v.gap / v.q1);
  const double beside_y = std::sqrt(v.gap / v.q2);
  const double of_slope = f_[0].jump() == 0.0 ? 0.0 : f_[0].jump() * g_[1].average(beside_x);
  pair_moments m;
  if (value) {
    m.e00 = of_pieces[0];
  }
  if (slopes) {
    m.e11 = of_pieces[1] + density(v.q1) * of_slope;
    m.e20 = of_pieces[2] +
            density(v.q1) * (f_[1].jump() * g_[0].average(beside_x) - v.c / v.q1 * of_slope);
  }
  if (slope_of_g) {
    m.e02 = of_pieces[3] + density(v.q2) * g_[1].jump() * f_[0].average(beside_y);
  }
  return m;
}

}  // namespace loradyn
