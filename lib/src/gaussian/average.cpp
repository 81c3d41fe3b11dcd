#include <algorithm>
#include <boost/math/constants/constants.hpp>
#include <boost/math/special_functions/legendre.hpp>
#include <cmath>
#include <loradyn/error.hpp>
#include <loradyn/gaussian/average.hpp>
#include <optional>

#include "gaussian/legendre.hpp"

namespace loradyn {
namespace {

constexpr std::size_t points = panel_points;
constexpr std::size_t largest_block = 64;  // of points that an integrand is asked for at once
constexpr std::size_t most_panels = 4000;  // 64 000 values; beyond, no convergence is told
constexpr double farthest = 38.0;          // beyond this the density is zero in doubles
constexpr double negligible = 1e-18;       // what is added beside what there is

// A component that is nothing but the rounding of the others is not resolved to its own digits.
constexpr double rounding = 1e-14;

double density(double z) {
  return std::exp(-0.5 * z * z) / boost::math::constants::root_two_pi<double>();
}

// The 16-point rule on [-1, 1], and the functionals that give the last Legendre coefficients of the
// polynomial through the nodes.
struct panel_rule : legendre_rule<points> {
  panel_rule() {
    for (std::size_t k = 0; k < last.size(); ++k) {
      const auto degree = static_cast<int>(points - last.size() + k);
      for (std::size_t i = 0; i < points; ++i) {
        last[k][i] = weight[i] * (degree + 0.5) * boost::math::legendre_p(degree, node[i]);
      }
    }
  }

  std::array<std::array<double, points>, 4> last{};
};

const panel_rule& rule() {
  static const panel_rule r;
  return r;
}

struct panel {
  double lo;
  double hi;
  std::array<double, max_components> value;
  std::array<double, max_components> magnitude;
  std::array<double, max_components> tail;  // the size of the last coefficients, integrated
  int stubborn = 0;                         // generations in which halving has not helped anywhere
};

// What an unresolved component is judged by.
std::array<double, max_components> scales(std::size_t components, const averages& total) {
  const double largest = *std::max_element(
      total.magnitude.begin(), total.magnitude.begin() + static_cast<std::ptrdiff_t>(components));
  std::array<double, max_components> scale{};
  for (std::size_t k = 0; k < components; ++k) {
    scale[k] = total.magnitude[k] + rounding * largest;
  }
  return scale;
}

class panels {
 public:
  panels(std::size_t components, line_integrand f,
         integrand_size sized = integrand_size::absolute_value)
      : components_(components), f_(f), sized_(sized) {}

  void add(double lo, double hi) {
    const panel& p = list_.emplace_back(evaluated(lo, hi));
    for (std::size_t k = 0; k < components_; ++k) {
      total_.magnitude[k] += p.magnitude[k];
    }
  }

  // Whether the last n panels add anything to what there is.
  [[nodiscard]] bool matters(std::size_t n) const {
    for (std::size_t i = list_.size() - n; i < list_.size(); ++i) {
      for (std::size_t k = 0; k < components_; ++k) {
        if (!(list_[i].magnitude[k] <= negligible * total_.magnitude[k])) {
          return true;
        }
      }
    }
    return false;
  }

  // Halves what is not resolved and sums.
  averages result() {
    constexpr double narrowest = 1e-13;
    // Where halving takes nothing off the coefficients on either side, generation after generation,
    // they are the rounding of the integrand. Of a kink one side is rid, an oscillation is
    // resolved.
    constexpr int generations = 5;
    constexpr double no_gain = 0.125;
    constexpr double rounding_at_most = 1e-2;  // of the panel's own magnitude
    const auto scale = scales(components_, total_);
    const auto is_rough = [&](const panel& p, std::size_t k) {
      return !panel_resolved(p.tail[k], p.magnitude[k], scale[k]);
    };
    const auto roughness = [&](const panel& p) {
      double worst = 0.0;
      for (std::size_t k = 0; k < components_; ++k) {
        if (is_rough(p, k)) {
          worst = std::max(worst, p.tail[k] / scale[k]);
        }
      }
      return worst;
    };
    const auto is_rounding = [&](const panel& p) {
      for (std::size_t k = 0; k < components_; ++k) {
        if (is_rough(p, k) && p.tail[k] > rounding_at_most * p.magnitude[k]) {
          return false;
        }
      }
      return p.stubborn >= generations;
    };
    averages sum;
    std::vector<panel> waiting(list_.rbegin(), list_.rend());
    while (!waiting.empty()) {
      const panel p = waiting.back();
      waiting.pop_back();
      const double rough = roughness(p);
      const double middle = 0.5 * (p.lo + p.hi);
      if (rough == 0.0 || is_rounding(p) || p.hi - p.lo <= narrowest * (1.0 + std::abs(middle))) {
        sum.narrowest = std::min(sum.narrowest, p.hi - p.lo);
        for (std::size_t k = 0; k < components_; ++k) {
          sum.value[k] += p.value[k];
          sum.magnitude[k] += p.magnitude[k];
        }
        continue;
      }
      panel right = evaluated(middle, p.hi);
      panel left = evaluated(p.lo, middle);
      if (std::min(roughness(left), roughness(right)) > no_gain * rough) {
        left.stubborn = right.stubborn = p.stubborn + 1;
      }
      waiting.push_back(right);
      waiting.push_back(left);
    }
    return sum;
  }

