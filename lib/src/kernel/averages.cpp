#include "kernel/averages.hpp"
#include <algorithm>
#include <boost/math/constants/constants.hpp>
#include <cmath>
#include <loradyn/effort.hpp>
#include <loradyn/interruption.hpp>
#include <span>
#include <vector>
#include "kernel/piecewise_polynomial.hpp"

namespace loradyn {
namespace {

using boost::math::constants::two_pi;

constexpr std::size_t largest_block = 64;  // points at a time; it changes no value
constexpr double farthest = 38.0;          // beyond, e^{-z²/2} is below the least double

// The derivatives of an activation at a block of points.
class sampled {
 public:
  void at(const activation& f, std::span<const double> x, std::size_t order) {
    const std::size_t n = x.size();
    const auto row = [&](std::size_t k) {
      return std::span<double>(values_.data() + k * largest_block, n);
    };
    if (order <= 2) {
      f.tabulate(x, row(0), row(1), row(2));
    } else {
      f.tabulate_all(x, {row(0), row(1), row(2), row(3), row(4)});
    }
  }

  // The derivatives at one point, at every place of a block.
  void constant(const activation& f, double x, std::size_t order) {
    at(f, {&x, 1}, order);
    for (std::size_t k = 0; k <= order; ++k) {
      std::fill_n(values_.data() + k * largest_block, largest_block, values_[k * largest_block]);
    }
  }

  // Adds to each derivative.
  void add(const std::array<double, 5>& shifts) {
    for (std::size_t i = 0; i < values_.size(); ++i) {
      values_[i] += shifts[i / largest_block];
    }
  }

  [[nodiscard]] std::array<const double*, 5> rows() const {
    std::array<const double*, 5> r;
    for (std::size_t k = 0; k < r.size(); ++k) {
      r[k] = values_.data() + k * largest_block;
    }
    return r;
  }

 private:
  std::array<double, 5 * largest_block> values_;
};

// The places in z of points x of a line, increasing; those that carry no weight are left out.
void add_places(std::vector<double>& places, std::span<const double> x, const gaussian_line& line) {
  if (line.deviation == 0.0) {
    return;
  }
  for (const double t : x) {
    const double z = (t - line.mean) / line.deviation;
    if (std::abs(z) < farthest) {
      places.push_back(z);
    }
  }
}

void order_places(std::vector<double>& places) {
  std::sort(places.begin(), places.end());
  places.erase(std::unique(places.begin(), places.end()), places.end());
}

std::vector<double> kink_places(const activation& f) {
  std::vector<double> t;
  for (const kink& k : f.kinks()) {
    t.push_back(k.location);
  }
  return t;
}

void fill_line(std::span<const double> z, const gaussian_line& line, std::span<double> x) {
  for (std::size_t i = 0; i < z.size(); ++i) {
    x[i] = line.mean + line.deviation * z[i];
  }
}

// Breaks and features of lines of activations, kept between lines that differ in mean and
// deviation.
struct line_places {
  std::vector<double> breaks;
  std::vector<double> features;

  void clear() {
    breaks.clear();
    features.clear();
  }
  void add(const activation& f, std::span<const double> kinks, const gaussian_line& line) {
    add_places(breaks, kinks, line);
    add_places(features, f.features(), line);
  }
  void order() {
    order_places(breaks);
    order_places(features);
  }
};

// An average as the values of an integrand, with their sizes after all of them.
void store(const averages& a, std::size_t components, std::size_t stride, double* values) {
  for (std::size_t k = 0; k < components; ++k) {
    values[k * stride] = a.value[k];
    values[(components + k) * stride] = a.magnitude[k];
  }
}

// X given Y = deviation z is N(carried z, spread²).
struct given_line {
  explicit given_line(const pair_covariance& v)
      : deviation(std::sqrt(v.q2)), carried(v.c / deviation), spread(std::sqrt(v.gap / v.q2)) {}

  [[nodiscard]] gaussian_line at(double z) const { return {carried * z, spread}; }

