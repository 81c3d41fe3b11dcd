#pragma once

/// \file
/// Numbers in messages.

#include <array>
#include <charconv>
#include <cstdio>
#include <cstdlib>
#include <limits>
#include <string>
#include <version>

namespace loradyn {

/// The shortest text that is this number: as it was typed, not rounded to six decimals.
inline std::string number_text(double value) {
  std::array<char, 32> text{};
#ifdef __cpp_lib_to_chars
  const auto end = std::to_chars(text.data(), text.data() + text.size(), value).ptr;
  return {text.data(), end};
#else
  // A standard library without it, such as a browser's.
  for (int digits = 1; digits <= std::numeric_limits<double>::max_digits10; ++digits) {
    std::snprintf(text.data(), text.size(), "%.*g", digits, value);
    if (std::strtod(text.data(), nullptr) == value) {
      break;
    }
  }
  return text.data();
#endif
}

}  // namespace loradyn
