#pragma once

/// \file
/// A value of a table, whatever its row is.

#include <cstdint>
#include <string>
#include <variant>

namespace loradyn {

/// A number that does not exist is NaN, beside a status that says why.
using cell = std::variant<double, std::int64_t, std::string>;

/// What a column holds.
enum class column_kind { number, integer, text };

/// The number that a cell holds, NaN for a text.
double to_number(const cell& value);

/// A cell as CSV writes it, without quotes: the shortest decimal that reads back as the same
/// double, "nan" for NaN.
std::string to_text(const cell& value);

/// The same at the end of a text, which a table of millions of cells reuses.
void append_text(std::string& text, const cell& value);

}  // namespace loradyn
