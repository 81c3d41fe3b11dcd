#include "loradyn/interruption.hpp"

#include <catch2/catch.hpp>
#include <csignal>
#include <loradyn/error.hpp>
#include <loradyn/sweep/parallel_map.hpp>
#include <type_traits>
#include <vector>

using namespace loradyn;

namespace {

// A requested stop that no other test sees.
struct stop_scope {
  ~stop_scope() { clear_stop(); }
};

extern "C" void stop_by_signal(int) { request_stop(); }

}  // namespace

TEST_CASE("a stop that is requested is thrown by the next check, until it is cleared") {
  const stop_scope scope;
  CHECK_FALSE(stop_requested());
  CHECK_NOTHROW(check_stop());
  request_stop();
  CHECK(stop_requested());
  CHECK_THROWS_AS(check_stop(), interrupted);
  CHECK_THROWS_AS(check_stop(), interrupted);  // of every thread, not of the first alone
  clear_stop();
  CHECK_NOTHROW(check_stop());
}

TEST_CASE("a stop is no error of a point") {
  STATIC_REQUIRE_FALSE(std::is_base_of_v<error, interrupted>);
}

TEST_CASE("a signal handler may request the stop") {
  const stop_scope scope;
  const auto before = std::signal(SIGUSR1, stop_by_signal);
  std::raise(SIGUSR1);
  std::signal(SIGUSR1, before);
  CHECK_THROWS_AS(check_stop(), interrupted);
}

TEST_CASE("a sweep whose point is interrupted keeps the prefix before it") {
  for (const std::size_t threads : {std::size_t{1}, std::size_t{4}}) {
    const stop_scope scope;
    sweep_control control;
    control.threads = threads;
    control.block = 8;
    const auto results = parallel_map(1000, control, [](std::size_t i) {
      if (i == 300) {
        request_stop();
      }
      check_stop();
      return i;
    });
    CAPTURE(threads, results.size());
    CHECK(results.size() <= 300);
    if (threads == 1) {
      CHECK(results.size() == 300);
    }
    for (std::size_t i = 0; i < results.size(); ++i) {
      CHECK(results[i] == i);
    }
  }
}
