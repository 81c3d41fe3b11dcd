#pragma once

// What `phase`, `export`, `merge` and `plot` share of a phase diagram.

#include <loradyn/report/figure.hpp>
#include <loradyn/report/table.hpp>
#include <string>
#include <utility>
#include <vector>

#include "phase_grid.hpp"

namespace loradyn::cli {

// Throws argument_error for another text than t, tau, risk or outcome.
void require_show(const std::string& show);

// The setting that a table's parameters describe. Throws argument_error and error.
phase_setting setting_of_parameters(
    const std::vector<std::pair<std::string, std::string>>& parameters);

// The heat map: `show` is t, tau, risk or outcome; empty: what the table's parameters say.
figure phase_figure(const table& t, const std::string& show);

}  // namespace loradyn::cli
