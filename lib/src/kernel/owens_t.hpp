#pragma once

/// \file
/// Owen's function. Internal to the kernel room.

#include <array>
#include <cstddef>
#include <span>

namespace loradyn {

/// Owen's T(h, a) over e^{-h²/2}: (1/2π) ∫₀ᵃ e^{-h²x²/2}/(1 + x²) dx for h >= 0 and 0 <= a <= 1, by
/// a Gauss-Legendre rule of up to 24 points over what of [0, a] has a weight. Error 5e-15 of
/// itself.
double owens_integral(double h, double a);

/// The sum, whatever the vectors hold.
struct owens_kernels {
  /// Σ_i w_i e^{-power x_i²/2}/(1 + x_i²), x_i = top · node_i, of count points: a multiple of
  /// eight.
  double (*sum)(const double* node, const double* weight, std::size_t count, double top,
                double power);
};

/// Those that this processor runs, of one result: the widest last.
std::span<const owens_kernels* const> available_owens_kernels();

}  // namespace loradyn
