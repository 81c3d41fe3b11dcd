#include "option_list.hpp"

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <array>
#include <loradyn/error.hpp>

namespace loradyn::cli {

namespace {

// The long name of an option such as "-o,--output", or the name of a place.
std::string word_of(const std::string& name) {
  const std::size_t dashes = name.rfind("--");
  return dashes == std::string::npos ? name : name.substr(dashes + 2);
}

}  // namespace

bool is_file_type(std::string_view type) {
  constexpr std::array<std::string_view, 6> files{"FILE",   "TABLE",  "STORE",
                                                  "FIGURE", "TARGET", "SOURCE"};
  return std::any_of(files.begin(), files.end(),
                     [type](std::string_view file) { return type.starts_with(file); });
}

question option_words::said() const {
  question words;
  for (const auto& [name, text] : texts_) {
    words.say(name, text);
  }
  for (const auto& [name, list] : lists_) {
    words.say(name, fmt::format("{}", fmt::join(list, " | ")));
  }
  for (const auto& [name, is_given] : flags_) {
    words.say(name, is_given ? "true" : "");
  }
  for (const std::string& name : names_) {
    const auto& said = words.said();
    const auto found = std::find_if(said.begin(), said.end(),
                                    [&](const auto& word) { return word.first == name; });
    if (found != said.end()) {
      words.say(name, text_parameter(found->second));
    }
  }
  return words;
}

void option_list::text(const std::string& name, const std::string& help, const std::string& type,
                       const std::string& standard) {
  const std::string word = word_of(name);
  std::string& target = words_->text(word);
  target = standard;
  if (type == "NAME" || is_file_type(type)) {
    words_->is_name(word);
  }
  CLI::Option* const option = app_.add_option(name, target, help)->type_name(type);
  if (!target.empty()) {
    option->capture_default_str();
  }
}

void option_list::texts(const std::string& name, const std::string& help, const std::string& type) {
  words_->is_name(word_of(name));
  app_.add_option(name, words_->list(word_of(name)), help)
      ->type_name(type)
      ->allow_extra_args(false);
}

void option_list::words(const std::string& name, std::vector<std::string>& target,
                        const std::string& help, const std::string& type) {
  app_.add_option(name, target, help)->type_name(type);
}

void option_list::number(const std::string& name, const std::string& help, std::uint64_t standard,
                         std::uint64_t least, std::uint64_t most) {
  std::string& target = words_->text(word_of(name));
  target = std::to_string(standard);
  app_.add_option(name, target, help)
      ->type_name("N")
      ->check([=](const std::string& text) {
        try {
          static_cast<void>(read_count(name, text, least, most));
          return std::string();
        } catch (const argument_error&) {
          return fmt::format("Value {} not in range {} to {}", text, least, most);
        }
      })
      ->capture_default_str();
}

void option_list::flag(const std::string& name, const std::string& help) {
  app_.add_flag(name, words_->flag(word_of(name)), help);
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
