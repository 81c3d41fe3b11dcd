#pragma once

/// \file
/// Tables in CSV files.

#include <filesystem>
#include <loradyn/report/file.hpp>
#include <loradyn/report/table_io.hpp>
#include <span>
#include <string>
#include "report/channel.hpp"

namespace loradyn {

/// \throws file_error with the line
void read_csv(const std::filesystem::path& path, const head_visitor& head,
              const row_visitor& visit);

/// The rows of a file that is being written.
class csv_rows {
 public:
  /// \param headless the rows alone
  csv_rows(const table_header& header, const pending_file& file, bool headless);

  void add(std::span<const cell> row);
  void finish();

 private:
  file_writer out_;
  std::string text_;
};

}  // namespace loradyn
