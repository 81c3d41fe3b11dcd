#include <hdf5.h>

#include <charconv>
#include <cmath>
#include <cstring>
#include <limits>
#include <loradyn/error.hpp>
#include <loradyn/report/table_io.hpp>
#include <nlohmann/json.hpp>
#include <optional>
#include <utility>

namespace loradyn {
namespace fs = std::filesystem;

namespace {

using json = nlohmann::ordered_json;

constexpr double nan = std::numeric_limits<double>::quiet_NaN();

// --- CSV

std::string quoted(const std::string& text) {
  if (text.find_first_of(",\"\r\n") == std::string::npos && !text.starts_with('#')) {
    return text;
  }
  std::string result = "\"";
  for (const char c : text) {
    result += c;
    if (c == '"') {
      result += c;
    }
  }
  return result + '"';
}

std::string one_line(std::string text) {
  for (char& c : text) {
    c = c == '\n' || c == '\r' ? ' ' : c;
  }
  return text;
}

cell cell_from(std::string text, bool was_quoted) {
  if (!was_quoted) {
    if (text == "nan") {
      return nan;
    }
    double value = 0.0;
    const auto [end, fault] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (fault == std::errc() && end == text.data() + text.size()) {
      return value;
    }
  }
  return text;
}

struct csv_field {
  std::string text;
  bool quoted = false;
};

// Reads the records of a CSV text one after the other.
class csv_reader {
 public:
  csv_reader(const std::string& text, std::string where) : text_(text), where_(std::move(where)) {}

  [[nodiscard]] bool done() const { return position_ >= text_.size(); }
  [[nodiscard]] std::size_t line() const { return line_; }

  // A comment line without its mark, or none.
  std::optional<std::string> comment() {
    if (done() || text_[position_] != '#') {
      return std::nullopt;
    }
    const std::size_t end = std::min(text_.find('\n', position_), text_.size());
    std::string content = text_.substr(position_ + 1, end - position_ - 1);
    position_ = end + 1;
    ++line_;
    return content.starts_with(' ') ? content.substr(1) : content;
  }

  std::vector<csv_field> record() {
    std::vector<csv_field> fields(1);
    bool inside = false;
    for (; position_ < text_.size(); ++position_) {
      const char c = text_[position_];
      csv_field& field = fields.back();
      if (inside) {
        if (c == '"' && position_ + 1 < text_.size() && text_[position_ + 1] == '"') {
          field.text += '"';
          ++position_;
        } else if (c == '"') {
          inside = false;
        } else {
          line_ += c == '\n' ? 1 : 0;
          field.text += c;
        }
      } else if (c == '"' && field.text.empty()) {
        inside = true;
        field.quoted = true;
      } else if (c == ',') {
        fields.emplace_back();
      } else if (c == '\n') {
        ++position_;
        ++line_;
        return fields;
      } else if (c != '\r') {
        field.text += c;
      }
    }
    if (inside) {
      refuse("a quote is not closed");
    }
    ++line_;
    return fields;
  }

  [[noreturn]] void refuse(const std::string& why) const {
    throw file_error("'" + where_ + "', line " + std::to_string(line_) + ": " + why);
  }

