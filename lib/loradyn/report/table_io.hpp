#pragma once

/// \file
/// Tables in files: CSV, JSON and HDF5.

#include <filesystem>
#include <string>

#include <loradyn/report/file.hpp>
#include <loradyn/report/table.hpp>

namespace loradyn {

/// The formats, told by the ending of a file's name.
enum class table_format { csv, json, hdf5 };

/// .csv, .json or .h5. \throws argument_error for any other ending
table_format table_format_of(const std::filesystem::path& path);

/// CSV: lines that begin with "# " (program, command, parameters), a header row, a row per point,
/// with RFC 4180 quotes. Numbers read back as the same doubles.
std::string to_csv(const table& t);

/// JSON: {"meta": {version, command, parameters}, "rows": [{column: value}]}; NaN is null.
std::string to_json(const table& t);

/// A table's file, checked before the table is computed and written whole or not at all.
class table_file {
 public:
  /// \throws argument_error, file_error where the table could not be written there
  explicit table_file(const std::filesystem::path& path);

  /// HDF5: a dataset per column in order, version, command and parameters as attributes of the
  /// root. \throws file_error where the disk does not take it
  void write(const table& t);

 private:
  table_format format_;
  pending_file file_;
};

/// Reads a table that the program wrote.
/// \throws argument_error for an unknown ending; file_error where the file can't be read or is no
///         such table, with the line where there is one
table read_table(const std::filesystem::path& path);

}  // namespace loradyn
