#include <loradyn/analysis/search_phase.hpp>

#include <cmath>
#include <limits>
#include "nan.hpp"

namespace loradyn {
std::string_view to_string(search_status status) {
  switch (status) {
    case search_status::ok:
      return "ok";
    case search_status::imprecise:
      return "imprecise";
    case search_status::diverges:
      return "diverges";
    case search_status::frozen:
      return "frozen";
    case search_status::undefined:
      return "undefined";
    case search_status::overflow:
      break;
  }
  return "overflow";
}

namespace {

// The risk's slopes, from tables where those tell A to the digits that it is known to.
risk_gradient slopes_of(const population_risk& risk, const field_overlaps& o,
                        search_kernels kernels) {
  // A table's error is 1e-13 of A's terms: of what cancels by less, 1e-10 is left.
  constexpr double cancelled = 1e-3;
  if (kernels == search_kernels::prepared) {
    const risk_slopes s = risk.slopes(o);
    const double others = std::abs(o.M * s.twice_Q);
    if (std::abs(s.M + o.M * s.twice_Q) >= cancelled * (std::abs(s.M) + others)) {
      return {s.M, 0.5 * s.twice_Q, 0.5 * std::abs(s.twice_Q)};
    }
  }
  return risk.gradient(o);
}

}  // namespace

search_phase_result search_phase(const population_risk& risk, const lora_parameters& parameters,
                                 search_kernels kernels) {
  parameters.validate();
  const double mu = parameters.alignment;
  const double nu = parameters.misalignment;
  const double kappa = parameters.rate_ratio;
  const field_overlaps start{.M = mu, .Q = mu * mu + nu * nu, .gap = nu * nu};
  search_phase_result result;
  const auto without_numbers = [&result](search_status status) {
    result.A = result.B = result.C = result.lambda = result.tau = nan;
    result.status = status;
    return result;
  };
  // Kernels take products of Q and of M².
  constexpr double largest_power = 1e100;
  if (!(start.Q <= largest_power)) {
    return without_numbers(search_status::overflow);
  }
  const risk_gradient r = slopes_of(risk, start, kernels);

  // (4.1); the gradient's averages by (2.3) make these the averages of (4.2).
  const double drive = -r.M;
  result.B = -2.0 * r.Q;
  result.A = drive + mu * result.B;
  result.C = nu == 0.0 ? 0.0 : nu * result.B;  // not -0
  result.A_scale = std::abs(drive) + std::abs(mu) * 2.0 * r.Q_scale;
  const double pull = std::hypot(result.A, result.C);
  if (!std::isfinite(pull) || !std::isfinite(result.B)) {
    return without_numbers(start.Q == 0.0 ? search_status::undefined : search_status::overflow);
  }
  // (4.3): the roots of λ² - κBλ - κ(A² + C²) = 0. For B < 0 the textbook form of the larger one is
  // a difference of near equals; the product of the roots gives it without.
  const double damping = kappa * result.B;
  const double root = std::hypot(damping, 2.0 * std::sqrt(kappa) * pull);
  result.lambda = damping >= 0.0
                      ? 0.5 * (damping + root)
                      : (pull == 0.0 ? 0.0 : 2.0 * kappa * pull * (pull / (root - damping)));
  if (!(result.lambda > 0.0)) {
    result.tau = nan;
    result.status = kappa == 0.0 ? search_status::frozen : search_status::diverges;
    return result;
  }
  if (!std::isfinite(result.lambda)) {
    return without_numbers(search_status::overflow);
  }
  result.tau = 1.0 / result.lambda;
  const double length = std::hypot(result.lambda, pull);
  result.unstable = {.u = result.lambda / length, .m = result.A / length, .s = result.C / length};

  // A carries the rounding of its terms; λ₊ ≈ A²/|B| doubles it.
  constexpr double six_digits = 1e-6;
  const double rounding = 4.0 * std::numeric_limits<double>::epsilon() * result.A_scale;
  if (damping < 0.0 && 2.0 * rounding > six_digits * pull) {
    result.status = search_status::imprecise;
  }
  return result;
}

double fisher_information(const activation& student) {
  return pair_kernel(student, student)
      .moments(pair_covariance::diagonal(1.0), moment_set::gradient)
      .e11;
}

}  // namespace loradyn
