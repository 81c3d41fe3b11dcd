#pragma once

// What runs in time are asked with: their length, what is recorded, and how they are simulated.

#include <cmath>
#include <cstdint>
#include <loradyn/error.hpp>
#include <loradyn/interruption.hpp>
#include <loradyn/study/trajectory.hpp>
#include <loradyn/study/validation.hpp>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "question.hpp"

namespace loradyn::python {

// An element of an array. Each throws argument_error for a value out of range.
std::uint64_t whole_of(const char* name, double value, std::uint64_t least, std::uint64_t most);
double positive_of(const char* name, double value);

// points, N or "log:N"; the second also times.
struct record_count {
  std::uint64_t count = 0;
  bool logarithmic = false;
};
argument record_argument(int standard, const std::string& more = "");
record_count record_count_of(const call& given, std::uint64_t most);
study::record_times record_times_of(const call& given);

// Whether a trajectory is the map's, of the learning rate lr.
bool asks_map(const call& given);

// What of a simulation is read alike for every problem.
struct simulated_run {
  std::uint64_t dimension = 0;
  std::uint64_t batch = 0;
  double learning_rate = 0.0;
  std::uint64_t steps = 0;
  std::uint64_t seed = 0;
  std::vector<std::uint64_t> record;  // where the question has no event
};
// The arguments of a simulation that may be arrays, beside the parameters.
std::vector<std::string> simulated_numbers();
// Whether a row is asked for each run.
bool asks_event(const call& given);
std::uint64_t simulated_runs(const call& given);
// Throws argument_error where the machine is too small, or the user's life too short.
// `staged` are the steps of stages, which say their learning rates.
simulated_run simulated_at(const call& given, const points& where, std::size_t i,
                           std::optional<std::uint64_t> staged = std::nullopt);

// What `simulate` gives, under the study's control. Throws `interrupted` where it was stopped.
template <class Simulate>
auto complete_ensemble(const study::study_control& control, std::uint64_t runs,
                       const Simulate& simulate) {
  ensemble_control own{.threads = control.threads};
  if (control.progress) {
    own.progress = [&](std::size_t, double share) {
      control.progress(static_cast<std::size_t>(share * static_cast<double>(runs)), runs);
    };
  }
  auto result = simulate(own);
  if (!result.done.complete()) {
    throw interrupted();
  }
  return result;
}

// All of a validation but its event and the time of its means.
study::validation_problem validation_of(const call& given, const study::activation_pair& pair,
                                        const study::parameter_point& at);
// The time of the means, raw: `event_time()` where no argument says it.
template <class EventTime>
double validation_end(const call& given, double unit, const EventTime& event_time) {
  if (given.has("t_end")) {
    return given.positive("t_end") / unit;
  }
  const std::optional<double> met = event_time();
  if (!met || !std::isfinite(*met)) {
    throw argument_error("t_end", "None",
                         met ? "given: the ODE does not reach the event"
                             : "given: the start already meets the event");
  }
  return *met;
}
void require_experiments(const study::validation_problem& problem);
// The rows that `validate` finds for each of the problems.
template <class Problem>
py::dict answer_validation(const call& given, const points& where,
                           const std::vector<Problem>& problems) {
  return answer_list(
      where, study::validation_columns(),
      in_turn(given, problems.size(), [&](std::size_t i, const study::study_control& control) {
        study::validation_result r = study::validate(problems[i], control);
        if (!r.complete) {
          throw interrupted();
        }
        return std::move(r.rows);
      }));
}

}  // namespace loradyn::python
