#include <algorithm>
#include <atomic>
#include <catch2/catch.hpp>
#include <chrono>
#include <cmath>
#include <loradyn/sweep/parallel_map.hpp>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

using namespace loradyn;

TEST_CASE("results come in order and are the same on any number of threads") {
  const auto point = [](std::size_t i) { return std::sin(static_cast<double>(i)); };
  sweep_control one;
  one.threads = 1;
  const auto serial = parallel_map(5000, one, point);
  for (const std::size_t threads : {0U, 2U, 7U}) {
    sweep_control control;
    control.threads = threads;
    control.block = 64;
    CHECK(parallel_map(5000, control, point) == serial);
  }
  CHECK(parallel_map(0, one, point).empty());
}

TEST_CASE("a stopped sweep keeps a finished prefix") {
  for (const std::size_t threads : {1U, 4U}) {
    sweep_control control;
    control.threads = threads;
    control.block = 10;
    std::atomic<std::size_t> asked = 0;
    control.stop = [&asked] { return ++asked > 30; };
    const auto results = parallel_map(1000, control, [](std::size_t i) { return i; });
    REQUIRE(results.size() == 300);
    CHECK(results.back() == 299);
  }
}

TEST_CASE("points are taken in order while others are computed, and few wait") {
  // The first point is slow: the other thread goes on, but not to the end of an endless sweep.
  std::atomic<std::size_t> begun = 0;
  std::size_t begun_at_first = 0;
  std::vector<std::size_t> order;
  sweep_control control;
  control.threads = 2;
  control.block = 1;
  const std::size_t taken = ordered_map(
      100000, control,
      [&](std::size_t i) {
        ++begun;
        if (i == 0) {
          // Until the other thread has gone on; on a loaded machine that takes a while.
          const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(30);
          while (begun <= 64 && std::chrono::steady_clock::now() < end) {
            std::this_thread::sleep_for(std::chrono::milliseconds(1));
          }
          std::this_thread::sleep_for(std::chrono::milliseconds(50));
        }
        return i;
      },
      [&](std::size_t i, std::size_t result) {
        if (order.empty()) {
          begun_at_first = begun;
        }
        CHECK(i == result);
        order.push_back(result);
      });
  CHECK(taken == 100000);
  CHECK(std::is_sorted(order.begin(), order.end()));
  CHECK(begun_at_first > 64);
  CHECK(begun_at_first <= 64 * 2 + 2);
}

TEST_CASE("what is taken before a fault stays taken") {
  sweep_control control;
  control.threads = 3;
  control.block = 7;
  std::size_t taken = 0;
  const auto point = [](std::size_t i) {
    return i < 500 ? i : throw std::runtime_error("no point here");
  };
  CHECK_THROWS_WITH(
      ordered_map(1000, control, point, [&taken](std::size_t, std::size_t) { ++taken; }),
      "no point here");
  CHECK(taken == 500);
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
    CHECK_THROWS_WITH(parallel_map(400, control, point), "101");
  }
}
