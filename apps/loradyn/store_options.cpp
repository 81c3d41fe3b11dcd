#include "store_options.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>
#include <loradyn/version.hpp>

#include "command.hpp"

namespace loradyn::cli {
namespace {

bool is_shown_only(const std::string& name) { return name == "show"; }

}  // namespace

sweep_configuration configuration_of(const phase_grid& grid, const described& parameters) {
  sweep_configuration c;
  c.version = version;
  std::copy_if(parameters.begin(), parameters.end(), std::back_inserter(c.parameters),
               [](const auto& p) { return !is_shown_only(p.first); });
  c.columns = grid.columns();
  c.cells = grid.cells();
  c.tally = grid.setting().tau_only ? "status" : "outcome";
  return c;
}

std::string canonical_command(const described& parameters) {
  std::string command = "loradyn phase";
  for (const auto& [name, value] : parameters) {
    const bool absent = value.empty() || value == "default" || value == "none" ||
                        value == "as the student" || is_shown_only(name) ||
                        (name == "t-max" && value == "inf") ||
                        (name == "only" && value == "escape");
    if (absent) {
      continue;
    }
    const bool is_signed = name == "event" && value.ends_with(" signed");
    const std::string text = is_signed ? value.substr(0, value.find(' ')) : value;
    command += fmt::format(" --{} {}{}", name, shell_quoted(text), is_signed ? " --signed" : "");
  }
  return command;
}

table table_of(const sweep_store& store, const std::string& show) {
  table t;
  const sweep_configuration& c = store.configuration();
  t.meta.version = c.version;
  t.meta.command = canonical_command(c.parameters);
  t.meta.parameters = c.parameters;
  t.meta.parameters.emplace_back("show", show);
  t.columns = c.columns;
  t.rows = store.rows();
  return t;
}

}  // namespace loradyn::cli
