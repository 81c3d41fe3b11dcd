#include "config.hpp"

#include <fmt/format.h>
#include <toml++/toml.h>

#include <algorithm>
#include <loradyn/error.hpp>
#include <loradyn/nearest_names.hpp>
#include <loradyn/report/file.hpp>
#include <string_view>

#include "option_list.hpp"

namespace loradyn::cli {
namespace {

// A scalar as the command line would give it.
std::string scalar_text(const toml::node& node, const std::string& where) {
  if (const auto text = node.value_exact<std::string>()) {
    return *text;
  }
  if (const auto integer = node.value_exact<std::int64_t>()) {
    return fmt::format("{}", *integer);
  }
  if (const auto number = node.value_exact<double>()) {
    return fmt::format("{}", *number);
  }
  if (const auto flag = node.value_exact<bool>()) {
    return *flag ? "true" : "false";
  }
  throw error(where + " must be a text, a number, true or false, or an array of texts or numbers");
}

void apply(CLI::App& app, const toml::table& values, const std::string& path,
           const std::vector<std::string>& given,
           const std::function<std::vector<std::string>()>& others) {
  for (const auto& [key, node] : values) {
    const std::string name(key.str());
    const std::string where = fmt::format("--config '{}': {}", path, name);
    if (node.is_table()) {
      continue;
    }
    const std::vector<std::string> names = config_names(app);
    if (std::find(names.begin(), names.end(), name) == names.end()) {
      const std::vector<std::string> all = others ? others() : std::vector<std::string>();
      if (std::find(all.begin(), all.end(), name) != all.end()) {
        continue;
      }
      throw error(where + " is no option of this command; the nearest are " +
                  nearest_names(name, names));
    }
    const bool at_the_top = others != nullptr;
    if (std::find(given.begin(), given.end(), name) != given.end() ||
        (at_the_top && is_idle(app, name))) {
      continue;  // the command line wins; what is for other commands is left to them
    }
    CLI::Option* option = app.get_option("--" + name);
    option->clear();
    if (const toml::array* array = node.as_array()) {
      // Texts are the option given again; numbers are a list.
      std::vector<std::string> texts;
      bool numbers = true;
      for (const toml::node& element : *array) {
        texts.push_back(scalar_text(element, where));
        numbers = numbers && element.is_number();
      }
      if (numbers) {
        option->add_result(fmt::format("{}", fmt::join(texts, ",")));
      } else {
        option->add_result(texts);
      }
    } else {
      option->add_result(scalar_text(node, where));
    }
    try {
      option->run_callback();
    } catch (const CLI::Error& e) {
      throw error(where + ": " + e.what());
    }
  }
}

}  // namespace

std::vector<std::string> config_names(const CLI::App& app) {
  std::vector<std::string> names;
  for (const CLI::Option* option : app.get_options()) {
    for (const std::string& name : option->get_lnames()) {
      if (name != "help" && name != "config") {
        names.push_back(name);
      }
    }
  }
  return names;
}

void apply_config(CLI::App& app, const std::string& path, const std::vector<std::string>& commands,
                  const std::function<std::vector<std::string>()>& all_options) {
  const std::string text = read_text(path == "-" ? "/dev/stdin" : path);
  toml::table values;
  try {
    values = toml::parse(text);
  } catch (const toml::parse_error& e) {
    throw error(fmt::format("--config '{}', line {}, column {}: {}", path, e.source().begin.line,
                            e.source().begin.column, e.description()));
  }
  std::vector<std::string> given;
  for (const std::string& name : config_names(app)) {
    if (app.get_option("--" + name)->count() > 0) {
      given.push_back(name);
    }
  }
  for (const auto& [key, node] : values) {
    const std::string name(key.str());
    if (node.is_table() && std::find(commands.begin(), commands.end(), name) == commands.end()) {
      throw error(fmt::format("--config '{}': [{}] is no command; the nearest are {}", path, name,
                              nearest_names(name, commands)));
    }
  }
  apply(app, values, path, given, all_options);
  if (const toml::table* own = values.get_as<toml::table>(app.get_name())) {
    apply(app, *own, path, given, nullptr);
  }
}

}  // namespace loradyn::cli
