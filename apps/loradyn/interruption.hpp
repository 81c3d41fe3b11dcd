#pragma once

// Ctrl-C and SIGTERM: the first asks the command to stop and keep what is finished, the second ends
// it.

namespace loradyn::cli {

void catch_interruptions();

// The signal that asked to stop, or 0.
int interruption();

// Says on standard error what was kept and how to go on; returns the exit code, 128 + signal.
int report_interruption(unsigned long long finished, unsigned long long total,
                        const char* command_line);

// The same of a sweep whose cells are in a store.
int report_stored_interruption(unsigned long long finished, unsigned long long total,
                               const char* store, const char* command_line);

}  // namespace loradyn::cli
