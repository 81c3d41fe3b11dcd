#pragma once

/// \file
/// What the values of an enumeration are called, in options and in a problem's text.

#include <array>
#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

namespace loradyn {

/// A name of a value.
template <class Value>
struct named_value {
  std::string_view name;
  Value value;
};

/// Every value of an enumeration with its name.
template <class Value, std::size_t N>
using name_table = std::array<named_value<Value>, N>;

/// \pre the table has the value
template <class Value, std::size_t N>
constexpr std::string_view name_of(const name_table<Value, N>& table, Value value) {
  std::size_t i = 0;
  while (i + 1 < N && table[i].value != value) {
    ++i;
  }
  return table[i].name;
}

/// The value of a name, or none.
template <class Value, std::size_t N>
constexpr std::optional<Value> value_named(const name_table<Value, N>& table,
                                           std::string_view name) {
  for (const named_value<Value>& entry : table) {
    if (entry.name == name) {
      return entry.value;
    }
  }
  return std::nullopt;
}

/// "auto, explicit or stiff".
template <class Value, std::size_t N>
std::string names_of(const name_table<Value, N>& table) {
  std::string text;
  for (std::size_t i = 0; i < N; ++i) {
    text += i == 0 ? "" : i + 1 < N ? ", " : " or ";
    text += table[i].name;
  }
  return text;
}

}  // namespace loradyn
