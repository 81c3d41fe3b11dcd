#pragma once

// What the fuzzers share.

#include <stdlib.h>

#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <string>
#include <string_view>

namespace loradyn::fuzz {

// Ends the process, which keeps the input, with what should have held.
inline void require(bool holds, const char* what) {
  if (!holds) {
    std::fprintf(stderr, "does not hold: %s\n", what);
    std::abort();
  }
}

inline std::string text_of(const std::uint8_t* data, std::size_t size) {
  return {reinterpret_cast<const char*>(data), size};
}

// The same value, or both none.
inline bool same(double a, double b) { return a == b || (a != a && b != b); }

// A directory of this process's own, for what is read from a file. In memory, where the system has
// such a place: a disk that is written to for each input makes that twenty times slower.
class directory {
 public:
  directory() {
    for (const std::filesystem::path& parent :
         {std::filesystem::path("/dev/shm"), std::filesystem::temp_directory_path()}) {
      std::string name = (parent / "loradyn-fuzz-XXXXXX").string();
      if (mkdtemp(name.data()) != nullptr) {
        path_ = name;
        return;
      }
    }
    require(false, "a temporary directory can be made");
  }
  ~directory() { std::filesystem::remove_all(path_); }
  directory(const directory&) = delete;
  directory& operator=(const directory&) = delete;

  [[nodiscard]] std::filesystem::path file(const std::string& name) const { return path_ / name; }

  // A file with that content alone.
  std::filesystem::path write(const std::string& name, std::string_view content) const {
    const std::filesystem::path path = file(name);
    std::ofstream out(path, std::ios::binary | std::ios::trunc);
    out.write(content.data(), static_cast<std::streamsize>(content.size()));
    out.close();
    require(out.good(), "an input can be written");
    return path;
  }

 private:
  std::filesystem::path path_;
};

}  // namespace loradyn::fuzz
