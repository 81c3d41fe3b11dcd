#include "kernel/piecewise_pair.hpp"
#include <algorithm>
#include <boost/math/constants/constants.hpp>
#include <cmath>
#include <utility>
#include "kernel/owens_t.hpp"
#include "kernel/piecewise_polynomial.hpp"
#include "kernel/power_series.hpp"

namespace loradyn {
namespace {

using boost::math::constants::half_root_two;
using boost::math::constants::one_div_root_two_pi;
using boost::math::constants::pi;
using boost::math::constants::two_pi;

using series = std::vector<double>;

series difference_of(series a, const series& b) {
  a.resize(std::max(a.size(), b.size()));
  for (std::size_t k = 0; k < b.size(); ++k) {
    a[k] -= b[k];
  }
  return a;
}

std::size_t count_of(const series& c) {
  std::size_t n = c.size();
  while (n > 0 && c[n - 1] == 0.0) {
    --n;
  }
  return n;
}

// The density of N(0, q) at x.
double density(double x, double q) {
  return one_div_root_two_pi<double>() / std::sqrt(q) * std::exp(-0.5 * x * x / q);
}

// Where a part is not zero.
enum class extent { everywhere, above, below };

// Calls visit with each part's coefficients, its knot, and where it is not zero. What is everywhere
// is the piece about 0, so that small variances see no difference of large parts.
template <class Visit>
void each_part(const knot_polynomials& f, const Visit& visit) {
  const auto above = std::find_if(f.knots.begin(), f.knots.end(),
                                  [](const knot_polynomials::knot& k) { return k.at > 0.0; });
  if (above != f.knots.end()) {
    visit(above->left, above->at, extent::everywhere);
  } else {
    visit(f.knots.back().right, f.knots.back().at, extent::everywhere);
  }
  for (auto k = f.knots.begin(); k != f.knots.end(); ++k) {
    if (k < above) {
      visit(difference_of(k->left, k->right), k->at, extent::below);
    } else {
      visit(difference_of(k->right, k->left), k->at, extent::above);
    }
  }
}

// In powers of a - x.
series reflected(series c) {
  for (std::size_t k = 1; k < c.size(); k += 2) {
    c[k] = -c[k];
  }
  return c;
}

// How far a mean is above a knot, in deviations. A short line that ends at the knot itself has half
// of it on either side.
double distance_above(double mean, double deviation) {
  return mean == 0.0 ? 0.0 : mean / deviation;
}

// E[(X - a)ᵏ], of X > a alone or everywhere, X of mean a + mean, with what the standard normal
// variable has at mean/deviation: into m[0 … count - 1].
void truncated_powers(double mean, double deviation, bool everywhere, const normal_place& at,
                      std::size_t count, double* m) {
  if (count == 0) {
    return;
  }
  m[0] = everywhere ? 1.0 : at.below();
  if (count == 1) {
    return;
  }
  if (!everywhere && at.z < 0.0 && at.tail == 0.0) {
    std::fill_n(m + 1, count - 1, 0.0);
    return;
  }
  // Far above the mean the terms of the recurrence cancel, by z² for each order. r_k = m_k/m_{k-1},
  // in deviations, is then k/(|z| + r_{k+1}): of positive terms, begun where it has forgotten how.
  // "Far tails have their digits" has both sides of 2, 5 and 15, and fails with half of the steps.
  constexpr std::array<double, 4> far{15.0, 5.0, 3.0, 2.0};  // z^{2 (count - 1)} is below 1000
  if (!everywhere && at.z < -far[std::min(count - 2, far.size() - 1)]) {
    const auto forgotten = static_cast<std::size_t>(10.0 + 400.0 / (at.z * at.z));
    double ratio = 0.0;
    for (std::size_t k = count + forgotten; k > 0; --k) {
      ratio = static_cast<double>(k) / (ratio - at.z);
      if (k < count) {
        m[k] = deviation * ratio;
      }
    }
    for (std::size_t k = 1; k < count; ++k) {
      m[k] *= m[k - 1];
    }
    return;
  }
  m[1] = mean * m[0] + (everywhere ? 0.0 : deviation * one_div_root_two_pi<double>() * at.bell);
  const double variance = deviation * deviation;
  for (std::size_t k = 2; k < count; ++k) {
    m[k] = mean * m[k - 1] + static_cast<double>(k - 1) * variance * m[k - 2];
  }
}

// Σ |c_k| E[|X - a|ᵏ] of a part.
double magnitude_of(const series& c, double at, bool everywhere, double q) {
  std::array<double, most_piece_degree + 1> m{};
  std::array<double, most_piece_degree + 1> below{};
  const double deviation = std::sqrt(q);
  truncated_powers(-at, deviation, false, normal_place(-at / deviation), c.size(), m.data());
  if (everywhere) {
    truncated_powers(at, deviation, false, normal_place(at / deviation), c.size(), below.data());
  }
  double sum = 0.0;
  for (std::size_t k = 0; k < c.size(); ++k) {
    sum += std::abs(c[k]) * (m[k] + below[k]);
  }
  return sum;
}

// T(h, a), where a = -z/h may be infinite, as side · P(Z > |h|)/2 + rest: of a small tail next to a
// large one nothing is lost.
struct owens_parts {
  double side = 0.0;  // 1, 0 or -1
  double rest = 0.0;
};
owens_parts owens(const normal_place& h, const normal_place& z) {
  constexpr double farthest = 39.0;  // beyond it nothing is left
  if (std::abs(h.z) > farthest) {
    return {};
  }
  const double a = -z.z / h.z;
  if (!std::isfinite(a)) {
    return {z.z == 0.0 ? 0.0 : std::copysign(1.0, h.z == 0.0 ? -z.z : a), 0.0};
  }
  if (std::abs(a) <= 1.0) {
    return {0.0, std::copysign(h.bell * owens_integral(std::abs(h.z), std::abs(a)), a)};
  }
  // T(h, a) + T(ah, 1/a) by the tails at h and at ah
  const double y = std::abs(z.z);
  const double turned = y > farthest ? 0.0 : z.bell * owens_integral(y, 1.0 / std::abs(a));
  const double rest = 0.5 * z.tail - h.tail * z.tail - turned;
  return {std::copysign(1.0, a), std::copysign(1.0, a) * rest};
}

}  // namespace

normal_place::normal_place(double at)
    : z(at),
      tail(0.5 * std::erfc(std::abs(at) * half_root_two<double>())),
      bell(std::exp(-0.5 * at * at)) {}

std::optional<knot_polynomials> knot_polynomials_of(const activation& f) {
  const auto polynomials = piecewise_polynomial::of(f);
  if (!polynomials) {
    return std::nullopt;
  }
  constexpr std::array<double, 5> factorial{1.0, 1.0, 2.0, 6.0, 24.0};
  // Of a coefficient moved from inside a piece to its end, where terms of its size cancel.
  constexpr double rounding = 1e-12;
  const std::vector<polynomial_piece>& pieces = polynomials->pieces();
  knot_polynomials result;
  for (std::size_t i = 0; i + 1 < pieces.size(); ++i) {
    const kink& k = f.kinks()[i];
    const auto below = pieces[i].about(k.location);
    const auto above = pieces[i + 1].about(k.location);
    series left(below.begin(), below.end());
    series right(above.begin(), above.end());
    double size = 0.0;
    for (std::size_t n = 0; n < left.size(); ++n) {
      size = std::max({size, std::abs(left[n]), std::abs(right[n])});
    }
    for (std::size_t n = 0; n < k.jumps.size(); ++n) {
      // What does not jump is one number.
      const double beyond_jump = left[n] + k.jumps[n] / factorial[n];
      if (std::abs(beyond_jump - right[n]) > rounding * size) {
        return std::nullopt;
      }
      right[n] = beyond_jump;
    }
    result.knots.push_back({k.location, std::move(left), std::move(right)});
  }
  return result;
}

bool is_well_conditioned(const knot_polynomials& f) {
  // Roundings of 1e-16 stay below the 1e-12 of √E[f²] that kernels promise.
  constexpr double most_cancelled = 3000.0;
  for (const knot_polynomials::knot& k : f.knots) {
    if (std::max(count_of(k.left), count_of(k.right)) > most_piece_degree + 1) {
      return false;
    }
  }
  const knot_average square(product_of(f, f));
  constexpr std::array<double, 5> variances{1e-2, 1e-1, 1.0, 1e1, 1e2};
  return std::all_of(variances.begin(), variances.end(), [&](double q) {
    double magnitude = 0.0;
    each_part(f, [&](series c, double at, extent where) {
      c.resize(count_of(c));
      magnitude +=
          magnitude_of(c, where == extent::below ? -at : at, where == extent::everywhere, q);
    });
    return magnitude <= most_cancelled * std::sqrt(std::max(0.0, square.value(q)));
  });
}

knot_polynomials derivative_of(const knot_polynomials& f) {
  knot_polynomials d;
  for (const knot_polynomials::knot& k : f.knots) {
    d.knots.push_back({k.at, derivative_of(k.left), derivative_of(k.right)});
  }
  return d;
}

knot_polynomials product_of(const knot_polynomials& f, const knot_polynomials& g) {
  knot_polynomials p;
  for (std::size_t i = 0; i < f.knots.size(); ++i) {
    const knot_polynomials::knot& a = f.knots[i];
    const knot_polynomials::knot& b = g.knots[i];
    p.knots.push_back({a.at, product_of(a.left, b.left), product_of(a.right, b.right)});
  }
  return p;
}

knot_average::knot_average(const knot_polynomials& f) {
  each_part(f, [&](series c, double at, extent where) {
    c.resize(count_of(c));
    if (c.empty()) {
      return;
    }
    const bool below = where == extent::below;
    part p{below ? -at : at, where == extent::everywhere, {}};
    p.c[0] = below ? reflected(std::move(c)) : std::move(c);
    p.c[1] = derivative_of(derivative_of(p.c[0]));
    p.c[2] = derivative_of(derivative_of(p.c[1]));
    parts_.push_back(std::move(p));
  });
  for (const knot_polynomials::knot& k : f.knots) {
    series jump = difference_of(k.right, k.left);
    jump.resize(std::max<std::size_t>(jump.size(), 4));
    jumps_.push_back({k.at, {jump[0], jump[1], 2.0 * jump[2], 6.0 * jump[3]}});
  }
}

// E[δ⁽ⁿ⁾(X - a)] = He_n(z)/√qⁿ times the density at a = √q z.
double knot_average::derivative(std::size_t h, double q) const {
  const double deviation = std::sqrt(q);
  std::array<double, 2 * most_piece_degree + 1> m;
  double sum = 0.0;
  for (const part& p : parts_) {
    const series& c = p.c[h];
    const normal_place at = p.everywhere ? normal_place() : normal_place(-p.at / deviation);
    truncated_powers(-p.at, deviation, p.everywhere, at, c.size(), m.data());
    for (std::size_t k = 0; k < c.size(); ++k) {
      sum += c[k] * m[k];
    }
  }
  for (const jumps& j : jumps_) {
    double before = 0.0;
    double current = 1.0;
    double of_knot = 0.0;
    for (std::size_t n = 0; n < 2 * h; ++n) {
      of_knot += j.of[2 * h - 1 - n] * current;
      // He_{n+1}(z) = z He_n(z) - n He_{n-1}(z)
      const double next = (j.at * current - static_cast<double>(n) * before) / q;
      before = std::exchange(current, next);
    }
    if (of_knot != 0.0) {
      sum += density(j.at, q) * of_knot;
    }
  }
  return sum;
}

double knot_average::value(double q) const { return derivative(0, q); }
double knot_average::slope(double q) const { return 0.5 * derivative(1, q); }
double knot_average::curvature(double q) const { return 0.25 * derivative(2, q); }

std::vector<piecewise_pair::part> piecewise_pair::parts_of(const knot_polynomials& f) {
  std::vector<part> parts;
  each_part(f, [&](series c, double at, extent where) {
    part p;
    p.at = at;
    p.everywhere = where == extent::everywhere;
    p.direction = where == extent::below ? -1.0 : 1.0;
    for (std::size_t k = 0; k < p.c.size(); ++k) {
      const series upward = where == extent::below ? reflected(c) : c;
      p.count[k] = count_of(c);
      std::copy_n(upward.begin(), p.count[k], p.c[k].begin());
      c = derivative_of(c);
    }
    if (p.count[0] > 0) {
      parts.push_back(p);
    }
  });
  return parts;
}

piecewise_pair::piecewise_pair(const knot_polynomials& f, const knot_polynomials& g)
    : f_(parts_of(f)), g_(parts_of(g)) {
  const auto same_place = [](const part& a, const part& b) {
    return a.everywhere == b.everywhere && a.direction * a.at == b.direction * b.at;
  };
  for (std::size_t i = 0; i < f_.size(); ++i) {
    for (std::size_t j = 0; j < g_.size(); ++j) {
      const auto group = std::find_if(groups_.begin(), groups_.end(), [&](const alike& other) {
        const part& of_f = f_[other.pairs.front().first];
        const part& of_g = g_[other.pairs.front().second];
        return same_place(f_[i], of_f) && same_place(g_[j], of_g) &&
               f_[i].direction * g_[j].direction == of_f.direction * of_g.direction;
      });
      if (group != groups_.end()) {
        group->pairs.emplace_back(i, j);
      } else {
        groups_.push_back({{{i, j}}});
      }
    }
  }
}

std::vector<piecewise_pair::seen> piecewise_pair::seen_at(const std::vector<part>& parts,
                                                          double q) {
  std::vector<seen> all(parts.size());
  for (std::size_t i = 0; i < parts.size(); ++i) {
    const part& p = parts[i];
    if (p.everywhere) {
      all[i] = {{}, 1.0, 0.0};
      continue;
    }
    const double distance = p.direction * p.at / std::sqrt(q);
    // Opposite knots are at one distance.
    const bool known = i > 0 && !parts[i - 1].everywhere && all[i - 1].place.z == distance;
    const normal_place place = known ? all[i - 1].place : normal_place(distance);
    all[i] = {place, place.above(), one_div_root_two_pi<double>() / std::sqrt(q) * place.bell};
  }
  return all;
}

// Of a part of f and one of g: E[(X - a)ⁱ (Y - b)ʲ] where both parts are, E[(Y - b)ʲ | X = a] and
// E[(X - a)ⁱ | Y = b]; of a part below its knot with -X in place of X.
struct piecewise_pair::averages {
  std::array<std::array<double, size>, size> both;
  std::array<double, size> y_at_a;
  std::array<double, size> x_at_b;

