#pragma once

/// \file
/// A student and its teacher.

#include <loradyn/activation/activation.hpp>
#include <loradyn/kernel/noise_moment.hpp>
#include <loradyn/model/population_risk.hpp>

namespace loradyn {

/// All that training depends on of a pair of activations. Immutable and safe from any thread;
/// copies share their tables.
struct learning_task {
  /// Prepares the risk and the noise moment of a pair.
  learning_task(const activation& student, const activation& teacher)
      : risk(student, teacher), noise(student, teacher) {}

  /// With label noise of variance Δ + excess(λ*), E[excess(z)] = 0 (transformed_labels.hpp).
  learning_task(const activation& student, const activation& teacher, const activation& excess)
      : risk(student, teacher), noise(student, teacher, excess) {}

  population_risk risk;
  noise_moment noise;
};

}  // namespace loradyn
