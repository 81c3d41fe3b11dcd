#include "message.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <exception>
#include <loradyn/report/printable.hpp>

namespace loradyn::cli {

void say_line(const std::string& text) noexcept {
  try {
    const std::string line = "loradyn: " + printable(text) + "\n";
    std::fputs(line.c_str(), stderr);
  } catch (const std::exception&) {
    std::fputs("loradyn: there is not enough memory to say what happened\n", stderr);
  }
}

void open_standard_files() noexcept {
  for (int file = STDIN_FILENO; file <= STDERR_FILENO; ++file) {
    if (::fcntl(file, F_GETFD) != 0 && errno == EBADF) {
      // The lowest free number is this one. Against its direction, so that a table that nobody
      // would see is an error.
      static_cast<void>(::open("/dev/null", file == STDIN_FILENO ? O_WRONLY : O_RDONLY));
    }
  }
}

}  // namespace loradyn::cli
