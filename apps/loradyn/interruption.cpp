#include "interruption.hpp"

#include <fmt/format.h>

#include <array>
#include <csignal>
#include <cstdio>

#include "message.hpp"

namespace loradyn::cli {
namespace {

volatile std::sig_atomic_t caught = 0;

constexpr std::array<int, 3> signals{SIGINT, SIGTERM, SIGHUP};

extern "C" void note_interruption(int signal) {
  caught = signal;
  request_stop();
  if (signal == SIGHUP) {
    return;  // it comes twice, from the terminal and from the shell
  }
  for (const int s : signals) {
    std::signal(s, SIG_DFL);
  }
}

}  // namespace

void catch_interruptions() {
  struct sigaction action = {};
  action.sa_handler = note_interruption;
  sigemptyset(&action.sa_mask);
  for (const int s : signals) {
    sigaddset(&action.sa_mask, s);  // one at a time, so that the second is known to be one
  }
  for (const int s : signals) {
    struct sigaction before = {};
    sigaction(s, nullptr, &before);
    if (s != SIGHUP || before.sa_handler != SIG_IGN) {  // as nohup leaves it
      sigaction(s, &action, nullptr);
    }
  }
}

int interruption() { return caught; }

int report_interruption(const char* command_line) {
  say("interrupted before anything was finished. To run it again: {}", command_line);
  return 128 + caught;
}

int report_interruption(unsigned long long finished, unsigned long long total,
                        const char* command_line) {
  say("interrupted; the {} of {} points that were finished are in the table. For all "
      "of them run: {}",
      finished, total, command_line);
  return 128 + caught;
}

int report_stored_interruption(unsigned long long finished, unsigned long long total,
                               const char* store, const char* command_line) {
  say("interrupted; '{}' keeps {} of {} cells. To go on run: {}", store, finished, total,
      command_line);
  return 128 + caught;
}

}  // namespace loradyn::cli
