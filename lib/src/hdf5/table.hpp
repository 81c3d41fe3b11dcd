#pragma once

/// \file
/// Tables in HDF5 files, by that library itself.

#include <filesystem>
#include <loradyn/report/table.hpp>
#include <memory>
#include <span>
#include "report/channel.hpp"

namespace loradyn {

/// \throws file_error with the whole message
void read_hdf5_table(const std::filesystem::path& path, const head_visitor& head,
                     const row_visitor& visit);

/// Writes into an existing file, in place of what it holds. Every member throws an error whose text
/// is the reason alone.
class hdf5_table_writer {
 public:
  hdf5_table_writer(const table_header& header, const std::filesystem::path& path);
  ~hdf5_table_writer();
  hdf5_table_writer(const hdf5_table_writer&) = delete;
  hdf5_table_writer& operator=(const hdf5_table_writer&) = delete;

  void add(std::span<const cell> row);
  void finish();

 private:
  class implementation;
  std::unique_ptr<implementation> self_;
};

}  // namespace loradyn
