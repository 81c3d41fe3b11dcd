#pragma once

/// \file
/// What numerics need to know of a formula: where its pieces meet, where it is steep, whether it is
/// even or odd, and that it is a finite function with Gaussian moments. Internal to the activation
/// room.

#include <loradyn/activation/activation.hpp>
#include <vector>
#include "activation/formula.hpp"

namespace loradyn::detail {

/// Where a Gaussian of unit variance has any weight in double precision.
inline constexpr double gaussian_range = 40.0;
/// Above this the square of a derivative has no finite average that doubles could hold.
inline constexpr double largest_derivative = 1e150;

struct formula_shape {
  std::vector<kink> kinks;
  std::vector<double> features;
  activation_symmetry symmetry;
};

/// Finds where the formula's switches change over, fixes their pieces, and looks where each of its
/// functions varies. All of it by sampling |x| <= 1e8 on a mesh that is fine near 0 and about what
/// is found, within a bounded number of evaluations.
/// \throws parse_error at the operation that is not finite somewhere, grows faster than a Gaussian
/// average allows, or has more pieces than can be kept
formula_shape analyse(formula& f);

}  // namespace loradyn::detail
