#pragma once

/// \file
/// Staged training: pre-training and fine-tuning stages one after another (docs/theory.md, section
/// 10).

#include <cstddef>
#include <loradyn/dynamics/flow.hpp>
#include <loradyn/dynamics/integrate.hpp>
#include <loradyn/dynamics/overlap_event.hpp>
#include <loradyn/dynamics/pretraining.hpp>
#include <loradyn/names.hpp>
#include <optional>
#include <string_view>
#include <variant>
#include <vector>

namespace loradyn {

/// Labels T(g(λ*) + √Δ ζ) before `transform_labels` makes a task of them.
struct given_labels {
  activation teacher;        ///< g
  activation transform;      ///< T, a polynomial
  double label_noise = 0.0;  ///< Δ
};

/// Fine-tuning on one target. The overlaps carry over from the stage before.
struct tuning_stage {
  learning_task task;
  double noise_scale = 0.0;  ///< γ
  double label_noise = 0.0;  ///< Δ
  double rate_ratio = 1.0;   ///< κ
  std::optional<double> duration;
  std::optional<overlap_event> until;  ///< with a duration: whichever comes first
  /// What the task was made of where its labels are transformed: texts tell it, no number needs it.
  std::optional<given_labels> labels = std::nullopt;
};

/// Pre-training of w0 on a source. It sets μ and ν for the stages that follow.
struct pretraining_stage {
  learning_task task;  ///< the student and the source's activation
  pretraining_parameters parameters;
  pretraining_state start;
  std::optional<double> duration;
  std::optional<double> until_risk;                   ///< the risk on the source falls to this
  std::optional<given_labels> labels = std::nullopt;  ///< as of a tuning stage
};

/// u -> -u, in no time: w0 - u v, from where the adapter has gone the wrong way.
struct flip_stage {};

/// One stage of a protocol.
using training_stage = std::variant<pretraining_stage, tuning_stage, flip_stage>;

/// How fine-tuning stages are advanced.
enum class tuning_method {
  flow,  ///< the ODE
  map,   ///< the map of a finite learning rate; an event is told after the step that passes it
};

/// Their names.
inline constexpr name_table<tuning_method, 2> tuning_methods{
    {{"flow", tuning_method::flow}, {"map", tuning_method::map}}};

/// A training run of several stages.
struct training_protocol {
  double alignment = 0.0;     ///< μ where no stage pre-trains
  double misalignment = 0.0;  ///< ν where no stage pre-trains
  overlap_state start;
  std::vector<training_stage> stages;
  tuning_method method = tuning_method::flow;
  double learning_rate = 0.1;  ///< η of the map

  /// \throws argument_error: no stage, a pre-training stage that is not the first, a flip that is
  /// the
  ///         last, a stage with neither duration nor event, a value out of range
  void validate() const;
};

/// A recorded point. During pre-training M = ρ a and Q = |w0|² are the alignment and the power that
/// fine-tuning would start from, and the risk is that on the source.
struct training_point {
  double t = 0.0;
  overlap_state x;
  double M = 0.0;
  double Q = 0.0;
  double risk = 0.0;
  std::size_t stage = 0;  ///< counted from 1
};

/// How a stage ended.
struct stage_summary {
  double begin = 0.0;
  double end = 0.0;
  /// end_time: after its duration (a flip's is 0); event; event_at_start: it took no time
  integration_status status = integration_status::end_time;
};

/// What became of a protocol: its points, and how each stage ended.
struct training_run {
  std::vector<training_point> points;
  std::vector<stage_summary> stages;
  overlap_state end;          ///< the last state
  double alignment = 0.0;     ///< μ of the last stage
  double misalignment = 0.0;  ///< ν of the last stage
  bool complete = false;      ///< every stage ended by its duration or its event
};

/// Runs the protocol from t = 0 and records it at the given times, which must increase. Points
/// after the last stage are left out. With the map the state between two steps is that of the
/// earlier. \throws argument_error as validate() does; convergence_error from a kernel
training_run run_protocol(const training_protocol& protocol, const std::vector<double>& times,
                          const integration_options& options);

}  // namespace loradyn
