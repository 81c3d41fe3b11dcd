#pragma once

/// \file
/// Files that appear whole or not at all.

#include <filesystem>
#include <fstream>
#include <string>
#include <string_view>
#include <vector>

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

/// Writes the content of a pending file piece by piece, through a buffer of 64 kB.
class file_writer {
 public:
  /// From an empty file on. The pending file outlives the writer.
  /// \throws file_error where it can't be opened
  explicit file_writer(const pending_file& file);
  file_writer(const file_writer&) = delete;
  file_writer& operator=(const file_writer&) = delete;

  /// \throws file_error where the disk does not take it, now or at a later piece or `close`
  void append(std::string_view text);

  /// Writes what the buffer holds and closes the file. \throws file_error as `append`
  void close();

 private:
  void check() const;

  const pending_file& file_;
  std::vector<char> buffer_;
  std::ofstream out_;
};

/// A file open for reading, its bytes as they are. \throws file_error where it can't be read
std::ifstream open_to_read(const std::filesystem::path& path);

/// The content of a file. \throws file_error where it can't be read
std::string read_file(const std::filesystem::path& path);

}  // namespace loradyn
