#include "interruption.hpp"

#include <fmt/format.h>

#include <csignal>
#include <cstdio>

#include "message.hpp"

namespace loradyn::cli {
namespace {

volatile std::sig_atomic_t caught = 0;

extern "C" void note_interruption(int signal) { caught = signal; }

}  // namespace

void catch_interruptions() {
  struct sigaction action = {};
  action.sa_handler = note_interruption;
  action.sa_flags = static_cast<int>(SA_RESETHAND);
  sigemptyset(&action.sa_mask);
  sigaction(SIGINT, &action, nullptr);
  sigaction(SIGTERM, &action, nullptr);
}

int interruption() { return caught; }

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
