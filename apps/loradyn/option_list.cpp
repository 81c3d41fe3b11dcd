#include "option_list.hpp"

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <loradyn/error.hpp>

namespace loradyn::cli {

void option_list::text(const std::string& name, std::string& target, const std::string& help,
                       const std::string& type) {
  CLI::Option* const option = app_.add_option(name, target, help)->type_name(type);
  if (!target.empty()) {
    option->capture_default_str();
  }
}

void option_list::texts(const std::string& name, std::vector<std::string>& target,
                        const std::string& help, const std::string& type) {
  app_.add_option(name, target, help)->type_name(type)->allow_extra_args(false);
}

void option_list::words(const std::string& name, std::vector<std::string>& target,
                        const std::string& help, const std::string& type) {
  app_.add_option(name, target, help)->type_name(type);
}

void option_list::number(const std::string& name, std::uint64_t& target, const std::string& help,
                         std::uint64_t least, std::uint64_t most) {
  app_.add_option(name, target, help)
      ->type_name("N")
      ->check(CLI::Range(least, most))
      ->capture_default_str();
}

void option_list::flag(const std::string& name, bool& target, const std::string& help) {
  app_.add_flag(name, target, help);
}

void option_list::exclude(const std::string& name, std::initializer_list<const char*> others) {
  for (const char* other : others) {
    app_.get_option(name)->excludes(app_.get_option(other));
  }
}

void option_list::needs(const std::string& name, std::initializer_list<const char*> others) {
  rules_.push_back({name, {others.begin(), others.end()}});
}

void option_list::idle(const std::string& name) {
  constexpr const char* nowhere = "";  // the group that no help shows
  app_.get_option(name)->group(nowhere);
  rules_.push_back({name, {}});
}

void option_list::footer(const std::string& text) { app_.footer(text); }

void require_effect(const CLI::App& command, const std::vector<option_list::rule>& rules) {
  for (const option_list::rule& rule : rules) {
    const CLI::Option* const option = command.get_option(rule.name);
    const auto given = [&](const std::string& other) {
      return command.get_option(other)->count() > 0;
    };
    if (option->count() == 0 || std::any_of(rule.others.begin(), rule.others.end(), given)) {
      continue;
    }
    const auto text = option->as<std::string>();
    if (text != option->get_default_str()) {
      throw argument_error(
          rule.name, "'" + text + "'",
          rule.others.empty()
              ? fmt::format("left out: nothing that {} tells depends on it", command.get_name())
              : fmt::format("left out: it does nothing without {}",
                            fmt::join(rule.others, " or ")));
    }
  }
}

bool is_idle(const CLI::App& command, const std::string& name) {
  return command.get_option("--" + name)->get_group().empty();
}

}  // namespace loradyn::cli