  double deviation;
  double carried;
  double spread;
};

// Where averages of f over X given Y, times g(Y), change fast with Y.
line_places places_given(const activation& f, std::span<const double> kinks, const activation& g,
                         const given_line& x) {
  line_places outer;
  outer.add(g, kink_places(g), {0.0, x.deviation});
  if (x.carried != 0.0) {
    // Where Y carries X across a kink of f, the averages over X turn over this width.
    const double turn = x.spread / std::abs(x.carried);
    for (const double t : kinks) {
      const double centre = t / x.carried;
      if (std::abs(centre) < farthest) {
        outer.features.push_back(centre);
        // Decides the cost alone: a panel that is not resolved is halved.
        constexpr double widest = 2.0;
        for (double reach = turn; reach < widest; reach *= 2.0) {
          outer.features.push_back(centre - reach);
          outer.features.push_back(centre + reach);
        }
      }
    }
    add_places(outer.features, f.features(), {0.0, x.carried});
  }
  outer.order();
  return outer;
}

averages over_planes_lines(const activation& f, const activation& g, const pair_covariance& v,
                           std::size_t order, std::size_t components, pair_integrand integrand) {
  const given_line x_given(v);
  const std::vector<double> kinks = kink_places(f);
  const line_places outer = places_given(f, kinks, g, x_given);

  line_places inner;
  sampled f_at;
  sampled g_at;
  std::array<double, largest_block> x;
  const auto given = [&](double z) {
    const gaussian_line line = x_given.at(z);
    inner.clear();
    inner.add(f, kinks, line);
    inner.order();
    g_at.constant(g, x_given.deviation * z, order);
    return gaussian_averages(components, inner.breaks, inner.features,
                             [&](std::span<const double> w, double* values) {
                               effort_limit::spend(w.size());
                               const std::span<double> points(x.data(), w.size());
                               fill_line(w, line, points);
                               f_at.at(f, points, order);
                               integrand({w.size(), nullptr, f_at.rows(), g_at.rows()}, values);
                             });
  };
  return gaussian_averages(
      components, outer.breaks, outer.features,
      [&](std::span<const double> z, double* values) {
        check_stop();
        for (std::size_t i = 0; i < z.size(); ++i) {
          store(given(z[i]), components, z.size(), values + i);
        }
      },
      integrand_size::given);
}

// The ends of radial or angular panels where a function varies on a short scale.
bool is_sharp(const activation& f, double deviation) {
  constexpr double coarse = 0.2;
  const std::vector<double>& t = f.features();
  for (std::size_t i = 1; i < t.size(); ++i) {
    if (t[i] - t[i - 1] < coarse * deviation) {
      return true;
    }
  }
  return false;
}

averages over_sectors(const activation& f, const activation& g, const pair_covariance& v,
                      std::size_t order, std::size_t components, pair_integrand integrand) {
  const double deviation_f = std::sqrt(v.q1);
  const double deviation_g = std::sqrt(v.q2);
  const double root = std::sqrt(v.gap);
  const bool sharp = is_sharp(f, deviation_f) || is_sharp(g, deviation_g);

  sampled f_at;
  sampled g_at;
  std::array<double, largest_block> x;
  std::array<double, largest_block> y;
  std::array<double, 2 * largest_block * max_components> both;
  // A half-line and its mirror image: X = ±a r, Y = ±b r.
  const auto along = [&](double a, double b) {
    const auto radial = [&](std::span<const double> r, double* values) {
      const std::size_t n = r.size();
      effort_limit::spend(2 * n);
      for (const double sign : {1.0, -1.0}) {
        for (std::size_t i = 0; i < n; ++i) {
          x[i] = sign * a * r[i];
          y[i] = sign * b * r[i];
        }
        f_at.at(f, {x.data(), n}, order);
        g_at.at(g, {y.data(), n}, order);
        integrand({n, nullptr, f_at.rows(), g_at.rows()}, both.data());
        for (std::size_t k = 0; k < components * n; ++k) {
          values[k] = sign > 0.0 ? both[k] : values[k] + both[k];
        }
      }
      for (std::size_t i = 0; i < n; ++i) {
        const double weight = r[i] * std::exp(-0.5 * r[i] * r[i]) / two_pi<double>();
        for (std::size_t k = 0; k < components; ++k) {
          values[k * n + i] *= weight;
        }
      }
    };
    std::vector<double> ends;
    if (sharp) {
      for (const auto& [t, scale] : {std::pair(&f.features(), a), std::pair(&g.features(), b)}) {
        for (const double place : *t) {
          const double r = std::abs(place / scale);
          if (r > 0.0 && r < farthest) {
            ends.push_back(r);
          }
        }
      }
      order_places(ends);
    }
    return radial_integrals(components, ends, radial);
  };
  // The sector of this width between the half-lines on which X and Y vanish; `sign` is that of Y/X
  // in it. At a distance d from the one, X ∝ sin d and Y ∝ sin(width - d).
  const auto sector = [&](double width, double sign) {
    averages none;
    if (!(width > 0.0)) {
      return none;
    }
    // Decides the cost alone: a panel that is not resolved is halved.
    constexpr double widest = 1.0;
    const auto count = static_cast<std::size_t>(std::ceil(width / widest));
    std::vector<double> ends;
    for (std::size_t i = 0; i <= count; ++i) {
      ends.push_back(width * static_cast<double>(i) / static_cast<double>(count));
    }
    if (sharp) {
      const double first = ends[1];
      const double least =
          std::min(1.0 / (1.0 + deviation_f), 1.0 / (1.0 + deviation_g)) * 0.01 * first;
      for (double d = 0.5 * first; d > least; d *= 0.5) {
        ends.push_back(d);
        ends.push_back(width - d);
      }
      order_places(ends);
    }
    return interval_integrals(
        components, ends,
        [&](std::span<const double> d, double* values) {
          check_stop();
          for (std::size_t i = 0; i < d.size(); ++i) {
            store(along(deviation_f * std::sin(d[i]), sign * deviation_g * std::sin(width - d[i])),
                  components, d.size(), values + i);
          }
        },
        integrand_size::given);
  };
  // cos θ is the correlation; X and Y have different signs in sectors of width θ.
  const averages apart = sector(std::atan2(root, v.c), -1.0);
  const averages together = sector(std::atan2(root, -v.c), 1.0);
  averages sum;
  for (std::size_t k = 0; k < components; ++k) {
    sum.value[k] = apart.value[k] + together.value[k];
    sum.magnitude[k] = apart.magnitude[k] + together.magnitude[k];
  }
  return sum;
}

}  // namespace

averages line_averages(const activation& f, const gaussian_line& line, std::size_t order,
                       std::size_t components, pair_integrand integrand) {
  line_places places;
  places.add(f, kink_places(f), line);
  places.order();
  sampled f_at;
  std::array<double, largest_block> x;
  return gaussian_averages(components, places.breaks, places.features,
                           [&](std::span<const double> z, double* values) {
                             const std::span<double> points(x.data(), z.size());
                             fill_line(z, line, points);
                             f_at.at(f, points, order);
                             integrand({z.size(), z.data(), f_at.rows(), {}}, values);
                           });
}

averages line_averages(const activation& f, const gaussian_line& x_line, const activation& g,
                       const gaussian_line& y_line, std::size_t order, std::size_t components,
                       pair_integrand integrand, integrand_size size) {
  line_places places;
  places.add(f, kink_places(f), x_line);
  places.add(g, kink_places(g), y_line);
  places.order();
  const bool same =
      f.same_as(g) && x_line.mean == y_line.mean && x_line.deviation == y_line.deviation;
  sampled f_at;
  sampled g_at;
  std::array<double, largest_block> x;
  const auto evaluate = [&](std::span<const double> z, double* values) {
    const std::span<double> points(x.data(), z.size());
    fill_line(z, x_line, points);
    f_at.at(f, points, order);
    if (!same) {
      fill_line(z, y_line, points);
      g_at.at(g, points, order);
    }
    integrand({z.size(), z.data(), f_at.rows(), same ? f_at.rows() : g_at.rows()}, values);
  };
  const std::array<double, 5> f_errors = f.errors();
  const std::array<double, 5> g_errors = g.errors();
  if (f_errors[order] == 0.0 && g_errors[order] == 0.0) {
    return gaussian_averages(components, places.breaks, places.features, evaluate, size);
  }
  // What an integrand is changed by where its derivatives are off by their errors is no reason to
  // go on: its size is such that what the rule compares, of sums or of last coefficients, agrees.
  const double agreement = places.breaks.empty() ? 1e-13 : 1e-9;
  sampled f_off;
  sampled g_off;
  std::array<double, 2 * largest_block * max_components> off;
  const auto with_sizes = [&](std::span<const double> z, double* values) {
    evaluate(z, values);
    f_off = f_at;
    f_off.add(f_errors);
    if (!same) {
      g_off = g_at;
      g_off.add(g_errors);
    }
    integrand({z.size(), z.data(), f_off.rows(), same ? f_off.rows() : g_off.rows()}, off.data());
    const std::size_t count = components * z.size();
    for (std::size_t i = 0; i < count; ++i) {
      const double own = size == integrand_size::given ? values[count + i] : std::abs(values[i]);
      values[count + i] = own + std::abs(off[i] - values[i]) / agreement;
    }
  };
  return gaussian_averages(components, places.breaks, places.features, with_sizes,
                           integrand_size::given);
}

averages plane_averages(const activation& f, const activation& g, const pair_covariance& covariance,
                        std::size_t order, std::size_t components, pair_integrand integrand) {
  if (!f.kinks().empty() && !g.kinks().empty() && f.kinked_at_zero_alone() &&
      g.kinked_at_zero_alone()) {
    return over_sectors(f, g, covariance, order, components, integrand);
  }
  if (g.kinks().empty() && !f.kinks().empty()) {
    // Over the line of the kinked one, and of the smooth one given it.
    const pair_covariance turned{covariance.q2, covariance.q1, covariance.c, covariance.gap};
    return over_planes_lines(g, f, turned, order, components,
                             [&integrand](const point_block& at, double* values) {
                               integrand({at.count, nullptr, at.g, at.f}, values);
                             });
  }
  return over_planes_lines(f, g, covariance, order, components, integrand);
}

averages polynomial_averages(const activation& f, const gauss_hermite_rule& across,
                             const activation& g, const pair_covariance& covariance,
                             std::size_t order, std::size_t components, pair_integrand integrand) {
  const double deviation = std::sqrt(covariance.q2);
  const double carried = covariance.c / deviation;
  const double spread = std::sqrt(covariance.gap / covariance.q2);
  const std::size_t count = across.nodes.size();

  line_places places;
  places.add(g, kink_places(g), {0.0, deviation});
  places.order();
  sampled f_at;
  sampled g_at;
  std::array<double, largest_block> x;
  std::array<double, largest_block * max_components> at_nodes;
  return gaussian_averages(
      components, places.breaks, places.features,
      [&](std::span<const double> z, double* values) {
        check_stop();
        effort_limit::spend(count * z.size());
        for (std::size_t i = 0; i < z.size(); ++i) {
          g_at.constant(g, deviation * z[i], order);
          averages sum;
          for (std::size_t from = 0; from < count; from += largest_block) {
            const std::span<double> points(x.data(), std::min(largest_block, count - from));
            fill_line({&across.nodes[from], points.size()}, {carried * z[i], spread}, points);
            f_at.at(f, points, order);
            integrand({points.size(), nullptr, f_at.rows(), g_at.rows()}, at_nodes.data());
            for (std::size_t k = 0; k < components; ++k) {
              for (std::size_t n = 0; n < points.size(); ++n) {
                const double term = across.weights[from + n] * at_nodes[k * points.size() + n];
                sum.value[k] += term;
                sum.magnitude[k] += std::abs(term);
              }
            }
          }
          store(sum, components, z.size(), values + i);
        }
      },
      integrand_size::given);
}

averages conditional_averages(const activation& f, line_moments_of of_f, const activation& g,
                              const pair_covariance& v,
                              std::span<const std::array<std::size_t, 2>> orders) {
  const given_line x_given(v);
  const std::vector<double> kinks = kink_places(f);
  const line_places places = places_given(f, kinks, g, x_given);
  std::size_t highest_f = 0;
  std::size_t highest_g = 0;
  for (const auto& [i, j] : orders) {
    highest_f = std::max(highest_f, i);
    highest_g = std::max(highest_g, j);
  }
  sampled g_at;
  std::array<double, largest_block> y;
  return gaussian_averages(
      orders.size(), places.breaks, places.features,
      [&](std::span<const double> z, double* values) {
        check_stop();
        effort_limit::spend(z.size());
        const std::span<double> points(y.data(), z.size());
        fill_line(z, {0.0, x_given.deviation}, points);
        g_at.at(g, points, highest_g);
        const std::array<const double*, 5> of_g = g_at.rows();
        const std::size_t count = orders.size() * z.size();
        for (std::size_t p = 0; p < z.size(); ++p) {
          const line_moments given = of_f(x_given.at(z[p]), highest_f);
          for (std::size_t k = 0; k < orders.size(); ++k) {
            const auto [i, j] = orders[k];
            values[k * z.size() + p] = given.value[i] * of_g[j][p];
            values[count + k * z.size() + p] = given.magnitude[i] * std::abs(of_g[j][p]);
          }
        }
      },
      integrand_size::given);
}

}  // namespace loradyn
