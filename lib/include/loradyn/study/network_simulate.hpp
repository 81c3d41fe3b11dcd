#pragma once

/// \file
/// Networks trained at finite dimension and learning rate (docs/theory.md, section 14).

#include <cstdint>
#include <loradyn/dynamics/network_event.hpp>
#include <loradyn/simulation/network_run.hpp>
#include <loradyn/study/network.hpp>
#include <loradyn/study/pair.hpp>
#include <loradyn/study/parameter.hpp>
#include <loradyn/study/row.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace loradyn::study {

/// The event as a simulation watches it.
network_event simulated_event(const network_overlap_event& event);

/// The plan's risks, those of a flow.
void tell_risks(const network_flow& f, network_plan& plan);

/// An ensemble of simulated runs.
struct network_simulate_problem {
  activation_pair pair;
  network_layout layout{};
  network_start_request start{};  ///< its dimension and seed are those of the simulation
  parameter_point at{};           ///< without γ: η d/B
  std::optional<double> u0{};     ///< 1/d² where empty, after a one-step start 0
  std::uint64_t batch = 1;
  double learning_rate = 0.1;
  std::uint64_t steps = 1000;
  /// In the place of Δ, κ, the learning rate and the steps. The risk is told with the target of the
  /// pair and the labels' noise of the last.
  std::vector<network_simulated_stage> stages{};
  simulation_engine engine = simulation_engine::chain;
  std::vector<std::uint64_t> record{};           ///< recorded steps,
  std::optional<network_overlap_event> event{};  ///< or the event that ends a run
  std::uint64_t runs = 100;
};

/// A recorded time.
struct network_summary_row {
  std::uint64_t step = 0;
  double t = 0.0;
  double samples = 0.0;
  std::uint64_t runs = 0;  ///< that have a state there
  std::uint64_t diverged = 0;
  /// Of each column of a record but the samples: mean, deviation, quantiles 5, 50 and 95 %.
  std::vector<double> values;
};
/// The columns of the ensemble's means and deviations.
row_description<network_summary_row> network_summary_columns(const network_shape& shape);

/// A run that an event ends.
struct network_run_row {
  std::uint64_t run = 0;
  double t_hit = 0.0;
  std::string outcome;
  std::string status;
  network_record at;  ///< at the event, or the last state
};
/// The columns of single runs.
row_description<network_run_row> network_run_columns(const network_shape& shape);

/// Its tables.
struct network_simulate_result {
  network_ensemble done;
  std::vector<network_summary_row> recorded;  ///< where it is complete and the problem records
  std::vector<network_run_row> runs;          ///< where it is complete and the problem has an event
};

/// What is simulated of it.
network_problem simulated_problem(const network_simulate_problem& problem);

/// \throws argument_error as `network_at` and `simulate_ensemble`
network_simulate_result simulate(const network_simulate_problem& problem,
                                 const ensemble_control& control, std::string_view checkpoint = {});

}  // namespace loradyn::study
