#include "model/conditional_averages.hpp"

#include <algorithm>
#include <array>
#include <boost/math/constants/constants.hpp>
#include <cmath>
#include <cstddef>
#include <limits>
#include <loradyn/gaussian/gauss_hermite.hpp>
#include <loradyn/interruption.hpp>
#include <numeric>
#include <span>
#include <utility>

namespace loradyn {
namespace {

using boost::math::constants::pi;
using Eigen::ArrayXd;
using Eigen::Index;
using Eigen::MatrixXd;
using Eigen::VectorXd;

// Beyond lies 1e-21 of a Gaussian's weight, times what the functions grow by.
constexpr double reach = 10.0;

// A variance of which less than this part is left is none: what is left moves an average by as
// much of its second derivative.
constexpr double least_part = 1e-13;

// unused: room for what is not wanted
void tabulate(const field_function& f, std::span<const double> x, std::span<double> out,
              std::vector<double>& unused) {
  if (f.slope) {
    unused.resize(x.size());
    f.of->tabulate(x, unused, out, {});
  } else {
    f.of->tabulate(x, out, {}, {});
  }
}

// Two of the variables, or the one that both are, by standard normals z; the others' means given
// these, and what they vary beside.
struct split {
  MatrixXd slopes;    // variables x 2: the means are slopes · z
  MatrixXd residual;  // the covariance of what is left
  Index dimensions = 0;
};

// Where both are to be treated alike, z are the directions of their sum and difference: there the
// lattice of z misses what varies along one of them least. Otherwise z1 is along the first.
split split_of(const MatrixXd& c, Index x, Index y, bool alike) {
  const Index n = c.rows();
  split s;
  s.slopes = MatrixXd::Zero(n, 2);
  const double qx = c(x, x);
  const double qy = c(y, y);
  const double product = std::sqrt(qx * qy);
  const double rho = product > 0.0 ? std::clamp(c(x, y) / product, -1.0, 1.0) : 0.0;
  if (!(product > 0.0) || (1.0 - rho) * (1.0 + rho) < least_part) {
    const Index one = qx >= qy ? x : y;
    if (c(one, one) > 0.0) {
      s.slopes.col(0) = c.col(one) / std::sqrt(c(one, one));
      s.dimensions = 1;
    }
  } else {
    s.dimensions = 2;
    const VectorXd to_x = c.col(x) / std::sqrt(qx);
    const VectorXd to_y = c.col(y) / std::sqrt(qy);
    if (alike) {
      s.slopes.col(0) = (to_x + to_y) / std::sqrt(2.0 * (1.0 + rho));
      s.slopes.col(1) = (to_x - to_y) / std::sqrt(2.0 * (1.0 - rho));
    } else {
      s.slopes.col(0) = to_x;
      s.slopes.col(1) = (to_y - rho * to_x) / std::sqrt((1.0 - rho) * (1.0 + rho));
    }
  }
  s.residual = c - s.slopes * s.slopes.transpose();
  return s;
}

// Points with the weights of a rule and of a coarser one on a part of them.
struct rule {
  std::vector<std::array<double, 2>> z;
  std::vector<double> weight;
  std::vector<double> coarse;

  void add(double z1, double z2, double w, double of_coarse) {
    z.push_back({z1, z2});
    weight.push_back(w);
    coarse.push_back(of_coarse);
  }
};

// One coordinate of a rule.
struct line {
  std::vector<double> z;
  std::vector<double> weight;  // Gaussian
  std::vector<double> coarse;

