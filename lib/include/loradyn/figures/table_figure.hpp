#pragma once

/// \file
/// The figure of a table in a file.

#include <filesystem>
#include <loradyn/report/figure.hpp>

namespace loradyn {

/// The figure of any table that the program writes; of a phase diagram, which may be large, no more
/// is kept than is drawn. \throws error for a table of another make; what read_table_rows throws
figure figure_of_file(const std::filesystem::path& path);

/// The points of any table with a header, from its first two columns of numbers, as markers over
/// the first panel. \throws argument_error where it has no two; what read_table throws
void add_points_of_file(figure& f, const std::filesystem::path& path);

}  // namespace loradyn
