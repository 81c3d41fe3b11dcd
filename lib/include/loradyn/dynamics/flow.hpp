#pragma once

/// \file
/// The deterministic limit of one-pass SGD on the overlaps: the flow, its Jacobian, and the map of
/// a finite learning rate (docs/theory.md, sections 6 and 7).

#include <Eigen/Core>
#include <array>
#include <loradyn/model/learning_task.hpp>
#include <loradyn/model/overlaps.hpp>
#include <loradyn/model/parameters.hpp>

namespace loradyn {

/// The flow of (u, m, s) at fixed parameters:
///
///     u' = -κ [R_M m + 2R_Q (p + u)]
///     m' = -u [R_M (1 - m²) + 2R_Q (μ - m p)] - ½ γ u² V m
///     s' = -u [-R_M m s     + 2R_Q (ν - s p)] - ½ γ u² V s,     p = μ m + ν s.
///
/// It is odd in (u, m, s). γ = 0 is gradient flow on the population risk; V is evaluated for γ > 0
/// only. Accuracy is that of the kernels; a right-hand side costs 20 to 50 ns for pairs of
/// polynomials, of erf or of ReLU.
class flow {
 public:
  /// \throws argument_error where a parameter is out of range
  flow(learning_task task, const lora_parameters& parameters);

  /// d(u, m, s)/dt; NaN where |w|² is beyond 1e100.
  [[nodiscard]] overlap_state velocity(const overlap_state& x) const {
    return overlap_state::unpack(packed_velocity(x.pack()));
  }

  /// The same for packed states, as an integrator calls it.
  [[nodiscard]] std::array<double, 3> packed_velocity(const std::array<double, 3>& x) const;

  /// The derivatives of the velocity by (u, m, s), rows and columns in this order; NaN as there.
  [[nodiscard]] Eigen::Matrix3d jacobian(const overlap_state& x) const;
  /// The same where the overlaps are known better than x has them.
  [[nodiscard]] Eigen::Matrix3d jacobian(const overlap_state& x, const field_overlaps& o) const;

  /// The same to about 1e-9, for what corrects itself: Newton's method, an implicit step.
  [[nodiscard]] Eigen::Matrix3d approximate_jacobian(const overlap_state& x) const;

  /// One step of SGD with learning rate η > 0 and batches of d η/γ samples, as d -> ∞:
  /// (u, m, s) -> (u₊, m₊, s₊). To first order in η it is x + η velocity(x).
  [[nodiscard]] overlap_state map(const overlap_state& x, double learning_rate) const;

  /// R(M, Q) at x, with label noise; NaN where |w|² is beyond 1e100.
  [[nodiscard]] double risk(const overlap_state& x) const;

  /// The pair of student and teacher.
  [[nodiscard]] const learning_task& task() const noexcept { return task_; }
  /// The parameters that it was made with.
  [[nodiscard]] const lora_parameters& parameters() const noexcept { return parameters_; }

 private:
  template <class Curvature, class Noise>
  Eigen::Matrix3d jacobian_of(const overlap_state& x, const field_overlaps& o,
                              const Curvature& curvature, const Noise& noise) const;

  learning_task task_;
  lora_parameters parameters_;
};

}  // namespace loradyn
