#pragma once

/// \file
/// What a file says: the word that names it may hold its content in its place.

#include <string>

#include <toml++/toml.h>

namespace loradyn {

/// The content of a TOML file.
struct file_word {
  /// Which files are read: what a user wrote, a pipe too, or only regular ones.
  enum class source { text, regular };

  /// \param option names the file in messages \param said its path, or its content as a JSON
  /// object \throws error where it is no TOML; file_error
  file_word(const std::string& option, const std::string& said, source from);

  std::string place;  ///< of messages: the option and the path
  toml::table values;

  /// The content as a JSON object, which says the same again; numbers read back to the same bits.
  [[nodiscard]] std::string content() const;
};

}  // namespace loradyn
