#include <loradyn/simulation/chain.hpp>

#include <algorithm>
#include <cmath>
#include <loradyn/simulation/random.hpp>

namespace loradyn::detail {
namespace {

// From here on a batch fills the lanes better than eight runs do.
constexpr std::uint64_t batch_for_lanes = 16;

// Adds the lanes up in a fixed order and gives every lane the sum.
void spread_sum(lane_values& v) {
  const double even = (v[0] + v[4]) + (v[2] + v[6]);
  const double odd = (v[1] + v[5]) + (v[3] + v[7]);
  v.fill(even + odd);
}

}  // namespace

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
  for (const training_stage& stage : problem.stages) {
    stages_.push_back({.teacher = batch_activation(kernels, stage.teacher),
                       .noise = std::sqrt(stage.label_noise),
                       .rate = stage.learning_rate / static_cast<double>(problem.batch),
                       .rate_ratio = stage.rate_ratio});
  }
  for (std::size_t e = 0; e < lane_count; ++e) {
    place_.run[e] = runs[run_per_lane_ ? std::min(e, runs.size() - 1) : 0];
    place_.draw[e] = run_per_lane_ ? 0 : e;
  }
  place_.stride = run_per_lane_ ? 1 : lane_count;
}

void chain_engine::start() {
  counter_lanes at = place_;
  at.step.fill(0);
  at.draw.fill(0);
  lane_values first;
  lane_values second;
  lane_values rest;
  kernels_->normal_pairs(random_key(seed_, random_stream::chain_start), at, 1, first.data(),
                         second.data());
  chi_square(*kernels_, random_key(seed_, random_stream::chain_start_rest), at,
             dimension_ - (misaligned_ ? 2 : 1), rest);
  const auto d = static_cast<double>(dimension_);
  for (std::size_t e = 0; e < lane_count; ++e) {
    double m = start_.m0.value_or(first[e]);
    double s = start_.m0 ? start_.s0 : second[e];
    if (!misaligned_) {
      s = 0.0;
    }
    if (start_.m0) {
      rest[e] = std::max(0.0, 1.0 - m * m - s * s);
    }
    const double norm = std::sqrt(m * m + s * s + rest[e]);
    state_.u[e] = start_.u0.value_or(1.0 / (d * d));
    state_.m[e] = m / norm;
    state_.s[e] = s / norm;
    state_.c[e] = std::sqrt(rest[e]) / norm;
  }
  before_ = state_;
}

void chain_engine::sum_batch(std::uint64_t step, const stage_constants& stage, batch_sums& sums) {
  buffers& b = *buffers_;
  lane_values on_target;
  lane_values on_misaligned;
  lane_values on_rest;
  for (std::size_t e = 0; e < lane_count; ++e) {
    on_target[e] = alignment_ + state_.u[e] * state_.m[e];
    on_misaligned[e] = misalignment_ + state_.u[e] * state_.s[e];
    on_rest[e] = state_.u[e] * state_.c[e];
  }
  const std::uint64_t rows = run_per_lane_ ? batch_ : (batch_ + lane_count - 1) / lane_count;
  const bool noisy = stage.noise > 0.0;
  const double* const z2 = misaligned_ ? b.z2.data() : nullptr;
  const double* const zeta = noisy ? b.zeta.data() : nullptr;
  counter_lanes at = place_;
  at.step.fill(step);
  for (std::uint64_t row = 0; row < rows; row += block_rows) {
    const auto n = static_cast<std::size_t>(std::min<std::uint64_t>(block_rows, rows - row));
    for (std::size_t e = 0; e < lane_count; ++e) {
      at.draw[e] = place_.draw[e] + row * place_.stride;
    }
    kernels_->normal_pairs(random_key(seed_, random_stream::chain_samples), at, n, b.z1.data(),
                           b.z3.data());
    if (misaligned_ || noisy) {
      kernels_->normal_pairs(random_key(seed_, random_stream::chain_extras), at, n, b.z2.data(),
                             b.zeta.data());
    }
    kernels_->combine(on_target, b.z1.data(), on_misaligned, z2, on_rest, b.z3.data(), n,
                      b.field.data());
    student_.evaluate(b.field.data(), n * lane_count, b.value.data(), b.slope.data());
    stage.teacher.values(b.z1.data(), n * lane_count, b.target.data());
    if (!run_per_lane_ && row + n == rows) {
      // Lanes of the last row that have no sample.
      for (std::size_t i = static_cast<std::size_t>(batch_ - row * lane_count); i < n * lane_count;
           ++i) {
        b.value[i] = b.target[i] = b.slope[i] = 0.0;
      }
    }
    kernels_->accumulate(b.value.data(), b.target.data(), b.slope.data(), zeta, stage.noise,
                         b.z1.data(), z2, b.z3.data(), n, sums);
  }
  if (!run_per_lane_) {
    spread_sum(sums.first);
    spread_sum(sums.second);
    spread_sum(sums.third);
    spread_sum(sums.square);
  }
}

void chain_engine::draw_rest(std::uint64_t step) {
  counter_lanes at = place_;
  for (std::size_t e = 0; e < lane_count; ++e) {
    at.step[e] = run_per_lane_ ? step : step - step % lane_count + e;
  }
  chi_square(*kernels_, random_key(seed_, random_stream::chain_rest), at,
             dimension_ - (misaligned_ ? 3 : 2), rest_);
}

bool chain_engine::step(std::uint64_t step, std::size_t stage) {
  batch_sums sums;
  sum_batch(step, stages_[stage], sums);
  before_ = state_;
  const double rate = stages_[stage].rate;
  const double rate_ratio = stages_[stage].rate_ratio;
  if (run_per_lane_) {
    draw_rest(step);
    return kernels_->advance(sums, rest_, rate, rate_ratio, before_, state_);
  }
  if (step % lane_count == 0) {
    draw_rest(step);
  }
  lane_values chi;
  chi.fill(rest_[step % lane_count]);
  return kernels_->advance(sums, chi, rate, rate_ratio, before_, state_);
}

simulated_state chain_engine::state(std::size_t lane) const noexcept {
  return {.u = state_.u[lane], .m = state_.m[lane], .s = state_.s[lane]};
}

simulated_state chain_engine::previous(std::size_t lane) const noexcept {
  return {.u = before_.u[lane], .m = before_.m[lane], .s = before_.s[lane]};
}

bool chain_engine::healthy(std::size_t lane) const noexcept {
  return std::abs(state_.u[lane]) + std::abs(state_.m[lane]) + std::abs(state_.s[lane]) +
             state_.c[lane] <=
         divergence_bound;
}

void chain_engine::retire(std::size_t lane) noexcept {
  state_.u[lane] = state_.m[lane] = state_.s[lane] = 0.0;
  state_.c[lane] = 1.0;
}

std::vector<double> chain_engine::save() const {
  std::vector<double> saved;
  for (const lane_values* values : {&state_.u, &state_.m, &state_.s, &state_.c}) {
    saved.insert(saved.end(), values->begin(), values->end());
  }
  return saved;
}

bool chain_engine::restore(std::span<const double> saved, std::uint64_t step) {
  if (saved.size() != 4 * lane_count) {
    return false;
  }
  auto from = saved.begin();
  for (lane_values* values : {&state_.u, &state_.m, &state_.s, &state_.c}) {
    std::copy_n(from, lane_count, values->begin());
    from += lane_count;
  }
  before_ = state_;
  draw_rest(step);
  return true;
}

}  // namespace loradyn::detail
