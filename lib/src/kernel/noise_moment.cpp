#include <algorithm>
#include <array>
#include <boost/math/constants/constants.hpp>
#include <cmath>
#include <loradyn/activation/parse.hpp>
#include <loradyn/error.hpp>
#include <loradyn/gaussian/gauss_hermite.hpp>
#include <loradyn/kernel/noise_moment.hpp>
#include <loradyn/kernel/pair_kernel.hpp>
#include <mutex>
#include <optional>
#include <string>
#include <utility>
#include <variant>
#include <vector>
#include "kernel/averages.hpp"
#include "kernel/half_line_pair.hpp"
#include "kernel/label_variance.hpp"
#include "kernel/numerical.hpp"
#include "kernel/piecewise_pair.hpp"
#include "kernel/polar_patches.hpp"
#include "kernel/polynomial_noise.hpp"

namespace loradyn {
namespace {

using boost::math::constants::pi;

// d/dq E[f(√q z)²] = E[f'²] + E[ff''].
double power_slope(const pair_kernel& self, double q) {
  const pair_moments m = self.moments(pair_covariance::diagonal(q), moment_set::gradient);
  return m.e11 + m.e20;
}

// A student a·erf: σ'² = (4a²/π) e^{-2λ²} is a Gaussian weight. Under it the pair is Gaussian
// again, with λ's precision raised by 4, and V is the mean square error of that pair.
struct erf_student {
  pair_kernel self;
  pair_kernel cross;
  pair_kernel teacher;
  double weight;

  struct reweighted {
    reweighted(double M, double Q, double gap, double weight)
        : d(1.0 + 4.0 * Q),
          pair{Q / d, (1.0 + 4.0 * gap) / d, M / d, gap / d},
          slope_power(4.0 * weight * weight / (pi<double>() * std::sqrt(d))) {}
    double d;
    pair_covariance pair;
    double slope_power;  // E[σ'²]
  };

  [[nodiscard]] double error(const reweighted& r, double product, double label_noise) const {
    return self.value(pair_covariance::diagonal(r.pair.q1)) - 2.0 * product +
           teacher.value(pair_covariance::diagonal(r.pair.q2)) + label_noise;
  }

  [[nodiscard]] double value(double M, double Q, double gap, double label_noise) const {
    const reweighted r(M, Q, gap, weight);
    return r.slope_power * error(r, cross.value(r.pair), label_noise);  // (6.2)
  }

  [[nodiscard]] noise_value with_derivatives(double M, double Q, double gap,
                                             double label_noise) const {
    const reweighted r(M, Q, gap, weight);
    const pair_moments k =
        cross.moments(r.pair, moment_set::value | moment_set::gradient | moment_set::gradient2);
    const double mean_error = error(r, k.e00, label_noise);
    const double by_q = power_slope(self, r.pair.q1) - k.e20;
    const double by_r = power_slope(teacher, r.pair.q2) - k.e02;
    const double by_c = -2.0 * k.e11;
    const double c = r.pair.c;
    return {r.slope_power * mean_error, r.slope_power * (by_c / r.d - 8.0 * c * by_r),
            r.slope_power * (by_q / (r.d * r.d) - 4.0 * c * by_c / r.d + 16.0 * c * c * by_r -
                             2.0 * mean_error / r.d)};
  }
};

// A student a·relu and a teacher b·relu: σ'² = a² 1(λ > 0).
struct relu_pair {
  pair_kernel relu;
  double a;
  double b;

  [[nodiscard]] double value(double M, double Q, double gap, double label_noise) const {
    const pair_moments k = relu.moments({Q, 1.0, M, gap}, moment_set::value | moment_set::gradient);
    return mean_square(k, M, Q, std::sqrt(gap), label_noise);
  }

  [[nodiscard]] noise_value with_derivatives(double M, double Q, double gap,
                                             double label_noise) const {
    const pair_moments k = relu.moments({Q, 1.0, M, gap}, moment_set::value | moment_set::gradient);
    const double root = std::sqrt(gap);
    const double half_power_M = root / (pi<double>() * Q);
    const double half_power_Q = -M * root / (2.0 * pi<double>() * Q * Q);
    const double a2 = a * a;
    const double ab = a * b;
    const double b2 = b * b;
    return {mean_square(k, M, Q, root, label_noise), a2 * (-2.0 * ab * k.e11 + b2 * half_power_M),
            a2 * (0.5 * a2 - ab * k.e20 + b2 * half_power_Q)};
  }

