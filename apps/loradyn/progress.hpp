#pragma once

// A line of progress on standard error.

#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <functional>
#include <mutex>
#include <string>
#include <thread>

namespace loradyn::cli {

/// Tells how far a sweep is once it has taken two seconds: share, points, rate, time left and what
/// is slow, on one line that is rewritten, also while nothing comes, never wider than the terminal,
/// and removed at the end. Of any thread.
class progress_line {
 public:
  /// \param unit what is counted, in the plural \param done what was done before, which says
  /// nothing about the rate \param slow what is slow now, or an empty text; asked by a thread of
  /// the line's own
  explicit progress_line(bool shown, std::string unit = "points", std::size_t done = 0,
                         std::function<std::string()> slow = {});
  ~progress_line();
  progress_line(const progress_line&) = delete;
  progress_line& operator=(const progress_line&) = delete;

  /// Whether `update` would write: five times a second at most. Asked first where it costs
  /// something to know how much is done.
  [[nodiscard]] bool due() const;

  /// \param note what else the line tells
  void update(std::size_t done, std::size_t total, const std::string& note = {});

 private:
  using clock = std::chrono::steady_clock;

  void write();
  void rewrite_until(const std::stop_token& stop);

  bool shown_;
  std::string unit_;
  std::size_t done_at_start_;
  std::function<std::string()> slow_;
  mutable std::mutex mutex_;
  std::size_t done_ = 0;
  std::size_t total_ = 0;
  std::string note_;
  bool written_ = false;
  clock::time_point start_ = clock::now();
  clock::time_point next_ = start_ + std::chrono::seconds(2);
  std::condition_variable_any wake_;
  std::jthread ticker_;  // the last member: it ends before the others do
};

}  // namespace loradyn::cli
