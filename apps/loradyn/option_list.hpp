#pragma once

// The options of a command, without the parser that reads them.

#include <cstdint>
#include <initializer_list>
#include <loradyn/report/question.hpp>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace CLI {
class App;
}

namespace loradyn::cli {

// What the options of a command say, each under its name without dashes.
class option_words {
 public:
  std::string& text(const std::string& name) { return texts_[name]; }
  std::vector<std::string>& list(const std::string& name) { return lists_[name]; }
  bool& flag(const std::string& name) { return flags_[name]; }
  // A name stays a text, though it may look like a number.
  void is_name(const std::string& name) { names_.push_back(name); }

  // The words that have a text; of a list its texts with bars between, of a flag "true".
  [[nodiscard]] question said() const;

 private:
  std::map<std::string, std::string> texts_;
  std::map<std::string, std::vector<std::string>> lists_;
  std::map<std::string, bool> flags_;
  std::vector<std::string> names_;
};

// Whether an option whose value is of this type names a file.
bool is_file_type(std::string_view type);

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
  void text(const std::string& name, const std::string& help, const std::string& type,
            const std::string& standard = {});
  // Given again: one more.
  void texts(const std::string& name, const std::string& help, const std::string& type);
  // Words of the command line, as many as there are.
  void words(const std::string& name, std::vector<std::string>& target, const std::string& help,
             const std::string& type);
  // A whole number.
  void number(const std::string& name, const std::string& help, std::uint64_t standard,
              std::uint64_t least, std::uint64_t most);
  void flag(const std::string& name, const std::string& help);
  // Not beside these, which are there already.
  void exclude(const std::string& name, std::initializer_list<const char*> others);
  // Refused where none of the others is given, as it does nothing then; its default is no harm.
  void needs(const std::string& name, std::initializer_list<const char*> others);
  // Refused and not in the help, as nothing of the command depends on it; its default is no harm.
  void idle(const std::string& name);
  // What stands under the options.
  void footer(const std::string& text);

  [[nodiscard]] const std::vector<rule>& rules() const { return rules_; }
  // What they will say once they are read.
  [[nodiscard]] std::shared_ptr<const option_words> said() const { return words_; }

 private:
  CLI::App& app_;
  std::shared_ptr<option_words> words_ = std::make_shared<option_words>();
  std::vector<rule> rules_;
};

// Throws argument_error for an option of a parsed command that does nothing.
void require_effect(const CLI::App& command, const std::vector<option_list::rule>& rules);

// Whether the option does nothing for its command, whatever stands beside it.
bool is_idle(const CLI::App& command, const std::string& name);

}  // namespace loradyn::cli
