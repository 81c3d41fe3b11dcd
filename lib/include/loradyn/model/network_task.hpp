#pragma once

/// \file
/// A network's student and teacher.

#include <loradyn/activation/activation.hpp>
#include <loradyn/model/network_noise.hpp>
#include <loradyn/model/network_risk.hpp>
#include <optional>

namespace loradyn {

/// All that training a network depends on of its activations. Immutable and safe from any thread;
/// copies share their tables.
struct network_task {
  /// Of a student's and a teacher's activation.
  network_task(const activation& student, const activation& teacher)
      : risk(student, teacher), noise(student, teacher) {}

  /// With a source task that is not trained on: its risk tells what is forgotten.
  network_task(const activation& student, const activation& teacher, const activation& source)
      : network_task(student, teacher) {
    source_risk.emplace(student, source);
  }

  network_risk risk;
  network_noise noise;
  std::optional<network_risk> source_risk;
};

}  // namespace loradyn
