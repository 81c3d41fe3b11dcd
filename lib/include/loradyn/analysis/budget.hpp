#pragma once

/// \file
/// How long to pre-train: the total cost of pre-training on a source and fine-tuning on the target
/// (docs/theory.md, section 10).

#include <loradyn/analysis/escape.hpp>
#include <loradyn/dynamics/pretraining.hpp>
#include <optional>
#include <vector>

namespace loradyn {

/// A student that is pre-trained on a source for a while and then fine-tuned to an event.
struct training_budget {
  learning_task source;  ///< the student and the source's activation
  learning_task target;  ///< the student and the target's
  pretraining_parameters pretraining;
  pretraining_state weight_at_start{0.03, 0.0};
  double noise_scale = 0.0;  ///< γ of fine-tuning
  double label_noise = 0.0;  ///< Δ of fine-tuning
  double rate_ratio = 1.0;   ///< κ of fine-tuning
  overlap_state start = default_start;
  overlap_event event;
};

/// The cost of one pre-training time.
struct budget_point {
  double t_pre = 0.0;
  double alignment = 0.0;     ///< μ
  double misalignment = 0.0;  ///< ν
  double tau = 0.0;
  double t_finetune =
      0.0;               ///< 0 where pre-training alone meets the event, NaN where it never comes
  double t_total = 0.0;  ///< t_pre + t_finetune
  outcome result = outcome::searching;
  run_status status = run_status::ok;
};

/// The cost at t_pre >= 0. An event of M is met by pre-training where that takes M to the value or
/// beyond.
/// \param classifier of the target's task
/// \throws argument_error where something is out of range
budget_point cost_of_pretraining(const training_budget& budget, double t_pre,
                                 const integration_options& options,
                                 const outcome_classifier& classifier);

/// The least total cost near the cheapest of some points, which are in order of t_pre: Brent's
/// method between its neighbours, t_pre to 1e-7 relative. The first or the last point where that is
/// the cheapest; nothing where no point has a cost.
std::optional<budget_point> least_cost(const training_budget& budget,
                                       const std::vector<budget_point>& points,
                                       const integration_options& options,
                                       const outcome_classifier& classifier);

}  // namespace loradyn