 private:
  const std::string& text_;
  std::string where_;
  std::size_t position_ = 0;
  std::size_t line_ = 1;
};

table from_csv(const std::string& text, const std::string& where) {
  csv_reader reader(text, where);
  table t;
  while (const auto comment = reader.comment()) {
    const std::size_t colon = comment->find(": ");
    if (colon == std::string::npos) {
      const std::string program = "loradyn ";
      if (comment->starts_with(program)) {
        t.meta.version = comment->substr(program.size());
      }
    } else if (comment->substr(0, colon) == "command") {
      t.meta.command = comment->substr(colon + 2);
    } else {
      t.meta.parameters.emplace_back(comment->substr(0, colon), comment->substr(colon + 2));
    }
  }
  if (reader.done()) {
    reader.refuse("there is no header row");
  }
  for (csv_field& field : reader.record()) {
    t.columns.push_back(std::move(field.text));
  }
  while (!reader.done()) {
    const std::size_t line = reader.line();
    std::vector<csv_field> fields = reader.record();
    if (fields.size() != t.columns.size()) {
      throw file_error("'" + where + "', line " + std::to_string(line) + ": " +
                       std::to_string(fields.size()) + " values in a table of " +
                       std::to_string(t.columns.size()) + " columns");
    }
    auto& row = t.rows.emplace_back();
    for (csv_field& field : fields) {
      row.push_back(cell_from(std::move(field.text), field.quoted));
    }
  }
  return t;
}

// --- JSON

table from_json(const std::string& text, const std::string& where) {
  try {
    const json document = json::parse(text);
    table t;
    const json& meta = document.at("meta");
    t.meta.version = meta.at("version");
    t.meta.command = meta.at("command");
    for (const auto& [key, value] : meta.at("parameters").items()) {
      t.meta.parameters.emplace_back(key, value);
    }
    for (const json& name : meta.at("columns")) {
      t.columns.push_back(name);
    }
    for (const json& object : document.at("rows")) {
      auto& row = t.rows.emplace_back();
      for (const std::string& column : t.columns) {
        const json& value = object.at(column);
        if (value.is_string()) {
          row.emplace_back(value.get<std::string>());
        } else if (value.is_number_integer()) {
          row.emplace_back(value.get<std::int64_t>());
        } else {
          row.emplace_back(value.is_null() ? nan : value.get<double>());
        }
      }
    }
    return t;
  } catch (const json::exception& e) {
    throw file_error("'" + where + "' is not a table of loradyn: " + one_line(e.what()));
  }
}

// --- HDF5

// An HDF5 identifier with the call that closes it.
class handle {
 public:
  handle(hid_t id, herr_t (*close)(hid_t), const char* what) : id_(id), close_(close) {
    if (id < 0) {
      throw file_error(std::string("HDF5 failed: ") + what);
    }
  }
  ~handle() { close_(id_); }
  handle(const handle&) = delete;
  handle& operator=(const handle&) = delete;
  operator hid_t() const { return id_; }

