#pragma once

/// \file
/// Hitting times of a simulation's runs. Internal to the figures.

#include <loradyn/report/figure.hpp>
#include <loradyn/report/table.hpp>
#include <vector>

namespace loradyn {

/// Their histogram, as a density.
panel hitting_panel(const parameter_list& said, const std::vector<double>& times);

}  // namespace loradyn
