#pragma once

/// \file
/// Tables in HDF5 files, read and written by a helper program: HDF5's libraries take 15 ms to load,
/// and crash on some damaged files.

#include <filesystem>
#include <loradyn/report/file.hpp>
#include <loradyn/report/table.hpp>
#include <span>
#include <string>
#include "report/channel.hpp"
#include "report/child_process.hpp"
#include "report/descriptor.hpp"

namespace loradyn {

/// The helper's file. \throws file_error where it is missing, naming `table`
std::filesystem::path hdf5_helper(const std::filesystem::path& table);

/// A running helper and the socket to it.
struct helper_process {
  /// \throws file_error
  helper_process(const std::filesystem::path& table, const char* verb,
                 const std::filesystem::path& file);

  file_descriptor socket;
  child_process child;
};

/// Whatever happens to the helper is an exception here: a crash, more than 2 GiB of memory, 5 s of
/// its processor's time without 64 kB of result or the end. Costs its start and 0.2 µs a cell.
/// \throws file_error naming `path`, interrupted
void read_hdf5(const std::filesystem::path& path, const head_visitor& head,
               const row_visitor& visit);

/// The rows of a file that is being written. A fault of the disk may be told rows later, or by
/// `finish`.
class hdf5_rows {
 public:
  hdf5_rows(const table_header& header, const pending_file& file);

  void add(std::span<const cell> row);
  void finish();

 private:
  template <class Send>
  void sending(const Send& send);
  void hear_end();
  [[noreturn]] void refuse(const std::string& why) const;

  std::filesystem::path name_;
  helper_process helper_;
  channel_sink out_;
};

}  // namespace loradyn
