#pragma once

// How a command runs over its points: threads, progress, and a stop at the first interruption.

#include <unistd.h>

#include <loradyn/sweep/parallel_map.hpp>
#include <loradyn/sweep/progress.hpp>
#include <vector>

#include "interruption.hpp"
#include "options.hpp"

namespace loradyn::cli {

inline bool shows_progress(const shared_options& options) {
  return !options.quiet && (options.progress || ::isatty(STDERR_FILENO) != 0);
}

// point(i) for i < count, in order; a prefix where the user interrupts. `block` points are done
// between two looks at that.
template <class Result, class Point>
std::vector<Result> run_sweep(const shared_options& options, std::size_t count, std::size_t block,
                              const Point& point) {
  progress_line progress(count, shows_progress(options));
  sweep_control control;
  control.threads = options.threads;
  control.block = block;
  control.serial_up_to = block;
  control.stop = [] { return interruption() != 0; };
  control.progress = [&progress](std::size_t finished) { progress.update(finished); };
  return parallel_map<Result>(count, control, point);
}

}  // namespace loradyn::cli
