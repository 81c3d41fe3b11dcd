#pragma once

// How a command runs over its points: threads, progress, and a stop at the first interruption.

#include <unistd.h>

#include <loradyn/sweep/parallel_map.hpp>

#include "interruption.hpp"
#include "options.hpp"
#include "progress.hpp"

namespace loradyn::cli {

inline bool shows_progress(const shared_options& options) {
  return !options.quiet && (options.progress || ::isatty(STDERR_FILENO) != 0);
}

// A sweep that the user can interrupt. A thread takes `block` points at a time: some 0.1 ms of
// work, or more.
inline sweep_control interruptible(std::size_t threads, std::size_t block) {
  sweep_control control;
  control.threads = threads;
  control.block = block;
  control.serial_up_to = block;
  control.stop = [] { return interruption() != 0; };
  return control;
}

// point(i) for i < count, in order; a prefix where the user interrupts.
template <class Point>
auto run_sweep(const shared_options& options, std::size_t count, std::size_t block,
               const Point& point) {
  progress_line progress(shows_progress(options));
  return parallel_map(count, interruptible(options.threads, block), point,
                      [&](std::size_t done) { progress.update(done, count); });
}

}  // namespace loradyn::cli
