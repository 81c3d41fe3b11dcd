#pragma once

/// \file
/// Tables on standard output and in files, and texts on a terminal.

#include <filesystem>
#include <loradyn/report/table_io.hpp>
#include <optional>
#include <span>
#include <string>

namespace loradyn {

/// Writes a text to standard output; a terminal gets its control characters as visible escapes.
/// \throws file_error where that can't take it; interrupted where a stop is requested and nobody
///         reads
void write_stdout(const std::string& text);

/// Where a table goes, as its name says.
[[nodiscard]] bool names_stdout(const std::string& name);   ///< "", "-", "/dev/stdout"
[[nodiscard]] bool names_nowhere(const std::string& name);  ///< "/dev/null"

/// A table on its way to a file, to standard output or nowhere. On standard output CSV goes row by
/// row; the other formats stand in a temporary file first.
class table_output {
 public:
  /// \param format without it, what the ending of the name says; of standard output CSV
  /// \param headless of CSV: the rows alone
  /// \throws as table_file's constructor, and error for a headless table of another format or HDF5
  ///         on a terminal
  table_output(const std::string& name, std::optional<table_format> format, bool headless);

  /// As that of table_file.
  void begin(const table_header& header);
  /// As that of table_file.
  void add(std::span<const cell> row);
  /// As that of table_file.
  void finish();

 private:
  // A directory of its own, removed with what is in it.
  struct staging_directory {
    staging_directory();
    ~staging_directory();
    staging_directory(const staging_directory&) = delete;
    staging_directory& operator=(const staging_directory&) = delete;
    std::filesystem::path path;
  };

  std::optional<staging_directory> staging_;  // of a table for standard output that is no CSV
  std::optional<table_file> table_;
  std::string text_;  // for standard output
  bool headless_ = false;
  bool nowhere_ = false;
};

}  // namespace loradyn
