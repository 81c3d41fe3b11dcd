#pragma once

/// \file
/// The figures of networks.

#include <loradyn/report/figure.hpp>
#include <loradyn/report/question.hpp>
#include <vector>

namespace loradyn {

/// Every overlap in time: the weights' with the targets, the adapters', the amplitudes, and the
/// risk.
figure network_trajectory_figure(const asked<study::network_trajectory_problem>& of,
                                 const std::vector<study::network_trajectory_row>& rows);

/// t_hit and the search time over the first parameter that varies.
figure network_escape_figure(const asked<study::network_escape_problem>& of,
                             const std::vector<study::network_escape_row>& rows);

/// The search time of every mode over the first parameter that varies.
figure network_rates_figure(const asked<study::network_rates_problem>& of,
                            const std::vector<study::network_rates_row>& rows);

/// The critical alignments of each pair, by what becomes of the mode's time there.
figure network_critical_figure(const asked<study::network_critical_problem>& of,
                               const std::vector<study::network_critical_row>& rows);

/// The equilibria over the first parameter that varies by their mean overlap, or, of one point,
/// by their overlap and risk; each kind by itself.
figure network_fixed_points_figure(const asked<study::network_fixed_points_problem>& of,
                                   const std::vector<study::network_fixed_point_row>& rows);

/// Means over the runs of every overlap in time, with their 5 and 95 %.
figure network_ensemble_figure(const asked<study::network_simulate_problem>& of,
                               const std::vector<study::network_summary_row>& rows);

/// A histogram of the runs' times.
figure network_hitting_figure(const asked<study::network_simulate_problem>& of,
                              const std::vector<study::network_run_row>& rows);

}  // namespace loradyn
