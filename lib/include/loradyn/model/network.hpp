#pragma once

/// \file
/// Width and rank: a student Σ_j a_j σ(<W_j, x>), W = W0 + U V, and a teacher Σ_i b_i g(<T_i, x>)
/// (docs/theory.md, section 14).

#include <Eigen/Core>
#include <cstddef>
#include <optional>

#include <loradyn/names.hpp>

namespace loradyn {

/// What holds the adapter's directions V.
enum class adapter_constraint {
  sphere,    ///< each row of V has norm 1
  free,      ///< nothing: LoRA as it is shipped
  frobenius  ///< the whole matrix V keeps the Frobenius norm that it starts with
};

/// Their names.
inline constexpr name_table<adapter_constraint, 3> adapter_constraints{
    {{"sphere", adapter_constraint::sphere},
     {"free", adapter_constraint::free},
     {"frobenius", adapter_constraint::frobenius}}};

/// What training changes.
enum class trained_part {
  lora,    ///< U and V
  v,       ///< V alone, U = I frozen and W0 = 0: κ = 0, r = K
  full,    ///< all of W, from W0
  scratch  ///< all of W, from small random weights
};

/// Their names.
inline constexpr name_table<trained_part, 4> trained_parts{{{"lora", trained_part::lora},
                                                            {"v", trained_part::v},
                                                            {"full", trained_part::full},
                                                            {"scratch", trained_part::scratch}}};

/// Equal readouts of n neurons.
enum class readout_rule {
  sum,   ///< 1
  mean,  ///< 1/n
  sqrt   ///< 1/√n
};

/// Their names.
inline constexpr name_table<readout_rule, 3> readout_rules{
    {{"sum", readout_rule::sum}, {"mean", readout_rule::mean}, {"sqrt", readout_rule::sqrt}}};

/// The readouts of a rule: 1, 1/K or 1/√K for each of `width` neurons.
Eigen::VectorXd readouts(readout_rule rule, std::ptrdiff_t width);

/// Frozen rows in an orthonormal basis E of p directions that their teacher, the source task's
/// teacher and the pre-trained weights span, with the readouts. K = width(), k = teacher.rows().
struct network_geometry {
  Eigen::MatrixXd teacher;     ///< T E', k x p
  Eigen::MatrixXd pretrained;  ///< W0 E', K x p
  Eigen::MatrixXd source;      ///< the source task's teacher, k_s x p; no rows where there is none
  Eigen::VectorXd readout;     ///< a at the start, K
  Eigen::VectorXd teacher_readout;  ///< b, k
  Eigen::VectorXd source_readout;   ///< of the source's teacher, k_s

  /// The number of neurons, K.
  [[nodiscard]] Eigen::Index width() const noexcept { return pretrained.rows(); }
  /// The number of frozen directions, p.
  [[nodiscard]] Eigen::Index directions() const noexcept { return teacher.cols(); }

  /// \throws argument_error unless all is finite and the sizes match; without a source its rows are
  /// 0 x p or 0 x 0
  void validate() const;
};

/// The same with other alignments: W0_j = μ T_i + what of W0_j is orthogonal to T_i,
/// i = (j - 1) mod k + 1, for the first `off_target` neurons.
/// \throws argument_error unless 0 <= off_target <= K and μ is finite, and for a target of length 0
network_geometry realigned(network_geometry geometry, double alignment, std::ptrdiff_t off_target);

/// The numbers that go with it.
struct network_parameters {
  std::ptrdiff_t rank = 1;  ///< r >= 1
  adapter_constraint adapter = adapter_constraint::sphere;
  double noise_scale = 0.0;    ///< γ = η d / B >= 0
  double label_noise = 0.0;    ///< Δ >= 0
  double rate_ratio = 1.0;     ///< κ >= 0, U's learning rate over V's, LoRA's scale squared in it
  double readout_ratio = 0.0;  ///< κ_a >= 0, the readouts' learning rate over V's; 0 freezes them
  double decay = 0.0;          ///< ω >= 0, weight decay of U and V

  /// \throws argument_error, naming the first parameter that is out of its range
  void validate() const;
};

/// The state of training: all overlaps follow from it. W = W0 + U V.
struct network_state {
  Eigen::MatrixXd U;  ///< K x r
  Eigen::MatrixXd C;  ///< V E', r x p
  /// V V' - C C', the Gram matrix of what of V is beside E, r x r: kept apart to keep its digits
  Eigen::MatrixXd P;
  Eigen::VectorXd a;  ///< the readouts, K

  /// S = V V'
  [[nodiscard]] Eigen::MatrixXd S() const { return C * C.transpose() + P; }

  /// \throws argument_error unless all is finite, the sizes fit K, r and p, P is symmetric and
  /// without a negative eigenvalue (to 1e-12 of its largest), and on spheres diag S = 1 to 1e-12
  void validate(const network_geometry& geometry, const network_parameters& parameters) const;
};

/// What risks are made of: the second moments of the fields <W_j, x> and <T_i, x>.
struct network_overlaps {
  Eigen::MatrixXd weights;      ///< Λ = W W', K x K
  Eigen::MatrixXd targets;      ///< N = W T', K x k
  Eigen::MatrixXd weight_gaps;  ///< Λ_jj Λ_ll - Λ_jl² >= 0, with the digits it has, K x K
  Eigen::MatrixXd target_gaps;  ///< Λ_jj |T_i|² - N_ji² >= 0, likewise, K x k
};

/// Λ and N of a state, and their gaps.
network_overlaps overlaps_of(const network_geometry& geometry, const network_state& state);

/// The same with the overlaps with the source's teacher for those with the teacher.
network_overlaps source_overlaps_of(const network_geometry& geometry, const network_state& state);

/// The geometry of a Gram matrix of the rows [T; W0; source], whatever is not T or W0 being source:
/// coordinates in an orthonormal basis of what they span, directions below 1e-12 of the largest
/// left out. All readouts are 1.
/// \throws argument_error where the sizes don't fit, an entry is not finite, the matrix is not
///         symmetric (to 1e-12 of its largest entry), or has an eigenvalue below -1e-12 of the
///         largest, which the message tells
network_geometry geometry_of_gram(const Eigen::MatrixXd& gram, std::ptrdiff_t teacher_width,
                                  std::ptrdiff_t width);

/// W0_j = μ T_i + ν ξ_j with i = (j - 1) mod k + 1, orthonormal T and ξ, the first `off_target`
/// neurons at μ and the others at their target (μ = 1, ν = 0). The basis is T, then the ξ_j that
/// anything has a part along. All readouts are 1.
/// \param source_overlap ρ of a source task's teacher of k rows ρ T_i + √(1 - ρ²) ξ_i; ξ_i is that
///        of the i-th neuron, one of its own where K < k
/// \throws argument_error where a number is out of range: K, k >= 1, 0 <= off_target <= K, μ
///         finite, ν >= 0, |ρ| <= 1
network_geometry aligned_geometry(std::ptrdiff_t width, std::ptrdiff_t teacher_width,
                                  double alignment, double misalignment, std::ptrdiff_t off_target,
                                  std::optional<double> source_overlap = std::nullopt);

}  // namespace loradyn
