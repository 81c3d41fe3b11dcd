#pragma once

/// \file
/// A text with spaces for its ends of lines.

#include <algorithm>
#include <string>

namespace loradyn {

inline std::string one_line(std::string text) {
  std::replace_if(
      text.begin(), text.end(), [](char c) { return c == '\n' || c == '\r'; }, ' ');
  return text;
}

}  // namespace loradyn
