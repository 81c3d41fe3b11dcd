#pragma once

/// \file
/// Files that appear whole or not at all.

#include <filesystem>
#include <string>

namespace loradyn {

/// A file under a temporary name beside its final one. `commit` gives it the final name in one
/// step; without it the destructor removes it, and a file that stood under the final name is
/// untouched.
class pending_file {
 public:
  /// Checks that the final name can be written and reserves the temporary one.
  /// \throws file_error where the directory is missing or not writable, or the name is a directory
  explicit pending_file(std::filesystem::path final_name);
  ~pending_file();
  pending_file(const pending_file&) = delete;
  pending_file& operator=(const pending_file&) = delete;

  /// The temporary name, with the ending of the final one.
  [[nodiscard]] const std::filesystem::path& path() const noexcept { return temporary_; }
  [[nodiscard]] const std::filesystem::path& final_name() const noexcept { return final_; }

  /// Writes the whole content. \throws file_error where the disk does not take it
  void write(const std::string& content) const;

  /// \throws file_error where the final name can't be taken
  void commit();

 private:
  std::filesystem::path final_;
  std::filesystem::path temporary_;
  bool committed_ = false;
};

/// The content of a file. \throws file_error where it can't be read
std::string read_file(const std::filesystem::path& path);

}  // namespace loradyn
