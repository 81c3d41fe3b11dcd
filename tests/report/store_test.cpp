#include <signal.h>
#include <sqlite3.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <bit>
#include <catch2/catch.hpp>
#include <cmath>
#include <filesystem>
#include <fstream>
#include <limits>
#include <loradyn/error.hpp>
#include <loradyn/report/file.hpp>
#include <loradyn/report/store.hpp>
#include <numeric>
#include <random>
#include <set>
#include <string>
#include <thread>

#include "support/scratch.hpp"

using namespace loradyn;
using test::scratch;
using namespace std::chrono_literals;
using Catch::Matchers::Contains;
namespace fs = std::filesystem;

namespace {

sweep_configuration example(std::uint64_t cells) {
  return {"1.2.3",
          {{"student", "he3+{a}*he5"}, {"gamma", "0.2"}},
          {"mu", "n", "status"},
          cells,
          "status"};
}

// The values of a cell of `example`.
kept_cell computed(std::uint64_t index) {
  const double x = std::sin(static_cast<double>(index));
  return {index, {x, static_cast<std::int64_t>(index * 7), index % 3 == 0 ? "ok" : "trapped"}, 0.5};
}

std::vector<kept_cell> computed(const std::vector<std::uint64_t>& cells) {
  std::vector<kept_cell> kept;
  for (const std::uint64_t c : cells) {
    kept.push_back(computed(c));
  }
  return kept;
}

std::vector<std::uint64_t> range(std::uint64_t first, std::uint64_t end) {
  std::vector<std::uint64_t> cells(end - first);
  std::iota(cells.begin(), cells.end(), first);
  return cells;
}

std::vector<std::uint64_t> finished_cells(const sweep_store& store) {
  std::vector<std::uint64_t> cells;
  store.read(0, store.configuration().cells,
             [&](std::uint64_t c, const std::vector<cell>&) { cells.push_back(c); });
  return cells;
}

// The same kind and the same bits; any NaN is as good as another.
bool same(const cell& a, const cell& b) {
  const auto* x = std::get_if<double>(&a);
  const auto* y = std::get_if<double>(&b);
  if (x != nullptr && y != nullptr) {
    return (std::isnan(*x) && std::isnan(*y)) ||
           std::bit_cast<std::uint64_t>(*x) == std::bit_cast<std::uint64_t>(*y);
  }
  return a == b;
}

// A closed store of ten cells, the first four of them finished.
fs::path store_of_four(const scratch& dir) {
  const fs::path path = dir.path / "s.sqlite";
  sweep_store store(path, example(10));
  store.keep(computed(range(0, 4)));
  return path;
}

// A program that is not ours on the file.
void from_outside(const fs::path& path, const std::string& sql) {
  sqlite3* connection = nullptr;
  REQUIRE(sqlite3_open(path.c_str(), &connection) == SQLITE_OK);
  CHECK(sqlite3_exec(connection, sql.c_str(), nullptr, nullptr, nullptr) == SQLITE_OK);
  sqlite3_close(connection);
}

// Runs `body` in a process of its own, which ends without closing anything.
template <class Body>
pid_t start_child(const Body& body) {
  const pid_t child = ::fork();
  REQUIRE(child >= 0);
  if (child == 0) {
    int status = 1;
    try {
      status = body() ? 0 : 1;
    } catch (...) {
    }
    ::_exit(status);
  }
  return child;
}

int wait_for(pid_t child) {
  int status = 0;
  REQUIRE(::waitpid(child, &status, 0) == child);
  return status;
}

std::string message_of(const fs::path& path, const sweep_configuration& configuration) {
  try {
    const sweep_store store(path, configuration);
  } catch (const error& e) {
    const std::string message = e.what();
    CHECK(message.find('\n') == std::string::npos);
    return message;
  }
  return "accepted";
}

// The rights of another user, where the tests run as one who may do everything.
class ordinary_user {
 public:
  ordinary_user() : changed_(::geteuid() == 0 && ::seteuid(65534) == 0) {}
  ~ordinary_user() {
    if (changed_) {
      CHECK(::seteuid(0) == 0);
    }
  }
  ordinary_user(const ordinary_user&) = delete;
  ordinary_user& operator=(const ordinary_user&) = delete;