  // (6.2). Both are positive with probability e11.
  [[nodiscard]] double mean_square(const pair_moments& k, double M, double Q, double root,
                                   double label_noise) const {
    const double half_power = k.e11 + M * root / (2.0 * pi<double>() * Q);  // E[λ*₊² 1(λ > 0)]
    return a * a * (0.5 * a * a * Q - 2.0 * a * b * k.e00 + b * b * half_power + 0.5 * label_noise);
  }
};

// Polynomials between kinks: (6.2) multiplied out, as `products`.
template <class Pieces, class Pair, class Average>
struct products_of_pieces {
  products_of_pieces(const Pieces& s, const Pieces& g)
      : products_of_pieces(s, g, product_of(derivative_of(s), derivative_of(s))) {}

  // of σ'² too
  products_of_pieces(const Pieces& s, const Pieces& g, const Pieces& slope_square)
      : slope_power(slope_square),
        power(product_of(product_of(s, s), slope_square)),
        mixed(product_of(s, slope_square), g),
        label_power(slope_square, product_of(g, g)) {}

  [[nodiscard]] double value(double M, double Q, double gap, double label_noise) const {
    const pair_covariance v = place(M, Q, gap);
    return mean_square(v, mixed.gradient(v, moment_set::value).e00,
                       label_power.gradient(v, moment_set::value).e00, label_noise);
  }

  [[nodiscard]] noise_value with_derivatives(double M, double Q, double gap,
                                             double label_noise) const {
    const pair_covariance v = place(M, Q, gap);
    const pair_moments x = mixed.gradient(v, moment_set::value | moment_set::gradient);
    const pair_moments t = label_power.gradient(v, moment_set::value | moment_set::gradient);
    return {mean_square(v, x.e00, t.e00, label_noise), t.e11 - 2.0 * x.e11,
            power.slope(v.q1) + 0.5 * t.e20 - x.e20 + label_noise * slope_power.slope(v.q1)};
  }

  // Of w = 0 the limit.
  static pair_covariance place(double M, double Q, double gap) {
    constexpr double least_power = 1e-100;
    return Q < least_power ? pair_covariance{least_power, 1.0, 0.0, least_power}
                           : pair_covariance{Q, 1.0, M, gap};
  }

  // A mean square: what is below the rounding of its terms is none.
  [[nodiscard]] double mean_square(const pair_covariance& v, double of_mixed, double of_label_power,
                                   double label_noise) const {
    constexpr double rounding = 1e-15;
    const double own = power.value(v.q1);
    const double quiet = own - 2.0 * of_mixed + of_label_power;
    return (quiet > rounding * (own + of_label_power) ? quiet : 0.0) +
           label_noise * slope_power.value(v.q1);
  }

  Average slope_power;  // σ'²
  Average power;        // (σσ')²
  Pair mixed;           // σσ'² and g
  Pair label_power;     // σ'² and g²
};

using half_line_products =
    products_of_pieces<half_line_polynomials, half_line_pair, half_line_average>;
using knot_products = products_of_pieces<knot_polynomials, piecewise_pair, knot_average>;

// Whether all of them keep their digits.
template <class Pieces>
bool products_are_well_conditioned(const Pieces& s, const Pieces& g) {
  const Pieces force = product_of(s, derivative_of(s));
  return is_well_conditioned(product_of(g, g)) && is_well_conditioned(product_of(force, force));
}

// A kernel at one variance of X.
class sliced {
 public:
  sliced(const pair_kernel& kernel, double q1) : slice_(*kernel.numerical(), q1) {}
  double value(const pair_covariance& v) { return slice_.moments(v, moment_set::value).e00; }

