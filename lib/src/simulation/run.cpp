#include <loradyn/simulation/run.hpp>

#include <fmt/format.h>

#include <limits>
#include <loradyn/error.hpp>
#include <loradyn/simulation/random.hpp>
#include "simulation/chain.hpp"
#include "simulation/engine_pack.hpp"
#include "simulation/neuron_kind.hpp"
#include "simulation/sgd.hpp"

namespace loradyn {
namespace detail {

std::size_t pack_width(const simulation_problem& problem, simulation_engine engine) {
  return engine == simulation_engine::chain ? chain_engine::width(problem)
                                            : sgd_engine::width(problem);
}

std::unique_ptr<run_pack> make_pack(const simulation_problem& problem, simulation_engine engine,
                                    const simulation_plan& plan, std::uint64_t first,
                                    std::size_t count) {
  if (engine == simulation_engine::chain) {
    return std::make_unique<engine_pack<neuron_kind, chain_engine>>(problem, plan, first, count);
  }
  return std::make_unique<engine_pack<neuron_kind, sgd_engine>>(problem, plan, first, count);
}

}  // namespace detail

std::string_view name_of(run_outcome outcome) {
  switch (outcome) {
    case run_outcome::finished:
      return "finished";
    case run_outcome::stopped:
      return "stopped";
    case run_outcome::diverged:
      break;
  }
  return "diverged";
}

run_result replay_run(const simulation_problem& problem, simulation_engine engine,
                      const simulation_plan& plan, std::uint64_t run) {
  problem.validate();
  plan.validate(problem);
  if (run >= random_runs) {
    throw argument_error("run", fmt::format("{}", run), "below 2^32");
  }
  const auto pack = detail::make_pack(problem, engine, plan, run, 1);
  while (!pack->done()) {
    pack->advance(std::numeric_limits<std::uint64_t>::max());
  }
  return pack->take_results().front();
}

}  // namespace loradyn
