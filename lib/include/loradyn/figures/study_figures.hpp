#pragma once

/// \file
/// The figure of each kind of table, of the problem and what a study returned or a table holds. The
/// words tell panels, units and which axes are logarithmic.

#include <loradyn/report/figure.hpp>
#include <loradyn/report/question.hpp>
#include <string>
#include <vector>

namespace loradyn {

/// The student, and the teacher where it is another.
std::string pair_label(const study::row_key& key);

/// What the name of a time is followed by, where its unit is not raw time.
std::string unit_suffix(study::time_unit unit);
/// What is written behind a time: its unit, or nothing.
std::string unit_suffix(const parameter_list& said);

/// τ against μ (or ν, where μ is one value): a panel for each --student, a curve for each of its
/// activations and ν; critical alignments marked.
figure rates_figure(const asked<study::rates_problem>& of,
                    const std::vector<study::rates_row>& rows);

/// The critical alignments of each student.
figure critical_figure(const asked<study::critical_problem>& of,
                       const std::vector<study::critical_row>& rows);

/// t_hit over the first parameter that varies, with τ's prediction and the outcomes.
figure escape_figure(const asked<study::escape_problem>& of,
                     const std::vector<study::escape_row>& rows);

/// Overlaps and risk in time.
figure trajectory_figure(const asked<study::trajectory_family>& of,
                         const std::vector<study::trajectory_row>& rows);

/// u, m, M and the risk of several runs in time, a curve each.
figure family_figure(const asked<study::trajectory_family>& of,
                     const std::vector<study::family_row>& rows);

/// One point: the phase plane (u, m). More: M at the equilibria over the first parameter that
/// varies.
figure fixed_points_figure(const asked<study::fixed_points_problem>& of,
                           const std::vector<study::fixed_point_row>& rows);

/// Total cost against the pre-training time.
figure budget_figure(const asked<study::budget_problem>& of,
                     const std::vector<study::budget_row>& rows);

/// A simulated band over the ODE's curve: |m| and the risk in time.
figure ensemble_figure(const asked<study::simulate_problem>& of,
                       const std::vector<study::record_row>& rows);

/// The histogram of hitting times over the law's density.
figure hitting_figure(const asked<study::simulate_problem>& of,
                      const std::vector<study::run_row>& rows);

/// Deviations against the dimension.
figure validate_figure(const std::vector<study::validation_row>& rows);

}  // namespace loradyn
