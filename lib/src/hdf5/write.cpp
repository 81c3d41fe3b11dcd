#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdint>
#include <cstring>
#include <iterator>
#include <limits>
#include <optional>
#include <string>
#include <variant>
#include <vector>
#include "hdf5/handle.hpp"
#include "hdf5/table.hpp"

namespace loradyn {
namespace fs = std::filesystem;

namespace {

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

}  // namespace

class hdf5_table_writer::implementation {
 public:
  implementation(const table_header& header, const fs::path& path)
      : chunk_(std::clamp<hsize_t>(header.rows, 1, largest_chunk)) {
    checked([&] {
      silence_hdf5();
      driver_.emplace(H5FDregister(&output_driver::description()), H5FDunregister, "a driver");
      file_.emplace(create_file(path, *driver_, &fault_));
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
      throw hdf5_failure(failure);
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

  hsize_t chunk_;
  int fault_ = 0;  // the disk's, noted by the driver until the file is closed
  std::optional<handle> driver_;
  std::optional<handle> file_;
  std::vector<handle> sets_;
  std::vector<waiting_cells> waiting_;  // a column each
  hsize_t rows_written_ = 0;
  hsize_t rows_waiting_ = 0;
};

hdf5_table_writer::hdf5_table_writer(const table_header& header, const fs::path& path)
    : self_(std::make_unique<implementation>(header, path)) {}

hdf5_table_writer::~hdf5_table_writer() = default;

void hdf5_table_writer::add(std::span<const cell> row) { self_->add(row); }

void hdf5_table_writer::finish() { self_->finish(); }

}  // namespace loradyn
