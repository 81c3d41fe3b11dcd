#pragma once

/// \file
/// Values as bytes, and back, for another process on a machine of the same type.

#include <cstddef>
#include <cstdint>
#include <loradyn/report/store.hpp>
#include <loradyn/report/table.hpp>
#include <string>
#include <tuple>
#include <type_traits>
#include <utility>
#include <variant>
#include <vector>

namespace loradyn {

/// What cannot have been written by `put`.
struct garbled {};

/// The members that are written, in order.
template <class Value>
auto fields_of(Value& value) {
  using plain = std::remove_const_t<Value>;
  if constexpr (std::is_same_v<plain, table_header>) {
    return std::tie(value.meta.version, value.meta.command, value.meta.parameters, value.columns,
                    value.kinds, value.rows);
  } else if constexpr (std::is_same_v<plain, kept_cell>) {
    return std::tie(value.cell, value.cost, value.values);
  } else {
    return std::tie(value.first, value.second);
  }
}

template <class Value>
inline constexpr bool is_list = false;
template <class Item>
inline constexpr bool is_list<std::vector<Item>> = true;

/// \param sink has `write(const void* bytes, std::size_t count)`
template <class Sink, class Value>
void put(Sink& sink, const Value& value) {
  if constexpr (std::is_arithmetic_v<Value> || std::is_enum_v<Value>) {
    sink.write(&value, sizeof value);
  } else if constexpr (std::is_same_v<Value, std::string>) {
    put(sink, std::uint64_t{value.size()});
    sink.write(value.data(), value.size());
  } else if constexpr (std::is_same_v<Value, cell>) {
    put(sink, static_cast<unsigned char>(value.index()));
    std::visit([&sink](const auto& held) { put(sink, held); }, value);
  } else if constexpr (is_list<Value>) {
    put(sink, std::uint64_t{value.size()});
    for (const auto& item : value) {
      put(sink, item);
    }
  } else {
    std::apply([&sink](const auto&... fields) { (put(sink, fields), ...); }, fields_of(value));
  }
}

/// The length of a text or a list. \throws garbled where none is so long
template <class Source>
std::size_t get_length(Source& source) {
  constexpr std::uint64_t longest = std::uint64_t{1} << 26U;
  std::uint64_t length = 0;
  source.read(&length, sizeof length);
  if (length > longest) {
    throw garbled();
  }
  return static_cast<std::size_t>(length);
}

/// \param source has `read(void* bytes, std::size_t count)`, which throws garbled at an early end
/// \throws garbled
template <class Source, class Value>
void get(Source& source, Value& value) {
  if constexpr (std::is_arithmetic_v<Value> || std::is_enum_v<Value>) {
    source.read(&value, sizeof value);
    if constexpr (std::is_same_v<Value, column_kind>) {
      if (value < column_kind::number || value > column_kind::text) {
        throw garbled();
      }
    }
  } else if constexpr (std::is_same_v<Value, std::string>) {
    value.resize(get_length(source));
    source.read(value.data(), value.size());
  } else if constexpr (std::is_same_v<Value, cell>) {
    unsigned char kind = 0;
    get(source, kind);
    switch (kind) {
      case 0:
        return get(source, value.template emplace<0>());
      case 1:
        return get(source, value.template emplace<1>());
      case 2:
        return get(source, value.template emplace<2>());
      default:
        throw garbled();
    }
  } else if constexpr (is_list<Value>) {
    value.clear();
    for (std::size_t left = get_length(source); left > 0; --left) {
      get(source, value.emplace_back());
    }
  } else {
    std::apply([&source](auto&... fields) { (get(source, fields), ...); }, fields_of(value));
  }
}

}  // namespace loradyn
