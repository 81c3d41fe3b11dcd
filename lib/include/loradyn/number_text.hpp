#pragma once

/// \file
/// Numbers in messages.

#include <string>
#include <version>
#ifdef __cpp_lib_to_chars
#include <array>
#include <charconv>
#else
#include <cstdlib>
#include <limits>
#include <locale>
#include <sstream>
#endif

namespace loradyn {

/// The shortest text that is this number: as it was typed, not rounded to six decimals.
inline std::string number_text(double value) {
#ifdef __cpp_lib_to_chars
  std::array<char, 32> text{};
  const auto end = std::to_chars(text.data(), text.data() + text.size(), value).ptr;
  return {text.data(), end};
#else
  // A standard library without it, such as a browser's.
  std::string text;
  for (int digits = 1; digits <= std::numeric_limits<double>::max_digits10; ++digits) {
    std::ostringstream out;
    out.imbue(std::locale::classic());
    out.precision(digits);
    out << value;
    text = out.str();
    if (std::strtod(text.c_str(), nullptr) == value) {
      break;
    }
  }
  return text;
#endif
}

}  // namespace loradyn
