#pragma once

/// \file
/// Tables in JSON files.

#include <filesystem>
#include <loradyn/report/file.hpp>
#include <loradyn/report/table_io.hpp>
#include <memory>
#include <span>
#include <string>
#include "report/channel.hpp"

namespace loradyn {

/// \throws file_error
void read_json(const std::filesystem::path& path, const head_visitor& head,
               const row_visitor& visit);

class json_text;

/// The rows of a file that is being written.
class json_rows {
 public:
  json_rows(const table_header& header, const pending_file& file);
  ~json_rows();

  void add(std::span<const cell> row);
  void finish();

 private:
  std::unique_ptr<json_text> json_;
  file_writer out_;
  std::string text_;
};

}  // namespace loradyn
