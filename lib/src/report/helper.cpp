#include <unistd.h>

#include <loradyn/error.hpp>
#include <loradyn/report/helper.hpp>
#include <system_error>
#include <utility>

namespace loradyn {
namespace fs = std::filesystem;

namespace {

fs::path& chosen_directory() {
  static fs::path directory;
  return directory;
}

}  // namespace

fs::path helper_directory() {
  if (!chosen_directory().empty()) {
    return chosen_directory();
  }
  std::error_code unknown;
  const fs::path program = fs::read_symlink("/proc/self/exe", unknown);
  return (program.parent_path() / LORADYN_HELPER_PLACE).lexically_normal();
}

void set_helper_directory(fs::path directory) { chosen_directory() = std::move(directory); }

fs::path helper_file(const std::string& name, const std::string& needed_by) {
  fs::path file = helper_directory() / name;
  if (::access(file.c_str(), F_OK) != 0) {
    throw file_error(needed_by + " needs '" + file.string() +
                     "', which is missing: loradyn is not installed as a whole");
  }
  return file;
}

}  // namespace loradyn
