#include <loradyn/simulation/problem.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <loradyn/error.hpp>
#include <loradyn/interruption.hpp>
#include <loradyn/model/overlaps.hpp>
#include <loradyn/simulation/random.hpp>
#include <utility>

namespace loradyn {
namespace {

template <class Number>
void require(bool holds, const char* name, Number value, const char* expected) {
  if (!holds) {
    throw argument_error(name, fmt::format("{}", value), expected);
  }
}

void check_stage(const simulation_stage& stage) {
  lora_parameters{.label_noise = stage.label_noise, .rate_ratio = stage.rate_ratio}.validate();
  require(stage.learning_rate > 0.0 && std::isfinite(stage.learning_rate), "lr (learning rate)",
          stage.learning_rate, "finite and > 0");
  require(stage.steps >= 1 && stage.steps < random_steps, "steps", stage.steps,
          "at least 1 and below 2^48");
}

void check_start(const simulation_start& start) {
  require(std::isfinite(start.u0.value_or(0.0)), "u0", start.u0.value_or(0.0), "finite");
  const double m = start.m0.value_or(0.0);
  require(std::isfinite(m), "m0", m, "finite");
  require(std::isfinite(start.s0), "s0", start.s0, "finite");
  require(start.m0 || start.s0 == 0.0, "s0", start.s0, "given together with m0");
  require(in_disc({0.0, m, start.s0}), "m0² + s0²", m * m + start.s0 * start.s0, "at most 1");
}

std::vector<std::uint64_t> distinct(std::vector<std::uint64_t> steps) {
  steps.erase(std::unique(steps.begin(), steps.end()), steps.end());
  return steps;
}

void check_record_size(std::uint64_t points) {
  require(points >= 2 && points <= 100'000'000, "points", points, "at least 2 and at most 10^8");
}

}  // namespace

bool simulation_problem::has_misaligned_direction() const noexcept {
  return misalignment > 0.0 || start.s0 != 0.0;
}

std::uint64_t simulation_problem::steps() const noexcept {
  std::uint64_t total = 0;
  for (const simulation_stage& stage : stages) {
    total += stage.steps;
  }
  return total;
}

double simulation_problem::time_at(std::uint64_t step) const noexcept {
  double time = 0.0;
  for (const simulation_stage& stage : stages) {
    const std::uint64_t taken = std::min(step, stage.steps);
    time += stage.learning_rate * static_cast<double>(taken);
    step -= taken;
  }
  return time;
}

void simulation_problem::validate() const {
  lora_parameters{.alignment = alignment, .misalignment = misalignment}.validate();
  check_start(start);
  // One dimension at least is left for the gradient's orthogonal part.
  const bool misaligned = has_misaligned_direction();
  require(dimension >= (misaligned ? 4 : 3), "dim (dimension)", dimension,
          misaligned ? "at least 4 where nu > 0 or s0 is given" : "at least 3");
  require(dimension < (std::uint64_t{1} << 48), "dim (dimension)", dimension, "below 2^48");
  require(batch >= 1, "batch", batch, "at least 1");
  require(batch < (std::uint64_t{1} << 48), "batch", batch, "below 2^48");
  require(seed <= max_seed, "seed", seed, "at most 2^53 - 1");
  require(!stages.empty(), "stages", stages.size(), "at least one");
  std::uint64_t total = 0;
  for (const simulation_stage& stage : stages) {
    check_stage(stage);
    total += stage.steps;  // of two numbers below 2^48: no overflow
    require(total < random_steps, "steps of all stages", total, "below 2^48");
  }
}

simulation_problem make_problem(activation student, activation teacher,
                                const lora_parameters& parameters, std::uint64_t dimension,
                                std::uint64_t batch, double learning_rate, std::uint64_t steps) {
  parameters.validate();
  require(parameters.noise_scale == 0.0, "gamma (noise scale)", parameters.noise_scale,
          "unset: dimension, batch and learning rate make it");
  simulation_problem problem{.student = std::move(student),
                             .alignment = parameters.alignment,
                             .misalignment = parameters.misalignment,
                             .dimension = dimension,
                             .batch = batch,
                             .start = {},
                             .stages = {simulation_stage{.teacher = std::move(teacher),
                                                         .label_noise = parameters.label_noise,
                                                         .rate_ratio = parameters.rate_ratio,
                                                         .learning_rate = learning_rate,
                                                         .steps = steps}}};
  problem.validate();
  return problem;
}

target_overlaps overlaps_of(const simulation_problem& problem, const simulated_state& state) {
  const double mu = problem.alignment;
  const double nu = problem.misalignment;
  const auto [u, m, s] = state;
  return {.M = mu + u * m, .Q = mu * mu + nu * nu + 2.0 * u * (mu * m + nu * s) + u * u};
}

void simulation_plan::validate(const simulation_problem& problem) const {
  for (std::size_t i = 0; i < record.size(); ++i) {
    require(i == 0 || record[i] > record[i - 1], "a recorded step", record[i],
            "larger than the one before it");
  }
  require(record.empty() || record.back() <= problem.steps(), "the last recorded step",
          record.empty() ? 0 : record.back(), "at most the number of steps");
  for (const simulation_event& event : events) {
    require(std::isfinite(event.level), "the level of an event", event.level, "finite");
    require(event.quantity != simulated_quantity::risk || static_cast<bool>(risk),
            "the risk that an event watches", "missing", "a function of M and Q");
  }
  require(!stop_after_events || !events.empty(), "the list of events", "empty",
          "one event or more where they end a run");
}

double value_of(simulated_quantity quantity, const simulation_problem& problem,
                const simulation_plan& plan, const simulated_state& state) {
  switch (quantity) {
    case simulated_quantity::m_abs:
      return std::abs(state.m);
    case simulated_quantity::m:
      return state.m;
    case simulated_quantity::s:
      return state.s;
    case simulated_quantity::u:
      return state.u;
    case simulated_quantity::M:
      return overlaps_of(problem, state).M;
    case simulated_quantity::M_abs:
      return std::abs(overlaps_of(problem, state).M);
    case simulated_quantity::Q:
      return overlaps_of(problem, state).Q;
    case simulated_quantity::risk:
      break;
  }
  const target_overlaps overlaps = overlaps_of(problem, state);
  return plan.risk(overlaps.M, overlaps.Q);
}

std::vector<std::uint64_t> linear_record(std::uint64_t steps, std::uint64_t points) {
  check_record_size(points);
  std::vector<std::uint64_t> record;
  for (std::uint64_t i = 0; i < points; ++i) {
    check_stop();
    const double share = static_cast<double>(i) / static_cast<double>(points - 1);
    record.push_back(static_cast<std::uint64_t>(std::llround(share * static_cast<double>(steps))));
  }
  return distinct(std::move(record));
}

std::vector<std::uint64_t> logarithmic_record(std::uint64_t steps, std::uint64_t points) {
  check_record_size(points);
  std::vector<std::uint64_t> record{0};
  const double growth = std::log(static_cast<double>(std::max<std::uint64_t>(steps, 1)));
  for (std::uint64_t i = 0; i + 1 < points && steps > 0; ++i) {
    check_stop();
    const double share =
        points > 2 ? static_cast<double>(i) / static_cast<double>(points - 2) : 1.0;
    const auto step = static_cast<std::uint64_t>(std::llround(std::exp(share * growth)));
    record.push_back(std::min(step, steps));
  }
  return distinct(std::move(record));
}

}  // namespace loradyn