 private:
  panel evaluated(double lo, double hi) {
    if (++count_ > most_panels) {
      throw convergence_error("an average is not resolved by " + std::to_string(most_panels) +
                              " panels");
    }
    const panel_rule& r = rule();
    const double half = 0.5 * (hi - lo);
    const double centre = 0.5 * (lo + hi);
    std::array<double, points> x;
    for (std::size_t i = 0; i < points; ++i) {
      x[i] = centre + half * r.node[i];
    }
    std::array<double, 2 * points * max_components> values;
    f_(x, values.data());
    const std::size_t of_sizes = sized_ == integrand_size::given ? components_ * points : 0;
    panel p{.lo = lo, .hi = hi, .value = {}, .magnitude = {}, .tail = {}};
    for (std::size_t k = 0; k < components_; ++k) {
      const double* v = values.data() + k * points;
      double sum = 0.0;
      double size = 0.0;
      for (std::size_t i = 0; i < points; ++i) {
        sum += r.weight[i] * v[i];
        size += r.weight[i] * std::abs(v[of_sizes + i]);
      }
      if (!std::isfinite(size)) {
        throw convergence_error("an average is not finite");
      }
      p.value[k] = half * sum;
      p.magnitude[k] = half * size;
      p.tail[k] = half * panel_tail(std::span<const double, points>(v, points));
    }
    return p;
  }

  std::size_t components_;
  line_integrand f_;
  integrand_size sized_;
  std::vector<panel> list_;
  averages total_;
  std::size_t count_ = 0;
};

// Nearest neighbours of all points that lie within the bulk of the density.
double least_distance(std::span<const double> features) {
  constexpr double bulk = 8.0;
  double least = farthest;
  for (std::size_t i = 1; i < features.size(); ++i) {
    if (features[i] > -bulk && features[i - 1] < bulk) {
      least = std::min(least, features[i] - features[i - 1]);
    }
  }
  return least;
}

// The ends of panels, in order.
class panel_ends {
 public:
  explicit panel_ends(std::vector<double> breaks) : ends_(std::move(breaks)) {}

  // Unless there is one at the same place already. However near they are, both count: beside a
  // break a transition of a small width hides from the nodes of a wide panel.
  void add(double x) {
    const double near = 1e-14 + 1e-15 * std::abs(x);
    const auto at = std::lower_bound(ends_.begin(), ends_.end(), x);
    const bool crowded =
        (at != ends_.end() && *at - x < near) || (at != ends_.begin() && x - *std::prev(at) < near);
    if (!crowded) {
      ends_.insert(at, x);
    }
  }

  [[nodiscard]] double operator[](std::size_t i) const { return ends_[i]; }

  // How many lie below x.
  [[nodiscard]] std::size_t below(double x) const {
    return static_cast<std::size_t>(std::lower_bound(ends_.begin(), ends_.end(), x) -
                                    ends_.begin());
  }

