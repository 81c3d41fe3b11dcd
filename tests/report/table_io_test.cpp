#include <catch2/catch.hpp>
#include <cmath>
#include <filesystem>
#include <fstream>
#include <limits>
#include <loradyn/error.hpp>
#include <loradyn/report/table_io.hpp>
#include <string>

#include "support/scratch.hpp"

using namespace loradyn;
using test::scratch;
namespace fs = std::filesystem;

namespace {

table example() {
  table t;
  t.meta = {"1.2.3", "loradyn rates --student 'a, \"b\"'", {{"student", "τ | b"}, {"seed", "0"}}};
  t.columns = {"student", "x", "n", "status"};
  t.rows = {{"a, \"b\"", 0.1, std::int64_t{3}, "ok"},
            {"line\nbreak", 1.0 / 3.0, std::int64_t{-7}, "ok"},
            {"", -1.7976931348623157e308, std::int64_t{0}, "ok"},
            {"τ", 4.9406564584124654e-324, std::int64_t{1}, "ok"},
            {"#", std::nan(""), std::int64_t{1}, "diverges"}};
  return t;
}

}  // namespace

TEST_CASE("tables survive a file of every format, to the last bit") {
  const scratch dir;
  const table t = example();
  for (const char* ending : {"csv", "json", "h5"}) {
    CAPTURE(ending);
    const fs::path path = dir.path / (std::string("t.") + ending);
    table_file(path).write(t);
    const table back = read_table(path);
    CHECK(back.meta.version == t.meta.version);
    CHECK(back.meta.command == t.meta.command);
    CHECK(back.meta.parameters == t.meta.parameters);
    REQUIRE(back.columns == t.columns);
    REQUIRE(back.rows.size() == t.rows.size());
    CHECK(back.texts("student") == t.texts("student"));
    CHECK(back.texts("status") == t.texts("status"));
    CHECK(back.numbers("n") == t.numbers("n"));
    const auto x = t.numbers("x");
    const auto y = back.numbers("x");
    for (std::size_t i = 0; i < 4; ++i) {
      CHECK(x[i] == y[i]);
    }
    CHECK(std::isnan(y[4]));
  }
}

TEST_CASE("the same table gives the same bytes") {
  const scratch dir;
  for (const char* ending : {"csv", "json", "h5"}) {
    CAPTURE(ending);
    const fs::path a = dir.path / (std::string("a.") + ending);
    const fs::path b = dir.path / (std::string("b.") + ending);
    table_file(a).write(example());
    table_file(b).write(example());
    CHECK(read_file(a) == read_file(b));
  }
}

TEST_CASE("what CSV looks like") {
  CHECK(
      to_csv(example()).starts_with("# loradyn 1.2.3\n"
                                    "# command: loradyn rates --student 'a, \"b\"'\n"
                                    "# student: τ | b\n"
                                    "# seed: 0\n"
                                    "student,x,n,status\n"
                                    "\"a, \"\"b\"\"\",0.1,3,ok\n"));
  CHECK(to_csv(example()).ends_with("\"#\",nan,1,diverges\n"));
}

TEST_CASE("a table without rows is a table") {
  const scratch dir;
  table t = example();
  t.rows.clear();
  for (const char* ending : {"csv", "json", "h5"}) {
    const fs::path path = dir.path / (std::string("t.") + ending);
    table_file(path).write(t);
    const table back = read_table(path);
    CHECK(back.columns == t.columns);
    CHECK(back.rows.empty());
  }
}

TEST_CASE("files that can't be written are refused before anything is computed") {
  const scratch dir;
  CHECK_THROWS_AS(table_file(dir.path / "t.txt"), argument_error);
  CHECK_THROWS_AS(table_file(dir.path / "none" / "t.csv"), file_error);
  fs::create_directory(dir.path / "d.csv");
  CHECK_THROWS_AS(table_file(dir.path / "d.csv"), file_error);
  CHECK(dir.files() == 1);
}

TEST_CASE("a file that is given up leaves what was there") {
  const scratch dir;
  const fs::path path = dir.path / "t.csv";
  std::ofstream(path) << "before";
  {
    const table_file abandoned(path);
    CHECK(dir.files() == 2);
  }
  CHECK(dir.files() == 1);
  CHECK(read_file(path) == "before");
  table_file(path).write(example());
  CHECK(dir.files() == 1);
  CHECK(read_file(path) != "before");
}

TEST_CASE("files that are no tables are told in one line") {
  const scratch dir;
  const auto fault = [&](const char* name, const std::string& content) -> std::string {
    const fs::path path = dir.path / name;
    std::ofstream(path) << content;
    try {
      read_table(path);
    } catch (const file_error& e) {
      const std::string message = e.what();
      CHECK(message.find('\n') == std::string::npos);
      return message.substr(message.find('\'', 1) + 1);
    }
    return "none";
  };
  CHECK(fault("a.csv", "").ends_with("line 1: there is no header row"));
  CHECK(fault("a.csv", "# loradyn 1\n").ends_with("line 2: there is no header row"));
  CHECK(fault("a.csv", "a,b\n1,2\n1\n").ends_with("line 3: 1 values in a table of 2 columns"));
  CHECK(fault("a.csv", "a,b\n1,\"2\n").find("a quote is not closed") != std::string::npos);
  CHECK(fault("a.json", "{").find("is not a table of loradyn") != std::string::npos);
  CHECK(fault("a.json", "{\"meta\": 3}").find("is not a table of loradyn") != std::string::npos);
  CHECK(fault("a.h5", "no").find("is not an HDF5 file") != std::string::npos);
  CHECK_THROWS_AS(read_table(dir.path / "missing.csv"), file_error);
  CHECK_THROWS_AS(read_table(dir.path / "missing.h5"), file_error);
  CHECK_THROWS_AS(read_table(dir.path / "missing.txt"), argument_error);
}
