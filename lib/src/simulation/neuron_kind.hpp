#pragma once

/// \file
/// Simulations of one neuron, as packs and ensembles take them (engine_pack.hpp). Internal to the
/// simulation room.

#include <cmath>
#include <cstddef>
#include <loradyn/simulation/ensemble.hpp>
#include <string>
#include <vector>
#include "simulation/bytes.hpp"
#include "simulation/engine_pack.hpp"

namespace loradyn::detail {

struct neuron_kind {
  using problem = simulation_problem;
  using plan = simulation_plan;
  using state = simulated_state;
  using run = run_result;

  static std::vector<stage_span> stages(const problem& p) {
    std::vector<stage_span> spans;
    for (const simulation_stage& stage : p.stages) {
      spans.push_back({stage.steps, stage.flips});
    }
    return spans;
  }

  template <class Engine>
  static double value(simulated_quantity quantity, const problem& p, const plan& asked,
                      const Engine& engine, std::size_t lane) {
    return value_of(quantity, p, asked, engine.state(lane));
  }

  static bool possible(const state& x) {
    return std::isfinite(x.u) && std::isfinite(x.m) && std::isfinite(x.s);
  }

  static void put(byte_writer& out, const state& x) { out.put(x); }
  static state get(byte_reader& in, const problem&) { return in.get<state>(); }

  static std::string configuration(const problem& p, simulation_engine engine, const plan& asked,
                                   std::uint64_t runs) {
    return configuration_text(p, engine, asked, runs);
  }

  static double results(const problem&, const plan& asked, std::uint64_t runs) {
    return ensemble_bytes(asked, runs);
  }

  /// What explicit SGD takes on each thread, in bytes.
  static double vectors(const problem& p) {
    return 8.0 * (9.0 * static_cast<double>(p.dimension) + 32768.0);
  }
};

}  // namespace loradyn::detail
