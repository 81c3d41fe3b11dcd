#pragma once

// The files that a command line names.

#include <CLI/CLI.hpp>

namespace loradyn::cli {

// No file that the command writes is another that it reads or writes, under whatever name: neither
// may a table take the place of its store, nor a figure's data that of the configuration.
// Throws error, naming both options.
void require_files_apart(const CLI::App& command);

}  // namespace loradyn::cli
