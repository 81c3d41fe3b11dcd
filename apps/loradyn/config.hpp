#pragma once

#include <CLI/CLI.hpp>
#include <functional>
#include <string>
#include <vector>

namespace loradyn::cli {

// Gives every option of `app` that the command line left out the value that the TOML file has for
// it: at the top, or in the table that is named like the command, which wins. A key is an option's
// long name without dashes; one at the top may be another command's, and is nothing here then.
// "-" is standard input. Throws error, naming the file and the key.
// `all_options` gives the options of all commands, and is asked where a key is no option of this
// one.
void apply_config(CLI::App& app, const std::string& path, const std::vector<std::string>& commands,
                  const std::function<std::vector<std::string>()>& all_options);

// The long names of a command's options that a file may give, without dashes.
std::vector<std::string> config_names(const CLI::App& app);

}  // namespace loradyn::cli
