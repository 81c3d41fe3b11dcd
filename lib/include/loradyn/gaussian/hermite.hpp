#pragma once

/// \file
/// Probabilists' Hermite polynomials, orthogonal under z ~ N(0, 1).

#include <span>

namespace loradyn {

/// The normalised Hermite polynomials he_n = He_n/√(n!), so that E[he_n(z) he_m(z)] = δ_nm.
/// Fills values[n] with he_n(z) for n < values.size() by the three-term recurrence, which is stable
/// for every real z; relative error a few n ulp of max(1, e^{z²/4}).
void normalised_hermite(double z, std::span<double> values);

/// Σ_n coefficients[n] He_n(x), by Clenshaw's recurrence.
double hermite_series(std::span<const double> coefficients, double x);

}  // namespace loradyn
