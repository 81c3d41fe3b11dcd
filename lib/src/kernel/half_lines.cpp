#include "kernel/half_lines.hpp"
#include <algorithm>
#include <boost/math/constants/constants.hpp>
#include <cmath>
#include <loradyn/effort.hpp>
#include <utility>
#include "gaussian/legendre.hpp"

namespace loradyn {
namespace {

using boost::math::constants::pi;

struct nodes_and_weights {
  std::vector<double> node;
  std::vector<double> weight;
};

// To R = 14 or 24. Panels are as wide as a Gaussian asks at level 0, and then halved at each level
// and graded towards R = 0, for what varies fast in a R.
nodes_and_weights rule_of(const radial_rule& which) {
  constexpr std::array<double, 12> usual{0.0,  1.5,  3.0,  5.0,  7.0,  9.0,
                                         11.5, 14.0, 16.5, 19.0, 21.5, 24.0};
  const double farthest = which.wide ? usual.back() : usual[7];
  const legendre_rule<16> panel;
  nodes_and_weights all;
  const auto add = [&](double lo, double hi) {
    const double half = 0.5 * (hi - lo);
    for (std::size_t i = 0; i < panel.node.size(); ++i) {
      const double R = lo + half * (1.0 + panel.node[i]);
      all.node.push_back(R);
      all.weight.push_back(half * panel.weight[i] * R * std::exp(-0.5 * R * R) /
                           (2.0 * pi<double>()));
    }
  };
  if (which.level == 0) {
    for (std::size_t p = 0; p + 1 < usual.size() && usual[p + 1] <= farthest; ++p) {
      add(usual[p], usual[p + 1]);
    }
    return all;
  }
  const int halvings = static_cast<int>(which.level);
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

const nodes_and_weights& shared(const radial_rule& which) {
  static const auto all = [](bool wide) {
    std::array<nodes_and_weights, radial_rule::levels + 1> rules;
    for (std::size_t k = 0; k < rules.size(); ++k) {
      rules[k] = rule_of({wide, k});
    }
    return rules;
  };
  static const auto usual = all(false);
  static const auto far = all(true);
  return which.wide ? far[which.level] : usual[which.level];
}

}  // namespace

const std::vector<double>& radial_rule::node() const { return shared(*this).node; }
const std::vector<double>& radial_rule::weight() const { return shared(*this).weight; }

stretching::stretching(double strength, double deviation)
    : k(std::asinh(strength * std::exp2(0.5 * std::ceil(2.0 * std::log2(deviation))))) {}

double stretching::sine(double x) const { return k > 0.0 ? std::sinh(k * x) / std::sinh(k) : x; }

double stretching::inverse(double s) const {
  return k > 0.0 ? std::asinh(s * std::sinh(k)) / k : s;
}

double stretching::slope(double x) const {
  return k > 0.0 ? k * std::cosh(k * x) / std::sinh(k) : 1.0;
}

namespace {

// Of a variable of this deviation.
std::vector<double> sines_of(const half_line_angles& angles, double deviation) {
  if (angles == probe_angles) {
    return {1.0, 0.7, 0.4, 0.2, 0.1, 0.03, 0.01, 0.003};
  }
  const stretching map(angles.strength, deviation);
  std::vector<double> s(angles.size);
  for (std::size_t i = 0; i < s.size(); ++i) {
    const double angle =
        pi<double>() * static_cast<double>(2 * i + 1) / static_cast<double>(2 * s.size());
    s[i] = map.sine(0.5 * (1.0 + std::cos(angle)));
  }
  return s;
}

}  // namespace

half_lines::half_lines(activation f, double deviation) : f_(std::move(f)), deviation_(deviation) {}

const half_lines::table& half_lines::values(const half_line_angles& angles, const radial_rule& rule,
                                            std::size_t order) {
  effort_limit::spend(angles.size * rule.node().size());
  const std::lock_guard lock(making_);
  const auto known = std::find_if(entries_.begin(), entries_.end(), [&](const entry& e) {
    return e.angles == angles && e.rule == rule && e.order >= order;
  });
  if (known != entries_.end()) {
    return *known->values;
  }
  entries_.push_back(
      {angles, rule, order, std::make_unique<const table>(computed(angles, rule, order))});
  return *entries_.back().values;
}

half_lines::table half_lines::computed(const half_line_angles& angles, const radial_rule& rule,
                                       std::size_t order) const {
  const std::vector<double> s = sines_of(angles, deviation_);
  const std::vector<double>& R = rule.node();
  const bool high = order > 2;
  table all;
  std::vector<double> x(R.size());
  for (std::size_t minus = 0; minus < 2; ++minus) {
    auto& of_sign = all[minus];
    for (std::size_t k = 0; k <= (high ? 4 : order); ++k) {
      of_sign[k].resize(static_cast<Eigen::Index>(s.size()), static_cast<Eigen::Index>(R.size()));
    }
    for (std::size_t i = 0; i < s.size(); ++i) {
      const double scale = (minus == 1 ? -deviation_ : deviation_) * s[i];
      std::transform(R.begin(), R.end(), x.begin(), [scale](double r) { return scale * r; });
      const auto row = [&](std::size_t k) {
        return high || k <= order
                   ? std::span<double>(&of_sign[k](static_cast<Eigen::Index>(i), 0), R.size())
                   : std::span<double>();
      };
      if (high) {
        f_.tabulate_all(x, {row(0), row(1), row(2), row(3), row(4)});
      } else {
        f_.tabulate(x, row(0), row(1), row(2));
      }
    }
  }
  return all;
}

}  // namespace loradyn
