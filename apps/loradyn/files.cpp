#include "files.hpp"

#include <fmt/format.h>

#include <array>
#include <filesystem>
#include <loradyn/error.hpp>
#include <loradyn/report/file.hpp>
#include <string>
#include <vector>

namespace loradyn::cli {
namespace {

namespace fs = std::filesystem;

// What an option of this name is, in every command that has it.
struct file_option {
  const char* name;
  const char* said;
  bool written;
  bool is_store;
};
constexpr std::array<file_option, 10> file_options{{
    {"--output", "--output", true, false},
    {"--plot", "--plot", true, false},
    {"--store", "--store", true, true},
    {"--checkpoint", "--checkpoint", true, false},
    {"--config", "--config", false, false},
    {"--stages", "--stages", false, false},
    {"table", "TABLE", false, false},
    {"--over", "--over", false, false},
    {"store", "STORE", false, true},
    {"target", "TARGET", true, true},
}};

struct used_file {
  std::string option;
  std::string name;
  bool written;
  bool companion;  // comes with the file that the option names
};

bool is_picture(const fs::path& name) {
  const std::string ending = name.extension().string();
  return ending == ".svg" || ending == ".pdf" || ending == ".png" || ending == ".tex";
}

std::vector<used_file> files_of(const CLI::App& command) {
  std::vector<used_file> files;
  for (const file_option& o : file_options) {
    const CLI::Option* option = command.get_option_no_throw(o.name);
    if (option == nullptr || option->count() == 0) {
      continue;
    }
    const auto name = option->as<std::string>();
    if (name.empty() || name == "-" || name == "/dev/stdout" || name == "/dev/null") {
      continue;
    }
    files.push_back({o.said, name, o.written, false});
    if (o.is_store) {  // SQLite's
      for (const char* ending : {"-journal", "-wal", "-shm"}) {
        files.push_back({o.said, name + ending, true, true});
      }
    } else if (o.written && is_picture(name)) {
      for (const char* ending : {".gp", ".dat"}) {
        files.push_back({o.said, fs::path(name).replace_extension(ending).string(), true, true});
      }
      if (fs::path(name).extension() == ".tex") {
        files.push_back({o.said, fs::path(name).replace_extension(".pdf").string(), true, true});
      }
    }
  }
  return files;
}

std::string said(const used_file& file) {
  return fmt::format("{}{} '{}'", file.companion ? "a file beside " : "", file.option, file.name);
}

}  // namespace

void require_files_apart(const CLI::App& command) {
  const std::vector<used_file> files = files_of(command);
  for (std::size_t i = 0; i < files.size(); ++i) {
    for (std::size_t k = i + 1; k < files.size(); ++k) {
      if ((files[i].written || files[k].written) && files[i].option != files[k].option &&
          same_file(files[i].name, files[k].name)) {
        throw error(fmt::format("{} is the same file as {}: give each a name of its own",
                                said(files[i]), said(files[k])));
      }
    }
  }
}

}  // namespace loradyn::cli
