#pragma once

// What the program says on standard error.

#include <fmt/format.h>

#include <string>
#include <utility>

namespace loradyn::cli {

// "loradyn: <text>" as one line, of which a terminal shows every character: strangers' texts may be
// in it. Never throws: where nobody takes it, there is nobody to tell.
void say_line(const std::string& text) noexcept;

// The same, formatted.
template <class... Values>
void say(fmt::format_string<Values...> format, Values&&... values) {
  say_line(fmt::format(format, std::forward<Values>(values)...));
}

// Opens standard input, output and error where they are closed, so that no file that the program
// writes gets their numbers. What would be written there fails as before.
void open_standard_files() noexcept;

}  // namespace loradyn::cli
