#pragma once

/// \file
/// How a study is computed, which its results don't depend on.

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <list>
#include <loradyn/interruption.hpp>
#include <loradyn/sweep/parallel_map.hpp>
#include <mutex>
#include <optional>

namespace loradyn::study {

/// Which points are being computed, for whoever shows it. Of any thread.
class point_watch {
  using clock = std::chrono::steady_clock;
  struct entry {
    std::uint64_t point;
    clock::time_point since;
  };

 public:
  /// A point is being computed while this lives; of no watch, nothing.
  class visit {
   public:
    /// Of a point, told to the watch if there is one.
    visit(point_watch* watch, std::uint64_t point) : watch_(watch) {
      if (watch_ != nullptr) {
        const std::lock_guard lock(watch_->mutex_);
        place_ = watch_->entries_.insert(watch_->entries_.end(), {point, clock::now()});
      }
    }
    ~visit() {
      if (watch_ != nullptr) {
        const std::lock_guard lock(watch_->mutex_);
        watch_->entries_.erase(place_);
      }
    }
    visit(const visit&) = delete;
    visit& operator=(const visit&) = delete;

   private:
    point_watch* watch_;
    std::list<entry>::iterator place_;
  };

  /// A point that takes long.
  struct slow_point {
    std::uint64_t point = 0;
    double seconds = 0.0;
  };
  /// The point that has been computed for longest.
  [[nodiscard]] std::optional<slow_point> slowest() const {
    const std::lock_guard lock(mutex_);
    if (entries_.empty()) {
      return std::nullopt;
    }
    const entry& first = entries_.front();
    return slow_point{first.point,
                      std::chrono::duration<double>(clock::now() - first.since).count()};
  }

 private:
  mutable std::mutex mutex_;
  std::list<entry> entries_;  // in the order of their beginnings
};

/// Every study also ends early where request_stop() was called, and keeps what it has.
struct study_control {
  std::size_t threads = 0;  ///< 0: as many as the machine has
  /// Told how much is done, by one thread at a time.
  std::function<void(std::size_t done, std::size_t total)> progress{};
  point_watch* watch = nullptr;  ///< told which points are being computed, where they take time
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
  constexpr std::size_t quick = 64;  // of points in such blocks none is slow
  point_watch* const watch = block < quick ? control.watch : nullptr;
  const auto watched = [&](std::size_t i) {
    const point_watch::visit here(watch, i);
    return point(i);
  };
  return parallel_map(count, stoppable(control.threads, block), watched, [&](std::size_t done) {
    if (control.progress) {
      control.progress(done, count);
    }
  });
}

}  // namespace loradyn::study
