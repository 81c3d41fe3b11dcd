#pragma once

/// \file
/// ODE (or map), law and simulation side by side, with a verdict for each comparison
/// (docs/theory.md, section 13).

#include <cstdint>
#include <loradyn/dynamics/overlap_event.hpp>
#include <loradyn/simulation/problem.hpp>
#include <loradyn/study/control.hpp>
#include <loradyn/study/pair.hpp>
#include <loradyn/study/parameter.hpp>
#include <loradyn/study/row.hpp>
#include <optional>
#include <string>
#include <vector>

namespace loradyn::study {

/// Theory and simulation side by side.
struct validation_problem {
  activation_pair pair;
  parameter_point at{{}, {1e-6, 0.3, 0.0}, {}};  ///< γ > 0: a simulation has batches
  overlap_event event{};
  std::vector<double> dimensions{};       ///< whole, from 4 on; each once, increasing
  std::uint64_t batch = 16;               ///< B; the learning rate is γ B/d,
  std::optional<double> learning_rate{};  ///< or it is this, B is η d/γ, and the theory is the map
  double t_end = 0.0;                     ///< of the means, raw, > 0
  std::uint64_t points = 8;               ///< times at which means are compared
  std::uint64_t runs = 400;               ///< for the means, >= 2
  std::uint64_t law_runs = 400;           ///< for the law; 0: it is not compared
  double significance = 0.01;  ///< the chance that a right theory fails, over all comparisons
  simulation_engine engine = simulation_engine::chain;
  std::uint64_t seed = 0;
};

/// When the ODE meets the event, raw: NaN where it never does, nothing where the start does.
std::optional<double> event_time(const activation_pair& pair, const parameter_point& at,
                                 const overlap_event& event);

/// One dimension: what is simulated, and its parameters with the noise scale γ = η d/B.
struct experiment {
  std::uint64_t dimension = 0;
  std::uint64_t batch = 0;
  double learning_rate = 0.0;
  lora_parameters parameters;
  std::uint64_t steps = 0;
  std::vector<std::uint64_t> record;
};

/// \throws argument_error where the learning rate leaves no batch, or there are 1e12 steps
std::vector<experiment> experiments_of(const validation_problem& problem);

/// A comparison.
struct validation_row {
  std::string check;  ///< mean, limit, slope or law
  double dim = 0.0;
  std::string quantity;
  double t = 0.0;
  double theory = 0.0;
  double simulated = 0.0;
  double deviation = 0.0;
  double error = 0.0;
  double statistic = 0.0;
  double threshold = 0.0;
  std::string verdict;                ///< pass, fail or untested
  std::optional<std::uint64_t> seed;  ///< of the ensemble, where there is one
  std::string status;
};
/// The columns of its rows.
row_description<validation_row> validation_columns();

/// A row for each comparison.
struct validation_result {
  std::vector<validation_row> rows;
  bool complete = false;  ///< false where it was stopped
};

/// \throws argument_error as the simulation; convergence_error where the theory's run ends early
validation_result validate(const validation_problem& problem, const study_control& control);

}  // namespace loradyn::study