 private:
  numerical_pair::slice slice_;
};

// (6.2) multiplied out: V = E[(σσ')²] - 2 E[σσ'² g] + E[σ'² g²] + Δ E[σ'²], four functions of λ
// against three of λ*.
struct products {
  pair_kernel power;        // (σσ')² and 1
  pair_kernel mixed;        // σσ'² and g
  pair_kernel label_power;  // σ'² and g²
  pair_kernel slope_power;  // σ'² and 1

  [[nodiscard]] double value(double M, double Q, double gap, double label_noise) const {
    const pair_covariance v{Q, 1.0, M, gap};
    const pair_covariance alone{Q, 1.0, 0.0, Q};
    const double noise = label_noise > 0.0 ? label_noise * slope_power.value(alone) : 0.0;
    return power.value(alone) - 2.0 * mixed.value(v) + label_power.value(v) + noise;
  }

  // V at Δ = 0 and E[σ'²] at one Q = r² and several M, as patches are made of them.
  void sample(double r, std::span<const double> M, std::span<const double> gap,
              std::span<double> out, std::span<double> sizes) const {
    const double Q = r * r;
    const pair_covariance alone{Q, 1.0, 0.0, Q};
    const double own = power.value(alone);
    const double slopes = slope_power.value(alone);
    sliced x(mixed, Q);
    sliced t(label_power, Q);
    for (std::size_t i = 0; i < M.size(); ++i) {
      const pair_covariance v{Q, 1.0, M[i], gap[i]};
      const double of_label = t.value(v);
      out[i] = own - 2.0 * x.value(v) + of_label;
      out[M.size() + i] = slopes;
      sizes[0] = std::max(sizes[0], own + of_label);
    }
  }

  // The coefficients of their powers of the correlation.
  void series(double r, std::span<double> out, std::span<double> sizes) const {
    constexpr std::size_t n = polar_patches::powers;
    const double Q = r * r;
    const pair_covariance alone{Q, 1.0, 0.0, Q};
    std::array<double, n> of_mixed;
    std::array<double, n> of_label_power;
    numerical_pair::slice(*mixed.numerical(), Q).series(0, 0, of_mixed);
    numerical_pair::slice(*label_power.numerical(), Q).series(0, 0, of_label_power);
    std::fill(out.begin(), out.end(), 0.0);
    for (std::size_t i = 0; i < n; ++i) {
      out[i] = of_label_power[i] - 2.0 * of_mixed[i];
    }
    const double own = power.value(alone);
    sizes[0] = own + of_label_power[0];
    out[0] += own;
    out[n] = slope_power.value(alone);
  }

  [[nodiscard]] noise_value with_derivatives(double M, double Q, double gap,
                                             double label_noise) const {
    constexpr moment_set wanted = moment_set::value | moment_set::gradient;
    const pair_covariance v{Q, 1.0, M, gap};
    const pair_covariance alone{Q, 1.0, 0.0, Q};
    const pair_moments p = power.moments(alone, wanted);
    const pair_moments x = mixed.moments(v, wanted);
    const pair_moments t = label_power.moments(v, wanted);
    noise_value result{p.e00 - 2.0 * x.e00 + t.e00, t.e11 - 2.0 * x.e11,
                       0.5 * (p.e20 + t.e20) - x.e20};
    if (label_noise > 0.0) {
      const pair_moments s = slope_power.moments(alone, wanted);
      result.V += label_noise * s.e00;
      result.V_Q += 0.5 * label_noise * s.e20;
    }
    return result;
  }
};

// Kinks on either side, or products that grow too fast to be averaged by themselves: h = ((σ(λ) -
// g(λ*))² + Δ) σ'(λ)² is averaged over the plane as it stands. Its derivatives, V_M = E[∂²h/∂λ∂λ*]
// and V_Q = ½ E[∂²h/∂λ²], are those of the pieces and what the jumps of h and of its slope at the
// kinks add. Where σ is a polynomial, so is h in λ, and its average over λ given λ* is exact.
struct plane_pair {
  plane_pair(activation s, activation t, std::optional<products> series)
      : student(std::move(s)), teacher(std::move(t)), series_(std::move(series)) {
    if (const polynomial* p = student.as_polynomial()) {
      across_.emplace(2 * std::max<std::size_t>(1, p->degree()));
    }
  }