  // How many orders of each.
  struct counts {
    std::size_t x = 0;
    std::size_t y = 0;
    std::size_t y_at_a = 0;
    std::size_t x_at_b = 0;

    void raise(const counts& other) {
      x = std::max(x, other.x);
      y = std::max(y, other.y);
      y_at_a = std::max(y_at_a, other.y_at_a);
      x_at_b = std::max(x_at_b, other.x_at_b);
    }
  };

  void fill(const part& f, const seen& of_f, const part& g, const seen& of_g,
            const pair_covariance& v, counts count) {
    const double a = f.direction * f.at;
    const double b = g.direction * g.at;
    const double c = f.direction * g.direction * v.c;
    const double deviation_y = std::sqrt(v.gap / v.q1);
    const double deviation_x = std::sqrt(v.gap / v.q2);
    // q1 q2 = c² + gap: of kinks that meet on the edge the difference of a and bc/q2 is what
    // counts.
    const double apart = a - b * c / v.q2;
    const double mean_x = -apart;
    const double mean_y = (c * apart - b * v.gap / v.q2) / v.q1;
    const bool some = count.x > 0 && count.y > 0;
    if (some && count.x + count.y > 2) {
      count.y_at_a = std::max(count.y_at_a, count.y);
      count.x_at_b = std::max(count.x_at_b, count.x);
    }
    const bool in_quadrant = some && !f.everywhere && !g.everywhere;
    normal_place x;
    normal_place y;
    if (!f.everywhere && (count.x_at_b > 0 || in_quadrant)) {
      x = normal_place(distance_above(mean_x, deviation_x));
    }
    if (!g.everywhere && (count.y_at_a > 0 || in_quadrant)) {
      y = normal_place(distance_above(mean_y, deviation_y));
    }
    truncated_powers(mean_y, deviation_y, g.everywhere, y, count.y_at_a, y_at_a.data());
    truncated_powers(mean_x, deviation_x, f.everywhere, x, count.x_at_b, x_at_b.data());
    if (!some) {
      return;
    }
    both[0][0] = in_quadrant ? quadrant(of_f, of_g, x, y, c, v.gap) : of_f.beyond * of_g.beyond;
    for (std::size_t j = 1; j < count.y; ++j) {
      both[0][j] = -b * both[0][j - 1] + c * of_f.density * y_at_a[j - 1] +
                   (j == 1 ? v.q2 * of_g.density * x_at_b[0]
                           : v.q2 * static_cast<double>(j - 1) * both[0][j - 2]);
    }
    for (std::size_t i = 1; i < count.x; ++i) {
      for (std::size_t j = 0; j < count.y; ++j) {
        both[i][j] = -a * both[i - 1][j] +
                     (i == 1 ? v.q1 * of_f.density * y_at_a[j]
                             : v.q1 * static_cast<double>(i - 1) * both[i - 2][j]) +
                     c * (j == 0 ? of_g.density * x_at_b[i - 1]
                                 : static_cast<double>(j) * both[i - 1][j - 1]);
      }
    }
  }

