#include <filesystem>
#include <loradyn/error.hpp>
#include <loradyn/report/checkpoint_file.hpp>
#include <loradyn/report/file.hpp>
#include <system_error>
#include <utility>

namespace loradyn {

checkpoint_file::checkpoint_file(std::string path) : path_(std::move(path)) {
  if (path_.empty()) {
    return;
  }
  std::error_code ignored;
  if (!std::filesystem::exists(path_, ignored)) {
    const pending_file check(path_);
    return;
  }
  kept_ = read_file(path_);
  if (kept_.empty()) {
    throw argument_error("--checkpoint", "'" + path_ + "', an empty file",
                         "the name of a new file, or of a checkpoint of this command");
  }
}

void checkpoint_file::keep(const std::string& bytes) const {
  if (!path_.empty()) {
    pending_file file(path_);
    file.write(bytes);
    file.commit();
  }
}

void checkpoint_file::remove() const {
  if (!path_.empty()) {
    std::error_code ignored;
    std::filesystem::remove(path_, ignored);
  }
}

}  // namespace loradyn
