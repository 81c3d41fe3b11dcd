#pragma once

/// \file
/// A child process that does not outlive who started it.

#include <sys/types.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>

#include <loradyn/interruption.hpp>

namespace loradyn {

/// Kills the child, unless it was waited for.
class child_process {
 public:
  explicit child_process(::pid_t id = 0) noexcept : id_(id) {}
  ~child_process() {
    if (id_ > 0) {
      ::kill(id_, SIGKILL);
      wait();
    }
  }
  child_process(const child_process&) = delete;
  child_process& operator=(const child_process&) = delete;

  /// Takes charge of a child, where there was none.
  void reset(::pid_t id) noexcept { id_ = id; }

  /// Its status (`waitpid`), once it has ended. For one that has said its last and is about to end.
  /// \throws interrupted
  int wait_for_end() {
    int status = 0;
    for (;;) {
      const ::pid_t ended = ::waitpid(id_, &status, WNOHANG);
      if (ended == id_ || (ended < 0 && errno != EINTR)) {
        id_ = 0;
        return status;
      }
      check_stop();
      constexpr ::useconds_t pause = 1000;
      ::usleep(pause);
    }
  }

 private:
  void wait() noexcept {
    while (::waitpid(id_, nullptr, 0) < 0 && errno == EINTR) {
    }
  }

  ::pid_t id_;
};

}  // namespace loradyn
