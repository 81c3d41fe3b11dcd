#pragma once

/// \file
/// How a computation is asked to end before its result: one flag of the process, which every loop
/// that can be long looks at.

#include <atomic>
#include <exception>

namespace loradyn {

/// Thrown where a computation is asked to end. Not a loradyn::error: nothing went wrong, so that
/// what takes a point's failure for its result lets this pass.
class interrupted : public std::exception {
 public:
  /// The word for it.
  [[nodiscard]] const char* what() const noexcept override { return "interrupted"; }
};

namespace detail {
inline std::atomic<bool> stop_flag{false};
static_assert(std::atomic<bool>::is_always_lock_free, "a signal handler sets the flag");
}  // namespace detail

/// Asks every computation of this process to end. Of any thread; async-signal-safe.
inline void request_stop() noexcept { detail::stop_flag.store(true, std::memory_order_relaxed); }

/// Whether request_stop() was called since the start, or since clear_stop(). Costs a load.
[[nodiscard]] inline bool stop_requested() noexcept {
  return detail::stop_flag.load(std::memory_order_relaxed);
}

/// Lets computations run again.
inline void clear_stop() noexcept { detail::stop_flag.store(false, std::memory_order_relaxed); }

/// To be called in every loop that can be long. \throws interrupted where the stop is requested
inline void check_stop() {
  if (stop_requested()) {
    throw interrupted();
  }
}

}  // namespace loradyn
