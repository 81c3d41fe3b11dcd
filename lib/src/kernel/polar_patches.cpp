#include "kernel/polar_patches.hpp"
#include <algorithm>
#include <array>
#include <atomic>
#include <boost/math/constants/constants.hpp>
#include <cmath>
#include <limits>
#include <loradyn/effort.hpp>
#include <loradyn/error.hpp>
#include <loradyn/interruption.hpp>
#include <mutex>
#include <utility>
#include <vector>

namespace loradyn {
namespace {

constexpr std::size_t angular_nodes = polar_patches::angular_nodes;
constexpr std::size_t widest_basis = std::max(angular_nodes, polar_patches::powers);

// |w| = 9e-13: its square is below the rounding of any other overlap, and gaps of less than 1e-26
// are taken for none.
constexpr int least_octave = -40;
constexpr int octaves = 51;  // to |w| = 2048: beyond 1000 a growing run counts as diverging

struct interval {
  double lo;
  double hi;

  [[nodiscard]] double centre() const { return 0.5 * (lo + hi); }
  [[nodiscard]] double half() const { return 0.5 * (hi - lo); }
  [[nodiscard]] double local(double x) const { return (x - centre()) / half(); }
  [[nodiscard]] bool in_upper_half(double x) const { return x >= centre(); }
  [[nodiscard]] interval part(bool upper) const {
    return upper ? interval{centre(), hi} : interval{lo, centre()};
  }
};

// Interpolation at the zeros of T_N.
template <std::size_t N>
struct chebyshev_rule {
  chebyshev_rule() {
    for (std::size_t i = 0; i < N; ++i) {
      const double angle = boost::math::constants::pi<double>() * (static_cast<double>(i) + 0.5) /
                           static_cast<double>(N);
      node[i] = std::cos(angle);
      for (std::size_t k = 0; k < N; ++k) {
        coefficient[k][i] = (k == 0 ? 1.0 : 2.0) / N * std::cos(static_cast<double>(k) * angle);
      }
    }
  }
  std::array<double, N> node{};
  std::array<std::array<double, N>, N> coefficient{};  // of T_k, from the value at node i
};

template <std::size_t N>
const chebyshev_rule<N>& rule() {
  static const chebyshev_rule<N> r;
  return r;
}

// Whether a sum's last coefficients, relative to its size, are below the tolerance, or at the
// rounding of what is summed: none of the last ones smaller than the others by much.
bool ends(std::span<const double> a) {
  constexpr double tolerance = 1e-13;
  constexpr double rounding = 4e-12;
  constexpr double flat = 0.1;
  const auto last_of = [](std::span<const double> b) {
    return std::max(b[b.size() - 1], b[b.size() - 2]);
  };
  const double last = last_of(a);
  const double before = std::max(last_of(a.first(a.size() - 2)), last_of(a.first(a.size() - 4)));
  return last <= tolerance || (last <= rounding && last >= flat * before);
}

// T_0 … T_{n-1} and, where asked for, their derivatives at x.
void chebyshev(double x, std::size_t n, double* value, double* slope) {
  value[0] = 1.0;
  value[1] = x;
  for (std::size_t k = 2; k < n; ++k) {
    value[k] = 2.0 * x * value[k - 1] - value[k - 2];
  }
  if (slope != nullptr) {
    slope[0] = 0.0;
    slope[1] = 1.0;
    for (std::size_t k = 2; k < n; ++k) {
      slope[k] = 2.0 * value[k - 1] + 2.0 * x * slope[k - 1] - slope[k - 2];
    }
  }
}

void monomials(double x, std::size_t n, double* value, double* slope) {
  value[0] = 1.0;
  for (std::size_t k = 1; k < n; ++k) {
    value[k] = value[k - 1] * x;
  }
  if (slope != nullptr) {
    slope[0] = 0.0;
    for (std::size_t k = 1; k < n; ++k) {
      slope[k] = static_cast<double>(k) * value[k - 1];
    }
  }
}

// Four partial sums, so that the additions don't wait for each other.
double inner_product(const double* a, const double* b, std::size_t n) {
  std::array<double, 4> sum{};
  std::size_t i = 0;
  for (; i + 4 <= n; i += 4) {
    for (std::size_t l = 0; l < 4; ++l) {
      sum[l] += a[i + l] * b[i + l];
    }
  }
  for (; i < n; ++i) {
    sum[0] += a[i] * b[i];
  }
  return (sum[0] + sum[1]) + (sum[2] + sum[3]);
}

// The half octave that r lies in, counted from the least; negative or too large out of range.
int half_octave(double r) {
  int exponent = 0;
  const double mantissa = std::frexp(r, &exponent);
  const int upper = mantissa >= boost::math::constants::half_root_two<double>() ? 1 : 0;
  return 2 * (exponent - 1 - least_octave) + upper;
}

interval radii(int half) {
  const double lo = std::ldexp(1.0, half / 2 + least_octave);
  const double root_two = boost::math::constants::root_two<double>();
  return half % 2 == 0 ? interval{lo, lo * root_two} : interval{lo * root_two, 2.0 * lo};
}

}  // namespace

struct polar_patches::patch {
  enum class state { new_, split_radius, split_angle, resolved, unresolved };

