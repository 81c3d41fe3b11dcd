#include "simulation_options.hpp"

#include <fmt/format.h>

#include <cmath>
#include <filesystem>
#include <loradyn/error.hpp>
#include <loradyn/report/file.hpp>
#include <system_error>

#include "interruption.hpp"
#include "message.hpp"
#include "progress.hpp"
#include "sweep.hpp"

namespace loradyn::cli {

std::uint64_t read_count(const std::string& option, const std::string& text, std::uint64_t least,
                         std::uint64_t most) {
  const double value = read_number(option, text);
  if (!(value >= static_cast<double>(least) && value <= static_cast<double>(most)) ||
      value != std::floor(value)) {
    throw argument_error(option, "'" + text + "'",
                         fmt::format("a whole number from {} to {}", least, most));
  }
  return static_cast<std::uint64_t>(value);
}

simulation_engine read_engine(const std::string& text) {
  if (text == "chain") {
    return simulation_engine::chain;
  }
  if (text == "sgd") {
    return simulation_engine::sgd;
  }
  throw argument_error("--engine", "'" + text + "'", "chain or sgd");
}

simulation_event simulated_event(const overlap_event& event) {
  switch (event.quantity) {
    case overlap_quantity::m:
      return event.is_signed
                 ? simulation_event{simulated_quantity::m, event.at, event_direction::either}
                 : simulation_event{simulated_quantity::m_abs, event.at, event_direction::rising};
    case overlap_quantity::M:
      return {event.is_signed ? simulated_quantity::M : simulated_quantity::M_abs, event.at,
              event_direction::either};
    case overlap_quantity::risk:
      break;
  }
  return {simulated_quantity::risk, event.at, event_direction::falling};
}

std::function<double(double, double)> risk_of(const population_risk& risk, double label_noise) {
  return [risk, label_noise](double M, double Q) {
    return risk.value({.M = M, .Q = Q, .gap = std::max(0.0, Q - M * M)}, label_noise);
  };
}

ensemble run_ensemble(const shared_options& shared, const simulation_problem& problem,
                      simulation_engine engine, const simulation_plan& plan, std::uint64_t runs,
                      const std::string& checkpoint) {
  std::string kept;
  if (!checkpoint.empty()) {
    std::error_code ignored;
    if (std::filesystem::exists(checkpoint, ignored)) {
      kept = read_file(checkpoint);
      if (kept.empty()) {
        throw argument_error("--checkpoint", "'" + checkpoint + "', an empty file",
                             "the name of a new file, or of a checkpoint of this command");
      }
      if (!shared.quiet) {
        say("going on from '{}'", checkpoint);
      }
    } else {
      pending_file check(checkpoint);  // that it can be written, before the work
    }
  }
  ensemble_control control;
  control.threads = shared.threads;
  control.stop = [] { return interruption() != 0; };
  progress_line progress(shows_progress(shared), "runs");
  control.progress = [&](std::size_t, double share) {
    progress.update(static_cast<std::size_t>(share * static_cast<double>(runs)), runs);
  };
  if (!checkpoint.empty()) {
    control.keep = [&checkpoint](const std::string& bytes) {
      pending_file file(checkpoint);
      file.write(bytes);
      file.commit();
    };
  }
  return simulate_ensemble(problem, engine, plan, runs, control, kept);
}

int report_interrupted_ensemble(const ensemble& done, const std::string& checkpoint,
                                const char* command_line) {
  if (checkpoint.empty()) {
    say("interrupted after {} of {} runs; nothing was kept, for neither --output nor "
        "--checkpoint names a file",
        done.runs.size(), done.requested);
  } else {
    say("interrupted after {} of {} runs; '{}' keeps them. To go on run: {}", done.runs.size(),
        done.requested, checkpoint, command_line);
  }
  return 128 + interruption();
}

}  // namespace loradyn::cli
