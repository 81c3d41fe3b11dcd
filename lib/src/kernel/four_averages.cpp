#include "kernel/four_averages.hpp"
#include <algorithm>
#include <boost/math/constants/constants.hpp>
#include <cmath>
#include <limits>
#include <vector>

namespace loradyn {
namespace {

using boost::math::constants::half_pi;
using boost::math::constants::pi;
using boost::math::constants::two_pi;
using Eigen::Index;

// Correlations so near to ±1 that 1 - ρ² is the rounding of their covariances.
constexpr double parallel = 1e-14;

double safe_asin(double x) { return std::asin(std::clamp(x, -1.0, 1.0)); }

// P(X > 0, Y > 0)
double quadrant(double xx, double yy, double xy) {
  const double product = xx * yy;
  const double correlation = product > 0.0 ? xy / std::sqrt(product) : 0.0;
  return 0.25 + safe_asin(correlation) / two_pi<double>();
}

// σ-independent part of a tanh-sinh rule on [0, 1], with 1 - x beside x.
struct end_point_rule {
  struct node {
    double x;
    double weight;
  };
  std::vector<node> nodes;

  end_point_rule() {
    // Steps of 1/8 to where the weights are below 1e-17: for the roots that singular matrices leave
    // at x = 1 the rule is at 1e-12 ("orthants of singular matrices").
    constexpr double step = 0.125;
    for (int i = -25; i <= 25; ++i) {
      const double s = step * i;
      const double e = std::exp(-pi<double>() * std::sinh(s));
      const double x = 1.0 / (1.0 + e);
      nodes.push_back({x, step * pi<double>() * std::cosh(s) * x * (e / (1.0 + e))});
    }
  }
};

}  // namespace

double polynomial_average(const std::array<std::span<const double>, 4>& f,
                          const Eigen::Matrix4d& c) {
  std::array<std::size_t, 4> size;
  for (std::size_t i = 0; i < 4; ++i) {
    size[i] = f[i].size();
    if (size[i] == 0) {
      return 0.0;
    }
  }
  // (14.5): Π_e c_e^{m_e}/m_e! over the six pairs e, times E[fi⁽ⁿ⁾] with n the sum over the pairs
  // of i. The sums over m12 and m34 depend on what is left of n alone.
  const auto pair_table = [](std::span<const double> a, std::span<const double> b, double cov) {
    Eigen::MatrixXd table(a.size(), b.size());
    for (std::size_t i = 0; i < a.size(); ++i) {
      for (std::size_t j = 0; j < b.size(); ++j) {
        double sum = 0.0;
        double weight = 1.0;
        for (std::size_t t = 0; i + t < a.size() && j + t < b.size(); ++t) {
          sum += weight * a[i + t] * b[j + t];
          weight *= cov / static_cast<double>(t + 1);
        }
        table(static_cast<Index>(i), static_cast<Index>(j)) = sum;
      }
    }
    return table;
  };
  const Eigen::MatrixXd A = pair_table(f[0], f[1], c(0, 1));
  const Eigen::MatrixXd B = pair_table(f[2], f[3], c(2, 3));
  double sum = 0.0;
  double w13 = 1.0;
  for (std::size_t m13 = 0; m13 < size[0] && m13 < size[2]; ++m13) {
    double w14 = w13;
    for (std::size_t m14 = 0; m13 + m14 < size[0] && m14 < size[3]; ++m14) {
      double w23 = w14;
      for (std::size_t m23 = 0; m23 < size[1] && m13 + m23 < size[2]; ++m23) {
        double w24 = w23;
        for (std::size_t m24 = 0; m23 + m24 < size[1] && m14 + m24 < size[3]; ++m24) {
          sum += w24 * A(static_cast<Index>(m13 + m14), static_cast<Index>(m23 + m24)) *
                 B(static_cast<Index>(m13 + m23), static_cast<Index>(m14 + m24));
          w24 *= c(1, 3) / static_cast<double>(m24 + 1);
        }
        w23 *= c(1, 2) / static_cast<double>(m23 + 1);
      }
      w14 *= c(0, 3) / static_cast<double>(m14 + 1);
    }
    w13 *= c(0, 2) / static_cast<double>(m13 + 1);
  }
  return sum;
}

// (14.6): with s = sign X, 16 P = 1 + Σ E[s s'] + E[s1 s2 s3 s4]; by Plackett the last grows with a
// correlation ρ_i4 as (4/π²) asin(ρ_jk·i4)/√(1 - ρ_i4²). The three of the fourth variable are
// scaled by t = sin φ, from where it is independent.
double orthant_probability(const Eigen::Matrix4d& r) {
  static const end_point_rule rule;
  double fours = 0.0;
  for (const auto& [x, weight] : rule.nodes) {
    const double angle = half_pi<double>() * x;
    const double t = std::sin(angle);
    const double t_slope = half_pi<double>() * std::cos(angle);
    double slope = 0.0;
    for (Index i = 0; i < 3; ++i) {
      const double rho = r(i, 3);
      if (rho == 0.0) {
        continue;
      }
      const Index j = (i + 1) % 3;
      const Index k = (i + 2) % 3;
      const double ti = t * rho;
      const double det = std::max((1.0 - ti) * (1.0 + ti), std::numeric_limits<double>::min());
      const double ji = r(j, i);
      const double ki = r(k, i);
      const double j4 = t * r(j, 3);
      const double k4 = t * r(k, 3);
      const double j_rest = j4 - ti * ji;  // of the fourth, beside i
      const double k_rest = k4 - ti * ki;
      const double jj = (1.0 - ji) * (1.0 + ji) - j_rest * j_rest / det;
      const double kk = (1.0 - ki) * (1.0 + ki) - k_rest * k_rest / det;
      const double jk = r(j, k) - ji * ki - j_rest * k_rest / det;
      const double product = jj * kk;
      const double partial = product > 0.0 ? jk / std::sqrt(product) : 0.0;
      slope += rho / std::sqrt(det) * safe_asin(partial);
    }
    fours += weight * t_slope * slope;
  }
  fours *= 4.0 / (pi<double>() * pi<double>());
  double pairs = 0.0;
  for (Index i = 0; i < 4; ++i) {
    for (Index j = 0; j < i; ++j) {
      pairs += safe_asin(r(i, j));
    }
  }
  return (1.0 + 2.0 / pi<double>() * pairs + fours) / 16.0;
}

sign_averages::sign_averages(const Eigen::MatrixXd& covariance)
    : c_(covariance), n_(covariance.rows()) {}

double sign_averages::probability(std::span<const Index> set) {
  const auto correlation = [this](Index i, Index j) {
    const double product = c_(i, i) * c_(j, j);
    return product > 0.0 ? std::clamp(c_(i, j) / std::sqrt(product), -1.0, 1.0) : 0.0;
  };
  switch (set.size()) {
    case 0:
      return 1.0;
    case 1:
      return 0.5;
    case 2:
      return quadrant(c_(set[0], set[0]), c_(set[1], set[1]), c_(set[0], set[1]));
    case 3:
      return 0.125 +
             (safe_asin(correlation(set[0], set[1])) + safe_asin(correlation(set[0], set[2])) +
              safe_asin(correlation(set[1], set[2]))) /
                 (2.0 * two_pi<double>());
    default:
      break;
  }
  std::array<Index, 4> sorted{};
  std::copy_n(set.begin(), 4, sorted.begin());
  std::sort(sorted.begin(), sorted.end());
  std::size_t place = 0;
  for (const Index i : sorted) {
    place = place * static_cast<std::size_t>(n_) + static_cast<std::size_t>(i);
  }
  const auto known = fours_.find(place);
  if (known != fours_.end()) {
    return known->second;
  }
  Eigen::Matrix4d r;
  for (Index i = 0; i < 4; ++i) {
    for (Index j = 0; j < 4; ++j) {
      r(i, j) = i == j ? 1.0
                       : correlation(sorted[static_cast<std::size_t>(i)],
                                     sorted[static_cast<std::size_t>(j)]);
    }
  }
  return fours_[place] = orthant_probability(r);
}

// (14.6)
double sign_averages::product(Index m, Index l, std::span<const Index> all) {
  // Of parallel variables one decides both signs.
  std::array<Index, 4> kept{};
  std::size_t count = 0;
  for (const Index i : all) {
    bool repeats = false;
    for (std::size_t k = 0; k < count; ++k) {
      const double product = c_(i, i) * c_(kept[k], kept[k]);
      const double c = c_(i, kept[k]);
      if (!(product - c * c > parallel * product)) {
        if (c < 0.0) {
          return 0.0;
        }
        repeats = true;
      }
    }
    if (!repeats) {
      kept[count++] = i;
    }
  }
  const std::span<const Index> set(kept.data(), count);
  double sum = c_(m, l) * probability(set);
  for (std::size_t b = 0; b < count; ++b) {
    // X_b = 0, and what is left of the others' covariances.
    const Index at = set[b];
    const double var = c_(at, at);
    if (!(var > 0.0)) {
      continue;
    }
    const auto rest = [&](Index x, Index y) { return c_(x, y) - c_(x, at) * c_(y, at) / var; };
    double slope = 0.0;
    for (std::size_t e = 0; e < count; ++e) {
      if (e == b) {
        continue;
      }
      const double ee = rest(set[e], set[e]);
      const double le = rest(l, set[e]);
      if (!(ee > 0.0)) {
        continue;
      }
      std::array<Index, 2> others{};
      std::size_t left = 0;
      for (std::size_t o = 0; o < count; ++o) {
        if (o != b && o != e) {
          others[left++] = set[o];
        }
      }
      double both = left == 0 ? 1.0 : 0.5;
      if (left == 2) {
        const auto beside = [&](Index x, Index y) {
          return rest(x, y) - rest(x, set[e]) * rest(y, set[e]) / ee;
        };
        both = quadrant(beside(others[0], others[0]), beside(others[1], others[1]),
                        beside(others[0], others[1]));
      }
      slope += le / std::sqrt(two_pi<double>() * ee) * both;
    }
    sum += c_(m, at) / std::sqrt(two_pi<double>() * var) * slope;
  }
  return sum;
}

}  // namespace loradyn
