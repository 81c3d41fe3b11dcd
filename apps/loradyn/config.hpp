#pragma once

#include <CLI/CLI.hpp>
#include <string>
#include <vector>

namespace loradyn::cli {

// Gives every option of `app` that the command line left out the value that the TOML file has for
// it: at the top, or in the table that is named like the command, which wins. A key is an option's
// long name without dashes. Throws error, naming the file and the key.
void apply_config(CLI::App& app, const std::string& path, const std::vector<std::string>& commands);

}  // namespace loradyn::cli
