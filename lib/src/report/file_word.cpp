#include "report/file_word.hpp"

#include <fmt/format.h>

#include <loradyn/error.hpp>
#include <loradyn/report/file.hpp>
#include "report/parameter_json.hpp"

namespace loradyn {
namespace {

using json = nlohmann::ordered_json;

toml::table table_of(const json& object);
toml::array array_of(const json& list);

// Adds a value of JSON with `add`: what TOML has none of is left out.
template <class Add>
void add_value(const json& value, const Add& add) {
  if (value.is_object()) {
    add(table_of(value));
  } else if (value.is_array()) {
    add(array_of(value));
  } else if (value.is_string()) {
    add(value.get<std::string>());
  } else if (value.is_boolean()) {
    add(value.get<bool>());
  } else if (value.is_number_integer()) {
    add(value.get<std::int64_t>());
  } else if (value.is_number()) {
    add(value.get<double>());
  }
}

toml::table table_of(const json& object) {
  toml::table table;
  for (const auto& [name, member] : object.items()) {
    add_value(member, [&, &key = name](auto&& v) { table.insert(key, std::move(v)); });
  }
  return table;
}

toml::array array_of(const json& list) {
  toml::array array;
  for (const json& element : list) {
    add_value(element, [&](auto&& v) { array.push_back(std::move(v)); });
  }
  return array;
}

json json_of(const toml::node& node) {
  if (const toml::table* table = node.as_table()) {
    json object = json::object();
    for (const auto& [key, value] : *table) {
      object[std::string(key.str())] = json_of(value);
    }
    return object;
  }
  if (const toml::array* array = node.as_array()) {
    json list = json::array();
    for (const toml::node& element : *array) {
      list.push_back(json_of(element));
    }
    return list;
  }
  if (const auto integer = node.value_exact<std::int64_t>()) {
    return *integer;
  }
  if (const auto number = node.value_exact<double>()) {
    return *number;
  }
  if (const auto flag = node.value_exact<bool>()) {
    return *flag;
  }
  return node.value_or(std::string());
}

}  // namespace

file_word::file_word(const std::string& option, const std::string& said, source from)
    : place(fmt::format("{} '{}'", option, said)) {
  if (said.starts_with('{')) {
    if (const json object = parameter_json(said); object.is_object()) {
      place = option;
      values = table_of(object);
      return;
    }
  }
  try {
    values = toml::parse(from == source::text ? read_text(said) : read_file(said));
  } catch (const toml::parse_error& e) {
    throw error(fmt::format("{}, line {}, column {}: {}", place, e.source().begin.line,
                            e.source().begin.column, e.description()));
  }
}

std::string file_word::content() const {
  return json_of(values).dump(-1, ' ', false, json::error_handler_t::replace);
}

}  // namespace loradyn
