#pragma once

// The commands' questions asked of networks.

#include <optional>
#include <string>

#include "command.hpp"
#include "network_options.hpp"
#include "options.hpp"

namespace loradyn::cli {

// What a trajectory's own options say.
struct network_trajectory_words {
  std::string t_end;
  std::string points;
  study::record_times record;
  std::optional<double> learning_rate;  // of the map
  std::string stages;
  std::string end_state;
};

int run_network_trajectory(const network_options& network, const shared_options& shared,
                           const start_options& start, const integrator_options& integrator,
                           const network_trajectory_words& words, const invocation& call);

int run_network_escape(const network_options& network, const shared_options& shared,
                       const start_options& start, const event_options& event,
                       const integrator_options& integrator, const law_options& law,
                       const invocation& call);

int run_network_rates(const network_options& network, const shared_options& shared,
                      const invocation& call);

int run_network_critical(const network_options& network, const shared_options& shared,
                         const invocation& call);

int run_network_fixed_points(const network_options& network, const shared_options& shared,
                             const start_options& start, const std::string& starts,
                             const invocation& call);

// What a simulation's own options say.
struct network_simulate_words {
  std::string dimension;
  std::string batch;
  std::string learning_rate;
  std::string steps;
  std::string t_end;
  std::string runs;
  std::string engine;
  std::string points;
  std::string stages;
  std::string checkpoint;
};

int run_network_simulate(const network_options& network, shared_options shared,
                         const start_options& start, const event_options& event,
                         const network_simulate_words& words, const invocation& call);

}  // namespace loradyn::cli
