#include "kernel/sector_table.hpp"
#include <Eigen/Core>
#include <algorithm>
#include <boost/math/constants/constants.hpp>
#include <cmath>
#include <loradyn/effort.hpp>

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

// R e^{-R²/2}/2π dR, to R = 14 or 24. Panels are as wide as a Gaussian asks at level 0, and then
// halved at each level and graded towards R = 0, for what varies fast in a R.
rule radial_rule(bool wide, std::size_t level) {
  constexpr std::array<double, 12> usual{0.0,  1.5,  3.0,  5.0,  7.0,  9.0,
                                         11.5, 14.0, 16.5, 19.0, 21.5, 24.0};
  const double farthest = wide ? usual.back() : usual[7];
  const rule panel = gauss_legendre<16>();
  rule all;
  const auto add = [&](double lo, double hi) {
    const double half = 0.5 * (hi - lo);
    for (std::size_t i = 0; i < panel.node.size(); ++i) {
      const double R = lo + half * (1.0 + panel.node[i]);
      all.node.push_back(R);
      all.weight.push_back(half * panel.weight[i] * R * std::exp(-0.5 * R * R) /
                           (2.0 * pi<double>()));
    }
  };
  if (level == 0) {
    for (std::size_t p = 0; p + 1 < usual.size() && usual[p + 1] <= farthest; ++p) {
      add(usual[p], usual[p + 1]);
    }
    return all;
  }
  const int halvings = static_cast<int>(level);
  const int gradings = 4 + 2 * halvings;
  const double width = std::ldexp(usual[1], -halvings);
  double lo = 0.0;
  for (int k = gradings; k >= 0; --k) {
    const double hi = std::ldexp(width, -k);
    add(lo, hi);
    lo = hi;
  }
  for (; lo < farthest; lo += width) {
    add(lo, lo + width);
  }
  return all;
}

constexpr double negligible = 4e-15;  // beside the size of H

// Each halves the panels of the one before; what the last does not resolve is left to the plane, so
// that they decide the cost.
constexpr std::size_t radial_levels = 3;

// Those of the levels, and the next finer one, which the last is compared with.
const rule& shared_radial_rule(bool wide, std::size_t level) {
  static const auto all = [](bool far) {
    std::array<rule, radial_levels + 1> rules;
    for (std::size_t k = 0; k < rules.size(); ++k) {
      rules[k] = radial_rule(far, k);
    }
    return rules;
  };
  static const auto usual = all(false);
  static const auto far = all(true);
  return wide ? far[level] : usual[level];
}

constexpr std::array<std::size_t, 3> sizes{24, 48, 96};

// For one half of a sector: H is of degree below n in x and y together, but for what its last
// coefficients are, and the rule is exact to that degree. A rule twice as long gives the same.
const rule& angular_rule(std::size_t n) {
  static const std::array<rule, 3> rules{gauss_legendre<24>(), gauss_legendre<40>(),
                                         gauss_legendre<80>()};
  return n == sizes[0] ? rules[0] : n == sizes[1] ? rules[1] : rules[2];
}

