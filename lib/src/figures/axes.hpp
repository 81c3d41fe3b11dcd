#pragma once

/// \file
/// Which axes of a figure are logarithmic.

#include <loradyn/report/table.hpp>
#include <string_view>
#include <vector>

namespace loradyn {

/// Whether the values of an axis were given as a logarithmic range, and may stand on such an axis.
bool is_log_range(const provenance& meta, std::string_view name, const std::vector<double>& values);

/// Whether values in increasing order, of which the first may be zero, are spaced as powers are.
bool is_geometric(const std::vector<double>& values);

}  // namespace loradyn
