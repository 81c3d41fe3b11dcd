#include <algorithm>
#include <loradyn/error.hpp>
#include <loradyn/report/table.hpp>

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

std::string_view provenance::parameter(std::string_view name) const {
  for (const auto& [key, value] : parameters) {
    if (key == name) {
      return value;
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
