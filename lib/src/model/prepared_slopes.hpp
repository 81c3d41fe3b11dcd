#pragma once

/// \file
/// The gradient of the population risk as a flow asks for it, time and again. Internal to the model
/// room.

#include <loradyn/kernel/pair_kernel.hpp>
#include <loradyn/model/population_risk.hpp>
#include <memory>
#include <optional>
#include <span>
#include <vector>
#include "kernel/polar_patches.hpp"
#include "model/power_slope.hpp"

namespace loradyn {

/// R_M and 2R_Q of a pair whose kernel is one of quadrature, by patches (polar_patches.hpp): to
/// about 1e-13 of their largest values at like |w|, for a few hundred nanoseconds after the patches
/// are made. Immutable to its users, safe from any thread.
class prepared_slopes {
 public:
  /// \param own null where the student has none
  prepared_slopes(const pair_kernel& self, const pair_kernel& cross,
                  const std::shared_ptr<const power_slope>& own);

  /// Nothing where there is no patch.
  [[nodiscard]] std::optional<risk_slopes> slopes(const field_overlaps& o) const;

  /// At each of the points, which lie on one circle |w|² = Q, without a patch: one projection or
  /// table serves them all.
  [[nodiscard]] std::vector<risk_slopes> on_circle(double Q, std::span<const double> M,
                                                   std::span<const double> gap) const;

  /// The second derivatives by those of the patches, to about 1e-9 away from the edge; nothing near
  /// it.
  [[nodiscard]] std::optional<risk_curvature> curvature(const field_overlaps& o) const;

 private:
  polar_functions::sampler sample_;
  polar_functions functions_;
};

}  // namespace loradyn
