#pragma once

/// \file
/// Where a simulation that is interrupted keeps what is done.

#include <string>

namespace loradyn {

/// A file with the bytes of an ensemble's checkpoint, which ensemble_control's `keep` gets and
/// `simulate` takes again. Of an empty name there is none, and nothing is kept.
class checkpoint_file {
 public:
  /// Reads what an earlier run has kept. \throws argument_error for a file that is empty,
  /// file_error where it can't be read or, where there is none, can't be written
  explicit checkpoint_file(std::string path);

  [[nodiscard]] const std::string& path() const { return path_; }  ///< its name
  [[nodiscard]] const std::string& kept() const { return kept_; }  ///< what was there, or nothing

  /// Keeps these bytes in the place of others. \throws file_error
  void keep(const std::string& bytes) const;
  /// Removes the file, which is needed no more.
  void remove() const;

 private:
  std::string path_;
  std::string kept_;
};

}  // namespace loradyn
