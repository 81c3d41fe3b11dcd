#pragma once

/// \file
/// Moments of pairs of polynomials, erf and ReLU in closed form. Internal to the kernel room.

#include <loradyn/activation/activation.hpp>
#include <loradyn/kernel/pair_kernel.hpp>

namespace loradyn {

/// The moments of the closed-form parts of two activations; the rest is left out.
pair_moments closed_moments(const activation_parts& f, const activation_parts& g,
                            const pair_covariance& covariance, moment_set wanted);

}  // namespace loradyn
