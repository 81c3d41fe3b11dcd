#include <algorithm>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>
#include "hdf5/handle.hpp"
#include "hdf5/table.hpp"

namespace loradyn {
namespace fs = std::filesystem;

namespace {

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

}  // namespace

void read_hdf5_table(const fs::path& path, const head_visitor& head, const row_visitor& visit) {
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
  constexpr hsize_t block = 16384;  // rows: the chunks that are written
  for (hsize_t first = 0; first < header.rows; first += block) {
    std::vector<std::vector<cell>> rows(std::min(block, header.rows - first));
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

}  // namespace loradyn