 private:
  std::vector<double> ends_;
};

// f φ on panels.
averages on_panels(std::size_t components, std::span<const double> breaks,
                   std::span<const double> features, line_integrand f, integrand_size size) {
  constexpr double bulk = 8.0;
  constexpr double width = 2.0;
  const std::size_t rows = size == integrand_size::given ? 2 * components : components;
  const auto weighted = [&](std::span<const double> z, double* values) {
    f(z, values);
    std::array<double, points> weight;
    for (std::size_t i = 0; i < z.size(); ++i) {
      weight[i] = density(z[i]);
    }
    for (std::size_t k = 0; k < rows; ++k) {
      for (std::size_t i = 0; i < z.size(); ++i) {
        values[k * z.size() + i] *= weight[i];
      }
    }
  };
  panel_ends ends(std::vector<double>(breaks.begin(), breaks.end()));
  for (const double x : features) {
    if (std::abs(x) < farthest) {
      ends.add(x);
    }
  }
  for (double z = -farthest; z <= farthest; z += width) {
    ends.add(z);
  }
  panels p(components, weighted, size);
  std::size_t left = ends.below(-bulk);
  std::size_t right = ends.below(bulk);
  for (std::size_t i = left; i < right; ++i) {
    p.add(ends[i], ends[i + 1]);
  }
  // Outward by one width at a time.
  for (double reach = bulk + width; reach <= farthest; reach += width) {
    std::size_t added = 0;
    for (const std::size_t end = ends.below(reach); right < end; ++right, ++added) {
      p.add(ends[right], ends[right + 1]);
    }
    for (const std::size_t end = ends.below(-reach); left > end; --left, ++added) {
      p.add(ends[left - 1], ends[left]);
    }
    if (!p.matters(added)) {
      break;
    }
  }
  return p.result();
}

// The trapezoidal rule; nothing where no step is fine enough. A sum of step h is compared with one
// of step 2h on nodes that it does not share, shifted by an irrational part of a step: a frequency
// that is aliased is aliased with another phase.
class trapezoidal_rule {
 public:
  trapezoidal_rule(std::size_t components, line_integrand f, integrand_size sized)
      : components_(components), f_(f), sized_(sized) {}

  std::optional<averages> result() {
    constexpr int halvings = 5;  // to steps of 1/128: what needs finer ones is left to panels
    // Of an oscillation the finer sum may be no better than the coarser one; else it is by far.
    constexpr double agreement = 1e-13;
    constexpr double first_step = 0.25;
    constexpr double shift = 0.381966 * 2.0 * first_step;
    double h = first_step;
    averages check = lattice(shift, 2.0 * h);
    outward(check, shift, 2.0 * h);
    averages sum = lattice(0.0, h);
    for (int level = 0;; ++level) {
      if (agree(sum, check, agreement)) {
        sum.narrowest = h;
        return sum;
      }
      if (level == halvings) {
        return std::nullopt;
      }
      check = mean(check, lattice(shift + h, 2.0 * h));
      sum = mean(sum, lattice(0.5 * h, h));
      h *= 0.5;
    }
  }

 private:
  // h f φ at a block of nodes; returns whether it adds anything. What rounding takes off the sums
  // is summed apart, so that an odd function's values cancel whatever their size.
  bool add(std::size_t count, double h, averages& to) {
    f_({z_.data(), count}, values_.data());
    std::array<double, largest_block> weight;
    for (std::size_t i = 0; i < count; ++i) {
      weight[i] = h * density(z_[i]);
    }
    bool matters = false;
    const std::size_t of_sizes = sized_ == integrand_size::given ? components_ * count : 0;
    for (std::size_t k = 0; k < components_; ++k) {
      double value = to.value[k];
      double error = 0.0;
      double magnitude = 0.0;
      for (std::size_t i = 0; i < count; ++i) {
        const double term = weight[i] * values_[k * count + i];
        const double sum = value + term;
        const double part = sum - value;
        error += (value - (sum - part)) + (term - part);
        value = sum;
        magnitude += weight[i] * std::abs(values_[of_sizes + k * count + i]);
      }
      if (!std::isfinite(magnitude)) {
        throw convergence_error("an average is not finite");
      }
      to.value[k] = value;
      rounding_[k] += error;
      to.magnitude[k] += magnitude;
      matters = matters || !(magnitude <= negligible * to.magnitude[k]);
    }
    return matters;
  }

  // Every node z0 + k h within reach.
  averages lattice(double z0, double h) {
    averages sum;
    rounding_.fill(0.0);
    const double first = z0 - h * std::floor((z0 + reach_) / h);
    const auto nodes = static_cast<std::size_t>((reach_ - first) / h) + 1;
    for (std::size_t done = 0; done < nodes; done += largest_block) {
      const std::size_t count = std::min(largest_block, nodes - done);
      for (std::size_t i = 0; i < count; ++i) {
        z_[i] = first + h * static_cast<double>(done + i);
      }
      add(count, h, sum);
    }
    for (std::size_t k = 0; k < components_; ++k) {
      sum.value[k] += rounding_[k];
    }
    return sum;
  }

