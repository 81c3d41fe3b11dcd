#pragma once

/// \file
/// Pre-training: plain SGD of an unconstrained weight on a source target (docs/theory.md, section
/// 10).

#include <Eigen/Core>
#include <loradyn/dynamics/integrate.hpp>
#include <loradyn/model/learning_task.hpp>
#include <loradyn/model/parameters.hpp>

namespace loradyn {

/// The overlaps of w0 with the source's weight w_s.
struct pretraining_state {
  double a = 0.0;    ///< <w0, w_s>
  double gap = 0.0;  ///< |w0|² - a² >= 0

  /// For the integrator.
  [[nodiscard]] std::array<double, 2> pack() const { return {a, gap}; }
  /// From the integrator.
  static pretraining_state unpack(const std::array<double, 2>& x) { return {x[0], x[1]}; }
};

/// What pre-training depends on beside the pair of student and source.
struct pretraining_parameters {
  double source_overlap = 1.0;  ///< ρ = <w_s, w*>, in [-1, 1]
  double noise_scale = 0.0;     ///< γ >= 0
  double label_noise = 0.0;     ///< Δ >= 0

  /// \throws argument_error, naming the first parameter that is out of its range
  void validate() const;
};

/// a' = -(R_M + 2R_Q a),  q' = -2(R_M a + 2R_Q q) + γ V  with q = |w0|², kept as gap = q - a²:
/// gap' = -4R_Q gap + γ V.
class pretraining_flow {
 public:
  /// \param task the student and the source's activation
  /// \throws argument_error where a parameter is out of range
  pretraining_flow(learning_task task, const pretraining_parameters& parameters);

  /// The right-hand side of (10.1).
  [[nodiscard]] pretraining_state velocity(const pretraining_state& x) const;
  /// Its derivatives by a and gap.
  [[nodiscard]] Eigen::Matrix2d jacobian(const pretraining_state& x) const;
  /// The population risk on the source.
  [[nodiscard]] double risk(const pretraining_state& x) const;

  /// What fine-tuning starts from: μ = ρ a, ν = √(|w0|² - μ²); the rest is left at its defaults.
  [[nodiscard]] lora_parameters fine_tuning(const pretraining_state& x) const;

  /// The parameters that it was made with.
  [[nodiscard]] const pretraining_parameters& parameters() const noexcept { return parameters_; }

 private:
  learning_task task_;
  pretraining_parameters parameters_;
};

/// The flow as a system for `integrate`; refers to f, which must outlive it. Velocity and Jacobian
/// are NaN where |w0|² is beyond 1e100 or a kernel does not converge.
ode_system<2> system_of(const pretraining_flow& f);

}  // namespace loradyn
