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
  // What stands under the options.
  void footer(const std::string& text);

 private:
  CLI::App& app_;
};

}  // namespace loradyn::cli
