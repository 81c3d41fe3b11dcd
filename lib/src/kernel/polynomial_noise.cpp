#include "kernel/polynomial_noise.hpp"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <loradyn/gaussian/gauss_hermite.hpp>
#include <loradyn/gaussian/hermite.hpp>
#include <utility>

#include "activation/instruction_sets.hpp"

namespace loradyn {

namespace portable {
#include "kernel/polynomial_noise.inc"
}  // namespace portable

#if defined(__x86_64__) && defined(__GNUC__) && !defined(__clang__)
#define LORADYN_WIDE_KERNELS

#pragma GCC push_options
#pragma GCC target("avx2")
namespace avx2 {
#include "kernel/polynomial_noise.inc"
}  // namespace avx2
#pragma GCC pop_options

#pragma GCC push_options
#pragma GCC target("avx512f,avx512dq,avx512vl,prefer-vector-width=512")
namespace avx512 {
#include "kernel/polynomial_noise.inc"
}  // namespace avx512
#pragma GCC pop_options
#endif

std::span<const noise_kernels* const> available_noise_kernels() {
#ifdef LORADYN_WIDE_KERNELS
  static const auto available = detail::runnable(portable::kernels, avx2::kernels, avx512::kernels);
#else
  static const std::vector<const noise_kernels*> available{&portable::kernels};
#endif
  return available;
}

namespace {

const noise_kernels& widest() {
  static const noise_kernels& kernels = *available_noise_kernels().back();
  return kernels;
}

bool has_only(std::span<const double> hermite, std::size_t parity) {
  for (std::size_t n = 1 - parity; n < hermite.size(); n += 2) {
    if (hermite[n] != 0.0) {
      return false;
    }
  }
  return true;
}

// Whether the error's square is the same at -z, -z'.
bool mirrored(const polynomial& f, const polynomial& g) {
  return (has_only(f.hermite(), 0) && has_only(g.hermite(), 0)) ||
         (has_only(f.hermite(), 1) && has_only(g.hermite(), 1));
}

// Σ_n c_n He_n(x) as the loops over lanes have it: of few terms by He_n's own recurrence, else as
// hermite_series, which keeps more digits where many terms cancel.
double series_at(std::span<const double> c, bool few_terms, double x) {
  if (!few_terms) {
    return hermite_series(c, x);
  }
  double before = 0.0;
  double current = 1.0;
  double sum = 0.0;
  for (std::size_t n = 0; n < c.size(); ++n) {
    if (c[n] != 0.0) {
      sum += c[n] * current;
    }
    before = std::exchange(current, x * current - static_cast<double>(n) * before);
  }
  return sum;
}

}  // namespace

polynomial_noise::polynomial_noise(const polynomial& student, const polynomial& teacher) {
  points_.degree = student.degree();
  const auto coefficients = student.hermite();
  // Decides the cost: a step of the recurrence takes three operations and two for each term, a
  // step of Clenshaw's four for each series.
  constexpr std::ptrdiff_t few = 3;
  points_.few_terms = std::count_if(coefficients.begin(), coefficients.end(),
                                    [](double c) { return c != 0.0; }) <= few;
  polynomial f = student;
  for (std::vector<double>& row : points_.student) {
    row.assign(f.hermite().begin(), f.hermite().end());
    row.resize(points_.degree + 1);
    f = f.derivative();
  }
  // In z the degree is that of both.
  const std::size_t s = std::max<std::size_t>(1, student.degree());
  const gauss_hermite_rule along(s + std::max(s, teacher.degree()));
  const gauss_hermite_rule across(2 * s);
  const polynomial slope = teacher.derivative();
  const bool half = mirrored(student, teacher);
  for (std::size_t i = 0; i < along.nodes.size(); ++i) {
    const double z = along.nodes[i];
    if (half && z < 0.0) {
      continue;
    }
    const double both = half && z > 0.0 ? 2.0 : 1.0;
    for (std::size_t k = 0; k < across.nodes.size(); ++k) {
      points_.along.push_back(z);
      points_.across.push_back(across.nodes[k]);
      points_.weight.push_back(both * along.weights[i] * across.weights[k]);
      points_.target.push_back(series_at(teacher.hermite(), points_.few_terms, z));
      points_.target_slope.push_back(series_at(slope.hermite(), points_.few_terms, z));
    }
  }
  constexpr std::size_t lane_count = noise_points::lane_count;
  const std::size_t padded = (points_.weight.size() + lane_count - 1) / lane_count * lane_count;
  for (std::vector<double>* row :
       {&points_.along, &points_.across, &points_.weight, &points_.target, &points_.target_slope}) {
    row->resize(padded);
  }
}

double polynomial_noise::value(double M, double, double gap, double label_noise) const {
  return widest().value(points_, M, std::sqrt(gap), label_noise);
}

noise_value polynomial_noise::with_derivatives(double M, double, double gap,
                                               double label_noise) const {
  return widest().with_slopes(points_, M, std::sqrt(gap), label_noise);
}

}  // namespace loradyn
