#pragma once

/// \file
/// Flow (or map), law and simulation of a network side by side, with a verdict for each comparison
/// (docs/theory.md, sections 13 and 14).

#include <loradyn/dynamics/network_event.hpp>
#include <loradyn/study/control.hpp>
#include <loradyn/study/network.hpp>
#include <loradyn/study/validation.hpp>
#include <optional>

namespace loradyn::study {

/// The comparisons of a network's theory with its simulation.
struct network_validation_problem {
  /// What one neuron's validation asks, but its event. Its start's u is every entry of U; V's rows
  /// have overlap m with their targets, i = a mod k, and are orthogonal beside them. Where all of W
  /// trains from W0 that is the start, whatever m is.
  validation_problem asked;
  network_layout layout{};
  double scale = 1.0;  ///< the norm of the rows that training from scratch starts from
  network_overlap_event event{};
};

/// When the flow meets the event, raw: NaN where it never does, nothing where the start does.
/// \throws argument_error where the event, the layout or the start do not fit together
std::optional<double> event_time(const network_validation_problem& problem);

/// \throws argument_error as the simulation; convergence_error where the theory's run ends early
validation_result validate(const network_validation_problem& problem, const study_control& control);

}  // namespace loradyn::study
