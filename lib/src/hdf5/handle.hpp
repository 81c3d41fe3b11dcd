#pragma once

/// \file
/// HDF5's identifiers and failures.

#include <hdf5.h>

#include <loradyn/error.hpp>
#include <string>
#include <utility>

namespace loradyn {

/// A call of HDF5 that failed; what was done to which file is for the caller to say.
class hdf5_failure : public error {
 public:
  using error::error;
};

inline void require(hid_t status, const char* what) {
  if (status < 0) {
    throw hdf5_failure(std::string("HDF5 failed: ") + what);
  }
}

/// An HDF5 identifier with the call that closes it.
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

  /// Now, where it matters whether it could be.
  herr_t close() {
    const hid_t id = std::exchange(id_, H5I_INVALID_HID);
    return id < 0 ? 0 : close_(id);
  }

 private:
  hid_t id_;
  herr_t (*close_)(hid_t);
};

/// Errors come as exceptions, not as HDF5's own traces on standard error.
inline void silence_hdf5() { H5Eset_auto2(H5E_DEFAULT, nullptr, nullptr); }

/// Of texts of any length.
inline handle text_type() {
  handle type(H5Tcopy(H5T_C_S1), H5Tclose, "a type");
  require(H5Tset_size(type, H5T_VARIABLE), "a type");
  require(H5Tset_cset(type, H5T_CSET_UTF8), "a type");
  return type;
}

}  // namespace loradyn
