#pragma once

// All commands with all their options, for what tells of them: help, completion, the manual page.

#include <CLI/CLI.hpp>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "command.hpp"

namespace loradyn::cli {

class every_command {
 public:
  every_command();

  [[nodiscard]] const CLI::App& app() const { return *app_; }
  // The long names that a configuration may give to any of them.
  [[nodiscard]] std::vector<std::string> config_names() const;

 private:
  std::unique_ptr<CLI::App> app_;
  std::vector<std::function<int(const invocation&)>>
      runs_;  // they own what the options are kept in
};

}  // namespace loradyn::cli
