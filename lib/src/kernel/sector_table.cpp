#include "kernel/sector_table.hpp"
#include <Eigen/Core>
#include <algorithm>
#include <boost/math/constants/constants.hpp>
#include <cmath>
#include <loradyn/effort.hpp>
#include <optional>
#include <utility>
#include "gaussian/legendre.hpp"

namespace loradyn {
namespace {

using boost::math::constants::pi;
using matrix = half_lines::matrix;

struct rule {
  std::vector<double> node;  // on [-1, 1], increasing
  std::vector<double> weight;
};

template <unsigned N>
rule gauss_legendre() {
  const legendre_rule<N> r;
  return {{r.node.begin(), r.node.end()}, {r.weight.begin(), r.weight.end()}};
}

constexpr double negligible = 4e-15;  // beside the size of H

constexpr std::array<std::size_t, 3> sizes{24, 48, 96};

// For one half of a sector: H is of degree below n in x and y together, but for what its last
// coefficients are, and the rule is exact to that degree. A rule twice as long gives the same.
const rule& angular_rule(std::size_t n) {
  static const std::array<rule, 3> rules{gauss_legendre<24>(), gauss_legendre<40>(),
                                         gauss_legendre<80>()};
  return n == sizes[0] ? rules[0] : n == sizes[1] ? rules[1] : rules[2];
}

// The coefficients of T_k from the values at the zeros of T_n on [0, 1].
matrix interpolation(std::size_t n) {
  // cos(π j/2n), of an angle below 2π: the rounding of larger ones is that of its cosine.
  const auto cosine = [n](std::size_t j) {
    return std::cos(pi<double>() * static_cast<double>(j % (4 * n)) / static_cast<double>(2 * n));
  };
  matrix coefficient(n, n);
  for (std::size_t i = 0; i < n; ++i) {
    for (std::size_t k = 0; k < n; ++k) {
      coefficient(static_cast<Eigen::Index>(k), static_cast<Eigen::Index>(i)) =
          (k == 0 ? 1.0 : 2.0) / static_cast<double>(n) * cosine(k * (2 * i + 1));
    }
  }
  return coefficient;
}

const matrix& interpolation_of(std::size_t n) {
  static const std::array<matrix, 3> all{interpolation(sizes[0]), interpolation(sizes[1]),
                                         interpolation(sizes[2])};
  return n == sizes[0] ? all[0] : n == sizes[1] ? all[1] : all[2];
}

// T_0 … T_{n-1} of 2x - 1, row by row.
matrix polynomials(std::span<const double> x, std::size_t n) {
  matrix T(static_cast<Eigen::Index>(x.size()), static_cast<Eigen::Index>(n));
  for (Eigen::Index l = 0; l < T.rows(); ++l) {
    const double t = 2.0 * x[static_cast<std::size_t>(l)] - 1.0;
    T(l, 0) = 1.0;
    T(l, 1) = t;
    for (Eigen::Index k = 2; k < T.cols(); ++k) {
      T(l, k) = 2.0 * t * T(l, k - 1) - T(l, k - 2);
    }
  }
  return T;
}

// H of (3.3) at all pairs of half-lines, one matrix where X and Y have different signs and one
// where they have the same.
struct half_line_products {
  std::array<matrix, 2> H;
  double scale = 0.0;   // the largest
  double beyond = 0.0;  // what the rule's last node may add
};

bool is_zero(const matrix& m) { return (m.array() == 0.0).all(); }

// a bᵀ + c dᵀ. Products of ReLU vanish on half of the half-lines.
matrix sum_of_products(const matrix& a, const matrix& b, const matrix& c, const matrix& d) {
  matrix sum = matrix::Zero(a.rows(), b.rows());
  const auto add = [&sum](const matrix& left, const matrix& right) {
    if (!is_zero(left) && !is_zero(right)) {
      sum.noalias() += left * right.transpose();
    }
  };
  add(a, b);
  add(c, d);
  return sum;
}

struct half_line_problem {
  half_lines& f;
  half_lines& g;
  std::span<const sector_table::term> terms;

