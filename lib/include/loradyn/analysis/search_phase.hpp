#pragma once

/// \file
/// The search phase: the linear instability of the flow at (u, m, s) = 0
/// (docs/theory.md, section 4).

#include <string_view>

#include <loradyn/activation/activation.hpp>
#include <loradyn/model/overlaps.hpp>
#include <loradyn/model/parameters.hpp>
#include <loradyn/model/population_risk.hpp>

namespace loradyn {

/// What the linearisation says of the search phase.
enum class search_status {
  ok,         ///< a linear instability: λ₊ > 0, τ = 1/λ₊
  imprecise,  ///< as ok, but the drive (A, C) is so near zero that its rounding error shows in τ
  diverges,   ///< A = C = 0 and B <= 0: λ₊ = 0, τ does not exist
  frozen,     ///< κ = 0: u stays what it is, there is no search; λ₊ = 0, τ does not exist
  undefined,  ///< A, B or C does not exist here (a kinked student at μ = ν = 0)
  overflow,   ///< |w0|², A, B or C is beyond the range of a number
};

/// "ok", "imprecise", "diverges", "frozen", "undefined", "overflow".
std::string_view to_string(search_status status);

/// The linearised flow  u' = κ(A m + C s + B u),  m' = A u,  s' = C u  and what follows from it.
struct search_phase_result {
  double A = 0.0;  ///< E[(g(z) - σ(λ)) σ'(λ) z]
  double B = 0.0;  ///< -E[σ'(λ)²] + E[(g(z) - σ(λ)) σ''(λ)]
  double C = 0.0;  ///< E[(g(z) - σ(λ)) σ'(λ) z'] = ν B
  /// The sum of the absolute values of the terms of A; A's error is 1e-15 to 1e-13 of it.
  double A_scale = 0.0;
  double lambda =
      0.0;  ///< λ₊ = ½(κB + √(κ²B² + 4κ(A² + C²))), the growth rate; NaN if undefined or overflow
  double tau = 0.0;        ///< τ = 1/λ₊; NaN unless status is ok or imprecise
  overlap_state unstable;  ///< e₊, of unit length with u >= 0, the direction in which the search
                           ///< escapes; zero unless status is ok or imprecise
  search_status status = search_status::ok;
};

/// Where A, B and C are taken from.
enum class search_kernels {
  averaged,  ///< the kernels themselves
  prepared,  ///< the tables of population_risk::slopes: for thousands of points of a pair that has
             ///< no closed form. To 1e-12 of E[σ'²]; where A's terms cancel, from the kernels.
};

/// The search phase of a LoRA problem; times are raw (in units of 1/η steps).
/// \param risk the student's and the teacher's activations
/// \param parameters μ, ν, κ are used
/// \param kernels averaged: A, B and C to 1e-13 of their terms
/// \throws argument_error where a parameter is out of range
/// \throws convergence_error where a kernel's quadrature does not converge
search_phase_result search_phase(const population_risk& risk, const lora_parameters& parameters,
                                 search_kernels kernels = search_kernels::averaged);

/// E[σ'(z)²], z ~ N(0, 1): time in "fisher" units is raw time times this, rates (A, B, C, λ₊) are
/// divided by it. k k! for He_k, 1 for the linear student.
double fisher_information(const activation& student);

}  // namespace loradyn
