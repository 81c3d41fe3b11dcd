#include <signal.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <catch2/catch.hpp>
#include <chrono>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <limits>
#include <loradyn/error.hpp>
#include <loradyn/report/table_io.hpp>
#include <string>
#include <thread>
#include <vector>

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

constexpr std::array<const char*, 3> endings{"csv", "json", "h5"};

// A column of each kind.
table_header long_header(std::uint64_t rows) {
  return {{"1.2.3", "loradyn phase", {{"seed", "0"}}},
          {"x", "n", "status"},
          {column_kind::number, column_kind::integer, column_kind::text},
          rows};
}

std::vector<cell> long_row(std::uint64_t i) {
  return {i % 7 == 3 ? std::nan("") : 0.1 * static_cast<double>(i),
          static_cast<std::int64_t>(i) - 5, i % 3 == 0 ? "" : "τ " + std::to_string(i)};
}

table long_table(std::uint64_t rows) {
  const table_header header = long_header(rows);
  table t{header.meta, header.columns, {}};
  for (std::uint64_t i = 0; i < rows; ++i) {
    t.rows.push_back(long_row(i));
  }
  return t;
}

void stream(table_file& file, const table_header& header, std::uint64_t rows) {
  file.begin(header);
  for (std::uint64_t i = 0; i < rows; ++i) {
    file.add(long_row(i));
  }
  file.finish();
}