 private:
  hid_t id_;
  herr_t (*close_)(hid_t);
};

void require(herr_t status, const char* what) {
  if (status < 0) {
    throw file_error(std::string("HDF5 failed: ") + what);
  }
}

// Errors come as exceptions, not as HDF5's own traces on standard error.
void silence_hdf5() { H5Eset_auto2(H5E_DEFAULT, nullptr, nullptr); }

hid_t text_type() {
  const hid_t type = H5Tcopy(H5T_C_S1);
  H5Tset_size(type, H5T_VARIABLE);
  H5Tset_cset(type, H5T_CSET_UTF8);
  return type;
}

void write_attribute(hid_t object, const std::string& name, const std::string& value) {
  const handle type(text_type(), H5Tclose, "a type");
  const handle space(H5Screate(H5S_SCALAR), H5Sclose, "a space");
  const handle attribute(H5Acreate2(object, name.c_str(), type, space, H5P_DEFAULT, H5P_DEFAULT),
                         H5Aclose, "an attribute");
  const char* text = value.c_str();
  require(H5Awrite(attribute, type, static_cast<const void*>(&text)), "writing an attribute");
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

void write_dataset(hid_t file, const std::string& name, hid_t stored, hid_t given, std::size_t size,
                   const void* data) {
  const hsize_t extent = size;
  const handle space(H5Screate_simple(1, &extent, nullptr), H5Sclose, "a space");
  const handle properties(H5Pcreate(H5P_DATASET_CREATE), H5Pclose, "properties");
  require(H5Pset_obj_track_times(properties, false), "properties");  // the same bytes every time
  const handle set(
      H5Dcreate2(file, name.c_str(), stored, space, H5P_DEFAULT, properties, H5P_DEFAULT), H5Dclose,
      "a dataset");
  if (size > 0) {
    require(H5Dwrite(set, given, H5S_ALL, H5S_ALL, H5P_DEFAULT, data), "writing a dataset");
  }
}

void write_hdf5(const table& t, const fs::path& path) {
  silence_hdf5();
  const handle creation(H5Pcreate(H5P_FILE_CREATE), H5Pclose, "properties");
  require(H5Pset_link_creation_order(creation, H5P_CRT_ORDER_TRACKED | H5P_CRT_ORDER_INDEXED),
          "properties");
  require(H5Pset_attr_creation_order(creation, H5P_CRT_ORDER_TRACKED | H5P_CRT_ORDER_INDEXED),
          "properties");
  const handle file(H5Fcreate(path.c_str(), H5F_ACC_TRUNC, creation, H5P_DEFAULT), H5Fclose,
                    "creating the file");
  write_attribute(file, "version", t.meta.version);
  write_attribute(file, "command", t.meta.command);
  for (const auto& [key, value] : t.meta.parameters) {
    write_attribute(file, key, value);
  }
  for (std::size_t c = 0; c < t.columns.size(); ++c) {
    if (all_hold<double>(t, c)) {
      const std::vector<double> values = t.numbers(t.columns[c]);
      write_dataset(file, t.columns[c], H5T_IEEE_F64LE, H5T_NATIVE_DOUBLE, values.size(),
                    values.data());
    } else if (all_hold<std::int64_t>(t, c)) {
      std::vector<std::int64_t> values;
      for (const auto& row : t.rows) {
        values.push_back(std::get<std::int64_t>(row[c]));
      }
      write_dataset(file, t.columns[c], H5T_STD_I64LE, H5T_NATIVE_INT64, values.size(),
                    values.data());
    } else {
      const std::vector<std::string> values = t.texts(t.columns[c]);
      std::vector<const char*> pointers;
      for (const std::string& value : values) {
        pointers.push_back(value.c_str());
      }
      const handle type(text_type(), H5Tclose, "a type");
      write_dataset(file, t.columns[c], type, type, pointers.size(), pointers.data());
    }
  }
}

std::string read_attribute(hid_t object, const std::string& name) {
  const handle attribute(H5Aopen(object, name.c_str(), H5P_DEFAULT), H5Aclose, "an attribute");
  const handle type(text_type(), H5Tclose, "a type");
  char* text = nullptr;
  require(H5Aread(attribute, type, static_cast<void*>(&text)), "reading an attribute");
  std::string value = text == nullptr ? "" : text;
  H5free_memory(text);
  return value;
}

std::vector<cell> read_column(hid_t file, const std::string& name) {
  const handle set(H5Dopen2(file, name.c_str(), H5P_DEFAULT), H5Dclose, "a dataset");
  const handle space(H5Dget_space(set), H5Sclose, "a space");
  const handle type(H5Dget_type(set), H5Tclose, "a type");
  const auto size = static_cast<std::size_t>(H5Sget_simple_extent_npoints(space));
  std::vector<cell> cells;
  if (size == 0) {
    return cells;
  }
  const auto read = [&](hid_t memory, void* target) {
    require(H5Dread(set, memory, H5S_ALL, H5S_ALL, H5P_DEFAULT, target), "reading a dataset");
  };
  switch (H5Tget_class(type)) {
    case H5T_FLOAT: {
      std::vector<double> values(size);
      read(H5T_NATIVE_DOUBLE, values.data());
      cells.assign(values.begin(), values.end());
      break;
    }
    case H5T_INTEGER: {
      std::vector<std::int64_t> values(size);
      read(H5T_NATIVE_INT64, values.data());
      cells.assign(values.begin(), values.end());
      break;
    }
    default: {
      const handle text(text_type(), H5Tclose, "a type");
      std::vector<char*> values(size);
      read(text, static_cast<void*>(values.data()));
      for (char* value : values) {
        cells.emplace_back(std::string(value == nullptr ? "" : value));
        H5free_memory(value);
      }
    }
  }
  return cells;
}

table from_hdf5(const fs::path& path) {
  silence_hdf5();
  const std::string where = path.string();
  if (!fs::exists(path)) {
    throw file_error("'" + where + "' can't be read: No such file or directory");
  }
  const hid_t opened = H5Fopen(path.c_str(), H5F_ACC_RDONLY, H5P_DEFAULT);
  if (opened < 0) {
    throw file_error("'" + where + "' is not an HDF5 file");
  }
  const handle file(opened, H5Fclose, "opening");
  table t;
  const auto attribute_name = [](hid_t, const char* name, const H5A_info_t*,
                                 void* names) -> herr_t {
    static_cast<std::vector<std::string>*>(names)->emplace_back(name);
    return 0;
  };
  const auto link_name = [](hid_t, const char* name, const H5L_info_t*, void* names) -> herr_t {
    static_cast<std::vector<std::string>*>(names)->emplace_back(name);
    return 0;
  };
  std::vector<std::string> attributes;
  hsize_t position = 0;
  if (H5Aiterate2(file, H5_INDEX_CRT_ORDER, H5_ITER_INC, &position, attribute_name, &attributes) <
          0 ||
      H5Literate(file, H5_INDEX_CRT_ORDER, H5_ITER_INC, nullptr, link_name, &t.columns) < 0) {
    throw file_error("'" + where + "' is not a table of loradyn");
  }
  for (const std::string& name : attributes) {
    std::string value = read_attribute(file, name);
    if (name == "version") {
      t.meta.version = std::move(value);
    } else if (name == "command") {
      t.meta.command = std::move(value);
    } else {
      t.meta.parameters.emplace_back(name, std::move(value));
    }
  }
  for (std::size_t c = 0; c < t.columns.size(); ++c) {
    const std::vector<cell> cells = read_column(file, t.columns[c]);
    if (c == 0) {
      t.rows.resize(cells.size());
    }
    if (cells.size() != t.rows.size()) {
      throw file_error("'" + where + "' is not a table of loradyn: its columns differ in length");
    }
    for (std::size_t r = 0; r < cells.size(); ++r) {
      t.rows[r].push_back(cells[r]);
    }
  }
  return t;
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

std::string to_csv(const table& t) {
  std::string text =
      "# loradyn " + t.meta.version + "\n# command: " + one_line(t.meta.command) + "\n";
  for (const auto& [key, value] : t.meta.parameters) {
    text += "# " + key + ": " + one_line(value) + "\n";
  }
  const auto add_row = [&text](const auto& values, const auto& as_text) {
    for (std::size_t i = 0; i < values.size(); ++i) {
      text += (i == 0 ? "" : ",") + quoted(as_text(values[i]));
    }
    text += '\n';
  };
  add_row(t.columns, [](const std::string& name) { return name; });
  for (const auto& row : t.rows) {
    add_row(row, to_text);
  }
  return text;
}

std::string to_json(const table& t) {
  json parameters = json::object();
  for (const auto& [key, value] : t.meta.parameters) {
    parameters[key] = value;
  }
  json document;
  document["meta"] = {{"version", t.meta.version},
                      {"command", t.meta.command},
                      {"parameters", parameters},
                      {"columns", t.columns}};
  json rows = json::array();
  for (const auto& row : t.rows) {
    json object = json::object();
    for (std::size_t c = 0; c < t.columns.size(); ++c) {
      std::visit([&](const auto& value) { object[t.columns[c]] = value; }, row[c]);
    }
    rows.push_back(std::move(object));
  }
  document["rows"] = std::move(rows);
  return document.dump(1, ' ', false, json::error_handler_t::replace) + "\n";
}

table_file::table_file(const fs::path& path) : format_(table_format_of(path)), file_(path) {}

void table_file::write(const table& t) {
  switch (format_) {
    case table_format::csv:
      file_.write(to_csv(t));
      break;
    case table_format::json:
      file_.write(to_json(t));
      break;
    case table_format::hdf5:
      write_hdf5(t, file_.path());
      break;
  }
  file_.commit();
}

table read_table(const fs::path& path) {
  switch (table_format_of(path)) {
    case table_format::csv:
      return from_csv(read_file(path), path.string());
    case table_format::json:
      return from_json(read_file(path), path.string());
    case table_format::hdf5:
      break;
  }
  return from_hdf5(path);
}

}  // namespace loradyn
