#pragma once

/// \file
/// The noise of one-pass SGD on a network (docs/theory.md, section 14).

#include <Eigen/Core>
#include <loradyn/activation/activation.hpp>
#include <loradyn/model/network.hpp>
#include <loradyn/names.hpp>
#include <memory>

namespace loradyn {

/// How Σ is found.
enum class noise_method_kind {
  pair,  ///< K = k = 1, equal readouts, a unit teacher: that of `noise_moment`, to rounding
  erf,   ///< a student of erf, a closed teacher: pair kernels of a reweighted Gaussian, to rounding
  polynomial,   ///< exact sums
  kinked,       ///< polynomials to degree 4 on either side of 0, both: orthants, to 1e-9
  conditional,  ///< a smooth student, at most 16 fields: given two of them; the error is told
  centred,      ///< smooth, at most five dimensions, where that is poor: a body-centred lattice
  lattice,      ///< any other: shifted lattice rules; the error is told
};

/// Their names.
inline constexpr name_table<noise_method_kind, 7> noise_method_kinds{
    {{"pair", noise_method_kind::pair},
     {"erf", noise_method_kind::erf},
     {"polynomial", noise_method_kind::polynomial},
     {"kinked", noise_method_kind::kinked},
     {"conditional", noise_method_kind::conditional},
     {"centred", noise_method_kind::centred},
     {"lattice", noise_method_kind::lattice}}};

/// Σ_jl = E[h_j h_l], h_j = δ a_j σ'(λ_j).
struct network_noise_value {
  Eigen::MatrixXd covariance;  ///< Σ, K x K
  double error = 0.0;          ///< an estimate of the absolute error of its trace and entries
  noise_method_kind method = noise_method_kind::pair;
};

/// Σ of a student and a teacher, δ = Σ_j a_j σ(λ_j) - Σ_i b_i g(λ*_i) - √Δ ζ. Immutable and safe
/// from any thread; copies share their tables.
class network_noise {
 public:
  /// Of a student's and a teacher's activation.
  network_noise(const activation& student, const activation& teacher);

  /// Σ at readouts a and b, the teacher's Gram matrix T T' and label noise Δ >= 0.
  /// \throws argument_error, convergence_error as pair_kernel does
  [[nodiscard]] network_noise_value value(const network_overlaps& overlaps,
                                          const Eigen::MatrixXd& teacher_gram,
                                          const Eigen::VectorXd& readout,
                                          const Eigen::VectorXd& teacher_readout,
                                          double label_noise) const;

  /// The same by points in as many dimensions as the fields span, whatever there is besides: what
  /// the other ways are compared with.
  [[nodiscard]] network_noise_value by_quadrature(const network_overlaps& overlaps,
                                                  const Eigen::MatrixXd& teacher_gram,
                                                  const Eigen::VectorXd& readout,
                                                  const Eigen::VectorXd& teacher_readout,
                                                  double label_noise) const;

 private:
  struct body;
  std::shared_ptr<const body> body_;
};

}  // namespace loradyn
