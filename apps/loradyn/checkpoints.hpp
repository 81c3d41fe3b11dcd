#pragma once

// What an interruption of a simulation leaves, and what takes it up again.

#include <cstddef>
#include <cstdint>
#include <loradyn/simulation/ensemble.hpp>
#include <string>

#include "command.hpp"
#include "options.hpp"
#include "progress.hpp"

namespace loradyn::cli {

// Its name: what --checkpoint says, or beside the file of --output; empty where there is neither.
std::string checkpoint_of(const shared_options& shared, const std::string& asked);

// What an earlier run has kept, or nothing; checks that the file can be written.
std::string read_checkpoint(const std::string& path, bool quiet);

// An ensemble's threads and progress, and that it keeps what is done. Refers to both the last
// arguments.
ensemble_control ensemble_control_of(const shared_options& shared, std::uint64_t runs,
                                     progress_line& progress, const std::string& checkpoint);

// Says what an interruption left; returns the exit code.
int report_interrupted(std::size_t ended, std::uint64_t requested, const std::string& checkpoint,
                       const invocation& call);

void remove_checkpoint(const std::string& path);

}  // namespace loradyn::cli
