#include <loradyn/simulation/ensemble.hpp>

#include <fmt/format.h>

#include "simulation/bytes.hpp"
#include "simulation/ensemble_work.hpp"
#include "simulation/neuron_kind.hpp"

namespace loradyn {

double ensemble_bytes(const simulation_plan& plan, std::uint64_t runs) noexcept {
  const double each = sizeof(run_result) + 1.0 +
                      static_cast<double>(plan.events.size()) * sizeof(event_hit) +
                      static_cast<double>(plan.record.size()) * sizeof(simulated_state);
  return static_cast<double>(runs) * each;
}

std::string configuration_text(const simulation_problem& problem, simulation_engine engine,
                               const simulation_plan& plan, std::uint64_t runs) {
  std::string text;
  const auto line = [&text](std::string_view name, const auto& value) {
    text += fmt::format("{} {}\n", name, value);
  };
  line("engine", name_of(simulation_engines, engine));
  line("student", problem.student.name());
  line("mu", problem.alignment);
  line("nu", problem.misalignment);
  line("dim", problem.dimension);
  line("batch", problem.batch);
  line("u0", problem.start.u0 ? fmt::format("{}", *problem.start.u0) : "1/d²");
  line("m0", problem.start.m0 ? fmt::format("{}", *problem.start.m0) : "uniform");
  line("s0", problem.start.s0);
  for (const simulation_stage& stage : problem.stages) {
    line("teacher", stage.teacher.name());
    line("noise", stage.label_noise);
    line("lr-ratio", stage.rate_ratio);
    line("lr", stage.learning_rate);
    line("steps", stage.steps);
    if (stage.flips) {
      line("flips", stage.flips);
    }
    if (stage.label) {
      line("label", stage.label->name());
    }
  }
  line("seed", problem.seed);
  line("runs", runs);
  for (const simulation_event& event : plan.events) {
    line("event", fmt::format("{} at {}, direction {}", static_cast<int>(event.quantity),
                              event.level, static_cast<int>(event.direction)));
  }
  line("stop-after-events", plan.stop_after_events);
  line("points", plan.record.size());
  detail::byte_writer record;
  record.put_list(plan.record);
  line("record", fmt::format("{:016x}", detail::checksum_of(record.take())));
  return text;
}

ensemble simulate_ensemble(const simulation_problem& problem, simulation_engine engine,
                           const simulation_plan& plan, std::uint64_t runs,
                           const ensemble_control& control, std::string_view checkpoint) {
  problem.validate();
  plan.validate(problem);
  return detail::run_ensemble<detail::neuron_kind>(problem, engine, plan, runs, control,
                                                   checkpoint);
}

}  // namespace loradyn
