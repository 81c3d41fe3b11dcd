#include <fmt/format.h>

#include <cmath>
#include <iterator>
#include <limits>
#include <loradyn/study/cell.hpp>

namespace loradyn {

double to_number(const cell& value) {
  if (const auto* number = std::get_if<double>(&value)) {
    return *number;
  }
  const auto* integer = std::get_if<std::int64_t>(&value);
  return integer != nullptr ? static_cast<double>(*integer)
                            : std::numeric_limits<double>::quiet_NaN();
}

std::string to_text(const cell& value) {
  std::string text;
  append_text(text, value);
  return text;
}

void append_text(std::string& text, const cell& value) {
  if (const auto* number = std::get_if<double>(&value)) {
    if (std::isnan(*number)) {
      text += "nan";
    } else {
      fmt::format_to(std::back_inserter(text), "{}", *number);
    }
  } else if (const auto* integer = std::get_if<std::int64_t>(&value)) {
    fmt::format_to(std::back_inserter(text), "{}", *integer);
  } else {
    text += std::get<std::string>(value);
  }
}

}  // namespace loradyn
