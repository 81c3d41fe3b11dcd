#include "kernel/numerical.hpp"

#include <algorithm>
#include <boost/math/constants/constants.hpp>
#include <boost/math/special_functions/binomial.hpp>
#include <cmath>
#include <cstddef>
#include <limits>
#include <loradyn/error.hpp>
#include <loradyn/gaussian/hermite.hpp>
#include <loradyn/interruption.hpp>
#include <utility>
#include <vector>
#include "kernel/averages.hpp"

namespace loradyn {
namespace {

using boost::math::constants::root_two_pi;

// dᵏ/dtᵏ of the density of N(mean, deviation²) at t.
double density_derivative(double t, const gaussian_line& line, std::size_t k) {
  if (line.deviation == 0.0) {
    return t == line.mean ? std::numeric_limits<double>::infinity() : 0.0;
  }
  const double z = (t - line.mean) / line.deviation;
  std::array<double, 5> one{};
  one[k] = 1.0;
  const double sign = k % 2 == 0 ? 1.0 : -1.0;
  return sign * hermite_series({one.data(), k + 1}, z) * std::exp(-0.5 * z * z) /
         (root_two_pi<double>() * std::pow(line.deviation, static_cast<double>(k) + 1.0));
}

constexpr std::array<moment_term, 9> moment_terms{{
    {moment_set::value, &pair_moments::e00, 0, 0},
    {moment_set::gradient, &pair_moments::e11, 1, 1},
    {moment_set::gradient, &pair_moments::e20, 2, 0},
    {moment_set::gradient2, &pair_moments::e02, 0, 2},
    {moment_set::hessian, &pair_moments::e22, 2, 2},
    {moment_set::hessian, &pair_moments::e31, 3, 1},
    {moment_set::hessian, &pair_moments::e13, 1, 3},
    {moment_set::hessian, &pair_moments::e40, 4, 0},
    {moment_set::hessian, &pair_moments::e04, 0, 4},
}};

std::vector<moment_term> terms_of(moment_set wanted) {
  std::vector<moment_term> terms;
  for (const moment_term& t : moment_terms) {
    if (contains(wanted, t.set)) {
      terms.push_back(t);
    }
  }
  return terms;
}

std::size_t highest_order(const std::vector<moment_term>& terms) {
  std::size_t order = 0;
  for (const moment_term& t : terms) {
    order = std::max({order, t.i, t.j});
  }
  return order;
}

// The products of derivatives that the terms average.
auto products_of(const std::vector<moment_term>& terms) {
  return [&terms](const point_block& at, double* values) {
    for (std::size_t k = 0; k < terms.size(); ++k) {
      const double* f = at.f[terms[k].i];
      const double* g = at.g[terms[k].j];
      for (std::size_t p = 0; p < at.count; ++p) {
        values[k * at.count + p] = f[p] * g[p];
      }
    }
  };
}

// Derivatives of σ as a distribution are those of its pieces and, at each kink t,
// Σ_a jumps[first + k - 1 - a] δ⁽ᵃ⁾(x - t), a < k, for the k-th derivative of what jumps[first] is
// the jump of. The average of δ⁽ᵃ⁾(X - t) is (-1)ᵃ dᵃp/dtᵃ.
template <class Average>
double over_kink(const kink& t, std::size_t first, std::size_t k, const Average& average) {
  double sum = 0.0;
  for (std::size_t a = 0; a < k; ++a) {
    const double jump = t.jumps[first + k - 1 - a];
    if (jump != 0.0) {
      sum += (a % 2 == 0 ? jump : -jump) * average(t.location, a);
    }
  }
  return sum;
}

// f and its derivatives at x; at a kink the means of those on its sides.
std::array<double, 5> middle(const activation& f, double x) {
  std::array<double, 5> values = f.all(x);
  for (const kink& k : f.kinks()) {
    if (k.location == x) {
      for (std::size_t i = 0; i < k.jumps.size(); ++i) {
        values[i] += 0.5 * k.jumps[i];
      }
    }
  }
  return values;
}

// E[f⁽ⁱ⁾(X)], i = 0 … 4, of the pieces of f alone, for X on the line.
std::array<double, 5> piece_averages(const activation& f,
                                     const std::optional<piecewise_polynomial>& pieces,
                                     const gaussian_line& line) {
  if (line.deviation == 0.0) {
    return middle(f, line.mean);
  }
  if (pieces) {
    return pieces->moments(line, 4).value;
  }
  if (line.deviation <= short_line) {
    return short_line_moments(f, line, 4).value;
  }
  const averages a = line_averages(f, line, 4, 5, [](const point_block& at, double* values) {
    for (std::size_t k = 0; k < 5; ++k) {
      std::copy_n(at.f[k], at.count, values + k * at.count);
    }
  });
  std::array<double, 5> result;
  std::copy_n(a.value.begin(), result.size(), result.begin());
  return result;
}

// f as a sum of waves, a polynomial among them.
std::optional<detail::wave_sum> waves_of(const activation& f) {
  if (const auto* waves = f.as_waves()) {
    return detail::wave_sum(*waves);
  }
  const polynomial* p = f.as_polynomial();
  return p != nullptr ? std::optional(detail::wave_sum({{0.0, *p, {}}})) : std::nullopt;
}

// One variable of a pair seen from a fixed value of the other: the mean of `of` is slope times that
// value.
struct conditional {
  const activation& of;
  double slope;
  double deviation;

