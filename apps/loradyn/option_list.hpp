#pragma once

// The options of a command, without the parser that reads them.

#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <string>
#include <vector>

namespace CLI {
class App;
}

namespace loradyn::cli {

// Adds options to a subcommand. A default that is no empty text stands in the help.
class option_list {
 public:
  // An option that has an effect beside others alone, or none.
  struct rule {
    std::string name;
    std::vector<std::string> others;
  };

  explicit option_list(CLI::App& app) : app_(app) {}

  // `type` names the value in the help.
  void text(const std::string& name, std::string& target, const std::string& help,
            const std::string& type);
  // Given again: one more.
  void texts(const std::string& name, std::vector<std::string>& target, const std::string& help,
             const std::string& type);
  // Words of the command line, as many as there are.
  void words(const std::string& name, std::vector<std::string>& target, const std::string& help,
             const std::string& type);
  void number(const std::string& name, std::uint64_t& target, const std::string& help,
              std::uint64_t least, std::uint64_t most);
  void flag(const std::string& name, bool& target, const std::string& help);
  // Not beside these, which are there already.
  void exclude(const std::string& name, std::initializer_list<const char*> others);
  // Refused where none of the others is given, as it does nothing then; its default is no harm.
  void needs(const std::string& name, std::initializer_list<const char*> others);
  // Refused and not in the help, as nothing of the command depends on it; its default is no harm.
  void idle(const std::string& name);
  // What stands under the options.
  void footer(const std::string& text);

  [[nodiscard]] const std::vector<rule>& rules() const { return rules_; }

 private:
  CLI::App& app_;
  std::vector<rule> rules_;
};

// Throws argument_error for an option of a parsed command that does nothing.
void require_effect(const CLI::App& command, const std::vector<option_list::rule>& rules);

// Whether the option does nothing for its command, whatever stands beside it.
bool is_idle(const CLI::App& command, const std::string& name);

}  // namespace loradyn::cli
