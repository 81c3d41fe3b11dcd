#pragma once

/// \file
/// A directory of a test's own.

#include <stdlib.h>

#include <catch2/catch.hpp>
#include <filesystem>
#include <string>

namespace loradyn::test {

/// Made at once, removed with all it holds in the end.
struct scratch {
  scratch()
      : path(std::filesystem::temp_directory_path() /
             std::filesystem::path("loradyn-test-XXXXXX")) {
    std::string name = path.string();
    REQUIRE(mkdtemp(name.data()) != nullptr);
    path = name;
  }
  ~scratch() { std::filesystem::remove_all(path); }
  [[nodiscard]] std::size_t files() const {
    return static_cast<std::size_t>(std::distance(std::filesystem::directory_iterator(path),
                                                  std::filesystem::directory_iterator()));
  }
  std::filesystem::path path;
};

}  // namespace loradyn::test
