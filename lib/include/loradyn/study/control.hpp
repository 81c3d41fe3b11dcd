#pragma once

/// \file
/// How a study is computed, which its results don't depend on.

#include <cstddef>
#include <functional>
#include <loradyn/interruption.hpp>
#include <loradyn/sweep/parallel_map.hpp>

namespace loradyn::study {

/// Every study also ends early where request_stop() was called, and keeps what it has.
struct study_control {
  std::size_t threads = 0;  ///< 0: as many as the machine has
  /// Told how much is done, by one thread at a time.
  std::function<void(std::size_t done, std::size_t total)> progress{};
};

/// \param block points that a thread takes at a time: some 0.1 ms of work, or more
inline sweep_control stoppable(std::size_t threads, std::size_t block) {
  return {.threads = threads, .block = block, .serial_up_to = block, .stop = [] {
            return stop_requested();
          }};
}

/// point(i) for i < count, in order; a prefix where it is stopped.
template <class Point>
auto run_sweep(const study_control& control, std::size_t count, std::size_t block,
               const Point& point) {
  return parallel_map(count, stoppable(control.threads, block), point, [&](std::size_t done) {
    if (control.progress) {
      control.progress(done, count);
    }
  });
}

}  // namespace loradyn::study
