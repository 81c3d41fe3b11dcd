#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <fstream>
#include <loradyn/error.hpp>
#include <loradyn/report/file.hpp>
#include <string_view>
#include <system_error>
#include "report/store_file.hpp"
#include "report/store_layout.hpp"

namespace loradyn {
namespace fs = std::filesystem;

namespace {

std::string quoted(const fs::path& path) { return "'" + path.string() + "'"; }

// Gives a new store its name, unless there is a file of that name. Returns whether there is one
// now: where not, another process took the temporary file for one that was left.
bool publish(const fs::path& temporary, const fs::path& path) {
  if (::link(temporary.c_str(), path.c_str()) == 0 || errno == EEXIST) {
    return true;
  }
  // Some file systems have no links.
  if (errno == ENOENT ||
      ::renameat2(AT_FDCWD, temporary.c_str(), AT_FDCWD, path.c_str(), RENAME_NOREPLACE) == 0) {
    return errno != ENOENT;
  }
  if (errno != EEXIST) {
    throw file_error(quoted(path) + " can't be written: " + std::strerror(errno));
  }
  return true;
}

}  // namespace

fs::path beside(const fs::path& path, const char* ending) {
  fs::path result = path;
  return result += ending;
}

void create_store(const fs::path& path, const sweep_configuration& configuration,
                  std::chrono::milliseconds patience) {
  std::error_code ignored;
  do {
    pending_file file(path);
    write_layout(file, configuration, patience);
    // Under its final name the store may be open at once in another thread, whose locks would be
    // lost with the closing of any descriptor of this process.
    file.unlock();
    if (publish(file.path(), file.target())) {
      return;
    }
  } while (!fs::exists(path, ignored));
}

void require_ours(const fs::path& path) {
  const auto refuse = [&path](const std::string& why) { throw file_error(quoted(path) + why); };
  std::error_code ignored;
  if (fs::is_directory(path, ignored)) {
    refuse(" is a directory, not a store");
  }
  std::ifstream in(path, std::ios::binary);
  if (!in) {
    refuse(std::string(" can't be read: ") + std::strerror(errno));
  }
  constexpr std::string_view magic("SQLite format 3\0", 16);
  constexpr std::size_t version_at = 60;
  constexpr std::size_t application_at = 68;
  std::string header(100, '\0');
  in.read(header.data(), static_cast<std::streamsize>(header.size()));
  const auto big_endian = [&header](std::size_t at) {
    std::uint32_t value = 0;
    for (std::size_t i = 0; i < 4; ++i) {
      value = value << 8U | static_cast<unsigned char>(header[at + i]);
    }
    return value;
  };
  const bool has_log = fs::exists(beside(path, "-wal"), ignored);
  if (!in || !header.starts_with(magic) || big_endian(application_at) != store_application_id) {
    refuse(" is not a store of loradyn");
  }
  if (big_endian(version_at) != store_layout) {
    refuse(" was written by another version of loradyn: its layout is " +
           std::to_string(big_endian(version_at)) + ", this program's is " +
           std::to_string(store_layout));
  }
  // SQLite takes what is missing of the last page for zeros. Only a process that is at work, or was
  // killed, may leave less than a page.
  constexpr std::size_t page_size_at = 14;
  const std::uint32_t page_size = big_endian(page_size_at) & 0xffffU;
  if (!has_log && (page_size == 0 || fs::file_size(path, ignored) % page_size != 0)) {
    refuse(" is damaged: its end is missing");
  }
}

std::string write_obstacle(const fs::path& path) {
  const fs::path absolute = fs::absolute(path);
  for (const fs::path& needed : {absolute, absolute.parent_path()}) {
    if (::faccessat(AT_FDCWD, needed.c_str(), W_OK, AT_EACCESS) != 0) {
      return quoted(needed == absolute ? path : needed) +
             " can't be written: " + std::strerror(errno);
    }
  }
  return {};
}

}  // namespace loradyn
