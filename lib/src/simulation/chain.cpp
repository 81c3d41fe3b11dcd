#include "simulation/chain.hpp"

#include <algorithm>
#include <cmath>
#include <loradyn/interruption.hpp>
#include <loradyn/simulation/random.hpp>

namespace loradyn::detail {

std::size_t chain_engine::width(const simulation_problem& problem) noexcept {
  return problem.batch < batch_for_lanes ? lane_count : 1;
}

chain_engine::chain_engine(const simulation_problem& problem, std::span<const std::uint64_t> runs,
                           const batch_kernels& kernels)
    : kernels_(&kernels),
      alignment_(problem.alignment),
      misalignment_(problem.misalignment),
      dimension_(problem.dimension),
      batch_(problem.batch),
      seed_(problem.seed),
      start_(problem.start),
      misaligned_(problem.has_misaligned_direction()),
      run_per_lane_(width(problem) > 1),
      student_(kernels, problem.student),
      buffers_(std::make_unique<buffers>()) {
  for (const simulation_stage& stage : problem.stages) {
    stages_.push_back({.teacher = batch_activation(kernels, stage.teacher),
                       .label = stage.label ? std::optional(batch_activation(kernels, *stage.label))
                                            : std::nullopt,
                       .noise = std::sqrt(stage.label_noise),
                       .rate = stage.learning_rate / static_cast<double>(problem.batch),
                       .rate_ratio = stage.rate_ratio});
  }
  for (std::size_t e = 0; e < lane_count; ++e) {
    samples_.run[e] = rests_.run[e] = runs[run_per_lane_ ? std::min(e, runs.size() - 1) : 0];
    samples_.draw[e] = run_per_lane_ ? 0 : e;
    rests_.step[e] = run_per_lane_ ? 0 : e;
  }
  samples_.stride = run_per_lane_ ? 1 : lane_count;
}

void chain_engine::start() {
  counter_lanes at = rests_;
  at.step.fill(0);
  lane_values first;
  lane_values second;
  lane_values rest;
  kernels_->normal_pairs(random_key(seed_, random_stream::chain_start), at, 0, 0, 1, first.data(),
                         second.data());
  chi_square(*kernels_, random_key(seed_, random_stream::chain_start_rest), at, 0,
             dimension_ - (misaligned_ ? 2 : 1), rest);
  const auto d = static_cast<double>(dimension_);
  chain_lanes& state = states_[current_];
  for (std::size_t e = 0; e < lane_count; ++e) {
    const double m = start_.m0.value_or(first[e]);
    double s = start_.m0 ? start_.s0 : second[e];
    if (!misaligned_) {
      s = 0.0;
    }
    if (start_.m0) {
      rest[e] = std::max(0.0, 1.0 - m * m - s * s);
    }
    const double norm = std::sqrt(m * m + s * s + rest[e]);
    state.u[e] = start_.u0.value_or(1.0 / (d * d));
    state.m[e] = m / norm;
    state.s[e] = s / norm;
    state.c[e] = std::sqrt(rest[e]) / norm;
  }
  states_[1 - current_] = state;
}

void chain_engine::flip() noexcept {
  for (double& u : states_[current_].u) {
    u = -u;
  }
}

// From g(λ*) to T(g(λ*) + √Δ ζ).
void chain_engine::transform_labels(const stage_constants& stage, std::size_t n) {
  buffers& b = *buffers_;
  if (stage.noise > 0.0) {
    for (std::size_t i = 0; i < n; ++i) {
      b.target[i] += stage.noise * b.zeta[i];
    }
  }
  stage.label->values(b.target.data(), n, b.label.data());
  b.target = b.label;
}

void chain_engine::sum_batch(std::uint64_t step, const stage_constants& stage, batch_sums& sums) {
  buffers& b = *buffers_;
  const std::uint64_t rows = run_per_lane_ ? batch_ : (batch_ + lane_count - 1) / lane_count;
  const bool noisy = stage.noise > 0.0;
  const double* const z2 = misaligned_ ? b.z2.data() : nullptr;
  const double* const zeta = noisy && !stage.label ? b.zeta.data() : nullptr;
  for (std::uint64_t row = 0; row < rows; row += block_rows) {
    check_stop();  // the state is still that of the step before
    const auto n = static_cast<std::size_t>(std::min<std::uint64_t>(block_rows, rows - row));
    kernels_->normal_pairs(random_key(seed_, random_stream::chain_samples), samples_, step, row, n,
                           b.z1.data(), b.z3.data());
    if (misaligned_ || noisy) {
      kernels_->normal_pairs(random_key(seed_, random_stream::chain_extras), samples_, step, row, n,
                             b.z2.data(), b.zeta.data());
    }
    kernels_->student_field(alignment_, misalignment_, now(), b.z1.data(), z2, b.z3.data(), n,
                            b.field.data());
    student_.evaluate(b.field.data(), n * lane_count, b.value.data(), b.slope.data());
    stage.teacher.values(b.z1.data(), n * lane_count, b.target.data());
    if (stage.label) {
      transform_labels(stage, n * lane_count);
    }
    if (!run_per_lane_ && row + n == rows) {
      // Lanes of the last row that have no sample.
      for (std::size_t i = static_cast<std::size_t>(batch_ - row * lane_count); i < n * lane_count;
           ++i) {
        b.value[i] = b.target[i] = b.slope[i] = 0.0;
      }
    }
    kernels_->accumulate(b.value.data(), b.target.data(), b.slope.data(), zeta, stage.noise,
                         b.z1.data(), z2, b.z3.data(), n, row == 0, sums);
  }
}

void chain_engine::draw_rest(std::uint64_t step) {
  chi_square(*kernels_, random_key(seed_, random_stream::chain_rest), rests_,
             run_per_lane_ ? step : step - step % lane_count, dimension_ - (misaligned_ ? 3 : 2),
             rest_);
}

bool chain_engine::step(std::uint64_t step, std::size_t stage) {
  const stage_constants& constants = stages_[stage];
  batch_sums sums;
  sum_batch(step, constants, sums);  // (11.1): the sums, then the state
  if (run_per_lane_ || step % lane_count == 0) {
    draw_rest(step);
  }
  lane_values shared_rest;
  if (!run_per_lane_) {
    shared_rest.fill(rest_[step % lane_count]);
  }
  const chain_lanes& before = states_[current_];
  current_ = 1 - current_;
  return kernels_->advance(sums, !run_per_lane_, run_per_lane_ ? rest_ : shared_rest,
                           constants.rate, constants.rate_ratio, before, states_[current_]);
}

simulated_state chain_engine::state(std::size_t lane) const noexcept {
  return {.u = now().u[lane], .m = now().m[lane], .s = now().s[lane]};
}

simulated_state chain_engine::previous(std::size_t lane) const noexcept {
  const chain_lanes& before = states_[1 - current_];
  return {.u = before.u[lane], .m = before.m[lane], .s = before.s[lane]};
}

bool chain_engine::healthy(std::size_t lane) const noexcept {
  return std::abs(now().u[lane]) + std::abs(now().m[lane]) + std::abs(now().s[lane]) +
             now().c[lane] <=
         divergence_bound;
}

void chain_engine::retire(std::size_t lane) noexcept {
  chain_lanes& state = states_[current_];
  state.u[lane] = state.m[lane] = state.s[lane] = 0.0;
  state.c[lane] = 1.0;
}

std::vector<double> chain_engine::save() const {
  std::vector<double> saved;
  for (const lane_values* values : {&now().u, &now().m, &now().s, &now().c}) {
    saved.insert(saved.end(), values->begin(), values->end());
  }
  return saved;
}

bool chain_engine::restore(std::span<const double> saved, std::uint64_t step) {
  if (saved.size() != 4 * lane_count) {
    return false;
  }
  auto from = saved.begin();
  chain_lanes& state = states_[current_];
  for (lane_values* values : {&state.u, &state.m, &state.s, &state.c}) {
    std::copy_n(from, lane_count, values->begin());
    from += lane_count;
  }
  states_[1 - current_] = state;
  draw_rest(step);
  return true;
}

}  // namespace loradyn::detail
