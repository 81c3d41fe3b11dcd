#include "model/prepared_slopes.hpp"
#include <algorithm>
#include <array>
#include <cmath>
#include <utility>
#include "kernel/numerical.hpp"

namespace loradyn {
namespace {

// What of 2R_Q is the same all along a circle.
class own_slope {
 public:
  own_slope(pair_kernel self, std::shared_ptr<const power_slope> own)
      : self_(std::move(self)), own_(std::move(own)) {}

  struct value {
    double slope;
    bool is_whole;  // nothing is to be taken off for the teacher
  };
  // E[σ'²] + E[σσ''] = d/dQ E[σ(λ)²], and the sizes of what the slopes are summed of: of R_M that
  // of which its accuracy is a part (docs/theory.md, section 3).
  value at(double r, std::span<double> sizes) const {
    const pair_moments m = self_.moments(pair_covariance::diagonal(r * r), moment_set::gradient);
    sizes[0] = m.e11;
    sizes[1] = std::abs(m.e11) + std::abs(m.e20);
    if (own_ && own_->holds_at(r * r)) {
      return {(*own_)(r * r), own_->is_whole()};
    }
    return {m.e11 + m.e20, false};
  }

 private:
  pair_kernel self_;
  std::shared_ptr<const power_slope> own_;
};

polar_functions::sampler samples(const own_slope& of_student, const pair_kernel& cross) {
  return [of_student, cross](double r, std::span<const double> c, std::span<const double> gap,
                             std::span<double> out, std::span<double> sizes) {
    const std::size_t n = c.size();
    const own_slope::value own = of_student.at(r, sizes);
    numerical_pair::slice at(*cross.numerical(), r * r);
    for (std::size_t i = 0; i < n; ++i) {
      const pair_moments m = at.moments({r * r, 1.0, c[i], gap[i]}, moment_set::gradient);
      out[i] = -m.e11;
      out[n + i] = own.slope - (own.is_whole ? 0.0 : m.e20);
    }
  };
}

polar_patches::sampler series(const own_slope& of_student, const pair_kernel& cross) {
  return [of_student, cross](double r, std::span<const double>, std::span<double> out,
                             std::span<double> sizes) {
    constexpr std::size_t n = polar_patches::powers;
    const own_slope::value own = of_student.at(r, sizes);
    numerical_pair::slice at(*cross.numerical(), r * r);
    at.series(1, 1, out.first(n));
    at.series(2, 0, out.subspan(n, n));
    for (double& coefficient : out) {
      coefficient = -coefficient;
    }
    if (own.is_whole) {
      std::fill(out.begin() + n, out.end(), 0.0);
    }
    out[n] += own.slope;
  };
}

}  // namespace

prepared_slopes::prepared_slopes(const pair_kernel& self, const pair_kernel& cross,
                                 const std::shared_ptr<const power_slope>& own)
    : sample_(samples({self, own}, cross)),
      functions_(2, sample_, series({self, own}, cross), cross.f().kinks(), cross.g().kinks()) {}

std::vector<risk_slopes> prepared_slopes::on_circle(double Q, std::span<const double> M,
                                                    std::span<const double> gap) const {
  const std::size_t n = M.size();
  std::vector<double> values(2 * n);
  std::array<double, 2> sizes{};
  sample_(std::sqrt(Q), M, gap, values, sizes);
  std::vector<risk_slopes> slopes;
  for (std::size_t i = 0; i < n; ++i) {
    slopes.push_back({values[i], values[n + i]});
  }
  return slopes;
}

std::optional<risk_slopes> prepared_slopes::slopes(const field_overlaps& o) const {
  std::array<double, 2> F;
  if (!functions_.values(o.M, o.Q, o.gap, F)) {
    return std::nullopt;
  }
  return risk_slopes{F[0], F[1]};
}

// With b = 2R_Q, R_M at fixed gap is R_M + M b.
std::optional<risk_curvature> prepared_slopes::curvature(const field_overlaps& o) const {
  std::array<double, 2> F;
  std::array<double, 2> by_M;
  std::array<double, 2> by_gap;
  if (!functions_.with_slopes(o.M, o.Q, o.gap, F, by_M, by_gap)) {
    return std::nullopt;
  }
  return risk_curvature{by_M[0] + F[1] + o.M * by_M[1], 0.5 * by_M[1], 0.5 * by_gap[1]};
}

}  // namespace loradyn