  void add(double at, double w, double of_coarse) {
    const double density = std::exp(-0.5 * at * at) / std::sqrt(2.0 * pi<double>());
    z.push_back(at);
    weight.push_back(w * density);
    coarse.push_back(of_coarse * density);
  }
};

line trapezoid(double h) {
  line l;
  const auto last = static_cast<long>(reach / h);
  for (long i = -last; i <= last; ++i) {
    l.add(h * static_cast<double>(i), h, i % 2 == 0 ? 2.0 * h : 0.0);
  }
  return l;
}

// Fejér's second rule of 2^m - 1 points on [-1, 1]: every second point is the one before.
struct fejer_rule {
  explicit fejer_rule(std::size_t count) {
    const auto n = static_cast<double>(count + 1);
    for (std::size_t k = 1; k <= count; ++k) {
      const double angle = static_cast<double>(k) * pi<double>() / n;
      double sum = 0.0;
      for (std::size_t j = 1; j <= (count + 1) / 2; ++j) {
        const auto odd = static_cast<double>(2 * j - 1);
        sum += std::sin(odd * angle) / odd;
      }
      node.push_back(-std::cos(angle));
      weight.push_back(4.0 * std::sin(angle) / n * sum);
    }
  }
  std::vector<double> node;
  std::vector<double> weight;
};

// Panels between breaks, none of them wider than a width.
line panels(std::vector<double> breaks, double width) {
  static const fejer_rule fine(15);
  static const fejer_rule coarse(7);
  for (double& b : breaks) {
    b = std::clamp(b, -reach, reach);
  }
  breaks.push_back(-reach);
  breaks.push_back(reach);
  std::sort(breaks.begin(), breaks.end());
  line l;
  for (std::size_t i = 0; i + 1 < breaks.size(); ++i) {
    const double length = breaks[i + 1] - breaks[i];
    if (!(length > 0.0)) {
      continue;
    }
    const auto parts = static_cast<std::size_t>(std::ceil(length / width));
    const double half = 0.5 * length / static_cast<double>(parts);
    for (std::size_t p = 0; p < parts; ++p) {
      const double middle = breaks[i] + half * static_cast<double>(2 * p + 1);
      for (std::size_t k = 0; k < fine.node.size(); ++k) {
        l.add(middle + half * fine.node[k], half * fine.weight[k],
              k % 2 == 1 ? half * coarse.weight[k / 2] : 0.0);
      }
    }
  }
  return l;
}

// The rules of one fineness after the other.
class outer_rules {
 public:
  outer_rules(const split& s, const field_function& u, const field_function& v)
      : s_(s), x_(u.field), y_(v.field) {
    for (Index d = 0; d < 2; ++d) {
      steepest_[static_cast<std::size_t>(d)] = s.slopes.col(d).cwiseAbs2().maxCoeff();
    }
    for (const kink& k : u.of->kinks()) {
      of_x_.push_back(k.location);
    }
    for (const kink& k : v.of->kinks()) {
      of_y_.push_back(k.location);
    }
  }

  // A bound on the cost, four times the points of the first; the stated error tells the rest.
  static constexpr int finest = 4;

  [[nodiscard]] rule level(int l) const {
    rule r;
    if (s_.dimensions == 0) {
      r.add(0.0, 0.0, 1.0, 1.0);
      return r;
    }
    const bool kinked = !of_x_.empty() || !of_y_.empty();
    if (s_.dimensions == 1) {
      const line first = kinked ? panels(both_breaks(), width(l)) : trapezoid(0.5 * step(0, l));
      for (std::size_t i = 0; i < first.z.size(); ++i) {
        r.add(first.z[i], 0.0, first.weight[i], first.coarse[i]);
      }
      return r;
    }
    if (!kinked) {
      lattice(r, l);
      return r;
    }
    const double root_x = s_.slopes(x_, 0);
    std::vector<double> breaks;
    for (const double t : of_x_) {
      breaks.push_back(t / root_x);
    }
    const line first = breaks.empty() ? trapezoid(step(0, l)) : panels(breaks, width(l));
    for (std::size_t i = 0; i < first.z.size(); ++i) {
      breaks.clear();
      for (const double t : of_y_) {
        breaks.push_back((t - s_.slopes(y_, 0) * first.z[i]) / s_.slopes(y_, 1));
      }
      const line second = breaks.empty() ? trapezoid(step(1, l)) : panels(breaks, width(l));
      for (std::size_t k = 0; k < second.z.size(); ++k) {
        r.add(first.z[i], second.z[k], first.weight[i] * second.weight[k],
              first.coarse[i] * second.coarse[k]);
      }
    }
    return r;
  }

 private:
  // Of a lattice: by the scale on which the variables vary along a direction, and below what a
  // Gaussian alone needs.
  [[nodiscard]] double step(std::size_t d, int l) const {
    constexpr double own = 0.25;
    constexpr double first = 0.42;
    return first * std::pow(2.0, -0.5 * l) / std::sqrt(own + steepest_[d]);
  }

  static double width(int l) { return 3.4 * std::pow(2.0, -0.5 * l); }

  [[nodiscard]] std::vector<double> both_breaks() const {
    std::vector<double> breaks;
    for (const auto& [at, field] : {std::pair{&of_x_, x_}, std::pair{&of_y_, y_}}) {
      for (const double t : *at) {
        if (s_.slopes(field, 0) != 0.0) {
          breaks.push_back(t / s_.slopes(field, 0));
        }
      }
    }
    return breaks;
  }

