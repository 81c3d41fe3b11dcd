#pragma once

/// \file
/// Work on several threads. What knows oneTBB is behind these functions; in a library that was
/// built without it (LORADYN_TBB=OFF) everything runs on the calling thread.

#include <cstddef>
#include <functional>
#include <memory>

namespace loradyn {

/// How many threads the machine runs at once.
std::size_t available_threads();

/// Calls `work` on each of so many threads, the calling one among them, and returns when all calls
/// have. Work that the calls share out among themselves: where there is one thread, there is one
/// call.
void on_threads(std::size_t threads, const std::function<void()>& work);

/// The steps of a line of items.
struct ordered_line {
  std::function<std::shared_ptr<void>()>
      open;                            ///< the next item, null at the end; one call at a time
  std::function<void(void*)> compute;  ///< on any thread, in any order
  std::function<void(void*)> close;    ///< in the order of open; one call at a time
};

/// Takes items through a line until `open` has no more. At most `waiting` items a thread are open
/// at once. \param threads 0: as many as the machine has \throws what a step throws, the items lost
void run_in_order(std::size_t threads, std::size_t waiting, const ordered_line& line);

}  // namespace loradyn