  [[nodiscard]] std::vector<half_line_products> products(const half_line_angles& at,
                                                         const radial_rule& along) const {
    std::size_t order_f = 0;
    std::size_t order_g = 0;
    for (const sector_table::term& t : terms) {
      order_f = std::max(order_f, t.i);
      order_g = std::max(order_g, t.j);
    }
    const half_lines::table& of_f = f.values(at, along, order_f);
    const half_lines::table& of_g = g.values(at, along, order_g);
    const Eigen::Map<const Eigen::VectorXd> weight(
        along.weight().data(), static_cast<Eigen::Index>(along.weight().size()));
    const Eigen::Index end = weight.size() - 1;
    const auto largest = [](const auto& m) { return m.cwiseAbs().maxCoeff(); };
    std::vector<half_line_products> all;
    for (const sector_table::term& t : terms) {
      const matrix plus = of_f[0][t.i] * weight.asDiagonal();
      const matrix minus = of_f[1][t.i] * weight.asDiagonal();
      const auto& g_plus = of_g[0][t.j];
      const auto& g_minus = of_g[1][t.j];
      // A product of matrices takes about as long for so many multiplications as a function for one
      // value.
      constexpr std::size_t multiplications = 128;
      effort_limit::spend(4 * static_cast<std::size_t>(plus.size() * g_plus.rows()) /
                          multiplications);
      half_line_products p;
      p.H[0] = sum_of_products(plus, g_minus, minus, g_plus);
      p.H[1] = sum_of_products(plus, g_plus, minus, g_minus);
      p.scale = std::max(largest(p.H[0]), largest(p.H[1]));
      p.beyond = largest(plus.col(end)) * largest(g_plus.col(end)) +
                 largest(minus.col(end)) * largest(g_minus.col(end));
      all.push_back(std::move(p));
    }
    return all;
  }
};

// The first rule in R that a finer one agrees with, on half-lines at a few angles; nothing where
// none does, or where H is not finite.
std::optional<radial_rule> resolved_radial_rule(const half_line_problem& problem) {
  // Ten times the rounding of a sum of this many terms.
  constexpr double agreement = 1e-14;
  for (const bool wide : {false, true}) {
    auto coarse = problem.products(probe_angles, {wide, 0});
    if (!std::all_of(coarse.begin(), coarse.end(),
                     [](const auto& p) { return p.beyond <= negligible * p.scale; })) {
      continue;
    }
    for (std::size_t level = 0; level < radial_rule::levels; ++level) {
      auto fine = problem.products(probe_angles, {wide, level + 1});
      bool agree = true;
      for (std::size_t k = 0; k < fine.size(); ++k) {
        for (std::size_t which = 0; which < 2; ++which) {
          const double difference = (fine[k].H[which] - coarse[k].H[which]).cwiseAbs().maxCoeff();
          agree = agree && difference <= agreement * fine[k].scale;
        }
      }
      if (agree) {
        return radial_rule{wide, level};
      }
      coarse = std::move(fine);
    }
    return std::nullopt;
  }
  return std::nullopt;
}

}  // namespace

sector_table::sector_table(half_lines& f, half_lines& g, std::span<const term> terms) {
  constexpr auto tail = static_cast<Eigen::Index>(2);
  const half_line_problem problem{f, g, terms};
  const auto radial = resolved_radial_rule(problem);
  if (!radial) {
    return;
  }
  // What saturates asks for all nodes where it does, what oscillates for some everywhere.
  // Heuristic: "averages over sectors are those over the plane" has both.
  constexpr double strong = 3.0;
  constexpr double weak = 0.7;
  const auto fill = [&](std::size_t n, double strength) {
    of_f_ = stretching(strength, f.deviation());
    of_g_ = stretching(strength, g.deviation());
    const matrix& coefficient = interpolation_of(n);
    apart_.clear();
    together_.clear();
    for (const half_line_products& p : problem.products({n, strength}, *radial)) {
      for (std::size_t which = 0; which < 2; ++which) {
        matrix c = p.H[which];
        if (!is_zero(c)) {
          c = coefficient * p.H[which] * coefficient.transpose();
        }
        const double last = std::max(c.bottomRows(tail).cwiseAbs().maxCoeff(),
                                     c.rightCols(tail).cwiseAbs().maxCoeff());
        if (!(last <= negligible * p.scale)) {
          return false;
        }
        std::vector<double>& kept = which == 0 ? apart_ : together_;
        kept.insert(kept.end(), c.data(), c.data() + c.size());
      }
    }
    size_ = n;
    return true;
  };
  const bool resolved =
      std::any_of(sizes.begin(), sizes.end(), [&](std::size_t n) { return fill(n, strong); });
  if (!resolved) {
    fill(sizes.back(), weak);
  }
}

std::shared_ptr<const matrix> sector_weights::of(const key& sector) {
  // Two sectors of a patch's sixteen angles.
  constexpr std::size_t most = 32;
  {
    const std::lock_guard lock(making_);
    const auto known = std::find_if(kept_.begin(), kept_.end(),
                                    [&sector](const entry& e) { return e.sector == sector; });
    if (known != kept_.end()) {
      return known->weights;
    }
  }
  // H may vary fast near both edges, where sin α and sin β are small, of a wide sector both at
  // either edge: α is stretched from its edge up to the middle, and β from its own.
  const rule& half = angular_rule(sector.size);
  const std::size_t count = half.node.size();
  const stretching& map = sector.of_f.k > sector.of_g.k ? sector.of_f : sector.of_g;
  std::vector<double> x;
  std::vector<double> y;
  Eigen::VectorXd weight(static_cast<Eigen::Index>(2 * count));
  for (const bool first : {true, false}) {
    for (std::size_t l = 0; l < count; ++l) {
      const double t = 0.5 * (1.0 + half.node[l]);
      const double near = 0.5 * sector.width * map.sine(t);
      const double alpha = first ? near : sector.width - near;
      const double beta = first ? sector.width - near : near;
      weight[static_cast<Eigen::Index>(x.size())] =
          0.25 * sector.width * half.weight[l] * map.slope(t);
      x.push_back(sector.of_f.inverse(std::sin(alpha)));
      y.push_back(sector.of_g.inverse(std::sin(beta)));
    }
  }
  const matrix of_x = weight.asDiagonal() * polynomials(x, sector.size);
  const auto made = std::make_shared<const matrix>(of_x.transpose() * polynomials(y, sector.size));
  const std::lock_guard lock(making_);
  if (kept_.size() < most) {
    kept_.push_back({sector, made});
  } else {
    kept_[oldest_] = {sector, made};
    oldest_ = (oldest_ + 1) % most;
  }
  return made;
}

void sector_table::averages(double sine, double cosine, std::span<double> out,
                            sector_weights& weights) const {
  std::fill(out.begin(), out.end(), 0.0);
  const auto n = static_cast<Eigen::Index>(size_);
  const auto add_sector = [&](double width, const std::vector<double>& coefficients) {
    if (std::all_of(coefficients.begin(), coefficients.end(), [](double c) { return c == 0.0; })) {
      return;
    }
    // Angles of one ray differ in their last bits, by √gap and c at each radius; 2^-47 of one is
    // 3.5e-15 of the average, below what a patch keeps.
    constexpr int bits = 47;
    int exponent = 0;
    const double mantissa = std::frexp(width, &exponent);
    const double rounded = std::ldexp(std::round(std::ldexp(mantissa, bits)), exponent - bits);
    const auto w = weights.of({size_, of_f_, of_g_, rounded});
    for (std::size_t k = 0; k < out.size(); ++k) {
      const Eigen::Map<const matrix> c(coefficients.data() + k * size_ * size_, n, n);
      out[k] += w->cwiseProduct(c).sum();  // (3.3)
    }
  };
  add_sector(std::atan2(sine, cosine), apart_);
  add_sector(std::atan2(sine, -cosine), together_);
}

}  // namespace loradyn
