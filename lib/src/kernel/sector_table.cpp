#include "kernel/sector_table.hpp"
#include <Eigen/Core>
#include <algorithm>
#include <boost/math/constants/constants.hpp>
#include <cmath>

#include "gaussian/legendre.hpp"

namespace loradyn {
namespace {

using boost::math::constants::pi;
using matrix = Eigen::Matrix<double, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;

struct rule {
  std::vector<double> node;  // on [-1, 1], increasing
  std::vector<double> weight;
};

template <unsigned N>
rule gauss_legendre() {
  const legendre_rule<N> r;
  return {{r.node.begin(), r.node.end()}, {r.weight.begin(), r.weight.end()}};
}

// R e^{-R²/2}/2π dR, to R = 14 or, for what grows like R⁷⁰, to 24.
const rule& radial_rule(grid_extent extent) {
  static const auto up_to = [](double farthest) {
    constexpr std::array<double, 12> ends{0.0,  1.5,  3.0,  5.0,  7.0,  9.0,
                                          11.5, 14.0, 16.5, 19.0, 21.5, 24.0};
    const rule panel = gauss_legendre<16>();
    rule all;
    for (std::size_t p = 0; p + 1 < ends.size() && ends[p + 1] <= farthest; ++p) {
      const double half = 0.5 * (ends[p + 1] - ends[p]);
      for (std::size_t i = 0; i < panel.node.size(); ++i) {
        const double R = ends[p] + half * (1.0 + panel.node[i]);
        all.node.push_back(R);
        all.weight.push_back(half * panel.weight[i] * R * std::exp(-0.5 * R * R) /
                             (2.0 * pi<double>()));
      }
    }
    return all;
  };
  static const rule usual = up_to(14.0);
  static const rule wide = up_to(24.0);
  return extent == grid_extent::wide ? wide : usual;
}

constexpr std::array<std::size_t, 3> sizes{24, 48, 96};

// For one half of a sector: H is of degree below n in x and y together, but for what its last
// coefficients are, and the rule is exact to that degree. A rule twice as long gives the same.
const rule& angular_rule(std::size_t n) {
  static const std::array<rule, 3> rules{gauss_legendre<16>(), gauss_legendre<26>(),
                                         gauss_legendre<50>()};
  return n == sizes[0] ? rules[0] : n == sizes[1] ? rules[1] : rules[2];
}

// The zeros of T_n on [0, 1] and the coefficients of T_k from the values there.
struct interpolation {
  explicit interpolation(std::size_t n) : node(n), coefficient(n, n) {
    for (std::size_t i = 0; i < n; ++i) {
      const double angle = pi<double>() * (static_cast<double>(i) + 0.5) / static_cast<double>(n);
      node[i] = 0.5 * (1.0 + std::cos(angle));
      for (std::size_t k = 0; k < n; ++k) {
        coefficient(static_cast<Eigen::Index>(k), static_cast<Eigen::Index>(i)) =
            (k == 0 ? 1.0 : 2.0) / static_cast<double>(n) *
            std::cos(static_cast<double>(k) * angle);
      }
    }
  }
  std::vector<double> node;
  matrix coefficient;
};

const interpolation& interpolation_of(std::size_t n) {
  static const std::array<interpolation, 3> all{interpolation(sizes[0]), interpolation(sizes[1]),
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

// The derivatives of an activation on half-lines: row i of values[sign][k] is f⁽ᵏ⁾(± a s_i R),
// every R.
struct half_lines {
  half_lines(const activation& f, double deviation, std::span<const double> s,
             std::span<const double> R, std::size_t order) {
    const auto rows = static_cast<Eigen::Index>(s.size());
    const auto columns = static_cast<Eigen::Index>(R.size());
    std::vector<double> x(R.size());
    for (std::size_t minus = 0; minus < 2; ++minus) {
      for (std::size_t k = 0; k <= order; ++k) {
        values[minus][k].resize(rows, columns);
      }
      for (Eigen::Index i = 0; i < rows; ++i) {
        const double scale = (minus == 1 ? -deviation : deviation) * s[static_cast<std::size_t>(i)];
        std::transform(R.begin(), R.end(), x.begin(), [scale](double r) { return scale * r; });
        const auto row = [&](std::size_t k) {
          return std::span<double>(&values[minus][k](i, 0), R.size());
        };
        if (order <= 2) {
          f.tabulate(x, row(0), row(1), row(2));
        } else {
          f.tabulate_all(x, {row(0), row(1), row(2), row(3), row(4)});
        }
      }
    }
  }
  std::array<std::array<matrix, 5>, 2> values;
};

}  // namespace

sector_table::stretching::stretching(double deviation) : k(std::asinh(0.7 * deviation)) {}

double sector_table::stretching::sine(double x) const {
  return k > 0.0 ? std::sinh(k * x) / std::sinh(k) : x;
}

double sector_table::stretching::inverse(double s) const {
  return k > 0.0 ? std::asinh(s * std::sinh(k)) / k : s;
}

double sector_table::stretching::slope(double x) const {
  return k > 0.0 ? k * std::cosh(k * x) / std::sinh(k) : 1.0;
}

sector_table::sector_table(const activation& f, double deviation_f, const activation& g,
                           double deviation_g, std::span<const term> terms)
    : of_f_(deviation_f), of_g_(deviation_g) {
  grid_extent extent = grid_extent::usual;
  for (const std::size_t n : sizes) {
    filling is = fill(n, extent, f, deviation_f, g, deviation_g, terms);
    if (is == filling::too_short && extent == grid_extent::usual) {
      extent = grid_extent::wide;
      is = fill(n, extent, f, deviation_f, g, deviation_g, terms);
    }
    if (is == filling::done) {
      size_ = n;
      return;
    }
  }
}

sector_table::filling sector_table::fill(std::size_t n, grid_extent extent, const activation& f,
                                         double deviation_f, const activation& g,
                                         double deviation_g, std::span<const term> terms) {
  constexpr double tolerance = 2e-15;
  const rule& radial = radial_rule(extent);
  const interpolation& in = interpolation_of(n);
  std::size_t order = 2;
  for (const term& t : terms) {
    order = t.i > 2 || t.j > 2 ? 4 : order;
  }
  const auto sines = [&in](const stretching& map) {
    std::vector<double> s(in.node.size());
    std::transform(in.node.begin(), in.node.end(), s.begin(),
                   [&map](double x) { return map.sine(x); });
    return s;
  };
  const half_lines of_f(f, deviation_f, sines(of_f_), radial.node, order);
  const half_lines of_g(g, deviation_g, sines(of_g_), radial.node, order);
  const Eigen::Map<const Eigen::VectorXd> weight(radial.weight.data(),
                                                 static_cast<Eigen::Index>(radial.weight.size()));
  const auto rows = static_cast<Eigen::Index>(n);
  const auto tail = static_cast<Eigen::Index>(2);
  apart_.clear();
  together_.clear();
  for (const term& t : terms) {
    const matrix plus = of_f.values[0][t.i] * weight.asDiagonal();
    const matrix minus = of_f.values[1][t.i] * weight.asDiagonal();
    const auto& g_plus = of_g.values[0][t.j];
    const auto& g_minus = of_g.values[1][t.j];
    std::array<matrix, 2> H;  // of (3.3)
    H[0].noalias() = plus * g_minus.transpose();
    H[0].noalias() += minus * g_plus.transpose();
    H[1].noalias() = plus * g_plus.transpose();
    H[1].noalias() += minus * g_minus.transpose();
    const double scale = std::max(H[0].cwiseAbs().maxCoeff(), H[1].cwiseAbs().maxCoeff());
    if (!std::isfinite(scale)) {
      return filling::too_coarse;
    }
    const auto end = static_cast<Eigen::Index>(radial.node.size()) - 1;
    const double beyond =
        plus.col(end).cwiseAbs().maxCoeff() * g_plus.col(end).cwiseAbs().maxCoeff() +
        minus.col(end).cwiseAbs().maxCoeff() * g_minus.col(end).cwiseAbs().maxCoeff();
    if (!(beyond <= tolerance * scale)) {
      return filling::too_short;
    }
    for (std::size_t which = 0; which < 2; ++which) {
      const matrix c = in.coefficient * H[which] * in.coefficient.transpose();
      const double last = std::max(c.bottomRows(tail).cwiseAbs().maxCoeff(),
                                   c.rightCols(tail).cwiseAbs().maxCoeff());
      if (!(last <= tolerance * scale)) {
        return filling::too_coarse;
      }
      std::vector<double>& kept = which == 0 ? apart_ : together_;
      kept.insert(kept.end(), c.data(), c.data() + rows * rows);
    }
  }
  return filling::done;
}

void sector_table::averages(double sine, double cosine, std::span<double> out) const {
  const rule& half = angular_rule(size_);
  const std::size_t count = half.node.size();
  const auto n = static_cast<Eigen::Index>(size_);
  std::fill(out.begin(), out.end(), 0.0);
  const auto add_sector = [&](double width, const std::vector<double>& coefficients) {
    // H may vary fast near both edges: α is stretched from its edge up to the middle, β from its
    // own.
    std::vector<double> x;
    std::vector<double> y;
    Eigen::VectorXd weight(static_cast<Eigen::Index>(2 * count));
    for (const bool first : {true, false}) {
      const stretching& map = first ? of_f_ : of_g_;
      for (std::size_t l = 0; l < count; ++l) {
        const double t = 0.5 * (1.0 + half.node[l]);
        const double near = 0.5 * width * map.sine(t);
        const double alpha = first ? near : width - near;
        const double beta = first ? width - near : near;
        weight[static_cast<Eigen::Index>(x.size())] = 0.25 * width * half.weight[l] * map.slope(t);
        x.push_back(of_f_.inverse(std::sin(alpha)));
        y.push_back(of_g_.inverse(std::sin(beta)));
      }
    }
    const matrix of_x = weight.asDiagonal() * polynomials(x, size_);
    const matrix of_y = polynomials(y, size_);
    for (std::size_t k = 0; k < out.size(); ++k) {
      const Eigen::Map<const matrix> c(coefficients.data() + k * size_ * size_, n, n);
      out[k] += (of_x * c).cwiseProduct(of_y).sum();  // (3.3)
    }
  };
  add_sector(std::atan2(sine, cosine), apart_);
  add_sector(std::atan2(sine, -cosine), together_);
}

}  // namespace loradyn