// The zeros of T_n on [0, 1] and the coefficients of T_k from the values there.
struct interpolation {
  explicit interpolation(std::size_t n) : node(n), coefficient(n, n) {
    // cos(π j/2n), of an angle below 2π: the rounding of larger ones is that of its cosine.
    const auto cosine = [n](std::size_t j) {
      return std::cos(pi<double>() * static_cast<double>(j % (4 * n)) / static_cast<double>(2 * n));
    };
    for (std::size_t i = 0; i < n; ++i) {
      node[i] = 0.5 * (1.0 + cosine(2 * i + 1));
      for (std::size_t k = 0; k < n; ++k) {
        coefficient(static_cast<Eigen::Index>(k), static_cast<Eigen::Index>(i)) =
            (k == 0 ? 1.0 : 2.0) / static_cast<double>(n) * cosine(k * (2 * i + 1));
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
          return k <= order ? std::span<double>(&values[minus][k](i, 0), R.size())
                            : std::span<double>();
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

// H of (3.3) at all pairs of half-lines, one matrix where X and Y have different signs and one
// where they have the same.
struct half_line_products {
  std::array<matrix, 2> H;
  double scale = 0.0;   // the largest
  double beyond = 0.0;  // what the rule's last node may add
};

struct half_line_problem {
  const activation& f;
  double deviation_f;
  const activation& g;
  double deviation_g;
  std::span<const sector_table::term> terms;

  // x and y: the sines of the angles of X's half-lines and of Y's.
  [[nodiscard]] std::vector<half_line_products> products(std::span<const double> x,
                                                         std::span<const double> y,
                                                         const rule& radial) const {
    std::size_t order_f = 0;
    std::size_t order_g = 0;
    for (const sector_table::term& t : terms) {
      order_f = std::max(order_f, t.i > 2 ? 4 : t.i);
      order_g = std::max(order_g, t.j > 2 ? 4 : t.j);
    }
    const half_lines of_f(f, deviation_f, x, radial.node, order_f);
    const half_lines of_g(g, deviation_g, y, radial.node, order_g);
    const Eigen::Map<const Eigen::VectorXd> weight(radial.weight.data(),
                                                   static_cast<Eigen::Index>(radial.weight.size()));
    // A product of matrices takes about as long for so many multiplications as a function for one
    // value.
    constexpr std::size_t multiplications = 128;
    effort_limit::spend((x.size() + y.size()) * radial.node.size() +
                        4 * terms.size() * x.size() * y.size() * radial.node.size() /
                            multiplications);
    const auto end = static_cast<Eigen::Index>(radial.node.size()) - 1;
    const auto largest = [](const auto& m) { return m.cwiseAbs().maxCoeff(); };
    std::vector<half_line_products> all;
    for (const sector_table::term& t : terms) {
      const matrix plus = of_f.values[0][t.i] * weight.asDiagonal();
      const matrix minus = of_f.values[1][t.i] * weight.asDiagonal();
      const auto& g_plus = of_g.values[0][t.j];
      const auto& g_minus = of_g.values[1][t.j];
      half_line_products p;
      p.H[0].noalias() = plus * g_minus.transpose();
      p.H[0].noalias() += minus * g_plus.transpose();
      p.H[1].noalias() = plus * g_plus.transpose();
      p.H[1].noalias() += minus * g_minus.transpose();
      p.scale = std::max(largest(p.H[0]), largest(p.H[1]));
      p.beyond = largest(plus.col(end)) * largest(g_plus.col(end)) +
                 largest(minus.col(end)) * largest(g_minus.col(end));
      all.push_back(std::move(p));
    }
    return all;
  }
};

// The first rule in R that a finer one agrees with, on half-lines at a few angles; null where none
// does, or where H is not finite.
const rule* resolved_radial_rule(const half_line_problem& problem) {
  // Ten times the rounding of a sum of this many terms.
  constexpr double agreement = 1e-14;
  constexpr std::array<double, 8> sines{1.0, 0.7, 0.4, 0.2, 0.1, 0.03, 0.01, 0.003};
  const auto at = [&](bool wide, std::size_t level) {
    return problem.products(sines, sines, shared_radial_rule(wide, level));
  };
  for (const bool wide : {false, true}) {
    auto coarse = at(wide, 0);
    if (!std::all_of(coarse.begin(), coarse.end(),
                     [](const auto& p) { return p.beyond <= negligible * p.scale; })) {
      continue;
    }
    for (std::size_t level = 0; level < radial_levels; ++level) {
      auto fine = at(wide, level + 1);
      bool agree = true;
      for (std::size_t k = 0; k < fine.size(); ++k) {
        for (std::size_t which = 0; which < 2; ++which) {
          const double difference = (fine[k].H[which] - coarse[k].H[which]).cwiseAbs().maxCoeff();
          agree = agree && difference <= agreement * fine[k].scale;
        }
      }
      if (agree) {
        return &shared_radial_rule(wide, level);
      }
      coarse = std::move(fine);
    }
    return nullptr;
  }
  return nullptr;
}

}  // namespace

sector_table::stretching::stretching(double strength, double deviation)
    : k(std::asinh(strength * deviation)) {}

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
                           double deviation_g, std::span<const term> terms) {
  constexpr auto tail = static_cast<Eigen::Index>(2);
  const half_line_problem problem{f, deviation_f, g, deviation_g, terms};
  const rule* radial = resolved_radial_rule(problem);
  if (radial == nullptr) {
    return;
  }
  // What saturates asks for all nodes where it does, what oscillates for some everywhere.
  // Heuristic: "averages over sectors are those over the plane" has both.
  constexpr double strong = 3.0;
  constexpr double weak = 0.7;
  const auto fill = [&](std::size_t n, double strength) {
    of_f_ = stretching(strength, deviation_f);
    of_g_ = stretching(strength, deviation_g);
    const interpolation& in = interpolation_of(n);
    const auto sines = [&in](const stretching& map) {
      std::vector<double> s(in.node.size());
      std::transform(in.node.begin(), in.node.end(), s.begin(),
                     [&map](double x) { return map.sine(x); });
      return s;
    };
    apart_.clear();
    together_.clear();
    for (const half_line_products& p : problem.products(sines(of_f_), sines(of_g_), *radial)) {
      for (std::size_t which = 0; which < 2; ++which) {
        const matrix c = in.coefficient * p.H[which] * in.coefficient.transpose();
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

void sector_table::averages(double sine, double cosine, std::span<double> out) const {
  const rule& half = angular_rule(size_);
  const std::size_t count = half.node.size();
  const auto n = static_cast<Eigen::Index>(size_);
  const stretching& map = of_f_.k > of_g_.k ? of_f_ : of_g_;
  std::fill(out.begin(), out.end(), 0.0);
  const auto add_sector = [&](double width, const std::vector<double>& coefficients) {
    // H may vary fast near both edges, where sin α and sin β are small, of a wide sector both at
    // either edge: α is stretched from its edge up to the middle, and β from its own.
    std::vector<double> x;
    std::vector<double> y;
    Eigen::VectorXd weight(static_cast<Eigen::Index>(2 * count));
    for (const bool first : {true, false}) {
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
