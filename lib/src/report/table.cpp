#include <algorithm>
#include <loradyn/error.hpp>
#include <loradyn/report/table.hpp>
#include <nlohmann/json.hpp>
#include "report/parameter_json.hpp"

namespace loradyn {
namespace {

std::size_t require(const table& t, std::string_view column) {
  const auto index = t.find(column);
  if (!index) {
    throw argument_error("the column", "'" + std::string(column) + "'", "one of the table's");
  }
  return *index;
}

template <class Value>
bool all_hold(const table& t, std::size_t column) {
  for (const auto& row : t.rows) {
    if (!std::holds_alternative<Value>(row[column])) {
      return false;
    }
  }
  return !t.rows.empty();
}

}  // namespace

nlohmann::ordered_json parameter_json(const std::string& value) {
  using json = nlohmann::ordered_json;
  struct too_deep {};
  const auto shallow = [](int depth, json::parse_event_t, json&) {
    if (depth > deepest_json) {
      throw too_deep();
    }
    return true;
  };
  try {
    json parsed = json::parse(value, shallow);
    return parsed;
  } catch (const json::exception&) {
    return value;
  } catch (const too_deep&) {
    return value;
  }
}

std::string text_parameter(const std::string& text) {
  const nlohmann::ordered_json value = parameter_json(text);
  return value == text ? text : nlohmann::ordered_json(text).dump();
}

std::string provenance::parameter(std::string_view name) const {
  for (const auto& [key, value] : parameters) {
    if (key == name) {
      const nlohmann::ordered_json held = parameter_json(value);
      return held.is_string() ? held.get<std::string>() : value;
    }
  }
  return {};
}

std::optional<std::size_t> table::find(std::string_view column) const {
  return find_column(columns, column);
}

std::optional<std::size_t> find_column(const std::vector<std::string>& columns,
                                       std::string_view name) {
  const auto found = std::find(columns.begin(), columns.end(), name);
  return found == columns.end() ? std::nullopt
                                : std::optional<std::size_t>(found - columns.begin());
}

std::vector<double> table::numbers(std::string_view column) const {
  const std::size_t index = require(*this, column);
  std::vector<double> values;
  for (const auto& row : rows) {
    values.push_back(to_number(row[index]));
  }
  return values;
}

std::vector<std::string> table::texts(std::string_view column) const {
  const std::size_t index = require(*this, column);
  std::vector<std::string> values;
  for (const auto& row : rows) {
    values.push_back(to_text(row[index]));
  }
  return values;
}

table_header header_of(const table& t) {
  table_header header{t.meta, t.columns, {}, t.rows.size()};
  for (std::size_t c = 0; c < t.columns.size(); ++c) {
    header.kinds.push_back(all_hold<double>(t, c)         ? column_kind::number
                           : all_hold<std::int64_t>(t, c) ? column_kind::integer
                                                          : column_kind::text);
  }
  return header;
}

}  // namespace loradyn
