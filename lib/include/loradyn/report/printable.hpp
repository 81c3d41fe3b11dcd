#pragma once

/// \file
/// Strangers' texts on a terminal, in a script, in a picture.

#include <string>
#include <string_view>

namespace loradyn {

/// A text of one line that moves no cursor and changes no colour: printable UTF-8 as it is,
/// everything else as a visible escape. Control characters (C0, DEL, C1) are \\n, \\t, \\r or
/// \\x1b, bytes that are no UTF-8 \\xff, separators of lines and marks of direction, which let a
/// text look like another, \\u202e. A backslash stays as it is.
std::string printable(std::string_view text);

/// The same, but line feeds and tabs stay: for a text of many lines.
std::string printable_lines(std::string_view text);

/// Whether `printable` changes nothing.
bool is_printable(std::string_view text);

/// A word as a POSIX shell takes it: in quotes where it needs them.
std::string shell_quoted(const std::string& word);
/// The same in quotes whatever it is.
std::string in_quotes(const std::string& text);

}  // namespace loradyn
