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
  diverges,         ///< B < 0 (on a side at least, where B jumps) and ν = 0:
                    ///< τ ~ |B| / (A'(μ_c)² (μ - μ_c)²)
  finite,           ///< τ stays finite: 1/(κB) for B > 0 and ν = 0, driven by C = νB for ν > 0
  marginal,         ///< ν = 0 and B = 0 to rounding: τ ~ 1/(√κ |A|)
  touches,          ///< A, or its limit from one side, is zero and has the same sign on both sides:
                    ///< the corner, or the jump, of a kinked student at μ = 0, ν = 0
  possible_double,  ///< a smooth A comes within rounding of zero and has the same sign on both
                    ///< sides: a double root, two roots, or none
  one_sided,   ///< free adapters that decay: the drive passes the decay, so that the mode grows
               ///< on one side alone: τ ~ (1 + κ)/(2κ |slope (μ - μ_c)|)
  unresolved,  ///< no root: a piece of the interval on which A can't be followed
};

/// "diverges", "finite", "marginal", "touches", "possible-double-root", "one-sided",
/// "no-convergence".
std::string_view to_string(critical_status status);

/// One root of A(μ), or an unresolved piece.
struct critical_alignment {
  double alignment = 0.0;  ///< μ_c; NaN of a piece
  double B = 0.0;          ///< B(μ_c); NaN where B jumps there, and of a piece
  double slope = 0.0;      ///< A'(μ_c); NaN at a corner, and of a piece
  critical_status status = critical_status::diverges;
  double lo = 0.0;  ///< of a piece: where it begins and ends
  double hi = 0.0;
};

/// Every root of A in the open interval (lo, hi), in increasing order; zeros that sit on an end
/// (μ = 0 by parity, μ = 1 of a matched pair) are not counted. After them the pieces on which A
/// can't be resolved, by a bounded number of evaluations (24 × `most_series` of
/// analysis/roots.hpp). \param parameters ν and κ are used, the alignment is not \throws
/// argument_error unless lo < hi, both finite
std::vector<critical_alignment> critical_alignments(const population_risk& risk,
                                                    const lora_parameters& parameters, double lo,
                                                    double hi);

}  // namespace loradyn
