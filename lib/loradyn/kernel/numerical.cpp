#include <loradyn/kernel/numerical.hpp>

#include <algorithm>
#include <boost/math/constants/constants.hpp>
#include <cmath>
#include <cstddef>
#include <limits>
#include <loradyn/error.hpp>
#include <loradyn/gaussian/grid.hpp>
#include <span>
#include <utility>

namespace loradyn {
namespace {

using boost::math::constants::root_two_pi;

constexpr double infinity = std::numeric_limits<double>::infinity();

// The density of N(mean, deviation²) at t.
double normal_density(double t, double mean, double deviation) {
  const double z = (t - mean) / deviation;
  return std::exp(-0.5 * z * z) / (root_two_pi<double>() * deviation);
}

std::vector<double> scaled_breaks(const activation& f, double deviation) {
  std::vector<double> breaks;
  for (const kink& k : f.kinks()) {
    // A kink at 0 stays there at any deviation.
    breaks.push_back(k.location == 0.0 ? 0.0 : k.location / deviation);
  }
  return breaks;
}

double scaled_strip(const activation& f, double deviation) {
  return deviation > 0.0 ? f.strip() / deviation : infinity;
}

// Orders of derivatives that each moment multiplies.
struct moment_term {
  moment_set set;
  double pair_moments::*target;
  std::size_t i;
  std::size_t j;
};
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

}  // namespace

activation_table::activation_table(const activation& f, double deviation, const gaussian_grid& grid)
    : count(grid.core_size()), x(2 * count), value(2 * count), first(2 * count), second(2 * count) {
  for (std::size_t i = 0; i < count; ++i) {
    x[i] = deviation * grid.nodes()[i];
    x[count + i] = -x[i];
  }
  f.tabulate(x, value, first, second);
}

numerical_pair::numerical_pair(const activation& f, const activation& g) : f_(f), g_(g) {
  std::vector<double> breaks = scaled_breaks(f_, 1.0);
  for (const double b : scaled_breaks(g_, 1.0)) {
    breaks.push_back(b);
  }
  if (std::all_of(breaks.begin(), breaks.end(), [](double b) { return b == 0.0; })) {
    const int own_level = grid_level(g_.strip(), min_grid_level);
    for (int level = own_level; level <= std::min(own_level + 1, max_grid_level); ++level) {
      const gaussian_grid& grid =
          breaks.empty() ? shared_equispaced_grid(level) : shared_panel_grid(level);
      unit_tables_.push_back({&grid, activation_table(g_, 1.0, grid)});
    }
  }
  if (f_.kinks().empty() || g_.kinks().empty()) {
    unit_g_.emplace(g_, 1.0, 2);
    unit_g_->complete();
  }
}

const activation_table* numerical_pair::unit_table_on(const gaussian_grid* grid) const {
  for (const unit_table& t : unit_tables_) {
    if (t.grid == grid) {
      return &t.values;
    }
  }
  return nullptr;
}

pair_moments numerical_pair::moments(const pair_covariance& covariance, moment_set wanted) const {
  const bool both_kinked = !f_.kinks().empty() && !g_.kinks().empty();
  const bool needs_hessian = contains(wanted, moment_set::hessian);
  if (covariance.gap == 0.0 && (!needs_hessian || both_kinked)) {
    return edge(covariance, wanted);
  }
  if (!both_kinked) {
    if (const auto series = hermite_series(covariance, wanted)) {
      return *series;
    }
  }
  if (covariance.gap == 0.0) {
    throw convergence_error("the Hermite series of the kernel of '" + f_.name() + "' and '" +
                            g_.name() + "' does not converge at these variances");
  }
  return nested(covariance, wanted);
}

pair_moments numerical_pair::edge(const pair_covariance& v, moment_set wanted) const {
  const double deviation_f = std::sqrt(v.q1);
  const double deviation_g = std::copysign(std::sqrt(v.q2), v.c);
  std::vector<double> breaks = scaled_breaks(f_, deviation_f);
  for (const double b : scaled_breaks(g_, deviation_g)) {
    breaks.push_back(b);
  }
  const double strip =
      std::min(scaled_strip(f_, deviation_f), scaled_strip(g_, std::abs(deviation_g)));
  const auto grid = grid_for(breaks, strip, min_grid_level, false);
  const activation_table f(f_, deviation_f, *grid);
  const bool same = f_.same_as(g_) && deviation_f == deviation_g;
  const activation_table* ready = same ? &f : nullptr;
  if (deviation_g == 1.0 && !same) {
    ready = unit_table_on(grid.get());
  }
  std::optional<activation_table> computed;
  if (ready == nullptr) {
    ready = &computed.emplace(g_, deviation_g, *grid);
  }
  const activation_table& g = *ready;

  const auto expectation = [&](const std::vector<double>& a, const std::vector<double>& b) {
    double sum = 0.0;
    for (std::size_t i = 0; i < f.count; ++i) {
      sum += grid->weights()[i] * (a[i] * b[i] + a[f.count + i] * b[f.count + i]);
    }
    return sum;
  };
  // E[a''(A) b(B)] with the δ-like part of a'', B = A deviation_b/deviation_a.
  const auto curvature = [&](const activation& a, const activation_table& at, double deviation_a,
                             const activation& b, const activation_table& bt, double deviation_b) {
    double sum = expectation(at.second, bt.value);
    for (const kink& k : a.kinks()) {
      if (k.jumps[1] != 0.0) {
        const double partner = k.location == 0.0 ? 0.0 : k.location * (deviation_b / deviation_a);
        sum += k.jumps[1] * normal_density(k.location, 0.0, std::abs(deviation_a)) * b(partner);
      }
    }
    return sum;
  };

  pair_moments m;
  if (contains(wanted, moment_set::value)) {
    m.e00 = expectation(f.value, g.value);
  }
  if (contains(wanted, moment_set::gradient)) {
    m.e11 = expectation(f.first, g.first);
    m.e20 = curvature(f_, f, deviation_f, g_, g, deviation_g);
  }
  if (contains(wanted, moment_set::gradient2)) {
    m.e02 = same ? curvature(f_, f, deviation_f, g_, g, deviation_g)
                 : curvature(g_, g, deviation_g, f_, f, deviation_f);
  }
  if (contains(wanted, moment_set::hessian)) {
    // Two kinks on one line: δ meets δ or a jump.
    m.e22 = m.e31 = m.e13 = m.e40 = m.e04 = std::numeric_limits<double>::quiet_NaN();
  }
  return m;
}

double numerical_pair::diagonal_curvature(double q) const {
  if (f_.kinks().empty() || g_.kinks().empty()) {
    return moments(pair_covariance::diagonal(q), moment_set::hessian).diagonal_curvature();
  }
  // ¼ E[(fg)⁗(√q z)] = E[f g He_4(z)]/(4q²), which asks for no derivative of a kink.
  const double deviation = std::sqrt(q);
  std::vector<double> breaks = scaled_breaks(f_, deviation);
  for (const double b : scaled_breaks(g_, deviation)) {
    breaks.push_back(b);
  }
  const double strip = std::min(scaled_strip(f_, deviation), scaled_strip(g_, deviation));
  const auto grid = grid_for(breaks, strip, min_grid_level, false);
  const activation_table f(f_, deviation, *grid);
  const activation_table g(g_, deviation, *grid);
  double sum = 0.0;
  for (std::size_t i = 0; i < f.count; ++i) {
    const double z2 = grid->nodes()[i] * grid->nodes()[i];
    const double product = f.value[i] * g.value[i] + f.value[f.count + i] * g.value[f.count + i];
    sum += grid->weights()[i] * product * (z2 * (z2 - 6.0) + 3.0);
  }
  return sum / (4.0 * q * q);
}

std::optional<pair_moments> numerical_pair::hermite_series(const pair_covariance& v,
                                                           moment_set wanted) const {
  constexpr double tolerance = 1e-16;
  constexpr std::size_t block_size = hermite_projection::block_size;
  const double norm = std::sqrt(v.q1) * std::sqrt(v.q2);
  const double correlation = norm > 0.0 ? std::clamp(v.c / norm, -1.0, 1.0) : 0.0;

  const std::size_t highest = contains(wanted, moment_set::hessian) ? 4 : 2;
  hermite_projection f(f_, v.q1, highest);
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
        const double summand = f_coefficients[n] * g_coefficients[n] * powers[n];
        sum += summand;
        magnitude += std::abs(summand);
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

pair_moments numerical_pair::nested(const pair_covariance& v, moment_set wanted) const {
  const double deviation = std::sqrt(v.q1);
  const double slope = v.c / v.q1;                // E[Y | X] = slope X
  const double spread = std::sqrt(v.gap / v.q1);  // the deviation of Y given X
  const bool needs_hessian = contains(wanted, moment_set::hessian);

  // E[g⁽ʲ⁾(Y) …| X = x]: the plain ones, and those with the weights of Stein's identity, which
  // stand in for the third and fourth derivatives.
  struct conditional {
    double g0 = 0.0;
    double g1 = 0.0;
    double g2 = 0.0;
    double g1_f3 = 0.0;  // g' ζ,            ζ = (q2 X - c Y)/gap
    double g0_f4 = 0.0;  // g (ζ² - q2/gap)
    double g2_g3 = 0.0;  // g'' η,           η = (q1 Y - c X)/gap
    double g2_g4 = 0.0;  // g'' (η² - q1/gap)
  };
  const auto given = [&](double x) {
    const double mean = slope * x;
    std::vector<double> breaks;
    for (const kink& k : g_.kinks()) {
      const double z = (k.location - mean) / spread;
      if (std::abs(z) < 14.0) {
        breaks.push_back(z);
      }
    }
    const auto grid = grid_for(breaks, scaled_strip(g_, spread), min_grid_level, false);
    conditional e;
    const auto add = [&](double weight, double y, double g0, double g1, double g2) {
      e.g0 += weight * g0;
      e.g1 += weight * g1;
      e.g2 += weight * g2;
      if (needs_hessian) {
        const double zeta = (v.q2 * x - v.c * y) / v.gap;
        const double eta = (v.q1 * y - v.c * x) / v.gap;
        e.g1_f3 += weight * g1 * zeta;
        e.g0_f4 += weight * g0 * (zeta * zeta - v.q2 / v.gap);
        e.g2_g3 += weight * g2 * eta;
        e.g2_g4 += weight * g2 * (eta * eta - v.q1 / v.gap);
      }
    };
    const std::size_t count = grid->core_size();
    std::vector<double> y(2 * count);
    for (std::size_t i = 0; i < count; ++i) {
      y[i] = mean + spread * grid->nodes()[i];
      y[count + i] = mean - spread * grid->nodes()[i];
    }
    std::vector<double> value(y.size());
    std::vector<double> first(y.size());
    std::vector<double> second(y.size());
    g_.tabulate(y, value, first, second);
    for (std::size_t i = 0; i < y.size(); ++i) {
      add(grid->weights()[i % count], y[i], value[i], first[i], second[i]);
    }
    for (const kink& k : g_.kinks()) {
      if (k.jumps[1] != 0.0) {
        add(normal_density(k.location, mean, spread), k.location, 0.0, 0.0, k.jumps[1]);
      }
    }
    return e;
  };

  // Where E[X] carries Y across a kink of g, its conditional moments turn over a width of
  // spread/|slope|: breaks at geometric distances resolve it.
  std::vector<double> breaks = scaled_breaks(f_, deviation);
  const double turn = spread / (std::abs(slope) * deviation);
  for (const kink& k : g_.kinks()) {
    const double centre = k.location == 0.0 ? 0.0 : k.location / (slope * deviation);
    for (double reach = turn; reach < 2.0; reach *= 2.0) {
      breaks.push_back(centre - reach);
      breaks.push_back(centre + reach);
    }
    breaks.push_back(centre);
  }
  const double strip =
      std::min(scaled_strip(f_, deviation), scaled_strip(g_, std::abs(slope) * deviation));
  const auto grid = grid_for(breaks, strip, min_grid_level, false);
  const activation_table f(f_, deviation, *grid);

  pair_moments m;
  const auto add = [&](double weight, double f0, double f1, double f2, const conditional& e) {
    m.e00 += weight * f0 * e.g0;
    m.e11 += weight * f1 * e.g1;
    m.e20 += weight * f2 * e.g0;
    m.e02 += weight * f0 * e.g2;
    if (needs_hessian) {
      m.e22 += weight * f2 * e.g2;
      m.e31 += weight * f2 * e.g1_f3;
      m.e13 += weight * f1 * e.g2_g3;
      m.e40 += weight * f2 * e.g0_f4;
      m.e04 += weight * f0 * e.g2_g4;
    }
  };
  for (std::size_t i = 0; i < f.x.size(); ++i) {
    const double weight = grid->weights()[i % f.count];
    if (weight > 1e-25) {
      add(weight, f.value[i], f.first[i], f.second[i], given(f.x[i]));
    }
  }
  for (const kink& k : f_.kinks()) {
    if (k.jumps[1] != 0.0) {
      add(normal_density(k.location, 0.0, deviation), 0.0, 0.0, k.jumps[1], given(k.location));
    }
  }
  return m;
}

}  // namespace loradyn
