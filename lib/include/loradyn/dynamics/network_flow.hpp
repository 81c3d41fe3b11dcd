#pragma once

/// \file
/// The deterministic limit of one-pass SGD on a network of any width with an adapter of any rank
/// (docs/theory.md, section 14).

#include <Eigen/Core>
#include <cstddef>
#include <functional>
#include <loradyn/dynamics/integrate.hpp>
#include <loradyn/model/network.hpp>
#include <loradyn/model/network_task.hpp>
#include <span>
#include <string>
#include <vector>

namespace loradyn {

/// The flow of (U, C, P, a) at fixed parameters:
///
///     G = R_N T + 2 R_Λ W,   U' = -κ (G V' + ω U),   V' = -U' G - ω V held by the adapter's
///     constraint, a' = -κ_a ∂R/∂a,
///
/// with what the noise of SGD adds to the Gram matrix of V at γ > 0. Σ is evaluated for γ > 0 only.
/// Cost: K (K + 1)/2 + K k kernels with derivatives and products of matrices.
class network_flow {
 public:
  /// \throws argument_error where a parameter is out of range or a size does not match
  network_flow(network_task task, network_geometry geometry, network_parameters parameters);

  /// d(U, C, P, a)/dt. On spheres the diagonal of P is 1 - |C_a|², whatever it is told to be.
  /// \throws argument_error where |W_j|² is beyond 1e100 or the overlaps are none;
  ///         convergence_error from a kernel
  [[nodiscard]] network_state velocity(const network_state& x) const;

  /// One step of SGD with learning rate η > 0 and batches of d η/γ samples, as d -> ∞.
  [[nodiscard]] network_state map(const network_state& x, double learning_rate) const;

  /// R with label noise.
  [[nodiscard]] double risk(const network_state& x) const;
  /// That of the source task, without noise; NaN where there is none.
  [[nodiscard]] double source_risk(const network_state& x) const;

  /// How the state is packed for an integrator: U, C, the part of P below the diagonal (with the
  /// diagonal, but on spheres) and a, matrices column after column.
  [[nodiscard]] std::size_t packed_size() const;
  /// The state as the vector that is integrated.
  [[nodiscard]] std::vector<double> pack(const network_state& x) const;
  /// And back.
  [[nodiscard]] network_state unpack(std::span<const double> x) const;

  /// The activations' kernels.
  [[nodiscard]] const network_task& task() const noexcept { return task_; }
  /// The frozen rows.
  [[nodiscard]] const network_geometry& geometry() const noexcept { return geometry_; }
  /// The numbers.
  [[nodiscard]] const network_parameters& parameters() const noexcept { return parameters_; }
  /// T T'.
  [[nodiscard]] const Eigen::MatrixXd& teacher_gram() const noexcept { return gram_; }

 private:
  struct forces;
  [[nodiscard]] forces forces_at(const network_state& x) const;
  [[nodiscard]] network_state on_constraint(const network_state& x) const;

  network_task task_;
  network_geometry geometry_;
  network_parameters parameters_;
  Eigen::MatrixXd gram_;         // T T'
  Eigen::MatrixXd source_gram_;  // of the source's teacher
};

/// Whether kernels can take the squares of the frozen rows: |W0_j|² is at most 1e100.
bool has_overlaps(const network_geometry& geometry);

/// The flow as a system for `integrate`; refers to f, which must outlive it. The velocity is NaN,
/// which an integrator takes for a step too long, where a kernel does not converge or the overlaps
/// are none. The Jacobian is exact at γ = 0 where the kernels have second derivatives, else by
/// central differences, 2 packed_size() velocities.
ode_system<any_dimension> system_of(const network_flow& f);

/// `integrate`, of such a system. Where the method is automatic, steps are explicit, and implicit
/// from where they crawl: after 5000 of them, for beside a rest that noise moves slowly the rates
/// are some 10^4 of its own. Implicit steps throughout took a hundred times as long on a search of
/// τ = 64 with rates up to 1.
integration_result<any_dimension> integrate_network(
    const ode_system<any_dimension>& system, const std::vector<double>& x0, double t0,
    const integration_options& options, std::span<const ode_event<any_dimension>> events = {},
    const std::function<bool(const dense_step<any_dimension>&)>& observer = {});

}  // namespace loradyn