  // P(X > h √q1, Y > k √q2), where y is how far Y's mean at X = h √q1 is above k √q2, in its
  // deviations there, and x that of X. Zero counts as positive.
  static double quadrant(const seen& of_f, const seen& of_g, const normal_place& x,
                         const normal_place& y, double c, double gap) {
    const double h = of_f.place.z;
    const double k = of_g.place.z;
    if (h == 0.0 && k == 0.0) {
      return (pi<double>() - std::atan2(std::sqrt(gap), c)) / two_pi<double>();
    }
    const owens_parts t = owens(of_f.place, y);
    const owens_parts u = owens(of_g.place, x);
    const auto tail = [](const normal_place& at, double side) {
      return at.z < 0.0 ? -0.5 * at.tail * (1.0 + side) : 0.5 * at.tail * (1.0 - side);
    };
    return (h < 0.0 && k < 0.0 ? 1.0 : 0.0) +
           (tail(of_f.place, t.side) + tail(of_g.place, u.side) - t.rest - u.rest);
  }

  [[nodiscard]] double sum(const part& f, std::size_t i, const part& g, std::size_t j) const {
    double all = 0.0;
    for (std::size_t k = 0; k < f.count[i]; ++k) {
      double row = 0.0;
      for (std::size_t l = 0; l < g.count[j]; ++l) {
        row += g.c[j][l] * both[k][l];
      }
      all += f.c[i][k] * row;
    }
    return all;
  }