  // Every second point, as on a chessboard, is the coarser rule.
  void lattice(rule& r, int l) const {
    const double h1 = step(0, l);
    const double h2 = step(1, l);
    const auto last = static_cast<long>(reach / h1);
    for (long i = -last; i <= last; ++i) {
      const double z1 = h1 * static_cast<double>(i);
      const double left = reach * reach - z1 * z1;
      const auto end = static_cast<long>(std::sqrt(std::max(left, 0.0)) / h2);
      for (long k = -end; k <= end; ++k) {
        const double z2 = h2 * static_cast<double>(k);
        const double w = h1 * h2 * std::exp(-0.5 * (z1 * z1 + z2 * z2)) / (2.0 * pi<double>());
        r.add(z1, z2, w, (i + k) % 2 == 0 ? 2.0 * w : 0.0);
      }
    }
  }

  const split& s_;
  Index x_;
  Index y_;
  std::array<double, 2> steepest_{};
  std::vector<double> of_x_;
  std::vector<double> of_y_;
};

// Gauss-Hermite nodes z_k, an even number, and w_k he_n(z_k), normalised, of the positive nodes: of
// even n takes the sums of the values at ±z_k to coefficients, of odd n the differences.
struct projection {
  explicit projection(std::size_t count) : rule(count) {
    const auto half = static_cast<Index>(count / 2);
    even.resize(half, half);
    odd.resize(half, half);
    for (Index k = 0; k < half; ++k) {
      const auto node = static_cast<std::size_t>(half + k);
      const double z = rule.nodes[node];
      double before = 0.0;
      double now = rule.weights[node];
      for (Index m = 0; m < 2 * half; ++m) {
        (m % 2 == 0 ? even : odd)(k, m / 2) = now;
        const double root = std::sqrt(static_cast<double>(m));
        const double next = (z * now - root * before) / std::sqrt(static_cast<double>(m + 1));
        before = now;
        now = next;
      }
    }
  }
  gauss_hermite_rule rule;
  MatrixXd even;
  MatrixXd odd;
};

constexpr std::array<std::size_t, 4> orders{24, 36, 54, 80};

const projection& projection_of(std::size_t level) {
  static const std::array<projection, orders.size()> all{
      projection(orders[0]), projection(orders[1]), projection(orders[2]), projection(orders[3])};
  return all[level];
}

// Sums over points of weight · E[f_i f_k | z].
class inner_sums {
 public:
  inner_sums(const split& s, const MatrixXd& c, const std::vector<field_function>& f,
             const projection& p)
      : s_(s), f_(f), p_(p) {
    const auto order = static_cast<Index>(p.rule.nodes.size());
    for (const field_function& g : f) {
      const double left = s.residual(g.field, g.field);
      deviation_.push_back(left > least_part * c(g.field, g.field) ? std::sqrt(left) : 0.0);
    }
    const auto n = static_cast<Index>(f.size());
    for (Index i = 0; i < n; ++i) {
      for (Index k = 0; k <= i; ++k) {
        const double bound = deviation_[at(i)] * deviation_[at(k)];
        const double rho =
            bound == 0.0
                ? 0.0
                : std::clamp(s.residual(f[at(i)].field, f[at(k)].field) / bound, -1.0, 1.0);
        VectorXd power(order);
        double now = 1.0;
        for (Index m = 0; m < order; ++m) {
          power[m / 2 + (m % 2) * (order / 2)] = now;
          now *= rho;
        }
        powers_.push_back(std::move(power));
      }
    }
    coefficients_.resize(f.size());
    sum_ = coarse_ = tail_ = MatrixXd::Zero(n, n);
  }

  [[nodiscard]] const MatrixXd& sum() const { return sum_; }
  // By the coarse rule.
  [[nodiscard]] const MatrixXd& coarse() const { return coarse_; }
  // What of the sum is of the last quarter of the coefficients.
  [[nodiscard]] const MatrixXd& tail() const { return tail_; }

  // Most points at a time: their values stay in the fastest memory.
  static constexpr Index block = 64;

