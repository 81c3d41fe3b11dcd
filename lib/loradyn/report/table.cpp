#include <fmt/format.h>

#include <cmath>
#include <limits>
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
  for (std::size_t i = 0; i < columns.size(); ++i) {
    if (columns[i] == column) {
      return i;
    }
  }
  return std::nullopt;
}

std::vector<double> table::numbers(std::string_view column) const {
  const std::size_t index = require(*this, column);
  std::vector<double> values;
  for (const auto& row : rows) {
    const cell& c = row[index];
    if (const auto* number = std::get_if<double>(&c)) {
      values.push_back(*number);
    } else if (const auto* integer = std::get_if<std::int64_t>(&c)) {
      values.push_back(static_cast<double>(*integer));
    } else {
      values.push_back(std::numeric_limits<double>::quiet_NaN());
    }
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

std::string to_text(const cell& value) {
  if (const auto* number = std::get_if<double>(&value)) {
    return std::isnan(*number) ? "nan" : fmt::format("{}", *number);
  }
  if (const auto* integer = std::get_if<std::int64_t>(&value)) {
    return fmt::format("{}", *integer);
  }
  return std::get<std::string>(value);
}

}  // namespace loradyn
