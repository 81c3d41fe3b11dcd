#pragma once

/// \file
/// Numbers in messages.

#include <array>
#include <charconv>
#include <string>

namespace loradyn {

/// The shortest text that is this number: as it was typed, not rounded to six decimals.
inline std::string number_text(double value) {
  std::array<char, 32> text{};
  const auto end = std::to_chars(text.data(), text.data() + text.size(), value).ptr;
  return {text.data(), end};
}

}  // namespace loradyn
