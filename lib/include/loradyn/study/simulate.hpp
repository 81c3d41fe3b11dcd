#pragma once

/// \file
/// Training at finite dimension and learning rate, and what the theory says of it (docs/theory.md,
/// section 11).

#include <cstdint>
#include <functional>
#include <loradyn/dynamics/overlap_event.hpp>
#include <loradyn/simulation/ensemble.hpp>
#include <loradyn/simulation/problem.hpp>
#include <loradyn/study/pair.hpp>
#include <loradyn/study/row.hpp>
#include <loradyn/study/trajectory.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace loradyn::study {

/// The event as a simulation watches it; M is reached from the side of the start.
simulation_event simulated_event(const overlap_event& event);
/// The event that it watches. \throws argument_error where it is none of a flow
overlap_event overlap_event_of(const simulation_event& event);

/// R(M, Q) of a pair, with label noise, as a simulation asks for it.
std::function<double(double, double)> risk_of(const population_risk& risk, double label_noise);

/// An ensemble of simulated runs.
struct simulate_problem {
  simulation_problem problem;
  simulation_engine engine = simulation_engine::chain;
  simulation_plan plan;  ///< records, or one event
  std::uint64_t runs = 100;
  double rate_unit = 1.0;  ///< times of the table are raw times multiplied by it
};

/// Of a quantity over the runs.
struct quantity_summary {
  double mean = 0.0;
  double sd = 0.0;
  double q05 = 0.0;
  double q50 = 0.0;
  double q95 = 0.0;
};

/// A recorded time.
struct record_row {
  std::uint64_t step = 0;
  double t = 0.0;
  std::uint64_t runs = 0;  ///< that have a state there
  std::uint64_t diverged = 0;
  quantity_summary u;
  quantity_summary m;
  quantity_summary m_abs;
  quantity_summary s;
  quantity_summary M;
  quantity_summary Q;
  quantity_summary risk;
};
/// The columns of a table of times.
row_description<record_row> record_columns();

/// A run that an event ends.
struct run_row {
  std::uint64_t run = 0;
  double t_hit = 0.0;
  simulated_state x;  ///< at the event, or the last
  std::string outcome;
  std::string status;
};
/// The columns of a table of runs.
row_description<run_row> run_columns();

/// The rows that were asked for, and the ensemble itself.
struct simulate_result {
  ensemble done;
  std::vector<record_row> recorded;  ///< where it is complete and the plan records
  std::vector<run_row> runs;         ///< where it is complete and the plan has an event
};

/// \param checkpoint as `simulate_ensemble` \throws as `simulate_ensemble`
simulate_result simulate(const simulate_problem& problem, const ensemble_control& control,
                         std::string_view checkpoint = {});

/// What the theory needs to know of a simulation of one stage.
struct simulated_setting {
  activation_pair pair;
  parameter_point at;         ///< with its dimension and γ = η d/B
  bool random_start = false;  ///< v uniform on the sphere; u0 is that of `at`
};

/// The ODE at these times, which are in the unit of the table and increase; of a random start from
/// the median of |m|.
std::vector<trajectory_row> expected_run(const simulated_setting& setting,
                                         const std::vector<double>& times);

/// The density of the hitting times by the law.
struct density_point {
  double t = 0.0;
  double density = 0.0;
};
/// From the quantile 1e-4 to 0.999; nothing where the law does not hold.
std::vector<density_point> expected_hits(const simulated_setting& setting,
                                         const overlap_event& event);

}  // namespace loradyn::study