  // Of the coarse rule there are no weights where it has none of the points.
  void add(const Eigen::Matrix<double, Eigen::Dynamic, 2>& z, const VectorXd& weights,
           const VectorXd& of_coarse) {
    const Index count = z.rows();
    for (std::size_t i = 0; i < f_.size(); ++i) {
      const VectorXd mean = z * s_.slopes.row(f_[i].field).transpose();
      const auto nodes = deviation_[i] == 0.0 ? Index{1} : static_cast<Index>(p_.rule.nodes.size());
      x_.resize(count, nodes);
      y_.resize(count, nodes);
      for (Index k = 0; k < nodes; ++k) {
        x_.col(k) =
            nodes == 1 ? mean : VectorXd(mean.array() + deviation_[i] * p_.rule.nodes[at(k)]);
      }
      const auto size = static_cast<std::size_t>(x_.size());
      tabulate(f_[i], {x_.data(), size}, {y_.data(), size}, unused_);
      if (nodes == 1) {
        coefficients_[i] = y_;
      } else {
        // Those of even n before those of odd n.
        const Index half = nodes / 2;
        const auto mirrored = y_.leftCols(half).rowwise().reverse();
        coefficients_[i].resize(count, nodes);
        x_.leftCols(half) = y_.rightCols(half) + mirrored;
        x_.rightCols(half) = y_.rightCols(half) - mirrored;
        coefficients_[i].leftCols(half).noalias() = x_.leftCols(half) * p_.even;
        coefficients_[i].rightCols(half).noalias() = x_.rightCols(half) * p_.odd;
      }
    }
    add_pairs(weights, sum_, &tail_);
    if (of_coarse.size() > 0) {
      add_pairs(of_coarse, coarse_, nullptr);
    }
  }

 private:
  static std::size_t at(Index i) { return static_cast<std::size_t>(i); }

  void add_pairs(const VectorXd& weights, MatrixXd& sum, MatrixXd* tails) {
    std::size_t pair = 0;
    for (std::size_t i = 0; i < f_.size(); ++i) {
      y_.noalias() = weights.asDiagonal() * coefficients_[i];
      for (std::size_t k = 0; k <= i; ++k, ++pair) {
        const Index terms = std::min(y_.cols(), coefficients_[k].cols());
        const Index half = terms / 2;
        const Index kept = half - terms / 8;
        double head = 0.0;
        double tail = 0.0;
        for (Index m = 0; m < terms; ++m) {
          const double term = powers_[pair][m] * y_.col(m).dot(coefficients_[k].col(m));
          (terms == 1 || (m < half ? m : m - half) < kept ? head : tail) += term;
        }
        const auto row = static_cast<Index>(i);
        const auto column = static_cast<Index>(k);
        sum(row, column) += head + tail;
        if (tails != nullptr) {
          (*tails)(row, column) += tail;
        }
      }
    }
  }