  [[nodiscard]] double value(double M, double Q, double gap, double label_noise) const {
    const pair_covariance v{Q, 1.0, M, gap};
    if (!v.on_edge() && has_cheap_products(v)) {
      return series_->value(M, Q, gap, label_noise);
    }
    // The second component tells what is rounding of the first, near the target.
    const auto power = [label_noise](const point_block& at, double* values) {
      for (std::size_t p = 0; p < at.count; ++p) {
        const double f = at.f[0][p];
        const double g = at.g[0][p];
        const double slopes = at.f[1][p] * at.f[1][p];
        values[p] = ((f - g) * (f - g) + label_noise) * slopes;  // (6.2)
        values[at.count + p] = (f * f + g * g) * slopes;
      }
    };
    return v.on_edge() ? line_averages(student, {0.0, M}, teacher, {0.0, 1.0}, 1, 2, power).value[0]
                       : over_plane(v, 1, 2, power).value[0];
  }

  void sample(double r, std::span<const double> M, std::span<const double> gap,
              std::span<double> out, std::span<double> sizes) const {
    const double Q = r * r;
    if (series_ && ((student.kinked_at_zero_alone() && teacher.kinked_at_zero_alone()) ||
                    (has_cheap_products({Q, 1.0, M.front(), gap.front()}) &&
                     has_cheap_products({Q, 1.0, M.back(), gap.back()})))) {
      series_->sample(r, M, gap, out, sizes);
      return;
    }
    const double slopes =
        line_averages(student, {0.0, r}, 1, 1, [](const point_block& at, double* values) {
          for (std::size_t p = 0; p < at.count; ++p) {
            values[p] = at.f[1][p] * at.f[1][p];
          }
        }).value[0];
    for (std::size_t i = 0; i < M.size(); ++i) {
      out[i] = value(M[i], Q, gap[i], 0.0);
      out[M.size() + i] = slopes;
    }
  }

  void series(double r, std::span<double> out, std::span<double> sizes) const {
    if (!series_) {
      throw convergence_error("the student grows too fast for a series of its noise");
    }
    series_->series(r, out, sizes);
  }

  [[nodiscard]] noise_value with_derivatives(double M, double Q, double gap,
                                             double label_noise) const {
    // At gap = 0 V's slopes have a limit: the pieces are averaged along the line, and at a kink of
    // σ the other side's on either side of its own, as √gap of 1e-7 has them. "The slopes of V at
    // the edge are those beside it" has gaps of 1e-10.
    constexpr double least_gap = 1e-14;
    const pair_covariance v{Q, 1.0, M, std::max(gap, least_gap * Q)};
    const auto slopes = [label_noise](const point_block& at, double* values) {
      for (std::size_t p = 0; p < at.count; ++p) {
        const double e = at.f[0][p] - at.g[0][p];
        const double s1 = at.f[1][p];
        const double s2 = at.f[2][p];
        const double s3 = at.f[3][p];
        const double power = e * e + label_noise;
        values[p] = power * s1 * s1;
        values[at.count + p] = -2.0 * at.g[1][p] * s1 * (s1 * s1 + 2.0 * e * s2);
        values[2 * at.count + p] = s1 * s1 * (s1 * s1 + 5.0 * e * s2) + power * (s2 * s2 + s1 * s3);
      }
    };
    const averages a = gap > 0.0 ? over_plane(v, 3, 3, slopes)
                                 : line_averages(student, {0.0, std::sqrt(Q)}, teacher,
                                                 {0.0, std::copysign(1.0, M)}, 3, 3, slopes);
    noise_value result{a.value[0], a.value[1], a.value[2]};
    for (const kink& k : student.kinks()) {
      add_student_kink(result, k, v, label_noise);
    }
    for (const kink& k : teacher.kinks()) {
      if (k.jumps[0] != 0.0) {
        add_teacher_jump(result, k, v);
      }
    }
    return result;
  }

 private:
  averages over_plane(const pair_covariance& v, std::size_t order, std::size_t components,
                      pair_integrand integrand) const {
    return across_
               ? polynomial_averages(student, *across_, teacher, v, order, components, integrand)
               : plane_averages(student, teacher, v, order, components, integrand);
  }

