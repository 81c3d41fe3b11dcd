#include <cmath>
#include <limits>
#include <loradyn/dynamics/flow.hpp>
#include <utility>
#include "nan.hpp"

namespace loradyn {
namespace {

// |w|² beyond which squares of overlaps overflow: the trial steps of an integrator come there.
constexpr double largest_power = 1e100;

}  // namespace

flow::flow(learning_task task, const lora_parameters& parameters)
    : task_(std::move(task)), parameters_(parameters) {
  parameters_.validate();
}

std::array<double, 3> flow::packed_velocity(const std::array<double, 3>& packed) const {
  const auto& [mu, nu, gamma, noise, kappa] = parameters_;
  const auto [u, m, s] = overlap_state::unpack(packed);
  const field_overlaps o = fields({u, m, s}, parameters_);
  if (!(o.Q <= largest_power)) {
    return {nan, nan, nan};
  }
  const auto [a, b] = task_.risk.slopes(o);
  const double p = mu * m + nu * s;
  const double friction =
      gamma > 0.0 ? 0.5 * gamma * u * u * task_.noise.prepared_value(o.M, o.Q, o.gap, noise) : 0.0;
  // (6.3)
  return {-kappa * (a * m + b * (p + u)),
          -u * (a * (1.0 - m) * (1.0 + m) + b * (mu - m * p)) - friction * m,
          -u * (-a * m * s + b * (nu - s * p)) - friction * s};
}

// In M and the gap: with w = M w* + w_⟂ the gradient of the risk is G = a w* + b w_⟂, where a is
// R_M at fixed gap, b = 2R_Q and |w_⟂|² = gap. Nothing here is infinite at the edge: ∂²R/∂gap²
// meets w_⟂.
template <class Curvature, class Noise>
Eigen::Matrix3d flow::jacobian_of(const overlap_state& x, const field_overlaps& o,
                                  const Curvature& curvature, const Noise& noise_moment) const {
  using row = Eigen::RowVector3d;
  const auto& [mu, nu, gamma, noise, kappa] = parameters_;
  const auto& [u, m, s] = x;
  if (!(o.Q <= largest_power)) {
    return Eigen::Matrix3d::Constant(std::numeric_limits<double>::quiet_NaN());
  }
  const auto& [r, h] = curvature(o);
  const double a = r.M + o.M * r.twice_Q;
  const double b = r.twice_Q;
  const double beside = nu + u * s;                          // <w_⟂, ξ>
  const double across = nu * s + u * (1.0 - m) * (1.0 + m);  // <w_⟂, v>
  const double along = a * m + b * across;                   // <G, v>

  const row e_u(1.0, 0.0, 0.0);
  const row e_m(0.0, 1.0, 0.0);
  const row e_s(0.0, 0.0, 1.0);
  const row M_x(m, u, 0.0);
  const row gap_x(2.0 * across, -2.0 * u * u * m, 2.0 * u * nu);
  const row a_x = h.MM * M_x + h.M_gap * gap_x;
  const row b_x = 2.0 * (h.M_gap * M_x + h.gap_gap * gap_x);
  const row beside_x(s, 0.0, u);
  const row across_x((1.0 - m) * (1.0 + m), -2.0 * u * m, nu);
  const row along_x = m * a_x + a * e_m + across * b_x + b * across_x;

  Eigen::Matrix3d j;
  j.row(0) = -kappa * along_x;
  j.row(1) = -(a - m * along) * e_u - u * (a_x - along * e_m - m * along_x);
  j.row(2) = -(b * beside - s * along) * e_u -
             u * (beside * b_x + b * beside_x - along * e_s - s * along_x);
  if (gamma > 0.0) {
    const noise_value v = noise_moment(o, noise);
    const double friction = 0.5 * gamma * u * u * v.V;
    const row V_x = (v.V_M + 2.0 * o.M * v.V_Q) * M_x + v.V_Q * gap_x;
    const row friction_x = gamma * u * v.V * e_u + 0.5 * gamma * u * u * V_x;
    j.row(1) -= friction * e_m + m * friction_x;
    j.row(2) -= friction * e_s + s * friction_x;
  }
  return j;
}

Eigen::Matrix3d flow::jacobian(const overlap_state& x) const {
  return jacobian(x, fields(x, parameters_));
}

Eigen::Matrix3d flow::jacobian(const overlap_state& x, const field_overlaps& o) const {
  return jacobian_of(
      x, o,
      [this](const field_overlaps& at) {
        const risk_gradient r = task_.risk.gradient(at);
        return std::pair(risk_slopes{r.M, 2.0 * r.Q}, task_.risk.curvature(at));
      },
      [this](const field_overlaps& at, double noise) {
        return task_.noise.with_derivatives(at.M, at.Q, at.gap, noise);
      });
}

Eigen::Matrix3d flow::approximate_jacobian(const overlap_state& x) const {
  return jacobian_of(
      x, fields(x, parameters_),
      [this](const field_overlaps& o) {
        return std::pair(task_.risk.slopes(o), task_.risk.approximate_curvature(o));
      },
      [this](const field_overlaps& o, double noise) {
        return task_.noise.approximate(o.M, o.Q, o.gap, noise);
      });
}

overlap_state flow::map(const overlap_state& x, double learning_rate) const {
  const auto& [mu, nu, gamma, noise, kappa] = parameters_;
  const auto& [u, m, s] = x;
  const double eta = learning_rate;
  const field_overlaps o = fields(x, parameters_);
  if (!(o.Q <= largest_power)) {
    return {nan, nan, nan};
  }
  const risk_gradient r = task_.risk.gradient(o);
  const double a = r.M;
  const double b = 2.0 * r.Q;
  const double along = a * m + b * (mu * m + nu * s + u);  // <v, R_M w* + 2R_Q w>
  const double power = a * a + 2.0 * a * b * o.M + b * b * o.Q;
  const double noise_power =
      gamma > 0.0 ? eta * gamma * u * u * task_.noise.prepared_value(o.M, o.Q, o.gap, noise) : 0.0;
  // (7.1)
  const double length =
      std::sqrt(1.0 - 2.0 * eta * u * along + eta * eta * u * u * power + noise_power);
  return {u - kappa * eta * along, (m - eta * u * (a + b * o.M)) / length,
          (s - eta * u * b * (nu + u * s)) / length};
}

double flow::risk(const overlap_state& x) const {
  const field_overlaps o = fields(x, parameters_);
  return o.Q <= largest_power ? task_.risk.value(o, parameters_.label_noise)
                              : std::numeric_limits<double>::quiet_NaN();
}

}  // namespace loradyn
