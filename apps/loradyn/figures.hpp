#pragma once

// The figure of each kind of table.

#include <filesystem>
#include <loradyn/report/figure.hpp>
#include <loradyn/report/table.hpp>
#include <string>

namespace loradyn::cli {

// How an axis over a parameter is titled, by the parameter's column; one in braces by its name.
std::string parameter_title(const std::string& column);

// What the name of a time is followed by, where its unit is not raw time.
std::string unit_suffix(const provenance& meta);

// τ against μ (or ν, where μ is one value): a panel for each --student, a curve for each of its
// activations and ν; critical alignments marked.
figure rates_figure(const table& t);

// The critical alignments of each student.
figure critical_figure(const table& t);

// t_hit over the first parameter that varies, with τ's prediction and the outcomes.
figure escape_figure(const table& t);

// Overlaps and risk in time.
figure trajectory_figure(const table& t);

// One point: the phase plane (u, m). More: M at the equilibria over the first parameter that
// varies.
figure fixed_points_figure(const table& t);

// Total cost against the pre-training time.
figure budget_figure(const table& t);

// A simulated band over the ODE's curve: |m| and the risk in time.
figure ensemble_figure(const table& t);

// The histogram of hitting times over the law's density.
figure hitting_figure(const table& t);

// Deviations against the dimension.
figure validate_figure(const table& t);

// The figure of any table that the program writes, told by its columns.
// Throws argument_error for a table of another make; what read_table_rows throws.
figure figure_of_file(const std::filesystem::path& path);

}  // namespace loradyn::cli