 private:
  bool changed_;
};

}  // namespace

TEST_CASE("every kind of value reads back as the same bits") {
  const scratch dir;
  const fs::path path = dir.path / "s.sqlite";
  const double inf = std::numeric_limits<double>::infinity();
  const std::vector<cell> values = {0.0,
                                    -0.0,
                                    0.1,
                                    -1.0 / 3.0,
                                    3.0,
                                    1e300,
                                    std::numeric_limits<double>::max(),
                                    std::numeric_limits<double>::denorm_min(),
                                    -2.5e-310,
                                    inf,
                                    -inf,
                                    std::nan(""),
                                    std::int64_t{0},
                                    std::int64_t{-1},
                                    std::numeric_limits<std::int64_t>::min(),
                                    std::numeric_limits<std::int64_t>::max(),
                                    "",
                                    "ok",
                                    "12",
                                    "nan",
                                    "µ₁ → ∞",
                                    "line\nbreak, 'quote' \"quote\"",
                                    std::string("zero\0byte", 9)};
  const sweep_configuration configuration{"1", {}, {"value"}, values.size(), ""};
  std::vector<kept_cell> kept;
  for (std::size_t i = 0; i < values.size(); ++i) {
    kept.push_back({i, {values[i]}, 0.0});
  }
  {
    sweep_store store(path, configuration);
    store.keep(kept);
  }
  CHECK(dir.files() == 1);
  const sweep_store store = sweep_store::open_existing(path);
  const auto rows = store.rows();
  REQUIRE(rows.size() == values.size());
  for (std::size_t i = 0; i < values.size(); ++i) {
    CAPTURE(i, to_text(values[i]), to_text(rows[i][0]));
    CHECK(same(rows[i][0], values[i]));
  }
}