  const split& s_;
  const std::vector<field_function>& f_;
  const projection& p_;
  std::vector<double> deviation_;
  std::vector<VectorXd> powers_;
  std::vector<MatrixXd> coefficients_;
  MatrixXd sum_;
  MatrixXd coarse_;
  MatrixXd tail_;
  std::vector<double> unused_;
  MatrixXd x_;
  MatrixXd y_;
};

}  // namespace

// (14.18)
conditional_value conditional_averages::value(const field_function& u, const field_function& v,
                                              const std::vector<field_function>& f,
                                              const MatrixXd& weights,
                                              const conditional_tolerance& tolerance) const {
  const bool smooth = u.of->kinks().empty() && v.of->kinks().empty();
  // The kinks are to be across the first direction where only one has any.
  const bool swap = u.of->kinks().empty() && !smooth;
  const field_function& first = swap ? v : u;
  const field_function& second = swap ? u : v;
  const split s = split_of(c_, first.field, second.field, smooth);
  const outer_rules rules(s, first, second);
  const auto weighted = [&](const MatrixXd& m) {
    return (m.array() * weights.array())
        .matrix()
        .triangularView<Eigen::Lower>()
        .toDenseMatrix()
        .sum();
  };
  conditional_value best;
  best.error = std::numeric_limits<double>::infinity();
  int level = 0;
  std::size_t order = 0;
  for (;;) {
    check_stop();
    const rule r = rules.level(level);
    const std::size_t n = r.z.size();
    std::vector<double> a(n);
    std::vector<double> factor(n);
    std::vector<double> other(n);
    std::vector<double> unused;
    for (std::size_t i = 0; i < n; ++i) {
      a[i] = s.slopes(first.field, 0) * r.z[i][0] + s.slopes(first.field, 1) * r.z[i][1];
    }
    tabulate(first, a, factor, unused);
    for (std::size_t i = 0; i < n; ++i) {
      a[i] = s.slopes(second.field, 0) * r.z[i][0] + s.slopes(second.field, 1) * r.z[i][1];
    }
    tabulate(second, a, other, unused);
    double all = 0.0;
    std::vector<std::size_t> sequence(n);
    std::iota(sequence.begin(), sequence.end(), std::size_t{0});
    for (std::size_t i = 0; i < n; ++i) {
      factor[i] *= other[i];
      all += std::abs(r.weight[i] * factor[i]);
    }
    // The points of the coarse rule before the others, and of either the weightiest first.
    std::sort(sequence.begin(), sequence.end(), [&](std::size_t i, std::size_t k) {
      const double wi = std::abs(r.weight[i] * factor[i]);
      const double wk = std::abs(r.weight[k] * factor[k]);
      const bool ci = r.coarse[i] != 0.0;
      const bool ck = r.coarse[k] != 0.0;
      return ci != ck ? ci : wi != wk ? wi > wk : i < k;
    });
    const auto middle = static_cast<std::size_t>(
        std::count_if(r.coarse.begin(), r.coarse.end(), [](double w) { return w != 0.0; }));
    inner_sums inner(s, c_, f, projection_of(order));
    Eigen::Matrix<double, Eigen::Dynamic, 2> z;
    VectorXd w;
    VectorXd of_coarse;
    const auto below = [&](std::size_t from, std::size_t to, double part) {
      const double least = part * all / static_cast<double>(n);
      return std::partition_point(
                 sequence.begin() + static_cast<std::ptrdiff_t>(from),
                 sequence.begin() + static_cast<std::ptrdiff_t>(to),
                 [&](std::size_t p) { return std::abs(r.weight[p] * factor[p]) >= least; }) -
             sequence.begin();
    };
    const auto sum = [&](std::size_t from, std::size_t to, bool in_coarse) {
      for (std::size_t i = from; i < to; i += static_cast<std::size_t>(inner_sums::block)) {
        const std::size_t count = std::min(static_cast<std::size_t>(inner_sums::block), to - i);
        z.resize(static_cast<Index>(count), 2);
        w.resize(static_cast<Index>(count));
        of_coarse.resize(in_coarse ? static_cast<Index>(count) : 0);
        for (std::size_t k = 0; k < count; ++k) {
          const std::size_t p = sequence[i + k];
          const auto row = static_cast<Index>(k);
          z(row, 0) = r.z[p][0];
          z(row, 1) = r.z[p][1];
          w[row] = r.weight[p] * factor[p];
          if (in_coarse) {
            of_coarse[row] = r.coarse[p] * factor[p];
          }
        }
        inner.add(z, w, of_coarse);
      }
    };
    // A part of the points: those that weigh little apart, and less than they do what is left out.
    double rim = 0.0;
    const auto sum_part = [&](std::size_t from, std::size_t to, bool in_coarse) {
      const auto heavy = static_cast<std::size_t>(below(from, to, 1e-9));
      const auto light = static_cast<std::size_t>(below(from, to, 1e-12));
      sum(from, heavy, in_coarse);
      const double so_far = weighted(inner.sum());
      sum(heavy, light, in_coarse);
      rim += std::abs(weighted(inner.sum()) - so_far);
    };
    sum_part(0, middle, true);
    sum_part(middle, n, false);
    const double coarse = weighted(inner.coarse());
    const double fine = weighted(inner.sum());
    const double size = std::max(std::abs(fine), std::abs(coarse));
    const double change = std::abs(fine - coarse);
    // For analytic functions the error is about the square of the change, beside the size.
    const double outside = change < size ? change * std::sqrt(change / size) : change;
    const double inside = std::abs(weighted(inner.tail()));
    if (outside + inside + rim < best.error) {
      best = {inner.sum(), outside + inside + rim};
    }
    // Where the sum cancels, no rule is nearer than rounding.
    constexpr double rounding = 1e-13;
    const double terms = inner.sum().diagonal().cwiseProduct(weights.diagonal()).cwiseAbs().sum();
    const double enough =
        0.5 * std::max({tolerance.absolute, tolerance.part * std::abs(fine), rounding * terms});
    const bool more_outside = outside > enough && level < outer_rules::finest;
    const bool more_inside = inside > enough && order + 1 < orders.size();
    if (!more_outside && !more_inside) {
      return best;
    }
    level += more_outside ? 1 : 0;
    if (more_inside) {
      // An order more gains about so much.
      constexpr double gain = 12.0;
      const double steps = std::log(inside / enough) / std::log(gain);
      order = std::min(order + static_cast<std::size_t>(std::clamp(std::ceil(steps), 1.0, 3.0)),
                       orders.size() - 1);
    }
  }
}

}  // namespace loradyn