  // Whether the kernels of the products are sums of series, or averages over a line: cheaper than
  // the plane.
  [[nodiscard]] bool has_cheap_products(const pair_covariance& v) const {
    return series_ &&
           (series_ends(student, teacher, v) || (series_->mixed.numerical()->has_pieces() &&
                                                 series_->label_power.numerical()->has_pieces()));
  }

  static double density(double t, double mean, double variance) {
    return std::exp(-0.5 * (t - mean) * (t - mean) / variance) /
           std::sqrt(2.0 * pi<double>() * variance);
  }

  // At λ = t: [h] = (e² + Δ)[σ'²] and [∂h/∂λ] = 2e[σ'³] + 2(e² + Δ)[σ'σ''], functions of λ*.
  void add_student_kink(noise_value& result, const kink& k, const pair_covariance& v,
                        double label_noise) const {
    const double t = k.location;
    const derivatives left = student.all(t);
    const double value = left[0];
    const double s1 = left[1] + k.jumps[1];
    const double s2 = left[2] + k.jumps[2];
    const double squares = s1 * s1 - left[1] * left[1];
    const double cubes = s1 * s1 * s1 - left[1] * left[1] * left[1];
    const double products = s1 * s2 - left[1] * left[2];
    const double slope = v.c / v.q1;
    const double variance = v.gap / v.q1;
    const averages given_t = line_averages(teacher, {slope * t, std::sqrt(variance)}, 1, 3,
                                           [value](const point_block& at, double* values) {
                                             for (std::size_t p = 0; p < at.count; ++p) {
                                               const double e = value - at.f[0][p];
                                               values[p] = e;
                                               values[at.count + p] = e * e;
                                               values[2 * at.count + p] = e * at.f[1][p];
                                             }
                                           });
    double by_label = -2.0 * given_t.value[2];  // E[∂(e²)/∂λ*]
    for (const kink& other : teacher.kinks()) {
      if (other.jumps[0] != 0.0) {
        by_label += density(other.location, slope * t, variance) * square_jump(other, value);
      }
    }
    const double power = given_t.value[1] + label_noise;
    const double p = density(t, 0.0, v.q1);
    result.V_M += p * squares * by_label;
    result.V_Q += 0.5 * p *
                  (2.0 * given_t.value[0] * cubes + 2.0 * power * products -
                   squares * (slope * by_label - t / v.q1 * power));
  }

  // (σ - g)² after a jump of g less that before.
  [[nodiscard]] double square_jump(const kink& k, double value) const {
    const double before = value - teacher(k.location);
    return -k.jumps[0] * (2.0 * before - k.jumps[0]);
  }

  // At λ* = s: [∂h/∂λ] = 2[e]σ'³ + 2[e²]σ'σ'', a function of λ between its kinks.
  void add_teacher_jump(noise_value& result, const kink& k, const pair_covariance& v) const {
    const averages given_s =
        line_averages(student, {v.c * k.location, std::sqrt(v.gap)}, 2, 1,
                      [&](const point_block& at, double* values) {
                        for (std::size_t p = 0; p < at.count; ++p) {
                          const double s1 = at.f[1][p];
                          values[p] = -2.0 * k.jumps[0] * s1 * s1 * s1 +
                                      2.0 * square_jump(k, at.f[0][p]) * s1 * at.f[2][p];
                        }
                      });
    result.V_M += density(k.location, 0.0, 1.0) * given_s.value[0];
  }

