#pragma once

/// \file
/// The texts of a figure's gnuplot script.

#include <filesystem>
#include <string>

namespace loradyn {

/// A text as a picture shows it: a line without control characters, and not longer than anybody
/// reads.
std::string shown(const std::string& text);

/// The name of a file in a script: one in the script's directory as ./name, so that gnuplot takes
/// none of its first characters for a pipe, a home directory or a block of data.
/// \throws drawing_error for one with control characters
std::string script_file_name(const std::filesystem::path& name);

/// What every script begins with, and nobody else's does.
extern const char* const script_beginning;

/// \throws argument_error for a picture's ending that is not known
void require_picture_ending(const std::filesystem::path& picture);

}  // namespace loradyn
