#pragma once

// Ctrl-C, SIGTERM and a terminal that hangs up: the first asks the command to stop and keep what is
// finished, the second ends it.

#include <loradyn/interruption.hpp>

namespace loradyn::cli {

void catch_interruptions();

// The signal that asked to stop, or 0. Where there is one, stop_requested() holds.
int interruption();

// An interruption whose line stands on standard error already.
class reported_interruption : public interrupted {};

// Says that nothing is kept and how to run the command again; returns the exit code, 128 + signal.
int report_interruption(const char* command_line);

// Says on standard error what was kept and how to go on; returns the exit code.
int report_interruption(unsigned long long finished, unsigned long long total,
                        const char* command_line);

// The same of a sweep whose cells are in a store.
int report_stored_interruption(unsigned long long finished, unsigned long long total,
                               const char* store, const char* command_line);

}  // namespace loradyn::cli