  activation student;
  activation teacher;
  std::optional<products> series_;
  std::optional<gauss_hermite_rule> across_;
};

using three = std::array<double, 3>;

three square(const three& f) {
  return {f[0] * f[0], 2.0 * f[0] * f[1], 2.0 * (f[1] * f[1] + f[0] * f[2])};
}
three product(const three& f, const three& g) {
  return {f[0] * g[0], f[1] * g[0] + f[0] * g[1], f[2] * g[0] + 2.0 * f[1] * g[1] + f[0] * g[2]};
}
three function_of(const derivatives& d) { return {d[0], d[1], d[2]}; }
three slope_of(const derivatives& d) { return {d[1], d[2], d[3]}; }

// A function of σ and its derivatives, with the first two derivatives of its own.
template <class Function>
activation derived(const activation& source, std::string name, Function f) {
  user_function u;
  u.name = std::move(name);
  u.value = [source, f](double x) { return f(source.all(x))[0]; };
  u.first = [source, f](double x) { return f(source.all(x))[1]; };
  u.second = [source, f](double x) { return f(source.all(x))[2]; };
  u.block = [source, f](std::span<const double> x, std::array<std::span<double>, 3> out) {
    std::array<double, 5 * user_function::largest_block> values{};
    std::array<std::span<double>, 5> rows;
    for (std::size_t k = 0; k < rows.size(); ++k) {
      rows[k] = {&values[k * user_function::largest_block], x.size()};
    }
    // The k-th derivative asks for σ⁽ᵏ⁺¹⁾ and those below.
    if (!out[1].empty()) {
      source.tabulate_all(x, rows);
    } else {
      source.tabulate(x, rows[0], rows[1], {});
    }
    for (std::size_t i = 0; i < x.size(); ++i) {
      const three d = f({rows[0][i], rows[1][i], rows[2][i], rows[3][i], rows[4][i]});
      for (std::size_t k = 0; k < d.size() && !out[k].empty(); ++k) {
        out[k][i] = d[k];
      }
    }
  };
  for (const kink& k : source.kinks()) {
    u.kinks.push_back(k.location);
  }
  u.features = source.features();
  return activation(std::move(u));
}

products make_products(const activation& student, const activation& teacher) {
  const activation one(polynomial::from_monomials({1.0}), "1");
  const activation steep =
      derived(student, "slope^2", [](const derivatives& d) { return square(slope_of(d)); });
  const activation force = derived(student, "value*slope^2", [](const derivatives& d) {
    return product(function_of(d), square(slope_of(d)));
  });
  const activation power = derived(student, "(value*slope)^2", [](const derivatives& d) {
    return square(product(function_of(d), slope_of(d)));
  });
  const activation label_power =
      derived(teacher, "teacher^2", [](const derivatives& d) { return square(function_of(d)); });
  return {pair_kernel(power, one), pair_kernel(force, teacher), pair_kernel(steep, label_power),
          pair_kernel(steep, one)};
}

bool only_erf(const activation_parts& p) {
  return !p.has_rest && p.relu_weight == 0.0 && p.polynomial_part.zero() && p.erf_weight != 0.0;
}

bool only_relu(const activation_parts& p) {
  return !p.has_rest && p.erf_weight == 0.0 && p.polynomial_part.zero() && p.relu_weight != 0.0;
}

}  // namespace

class noise_method {
 public:
  using kind = std::variant<erf_student, relu_pair, polynomial_noise, half_line_products,
                            knot_products, products, plane_pair>;

  noise_method(const activation& student, const activation& teacher)
      : student_(student), teacher_(teacher) {}

  const kind& get() {
    std::call_once(once_, [this] {
      kind_.emplace(make());
      std::visit([this](const auto& k) { prepare(k); }, *kind_);
    });
    return *kind_;
  }

  // V at Δ = 0 and E[σ'²] by patches, or null where V has a closed form; after get().
  [[nodiscard]] const polar_functions* prepared() const noexcept {
    return prepared_ ? &*prepared_ : nullptr;
  }

