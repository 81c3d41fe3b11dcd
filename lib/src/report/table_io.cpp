#include <loradyn/error.hpp>
#include <loradyn/report/table_io.hpp>
#include <utility>
#include <variant>
#include "report/csv_table.hpp"
#include "report/hdf5_table.hpp"
#include "report/json_table.hpp"

namespace loradyn {
namespace fs = std::filesystem;

namespace {

// A row is what its header says.
void check(const table_header& header, std::span<const cell> row) {
  if (row.size() != header.columns.size()) {
    throw argument_error("a row of the table", std::to_string(row.size()) + " cells",
                         "as many as its columns, " + std::to_string(header.columns.size()));
  }
  for (std::size_t c = 0; c < row.size(); ++c) {
    const bool number = std::holds_alternative<double>(row[c]);
    const bool integer = std::holds_alternative<std::int64_t>(row[c]);
    const column_kind kind = header.kinds[c];
    if ((kind == column_kind::number && !number && !integer) ||
        (kind == column_kind::integer && !integer)) {
      throw argument_error("a cell of the column '" + header.columns[c] + "'",
                           "'" + to_text(row[c]) + "'",
                           kind == column_kind::number ? "a number" : "an integer");
    }
  }
}

}  // namespace

table_format table_format_of(const fs::path& path) {
  const std::string ending = path.extension().string();
  if (ending == ".csv") {
    return table_format::csv;
  }
  if (ending == ".json") {
    return table_format::json;
  }
  if (ending == ".h5") {
    return table_format::hdf5;
  }
  throw argument_error("the ending of the table", "'" + path.string() + "'", ".csv, .json or .h5");
}

// What begin made, and finish takes away.
class table_file::writer {
 public:
  writer(table_format format, bool headless, table_header header, const pending_file& file)
      : header_(std::move(header)), rows_(rows_of(format, headless, header_, file)) {}

  void add(std::span<const cell> row) {
    check(header_, row);
    std::visit([&](auto& rows) { rows.add(row); }, rows_);
  }

  void finish() {
    std::visit([](auto& rows) { rows.finish(); }, rows_);
  }

 private:
  using any_rows = std::variant<csv_rows, json_rows, hdf5_rows>;

  static any_rows rows_of(table_format format, bool headless, const table_header& header,
                          const pending_file& file) {
    switch (format) {
      case table_format::csv:
        return any_rows(std::in_place_type<csv_rows>, header, file, headless);
      case table_format::json:
        return any_rows(std::in_place_type<json_rows>, header, file);
      case table_format::hdf5:
        break;
    }
    return any_rows(std::in_place_type<hdf5_rows>, header, file);
  }

  table_header header_;
  any_rows rows_;
};

table_file::table_file(const fs::path& path, std::optional<table_format> format, bool headless)
    : format_(format ? *format : table_format_of(path)), headless_(headless), file_(path) {
  if (format_ == table_format::hdf5) {
    static_cast<void>(hdf5_helper(path));
  }
}

table_file::~table_file() = default;

void table_file::begin(const table_header& header) {
  if (header.kinds.size() != header.columns.size()) {
    throw argument_error("the header's kinds", std::to_string(header.kinds.size()),
                         "as many as its columns, " + std::to_string(header.columns.size()));
  }
  if (writer_) {
    throw error("the table in '" + file_.final_name().string() + "' has its header already");
  }
  writer_ = std::make_unique<writer>(format_, headless_, header, file_);
}

void table_file::add(std::span<const cell> row) {
  try {
    begun().add(row);
  } catch (const file_error&) {
    writer_.reset();  // rows are lost: none can follow
    throw;
  }
}

void table_file::finish() {
  begun();
  const std::unique_ptr<writer> last = std::move(writer_);
  last->finish();
  file_.commit();
}

void table_file::write(const table& t) {
  begin(header_of(t));
  for (const auto& row : t.rows) {
    add(row);
  }
  finish();
}

table_file::writer& table_file::begun() {
  if (!writer_) {
    throw error("the table in '" + file_.final_name().string() + "' is not open for rows");
  }
  return *writer_;
}

table read_table(const fs::path& path) {
  table t;
  read_table_rows(
      path,
      [&t](const table_header& header) {
        t.meta = header.meta;
        t.columns = header.columns;
      },
      [&t](std::vector<cell> row) { t.rows.push_back(std::move(row)); });
  return t;
}

void read_table_rows(const fs::path& path, const std::function<void(const table_header&)>& head,
                     const std::function<void(std::vector<cell>)>& visit) {
  switch (table_format_of(path)) {
    case table_format::csv:
      return read_csv(path, head, visit);
    case table_format::json:
      return read_json(path, head, visit);
    case table_format::hdf5:
      return read_hdf5(path, head, visit);
  }
}

}  // namespace loradyn
