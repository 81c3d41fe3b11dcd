#pragma once

/// \file
/// A file descriptor that is closed when it goes.

#include <unistd.h>

namespace loradyn {

/// Owns a descriptor; a negative one is none.
class file_descriptor {
 public:
  explicit file_descriptor(int number = -1) noexcept : number_(number) {}
  ~file_descriptor() { close(); }
  file_descriptor(const file_descriptor&) = delete;
  file_descriptor& operator=(const file_descriptor&) = delete;
  operator int() const noexcept { return number_; }

  void reset(int number) noexcept {
    close();
    number_ = number;
  }

  void close() noexcept {
    if (number_ >= 0) {
      ::close(number_);
      number_ = -1;
    }
  }

 private:
  int number_;
};

}  // namespace loradyn
