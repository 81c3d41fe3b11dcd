#pragma once

/// \file
/// Staged training of a network (docs/theory.md, section 14): the state carries over.

#include <functional>
#include <loradyn/dynamics/integrate.hpp>
#include <loradyn/dynamics/network_event.hpp>
#include <loradyn/dynamics/network_flow.hpp>
#include <loradyn/dynamics/protocol.hpp>
#include <optional>
#include <vector>

namespace loradyn {

/// One stage.
struct network_tuning_stage {
  network_flow flow;                 ///< what is trained
  network_flow told;                 ///< of whose targets and risks points and the event tell
  bool flips = false;                ///< U -> -U before it begins
  std::optional<double> duration{};  ///< > 0
  std::optional<network_overlap_event> until{};  ///< with a duration: whichever comes first
};

/// A training run of several stages, all of the same sizes.
struct network_protocol {
  network_state start;
  std::vector<network_tuning_stage> stages;
  std::optional<double> learning_rate{};  ///< of the map, in the place of the flow

  /// \throws argument_error: no stage, a stage with neither duration nor event, a value out of
  ///         range, an event that a network has not
  void validate() const;
};

/// A recorded point.
struct network_training_point {
  double t = 0.0;
  std::size_t stage = 0;  ///< counted from 0
  const network_state& x;
};

/// What became of a protocol.
struct network_training_run {
  std::vector<stage_summary> stages;
  /// The last state, with what errors of the integrator lead off the states taken back.
  network_state end;
  bool complete = false;  ///< every stage ended by its duration or its event
};

/// Runs the protocol from t = 0 and tells its states at the given times, which must increase. With
/// the map the state between two steps is that of the earlier. A time where a stage ends is of that
/// stage. \throws argument_error as validate() does
network_training_run run_protocol(
    const network_protocol& protocol, const std::vector<double>& times,
    const integration_options& options,
    const std::function<void(const network_training_point&)>& record = {});

}  // namespace loradyn
