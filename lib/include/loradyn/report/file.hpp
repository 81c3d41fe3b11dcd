#pragma once

/// \file
/// Files that appear whole or not at all, and files that are read.

#include <sys/types.h>

#include <cstddef>
#include <filesystem>
#include <fstream>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace loradyn {

/// A file under a temporary name beside its final one. `commit` gives it the final name in one
/// step; without it the destructor removes it, and a file that stood under the final name is
/// untouched.
///
/// The temporary name, ".STEM.<16 random digits>.part.ENDING", is never that of a file or a link
/// that is there. It is locked while this object lives, so that the next one for the same final
/// name knows, and removes, what a killed process left.
///
/// A final name that is a symbolic link stays one: the file that it points to is replaced. The mode
/// of a replaced file, and its owner where the system allows it, stay as they are; of other hard
/// links to it the content stays.
class pending_file {
 public:
  /// Checks that the final name can be written and reserves the temporary one.
  /// \throws file_error where the directory is missing or not writable, or the name is that of a
  ///         directory or of anything else that is no regular file
  explicit pending_file(std::filesystem::path final_name);
  ~pending_file();
  pending_file(const pending_file&) = delete;
  pending_file& operator=(const pending_file&) = delete;

  /// The temporary name, with the ending of the final one.
  [[nodiscard]] const std::filesystem::path& path() const noexcept { return temporary_; }
  /// The name that it will have.
  [[nodiscard]] const std::filesystem::path& final_name() const noexcept { return final_; }
  /// The final name, or what it points to where it is a symbolic link.
  [[nodiscard]] const std::filesystem::path& target() const noexcept { return target_; }

  /// Writes the whole content. \throws file_error where the disk does not take it
  void write(const std::string& content) const;

  /// \throws file_error where the final name can't be taken
  void commit();

  /// Gives up the lock, for a file that another library locks itself. From here on the temporary
  /// file may be gone.
  void unlock() noexcept;

 private:
  friend class file_writer;

  // What a replaced file hands on.
  struct rights {
    ::mode_t mode = 0;
    ::uid_t owner = 0;
    ::gid_t group = 0;
  };

  void reserve(const std::filesystem::path& directory);
  [[noreturn]] void refuse(const std::string& why) const;

  std::filesystem::path final_;
  std::filesystem::path target_;  // the final name, or what it points to
  std::filesystem::path temporary_;
  std::optional<rights> replaced_;
  int descriptor_ = -1;
  bool committed_ = false;
};

/// Writes the content of a pending file piece by piece, through a buffer of 64 kB.
class file_writer {
 public:
  /// From an empty file on. The pending file outlives the writer.
  /// \throws file_error where the disk fails
  explicit file_writer(const pending_file& file);
  file_writer(const file_writer&) = delete;
  file_writer& operator=(const file_writer&) = delete;

  /// \throws file_error where the disk does not take it, now or at a later piece or `close`
  void append(std::string_view text);

  /// Writes what the buffer holds. \throws file_error as `append`
  void close();

 private:
  const pending_file& file_;
  std::string buffer_;
};

/// A regular file open for reading, its bytes as they are: nothing else is opened, for it might
/// never end. \throws file_error where it can't be read
std::ifstream open_to_read(const std::filesystem::path& path);

/// The content of a regular file. \throws file_error where it can't be read
std::string read_file(const std::filesystem::path& path);

/// What a user wrote, from a file of any kind (a pipe, say) that ends within `most_text` bytes.
/// \throws file_error where it can't be read, is longer, or is a pipe that nobody writes to
std::string read_text(const std::filesystem::path& path);

/// 16 MiB: far more than anybody writes by hand.
inline constexpr std::size_t most_text = std::size_t{1} << 24;

/// Whether two names are, or would be once they are written, names of one file. A symbolic link is
/// the name of what it points to.
bool same_file(const std::filesystem::path& a, const std::filesystem::path& b);

}  // namespace loradyn
