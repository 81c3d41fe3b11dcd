#pragma once

/// \file
/// Tables: what every command of the program writes.

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

namespace loradyn {

/// Where a table comes from: enough to make it again.
struct provenance {
  std::string version;  ///< of the program
  std::string command;  ///< the full command, quoted so that a shell takes it
  /// Every parameter with its value as text, in order; the seed, where there is one, among them.
  std::vector<std::pair<std::string, std::string>> parameters;

  /// The value of a parameter, or an empty text.
  [[nodiscard]] std::string_view parameter(std::string_view name) const;
};

/// A value of a table. A number that does not exist is NaN, beside a status that says why.
using cell = std::variant<double, std::int64_t, std::string>;

/// What a column holds.
enum class column_kind { number, integer, text };

/// The index of a column, or none.
std::optional<std::size_t> find_column(const std::vector<std::string>& columns,
                                       std::string_view name);

/// The number that a cell holds, NaN for a text.
double to_number(const cell& value);

/// All of a table but its rows, which may be too many to be held at once.
struct table_header {
  provenance meta;
  std::vector<std::string> columns;
  std::vector<column_kind> kinds;  ///< one per column; none where they are not known
  std::uint64_t rows = 0;          ///< about how many, best not fewer than there will be
};

/// A tidy table: a name for each column, a row for each point.
struct table {
  provenance meta;
  std::vector<std::string> columns;
  std::vector<std::vector<cell>> rows;

  /// The index of a column, or none.
  [[nodiscard]] std::optional<std::size_t> find(std::string_view column) const;
  /// The numbers of a column; NaN where a cell holds text. \throws argument_error for an unknown
  /// one
  [[nodiscard]] std::vector<double> numbers(std::string_view column) const;
  /// The texts of a column; numbers come as they are written. \throws argument_error for an unknown
  /// one
  [[nodiscard]] std::vector<std::string> texts(std::string_view column) const;
};

/// The header of a whole table: a column whose cells are all double is of numbers, one whose cells
/// are all std::int64_t of integers, any other of text, as is one without cells.
table_header header_of(const table& t);

/// A cell as CSV writes it, without quotes: the shortest decimal that reads back as the same
/// double, "nan" for NaN.
std::string to_text(const cell& value);

/// The same at the end of a text, which a table of millions of cells reuses.
void append_text(std::string& text, const cell& value);

}  // namespace loradyn