 private:
  [[nodiscard]] kind make() const {
    const activation_parts& s = student_.parts();
    const activation_parts& g = teacher_.parts();
    if (only_erf(s) && !g.has_rest) {
      return erf_student{pair_kernel(student_, student_), pair_kernel(student_, teacher_),
                         pair_kernel(teacher_, teacher_), s.erf_weight};
    }
    if (only_relu(s) && only_relu(g)) {
      const activation plain = parse_activation("relu");
      return relu_pair{pair_kernel(plain, plain), s.relu_weight, g.relu_weight};
    }
    const polynomial* student = student_.as_polynomial();
    const polynomial* teacher = teacher_.as_polynomial();
    if (student != nullptr && teacher != nullptr) {
      return polynomial_noise(*student, *teacher);
    }
    const half_line_polynomials* half_s = student_.on_half_lines();
    const half_line_polynomials* half_g = teacher_.on_half_lines();
    if (half_s != nullptr && half_g != nullptr && teacher_.continuous() &&
        products_are_well_conditioned(*half_s, *half_g)) {
      return half_line_products(*half_s, *half_g);
    }
    const auto knots_s = knot_polynomials_of(student_);
    const auto knots_g = knot_polynomials_of(teacher_);
    if (knots_s && knots_g && teacher_.continuous() &&
        products_are_well_conditioned(*knots_s, *knots_g)) {
      return knot_products(*knots_s, *knots_g);
    }
    std::optional<products> series;
    try {
      series.emplace(make_products(student_, teacher_));
    } catch (const convergence_error&) {
      // Their squares, which a series needs, have no average in this range of numbers.
    }
    if (series && student == nullptr && student_.kinks().empty() && teacher_.kinks().empty()) {
      return *std::move(series);
    }
    return plane_pair{student_, teacher_, std::move(series)};
  }

  template <class Kind>
  void prepare(const Kind& k) {
    if constexpr (std::is_same_v<Kind, products> || std::is_same_v<Kind, plane_pair>) {
      prepared_.emplace(
          2,
          [&k](double r, std::span<const double> M, std::span<const double> gap,
               std::span<double> out, std::span<double> sizes) { k.sample(r, M, gap, out, sizes); },
          [&k](double r, std::span<const double>, std::span<double> out, std::span<double> sizes) {
            k.series(r, out, sizes);
          },
          student_.kinks(), teacher_.kinks());
    }
  }

  activation student_;
  activation teacher_;
  std::once_flag once_;
  std::optional<kind> kind_;
  std::optional<polar_functions> prepared_;
};

noise_moment::noise_moment(const activation& student, const activation& teacher)
    : method_(std::make_shared<noise_method>(student, teacher)) {}

noise_moment::noise_moment(const activation& student, const activation& teacher,
                           const activation& excess)
    : method_(std::make_shared<noise_method>(student, teacher)),
      excess_(std::make_shared<label_variance>(student, excess)) {}

double noise_moment::value(double M, double Q, double gap, double label_noise) const {
  const double homogeneous = std::visit(
      [&](const auto& kind) { return kind.value(M, Q, gap, label_noise); }, method_->get());
  return excess_ ? homogeneous + excess_->value(M, Q, gap) : homogeneous;  // (10.2)
}

double noise_moment::prepared_value(double M, double Q, double gap, double label_noise) const {
  const noise_method::kind& kind = method_->get();
  const polar_functions* prepared = method_->prepared();
  std::array<double, 2> F;
  const double homogeneous =
      prepared != nullptr && prepared->values(M, Q, gap, F)
          ? std::max(F[0], 0.0) + label_noise * F[1]
          : std::visit([&](const auto& k) { return k.value(M, Q, gap, label_noise); }, kind);
  return excess_ ? homogeneous + excess_->value(M, Q, gap) : homogeneous;  // (10.2)
}

noise_value noise_moment::approximate(double M, double Q, double gap, double label_noise) const {
  std::array<double, 2> F;
  std::array<double, 2> by_M;
  std::array<double, 2> by_gap;
  method_->get();
  const polar_functions* prepared = method_->prepared();
  if (prepared == nullptr || excess_ || !prepared->with_slopes(M, Q, gap, F, by_M, by_gap)) {
    return with_derivatives(M, Q, gap, label_noise);
  }
  // At fixed Q, gap = Q - M².
  const double by_Q = by_gap[0] + label_noise * by_gap[1];
  return {std::max(F[0], 0.0) + label_noise * F[1],
          by_M[0] + label_noise * by_M[1] - 2.0 * M * by_Q, by_Q};
}

noise_value noise_moment::with_derivatives(double M, double Q, double gap,
                                           double label_noise) const {
  noise_value result =
      std::visit([&](const auto& kind) { return kind.with_derivatives(M, Q, gap, label_noise); },
                 method_->get());
  if (excess_) {
    const label_variance_value more = excess_->with_derivatives(M, Q, gap);
    result.V += more.value;
    result.V_M += more.by_M;
    result.V_Q += more.by_Q;
  }
  return result;
}

}  // namespace loradyn
