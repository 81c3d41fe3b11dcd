#pragma once

/// \file
/// The figure of a table in a file.

#include <filesystem>
#include <loradyn/report/figure.hpp>

namespace loradyn {

/// The figure of any table that the program writes; of a phase diagram, which may be large, no more
/// is kept than is drawn. \throws error for a table of another make; what read_table_rows throws
figure figure_of_file(const std::filesystem::path& path);

}  // namespace loradyn
