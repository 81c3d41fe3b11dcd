#pragma once

/// \file
/// The parallel map over the points of a sweep.

#include <oneapi/tbb/blocked_range.h>
#include <oneapi/tbb/parallel_for.h>
#include <oneapi/tbb/task_arena.h>

#include <algorithm>
#include <cstddef>
#include <exception>
#include <functional>
#include <vector>

namespace loradyn {

/// How a sweep runs. The results depend on none of it.
struct sweep_control {
  std::size_t threads = 0;   ///< 0: as many as the machine has
  std::size_t block = 1024;  ///< points between two looks at `stop` and two calls of `progress`
  std::size_t serial_up_to = 1024;  ///< a sweep that is done before the threads would have started
  std::function<bool()> stop;       ///< asked between blocks; true ends the sweep early
  std::function<void(std::size_t)> progress;  ///< told between blocks how many points are done
};

/// results[i] = point(i) for i < count, in order. Runs block after block, each in parallel. Where
/// the sweep is stopped early the results are those of the finished blocks: a prefix. \throws what
/// the first point that throws, in order, throws
template <class Result, class Point>
std::vector<Result> parallel_map(std::size_t count, const sweep_control& control,
                                 const Point& point) {
  std::vector<Result> results;
  results.reserve(count);
  const auto serially = [&](std::size_t begin, std::size_t end) {
    for (std::size_t i = begin; i < end; ++i) {
      results[i] = point(i);
    }
  };
  const int threads =
      control.threads == 0 ? oneapi::tbb::task_arena::automatic : static_cast<int>(control.threads);
  for (std::size_t begin = 0; begin < count; begin += control.block) {
    if (control.stop && control.stop()) {
      break;
    }
    const std::size_t end = std::min(count, begin + control.block);
    results.resize(end);
    if (control.threads == 1 || count <= control.serial_up_to) {
      serially(begin, end);
    } else {
      std::vector<std::exception_ptr> faults(end - begin);
      oneapi::tbb::task_arena arena(threads);
      arena.execute([&] {
        oneapi::tbb::parallel_for(oneapi::tbb::blocked_range<std::size_t>(begin, end),
                                  [&](const auto& range) {
                                    for (std::size_t i = range.begin(); i < range.end(); ++i) {
                                      try {
                                        results[i] = point(i);
                                      } catch (...) {
                                        faults[i - begin] = std::current_exception();
                                      }
                                    }
                                  });
      });
      for (const std::exception_ptr& fault : faults) {
        if (fault) {
          std::rethrow_exception(fault);
        }
      }
    }
    if (control.progress) {
      control.progress(end);
    }
  }
  return results;
}

}  // namespace loradyn
