#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <loradyn/sweep/progress.hpp>

namespace loradyn {

progress_line::progress_line(std::size_t total, bool shown) : total_(total), shown_(shown) {}

progress_line::~progress_line() {
  if (written_) {
    std::fputs("\r\033[K", stderr);
  }
}

void progress_line::update(std::size_t done) {
  const clock::time_point now = clock::now();
  if (!shown_ || now < next_ || done == 0) {
    return;
  }
  next_ = now + std::chrono::milliseconds(200);
  const double elapsed = std::chrono::duration<double>(now - start_).count();
  const double rate = static_cast<double>(done) / elapsed;
  fmt::print(stderr, "\r\033[K{:3.0f} %  {} of {} points  {:.3g}/s  {} left",
             100.0 * static_cast<double>(done) / static_cast<double>(total_), done, total_, rate,
             duration_text(static_cast<double>(total_ - done) / rate));
  std::fflush(stderr);
  written_ = true;
}

std::string duration_text(double seconds) {
  const auto whole = static_cast<long long>(std::ceil(std::clamp(seconds, 0.0, 1e15)));
  if (whole < 60) {
    return fmt::format("{} s", whole);
  }
  if (whole < 3600) {
    return fmt::format("{} min {} s", whole / 60, whole % 60);
  }
  return fmt::format("{} h {} min", whole / 3600, whole / 60 % 60);
}

}  // namespace loradyn