  patch(interval r, interval t, int depth_r, int depth_t)
      : radius(r), angle(t), radial_depth(depth_r), angular_depth(depth_t) {}

  interval radius;
  interval angle;
  int radial_depth;
  int angular_depth;
  std::atomic<state> is{state::new_};
  std::mutex making;
  std::unique_ptr<patch> lower;
  std::unique_ptr<patch> upper;
  // F_k = (r/centre)^growth_k Σ_ij c_kij T_i(r) B_j(t), i < radial, j < angular.
  std::size_t radial = 0;
  std::size_t angular = 0;
  std::array<int, max_functions> growth{};
  std::vector<double> coefficients;
  std::uint64_t effort = 0;  // what it has cost, with those that it was split from
};

struct polar_patches::plan {
  plan(std::size_t count, bool of_correlation, double reach, sampler sampled)
      : functions(count), powers_of_t(of_correlation), widest(reach), f(std::move(sampled)) {
    for (int half = 0; half < 2 * octaves; ++half) {
      const interval angle = powers_of_t ? interval{-widest, widest} : interval{0.0, widest};
      roots.push_back(std::make_unique<patch>(radii(half), angle, 0, 0));
    }
  }

  [[nodiscard]] std::size_t basis_size() const { return powers_of_t ? powers : angular_nodes; }

  void make(patch& p) const;
  [[nodiscard]] patch::state filled(patch& p) const;
  [[nodiscard]] patch::state split(patch& p, bool by_radius) const;
  void sample(const patch& p, double r, std::span<double> row, std::span<double> sizes) const;
  [[nodiscard]] const patch* find(double r, double t) const;

