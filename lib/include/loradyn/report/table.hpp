#pragma once

/// \file
/// Tables: what every command of the program writes.

#include <cstdint>
#include <loradyn/study/cell.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace loradyn {

/// Names with their values, in order. A value is JSON, a number for one; what is no JSON is a text
/// and stands for itself, which csv and HDF5 then show without quotes.
using parameter_list = std::vector<std::pair<std::string, std::string>>;

/// A text as such a value: in quotes where it would be taken for something else.
std::string text_parameter(const std::string& text);

/// Where a table comes from: enough to make it again.
struct provenance {
  std::string version;  ///< of the program
  std::string command;  ///< the full command, quoted so that a shell takes it
  /// Every parameter; the seed, where there is one, among them.
  parameter_list parameters;

  /// The value of a parameter, of a text without its quotes; an empty text where there is none.
  [[nodiscard]] std::string parameter(std::string_view name) const;
};

/// The index of a column, or none.
std::optional<std::size_t> find_column(const std::vector<std::string>& columns,
                                       std::string_view name);

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

}  // namespace loradyn
