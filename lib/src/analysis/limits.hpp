#pragma once

/// \file
/// The laws by which the search time diverges (docs/theory.md, section 5).

#include <loradyn/activation/activation.hpp>
#include <loradyn/analysis/critical.hpp>

namespace loradyn {

/// τ ≈ prefactor/(μ - centre)² as μ -> centre, in raw time, at ν = 0; whatever κ is.
struct divergence_law {
  double centre = 0.0;
  double prefactor = 0.0;

  /// The law at an alignment; +∞ at the centre.
  [[nodiscard]] double operator()(double alignment) const {
    const double distance = alignment - centre;
    return prefactor / (distance * distance);
  }
};

/// Strong pre-training, a matched pair as μ -> 1: E[σ'²]/(E[z²σ'²]² (1-μ)²), since A ≈ (1-μ)
/// E[z²σ'²] and B -> -E[σ'²]. The relative correction is of first order in 1-μ; the moments carry
/// 1e-14. \throws argument_error for a constant activation
divergence_law strong_pretraining_law(const activation& matched);

/// Near a critical alignment with B < 0: |B|/(A'(μ_c)² (μ-μ_c)²).
/// \throws argument_error unless the root's status is `diverges`, with a B and a slope
divergence_law critical_law(const critical_alignment& root);

}  // namespace loradyn