  [[nodiscard]] gaussian_line line(double given) const { return {slope * given, deviation}; }
};

// dᵇ/dtᵇ of E[(of)⁽ᵒʳᵈᵉʳ⁾ | t], b = 0 … 3, where the first `smooth` derivatives of `of` are taken
// piece by piece: pieces holds those averages at t.
double conditional_derivative(const conditional& c, double t, std::size_t smooth, std::size_t order,
                              std::size_t b, const std::array<double, 5>& pieces) {
  const std::size_t k = order + b - smooth;  // derivatives as a distribution
  double kinks = 0.0;
  if (c.deviation > 0.0) {  // two kinks don't meet on one line but by chance
    for (const kink& other : c.of.kinks()) {
      kinks += over_kink(other, smooth, k, [&](double s, std::size_t a) {
        return density_derivative(s, c.line(t), a);
      });
    }
  }
  return std::pow(c.slope, static_cast<double>(b)) * (pieces[order + b] + kinks);
}

}  // namespace

numerical_pair::numerical_pair(const activation& f, const activation& g, bool with_series)
    : f_(f), g_(g), kinks_at_zero_(f.kinked_at_zero_alone() && g.kinked_at_zero_alone()) {
  const auto waves_of_f = waves_of(f);
  const auto waves_of_g = waves_of(g);
  if (waves_of_f && waves_of_g) {
    waves_.emplace(*waves_of_f, *waves_of_g);
  }
  if (kinks_at_zero_) {
    half_lines_of_unit_g_ = std::make_shared<half_lines>(g, 1.0);
    sector_weights_ = std::make_shared<sector_weights>();
  } else {
    pieces_of_f_ = piecewise_polynomial::of(f);
    pieces_of_g_ = piecewise_polynomial::of(g);
  }
  const half_line_polynomials* of_f = f.on_half_lines();
  const half_line_polynomials* of_g = g.on_half_lines();
  if (of_f != nullptr && of_g != nullptr && f.continuous() && g.continuous() &&
      is_well_conditioned(*of_f) && is_well_conditioned(*of_g)) {
    half_lines_.emplace(*of_f, *of_g);
  } else if (pieces_of_f_ && pieces_of_g_ && f.continuous() && g.continuous()) {
    const auto knots_of_f = knot_polynomials_of(f);
    const auto knots_of_g = knot_polynomials_of(g);
    if (is_well_conditioned(*knots_of_f) && is_well_conditioned(*knots_of_g)) {
      between_knots_.emplace(*knots_of_f, *knots_of_g);
    }
  }
  if (closed() && !with_series) {
    return;
  }
  try {
    unit_g_.emplace(g_, 1.0, 2);
    unit_g_->complete();
  } catch (const convergence_error&) {
    unit_g_.reset();  // it varies too fast for a series
  }
}

pair_moments numerical_pair::moments(const pair_covariance& covariance, moment_set wanted) const {
  return slice(*this, covariance.q1, contains(wanted, moment_set::hessian) ? 4 : 2)
      .moments(covariance, wanted);
}

bool series_ends(const activation& f, const activation& g, const pair_covariance& v) {
  // The coefficients of two kinks fall by powers of the order only: 0.86^(511/2) = 2e-17 is what
  // the table's last power of the correlation leaves.
  constexpr double least_decay = 0.86;
  return f.kinks().empty() || g.kinks().empty() || v.c * v.c <= least_decay * v.q1 * v.q2;
}

bool numerical_pair::has_series(const pair_covariance& covariance) const {
  return unit_g_ && series_ends(f_, g_, covariance);
}

hermite_projection& numerical_pair::slice::projection() {
  if (!f_) {
    f_.emplace(pair_.f_, q1_, highest_);
  }
  return *f_;
}

pair_moments numerical_pair::slice::moments(const pair_covariance& covariance, moment_set wanted) {
  check_stop();
  const bool curved = contains(wanted, moment_set::hessian);
  if (pair_.closed() && covariance.q1 > 0.0 && covariance.q2 > 0.0 &&
      !(curved && covariance.on_edge())) {
    return pair_.in_closed_form(covariance, wanted);
  }
  if (!curved && pair_.in_waves_at(covariance.q1, covariance.q2)) {
    return pair_.waves_->gradient(covariance, wanted);
  }
  if (covariance.on_edge()) {
    return pair_.edge(covariance, wanted);
  }
  if (!pair_.has_pieces() && pair_.has_series(covariance)) {
    try {
      if (const auto series = pair_.hermite_series(projection(), covariance, wanted)) {
        return *series;
      }
    } catch (const convergence_error&) {
      // f varies too fast for a series at this variance
    }
  }
  if (pair_.kinks_at_zero_) {
    if (const auto m = by_sectors(covariance, wanted)) {
      return *m;
    }
  }
  return pair_.plane(covariance, wanted);
}

std::optional<pair_moments> numerical_pair::slice::by_sectors(const pair_covariance& v,
                                                              moment_set wanted) {
  const std::vector<moment_term> terms = terms_of(wanted);
  if (!sectors_ || of_sectors_ != wanted || q2_of_sectors_ != v.q2) {
    std::vector<sector_table::term> orders;
    for (const moment_term& t : terms) {
      orders.push_back({t.i, t.j});
    }
    if (!half_lines_of_f_) {
      half_lines_of_f_.emplace(pair_.f_, std::sqrt(q1_));
    }
    if (v.q2 == 1.0) {
      sectors_.emplace(*half_lines_of_f_, *pair_.half_lines_of_unit_g_, orders);
    } else {
      half_lines of_g(pair_.g_, std::sqrt(v.q2));
      sectors_.emplace(*half_lines_of_f_, of_g, orders);
    }
    of_sectors_ = wanted;
    q2_of_sectors_ = v.q2;
  }
  if (!sectors_->resolved()) {
    return std::nullopt;
  }
  std::array<double, moment_terms.size()> values{};
  sectors_->averages(std::sqrt(v.gap), v.c, {values.data(), terms.size()}, *pair_.sector_weights_);
  pair_moments m;
  for (std::size_t k = 0; k < terms.size(); ++k) {
    m.*terms[k].target = values[k];
  }
  pair_.add_kinks(m, v, terms);
  return m;
}

pair_moments numerical_pair::in_closed_form(const pair_covariance& v, moment_set wanted) const {
  if (!contains(wanted, moment_set::hessian)) {
    return half_lines_ ? half_lines_->gradient(v, wanted) : between_knots_->gradient(v, wanted);
  }
  const std::vector<moment_term> terms = terms_of(wanted);
  std::vector<half_line_pair::orders> orders;
  for (const moment_term& t : terms) {
    orders.push_back({t.i, t.j});
  }
  std::array<double, moment_terms.size()> values{};
  if (half_lines_) {
    half_lines_->pieces(v, orders, values.data());
  } else {
    between_knots_->pieces(v, orders, values.data());
  }
  pair_moments m;
  for (std::size_t k = 0; k < terms.size(); ++k) {
    m.*terms[k].target = values[k];
  }
  add_kinks(m, v, terms);
  return m;
}

void numerical_pair::slice::series(std::size_t i, std::size_t j, std::span<double> coefficients) {
  constexpr std::size_t size = hermite_projection::block_size;
  if (!pair_.unit_g_) {
    throw convergence_error("the teacher varies too fast for a series");
  }
  for (std::size_t n = 0; n < coefficients.size(); ++n) {
    const double* of_f = projection().block(i, n / size);
    const double* of_g = std::as_const(*pair_.unit_g_).block(j, n / size);
    coefficients[n] = of_f[n % size] * of_g[n % size];
  }
}

pair_moments numerical_pair::edge(const pair_covariance& v, moment_set wanted) const {
  const gaussian_line x{0.0, std::sqrt(v.q1)};
  const gaussian_line y{0.0, std::copysign(std::sqrt(v.q2), v.c)};
  const std::vector<moment_term> terms = terms_of(wanted);
  const averages a =
      line_averages(f_, x, g_, y, highest_order(terms), terms.size(), products_of(terms));
  pair_moments m;
  for (std::size_t k = 0; k < terms.size(); ++k) {
    m.*terms[k].target = a.value[k];
  }
  add_kinks(m, v, terms);
  if (contains(wanted, moment_set::hessian) && !f_.kinks().empty() && !g_.kinks().empty()) {
    // Two kinks on one line: δ meets δ or a jump.
    m.e22 = m.e31 = m.e13 = m.e40 = m.e04 = std::numeric_limits<double>::quiet_NaN();
  }
  return m;
}

// At q1 = c², q2 = 1: X = cz, Y = z.
edge_curvature numerical_pair::along_edge(double c) const {
  const averages a =
      line_averages(f_, {0.0, c}, g_, {0.0, 1.0}, 3, 2, [](const point_block& at, double* values) {
        for (std::size_t p = 0; p < at.count; ++p) {
          values[p] = at.z[p] * at.z[p] * at.f[2][p] * at.g[0][p];
          values[at.count + p] = 0.5 * at.z[p] * at.f[3][p] * at.g[0][p];
        }
      });
  edge_curvature e{a.value[0], a.value[1]};
  // f''(cz) ∋ J₁ δ(cz - t), f''' ∋ J₂ δ + J₁ δ'; by parts onto the rest, at z = t/c. Where a kink
  // of g sits there too, its slope is the mean of the two.
  for (const kink& k : f_.kinks()) {
    const double z = k.location == 0.0 ? 0.0 : k.location / c;
    const double density = density_derivative(z, {0.0, 1.0}, 0) / std::abs(c);
    const auto g = middle(g_, z);
    const double value = g[0];
    const double slope = g[1];
    e.cc += k.jumps[1] * density * z * z * value;
    e.q1c += 0.5 * density *
             (k.jumps[2] * z * value - k.jumps[1] / c * ((1.0 - z * z) * value + z * slope));
  }
  return e;
}

double numerical_pair::diagonal_curvature(double q) const {
  const double deviation = std::sqrt(q);
  const gaussian_line line{0.0, deviation};
  if (f_.kinks().empty() && g_.kinks().empty()) {
    // ¼ E[(fg)⁗]. Of σ² = 1 + x² the terms cancel at every point.
    return line_averages(
               f_, line, g_, line, 4, 1,
               [](const point_block& at, double* values) {
                 const auto& f = at.f;
                 const auto& g = at.g;
                 for (std::size_t p = 0; p < at.count; ++p) {
                   const double outer = 0.25 * (f[4][p] * g[0][p] + f[0][p] * g[4][p]);
                   const double between = f[3][p] * g[1][p] + f[1][p] * g[3][p];
                   const double inner = 1.5 * f[2][p] * g[2][p];
                   values[p] = outer + between + inner;
                   values[at.count + p] = std::abs(outer) + std::abs(between) + std::abs(inner);
                 }
               },
               integrand_size::given)
        .value[0];
  }
  // ¼ E[(fg)⁗(√q z)] = E[f g He_4(z)]/(4q²), which asks for no derivative of a kink.
  const averages a =
      line_averages(f_, line, g_, line, 2, 1, [](const point_block& at, double* values) {
        for (std::size_t p = 0; p < at.count; ++p) {
          const double z2 = at.z[p] * at.z[p];
          values[p] = at.f[0][p] * at.g[0][p] * (z2 * (z2 - 6.0) + 3.0);
        }
      });
  return a.value[0] / (4.0 * q * q);
}

std::optional<pair_moments> numerical_pair::hermite_series(hermite_projection& f,
                                                           const pair_covariance& v,
                                                           moment_set wanted) const {
  constexpr double tolerance = 1e-16;  // a block of less changes no digit
  // Coefficients that are the rounding of the largest don't keep a series from its end.
  constexpr double rounding = 4.0 * std::numeric_limits<double>::epsilon();
  constexpr std::size_t block_size = hermite_projection::block_size;
  const double norm = std::sqrt(v.q1) * std::sqrt(v.q2);
  const double correlation = norm > 0.0 ? std::clamp(v.c / norm, -1.0, 1.0) : 0.0;

  const std::size_t highest = contains(wanted, moment_set::hessian) ? 4 : 2;
  std::optional<hermite_projection> own_g;
  const bool from_table = v.q2 == 1.0 && !contains(wanted, moment_set::hessian);
  if (!from_table) {
    own_g.emplace(g_, v.q2, highest);
  }
  const auto g_block = [&](std::size_t order, std::size_t b) {
    return from_table ? std::as_const(*unit_g_).block(order, b) : own_g->block(order, b);
  };

  pair_moments m;
  std::array<double, moment_terms.size()> magnitudes{};
  std::array<double, moment_terms.size()> largest_f{};
  std::array<double, moment_terms.size()> largest_g{};
  std::array<double, block_size> powers{};
  double power = 1.0;
  for (std::size_t b = 0; b < hermite_projection::max_blocks; ++b) {
    for (double& p : powers) {
      p = power;
      power *= correlation;
    }
    bool settled = true;
    for (std::size_t t = 0; t < moment_terms.size(); ++t) {
      const moment_term& term = moment_terms[t];
      if (!contains(wanted, term.set)) {
        continue;
      }
      if (b >= f.blocks(term.i) || (own_g && b >= own_g->blocks(term.j))) {
        return std::nullopt;
      }
      const double* g_coefficients = g_block(term.j, b);
      const double* f_coefficients = f.block(term.i, b);
      double sum = 0.0;
      double magnitude = 0.0;
      for (std::size_t n = 0; n < block_size; ++n) {
        const double size_f = std::abs(f_coefficients[n]);
        const double size_g = std::abs(g_coefficients[n]);
        largest_f[t] = std::max(largest_f[t], size_f);
        largest_g[t] = std::max(largest_g[t], size_g);
        const double summand = f_coefficients[n] * g_coefficients[n] * powers[n];  // (3.1)
        sum += summand;
        if (size_f > rounding * largest_f[t] && size_g > rounding * largest_g[t]) {
          magnitude += std::abs(summand);
        }
      }
      m.*term.target += sum;
      magnitudes[t] += magnitude;
      settled = settled && magnitude <= tolerance * magnitudes[t];
    }
    if (settled || power == 0.0) {
      return m;
    }
  }
  return std::nullopt;
}

bool numerical_pair::is_narrow(const pair_covariance& v) const {
  return !kinks_at_zero_ && v.gap <= short_line * short_line * v.q2;
}

pair_moments numerical_pair::plane(const pair_covariance& v, moment_set wanted) const {
  const std::vector<moment_term> terms = terms_of(wanted);
  std::vector<std::array<std::size_t, 2>> orders;
  const auto given_y = [&](line_moments_of of_f) {
    for (const moment_term& t : terms) {
      orders.push_back({t.i, t.j});
    }
    return conditional_averages(f_, of_f, g_, v, orders);
  };
  const auto given_x = [&](line_moments_of of_g) {
    for (const moment_term& t : terms) {
      orders.push_back({t.j, t.i});
    }
    return conditional_averages(g_, of_g, f_, {v.q2, v.q1, v.c, v.gap}, orders);
  };
  const auto over_plane = [&] {
    if (pieces_of_f_) {
      return given_y([this](const gaussian_line& x, std::size_t order) {
        return pieces_of_f_->moments(x, order);
      });
    }
    if (pieces_of_g_) {
      return given_x([this](const gaussian_line& y, std::size_t order) {
        return pieces_of_g_->moments(y, order);
      });
    }
    if (is_narrow(v)) {
      return given_y([this](const gaussian_line& x, std::size_t order) {
        return short_line_moments(f_, x, order);
      });
    }
    return plane_averages(f_, g_, v, highest_order(terms), terms.size(), products_of(terms));
  };
  const averages a = over_plane();
  pair_moments m;
  for (std::size_t k = 0; k < terms.size(); ++k) {
    m.*terms[k].target = a.value[k];
  }
  add_kinks(m, v, terms);
  return m;
}

// What the kinks add to the averages of the pieces: by parts, on the line where one variable is at
// its kink.
void numerical_pair::add_kinks(pair_moments& m, const pair_covariance& v,
                               std::span<const moment_term> terms) const {
  const bool derived =
      std::any_of(terms.begin(), terms.end(), [](const moment_term& t) { return t.i + t.j > 0; });
  if (!derived || (f_.kinks().empty() && g_.kinks().empty())) {
    return;
  }
  const conditional f_given{f_, v.c / v.q2, std::sqrt(v.gap / v.q2)};
  const conditional g_given{g_, v.c / v.q1, std::sqrt(v.gap / v.q1)};
  const gaussian_line x{0.0, std::sqrt(v.q1)};
  const gaussian_line y{0.0, std::sqrt(v.q2)};
  // The average of δ⁽ᵃ⁾(A - t) times (other.of)⁽ᵒʳᵈᵉʳ⁾(B), up to the sign (-1)ᵃ.
  const auto at_kink = [](double t, std::size_t a, const gaussian_line& line,
                          const conditional& other, std::size_t smooth, std::size_t order,
                          const std::array<double, 5>& pieces) {
    double sum = 0.0;
    for (std::size_t b = 0; b <= a; ++b) {
      sum += boost::math::binomial_coefficient<double>(static_cast<unsigned>(a),
                                                       static_cast<unsigned>(b)) *
             density_derivative(t, line, a - b) *
             conditional_derivative(other, t, smooth, order, b, pieces);
    }
    return sum;
  };
  // The terms that a kink adds to: those whose derivatives of the kinked side reach its jumps.
  std::vector<const moment_term*> reached;
  const auto reach = [&](const kink& k, std::size_t moment_term::*order) {
    reached.clear();
    for (const moment_term& term : terms) {
      const auto end = k.jumps.begin() + static_cast<std::ptrdiff_t>(term.*order);
      if (std::any_of(k.jumps.begin(), end, [](double jump) { return jump != 0.0; })) {
        reached.push_back(&term);
      }
    }
    return !reached.empty();
  };
  // A variable of no variance sits on a kink at 0, and on no other.
  const auto degenerate = [&](const kink& k, double variance) {
    if (variance > 0.0) {
      return false;
    }
    if (k.location == 0.0) {
      for (const moment_term* term : reached) {
        m.*term->target = std::numeric_limits<double>::quiet_NaN();
      }
    }
    return true;
  };
  // The kinks of f against all of g, then the pieces of f against the kinks of g.
  for (const kink& k : f_.kinks()) {
    if (!reach(k, &moment_term::i) || degenerate(k, v.q1)) {
      continue;
    }
    const auto pieces = piece_averages(g_, pieces_of_g_, g_given.line(k.location));
    for (const moment_term* term : reached) {
      m.*term->target += over_kink(k, 0, term->i, [&](double t, std::size_t a) {
        return at_kink(t, a, x, g_given, 0, term->j, pieces);
      });
    }
  }
  for (const kink& k : g_.kinks()) {
    if (!reach(k, &moment_term::j) || degenerate(k, v.q2)) {
      continue;
    }
    const auto pieces = piece_averages(f_, pieces_of_f_, f_given.line(k.location));
    for (const moment_term* term : reached) {
      m.*term->target += over_kink(k, 0, term->j, [&](double s, std::size_t a) {
        return at_kink(s, a, y, f_given, term->i, term->i, pieces);
      });
    }
  }
}

}  // namespace loradyn