  std::size_t functions;
  bool powers_of_t;
  double widest;
  sampler f;
  std::vector<std::unique_ptr<patch>> roots;
};

polar_patches::polar_patches(std::unique_ptr<plan> p) : plan_(std::move(p)) {}
polar_patches::~polar_patches() = default;
polar_patches::polar_patches(polar_patches&&) noexcept = default;
polar_patches& polar_patches::operator=(polar_patches&&) noexcept = default;

polar_patches polar_patches::angular(std::size_t functions, double widest, sampler f) {
  return polar_patches(std::make_unique<plan>(functions, false, widest, std::move(f)));
}

polar_patches polar_patches::correlation(std::size_t functions, double largest, sampler f) {
  return polar_patches(std::make_unique<plan>(functions, true, largest, std::move(f)));
}

// Splits the patch by its radius or its angle, or gives up where it is small already.
polar_patches::patch::state polar_patches::plan::split(patch& p, bool by_radius) const {
  constexpr int most_radial = 3;
  constexpr int most_angular = 5;
  const bool may = by_radius ? p.radial_depth < most_radial : p.angular_depth < most_angular;
  if (!may) {
    return patch::state::unresolved;
  }
  const auto half = [&](bool upper) {
    return by_radius ? std::make_unique<patch>(p.radius.part(upper), p.angle, p.radial_depth + 1,
                                               p.angular_depth)
                     : std::make_unique<patch>(p.radius, p.angle.part(upper), p.radial_depth,
                                               p.angular_depth + 1);
  };
  p.lower = half(false);
  p.upper = half(true);
  return by_radius ? patch::state::split_radius : patch::state::split_angle;
}

// The coefficients of the basis in t at one radius: row[k n + j] of F_k.
void polar_patches::plan::sample(const patch& p, double r, std::span<double> row,
                                 std::span<double> sizes) const {
  check_stop();
  const std::size_t n = basis_size();
  if (powers_of_t) {
    f(r, {}, row, sizes);
    return;
  }
  const auto& cheb = rule<angular_nodes>();
  std::array<double, angular_nodes> angles;
  for (std::size_t j = 0; j < n; ++j) {
    angles[j] = p.angle.centre() + p.angle.half() * cheb.node[j];
  }
  std::array<double, max_functions * angular_nodes> values;
  f(r, angles, {values.data(), functions * n}, sizes);
  for (std::size_t k = 0; k < functions; ++k) {
    for (std::size_t j = 0; j < n; ++j) {
      double sum = 0.0;
      for (std::size_t l = 0; l < n; ++l) {
        sum += cheb.coefficient[j][l] * values[k * n + l];
      }
      row[k * n + j] = sum;
    }
  }
}

// Samples F and fills the patch, or splits it, or finds that it can't.
polar_patches::patch::state polar_patches::plan::filled(patch& p) const {
  constexpr double steep = 4.0;  // over half of a patch
  const std::size_t n = basis_size();
  const auto& cheb = rule<radial_nodes>();
  std::array<double, radial_nodes> radii_of;
  for (std::size_t i = 0; i < radial_nodes; ++i) {
    radii_of[i] = p.radius.centre() + p.radius.half() * cheb.node[i];
  }
  // How large a basis function is on the patch.
  std::array<double, widest_basis> size;
  size.fill(1.0);
  if (powers_of_t) {
    monomials(widest, n, size.data(), nullptr);
  }
  const auto magnitude = [&](const double* row) {
    double sum = 0.0;
    for (std::size_t j = 0; j < n; ++j) {
      sum += size[j] * std::abs(row[j]);
    }
    return sum;
  };
  if (!powers_of_t) {
    // One row tells whether the angle has to be split.
    std::array<double, max_functions * widest_basis> row;
    std::array<double, widest_basis> relative{};
    std::array<double, max_functions> sizes{};
    sample(p, p.radius.centre(), {row.data(), functions * n}, sizes);
    for (std::size_t k = 0; k < functions; ++k) {
      const double scale = std::max(magnitude(&row[k * n]), sizes[k]);
      for (std::size_t j = 0; j < n && scale > 0.0; ++j) {
        relative[j] = std::max(relative[j], std::abs(row[k * n + j]) / scale);
      }
    }
    if (!ends({relative.data(), n})) {
      return split(p, false);
    }
  }
  std::vector<double> rows(radial_nodes * functions * n);  // [i][k][j]
  std::array<std::array<double, max_functions>, radial_nodes> sizes{};
  for (std::size_t i = 0; i < radial_nodes; ++i) {
    sample(p, radii_of[i], {&rows[i * functions * n], functions * n}, sizes[i]);
  }
  std::vector<double> c(rows.size());          // [k][i][j]
  std::array<double, radial_nodes> radial{};   // the largest coefficients of T_i, relative
  std::array<double, widest_basis> angular{};  // and of the j-th basis function
  for (std::size_t k = 0; k < functions; ++k) {
    const auto row = [&](std::size_t i) { return &rows[(i * functions + k) * n]; };
    // A power of r is taken off what grows steeply, so that errors are relative at every r: the
    // lesser of the two halves' powers, since a zero of F looks steep on one of them.
    constexpr std::size_t middle = radial_nodes / 2;
    const auto power_between = [&](std::size_t from, std::size_t to) {
      const double ratio = magnitude(row(from)) / magnitude(row(to));
      const bool is_steep = std::isfinite(ratio) && (ratio > steep || ratio < 1.0 / steep);
      return is_steep && ratio > 0.0 ? std::log(ratio) / std::log(radii_of[from] / radii_of[to])
                                     : 0.0;
    };
    const double outer = power_between(0, middle);
    const double inner = power_between(middle, radial_nodes - 1);
    p.growth[k] =
        outer * inner > 0.0
            ? static_cast<int>(std::lround(std::abs(outer) < std::abs(inner) ? outer : inner))
            : 0;
    double scale = 0.0;
    for (std::size_t i = 0; i < radial_nodes; ++i) {
      const double weight = std::pow(radii_of[i] / p.radius.centre(), -p.growth[k]);
      scale = std::max(scale, weight * std::max(magnitude(row(i)), sizes[i][k]));
      for (std::size_t j = 0; j < n; ++j) {
        row(i)[j] *= weight;
      }
    }
    if (!std::isfinite(scale)) {
      return patch::state::unresolved;
    }
    for (std::size_t i = 0; i < radial_nodes; ++i) {
      for (std::size_t j = 0; j < n; ++j) {
        double sum = 0.0;
        for (std::size_t l = 0; l < radial_nodes; ++l) {
          sum += cheb.coefficient[i][l] * row(l)[j];
        }
        c[(k * radial_nodes + i) * n + j] = sum;
        if (scale > 0.0) {
          const double relative = size[j] * std::abs(sum) / scale;
          radial[i] = std::max(radial[i], relative);
          angular[j] = std::max(angular[j], relative);
        }
      }
    }
  }
  const std::span<const double> of_r(radial.data(), radial_nodes);
  const std::span<const double> of_t(angular.data(), n);
  const bool angle_ends = powers_of_t || ends(of_t);
  if (!angle_ends || !ends(of_r)) {
    return split(p, angle_ends);
  }
  // What is nothing beside the rest need not be summed.
  constexpr double nothing = 1e-17;
  const auto needed = [](std::span<const double> a) {
    std::size_t count = a.size();
    while (count > 2 && a[count - 1] <= nothing) {
      --count;
    }
    return count;
  };
  p.radial = needed(of_r);
  p.angular = needed(of_t);
  p.coefficients.reserve(functions * p.radial * p.angular);
  for (std::size_t k = 0; k < functions; ++k) {
    for (std::size_t i = 0; i < p.radial; ++i) {
      for (std::size_t j = 0; j < p.angular; ++j) {
        p.coefficients.push_back(c[(k * radial_nodes + i) * n + j]);
      }
    }
  }
  return patch::state::resolved;
}

void polar_patches::plan::make(patch& p) const {
  // What costs half of what a row may is no patch.
  effort_limit limit(row_effort / 2);
  patch::state is = patch::state::unresolved;
  try {
    is = filled(p);
  } catch (const convergence_error&) {
  } catch (const effort_error&) {
  }
  p.effort += limit.spent();
  for (const auto& part : {p.lower.get(), p.upper.get()}) {
    if (part != nullptr) {
      part->effort = p.effort;
    }
  }
  p.is.store(is, std::memory_order_release);
}

const polar_patches::patch* polar_patches::plan::find(double r, double t) const {
  if (!(r > 0.0) || !(r < std::numeric_limits<double>::max())) {
    return nullptr;
  }
  const int half = half_octave(r);
  if (half < 0 || half >= 2 * octaves) {
    return nullptr;
  }
  patch* p = roots[static_cast<std::size_t>(half)].get();
  for (;;) {
    patch::state is = p->is.load(std::memory_order_acquire);
    if (is == patch::state::new_) {
      const std::lock_guard lock(p->making);
      if (p->is.load(std::memory_order_acquire) == patch::state::new_) {
        make(*p);
      }
      is = p->is.load(std::memory_order_acquire);
    }
    switch (is) {
      case patch::state::split_radius:
        p = (p->radius.in_upper_half(r) ? p->upper : p->lower).get();
        break;
      case patch::state::split_angle:
        p = (p->angle.in_upper_half(t) ? p->upper : p->lower).get();
        break;
      case patch::state::resolved:
        effort_limit::spend_on(p, p->effort);
        return p;
      default:
        effort_limit::spend_on(p, p->effort);
        return nullptr;
    }
  }
}

bool polar_patches::values(double r, double t, std::span<double> F) const {
  const patch* p = plan_->find(r, t);
  if (p == nullptr) {
    return false;
  }
  std::array<double, radial_nodes> radial;
  std::array<double, widest_basis> angular;
  chebyshev(p->radius.local(r), p->radial, radial.data(), nullptr);
  if (plan_->powers_of_t) {
    monomials(t, p->angular, angular.data(), nullptr);
  } else {
    chebyshev(p->angle.local(t), p->angular, angular.data(), nullptr);
  }
  // Sums over r first, of whole rows: independent sums that a vector unit takes together.
  const double* c = p->coefficients.data();
  for (std::size_t k = 0; k < plan_->functions; ++k) {
    std::array<double, widest_basis> row{};
    for (std::size_t i = 0; i < p->radial; ++i, c += p->angular) {
      for (std::size_t j = 0; j < p->angular; ++j) {
        row[j] += radial[i] * c[j];
      }
    }
    F[k] = inner_product(row.data(), angular.data(), p->angular);
    if (p->growth[k] != 0) {
      F[k] *= std::pow(r / p->radius.centre(), p->growth[k]);
    }
  }
  return true;
}

bool polar_patches::with_slopes(double r, double t, std::span<double> F, std::span<double> by_r,
                                std::span<double> by_t) const {
  const patch* p = plan_->find(r, t);
  if (p == nullptr) {
    return false;
  }
  std::array<double, radial_nodes> radial;
  std::array<double, radial_nodes> radial_slope;
  std::array<double, widest_basis> angular;
  std::array<double, widest_basis> angular_slope;
  chebyshev(p->radius.local(r), p->radial, radial.data(), radial_slope.data());
  double angular_unit = 1.0;
  if (plan_->powers_of_t) {
    monomials(t, p->angular, angular.data(), angular_slope.data());
  } else {
    chebyshev(p->angle.local(t), p->angular, angular.data(), angular_slope.data());
    angular_unit = p->angle.half();
  }
  const double* c = p->coefficients.data();
  for (std::size_t k = 0; k < plan_->functions; ++k) {
    std::array<double, widest_basis> row{};
    std::array<double, widest_basis> row_r{};
    for (std::size_t i = 0; i < p->radial; ++i, c += p->angular) {
      for (std::size_t j = 0; j < p->angular; ++j) {
        row[j] += radial[i] * c[j];
        row_r[j] += radial_slope[i] * c[j];
      }
    }
    const double sum = inner_product(row.data(), angular.data(), p->angular);
    const double sum_r = inner_product(row_r.data(), angular.data(), p->angular);
    const double sum_t = inner_product(row.data(), angular_slope.data(), p->angular);
    const double growth = p->growth[k] == 0 ? 1.0 : std::pow(r / p->radius.centre(), p->growth[k]);
    F[k] = sum * growth;
    by_r[k] = (sum_r / p->radius.half() + sum * p->growth[k] / r) * growth;
    by_t[k] = sum_t / angular_unit * growth;
  }
  return true;
}

namespace {

// What is left of a series with 32 powers, 0.3³² = 2e-17, is nothing.
constexpr double small_correlation = 0.3;

// θ is the angle to ±w*, less that where the patches begin.
polar_patches::sampler by_angle(const polar_functions::sampler& f, double sign, double begin) {
  return [f, sign, begin](double r, std::span<const double> theta, std::span<double> out,
                          std::span<double> sizes) {
    std::array<double, angular_nodes> c;
    std::array<double, angular_nodes> gap;
    for (std::size_t i = 0; i < theta.size(); ++i) {
      const double h = r * std::sin(begin + theta[i]);
      c[i] = sign * r * std::cos(begin + theta[i]);
      gap[i] = h * h;
    }
    f(r, {c.data(), theta.size()}, {gap.data(), theta.size()}, out, sizes);
  };
}

// The angle at which correlations count as small.
double steepest() {
  static const double angle = std::acos(small_correlation);
  return angle;
}

}  // namespace

polar_functions::polar_functions(std::size_t functions, const sampler& f,
                                 polar_patches::sampler series, std::span<const kink> student,
                                 std::span<const kink> teacher)
    : meetings_(kink_meetings(student, teacher)),
      along_(polar_patches::angular(functions, steepest(), by_angle(f, 1.0, 0.0))),
      against_(polar_patches::angular(functions, steepest(), by_angle(f, -1.0, 0.0))),
      across_(polar_patches::correlation(functions, small_correlation, std::move(series))),
      between_(polar_patches::angular(functions,
                                      boost::math::constants::pi<double>() - 2.0 * steepest(),
                                      by_angle(f, 1.0, steepest()))) {}

bool polar_functions::near_meeting(double r, double angle, bool along) const {
  const double near = 0.25 * steepest();  // where two halvings of a patch begin
  return angle < near && std::any_of(meetings_.begin(), meetings_.end(), [&](double m) {
           return (m > 0.0) == along && r < 2.0 * std::abs(m) && std::abs(m) < 2.0 * r;
         });
}

template <class Found>
bool polar_functions::any_place(double M, double r, double h, const Found& found) const {
  const double r2 = r * r;
  if (std::abs(M) <= small_correlation * r) {
    return found(place{&across_, M / r, h * h / (r2 * r), -M * h / (r2 * r)}) ||
           found(place{&between_, std::atan2(h, M) - steepest(), -h / r2, M / r2});
  }
  const bool along = M > 0.0;
  const double angle = std::atan2(h, std::abs(M));
  return !near_meeting(r, angle, along) &&
         (along ? found(place{&along_, angle, -h / r2, M / r2})
                : found(place{&against_, angle, h / r2, -M / r2}));
}

bool polar_functions::values(double M, double Q, double gap, std::span<double> F) const {
  const double r = std::sqrt(Q);
  return any_place(M, r, std::sqrt(gap),
                   [&](const place& at) { return at.patches->values(r, at.t, F); });
}

bool polar_functions::with_slopes(double M, double Q, double gap, std::span<double> F,
                                  std::span<double> by_M, std::span<double> by_gap) const {
  constexpr double nearest = 1e-4;  // h / r
  const double h = std::max(std::sqrt(gap), nearest * std::sqrt(Q));
  const double r = std::hypot(M, h);
  return any_place(M, r, h, [&](const place& at) {
    std::array<double, polar_patches::max_functions> by_r;
    std::array<double, polar_patches::max_functions> by_t;
    if (!at.patches->with_slopes(r, at.t, F, by_r, by_t)) {
      return false;
    }
    for (std::size_t k = 0; k < F.size(); ++k) {
      by_M[k] = by_r[k] * M / r + by_t[k] * at.t_M;
      by_gap[k] = 0.5 * (by_r[k] / r + by_t[k] * at.t_h / h);
    }
    return true;
  });
}

}  // namespace loradyn
