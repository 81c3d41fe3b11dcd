// A file is read as a CSV and as a JSON table, or refused with an error. What is read is a table,
// and written out it is read back as it is.

#include <cstring>
#include <loradyn/error.hpp>
#include <loradyn/report/table_io.hpp>
#include <variant>

#include "fuzz.hpp"

namespace {

using namespace loradyn;
using fuzz::require;

bool same(const cell& a, const cell& b) {
  const auto* x = std::get_if<double>(&a);
  const auto* y = std::get_if<double>(&b);
  return x != nullptr && y != nullptr ? fuzz::same(*x, *y) : a == b;
}

void require_same(const table& a, const table& b) {
  require(a.meta.version == b.meta.version && a.meta.command == b.meta.command &&
              a.meta.parameters == b.meta.parameters,
          "the provenance reads back as it is");
  require(a.columns == b.columns && a.rows.size() == b.rows.size(),
          "columns read back as they are");
  for (std::size_t r = 0; r < a.rows.size(); ++r) {
    for (std::size_t c = 0; c < a.columns.size(); ++c) {
      require(same(a.rows[r][c], b.rows[r][c]), "cells read back as they are");
    }
  }
}

void read_and_write(const fuzz::directory& place, const char* name, std::string_view content,
                    std::string (*text_of)(const table&)) {
  try {
    const table t = read_table(place.write(name, content));
    for (const auto& row : t.rows) {
      require(row.size() == t.columns.size(), "a row has a cell for each column");
    }
    for (const std::string& column : t.columns) {
      require(t.numbers(column).size() == t.rows.size(), "a column has a number for each row");
      require(t.texts(column).size() == t.rows.size(), "a column has a text for each row");
    }
    require_same(read_table(place.write(name, text_of(t))), t);
    // In the other format, which need not keep everything.
    static_cast<void>(read_table(place.write("other.csv", to_csv(t))));
    static_cast<void>(read_table(place.write("other.json", to_json(t))));
  } catch (const error&) {
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const fuzz::directory place;
  const std::string content = fuzz::text_of(data, size);
  read_and_write(place, "t.csv", content, to_csv);
  read_and_write(place, "t.json", content, to_json);
  return 0;
}