TEST_CASE("a store says what it holds and lets itself be queried by the sweep's names") {
  const scratch dir;
  const fs::path path = dir.path / "s%41?x#.sqlite";
  // A name with a quote, two that SQLite takes for one, and two that the store uses itself.
  const sweep_configuration configuration{
      "0.1.0 \"τ\"",
      {{"student", "a'; DROP TABLE cells; --\n"}, {"empty", ""}},
      {"log10 \"t\"", "M0", "m0", "cell", "Cost"},
      2,
      ""};
  {
    sweep_store store(path, configuration);
    store.keep(std::vector<kept_cell>{{1, {1.5, 2.0, 3.0, "c", "d"}, 0.25}});
  }
  CHECK(sweep_store::configuration_of(path) == configuration);
  from_outside(path,
               R"(CREATE TABLE answer AS SELECT * FROM cells WHERE "log10 ""t""" = 1.5 AND M0 = 2
                    AND m0_ = 3 AND cell = 1 AND cell_ = 'c' AND Cost_ = 'd' AND cost = 0.25;
                  DELETE FROM cells WHERE (SELECT count(*) FROM answer) <> 1)");
  CHECK(sweep_store::open_existing(path).rows().size() == 1);
}

TEST_CASE("a sweep goes on where it ended") {
  const scratch dir;
  const fs::path path = dir.path / "s.sqlite";
  {
    sweep_store store(path, example(100));
    CHECK(store.finished() == 0);
    CHECK(store.claim(10) == range(0, 10));
    store.keep(computed(range(2, 7)));
    CHECK(store.claim(3) == range(10, 13));
  }
  sweep_store store(path, example(100));
  CHECK(store.finished() == 5);
  // What was claimed and not kept comes first.
  CHECK(store.claim(6) == std::vector<std::uint64_t>{0, 1, 7, 8, 9, 10});
  store.keep(computed(range(50, 60)));
  CHECK(store.claim(45).back() == 65);
  store.keep(computed(range(0, 100)));
  CHECK(store.complete());
  CHECK(store.claim(5).empty());
  store.keep(computed(range(20, 30)));  // once more
  CHECK(store.finished() == 100);
  CHECK(finished_cells(store) == range(0, 100));
}

TEST_CASE("a part is read in order, and only what is finished") {
  const scratch dir;
  sweep_store store(dir.path / "s.sqlite", example(100));
  store.keep(computed({90, 4, 12, 11, 99}));
  const auto cells_of = [&](std::uint64_t first, std::uint64_t count) {
    std::vector<std::uint64_t> cells;
    store.read(first, count, [&](std::uint64_t c, const std::vector<cell>& values) {
      CHECK(values == computed(c).values);
      cells.push_back(c);
    });
    return cells;
  };
  CHECK(cells_of(0, 100) == std::vector<std::uint64_t>{4, 11, 12, 90, 99});
  CHECK(cells_of(11, 1) == std::vector<std::uint64_t>{11});
  CHECK(cells_of(12, std::numeric_limits<std::uint64_t>::max()) ==
        std::vector<std::uint64_t>{12, 90, 99});
  CHECK(cells_of(200, 5).empty());
}

TEST_CASE("finished cells are counted by a value, each once") {
  const scratch dir;
  using counts = std::vector<std::pair<std::string, std::uint64_t>>;
  {
    sweep_store store(dir.path / "s.sqlite", example(20));
    CHECK(store.tallies().empty());
    store.keep(computed(range(0, 10)));
    CHECK(store.tallies() == counts{{"ok", 4}, {"trapped", 6}});
    store.keep(computed(range(5, 12)));
    CHECK(store.tallies() == counts{{"ok", 4}, {"trapped", 8}});
    std::vector<std::uint64_t> cells;
    store.finished_cells([&cells](std::uint64_t c) { cells.push_back(c); });
    CHECK(cells == range(0, 12));
  }
  sweep_store merged(dir.path / "m.sqlite", example(20));
  merged.keep(computed(std::vector<std::uint64_t>{0, 19}));
  merged.merge(dir.path / "s.sqlite");
  CHECK(merged.tallies() == counts{{"ok", 4}, {"trapped", 9}});

  sweep_configuration silent = example(3);
  silent.tally = "";
  sweep_store uncounted(dir.path / "u.sqlite", silent);
  uncounted.keep(computed(range(0, 3)));
  CHECK(uncounted.tallies().empty());
  sweep_configuration wrong = example(3);
  wrong.tally = "outcome";
  CHECK(message_of(dir.path / "w.sqlite", wrong) ==
        "the column that is counted is 'outcome', but must be one of the columns");
}

TEST_CASE("a sweep grows, for every process on it and for good") {
  const scratch dir;
  {
    sweep_store store(dir.path / "s.sqlite", example(4));
    sweep_store other(dir.path / "s.sqlite", example(4));
    store.keep(computed(store.claim(4)));
    CHECK(store.complete());
    store.grow(7);
    store.grow(5);  // nothing: it has as many
    CHECK(other.cells() == 7);
    CHECK_FALSE(other.complete());
    CHECK(other.claim(10) == range(4, 7));
    CHECK_THROWS_AS(other.keep(computed(range(7, 8))), argument_error);
    other.keep(computed(std::vector<std::uint64_t>{4, 6}));
  }
  // It is the same sweep still: the configuration says how many cells there were at first.
  sweep_store again(dir.path / "s.sqlite", example(4));
  CHECK(again.configuration().cells == 4);
  CHECK(again.cells() == 7);
  CHECK(again.claim(10) == std::vector<std::uint64_t>{5});
  CHECK(again.rows().size() == 6);

  sweep_store merged(dir.path / "m.sqlite", example(4));
  CHECK(merged.merge(dir.path / "s.sqlite") == 6);
  CHECK(merged.cells() == 7);
  CHECK_THROWS_AS(sweep_store::open_existing(dir.path / "s.sqlite").grow(9), file_error);
}

TEST_CASE("another sweep is refused by its first difference") {
  const scratch dir;
  const fs::path path = dir.path / "s.sqlite";
  { const sweep_store store(path, example(100)); }
  const std::string before = read_file(path);
  sweep_configuration asked = example(100);
  std::swap(asked.parameters[0], asked.parameters[1]);
  CHECK(message_of(path, asked) == "accepted");

  asked.parameters[0].second = "0.3\n";
  CHECK_THAT(message_of(path, asked),
             Contains("gamma is '0.2' in the store, but '0.3 ' was asked for"));
  asked = example(100);
  asked.parameters.emplace_back("seed", "4");
  CHECK_THAT(message_of(path, asked), Contains("seed is not set in the store"));
  asked = example(100);
  asked.parameters.pop_back();
  CHECK_THAT(message_of(path, asked), Contains("gamma is '0.2' in the store, but is not set here"));
  asked = example(100);
  asked.version = "1.2.4";
  CHECK_THAT(message_of(path, asked), Contains("version of loradyn is '1.2.3'"));
  CHECK_THAT(message_of(path, example(101)), Contains("cells is '100' in the store, but '101'"));
  asked = example(100);
  asked.columns[1] = "k";
  CHECK_THAT(message_of(path, asked), Contains("column 2 is 'n' in the store, but 'k'"));
  asked.columns.emplace_back("cost");
  CHECK_THAT(message_of(path, asked), Contains("number of columns is '3'"));
  asked = example(100);
  asked.tally = "mu";
  CHECK_THAT(message_of(path, asked), Contains("that is counted is 'status' in the store"));
  CHECK(read_file(path) == before);

  asked = example(100);
  asked.parameters.emplace_back("gamma", "0.2");
  CHECK_THROWS_AS(sweep_store(path, asked), argument_error);
}

TEST_CASE("cells that the sweep does not have are a caller's mistake") {
  const scratch dir;
  sweep_store store(dir.path / "s.sqlite", example(10));
  CHECK_THROWS_AS(store.keep(std::vector<kept_cell>{computed(1), computed(10)}), argument_error);
  CHECK_THROWS_AS(store.keep(std::vector<kept_cell>{{1, {0.5}, 0.0}}), argument_error);
  CHECK(store.finished() == 0);
  store.keep({});
  CHECK(store.claim(0).empty());
  const sweep_store other(dir.path / "none.sqlite", example(0));
  CHECK(other.complete());
}

TEST_CASE("a file that is not ours stays as it is") {
  const scratch dir;
  const fs::path path = dir.path / "s.sqlite";
  std::string content;
  SECTION("empty") {}
  SECTION("a text") { content = "x,y\n1,2\n"; }
  SECTION("zeros") { content.assign(5000, '\0'); }
  SECTION("another program's database") {
    from_outside(path, "CREATE TABLE t (x); INSERT INTO t VALUES (1)");
    content = read_file(path);
  }
  SECTION("a store of another layout") {
    { const sweep_store store(path, example(10)); }
    const auto version = GENERATE(as<std::string>(), "2", "4");
    from_outside(path, "PRAGMA journal_mode = DELETE; PRAGMA user_version = " + version);
    content = read_file(path);
  }
  std::ofstream(path, std::ios::binary) << content;
  CHECK_THROWS_AS(sweep_store(path, example(10)), file_error);
  CHECK_THROWS_AS(sweep_store::open_existing(path), file_error);
  CHECK(read_file(path) == content);
  CHECK(dir.files() == 1);
}

TEST_CASE("a place where no store can be is named") {
  const scratch dir;
  CHECK_THAT(message_of(dir.path / "no" / "s.sqlite", example(1)), Contains("no directory"));
  CHECK_THAT(message_of(dir.path, example(1)), Contains("is a directory"));
  CHECK_THROWS_AS(sweep_store::open_existing(dir.path / "s.sqlite"), file_error);
  // Replaying the log of a file that is gone into a new one would ruin it.
  std::ofstream(dir.path / "s.sqlite-wal") << "x";
  CHECK_THAT(message_of(dir.path / "s.sqlite", example(1)), Contains("store that is gone"));
  CHECK(dir.files() == 1);
}

TEST_CASE("a damaged file is an error, never a crash") {
  const scratch dir;
  const fs::path path = dir.path / "s.sqlite";
  const fs::path broken = dir.path / "broken.sqlite";
  const std::uint64_t cells = 2000;
  {
    sweep_store store(path, example(cells));
    store.claim(100);
    store.keep(computed(range(50, cells)));
  }
  const std::string sound = read_file(path);
  const auto use = [&](const std::string& content) {
    for (const char* ending : {"", "-wal", "-shm"}) {
      fs::remove(broken.string() + ending);
    }
    std::ofstream(broken, std::ios::binary) << content;
    try {
      sweep_store store(broken, example(cells));
      const auto claimed = store.claim(64);
      CHECK(std::all_of(claimed.begin(), claimed.end(), [&](auto c) { return c < cells; }));
      store.keep(computed(claimed));
      static_cast<void>(store.rows());
      return std::string();
    } catch (const error& e) {
      return std::string(e.what());
    }
  };
  REQUIRE(use(sound).empty());
  for (const std::size_t size : {std::size_t{200}, std::size_t{4096}, sound.size() / 2,
                                 sound.size() - 4096, sound.size() - 1}) {
    CAPTURE(size);
    CHECK_FALSE(use(sound.substr(0, size)).empty());
  }
  std::mt19937 random(1);
  std::size_t noticed = 0;
  for (int i = 0; i < 200; ++i) {
    std::string content = sound;
    // The first pages, where the layout stands, as often as the values.
    const std::size_t end = i % 2 == 0 ? std::size_t{40960} : content.size();
    for (int flips = 0; flips < 20; ++flips) {
      content[random() % end] ^= static_cast<char>(1U << random() % 8);
    }
    noticed += use(content).empty() ? 0 : 1;
  }
  CHECK(noticed > 20);
}

TEST_CASE("a store that says it holds more than memory does is read as far as it goes") {
  const scratch dir;
  const fs::path path = store_of_four(dir);
  from_outside(path,
               "UPDATE progress SET cells = 9223372036854775807, finished = 4611686018427387904");
  CHECK(sweep_store::open_existing(path).rows().size() == 4);
}

TEST_CASE("a cell that comes twice, or out of order, is damage") {
  const scratch dir;
  const fs::path path = store_of_four(dir);
  // 0, 0.25, … are the cell 0 four times.
  from_outside(path,
               "ALTER TABLE cells RENAME TO sound;"
               "CREATE TABLE cells (cell UNIQUE, mu, n, status, cost);"
               "INSERT INTO cells SELECT cell / 4.0, mu, n, status, cost FROM sound");
  sweep_store store(path, example(10));
  CHECK_THROWS_WITH(store.claim(3), Contains("is damaged: its cells are out of order"));
  CHECK_THROWS_WITH(store.rows(), Contains("is damaged: its cells are out of order"));
  CHECK_THROWS_WITH(store.finished_cells([](std::uint64_t) {}),
                    Contains("is damaged: its cells are out of order"));
}

TEST_CASE("a range that begins nowhere is damage") {
  const scratch dir;
  const fs::path path = dir.path / "s.sqlite";
  sweep_store store(path, example(10));
  from_outside(path,
               "DROP TABLE unclaimed; CREATE TABLE unclaimed (first, count);"
               "INSERT INTO unclaimed VALUES (NULL, 2)");
  CHECK_THROWS_WITH(store.claim(3), Contains("is damaged: an unclaimed range has no first cell"));
}

TEST_CASE("what may not be written is not") {
  const scratch dir;
  const fs::path path = dir.path / "s.sqlite";
  {
    sweep_store store(path, example(10));
    store.keep(computed(range(0, 4)));
  }
  fs::permissions(dir.path, fs::perms(0755));
  SECTION("a read-only file") { fs::permissions(path, fs::perms(0444)); }
  SECTION("a read-only directory") { fs::permissions(dir.path, fs::perms(0555)); }
  {
    const ordinary_user rights;
    CHECK_THAT(message_of(path, example(10)), Contains("can't be written: Permission denied"));
    CHECK(sweep_store::open_existing(path).finished() == 4);
  }
  fs::permissions(dir.path, fs::perms(0755));
  CHECK(dir.files() == 1);
  fs::permissions(path, fs::perms(0644));
  sweep_store store = sweep_store::open_existing(path);
  CHECK_THROWS_AS(store.claim(1), file_error);
  CHECK_THROWS_AS(store.keep(computed(range(4, 5))), file_error);
  CHECK_THROWS_AS(store.heartbeat(), file_error);
}

TEST_CASE("what a killed process left is read where nothing may be written") {
  const scratch dir;
  const fs::path path = dir.path / "s.sqlite";
  const int status = wait_for(start_child([&] {
    sweep_store store(path, example(10));
    store.keep(computed(range(0, 4)));
    ::_exit(0);  // before the store closes
    return false;
  }));
  CHECK(status == 0);
  CHECK(dir.files() == 3);
  fs::permissions(dir.path, fs::perms(0555));
  {
    const ordinary_user rights;
    CHECK(finished_cells(sweep_store::open_existing(path)) == range(0, 4));
  }
  fs::permissions(dir.path, fs::perms(0755));
  // The next to close takes the rest in.
  CHECK(sweep_store::open_existing(path).finished() == 4);
  CHECK(dir.files() == 1);
}

TEST_CASE("a lock of another program is waited for, but not for ever") {
  const scratch dir;
  const fs::path path = dir.path / "s.sqlite";
  sweep_store store(path, example(10), 100ms);
  sqlite3* other = nullptr;
  REQUIRE(sqlite3_open(path.c_str(), &other) == SQLITE_OK);
  REQUIRE(sqlite3_exec(other, "BEGIN IMMEDIATE", nullptr, nullptr, nullptr) == SQLITE_OK);
  CHECK_THROWS_WITH(store.keep(computed(range(0, 2))), Contains("locked") && Contains("0.1 s"));
  CHECK_THROWS_AS(store.claim(2), file_error);
  CHECK(store.finished() == 0);
  REQUIRE(sqlite3_exec(other, "ROLLBACK", nullptr, nullptr, nullptr) == SQLITE_OK);
  sqlite3_close(other);
  CHECK(store.claim(2) == range(0, 2));
  store.keep(computed(range(0, 2)));
  CHECK(store.finished() == 2);
}

TEST_CASE("where the disk takes no more, what was kept stays") {
  const scratch dir;
  const fs::path path = dir.path / "s.sqlite";
  { const sweep_store store(path, example(100'000)); }
  const int status = wait_for(start_child([&] {
    ::signal(SIGXFSZ, SIG_IGN);
    const rlimit limit{200'000, 200'000};  // bytes of a file
    ::setrlimit(RLIMIT_FSIZE, &limit);
    sweep_store store(path, example(100'000));
    store.keep(computed(range(0, 100)));
    try {
      for (std::uint64_t i = 100; i < 100'000; i += 100) {
        store.keep(computed(range(i, i + 100)));
      }
    } catch (const file_error&) {
      return store.finished() >= 100;
    }
    return false;
  }));
  CHECK(status == 0);
  sweep_store store(path, example(100'000));
  const std::uint64_t kept = store.finished();
  CHECK(kept >= 100);
  CHECK(finished_cells(store) == range(0, kept));
  store.keep(computed(range(kept, kept + 100)));
}

TEST_CASE("two stores on one file share the cells") {
  const scratch dir;
  const fs::path path = dir.path / "s.sqlite";
  const std::uint64_t cells = 1000;
  sweep_store a(path, example(cells));
  sweep_store b(path, example(cells));
  std::set<std::uint64_t> seen;
  std::size_t given = 0;
  for (bool any = true; any;) {
    any = false;
    for (auto [store, count] : {std::pair(&a, std::size_t{7}), std::pair(&b, std::size_t{13})}) {
      const auto claimed = store->claim(count);
      CHECK(std::is_sorted(claimed.begin(), claimed.end()));
      seen.insert(claimed.begin(), claimed.end());
      given += claimed.size();
      any = any || !claimed.empty();
      // The second half is computed only later.
      store->keep(computed(claimed[0] < cells / 2 ? claimed : std::vector<std::uint64_t>{}));
      if (given == cells) {
        any = false;
      }
    }
  }
  CHECK(given == cells);
  CHECK(seen.size() == cells);
  CHECK(a.claim(5).empty());
  CHECK_FALSE(b.complete());
  CHECK(a.finished() == b.finished());
}

TEST_CASE("processes that work at the same time finish a sweep once") {
  const scratch dir;
  const fs::path path = dir.path / "s.sqlite";
  const std::uint64_t cells = 3000;
  std::vector<pid_t> children;
  for (int i = 0; i < 3; ++i) {  // the file itself is made by whoever comes first
    children.push_back(start_child([&] {
      sweep_store store(path, example(cells));
      for (;;) {
        const auto claimed = store.claim(50);
        if (claimed.empty()) {
          return true;
        }
        const std::uint64_t before = store.finished();
        store.keep(computed(claimed));
        if (store.finished() < before + claimed.size()) {
          return false;  // somebody else had some of them
        }
      }
    }));
  }
  for (const pid_t child : children) {
    CHECK(wait_for(child) == 0);
  }
  const sweep_store store = sweep_store::open_existing(path);
  CHECK(store.complete());
  CHECK(finished_cells(store) == range(0, cells));
}

TEST_CASE("the claims of a dead process are free again") {
  const scratch dir;
  const fs::path path = dir.path / "s.sqlite";
  sweep_store store(path, example(100));
  CHECK(store.claim(10) == range(0, 10));
  const pid_t child = start_child([&] {
    sweep_store own(path, example(100));
    const auto claimed = own.claim(10);
    own.keep(computed({claimed[3], claimed[4]}));
    if (claimed == range(10, 20)) {
      ::_exit(0);  // before the store closes
    }
    return false;
  });
  SECTION("collected by its parent") { CHECK(wait_for(child) == 0); }
  SECTION("not yet collected") {
    siginfo_t info{};
    REQUIRE(::waitid(P_PID, static_cast<id_t>(child), &info, WEXITED | WNOWAIT) == 0);
  }
  CHECK(store.claim(10) == std::vector<std::uint64_t>{10, 11, 12, 15, 16, 17, 18, 19, 20, 21});
  ::waitpid(child, nullptr, 0);
}

TEST_CASE("a process of this host is told by its start, one of another by its heartbeat") {
  const scratch dir;
  const fs::path path = dir.path / "s.sqlite";
  sweep_store silent(path, example(100));
  sweep_store store(path, example(100));
  CHECK(silent.claim(10) == range(0, 10));
  SECTION("another process with the same number") {
    from_outside(path, "UPDATE workers SET start = 'before'");
    CHECK(store.claim(10) == range(0, 10));
  }
  SECTION("an old heartbeat on this host") {
    from_outside(path, "UPDATE workers SET heartbeat = heartbeat - 1000");
    CHECK(store.claim(10) == range(10, 20));
  }
  SECTION("a young heartbeat elsewhere") {
    from_outside(path, "UPDATE workers SET host = 'elsewhere', heartbeat = heartbeat - 200");
    CHECK(store.claim(10) == range(10, 20));
  }
  SECTION("an old heartbeat elsewhere") {
    from_outside(path, "UPDATE workers SET host = 'elsewhere', heartbeat = heartbeat - 400");
    CHECK(store.claim(10) == range(0, 10));
    // What the silent one brings after all counts once.
    silent.keep(computed(range(0, 10)));
    store.keep(computed(range(0, 10)));
    CHECK(store.finished() == 10);
    CHECK(store.claim(10) == range(10, 20));
  }
}

TEST_CASE("kill -9 loses nothing that was kept") {
  const scratch dir;
  const fs::path path = dir.path / "s.sqlite";
  const std::uint64_t cells = 40'000;
  std::mt19937 random(7);
  std::set<std::uint64_t> reported;
  for (int kills = 0; kills < 10; ++kills) {
    std::array<int, 2> ends{};
    REQUIRE(::pipe(ends.data()) == 0);
    const pid_t child = start_child([&] {
      sweep_store store(path, example(cells));
      for (;;) {
        const auto claimed = store.claim(1 + random() % 32);
        store.keep(computed(claimed));
        const std::size_t size = claimed.size() * sizeof(std::uint64_t);
        if (::write(ends[1], claimed.data(), size) != static_cast<ssize_t>(size)) {
          return false;
        }
      }
    });
    ::close(ends[1]);
    // In the middle of opening as well as of the work.
    std::this_thread::sleep_for(std::chrono::microseconds(random() % 60'000));
    ::kill(child, SIGKILL);
    CHECK(WIFSIGNALED(wait_for(child)));
    std::uint64_t kept = 0;
    while (::read(ends[0], &kept, sizeof kept) == sizeof kept) {
      CHECK(reported.insert(kept).second);  // no cell is given out twice
    }
    ::close(ends[0]);

    const sweep_store store(path, example(cells));
    const auto finished = finished_cells(store);
    CHECK(store.finished() == finished.size());
    CHECK(std::includes(finished.begin(), finished.end(), reported.begin(), reported.end()));
    reported.insert(finished.begin(), finished.end());
  }
  CHECK(reported.size() > 100);
  sweep_store store(path, example(cells));
  CHECK_FALSE(store.complete());
  for (auto claimed = store.claim(1000); !claimed.empty(); claimed = store.claim(1000)) {
    store.keep(computed(claimed));
  }
  CHECK(store.complete());
  sweep_store uninterrupted(dir.path / "u.sqlite", example(cells));
  uninterrupted.keep(computed(range(0, cells)));
  CHECK(store.rows() == uninterrupted.rows());
}

TEST_CASE("stores of one sweep are merged") {
  const scratch dir;
  sweep_store target(dir.path / "a.sqlite", example(20'000));
  CHECK(target.claim(10) == range(0, 10));
  target.keep(computed(range(0, 100)));
  {
    sweep_store source(dir.path / "b.sqlite", example(20'000));
    source.keep(computed(range(50, 15'000)));
    const sweep_store other(dir.path / "c.sqlite", example(20'001));
  }
  CHECK(target.merge(dir.path / "b.sqlite") == 14'900);
  CHECK(target.merge(dir.path / "b.sqlite") == 0);
  CHECK(target.finished() == 15'000);
  CHECK(target.claim(2) == range(15'000, 15'002));
  CHECK_THROWS_WITH(target.merge(dir.path / "c.sqlite"), Contains("the number of cells"));
  CHECK_THROWS_AS(target.merge(dir.path / "d.sqlite"), file_error);
  CHECK(target.merge(dir.path / "a.sqlite") == 0);
  const auto rows = target.rows();
  CHECK(rows[12'345] == computed(12'345).values);
}

// While it lives, counts what SQLite's virtual machine does in connections that are opened.
class work_counter {
 public:
  work_counter() {
    done_ = 0;
    sqlite3_auto_extension(reinterpret_cast<void (*)()>(&watch));
  }
  ~work_counter() { sqlite3_reset_auto_extension(); }
  work_counter(const work_counter&) = delete;
  work_counter& operator=(const work_counter&) = delete;

  static long done() { return done_; }

 private:
  static int watch(sqlite3* connection, const char**, const void*) {
    constexpr int instructions = 10;
    sqlite3_progress_handler(
        connection, instructions, [](void*) { return ++done_, 0; }, nullptr);
    return SQLITE_OK;
  }

  static inline long done_ = 0;
};

TEST_CASE("claiming costs as little far into a sweep of a million cells as at its start") {
  const scratch dir;
  const work_counter work;
  const std::uint64_t cells = 1'000'000;
  sweep_store store(dir.path / "s.sqlite", example(cells));
  std::uint64_t given = 0;
  const auto cost_of = [&](std::uint64_t end) {
    const long before = work_counter::done();
    while (given < end) {
      const auto claimed = store.claim(64);
      REQUIRE(claimed.front() == given);
      given += claimed.size();
    }
    return work_counter::done() - before;
  };
  const long at_start = cost_of(64'000);
  cost_of(cells - 64'000);
  const long at_end = cost_of(cells);
  CHECK(store.claim(64).empty());
  // A thousand claims each. A search from the first cell each time would take thousands of times as
  // much; a deeper tree takes a little.
  CHECK(at_start > 1000);
  CHECK(at_end < 2 * at_start);
}
