#pragma once

/// \file
/// A line of progress on standard error.

#include <chrono>
#include <cstddef>
#include <string>

namespace loradyn {

/// Tells how far a sweep is once it has taken two seconds: share, points, rate and time left, on
/// one line that is rewritten, and removed at the end.
class progress_line {
 public:
  progress_line(std::size_t total, bool shown);
  ~progress_line();
  progress_line(const progress_line&) = delete;
  progress_line& operator=(const progress_line&) = delete;

  void update(std::size_t done);

 private:
  using clock = std::chrono::steady_clock;

  std::size_t total_;
  bool shown_;
  bool written_ = false;
  clock::time_point start_ = clock::now();
  clock::time_point next_ = start_ + std::chrono::seconds(2);
};

/// "12 s", "3 min 20 s", "2 h 5 min".
std::string duration_text(double seconds);

}  // namespace loradyn
