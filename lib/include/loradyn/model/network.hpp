#pragma once

/// \file
/// Width and rank: a student Σ_j a_j σ(<W_j, x>), W = W0 + U V, and a teacher Σ_i b_i g(<T_i, x>)
/// (docs/theory.md, section 14).

#include <Eigen/Core>
#include <cstddef>

#include <loradyn/names.hpp>

namespace loradyn {

/// What holds the adapter's directions V.
enum class adapter_constraint {
  sphere,    ///< each row of V has norm 1
  free,      ///< nothing: LoRA as it is shipped
  frobenius  ///< the whole matrix V has Frobenius norm √r: the paper's 'V only' at width K > 1
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

/// Frozen rows in an orthonormal basis E of p directions that their teacher, the source task's
/// teacher and the pre-trained weights span, with the readouts. K = width(), k = teacher.rows().
struct network_geometry {
  Eigen::MatrixXd teacher;     ///< T E', k x p
  Eigen::MatrixXd pretrained;  ///< W0 E', K x p
  Eigen::MatrixXd source;      ///< the source task's teacher, k_s x p; no rows where there is none
  Eigen::VectorXd readout;     ///< a, K
  Eigen::VectorXd teacher_readout;  ///< b, k
  Eigen::VectorXd source_readout;   ///< of the source's teacher, k_s

  /// The number of neurons, K.
  [[nodiscard]] Eigen::Index width() const noexcept { return pretrained.rows(); }
  /// The number of frozen directions, p.
  [[nodiscard]] Eigen::Index directions() const noexcept { return teacher.cols(); }

  /// Throws argument_error unless all is finite and the sizes match.
  void validate() const;
};

/// The numbers that go with it.
struct network_parameters {
  std::ptrdiff_t rank = 1;  ///< r >= 1
  adapter_constraint adapter = adapter_constraint::sphere;
  double noise_scale = 0.0;    ///< γ = η d / B >= 0
  double label_noise = 0.0;    ///< Δ >= 0
  double rate_ratio = 1.0;     ///< κ >= 0, U's learning rate over V's, LoRA's scale squared in it
  double readout_ratio = 0.0;  ///< κ_a >= 0, the readouts' learning rate over V's; 0 freezes them
  double decay = 0.0;          ///< ω >= 0, weight decay of U and V

  /// Throws argument_error, naming the first parameter that is out of its range.
  void validate() const;
};

/// The state of training: all overlaps follow from it. W = W0 + U V.
struct network_state {
  Eigen::MatrixXd U;  ///< K x r
  Eigen::MatrixXd C;  ///< V E', r x p
  Eigen::MatrixXd S;  ///< V V', r x r
  Eigen::VectorXd a;  ///< the readouts, K
};

/// What risks are made of.
struct network_overlaps {
  Eigen::MatrixXd weights;  ///< Λ = W W', K x K
  Eigen::MatrixXd targets;  ///< N = W T', K x k
};

/// Λ and N of a state.
network_overlaps overlaps_of(const network_geometry& geometry, const network_state& state);

/// The geometry of given Gram matrix of the rows [T; W0; source]: coordinates in an orthonormal
/// basis of what they span, directions below 1e-12 of the largest left out. \throws argument_error
/// where the matrix is not symmetric or has a negative eigenvalue, which the
///         message tells
network_geometry geometry_of_gram(const Eigen::MatrixXd& gram, std::ptrdiff_t teacher_width,
                                  std::ptrdiff_t width);

/// W0_j = μ T_i + ν ξ_j with i = (j - 1) mod k + 1, orthonormal T and ξ, the first `off_target`
/// neurons at μ and the others at their target (μ = 1, ν = 0) where it is less than K.
network_geometry aligned_geometry(std::ptrdiff_t width, std::ptrdiff_t teacher_width,
                                  double alignment, double misalignment, std::ptrdiff_t off_target);

}  // namespace loradyn
