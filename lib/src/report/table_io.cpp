#include <fcntl.h>
#include <hdf5.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>
#include <cstring>
#include <fstream>
#include <iterator>
#include <limits>
#include <loradyn/error.hpp>
#include <loradyn/interruption.hpp>
#include <loradyn/report/table_io.hpp>
#include <nlohmann/json.hpp>
#include <optional>
#include <string_view>
#include <utility>
#include <variant>
#include "report/child_reader.hpp"

namespace loradyn {
namespace fs = std::filesystem;

namespace {

using json = nlohmann::ordered_json;

constexpr double nan = std::numeric_limits<double>::quiet_NaN();

// --- CSV

void append_quoted(std::string& text, std::string_view content) {
  if (content.find_first_of(",\"\r\n") == std::string_view::npos && !content.starts_with('#')) {
    text += content;
    return;
  }
  text += '"';
  for (const char c : content) {
    text += c;
    if (c == '"') {
      text += c;
    }
  }
  text += '"';
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

// Reads the records of a CSV file one after the other.
class csv_reader {
 public:
  explicit csv_reader(const fs::path& path) : in_(open_to_read(path)), where_(path.string()) {
    refill();
  }

  [[nodiscard]] bool done() const { return position_ >= filled_; }
  [[nodiscard]] std::size_t line() const { return line_; }

  // A comment line without its mark, or none.
  std::optional<std::string> comment() {
    if (done() || next() != '#') {
      return std::nullopt;
    }
    std::string content;
    for (advance(); !done() && next() != '\n'; advance()) {
      content += next();
    }
    advance();
    ++line_;
    return content.starts_with(' ') ? content.substr(1) : content;
  }

  std::vector<csv_field> record() {
    std::vector<csv_field> fields(1);
    bool inside = false;
    while (!done()) {
      const char c = next();
      advance();
      csv_field& field = fields.back();
      if (inside) {
        if (c == '"' && !done() && next() == '"') {
          field.text += '"';
          advance();
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

  [[noreturn]] void refuse(const std::string& why) const { refuse(why, line_); }
  [[noreturn]] void refuse(const std::string& why, std::size_t line) const {
    throw file_error("'" + where_ + "', line " + std::to_string(line) + ": " + why);
  }

 private:
  [[nodiscard]] char next() const { return buffer_[position_]; }

  void advance() {
    if (++position_ >= filled_) {
      refill();
    }
  }

  void refill() {
    in_.read(buffer_.data(), static_cast<std::streamsize>(buffer_.size()));
    if (in_.bad()) {
      throw file_error("'" + where_ + "' can't be read");
    }
    filled_ = static_cast<std::size_t>(in_.gcount());
    position_ = 0;
  }

  std::ifstream in_;
  std::string where_;
  std::vector<char> buffer_ = std::vector<char>(std::size_t{1} << 16);
  std::size_t filled_ = 0;
  std::size_t position_ = 0;
  std::size_t line_ = 1;
};

void read_csv(const fs::path& path, const head_visitor& head, const row_visitor& visit) {
  csv_reader reader(path);
  table_header header;
  while (const auto comment = reader.comment()) {
    const std::size_t colon = comment->find(": ");
    if (colon == std::string::npos) {
      const std::string program = "loradyn ";
      if (comment->starts_with(program)) {
        header.meta.version = comment->substr(program.size());
      }
    } else if (comment->substr(0, colon) == "command") {
      header.meta.command = comment->substr(colon + 2);
    } else {
      header.meta.parameters.emplace_back(comment->substr(0, colon), comment->substr(colon + 2));
    }
  }
  if (reader.done()) {
    reader.refuse("there is no header row");
  }
  for (csv_field& field : reader.record()) {
    header.columns.push_back(std::move(field.text));
  }
  head(header);
  while (!reader.done()) {
    check_stop();
    const std::size_t line = reader.line();
    std::vector<csv_field> fields = reader.record();
    if (fields.size() != header.columns.size()) {
      reader.refuse(std::to_string(fields.size()) + " values in a table of " +
                        std::to_string(header.columns.size()) + " columns",
                    line);
    }
    std::vector<cell> row;
    row.reserve(fields.size());
    for (csv_field& field : fields) {
      row.push_back(cell_from(std::move(field.text), field.quoted));
    }
    visit(std::move(row));
  }
}

// The rows of a CSV file that is being written.
class csv_rows {
 public:
  csv_rows(const table_header& header, const pending_file& file) : out_(file) {
    out_.append(csv_head(header));
  }

  void add(std::span<const cell> row) {
    text_.clear();
    append_csv_row(text_, row);
    out_.append(text_);
  }

  void finish() { out_.close(); }

 private:
  file_writer out_;
  std::string text_;
};

// --- JSON

cell cell_from(const json& value) {
  if (value.is_string()) {
    return value.get<std::string>();
  }
  if (value.is_number_integer()) {
    return value.get<std::int64_t>();
  }
  return value.is_null() ? nan : value.get<double>();
}

void read_json(const fs::path& path, const head_visitor& head, const row_visitor& visit) {
  const auto refuse = [&path](const std::string& why) {
    throw file_error("'" + path.string() + "' is not a table of loradyn: " + why);
  };
  std::ifstream in = open_to_read(path);
  table_header header;
  std::string section;  // the document's key that the parser is at
  bool has_head = false;
  bool has_rows = false;
  // Each row leaves the document as soon as it is complete, so that one is held at a time.
  const auto part = [&](int depth, json::parse_event_t event, json& parsed) {
    using enum json::parse_event_t;
    check_stop();
    if (depth == 1 && event == key) {
      section = parsed.get<std::string>();
    } else if (depth == 1 && event == object_end && section == "meta") {
      header.meta.version = parsed.at("version");
      header.meta.command = parsed.at("command");
      for (const auto& [name, value] : parsed.at("parameters").items()) {
        header.meta.parameters.emplace_back(name, value);
      }
      for (const json& name : parsed.at("columns")) {
        header.columns.push_back(name);
      }
      has_head = true;
      head(header);
    } else if (depth == 1 && event == array_start && section == "rows") {
      has_rows = true;
    } else if (depth == 2 && section == "rows" && event == object_end) {
      if (!has_head) {
        refuse("its rows come before its meta");
      }
      std::vector<cell> row;
      row.reserve(header.columns.size());
      for (const std::string& column : header.columns) {
        row.push_back(cell_from(parsed.at(column)));
      }
      visit(std::move(row));
      return false;
    } else if (depth == 2 && section == "rows" && (event == value || event == array_end)) {
      refuse("a row is no object");
    }
    return true;
  };
  try {
    [[maybe_unused]] const json what_is_left = json::parse(in, part);
  } catch (const json::exception& e) {
    refuse(one_line(e.what()));
  }
  if (!has_head || !has_rows) {
    refuse(has_head ? "it has no rows" : "it has no meta");
  }
}

std::string dump(const json& value) {
  return value.dump(1, ' ', false, json::error_handler_t::replace);
}

// The text of a JSON document around its rows, and of the rows.
class json_text {
 public:
  explicit json_text(const table_header& header) : kinds_(header.kinds) {
    json parameters = json::object();
    for (const auto& [key, value] : header.meta.parameters) {
      parameters[key] = value;
    }
    json document;
    document["meta"] = {{"version", header.meta.version},
                        {"command", header.meta.command},
                        {"parameters", parameters},
                        {"columns", header.columns}};
    document["rows"] = json::array();
    head_ = dump(document);
    head_.resize(head_.size() - std::string_view("]\n}").size());

    json& object = nested_[0][0];
    object = json::object();
    for (const std::string& column : header.columns) {
      object[column] = nullptr;
    }
    // Their places, which stay as no key comes any more.
    for (const std::string& column : header.columns) {
      values_.push_back(&object[column]);
    }
  }
  json_text(const json_text&) = delete;
  json_text& operator=(const json_text&) = delete;

  [[nodiscard]] const std::string& head() const { return head_; }

  void append_row(std::string& text, std::span<const cell> row) {
    for (std::size_t c = 0; c < row.size(); ++c) {
      const auto* integer = std::get_if<std::int64_t>(&row[c]);
      if (integer != nullptr && kinds_[c] == column_kind::number) {
        *values_[c] = static_cast<double>(*integer);
      } else {
        std::visit([&](const auto& value) { *values_[c] = value; }, row[c]);
      }
    }
    // As deep in brackets as in the document, so that the indentation is the document's.
    constexpr std::string_view before = "[\n [";
    constexpr std::string_view after = "\n ]\n]";
    const std::string whole = dump(nested_);
    text += any_ ? "," : "";
    text.append(whole, before.size(), whole.size() - before.size() - after.size());
    any_ = true;
  }

  [[nodiscard]] std::string tail() const { return any_ ? "\n ]\n}\n" : "]\n}\n"; }

 private:
  std::vector<column_kind> kinds_;
  std::string head_;
  json nested_;
  std::vector<json*> values_;
  bool any_ = false;
};

// The rows of a JSON file that is being written.
class json_rows {
 public:
  json_rows(const table_header& header, const pending_file& file) : json_(header), out_(file) {
    out_.append(json_.head());
  }

  void add(std::span<const cell> row) {
    text_.clear();
    json_.append_row(text_, row);
    out_.append(text_);
  }

  void finish() {
    out_.append(json_.tail());
    out_.close();
  }

 private:
  json_text json_;
  file_writer out_;
  std::string text_;
};

// --- HDF5

// A call of HDF5 that failed; what was done to which file is for the caller to say.
class hdf5_failure : public error {
 public:
  using error::error;
};

void require(hid_t status, const char* what) {
  if (status < 0) {
    throw hdf5_failure(std::string("HDF5 failed: ") + what);
  }
}

// An HDF5 identifier with the call that closes it.
class handle {
 public:
  handle(hid_t id, herr_t (*closing)(hid_t), const char* what) : id_(id), close_(closing) {
    require(id, what);
  }
  handle(handle&& other) noexcept
      : id_(std::exchange(other.id_, H5I_INVALID_HID)), close_(other.close_) {}
  ~handle() { close(); }
  handle(const handle&) = delete;
  handle& operator=(const handle&) = delete;
  handle& operator=(handle&&) = delete;
  operator hid_t() const { return id_; }

  // Now, where it matters whether it could be.
  herr_t close() {
    const hid_t id = std::exchange(id_, H5I_INVALID_HID);
    return id < 0 ? 0 : close_(id);
  }

 private:
  hid_t id_;
  herr_t (*close_)(hid_t);
};

// Errors come as exceptions, not as HDF5's own traces on standard error.
void silence_hdf5() { H5Eset_auto2(H5E_DEFAULT, nullptr, nullptr); }

handle text_type() {
  handle type(H5Tcopy(H5T_C_S1), H5Tclose, "a type");
  require(H5Tset_size(type, H5T_VARIABLE), "a type");
  require(H5Tset_cset(type, H5T_CSET_UTF8), "a type");
  return type;
}

void write_attribute(hid_t object, const std::string& name, const std::string& value) {
  const handle type = text_type();
  const handle space(H5Screate(H5S_SCALAR), H5Sclose, "a space");
  const handle attribute(H5Acreate2(object, name.c_str(), type, space, H5P_DEFAULT, H5P_DEFAULT),
                         H5Aclose, "an attribute");
  const char* text = value.c_str();
  require(H5Awrite(attribute, type, static_cast<const void*>(&text)), "writing an attribute");
}

// The file under HDF5 while it is written. Where the disk takes no more, HDF5 1.10 frees what it
// fails to close and keeps its identifiers, over which the process crashes when it exits. So it is
// not told: this driver notes the first error for us to find and drops what comes after it.
struct output_driver : H5FD_t {
  int descriptor = -1;
  int* fault = nullptr;  // an errno
  haddr_t allocated = 0;
  haddr_t size = 0;

  void note() {
    if (*fault == 0) {
      *fault = errno;
    }
  }

  static output_driver& of(H5FD_t* file) { return *static_cast<output_driver*>(file); }
  static const output_driver& of(const H5FD_t* file) {
    return *static_cast<const output_driver*>(file);
  }

  static H5FD_t* open(const char* name, unsigned, hid_t access, haddr_t) {
    auto file = std::make_unique<output_driver>();
    file->fault = *static_cast<int* const*>(H5Pget_driver_info(access));
    file->descriptor = ::open(name, O_RDWR | O_TRUNC | O_NOFOLLOW | O_CLOEXEC);
    if (file->descriptor < 0) {
      file->note();
      return nullptr;
    }
    return file.release();
  }

  static herr_t close(H5FD_t* closed) {
    const std::unique_ptr<output_driver> file(&of(closed));
    if (::close(file->descriptor) != 0) {
      file->note();
    }
    return 0;
  }

  static herr_t query(const H5FD_t*, unsigned long* features) {
    *features = H5FD_FEAT_AGGREGATE_METADATA | H5FD_FEAT_ACCUMULATE_METADATA |
                H5FD_FEAT_DATA_SIEVE | H5FD_FEAT_AGGREGATE_SMALLDATA |
                H5FD_FEAT_DEFAULT_VFD_COMPATIBLE;
    return 0;
  }

  static haddr_t end_of_allocated(const H5FD_t* file, H5FD_mem_t) { return of(file).allocated; }
  static haddr_t end_of_file(const H5FD_t* file, H5FD_mem_t) { return of(file).size; }
  static herr_t allocate(H5FD_t* file, H5FD_mem_t, haddr_t end) {
    of(file).allocated = end;
    return 0;
  }

  static herr_t read(H5FD_t* from, H5FD_mem_t, hid_t, haddr_t place, std::size_t count,
                     void* target) {
    output_driver& file = of(from);
    auto* bytes = static_cast<char*>(target);
    while (count > 0) {
      const ssize_t done = ::pread(file.descriptor, bytes, count, static_cast<off_t>(place));
      if (done < 0 && errno == EINTR) {
        continue;
      }
      if (done <= 0) {  // zeros lie behind the end
        if (done < 0) {
          file.note();
        }
        std::fill_n(bytes, count, '\0');
        break;
      }
      bytes += done;
      place += static_cast<haddr_t>(done);
      count -= static_cast<std::size_t>(done);
    }
    return 0;
  }

  static herr_t write(H5FD_t* to, H5FD_mem_t, hid_t, haddr_t place, std::size_t count,
                      const void* source) {
    output_driver& file = of(to);
    const auto* bytes = static_cast<const char*>(source);
    file.size = std::max(file.size, place + count);
    while (count > 0 && *file.fault == 0) {
      const ssize_t done = ::pwrite(file.descriptor, bytes, count, static_cast<off_t>(place));
      if (done < 0) {
        if (errno != EINTR) {
          file.note();
        }
        continue;
      }
      bytes += done;
      place += static_cast<haddr_t>(done);
      count -= static_cast<std::size_t>(done);
    }
    return 0;
  }

  static herr_t truncate(H5FD_t* truncated, hid_t, hbool_t) {
    output_driver& file = of(truncated);
    if (file.size != file.allocated && *file.fault == 0 &&
        ::ftruncate(file.descriptor, static_cast<off_t>(file.allocated)) != 0) {
      file.note();
    }
    file.size = file.allocated;
    return 0;
  }

  static const H5FD_class_t& description() {
    static const H5FD_class_t c = [] {
      H5FD_class_t d{};
      d.name = "loradyn";
      d.maxaddr = std::numeric_limits<off_t>::max();
      d.fc_degree = H5F_CLOSE_WEAK;
      d.fapl_size = sizeof(int*);
      d.open = open;
      d.close = close;
      d.query = query;
      d.get_eoa = end_of_allocated;
      d.set_eoa = allocate;
      d.get_eof = end_of_file;
      d.read = read;
      d.write = write;
      d.truncate = truncate;
      constexpr std::array<H5FD_mem_t, H5FD_MEM_NTYPES> spaces = H5FD_FLMAP_DICHOTOMY;
      std::copy(spaces.begin(), spaces.end(), std::begin(d.fl_map));
      return d;
    }();
    return c;
  }
};

constexpr hsize_t largest_chunk = 16384;  // rows

// \param driver an output_driver; HDF5 reads its description after it has closed the file
// \param fault  where the first error of the disk is noted, while the file is open
handle create_file(const fs::path& path, hid_t driver, int* fault) {
  const handle creation(H5Pcreate(H5P_FILE_CREATE), H5Pclose, "properties");
  require(H5Pset_link_creation_order(creation, H5P_CRT_ORDER_TRACKED | H5P_CRT_ORDER_INDEXED),
          "properties");
  require(H5Pset_attr_creation_order(creation, H5P_CRT_ORDER_TRACKED | H5P_CRT_ORDER_INDEXED),
          "properties");
  require(H5Pset_obj_track_times(creation, false), "properties");  // the same bytes every time
  const handle access(H5Pcreate(H5P_FILE_ACCESS), H5Pclose, "properties");
  require(H5Pset_driver(access, driver, static_cast<const void*>(&fault)), "properties");
  return {H5Fcreate(path.c_str(), H5F_ACC_TRUNC, creation, access), H5Fclose, "creating the file"};
}

handle create_dataset(hid_t file, const std::string& name, hid_t type, hsize_t chunk) {
  const hsize_t none = 0;
  const hsize_t endless = H5S_UNLIMITED;
  const handle space(H5Screate_simple(1, &none, &endless), H5Sclose, "a space");
  const handle creation(H5Pcreate(H5P_DATASET_CREATE), H5Pclose, "properties");
  require(H5Pset_chunk(creation, 1, &chunk), "properties");
  require(H5Pset_obj_track_times(creation, false), "properties");
  const handle access(H5Pcreate(H5P_DATASET_ACCESS), H5Pclose, "properties");
  // Whole chunks come in order, so that a cache of them would only take memory.
  require(H5Pset_chunk_cache(access, 0, 0, H5D_CHUNK_CACHE_W0_DEFAULT), "properties");
  return {H5Dcreate2(file, name.c_str(), type, space, H5P_DEFAULT, creation, access), H5Dclose,
          "a dataset"};
}

// The cells of a column that wait for their chunk to be full.
struct waiting_numbers {
  std::vector<double> values;

  static handle type() { return {H5Tcopy(H5T_IEEE_F64LE), H5Tclose, "a type"}; }
  void add(const cell& value) { values.push_back(to_number(value)); }
  [[nodiscard]] herr_t write(hid_t set, hid_t memory, hid_t target) const {
    return H5Dwrite(set, H5T_NATIVE_DOUBLE, memory, target, H5P_DEFAULT, values.data());
  }
  void clear() { values.clear(); }
};

struct waiting_integers {
  std::vector<std::int64_t> values;

  static handle type() { return {H5Tcopy(H5T_STD_I64LE), H5Tclose, "a type"}; }
  void add(const cell& value) { values.push_back(std::get<std::int64_t>(value)); }
  [[nodiscard]] herr_t write(hid_t set, hid_t memory, hid_t target) const {
    return H5Dwrite(set, H5T_NATIVE_INT64, memory, target, H5P_DEFAULT, values.data());
  }
  void clear() { values.clear(); }
};

struct waiting_texts {
  std::string text;  // one after the other, each with a zero at its end
  std::vector<std::size_t> starts;

  static handle type() { return text_type(); }
  void add(const cell& value) {
    starts.push_back(text.size());
    append_text(text, value);
    text += '\0';
  }
  [[nodiscard]] herr_t write(hid_t set, hid_t memory, hid_t target) const {
    std::vector<const char*> pointers;
    pointers.reserve(starts.size());
    for (const std::size_t start : starts) {
      pointers.push_back(text.data() + start);
    }
    return H5Dwrite(set, type(), memory, target, H5P_DEFAULT, pointers.data());
  }
  void clear() {
    text.clear();
    starts.clear();
  }
};

using waiting_cells = std::variant<waiting_numbers, waiting_integers, waiting_texts>;

waiting_cells waiting_for(column_kind kind) {
  switch (kind) {
    case column_kind::number:
      return waiting_numbers();
    case column_kind::integer:
      return waiting_integers();
    case column_kind::text:
      break;
  }
  return waiting_texts();
}

// The rows of an HDF5 file that is being written.
class hdf5_rows {
 public:
  hdf5_rows(const table_header& header, const pending_file& file)
      : name_(file.final_name()), chunk_(std::clamp<hsize_t>(header.rows, 1, largest_chunk)) {
    checked([&] {
      silence_hdf5();
      driver_.emplace(H5FDregister(&output_driver::description()), H5FDunregister, "a driver");
      file_.emplace(create_file(file.path(), *driver_, &fault_));
      write_attribute(*file_, "version", header.meta.version);
      write_attribute(*file_, "command", header.meta.command);
      for (const auto& [key, value] : header.meta.parameters) {
        write_attribute(*file_, key, value);
      }
      for (std::size_t c = 0; c < header.columns.size(); ++c) {
        waiting_.push_back(waiting_for(header.kinds[c]));
        const handle type =
            std::visit([](const auto& waiting) { return waiting.type(); }, waiting_.back());
        sets_.push_back(create_dataset(*file_, header.columns[c], type, chunk_));
      }
    });
  }
  hdf5_rows(const hdf5_rows&) = delete;
  hdf5_rows& operator=(const hdf5_rows&) = delete;

  void add(std::span<const cell> row) {
    for (std::size_t c = 0; c < row.size(); ++c) {
      std::visit([&](auto& waiting) { waiting.add(row[c]); }, waiting_[c]);
    }
    if (++rows_waiting_ == chunk_) {
      checked([&] { write_waiting(); });
    }
  }

  void finish() {
    checked([&] {
      if (rows_waiting_ > 0) {
        write_waiting();
      }
      for (handle& set : sets_) {
        require(set.close(), "closing a dataset");
      }
      require(file_->close(), "closing the file");
    });
  }

 private:
  // Calls of HDF5, and what the disk said to them.
  template <class Calls>
  void checked(const Calls& calls) const {
    std::string failure;
    try {
      calls();
    } catch (const hdf5_failure& e) {
      failure = e.what();
    }
    if (fault_ != 0) {
      failure = std::strerror(fault_);
    }
    if (!failure.empty()) {
      throw file_error("'" + name_.string() + "' can't be written: " + failure);
    }
  }

  void write_waiting() {
    const hsize_t extent = rows_written_ + rows_waiting_;
    const handle memory(H5Screate_simple(1, &rows_waiting_, nullptr), H5Sclose, "a space");
    const handle target(H5Screate_simple(1, &extent, nullptr), H5Sclose, "a space");
    require(H5Sselect_hyperslab(target, H5S_SELECT_SET, &rows_written_, nullptr, &rows_waiting_,
                                nullptr),
            "a space");
    for (std::size_t c = 0; c < waiting_.size(); ++c) {
      const hid_t set = sets_[c];
      require(H5Dset_extent(set, &extent), "extending a dataset");
      std::visit(
          [&](auto& waiting) {
            require(waiting.write(set, memory, target), "writing a dataset");
            waiting.clear();
          },
          waiting_[c]);
    }
    rows_written_ = extent;
    rows_waiting_ = 0;
  }

  fs::path name_;
  hsize_t chunk_;
  int fault_ = 0;  // the disk's, noted by the driver until the file is closed
  std::optional<handle> driver_;
  std::optional<handle> file_;
  std::vector<handle> sets_;
  std::vector<waiting_cells> waiting_;  // a column each
  hsize_t rows_written_ = 0;
  hsize_t rows_waiting_ = 0;
};

std::string read_attribute(hid_t object, const std::string& name) {
  const handle attribute(H5Aopen(object, name.c_str(), H5P_DEFAULT), H5Aclose, "an attribute");
  const handle type = text_type();
  char* text = nullptr;
  require(H5Aread(attribute, type, static_cast<void*>(&text)), "reading an attribute");
  std::string value = text == nullptr ? "" : text;
  H5free_memory(text);
  return value;
}

// A column of a file that is being read.
class hdf5_column {
 public:
  hdf5_column(hid_t file, const std::string& name)
      : set_(H5Dopen2(file, name.c_str(), H5P_DEFAULT), H5Dclose, "a dataset"),
        space_(H5Dget_space(set_), H5Sclose, "a space") {
    if (H5Sget_simple_extent_ndims(space_) != 1) {
      throw hdf5_failure("'" + name + "' is no column");
    }
    require(H5Sget_simple_extent_dims(space_, &rows_, nullptr), "a space");
    const handle type(H5Dget_type(set_), H5Tclose, "a type");
    const H5T_class_t stored = H5Tget_class(type);
    kind_ = stored == H5T_FLOAT     ? column_kind::number
            : stored == H5T_INTEGER ? column_kind::integer
                                    : column_kind::text;
  }

  [[nodiscard]] hsize_t rows() const { return rows_; }

  // Whether a file of so many bytes can hold the rows: HDF5 makes up those that are not stored.
  [[nodiscard]] bool is_stored(std::uint64_t file_size) const {
    constexpr double deflated = 1032.0;  // what zlib shrinks by at most
    const handle creation(H5Dget_create_plist(set_), H5Pclose, "properties");
    const handle type(H5Dget_type(set_), H5Tclose, "a type");
    const double shrunk = H5Pget_nfilters(creation) > 0 ? deflated : 1.0;
    const double stored =
        std::min(static_cast<double>(H5Dget_storage_size(set_)), static_cast<double>(file_size));
    return static_cast<double>(rows_) * static_cast<double>(H5Tget_size(type)) <= shrunk * stored;
  }
  [[nodiscard]] column_kind kind() const { return kind_; }

  // Adds the cells from `first` on to the rows, one each.
  void read(hsize_t first, std::vector<std::vector<cell>>& rows) const {
    switch (kind_) {
      case column_kind::number:
        read_as<double>(first, H5T_NATIVE_DOUBLE, rows, [](double value) { return value; });
        break;
      case column_kind::integer:
        read_as<std::int64_t>(first, H5T_NATIVE_INT64, rows,
                              [](std::int64_t value) { return value; });
        break;
      case column_kind::text:
        read_as<char*>(first, text_type(), rows, [](char* value) {
          std::string text = value == nullptr ? "" : value;
          H5free_memory(value);
          return text;
        });
    }
  }

 private:
  template <class Value, class ToCell>
  void read_as(hsize_t first, hid_t type, std::vector<std::vector<cell>>& rows,
               const ToCell& to_cell) const {
    const hsize_t count = rows.size();
    const handle memory(H5Screate_simple(1, &count, nullptr), H5Sclose, "a space");
    require(H5Sselect_hyperslab(space_, H5S_SELECT_SET, &first, nullptr, &count, nullptr),
            "a space");
    std::vector<Value> values(count);
    require(H5Dread(set_, type, memory, space_, H5P_DEFAULT, values.data()), "reading a dataset");
    for (std::size_t i = 0; i < values.size(); ++i) {
      rows[i].emplace_back(to_cell(values[i]));
    }
  }

  handle set_;
  handle space_;
  hsize_t rows_ = 0;
  column_kind kind_ = column_kind::text;
};

// Calls of HDF5, whose failure is told as the file's.
template <class Calls>
void reading(const fs::path& path, const Calls& calls) {
  try {
    calls();
  } catch (const hdf5_failure& e) {
    throw file_error("'" + path.string() + "' can't be read: " + e.what());
  }
}

void read_hdf5_here(const fs::path& path, const head_visitor& head, const row_visitor& visit) {
  silence_hdf5();
  const std::string where = path.string();
  const hid_t opened = H5Fopen(path.c_str(), H5F_ACC_RDONLY, H5P_DEFAULT);
  if (opened < 0) {
    throw file_error("'" + where + "' is not an HDF5 file");
  }
  const handle file(opened, H5Fclose, "opening");
  table_header header;
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
      H5Literate(file, H5_INDEX_CRT_ORDER, H5_ITER_INC, nullptr, link_name, &header.columns) < 0) {
    throw file_error("'" + where + "' is not a table of loradyn");
  }
  std::vector<hdf5_column> columns;
  reading(path, [&] {
    for (const std::string& name : attributes) {
      std::string value = read_attribute(file, name);
      if (name == "version") {
        header.meta.version = std::move(value);
      } else if (name == "command") {
        header.meta.command = std::move(value);
      } else {
        header.meta.parameters.emplace_back(name, std::move(value));
      }
    }
    for (const std::string& name : header.columns) {
      columns.emplace_back(file, name);
      header.kinds.push_back(columns.back().kind());
    }
  });
  header.rows = columns.empty() ? 0 : columns.front().rows();
  for (const hdf5_column& c : columns) {
    if (c.rows() != header.rows) {
      throw file_error("'" + where + "' is not a table of loradyn: its columns differ in length");
    }
    bool stored = false;
    reading(path, [&] { stored = c.is_stored(fs::file_size(path)); });
    if (!stored) {
      throw file_error("'" + where + "' is damaged: it has not room for its " +
                       std::to_string(header.rows) + " rows");
    }
  }
  head(header);
  for (hsize_t first = 0; first < header.rows; first += largest_chunk) {
    std::vector<std::vector<cell>> rows(std::min(largest_chunk, header.rows - first));
    reading(path, [&] {
      for (const hdf5_column& c : columns) {
        c.read(first, rows);
      }
    });
    for (std::vector<cell>& row : rows) {
      visit(std::move(row));
    }
  }
}

// In a process of its own: HDF5 crashes on some damaged files.
void read_hdf5(const fs::path& path, const head_visitor& head, const row_visitor& visit) {
  static_cast<void>(open_to_read(path));  // says why it can't be read, if so
  read_in_child(
      path, [&path](const head_visitor& h, const row_visitor& v) { read_hdf5_here(path, h, v); },
      head, visit);
}

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

std::string csv_head(const table_header& header) {
  std::string text = "# loradyn " + one_line(header.meta.version) +
                     "\n# command: " + one_line(header.meta.command) + "\n";
  for (const auto& [key, value] : header.meta.parameters) {
    text += "# " + one_line(key) + ": " + one_line(value) + "\n";
  }
  for (std::size_t c = 0; c < header.columns.size(); ++c) {
    text += c == 0 ? "" : ",";
    append_quoted(text, header.columns[c]);
  }
  return text + '\n';
}

void append_csv_row(std::string& text, std::span<const cell> row) {
  for (std::size_t c = 0; c < row.size(); ++c) {
    text += c == 0 ? "" : ",";
    if (const auto* content = std::get_if<std::string>(&row[c])) {
      append_quoted(text, *content);
    } else {
      append_text(text, row[c]);
    }
  }
  text += '\n';
}

std::string to_csv(const table& t) {
  std::string text = csv_head(header_of(t));
  for (const auto& row : t.rows) {
    append_csv_row(text, row);
  }
  return text;
}

std::string to_json(const table& t) {
  json_text json(header_of(t));
  std::string text = json.head();
  for (const auto& row : t.rows) {
    json.append_row(text, row);
  }
  return text + json.tail();
}

// What begin made, and finish takes away.
class table_file::writer {
 public:
  writer(table_format format, table_header header, const pending_file& file)
      : header_(std::move(header)), rows_(rows_of(format, header_, file)) {}

  void add(std::span<const cell> row) {
    check(header_, row);
    std::visit([&](auto& rows) { rows.add(row); }, rows_);
  }

  void finish() {
    std::visit([](auto& rows) { rows.finish(); }, rows_);
  }

 private:
  using any_rows = std::variant<csv_rows, json_rows, hdf5_rows>;

  static any_rows rows_of(table_format format, const table_header& header,
                          const pending_file& file) {
    switch (format) {
      case table_format::csv:
        return any_rows(std::in_place_type<csv_rows>, header, file);
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

table_file::table_file(const fs::path& path) : format_(table_format_of(path)), file_(path) {}

table_file::~table_file() = default;

void table_file::begin(const table_header& header) {
  if (header.kinds.size() != header.columns.size()) {
    throw argument_error("the header's kinds", std::to_string(header.kinds.size()),
                         "as many as its columns, " + std::to_string(header.columns.size()));
  }
  if (writer_) {
    throw error("the table in '" + file_.final_name().string() + "' has its header already");
  }
  writer_ = std::make_unique<writer>(format_, header, file_);
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
