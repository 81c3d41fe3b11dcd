#pragma once

/// \file
/// Labels transformed after their noise (docs/theory.md, section 10).

#include <loradyn/activation/activation.hpp>
#include <loradyn/activation/polynomial.hpp>
#include <loradyn/model/learning_task.hpp>
#include <optional>

namespace loradyn {

/// What training on y = T(g(λ*) + √Δ ζ) is in high dimension: a target ḡ(λ*) = E_ζ[y] with noise of
/// variance label_noise + excess(λ*), where E[excess(z)] = 0.
struct transformed_labels {
  activation target;                 ///< ḡ
  double label_noise = 0.0;          ///< E[Var_ζ y], which takes the place of Δ
  std::optional<activation> excess;  ///< Var_ζ y less its mean; nothing where that is constant

  /// The task of a student that is trained on these labels.
  [[nodiscard]] learning_task task_of(const activation& student) const {
    return excess ? learning_task(student, target, *excess) : learning_task(student, target);
  }
};

/// \param teacher     g, an activation that the grammar can read back from its name
/// \param transform   T
/// \param label_noise Δ >= 0
/// \throws argument_error where Δ is out of range, g is a user's function, or T(g) or its variance
/// is
///         of a degree that the grammar does not take
transformed_labels transform_labels(const activation& teacher, const polynomial& transform,
                                    double label_noise);

}  // namespace loradyn
