#include <catch2/catch.hpp>
#include <cmath>
#include <loradyn/sweep/parallel_map.hpp>
#include <loradyn/sweep/progress.hpp>
#include <stdexcept>
#include <string>

using namespace loradyn;

TEST_CASE("results come in order and are the same on any number of threads") {
  const auto point = [](std::size_t i) { return std::sin(static_cast<double>(i)); };
  sweep_control one;
  one.threads = 1;
  const auto serial = parallel_map<double>(5000, one, point);
  for (const std::size_t threads : {0U, 2U, 7U}) {
    sweep_control control;
    control.threads = threads;
    control.block = 64;
    CHECK(parallel_map<double>(5000, control, point) == serial);
  }
  CHECK(parallel_map<double>(0, one, point).empty());
}

TEST_CASE("a stopped sweep keeps a finished prefix") {
  sweep_control control;
  control.block = 100;
  std::size_t told = 0;
  control.progress = [&told](std::size_t finished) { told = finished; };
  control.stop = [&told] { return told >= 300; };
  const auto results = parallel_map<std::size_t>(1000, control, [](std::size_t i) { return i; });
  REQUIRE(results.size() == 300);
  CHECK(results.back() == 299);
}

TEST_CASE("the first point that throws, in order, is the one that is reported") {
  for (const std::size_t threads : {1U, 4U}) {
    sweep_control control;
    control.threads = threads;
    control.block = 50;
    const auto point = [](std::size_t i) -> int {
      if (i == 130 || i == 101) {
        throw std::runtime_error(std::to_string(i));
      }
      return 0;
    };
    CHECK_THROWS_WITH(parallel_map<int>(400, control, point), "101");
  }
}

TEST_CASE("durations are told in the units of a clock") {
  CHECK(duration_text(0.2) == "1 s");
  CHECK(duration_text(59.0) == "59 s");
  CHECK(duration_text(200.0) == "3 min 20 s");
  CHECK(duration_text(7500.0) == "2 h 5 min");
}
