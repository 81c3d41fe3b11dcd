#include "checkpoints.hpp"

#include <filesystem>
#include <loradyn/error.hpp>
#include <loradyn/report/file.hpp>
#include <system_error>

#include "interruption.hpp"
#include "message.hpp"
#include "output.hpp"

namespace loradyn::cli {

std::string checkpoint_of(const shared_options& shared, const std::string& asked) {
  const std::string& table = shared.output.file;
  return asked.empty() && !names_stdout(table) && !names_nowhere(table) ? table + ".checkpoint"
                                                                        : asked;
}

std::string read_checkpoint(const std::string& path, bool quiet) {
  std::error_code ignored;
  if (path.empty() || !std::filesystem::exists(path, ignored)) {
    if (!path.empty()) {
      pending_file check(path);
    }
    return "";
  }
  std::string kept = read_file(path);
  if (kept.empty()) {
    throw argument_error("--checkpoint", "'" + path + "', an empty file",
                         "the name of a new file, or of a checkpoint of this command");
  }
  if (!quiet) {
    say("going on from '{}'", path);
  }
  return kept;
}

ensemble_control ensemble_control_of(const shared_options& shared, std::uint64_t runs,
                                     progress_line& progress, const std::string& checkpoint) {
  ensemble_control control;
  control.threads = shared.threads;
  control.stop = [] { return interruption() != 0; };
  control.progress = [&progress, runs](std::size_t, double share) {
    progress.update(static_cast<std::size_t>(share * static_cast<double>(runs)), runs);
  };
  if (!checkpoint.empty()) {
    control.keep = [&checkpoint](const std::string& bytes) {
      pending_file file(checkpoint);
      file.write(bytes);
      file.commit();
    };
  }
  return control;
}

int report_interrupted(std::size_t ended, std::uint64_t requested, const std::string& checkpoint,
                       const invocation& call) {
  if (checkpoint.empty()) {
    say("interrupted after {} of {} runs; nothing was kept, for neither --output nor "
        "--checkpoint names a file",
        ended, requested);
  } else {
    say("interrupted after {} of {} runs; '{}' keeps them. To go on run: {}", ended, requested,
        checkpoint, call.command_line);
  }
  return 128 + interruption();
}

void remove_checkpoint(const std::string& path) {
  if (!path.empty()) {
    std::error_code ignored;
    std::filesystem::remove(path, ignored);
  }
}

}  // namespace loradyn::cli
