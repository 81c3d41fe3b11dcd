#include "model/half_line_averages.hpp"

#include <algorithm>
#include <boost/math/constants/constants.hpp>
#include <cmath>
#include <utility>
#include "kernel/four_averages.hpp"

namespace loradyn {
namespace {

using boost::math::constants::two_pi;
using Eigen::Index;
using Eigen::MatrixXd;

// Correlations so near to ±1 that 1 - ρ² is the rounding of their covariances.
constexpr double parallel = 1e-14;

std::vector<double> product(const std::vector<double>& a, const std::vector<double>& b) {
  if (a.empty() || b.empty()) {
    return {};
  }
  std::vector<double> c(a.size() + b.size() - 1, 0.0);
  for (std::size_t i = 0; i < a.size(); ++i) {
    for (std::size_t j = 0; j < b.size(); ++j) {
      c[i + j] += a[i] * b[j];
    }
  }
  return c;
}

std::vector<double> difference(std::vector<double> a, const std::vector<double>& b) {
  a.resize(std::max(a.size(), b.size()), 0.0);
  for (std::size_t i = 0; i < b.size(); ++i) {
    a[i] -= b[i];
  }
  return a;
}

}  // namespace

orthant_moments::orthant_moments(MatrixXd covariance, unsigned set) {
  const Index n = covariance.rows();
  std::vector<Index> kept;
  for (Index i = 0; i < n; ++i) {
    std::size_t place = 0;
    for (; place < kept.size(); ++place) {
      const Index k = kept[place];
      const double sizes = covariance(i, i) * covariance(k, k);
      if (!(sizes - covariance(i, k) * covariance(i, k) > parallel * sizes)) {
        break;
      }
    }
    place_.push_back(place);
    const bool asked = ((set >> i) & 1u) != 0;
    if (place == kept.size()) {
      kept.push_back(i);
      factor_.push_back(1.0);
      set_ |= asked ? 1u << place : 0u;
      continue;
    }
    const Index k = kept[place];
    const double along = covariance(k, k) > 0.0 ? covariance(i, k) / covariance(k, k) : 0.0;
    factor_.push_back(along);
    if (!asked) {
      continue;
    }
    if (((set_ >> place) & 1u) != 0) {
      impossible_ |= along < 0.0;
      continue;
    }
    set_ |= 1u << place;
    if (along < 0.0) {  // the other side of the one that is kept: it is kept as its negative
      covariance.row(k) *= -1.0;
      covariance.col(k) *= -1.0;
      for (std::size_t j = 0; j < place_.size(); ++j) {
        factor_[j] *= place_[j] == place ? -1.0 : 1.0;
      }
    }
  }
  const auto count = static_cast<Index>(kept.size());
  c_.resize(count, count);
  for (Index i = 0; i < count; ++i) {
    for (Index j = 0; j < count; ++j) {
      c_(i, j) = covariance(kept[static_cast<std::size_t>(i)], kept[static_cast<std::size_t>(j)]);
    }
  }
}

// (14.17)
double orthant_moments::value(const powers& n) {
  if (impossible_) {
    return 0.0;
  }
  powers of_kept_ones{};
  double factor = 1.0;
  for (std::size_t i = 0; i < place_.size(); ++i) {
    of_kept_ones[place_[i]] += n[i];
    factor *= std::pow(factor_[i], n[i]);
  }
  return factor == 0.0 ? 0.0 : factor * of_kept(of_kept_ones);
}

double orthant_moments::of_kept(const powers& n) {
  std::uint32_t key = 0;
  unsigned all = 0;
  for (const unsigned power : n) {
    key = key << 8 | power;
    all += power;
  }
  if (const auto found = known_.find(key); found != known_.end()) {
    return found->second;
  }
  double sum = 0.0;
  if (all == 0) {
    sum = probability();
  } else if (set_ != 0 || all % 2 == 0) {
    // X_a times the rest: of the largest power, of which most are known.
    const auto a = static_cast<std::size_t>(std::max_element(n.begin(), n.end()) - n.begin());
    powers rest = n;
    --rest[a];
    for (Index b = 0; b < c_.rows(); ++b) {
      const double along = c_(static_cast<Index>(a), b);
      const auto place = static_cast<std::size_t>(b);
      if (along == 0.0) {
        continue;
      }
      if (rest[place] > 0) {
        powers less = rest;
        --less[place];
        sum += along * rest[place] * of_kept(less);
      } else if (((set_ >> b) & 1u) != 0 && c_(b, b) > 0.0) {
        powers others{};
        for (std::size_t i = 0, j = 0; i < static_cast<std::size_t>(c_.rows()); ++i) {
          if (i != place) {
            others[j++] = rest[i];
          }
        }
        sum += along / std::sqrt(two_pi<double>() * c_(b, b)) * where_vanishes(b).value(others);
      }
    }
  }
  known_.emplace(key, sum);
  return sum;
}

double orthant_moments::probability() const {
  Eigen::Matrix4d r = Eigen::Matrix4d::Identity();
  std::vector<Index> asked;
  for (Index i = 0; i < c_.rows(); ++i) {
    if (((set_ >> i) & 1u) != 0) {
      asked.push_back(i);
    }
  }
  const auto correlation = [&](std::size_t i, std::size_t j) {
    const double sizes = c_(asked[i], asked[i]) * c_(asked[j], asked[j]);
    return sizes > 0.0 ? std::clamp(c_(asked[i], asked[j]) / std::sqrt(sizes), -1.0, 1.0) : 0.0;
  };
  // Of three and fewer the probability is a sum over pairs.
  double angles = 0.0;
  for (std::size_t i = 0; i < asked.size(); ++i) {
    for (std::size_t j = 0; j < i; ++j) {
      const double rho = correlation(i, j);
      r(static_cast<Index>(i), static_cast<Index>(j)) = rho;
      r(static_cast<Index>(j), static_cast<Index>(i)) = rho;
      angles += std::asin(rho) / two_pi<double>();
    }
  }
  switch (asked.size()) {
    case 0:
      return 1.0;
    case 1:
      return 0.5;
    case 2:
      return 0.25 + angles;
    case 3:
      return 0.125 + 0.5 * angles;
    default:
      return orthant_probability(r);
  }
}

orthant_moments& orthant_moments::where_vanishes(Index b) {
  std::unique_ptr<orthant_moments>& rest = beside_[static_cast<std::size_t>(b)];
  if (!rest) {
    const Index count = c_.rows();
    MatrixXd left(count - 1, count - 1);
    unsigned set = 0;
    for (Index i = 0, row = 0; i < count; ++i) {
      if (i == b) {
        continue;
      }
      for (Index j = 0, column = 0; j < count; ++j) {
        if (j != b) {
          left(row, column++) = c_(i, j) - c_(i, b) * c_(j, b) / c_(b, b);
        }
      }
      set |= ((set_ >> i) & 1u) << row++;
    }
    rest = std::make_unique<orthant_moments>(std::move(left), set);
  }
  return *rest;
}

double half_line_averages::value(const std::array<Index, 4>& variables,
                                 const std::array<const half_line_function*, 4>& functions) {
  // Functions of one variable are one function of it.
  std::vector<Index> those(variables.begin(), variables.end());
  std::sort(those.begin(), those.end());
  those.erase(std::unique(those.begin(), those.end()), those.end());
  const std::size_t count = those.size();
  // On the negative side, and what the positive side has more.
  std::array<std::array<std::vector<double>, 2>, 4> parts;
  for (std::size_t v = 0; v < count; ++v) {
    std::vector<double> negative{1.0};
    std::vector<double> positive{1.0};
    for (std::size_t i = 0; i < 4; ++i) {
      if (variables[i] == those[v]) {
        negative = product(negative, functions[i]->negative);
        positive = product(positive, functions[i]->positive);
      }
    }
    parts[v] = {negative, difference(positive, negative)};
  }
  auto& moments = moments_[those];
  double sum = 0.0;
  for (unsigned set = 0; set < (1u << count); ++set) {
    orthant_moments::powers n{};
    const auto expand = [&](const auto& self, std::size_t v, double weight) -> void {
      if (weight == 0.0) {
        return;
      }
      if (v == count) {
        if (!moments[set]) {
          const auto size = static_cast<Index>(count);
          MatrixXd c(size, size);
          for (Index i = 0; i < size; ++i) {
            for (Index j = 0; j < size; ++j) {
              c(i, j) = c_(those[static_cast<std::size_t>(i)], those[static_cast<std::size_t>(j)]);
            }
          }
          moments[set] = std::make_unique<orthant_moments>(std::move(c), set);
        }
        sum += weight * moments[set]->value(n);
        return;
      }
      const std::vector<double>& part = parts[v][(set >> v) & 1u];
      for (std::size_t power = 0; power < part.size(); ++power) {
        n[v] = static_cast<unsigned>(power);
        self(self, v + 1, weight * part[power]);
      }
      n[v] = 0;
    };
    expand(expand, 0, 1.0);
  }
  return sum;
}

}  // namespace loradyn
