#pragma once

/// \file
/// What the rows of a table are: a struct, and a description of its fields that every format, the
/// store and the figures read.

#include <algorithm>
#include <charconv>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <limits>
#include <loradyn/study/cell.hpp>
#include <optional>
#include <span>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

namespace loradyn::study {

/// What a field follows where times have another unit than raw time.
enum class measure { none, time, rate };

namespace detail {

template <class Value>
struct field_type;

template <std::floating_point Value>
struct field_type<Value> {
  static constexpr column_kind kind = column_kind::number;
  static cell get(Value value) { return value; }
  static void set(Value& value, const cell& c) { value = to_number(c); }
};

// Below 2^53, so that it passes through a double too.
template <std::integral Value>
struct field_type<Value> {
  static constexpr column_kind kind = column_kind::integer;
  static cell get(Value value) { return static_cast<std::int64_t>(value); }
  static void set(Value& value, const cell& c) {
    const auto* integer = std::get_if<std::int64_t>(&c);
    value =
        static_cast<Value>(integer != nullptr ? *integer : static_cast<std::int64_t>(to_number(c)));
  }
};

template <>
struct field_type<std::string> {
  static constexpr column_kind kind = column_kind::text;
  static cell get(const std::string& value) { return value; }
  static void set(std::string& value, const cell& c) { value = to_text(c); }
};

// NaN where there is none, which no column of integers holds.
template <std::integral Value>
struct field_type<std::optional<Value>> {
  static constexpr column_kind kind = column_kind::text;
  static cell get(const std::optional<Value>& value) {
    return value ? field_type<Value>::get(*value) : cell(std::numeric_limits<double>::quiet_NaN());
  }
  static void set(std::optional<Value>& value, const cell& c) {
    const std::string text = to_text(c);  // of a column of texts it may be one
    value.reset();
    if (text != "nan") {
      Value number{};
      std::from_chars(text.data(), text.data() + text.size(), number);
      value = number;
    }
  }
};

template <class Object, class Member>
constexpr auto& follow(Object& object, Member member) {
  return object.*member;
}
template <class Object, class Member, class... Members>
constexpr auto& follow(Object& object, Member member, Members... members) {
  return follow(object.*member, members...);
}

}  // namespace detail

/// A field of a row as a column.
template <class Row>
struct column {
  std::string name;
  std::string meaning;
  measure measured = measure::none;
  column_kind kind = column_kind::number;
  std::function<cell(const Row&)> get;
  std::function<void(Row&, const cell&)> set;
};

/// The columns of a table whose rows are `Row`s, in order.
template <class Row>
class row_description {
 public:
  /// A number, an integer, a text or an optional integer, at the end of a path of members.
  template <class... Members>
  row_description& add(std::string name, std::string meaning, measure measured,
                       Members... members) {
    using value_type =
        std::remove_reference_t<decltype(detail::follow(std::declval<Row&>(), members...))>;
    using type = detail::field_type<value_type>;
    columns_.push_back(
        {std::move(name), std::move(meaning), measured, type::kind,
         [members...](const Row& row) { return type::get(detail::follow(row, members...)); },
         [members...](Row& row, const cell& c) { type::set(detail::follow(row, members...), c); }});
    return *this;
  }

  /// A number that is no member: how it is read and set.
  template <class Get, class Set>
  row_description& add_value(std::string name, std::string meaning, measure measured, Get get,
                             Set set) {
    columns_.push_back({std::move(name), std::move(meaning), measured, column_kind::number,
                        [get](const Row& row) -> cell { return get(row); },
                        [set](Row& row, const cell& c) { set(row, to_number(c)); }});
    return *this;
  }

  /// A column for each element of a vector of numbers, whose size the names give.
  template <class... Members>
  row_description& add_each(const std::vector<std::string>& names, const std::string& meaning,
                            measure measured, Members... members) {
    for (std::size_t i = 0; i < names.size(); ++i) {
      columns_.push_back(
          {names[i], meaning, measured, column_kind::number,
           [i, members...](const Row& row) -> cell { return detail::follow(row, members...)[i]; },
           [i, members...](Row& row, const cell& c) {
             auto& values = detail::follow(row, members...);
             values.resize(std::max(values.size(), i + 1));
             values[i] = to_number(c);
           }});
    }
    return *this;
  }

  /// The columns of a part of the row.
  template <class Part, class... Members>
  row_description& add_part(const row_description<Part>& part, Members... members) {
    for (const column<Part>& c : part.columns()) {
      columns_.push_back({c.name, c.meaning, c.measured, c.kind,
                          [get = c.get, members...](const Row& row) {
                            return get(detail::follow(row, members...));
                          },
                          [set = c.set, members...](Row& row, const cell& value) {
                            set(detail::follow(row, members...), value);
                          }});
    }
    return *this;
  }

  /// The columns, in order.
  [[nodiscard]] const std::vector<column<Row>>& columns() const noexcept { return columns_; }
  /// Their number.
  [[nodiscard]] std::size_t size() const noexcept { return columns_.size(); }

  /// Their names.
  [[nodiscard]] std::vector<std::string> names() const {
    std::vector<std::string> names;
    for (const column<Row>& c : columns_) {
      names.push_back(c.name);
    }
    return names;
  }

  /// What kind of value each has.
  [[nodiscard]] std::vector<column_kind> kinds() const {
    std::vector<column_kind> kinds;
    for (const column<Row>& c : columns_) {
      kinds.push_back(c.kind);
    }
    return kinds;
  }

  /// The row as the cells of a table, and back. \pre as many cells as columns
  [[nodiscard]] std::vector<cell> cells(const Row& row) const {
    std::vector<cell> values;
    values.reserve(columns_.size());
    for (const column<Row>& c : columns_) {
      values.push_back(c.get(row));
    }
    return values;
  }
  /// The row that cells make. \throws error for a cell of another kind
  [[nodiscard]] Row row(std::span<const cell> cells) const {
    Row row;
    for (std::size_t i = 0; i < columns_.size(); ++i) {
      columns_[i].set(row, cells[i]);
    }
    return row;
  }

 private:
  std::vector<column<Row>> columns_;
};

}  // namespace loradyn::study
