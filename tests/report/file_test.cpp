#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <catch2/catch.hpp>
#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <loradyn/error.hpp>
#include <loradyn/report/file.hpp>
#include <string>
#include <vector>

#include "support/scratch.hpp"

using namespace loradyn;
namespace fs = std::filesystem;

namespace {

void put(const fs::path& path, const std::string& content) { std::ofstream(path) << content; }

// Runs `body` in a process of its own that is then killed, as by kill -9.
template <class Body>
void in_killed_process(const Body& body) {
  const pid_t id = ::fork();
  REQUIRE(id >= 0);
  if (id == 0) {
    body();
    ::raise(SIGKILL);
  }
  int status = 0;
  REQUIRE(::waitpid(id, &status, 0) == id);
  REQUIRE(WIFSIGNALED(status));
}

}  // namespace

TEST_CASE("a pending file appears whole under its name, or not at all") {
  const test::scratch dir;
  const fs::path name = dir.path / "t.csv";
  put(name, "old");
  {
    const pending_file file(name);
    file.write("new");
    CHECK(read_file(name) == "old");
  }
  CHECK(read_file(name) == "old");
  CHECK(dir.files() == 1);
  pending_file file(name);
  file.write("first, and longer");
  file.write("new");
  file.commit();
  CHECK(read_file(name) == "new");
  CHECK(dir.files() == 1);
}

TEST_CASE("a temporary name is no other's, whatever stands beside it") {
  const test::scratch dir;
  const pending_file one(dir.path / "t.csv");
  const pending_file two(dir.path / "t.csv");
  CHECK(one.path() != two.path());
  CHECK(one.path().extension() == ".csv");
  one.write("1");
  two.write("2");
  CHECK(read_file(one.path()) == "1");
  // Of the longest names there are.
  pending_file longest(dir.path / (std::string(251, 'x') + ".csv"));
  longest.write("3");
  longest.commit();
  CHECK(read_file(dir.path / (std::string(251, 'x') + ".csv")) == "3");
}

TEST_CASE("what a killed process left goes with the next one, what a living one has stays") {
  const test::scratch dir;
  const fs::path name = dir.path / "t.csv";
  in_killed_process([&] {
    const pending_file left(name);
    left.write("half");
    ::raise(SIGKILL);
  });
  put(dir.path / ".t.0123456789abcdef.part.csv-wal", "of no file");
  put(dir.path / ".t.0123456789abcde.part.csv", "a name of one digit less");
  put(dir.path / ".u.0123456789abcdef.part.csv", "another file's");
  CHECK(dir.files() == 4);
  const pending_file living(name);
  const pending_file next(name);
  CHECK(fs::exists(living.path()));
  CHECK(dir.files() == 5);
  fs::create_symlink("t", dir.path / ".t.fedcba9876543210.part.csv");
  const pending_file third(name);
  CHECK(fs::is_symlink(dir.path / ".t.fedcba9876543210.part.csv"));
}

TEST_CASE("a link stays a link, and a file has the mode of the one that it replaces") {
  const test::scratch dir;
  fs::create_directory(dir.path / "there");
  const fs::path target = dir.path / "there" / "t.csv";
  put(target, "old");
  REQUIRE(::chmod(target.c_str(), 0604) == 0);
  fs::create_symlink("there/t.csv", dir.path / "one.csv");
  fs::create_symlink("one.csv", dir.path / "two.csv");
  pending_file file(dir.path / "two.csv");
  CHECK(file.path().parent_path().filename() == "there");
  file.write("new");
  file.commit();
  CHECK(fs::is_symlink(dir.path / "one.csv"));
  CHECK(fs::is_symlink(dir.path / "two.csv"));
  CHECK(read_file(target) == "new");
  CHECK(fs::status(target).permissions() == fs::perms(0604));
  fs::create_symlink("circle.csv", dir.path / "circle.csv");
  CHECK_THROWS_AS(pending_file(dir.path / "circle.csv"), file_error);
  REQUIRE(::mkfifo((dir.path / "pipe.csv").c_str(), 0600) == 0);
  CHECK_THROWS_AS(pending_file(dir.path / "pipe.csv"), file_error);
  CHECK_THROWS_AS(pending_file(dir.path / "there"), file_error);
  CHECK_THROWS_AS(pending_file(dir.path / "nowhere" / "t.csv"), file_error);
}

TEST_CASE("two names of one file are told, also of one that is not there yet") {
  const test::scratch dir;
  const fs::path name = dir.path / "a";
  CHECK(same_file(name, dir.path / "." / "a"));
  CHECK(!same_file(name, dir.path / "b"));
  fs::create_symlink("a", dir.path / "link");
  CHECK(same_file(name, dir.path / "link"));
  put(name, "x");
  fs::create_hard_link(name, dir.path / "hard");
  CHECK(same_file(name, dir.path / "hard"));
  CHECK(same_file(dir.path / "hard", dir.path / "link"));
  put(dir.path / "b", "x");
  CHECK(!same_file(name, dir.path / "b"));
}

TEST_CASE("a text ends, or is refused") {
  const test::scratch dir;
  put(dir.path / "t", "a = 1");
  CHECK(read_text(dir.path / "t") == "a = 1");
  CHECK(read_text("/dev/null").empty());
  CHECK_THROWS_WITH(read_text("/dev/zero"), "'/dev/zero' can't be read: it is longer than 16 MiB");
  CHECK_THROWS_AS(read_text(dir.path / "none"), file_error);
  CHECK_THROWS_AS(read_text(dir.path), file_error);
  CHECK_THROWS_AS(read_file("/dev/zero"), file_error);
  CHECK_THROWS_AS(open_to_read("/dev/zero"), file_error);
}
