#include "simulation/sgd.hpp"

#include <algorithm>
#include <cmath>
#include <loradyn/interruption.hpp>
#include <loradyn/simulation/random.hpp>

namespace loradyn::detail {
namespace {

// Numbers in a block of inputs: 256 KiB, which a second-level cache holds.
constexpr Eigen::Index inputs_in_block = 32768;

void orthogonalise(Eigen::VectorXd& v, const Eigen::VectorXd& unit) {
  // Twice: the first time leaves a rounding error of the size of v's old component.
  v -= unit.dot(v) * unit;
  v -= unit.dot(v) * unit;
}

}  // namespace

sgd_engine::sgd_engine(const simulation_problem& problem, std::span<const std::uint64_t> runs,
                       const batch_kernels& kernels)
    : kernels_(&kernels),
      problem_(problem),
      run_(runs[0]),
      half_(static_cast<Eigen::Index>((problem.dimension + 1) / 2)),
      student_(kernels, problem.student) {
  for (const simulation_stage& stage : problem.stages) {
    stages_.push_back({.teacher = batch_activation(kernels, stage.teacher),
                       .label = stage.label ? std::optional(batch_activation(kernels, *stage.label))
                                            : std::nullopt,
                       .noise = std::sqrt(stage.label_noise),
                       .learning_rate = stage.learning_rate,
                       .rate_ratio = stage.rate_ratio});
  }
  const auto batch = static_cast<Eigen::Index>(
      std::min<std::uint64_t>(problem.batch, static_cast<std::uint64_t>(inputs_in_block)));
  const Eigen::Index columns =
      std::min(batch, std::max<Eigen::Index>(1, inputs_in_block / (2 * half_)));
  first_.resize(half_, columns);
  second_.resize(half_, columns);
  field_.resize(columns);
  label_field_.resize(columns);
  gradient_.resize(2 * half_);
}

Eigen::VectorXd sgd_engine::random_vector(std::uint64_t key) const {
  Eigen::VectorXd v(2 * half_);
  const auto half = static_cast<std::size_t>(half_);
  fill_normal_pairs(*kernels_, key, run_, 0, 0, {v.data(), half}, {v.data() + half, half});
  if (problem_.dimension % 2 == 1) {
    v[2 * half_ - 1] = 0.0;
  }
  return v;
}

void sgd_engine::draw_geometry() {
  target_ = random_vector(random_key(problem_.seed, random_stream::sgd_target)).normalized();
  pretrained_ = problem_.alignment * target_;
  if (problem_.has_misaligned_direction()) {
    misaligned_ = random_vector(random_key(problem_.seed, random_stream::sgd_misaligned));
    orthogonalise(misaligned_, target_);
    misaligned_.normalize();
    pretrained_ += problem_.misalignment * misaligned_;
  }
}

void sgd_engine::measure() {
  state_.m = adapter_.dot(target_);
  state_.s = problem_.has_misaligned_direction() ? adapter_.dot(misaligned_) : 0.0;
}

void sgd_engine::start() {
  draw_geometry();
  adapter_ = random_vector(random_key(problem_.seed, random_stream::sgd_adapter));
  const simulation_start& start = problem_.start;
  if (start.m0) {
    const double m = *start.m0;
    orthogonalise(adapter_, target_);
    if (problem_.has_misaligned_direction()) {
      orthogonalise(adapter_, misaligned_);
    }
    adapter_ *= std::sqrt(std::max(0.0, 1.0 - m * m - start.s0 * start.s0)) / adapter_.norm();
    adapter_ += m * target_;
    if (problem_.has_misaligned_direction()) {
      adapter_ += start.s0 * misaligned_;
    }
  }
  adapter_.normalize();
  const auto d = static_cast<double>(problem_.dimension);
  state_.u = start.u0.value_or(1.0 / (d * d));
  measure();
  before_ = state_;
}

void sgd_engine::errors(const stage_constants& stage, std::uint64_t step,
                        std::uint64_t first_sample, Eigen::Index n) {
  block field{};
  block target{};
  block value;
  block slope;
  block goal;
  block zeta{};
  block unused{};
  for (Eigen::Index i = 0; i < n; i += static_cast<Eigen::Index>(block_size)) {
    const auto count =
        static_cast<std::size_t>(std::min(n - i, static_cast<Eigen::Index>(block_size)));
    const std::size_t padded = (count + lane_count - 1) / lane_count * lane_count;
    std::copy_n(field_.data() + i, count, field.begin());
    std::copy_n(label_field_.data() + i, count, target.begin());
    student_.evaluate(field.data(), padded, value.data(), slope.data());
    stage.teacher.values(target.data(), padded, goal.data());
    if (stage.noise > 0.0) {
      fill_normal_pairs(*kernels_, random_key(problem_.seed, random_stream::sgd_labels), run_, step,
                        first_sample + static_cast<std::uint64_t>(i), {zeta.data(), count},
                        {unused.data(), count});
    }
    if (stage.label) {
      for (std::size_t j = 0; j < count; ++j) {
        target[j] = goal[j] + stage.noise * zeta[j];
        zeta[j] = 0.0;  // it is in the label
      }
      stage.label->values(target.data(), padded, goal.data());
    }
    for (std::size_t j = 0; j < count; ++j) {
      label_field_[i + static_cast<Eigen::Index>(j)] =
          (value[j] - goal[j] - stage.noise * zeta[j]) * slope[j];
    }
  }
}

bool sgd_engine::step(std::uint64_t step, std::size_t stage) {
  const stage_constants& constants = stages_[stage];
  const Eigen::VectorXd weights = pretrained_ + state_.u * adapter_;
  gradient_.setZero();
  const auto columns = static_cast<std::uint64_t>(first_.cols());
  for (std::uint64_t sample = 0; sample < problem_.batch; sample += columns) {
    check_stop();  // the state is still that of the step before
    const auto n = static_cast<Eigen::Index>(std::min(columns, problem_.batch - sample));
    const auto pairs = static_cast<std::size_t>(half_ * n);
    fill_normal_pairs(*kernels_, random_key(problem_.seed, random_stream::sgd_inputs), run_, step,
                      sample * static_cast<std::uint64_t>(half_), {first_.data(), pairs},
                      {second_.data(), pairs});
    const auto first = first_.leftCols(n);
    const auto second = second_.leftCols(n);
    field_.head(n).noalias() = first.transpose() * weights.head(half_);
    field_.head(n).noalias() += second.transpose() * weights.tail(half_);
    label_field_.head(n).noalias() = first.transpose() * target_.head(half_);
    label_field_.head(n).noalias() += second.transpose() * target_.tail(half_);
    errors(constants, step, sample, n);
    gradient_.head(half_).noalias() += first * label_field_.head(n);
    gradient_.tail(half_).noalias() += second * label_field_.head(n);
  }
  if (problem_.dimension % 2 == 1) {
    gradient_[2 * half_ - 1] = 0.0;
  }
  gradient_ /= static_cast<double>(problem_.batch);
  before_ = state_;
  const double descent = gradient_.dot(adapter_);  // from here on (6.1)
  adapter_ -= constants.learning_rate * before_.u * gradient_;
  adapter_ /= adapter_.norm();
  state_.u -= constants.rate_ratio * constants.learning_rate * descent;
  measure();
  return healthy(0);
}

bool sgd_engine::healthy(std::size_t) const noexcept {
  // A norm that overflows leaves zeros without a NaN.
  const double length = adapter_.squaredNorm();
  return std::abs(state_.u) + std::abs(state_.m) + std::abs(state_.s) <= divergence_bound &&
         length > 0.5 && length < 2.0;
}

std::vector<double> sgd_engine::save() const {
  std::vector<double> saved(adapter_.begin(), adapter_.end());
  saved.push_back(state_.u);
  return saved;
}

bool sgd_engine::restore(std::span<const double> saved, std::uint64_t) {
  if (saved.size() != static_cast<std::size_t>(2 * half_ + 1)) {
    return false;
  }
  draw_geometry();
  adapter_ = Eigen::Map<const Eigen::VectorXd>(saved.data(), 2 * half_);
  state_.u = saved.back();
  measure();
  before_ = state_;
  return true;
}

}  // namespace loradyn::detail
