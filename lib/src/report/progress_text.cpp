#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <loradyn/report/progress_text.hpp>

namespace loradyn {

std::string progress_text(std::size_t done, std::size_t total, double rate, const std::string& unit,
                          const std::string& note) {
  std::string text;
  if (total > 0) {
    text = fmt::format("{:3.0f} %  {} of {} {}",
                       100.0 * static_cast<double>(done) / static_cast<double>(total), done, total,
                       unit);
  } else {
    text = fmt::format("no {} yet", unit);
  }
  if (rate > 0.0) {
    text += fmt::format("  {:.3g}/s  {} left", rate,
                        duration_text(static_cast<double>(total - std::min(total, done)) / rate));
  }
  return text + (note.empty() ? "" : "  ") + note;
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

}  // namespace loradyn
