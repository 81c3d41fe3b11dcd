#include "kernel/label_variance.hpp"
#include <algorithm>
#include <cmath>
#include <utility>
#include <vector>
#include "kernel/averages.hpp"

namespace loradyn {
namespace {

// σ'² of a σ without kinks, as a polynomial where σ is one of half the largest degree.
activation squared_slope(const activation& student) {
  const polynomial* f = student.as_polynomial();
  if (f != nullptr && 2 * f->degree() <= max_degree + 2) {
    const polynomial slope = f->derivative();
    const auto c = slope.monomial();
    std::vector<double> square(c.empty() ? 0 : 2 * c.size() - 1, 0.0);
    for (std::size_t i = 0; i < c.size(); ++i) {
      for (std::size_t j = 0; j < c.size(); ++j) {
        square[i + j] += c[i] * c[j];
      }
    }
    return activation(polynomial::from_monomials(std::move(square)), "slope^2");
  }
  user_function u;
  u.name = "slope^2";
  u.value = [student](double x) {
    const double s = student.first(x);
    return s * s;
  };
  u.first = [student](double x) { return 2.0 * student.first(x) * student.second(x); };
  u.second = [student](double x) {
    const derivatives d = student.all(x);
    return 2.0 * (d[2] * d[2] + d[1] * d[3]);
  };
  u.features = student.features();
  return activation(std::move(u));
}

}  // namespace

label_variance::label_variance(const activation& student, const activation& variance)
    : student_(student), variance_(variance) {
  if (student.kinks().empty() && variance.kinks().empty()) {
    smooth_.emplace(squared_slope(student), variance);
  }
}

double label_variance::value(double M, double Q, double gap) const {
  if (smooth_) {
    return smooth_->value({Q, 1.0, M, gap});
  }
  const auto power = [](const point_block& at, double* values) {
    for (std::size_t p = 0; p < at.count; ++p) {
      values[p] = at.f[1][p] * at.f[1][p] * at.g[0][p];
    }
  };
  const pair_covariance v{Q, 1.0, M, gap};
  return v.on_edge()
             ? line_averages(student_, {0.0, M}, variance_, {0.0, 1.0}, 1, 1, power).value[0]
             : plane_averages(student_, variance_, v, 1, 1, power).value[0];
}

label_variance_value label_variance::with_derivatives(double M, double Q, double gap) const {
  if (smooth_) {
    const pair_moments k =
        smooth_->moments({Q, 1.0, M, gap}, moment_set::value | moment_set::gradient);
    return {k.e00, k.e11, 0.5 * k.e20};
  }
  // Fourth order in (M, gap); at gap = 0 the formula is one-sided.
  const auto at = [&](double m, double g) { return value(m, m * m + g, g); };
  const double h = 2e-3 * std::max(1.0, std::abs(M));
  const auto central = [h](const auto& f) {
    return (8.0 * (f(h) - f(-h)) - (f(2.0 * h) - f(-2.0 * h))) / (12.0 * h);
  };
  const auto forward = [h](const auto& f) {
    return (-25.0 * f(0.0) + 48.0 * f(h) - 36.0 * f(2.0 * h) + 16.0 * f(3.0 * h) -
            3.0 * f(4.0 * h)) /
           (12.0 * h);
  };
  const auto over_gap = [&](double x) { return at(M, gap + x); };
  const double by_M = central([&](double x) { return at(M + x, gap); });
  const double by_gap = gap > 2.0 * h ? central(over_gap) : forward(over_gap);
  return {value(M, Q, gap), by_M - 2.0 * M * by_gap, by_gap};
}

}  // namespace loradyn
