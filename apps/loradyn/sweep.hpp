#pragma once

// How a command runs over its points: threads, progress, and a stop at the first interruption.

#include <unistd.h>

#include <loradyn/sweep/parallel_map.hpp>
#include <loradyn/sweep/progress.hpp>
#include <type_traits>
#include <utility>
#include <vector>

#include "interruption.hpp"
#include "options.hpp"

namespace loradyn::cli {

inline bool shows_progress(const shared_options& options) {
  return !options.quiet && (options.progress || ::isatty(STDERR_FILENO) != 0);
}

// point(i) for i < count, in order; a prefix where the user interrupts. A thread takes `block`
// points at a time: some 0.1 ms of work, or more.
template <class Point>
auto run_sweep(const shared_options& options, std::size_t count, std::size_t block,
               const Point& point) {
  progress_line progress(shows_progress(options));
  sweep_control control;
  control.threads = options.threads;
  control.block = block;
  control.serial_up_to = block;
  control.stop = [] { return interruption() != 0; };
  std::vector<std::invoke_result_t<const Point&, std::size_t>> results;
  results.reserve(count);
  ordered_map(count, control, point, [&](std::size_t i, auto result) {
    results.push_back(std::move(result));
    progress.update(i + 1, count);
  });
  return results;
}

}  // namespace loradyn::cli
