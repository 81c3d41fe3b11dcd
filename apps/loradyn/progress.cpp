#include "progress.hpp"

#include <sys/ioctl.h>
#include <unistd.h>

#include <cstdio>
#include <loradyn/report/printable.hpp>
#include <loradyn/report/progress_text.hpp>
#include <utility>

namespace loradyn::cli {
namespace {

// Columns of the terminal; none where standard error is not one.
std::size_t terminal_width() {
  winsize size{};
  constexpr std::size_t unlimited = 4096;
  return ::ioctl(STDERR_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 1
             ? static_cast<std::size_t>(size.ws_col) - 1
             : unlimited;
}

}  // namespace

progress_line::progress_line(bool shown, std::string unit, std::size_t done,
                             std::function<std::string()> slow)
    : shown_(shown),
      unit_(std::move(unit)),
      done_at_start_(done),
      slow_(std::move(slow)),
      done_(done) {
  if (shown_) {
    ticker_ = std::jthread([this](const std::stop_token& stop) { rewrite_until(stop); });
  }
}

progress_line::~progress_line() {
  if (ticker_.joinable()) {
    ticker_.request_stop();
    ticker_.join();
  }
  if (written_) {
    std::fputs("\r\033[K", stderr);
  }
}

bool progress_line::due() const {
  const std::lock_guard lock(mutex_);
  return shown_ && clock::now() >= next_;
}

void progress_line::update(std::size_t done, std::size_t total, const std::string& note) {
  if (!shown_) {
    return;
  }
  const std::lock_guard lock(mutex_);
  done_ = done;
  total_ = total;
  note_ = note;
  if (clock::now() >= next_) {
    write();
  }
}

void progress_line::rewrite_until(const std::stop_token& stop) {
  constexpr std::chrono::milliseconds patience(500);  // for an update of those who compute
  std::unique_lock lock(mutex_);
  while (!wake_.wait_until(lock, stop, next_ + patience, [] { return false; }) &&
         !stop.stop_requested()) {
    if (clock::now() >= next_ + patience) {
      write();
    }
  }
}

void progress_line::write() {
  const clock::time_point now = clock::now();
  next_ = now + std::chrono::milliseconds(200);
  const double elapsed = std::chrono::duration<double>(now - start_).count();
  const double rate = static_cast<double>(done_ - done_at_start_) / elapsed;
  std::string note = note_;
  if (const std::string slow = slow_ ? slow_() : ""; !slow.empty()) {
    note += (note.empty() ? "slow: " : "; slow: ") + slow;
  }
  const std::string line = printable(progress_text(done_, total_, rate, unit_, note));
  std::fputs(("\r\033[K" + cut_to_width(line, terminal_width())).c_str(), stderr);
  std::fflush(stderr);
  written_ = true;
}

}  // namespace loradyn::cli