// Reads row by row and compares; the number of rows that came.
std::uint64_t matching_rows(const fs::path& path) {
  std::uint64_t i = 0;
  bool same = true;
  read_table_rows(
      path, [&](const table_header& header) { CHECK(header.columns == long_header(0).columns); },
      [&](const std::vector<cell>& row) {
        const std::vector<cell> expected = long_row(i++);
        for (std::size_t c = 0; c < expected.size(); ++c) {
          const std::string text = to_text(row[c]);
          same = same && text == to_text(expected[c]);
        }
      });
  CHECK(same);
  return i;
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
  const auto write = [&dir](const std::string& name) {
    for (const char* ending : endings) {
      table_file(dir.path / (name + ending)).write(example());
    }
  };
  write("a.");
  // Into the clock's next second, which HDF5 would keep in the root.
  std::this_thread::sleep_for(std::chrono::milliseconds(1100));
  write("b.");
  for (const char* ending : endings) {
    CAPTURE(ending);
    CHECK(read_file(dir.path / (std::string("a.") + ending)) ==
          read_file(dir.path / (std::string("b.") + ending)));
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

TEST_CASE("a text of CSV that looks like a number stays a text") {
  const scratch dir;
  const fs::path path = dir.path / "t.csv";
  table t{{"1", "c", {}}, {"student", "n"}, {}};
  t.rows = {{"0.50", 1.0}, {"nan", 2.0}, {"-inf", 3.0}, {"1e999", 4.0}, {"2x", 5.0}};
  CHECK(to_csv(t).ends_with("\"0.50\",1\n\"nan\",2\n\"-inf\",3\n1e999,4\n2x,5\n"));
  table_file(path).write(t);
  CHECK(read_table(path).rows == t.rows);
}

TEST_CASE("a CSV file that was saved on Windows is the same table") {
  const scratch dir;
  const fs::path path = dir.path / "t.csv";
  std::ofstream(path) << "# loradyn 1\r\n# command: c\r\n# seed: 0\r\na,b\r\n1,ok\r\n";
  const table t = read_table(path);
  CHECK(t.meta.version == "1");
  CHECK(t.meta.command == "c");
  CHECK(t.meta.parameter("seed") == "0");
  CHECK(t.columns == std::vector<std::string>{"a", "b"});
  CHECK(t.rows == std::vector<std::vector<cell>>{{1.0, "ok"}});
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

TEST_CASE("a table that comes row by row has the bytes of one that comes whole") {
  // None, one, less than a chunk of HDF5, one to the row, some and a part.
  for (const std::uint64_t rows : {0, 1, 100, 16384, 40000}) {
    for (const char* ending : endings) {
      const scratch dir;
      CAPTURE(ending, rows);
      const table t = long_table(rows);
      const fs::path whole = dir.path / (std::string("whole.") + ending);
      const fs::path streamed = dir.path / (std::string("streamed.") + ending);
      const fs::path other = dir.path / (std::string("other.") + ending);
      table_file(whole).write(t);
      // Two at once, which leave each other alone.
      table_file a(streamed);
      table_file b(other);
      table_header header = header_of(t);
      a.begin(header);
      header.rows = 2 * rows;
      b.begin(header);
      for (const auto& row : t.rows) {
        a.add(row);
        b.add(row);
        b.add(row);
      }
      b.finish();
      CHECK_FALSE(fs::exists(streamed));
      a.finish();
      CHECK(read_file(streamed) == read_file(whole));
      CHECK(read_table(other).rows.size() == 2 * rows);
      CHECK(matching_rows(streamed) == rows);
    }
  }
  const scratch dir;
  const table t = long_table(100);
  std::string csv = csv_head(header_of(t));
  for (const auto& row : t.rows) {
    append_csv_row(csv, row);
  }
  CHECK(csv == to_csv(t));
  table_file(dir.path / "t.csv").write(t);
  CHECK(read_file(dir.path / "t.csv") == to_csv(t));
  table_file(dir.path / "t.json").write(t);
  CHECK(read_file(dir.path / "t.json") == to_json(t));
}

TEST_CASE("what JSON looks like") {
  table t{{"1", "c", {{"a", "b"}}}, {"x", "s"}, {}};
  const std::string head =
      "{\n \"meta\": {\n  \"version\": \"1\",\n  \"command\": \"c\",\n  \"parameters\": {\n"
      "   \"a\": \"b\"\n  },\n  \"columns\": [\n   \"x\",\n   \"s\"\n  ]\n },\n \"rows\": [";
  CHECK(to_json(t) == head + "]\n}\n");
  t.rows = {{1.0, "a\nb"}};
  const std::string first = "\n  {\n   \"x\": 1.0,\n   \"s\": \"a\\nb\"\n  }";
  CHECK(to_json(t) == head + first + "\n ]\n}\n");
  t.rows.push_back({std::nan(""), std::int64_t{2}});
  CHECK(to_json(t) == head + first + ",\n  {\n   \"x\": null,\n   \"s\": 2\n  }\n ]\n}\n");
}

TEST_CASE("fewer or more rows may come than the header expects") {
  const scratch dir;
  for (const char* ending : endings) {
    for (const auto& [expected, given] : {std::pair(100'000, 20'000), {100'000, 0}, {0, 30}}) {
      CAPTURE(ending, expected, given);
      const fs::path path = dir.path / (std::string("t.") + ending);
      table_file file(path);
      stream(file, long_header(static_cast<std::uint64_t>(expected)),
             static_cast<std::uint64_t>(given));
      CHECK(matching_rows(path) == static_cast<std::uint64_t>(given));
    }
  }
}

TEST_CASE("HDF5 keeps kinds and the number of rows") {
  const scratch dir;
  const fs::path path = dir.path / "t.h5";
  for (const std::uint64_t rows : {0, 20'000}) {
    table_file file(path);
    stream(file, long_header(50'000), rows);
    table_header header;
    read_table_rows(
        path, [&](const table_header& found) { header = found; }, [](const std::vector<cell>&) {});
    CHECK(header.kinds == long_header(0).kinds);
    CHECK(header.rows == rows);
    CHECK(header.meta.parameters == long_header(0).meta.parameters);
  }
}

TEST_CASE("cells of another kind than their column's") {
  const scratch dir;
  for (const char* ending : endings) {
    CAPTURE(ending);
    const fs::path path = dir.path / (std::string("t.") + ending);
    table_file file(path);
    table_header header = long_header(2);
    CHECK_THROWS_AS(file.add(long_row(0)), error);  // has not begun
    CHECK_THROWS_AS(file.finish(), error);
    header.kinds.pop_back();
    CHECK_THROWS_AS(file.begin(header), argument_error);
    header = long_header(2);
    file.begin(header);
    CHECK_THROWS_AS(file.begin(header), error);
    const auto refused = [&](const std::vector<cell>& row) -> std::string {
      try {
        file.add(row);
      } catch (const argument_error& e) {
        return e.what();
      }
      return "accepted";
    };
    CHECK(refused({"ok", std::int64_t{1}, "s"}) ==
          "a cell of the column 'x' is 'ok', but must be a number");
    CHECK(refused({1.0, 0.5, "s"}) == "a cell of the column 'n' is '0.5', but must be an integer");
    CHECK(refused({1.0, "1", "s"}) == "a cell of the column 'n' is '1', but must be an integer");
    CHECK(refused({1.0, std::int64_t{1}}) ==
          "a row of the table is 2 cells, but must be as many as its columns, 3");
    // Integers are numbers, and everything has a text. What was refused has left no trace.
    file.add(std::vector<cell>{std::int64_t{3}, std::int64_t{1}, 0.5});
    file.finish();
    const table t = read_table(path);
    REQUIRE(t.rows.size() == 1);
    CHECK(t.rows[0][0] == cell(3.0));
    CHECK(to_text(t.rows[0][2]) == "0.5");
  }
}

TEST_CASE("the header of a whole table") {
  table t = example();
  const table_header header = header_of(t);
  CHECK(header.columns == t.columns);
  CHECK(header.meta.command == t.meta.command);
  CHECK(header.rows == t.rows.size());
  CHECK(header.kinds == std::vector{column_kind::text, column_kind::number, column_kind::integer,
                                    column_kind::text});
  t.rows[1][2] = 0.5;  // neither all numbers nor all integers
  CHECK(header_of(t).kinds[2] == column_kind::text);
}

TEST_CASE("a table that is given up in its middle leaves nothing") {
  const scratch dir;
  for (const char* ending : endings) {
    CAPTURE(ending);
    {
      table_file file(dir.path / (std::string("t.") + ending));
      file.begin(long_header(40'000));
      for (std::uint64_t i = 0; i < 20'000; ++i) {
        file.add(long_row(i));
      }
    }
    CHECK(dir.files() == 0);
  }
}

TEST_CASE("a full disk is told, and no part of the table stays") {
  constexpr std::uint64_t rows = 30'000;
  for (const char* ending : endings) {
    const scratch dir;
    const fs::path path = dir.path / (std::string("t.") + ending);
    {
      table_file file(path);
      stream(file, long_header(rows), rows);
    }
    const auto size = fs::file_size(path);
    fs::remove(path);
    for (const auto limit : {std::uintmax_t{1}, std::uintmax_t{1000}, size / 2, size - 1}) {
      CAPTURE(ending, size, limit);
      std::fflush(nullptr);
      const pid_t child = ::fork();
      REQUIRE(child >= 0);
      if (child == 0) {
        ::signal(SIGXFSZ, SIG_IGN);
        const rlimit bytes{limit, limit};  // of a file
        ::setrlimit(RLIMIT_FSIZE, &bytes);
        bool told = false;
        try {
          table_file file(path);
          stream(file, long_header(rows), rows);
        } catch (const file_error& e) {
          told = e.what() == "'" + path.string() + "' can't be written: File too large";
        }
        // Counters of a build for gcov would be cut too, and with them what others have counted.
        ::setenv("GCOV_PREFIX", "/dev/null", 1);
        // The whole way out, where HDF5 used to crash over what it could not close.
        std::exit(told ? 0 : 1);
      }
      int status = 0;
      REQUIRE(::waitpid(child, &status, 0) == child);
      CHECK(status == 0);
      CHECK(dir.files() == 0);
    }
  }
}

TEST_CASE("CSV is read across the ends of its buffer") {
  const scratch dir;
  const fs::path path = dir.path / "t.csv";
  // Quotes, commas and line ends at every place around 64 kB.
  const std::string special = "\"a\",\n\"\"\r\n,#";
  for (std::size_t shift = 0; shift < 24; ++shift) {
    table t{{"1", "c", {}}, {"text", "n"}, {}};
    t.rows = {{std::string(65'490 + shift, 'x') + special, 1.0}, {special, 2.0}, {"", 3.0}};
    table_file(path).write(t);
    const table back = read_table(path);
    CAPTURE(shift);
    REQUIRE(back.rows.size() == 3);
    CHECK(back.texts("text") == t.texts("text"));
    CHECK(back.numbers("n") == t.numbers("n"));
  }
  // A record without a line end, and a comment longer than the buffer.
  std::ofstream(path) << "# loradyn 1\n# command: " << std::string(100'000, 'c')
                      << "\na,b\r\n1,\"2\"";
  const table back = read_table(path);
  CHECK(back.meta.command.size() == 100'000);
  CHECK(back.columns == std::vector<std::string>{"a", "b"});
  CHECK(back.rows == std::vector<std::vector<cell>>{{1.0, "2"}});
}

TEST_CASE("JSON whose rows can't be read one by one is refused") {
  const scratch dir;
  const fs::path path = dir.path / "t.json";
  const std::string meta =
      R"("meta": {"version": "1", "command": "c", "parameters": {}, "columns": ["a"]})";
  const auto reads = [&](const std::string& text) -> std::string {
    std::ofstream(path) << text;
    try {
      return std::to_string(read_table(path).rows.size()) + " rows";
    } catch (const file_error& e) {
      const std::string message = e.what();
      return message.substr(message.rfind(": ") + 2);
    }
  };
  CHECK(reads("{" + meta + R"(, "rows": [{"a": 1, "b": {"c": [1]}}, {"a": null}]})") == "2 rows");
  CHECK(reads(R"({"rows": [{"a": 1}], )" + meta + "}") == "its rows come before its meta");
  CHECK(reads("{" + meta + R"(, "rows": [{"a": 1}], )" + meta + "}") ==
        "it has more than one meta");
  CHECK(reads("{" + meta + R"(, "rows": [1]})") == "a row is no object");
  CHECK(reads("{" + meta + R"(, "rows": [[1]]})") == "a row is no object");
  CHECK(reads("{" + meta + R"(, "rows": {}})") == "it has no rows");
  CHECK(reads(R"({"rows": []})") == "it has no meta");
  CHECK(reads("{" + meta + R"(, "rows": [{"b": 1}]})") ==
        "[json.exception.out_of_range.403] key 'a' not found");
}

TEST_CASE("an integer of JSON that is none of 64 bits is a number") {
  const scratch dir;
  const fs::path path = dir.path / "t.json";
  std::ofstream(path) << R"({"meta": {"version": "1", "command": "c", "parameters": {},
    "columns": ["a"]}, "rows": [{"a": 9223372036854775807}, {"a": 9223372036854775808},
                                {"a": 18446744073709551615}, {"a": -9223372036854775808}]})";
  constexpr auto most = std::numeric_limits<std::int64_t>::max();
  constexpr auto least = std::numeric_limits<std::int64_t>::min();
  CHECK(read_table(path).rows ==
        std::vector<std::vector<cell>>{{most}, {0x1p63}, {0x1p64}, {least}});
}
