#include <catch2/catch.hpp>
#include <filesystem>
#include <fstream>
#include <loradyn/error.hpp>
#include <loradyn/report/helper.hpp>
#include <loradyn/report/store.hpp>
#include <loradyn/report/table_io.hpp>
#include <string>
#include <utility>
#include <vector>
#include "report/serial.hpp"

#include "support/scratch.hpp"

using namespace loradyn;
using namespace loradyn::test;
namespace fs = std::filesystem;
using Catch::Contains;

namespace {

const table example{
    {"1", "c", {{"a", "b"}}}, {"x", "y", "z"}, {{0.1, std::int64_t{-3}, std::string("text")}}};

// Helpers of a directory of the test's own.
class other_helpers {
 public:
  explicit other_helpers(const fs::path& directory) { set_helper_directory(directory); }
  ~other_helpers() { set_helper_directory({}); }
  other_helpers(const other_helpers&) = delete;
  other_helpers& operator=(const other_helpers&) = delete;
};

void install(const fs::path& directory, const std::string& script) {
  const fs::path helper = directory / "loradyn-hdf5";
  std::ofstream(helper) << "#!/bin/sh\n" << script << '\n';
  fs::permissions(helper, fs::perms::owner_all);
}

void write_long(const fs::path& path) {
  table_file file(path);
  file.begin({example.meta, example.columns, header_of(example).kinds, 100'000});
  for (int i = 0; i < 100'000; ++i) {
    file.add(example.rows.front());
  }
  file.finish();
}

}  // namespace

TEST_CASE("a helper that is missing is told before anything is computed") {
  const scratch dir;
  const fs::path path = dir.path / "t.h5";
  table_file(path).write(example);
  const other_helpers none(dir.path / "nowhere");
  const std::string why = " needs '" + (dir.path / "nowhere/loradyn-hdf5").string() +
                          "', which is missing: loradyn is not installed as a whole";
  CHECK_THROWS_WITH(table_file(dir.path / "u.h5"), "'" + (dir.path / "u.h5").string() + "'" + why);
  CHECK_THROWS_WITH(read_table(path), "'" + path.string() + "'" + why);
  CHECK(dir.files() == 1);
  // The other formats need none.
  CHECK_NOTHROW(table_file(dir.path / "u.csv").write(example));
}

TEST_CASE("a helper that crashes or goes astray is a line, and leaves no part of a table") {
  const scratch helpers;
  const other_helpers fake(helpers.path);
  const scratch dir;
  const fs::path path = dir.path / "t.h5";
  const auto reading = [&] { static_cast<void>(read_table(path)); };
  const auto writing = [&] { write_long(path); };
  const std::string read_fault = "'" + path.string() + "' can't be read: it is damaged, and ";
  const std::string crash = "the library that reads it crashes";
  for (const auto& [script, why] : std::vector<std::pair<std::string, std::string>>{
           {"kill -SEGV $$", crash},
           {"exit 0", crash},
           {"printf garbage >&0", crash},
           {"kill -XCPU $$", "reading it does not end"}}) {
    CAPTURE(script);
    install(helpers.path, script);
    std::ofstream(path) << "some file";
    CHECK_THROWS_WITH(reading(), read_fault + why);
    fs::remove(path);
    CHECK_THROWS_WITH(
        writing(), "'" + path.string() + "' can't be written: the library that writes it crashes");
    CHECK(dir.files() == 0);
  }
  // What is no program.
  std::ofstream(helpers.path / "loradyn-hdf5") << "";
  fs::permissions(helpers.path / "loradyn-hdf5", fs::perms::owner_read);
  CHECK_THROWS_WITH(writing(), Contains("which can't be run: "));
  CHECK(dir.files() == 0);
}

TEST_CASE("who is shown a table may refuse it") {
  const scratch dir;
  const fs::path path = dir.path / "t.h5";
  write_long(path);
  CHECK_THROWS_AS(read_table_rows(
                      path, [](const table_header&) {},
                      [](const std::vector<cell>&) { throw argument_error("a", "b", "c"); }),
                  argument_error);
}

TEST_CASE("cells survive as bytes, and bytes that are none are refused") {
  const std::vector<kept_cell> cells{{3, {0.1, std::int64_t{-3}, std::string("a\n\0b", 4)}, 0.5},
                                     {7, {}, 0.0}};
  const std::vector<char> bytes = packed(cells);
  const std::vector<kept_cell> back = unpacked(bytes);
  REQUIRE(back.size() == 2);
  CHECK(back[0].cell == 3);
  CHECK(back[0].values == cells[0].values);
  CHECK(back[0].cost == 0.5);
  CHECK(back[1].values.empty());
  for (std::size_t count = 1; count < bytes.size(); ++count) {
    CAPTURE(count);
    const bool whole = count == packed({cells.data(), 1}).size();
    if (!whole) {
      CHECK_THROWS_AS(unpacked({bytes.data(), count}), error);
    }
  }
  std::vector<char> strange = bytes;
  strange[24] = 9;  // no kind of cell
  CHECK_THROWS_AS(unpacked(strange), error);
}
