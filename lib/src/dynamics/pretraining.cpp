#include <algorithm>
#include <cmath>
#include <loradyn/dynamics/pretraining.hpp>
#include <loradyn/error.hpp>
#include <loradyn/number_text.hpp>
#include <string>
#include <utility>
#include "nan.hpp"

namespace loradyn {
namespace {

field_overlaps fields(const pretraining_state& x) {
  const double gap = std::max(0.0, x.gap);
  return {x.a, x.a * x.a + gap, gap};
}

// Whether |w0|² is a number whose square does not overflow: trial steps lead elsewhere.
bool evaluable(const pretraining_state& x) {
  constexpr double largest_power = 1e100;
  return x.a * x.a + std::abs(x.gap) <= largest_power;
}

}  // namespace

void pretraining_parameters::validate() const {
  const auto require = [](bool holds, const char* name, double value, const char* expected) {
    if (!holds || !std::isfinite(value)) {
      throw argument_error(name, number_text(value), expected);
    }
  };
  require(std::abs(source_overlap) <= 1.0, "rho (source overlap)", source_overlap,
          "between -1 and 1");
  require(noise_scale >= 0.0, "gamma (noise scale)", noise_scale, "finite and >= 0");
  require(label_noise >= 0.0, "noise (label noise)", label_noise, "finite and >= 0");
}

pretraining_flow::pretraining_flow(learning_task task, const pretraining_parameters& parameters)
    : task_(std::move(task)), parameters_(parameters) {
  parameters_.validate();
}

pretraining_state pretraining_flow::velocity(const pretraining_state& x) const {
  const field_overlaps o = fields(x);
  const risk_gradient r = task_.risk.gradient(o);
  const double gamma = parameters_.noise_scale;
  const double noise =
      gamma > 0.0 ? gamma * task_.noise.value(o.M, o.Q, o.gap, parameters_.label_noise) : 0.0;
  return {-(r.M + 2.0 * r.Q * x.a), -4.0 * r.Q * o.gap + noise};  // (10.1)
}

Eigen::Matrix2d pretraining_flow::jacobian(const pretraining_state& x) const {
  const field_overlaps o = fields(x);
  const risk_gradient r = task_.risk.gradient(o);
  const risk_curvature h = task_.risk.curvature(o);
  Eigen::Matrix2d j;
  j << -h.MM, -h.M_gap, -4.0 * h.M_gap * o.gap, -4.0 * (h.gap_gap * o.gap + r.Q);
  if (const double gamma = parameters_.noise_scale; gamma > 0.0) {
    const noise_value v = task_.noise.with_derivatives(o.M, o.Q, o.gap, parameters_.label_noise);
    j(1, 0) += gamma * (v.V_M + 2.0 * x.a * v.V_Q);
    j(1, 1) += gamma * v.V_Q;
  }
  return j;
}

double pretraining_flow::risk(const pretraining_state& x) const {
  return task_.risk.value(fields(x), parameters_.label_noise);
}

lora_parameters pretraining_flow::fine_tuning(const pretraining_state& x) const {
  const double rho = parameters_.source_overlap;
  lora_parameters p;
  p.alignment = rho * x.a;
  p.misalignment = std::sqrt(std::max(0.0, x.gap) + x.a * x.a * (1.0 - rho) * (1.0 + rho));
  return p;
}

ode_system<2> system_of(const pretraining_flow& f) {
  return {[&f](const std::array<double, 2>& x) {
            const pretraining_state state = pretraining_state::unpack(x);
            try {
              return evaluable(state) ? f.velocity(state).pack() : std::array<double, 2>{nan, nan};
            } catch (const error&) {
              return std::array<double, 2>{nan, nan};
            }
          },
          [&f](const std::array<double, 2>& x) {
            const pretraining_state state = pretraining_state::unpack(x);
            try {
              return evaluable(state) ? f.jacobian(state) : Eigen::Matrix2d::Constant(nan).eval();
            } catch (const error&) {
              return Eigen::Matrix2d::Constant(nan).eval();
            }
          }};
}

}  // namespace loradyn