  // E[g⁽ʲ⁾(Y) | X = a] of the part.
  static double along(const std::array<double, size>& moments, const part& g, std::size_t j) {
    double sum = 0.0;
    for (std::size_t l = 0; l < g.count[j]; ++l) {
      sum += g.c[j][l] * moments[l];
    }
    return sum;
  }
};

void piecewise_pair::pieces(const pair_covariance& v,
                            std::span<const half_line_pair::orders> wanted, double* out) const {
  std::fill_n(out, wanted.size(), 0.0);
  const std::vector<seen> of_f = seen_at(f_, v.q1);
  const std::vector<seen> of_g = seen_at(g_, v.q2);
  averages e;
  for (const alike& group : groups_) {
    averages::counts count;
    for (const auto& [i, j] : group.pairs) {
      count.raise({f_[i].count[0], g_[j].count[0]});
    }
    const auto [first_f, first_g] = group.pairs.front();
    e.fill(f_[first_f], of_f[first_f], g_[first_g], of_g[first_g], v, count);
    for (const auto& [i, j] : group.pairs) {
      for (std::size_t k = 0; k < wanted.size(); ++k) {
        out[k] += e.sum(f_[i], wanted[k].i, g_[j], wanted[k].j);
      }
    }
  }
}

// (3.5), and what δ at the knots adds
pair_moments piecewise_pair::gradient(const pair_covariance& v, moment_set wanted) const {
  const bool value = contains(wanted, moment_set::value);
  const bool slopes = contains(wanted, moment_set::gradient);
  const bool slope_of_g = contains(wanted, moment_set::gradient2);
  const auto smooth = [](const part& f) { return f.jump(0) == 0.0 && f.jump(1) == 0.0; };
  const std::vector<seen> of_f = seen_at(f_, v.q1);
  const std::vector<seen> of_g = seen_at(g_, v.q2);
  pair_moments m;
  averages e;
  for (const alike& group : groups_) {
    averages::counts count;
    for (const auto& [i, j] : group.pairs) {
      const part& f = f_[i];
      const part& g = g_[j];
      // What is multiplied: f g, or f' g', f'' g, and f g''.
      const bool all = value || (slopes && f.count[2] > 0) || (slope_of_g && g.count[2] > 0);
      const std::size_t from = all ? 0 : 1;
      count.raise({f.count[from], g.count[from], slopes && !smooth(f) ? g.count[0] : 0,
                   slope_of_g && g.jump(1) != 0.0 ? f.count[0] : 0});
    }
    const auto [first_f, first_g] = group.pairs.front();
    e.fill(f_[first_f], of_f[first_f], g_[first_g], of_g[first_g], v, count);
    for (const auto& [i, j] : group.pairs) {
      const part& f = f_[i];
      const part& g = g_[j];
      if (value) {
        m.e00 += e.sum(f, 0, g, 0);
      }
      if (slopes) {
        m.e11 += e.sum(f, 1, g, 1);
        m.e20 += e.sum(f, 2, g, 0);
        if (!smooth(f)) {
          // δ(X - a) of a jump of the slope, δ(X - a) and δ'(X - a) of one of f.
          const double given = averages::along(e.y_at_a, g, 0);
          const double slope = f.jump(0) == 0.0 ? 0.0 : averages::along(e.y_at_a, g, 1);
          m.e11 += of_f[i].density * f.jump(0) * slope;
          m.e20 += of_f[i].density *
                   (f.jump(1) * given + f.jump(0) * (f.at * given - v.c * slope) / v.q1);
        }
      }
      if (slope_of_g) {
        m.e02 += e.sum(f, 0, g, 2);
        m.e02 += of_g[j].density * g.jump(1) *
                 (g.jump(1) == 0.0 ? 0.0 : averages::along(e.x_at_b, f, 0));
      }
    }
  }
  return m;
}

}  // namespace loradyn
