#pragma once

/// \file
/// Critical alignments: the roots of A(μ), where the search phase loses its linear drive
/// (docs/theory.md, section 5).

#include <string_view>
#include <vector>

#include <loradyn/model/parameters.hpp>
#include <loradyn/model/population_risk.hpp>

namespace loradyn {

/// What happens to τ at a root of A.
enum class critical_status {
  diverges,         ///< B < 0 and ν = 0: τ ~ |B| / (A'(μ_c)² (μ - μ_c)²)
  finite,           ///< τ stays finite: 1/(κB) for B > 0 and ν = 0, driven by C = νB for ν > 0
  marginal,         ///< ν = 0 and B = 0 to rounding: τ ~ 1/(√κ |A|)
  possible_double,  ///< A touches or nearly touches zero here: a double root, or none, to rounding
};

/// "diverges", "finite", "marginal", "possible-double-root".
std::string_view to_string(critical_status status);

/// One root of A(μ).
struct critical_alignment {
  double alignment = 0.0;  ///< μ_c
  double B = 0.0;          ///< B(μ_c)
  double slope = 0.0;      ///< A'(μ_c)
  critical_status status = critical_status::diverges;
};

/// Every root of A in the open interval (lo, hi), in increasing order; zeros that sit on an end
/// (μ = 0 by parity, μ = 1 of a matched pair) are not counted.
/// \param parameters ν and κ are used, the alignment is not
/// \throws argument_error unless lo < hi, both finite
/// \throws convergence_error where A(μ) can't be resolved
std::vector<critical_alignment> critical_alignments(const population_risk& risk,
                                                    const lora_parameters& parameters, double lo,
                                                    double hi);

}  // namespace loradyn
