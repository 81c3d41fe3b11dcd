#include "progress.hpp"

#include <fmt/format.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <loradyn/report/printable.hpp>
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

progress_line::progress_line(bool shown, std::string unit, std::size_t done)
    : shown_(shown), unit_(std::move(unit)), done_at_start_(done) {}

progress_line::~progress_line() {
  if (written_) {
    std::fputs("\r\033[K", stderr);
  }
}

void progress_line::update(std::size_t done, std::size_t total, const std::string& note) {
  if (!due() || done == done_at_start_) {
    return;
  }
  const clock::time_point now = clock::now();
  next_ = now + std::chrono::milliseconds(200);
  const double elapsed = std::chrono::duration<double>(now - start_).count();
  const double rate = static_cast<double>(done - done_at_start_) / elapsed;
  const std::string line = printable(progress_text(done, total, rate, unit_, note));
  std::fputs(("\r\033[K" + cut_to_width(line, terminal_width())).c_str(), stderr);
  std::fflush(stderr);
  written_ = true;
}

std::string progress_text(std::size_t done, std::size_t total, double rate, const std::string& unit,
                          const std::string& note) {
  return fmt::format("{:3.0f} %  {} of {} {}  {:.3g}/s  {} left{}{}",
                     100.0 * static_cast<double>(done) / static_cast<double>(total), done, total,
                     unit, rate, duration_text(static_cast<double>(total - done) / rate),
                     note.empty() ? "" : "  ", note);
}

std::string cut_to_width(const std::string& text, std::size_t width) {
  std::size_t characters = 0;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const bool starts_one = (static_cast<unsigned char>(text[i]) & 0xc0U) != 0x80U;
    if (starts_one && characters++ == width) {
      return text.substr(0, i);
    }
  }
  return text;
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

}  // namespace loradyn::cli