  // Widens the reach until what is added is nothing.
  void outward(averages& sum, double z0, double h) {
    constexpr double width = 2.0;
    bool matters = true;
    while (matters && reach_ < farthest) {
      std::size_t count = 0;
      for (const double lo : {reach_, -(reach_ + width)}) {
        const double first = z0 + h * (std::floor((lo - z0) / h) + 1.0);
        for (double z = first; z <= lo + width; z += h) {
          z_[count++] = z;
        }
      }
      matters = add(count, h, sum);
      reach_ += width;
    }
  }

  averages mean(const averages& a, const averages& b) const {
    averages m;
    for (std::size_t k = 0; k < components_; ++k) {
      m.value[k] = 0.5 * (a.value[k] + b.value[k]);
      m.magnitude[k] = 0.5 * (a.magnitude[k] + b.magnitude[k]);
    }
    return m;
  }

  bool agree(const averages& a, const averages& b, double tolerance) const {
    const auto scale = scales(components_, a);
    for (std::size_t k = 0; k < components_; ++k) {
      if (!(std::abs(a.value[k] - b.value[k]) <= tolerance * scale[k])) {
        return false;
      }
    }
    return true;
  }

  std::size_t components_;
  line_integrand f_;
  integrand_size sized_;
  double reach_ = 8.0;
  std::array<double, largest_block> z_;
  std::array<double, 2 * largest_block * max_components> values_;
  std::array<double, max_components> rounding_;
};

}  // namespace

bool panel_resolved(double tail, double magnitude, double scale) {
  // Gauss's rule is exact to twice the degree: its error is about the square of the tail, 1e-16.
  constexpr double small = 1e-8;
  return tail <= small * scale && tail * tail <= small * small * scale * magnitude;
}

double panel_tail(std::span<const double, panel_points> values) {
  const panel_rule& r = rule();
  std::array<double, 4> last{};
  for (std::size_t j = 0; j < last.size(); ++j) {
    for (std::size_t i = 0; i < points; ++i) {
      last[j] += r.last[j][i] * values[i];
    }
  }
  // Coefficients of one parity may vanish; the earlier two may be a hundred times larger.
  return std::max(std::abs(last[2]) + std::abs(last[3]),
                  0.01 * (std::abs(last[0]) + std::abs(last[1])));
}

averages gaussian_averages(std::size_t components, std::span<const double> breaks,
                           std::span<const double> features, line_integrand f,
                           integrand_size size) {
  // Features nearer to each other than a trapezoidal rule of moderate step can see.
  constexpr double coarse = 0.2;
  if (breaks.empty() && least_distance(features) >= coarse) {
    if (const auto sum = trapezoidal_rule(components, f, size).result()) {
      return *sum;
    }
  }
  return on_panels(components, breaks, features, f, size);
}

averages interval_integrals(std::size_t components, std::span<const double> ends, line_integrand f,
                            integrand_size size) {
  panels p(components, f, size);
  for (std::size_t i = 0; i + 1 < ends.size(); ++i) {
    p.add(ends[i], ends[i + 1]);
  }
  return p.result();
}

averages radial_integrals(std::size_t components, std::span<const double> features,
                          line_integrand f) {
  constexpr std::array<double, 4> near{1.5, 3.0, 5.0, 8.0};
  constexpr double width = 2.0;  // decides the cost: a panel that is not resolved is halved
  panel_ends ends(std::vector<double>{0.0});
  for (const double r : features) {
    ends.add(r);
  }
  for (const double r : near) {
    ends.add(r);
  }
  for (double r = near.back() + width; r <= farthest; r += width) {
    ends.add(r);
  }
  panels p(components, f);
  std::size_t i = ends.below(near.back());
  for (std::size_t k = 0; k < i; ++k) {
    p.add(ends[k], ends[k + 1]);
  }
  for (double reach = near.back() + width; reach <= farthest; reach += width) {
    std::size_t added = 0;
    for (const std::size_t end = ends.below(reach); i < end; ++i, ++added) {
      p.add(ends[i], ends[i + 1]);
    }
    if (!p.matters(added)) {
      break;
    }
  }
  return p.result();
}

}  // namespace loradyn
