#include "option_list.hpp"

#include <CLI/CLI.hpp>

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

void option_list::footer(const std::string& text) { app_.footer(text); }

}  // namespace loradyn::cli
