#include "simulation/network_chain.hpp"

#include <algorithm>
#include <cmath>
#include <loradyn/interruption.hpp>
#include <numeric>

namespace loradyn::detail {
namespace {

// Draws of one number of a sample: its samples have the draws below.
constexpr unsigned draws_shift = 32;
// Quantities of a sample times rows in a block: 128 KiB of them, which a second-level cache holds.
constexpr std::size_t cells_in_block = 2048;

std::size_t size_of(Eigen::Index n) { return static_cast<std::size_t>(n); }

std::vector<lane_values> in_every_lane(const Eigen::MatrixXd& matrix) {
  std::vector<lane_values> values(size_of(matrix.size()));
  for (Eigen::Index i = 0; i < matrix.rows(); ++i) {
    for (Eigen::Index j = 0; j < matrix.cols(); ++j) {
      values[size_of(i * matrix.cols() + j)].fill(matrix(i, j));
    }
  }
  return values;
}

sparse_rows sparse(const Eigen::MatrixXd& matrix) {
  sparse_rows rows;
  for (Eigen::Index i = 0; i < matrix.rows(); ++i) {
    for (Eigen::Index j = 0; j < matrix.cols(); ++j) {
      if (matrix(i, j) != 0.0) {
        rows.columns.push_back(size_of(j));
        rows.factors.push_back(matrix(i, j));
      }
    }
    rows.ends.push_back(rows.columns.size());
  }
  return rows;
}

// Whether fewer products a sample make the adapters' sums than the neurons', where U trains.
bool adapters_are_cheaper(std::size_t neurons, std::size_t rank, std::size_t directions,
                          std::size_t pretrained) {
  const std::size_t n = directions + rank;
  return pretrained + 3 * neurons * rank + 2 * rank * n + rank * rank / 2 <
         2 * neurons * n + neurons * neurons / 2;
}

Eigen::MatrixXd of_lane(const std::vector<lane_values>& values, std::size_t rows,
                        std::size_t columns, std::size_t lane) {
  Eigen::MatrixXd matrix(rows, columns);
  for (std::size_t i = 0; i < rows; ++i) {
    for (std::size_t j = 0; j < columns; ++j) {
      matrix(static_cast<Eigen::Index>(i), static_cast<Eigen::Index>(j)) =
          values[i * columns + j][lane];
    }
  }
  return matrix;
}

bool stays_identity(const network_problem& problem) {
  const std::optional<Eigen::MatrixXd>& U = problem.start.U;
  const std::vector<network_stage> stages = stages_of(problem);
  return U && U->rows() == U->cols() && U->isIdentity(0.0) &&
         std::all_of(stages.begin(), stages.end(), [](const network_stage& stage) {
           return stage.rate_ratio == 0.0 && !stage.flips;
         });
}

}  // namespace

network_chain::network_chain(const network_problem& problem, std::span<const std::uint64_t> runs,
                             const batch_kernels& kernels)
    : kernels_(&kernels),
      loops_(kernels.network),
      problem_(&problem),
      neurons_(size_of(problem.geometry.width())),
      rank_(size_of(problem.parameters.rank)),
      directions_(size_of(problem.geometry.directions())),
      teachers_(size_of(problem.geometry.teacher.rows())),
      run_per_lane_(width(problem) > 1),
      identity_(stays_identity(problem)),
      student_(kernels, problem.student),
      pretrained_(in_every_lane(problem.geometry.pretrained)),
      sparse_pretrained_(sparse(problem.geometry.pretrained)),
      targets_(sparse(problem.geometry.teacher)) {
  const network_geometry& geometry = problem.geometry;
  const bool by_adapter = identity_ || adapters_are_cheaper(neurons_, rank_, directions_,
                                                            sparse_pretrained_.columns.size());
  for (const network_stage& stage : stages_of(problem)) {
    const double eta = stage.learning_rate;
    const double rate = eta / static_cast<double>(problem.batch);
    const bool trains_output = stage.rate_ratio > 0.0;
    const Eigen::VectorXd& readout =
        stage.on_source ? geometry.source_readout : geometry.teacher_readout;
    stages_.push_back({.constants = {.width = neurons_,
                                     .rank = rank_,
                                     .directions = directions_,
                                     .by_adapter = by_adapter,
                                     .trains_adapter_output = trains_output,
                                     .trains_readout = problem.parameters.readout_ratio > 0.0,
                                     .shared = !run_per_lane_,
                                     .adapter = problem.parameters.adapter,
                                     .rate = rate,
                                     .output_rate = stage.rate_ratio * rate,
                                     .readout_rate = problem.parameters.readout_ratio * rate,
                                     .kept = 1.0 - eta * stage.decay,
                                     .output_kept = 1.0 - stage.rate_ratio * eta * stage.decay},
                       .teacher = batch_activation(kernels, stage.teacher),
                       .targets = sparse(stage.on_source ? geometry.source : geometry.teacher),
                       .readout = {readout.begin(), readout.end()},
                       .noise = std::sqrt(stage.label_noise),
                       .through_adapter = by_adapter && trains_output,
                       .label = stage.label ? std::optional(batch_activation(kernels, *stage.label))
                                            : std::nullopt});
  }
  for (std::size_t e = 0; e < lane_count; ++e) {
    samples_.run[e] = rests_.run[e] = runs[run_per_lane_ ? std::min(e, runs.size() - 1) : 0];
    samples_.draw[e] = run_per_lane_ ? 0 : e;
    rests_.step[e] = run_per_lane_ ? 0 : e;
  }
  samples_.stride = run_per_lane_ ? 1 : lane_count;

  const std::size_t n = directions_ + rank_;
  for (lanes_state& state : states_) {
    state.output.resize(neurons_ * rank_);
    state.adapter.resize(rank_ * n);
    state.readout.resize(neurons_);
  }
  weights_.resize(neurons_ * n);
  transposed_.resize(rank_ * neurons_);
  input_sums_.resize(neurons_ * n);
  square_sums_.resize(neurons_ * neurons_);
  if (by_adapter) {
    input_sums_.resize(std::max(neurons_, rank_) * n);
    square_sums_.resize(std::max(neurons_, rank_) * std::max(neurons_, rank_));
  }
  output_sums_.resize(neurons_ * rank_);
  readout_sums_.resize(neurons_);
  scratch_.resize(network_scratch(neurons_, rank_, directions_));
  shared_rest_.resize(rank_);
  shared_mixing_.resize(rank_ * (rank_ - 1) / 2);

  const std::size_t normals = (n + 2) / 2 * 2;
  std::size_t teachers = 0;  // of the widest
  for (const stage_constants& stage : stages_) {
    teachers = std::max(teachers, stage.readout.size());
  }
  const std::size_t quantities = normals + 3 * neurons_ + 2 * rank_ + 2 * teachers + 1;
  rows_ = std::clamp(cells_in_block / quantities, std::size_t{4}, block_rows);
  stride_ = rows_ * lane_count;
  storage_.resize(quantities * rows_);
  double* next = storage_.front().data();
  const auto take = [&](std::size_t blocks) {
    double* const taken = next;
    next += blocks * stride_;
    return taken;
  };
  normals_ = take(normals);
  field_ = take(neurons_);
  value_ = take(neurons_);
  slope_ = take(neurons_);
  mixed_ = take(rank_);
  along_ = take(rank_);
  goal_field_ = take(teachers);
  goal_ = take(teachers);
  delta_ = take(1);
}

network_lanes network_chain::view(std::size_t which) noexcept {
  lanes_state& state = states_[which];
  return {.output = state.output.data(),
          .adapter = state.adapter.data(),
          .readout = state.readout.data()};
}

counter_lanes network_chain::start_draws() const noexcept {
  counter_lanes at = rests_;
  at.step.fill(0);
  return at;
}

void network_chain::draw_normals(random_stream stream, const counter_lanes& at, std::uint64_t step,
                                 std::size_t count, lane_vector& out) {
  const std::size_t pairs = (count + 1) / 2;
  out.resize(2 * pairs);
  for (std::size_t row = 0; row < pairs; row += block_rows) {
    kernels_->normal_pairs(random_key(problem_->seed, stream), at, step, row,
                           std::min(block_rows, pairs - row), out[row].data(),
                           out[pairs + row].data());
  }
}

void network_chain::draw_bartlett(random_stream squares, random_stream normals,
                                  const counter_lanes& at, std::uint64_t step,
                                  std::uint64_t degrees, std::size_t size, lane_vector& rest,
                                  lane_vector& mixing) {
  rest.resize(size);
  counter_lanes mine = at;
  for (std::size_t i = 0; i < size; ++i) {
    mine.draw.fill(static_cast<std::uint64_t>(i) << draws_shift);
    chi_square(*kernels_, random_key(problem_->seed, squares), mine, step, degrees - i, rest[i]);
  }
  draw_normals(normals, at, step, size * (size - 1) / 2, mixing);
}

// V's rows uniform: coordinates on E, and Bartlett's matrix for the rest.
void network_chain::draw_random_adapter() {
  const std::size_t n = directions_ + rank_;
  lane_vector on_frozen;
  draw_normals(random_stream::network_start, start_draws(), 0, rank_ * directions_, on_frozen);
  draw_bartlett(random_stream::network_start_rest, random_stream::network_start_mixing,
                start_draws(), 0, problem_->dimension - directions_, rank_, rest_, mixing_);
  lane_vector& adapter = states_[current_].adapter;
  for (std::size_t a = 0; a < rank_; ++a) {
    for (std::size_t c = 0; c < directions_; ++c) {
      adapter[a * n + c] = on_frozen[a * directions_ + c];
    }
    for (std::size_t b = 0; b < rank_; ++b) {
      lane_values& value = adapter[a * n + directions_ + b];
      if (b < a) {
        value = mixing_[a * (a - 1) / 2 + b];
      } else if (b > a) {
        value.fill(0.0);
      } else {
        for (std::size_t e = 0; e < lane_count; ++e) {
          value[e] = std::sqrt(rest_[a][e]);
        }
      }
    }
  }
  loops_->normalise(sizes(), adapter.data());
  for (lane_values& value : adapter) {
    for (double& number : value) {
      number *= problem_->start.scale;
    }
  }
}

void network_chain::set_adapter(std::size_t lane, const Eigen::MatrixXd& on_frozen,
                                const Eigen::MatrixXd& beside) {
  lane_vector& adapter = states_[current_].adapter;
  for (std::size_t a = 0; a < rank_; ++a) {
    lane_values* const row = adapter.data() + a * (directions_ + rank_);
    for (std::size_t c = 0; c < directions_; ++c) {
      row[c][lane] = on_frozen(static_cast<Eigen::Index>(a), static_cast<Eigen::Index>(c));
    }
    for (std::size_t b = 0; b < rank_; ++b) {
      row[directions_ + b][lane] =
          beside(static_cast<Eigen::Index>(a), static_cast<Eigen::Index>(b));
    }
  }
}

// The gradient by W of a batch at W = W0: its coordinates on E, and R A beside, as in a step.
void network_chain::draw_one_step_adapter() {
  const batch_source source{.stage = stages_.front(),
                            .stream = random_stream::network_start_samples,
                            .samples = problem_->start.one_step_batch,
                            .inputs = directions_,
                            .weights = pretrained_,
                            .through_adapter = false,
                            .by_adapter = false};
  sum_batch(source, 0);
  draw_bartlett(random_stream::network_start_rest, random_stream::network_start_mixing,
                start_draws(), 0, problem_->dimension - directions_, neurons_, rest_, mixing_);
  const auto K = static_cast<Eigen::Index>(neurons_);
  const auto p = static_cast<Eigen::Index>(directions_);
  for (std::size_t lane = 0; lane < lane_count; ++lane) {
    Eigen::MatrixXd gradient(K, p + K);
    gradient.leftCols(p) = of_lane(input_sums_, neurons_, directions_, lane);
    Eigen::MatrixXd squares = of_lane(square_sums_, neurons_, neurons_, lane);
    if (!run_per_lane_) {  // the lanes' sums are parts of one
      gradient.leftCols(p).setZero();
      squares.setZero();
      for (std::size_t e = 0; e < lane_count; ++e) {
        gradient.leftCols(p) += of_lane(input_sums_, neurons_, directions_, e);
        squares += of_lane(square_sums_, neurons_, neurons_, e);
      }
    }
    Eigen::MatrixXd bartlett = Eigen::MatrixXd::Zero(K, K);
    for (std::size_t i = 0; i < neurons_; ++i) {
      const auto row = static_cast<Eigen::Index>(i);
      for (std::size_t j = 0; j < i; ++j) {
        bartlett(row, static_cast<Eigen::Index>(j)) = mixing_[i * (i - 1) / 2 + j][lane];
      }
      bartlett(row, row) = std::sqrt(rest_[i][lane]);
    }
    gradient.rightCols(K) = semidefinite_factor(squares.selfadjointView<Eigen::Lower>()) * bartlett;
    const Eigen::MatrixXd directions =
        one_step_directions(gradient, static_cast<Eigen::Index>(rank_));
    const Eigen::MatrixXd beside = directions.rightCols(K) * directions.rightCols(K).transpose();
    set_adapter(lane, directions.leftCols(p), semidefinite_factor(beside));
  }
}

void network_chain::start() {
  const network_start& start = problem_->start;
  lanes_state& state = states_[current_];
  state.readout = in_every_lane(problem_->geometry.readout);
  const auto d = static_cast<double>(problem_->dimension);
  const double entry = start.one_step_batch > 0 ? 0.0 : 1.0 / (d * d);
  state.output = in_every_lane(start.U.value_or(Eigen::MatrixXd::Constant(
      static_cast<Eigen::Index>(neurons_), static_cast<Eigen::Index>(rank_), entry)));
  if (start.one_step_batch > 0) {
    draw_one_step_adapter();
  } else if (start.C) {
    const Eigen::MatrixXd beside = semidefinite_factor(*start.P);
    for (std::size_t lane = 0; lane < lane_count; ++lane) {
      set_adapter(lane, *start.C, beside);
    }
  } else {
    draw_random_adapter();
  }
  frobenius_.fill(0.0);
  for (const lane_values& value : state.adapter) {
    for (std::size_t e = 0; e < lane_count; ++e) {
      frobenius_[e] += value[e] * value[e];
    }
  }
  states_[1 - current_] = state;
}

void network_chain::flip() noexcept {
  for (lane_values& value : states_[current_].output) {
    for (double& number : value) {
      number = -number;
    }
  }
}

void network_chain::prepare(const stage_constants& stage) {
  if (!stage.through_adapter) {
    loops_->compose(stage.constants, pretrained_.data(), view(current_), weights_.data());
  }
  if (stage.constants.by_adapter && !identity_) {
    const lane_vector& output = states_[current_].output;
    for (std::size_t j = 0; j < neurons_; ++j) {
      for (std::size_t a = 0; a < rank_; ++a) {
        transposed_[a * neurons_ + j] = output[j * rank_ + a];
      }
    }
  }
}

void network_chain::sum_batch(const batch_source& source, std::uint64_t step) {
  const bool noisy = source.stage.noise > 0.0;
  const std::size_t pairs = (source.inputs + (noisy ? 2 : 1)) / 2;
  const std::uint64_t rows =
      run_per_lane_ ? source.samples : (source.samples + lane_count - 1) / lane_count;
  for (lane_vector* const sums : {&input_sums_, &square_sums_, &output_sums_, &readout_sums_}) {
    std::fill(sums->begin(), sums->end(), lane_values{});
  }
  const std::uint64_t key = random_key(problem_->seed, source.stream);
  for (std::uint64_t row = 0; row < rows; row += rows_) {
    check_stop();  // the state is still that of the step before
    const auto n = static_cast<std::size_t>(std::min<std::uint64_t>(rows_, rows - row));
    counter_lanes at = samples_;
    for (std::size_t pair = 0; pair < pairs; ++pair) {
      kernels_->normal_pairs(key, at, step, row, n, normals_ + 2 * pair * stride_,
                             normals_ + (2 * pair + 1) * stride_);
      for (std::uint64_t& draw : at.draw) {
        draw += std::uint64_t{1} << draws_shift;
      }
    }
    const std::size_t samples = run_per_lane_
                                    ? n * lane_count
                                    : static_cast<std::size_t>(std::min<std::uint64_t>(
                                          n * lane_count, source.samples - row * lane_count));
    sum_block(source, n, samples);
  }
}

// The targets, then the first of them what the labels become.
void network_chain::transform_labels(const stage_constants& stage, const double* zeta,
                                     std::size_t n) {
  for (std::size_t i = 0; i < n; ++i) {
    double label = zeta != nullptr ? stage.noise * zeta[i] : 0.0;
    for (std::size_t j = 0; j < stage.readout.size(); ++j) {
      label += stage.readout[j] * goal_[j * stride_ + i];
    }
    goal_field_[i] = label;
  }
  stage.label->values(goal_field_, n, goal_);
}

void network_chain::sum_block(const batch_source& source, std::size_t rows, std::size_t samples) {
  const std::size_t n = rows * lane_count;
  const stage_constants& stage = source.stage;
  const std::size_t teachers = stage.readout.size();
  if (source.through_adapter) {
    const lanes_state& state = states_[current_];
    loops_->combine(normals_, source.inputs, state.adapter.data(), rank_, false, stride_, rows,
                    along_);
    loops_->select(normals_, sparse_pretrained_, stride_, rows, field_);
    loops_->combine(along_, rank_, state.output.data(), neurons_, true, stride_, rows, field_);
  } else {
    loops_->combine(normals_, source.inputs, source.weights.data(), neurons_, false, stride_, rows,
                    field_);
  }
  for (std::size_t j = 0; j < neurons_; ++j) {
    student_.evaluate(field_ + j * stride_, n, value_ + j * stride_, slope_ + j * stride_);
  }
  loops_->select(normals_, stage.targets, stride_, rows, goal_field_);
  for (std::size_t i = 0; i < teachers; ++i) {
    stage.teacher.values(goal_field_ + i * stride_, n, goal_ + i * stride_);
  }
  const double* const zeta = stage.noise > 0.0 ? normals_ + source.inputs * stride_ : nullptr;
  if (stage.label) {
    transform_labels(stage, zeta, n);
    constexpr double whole = 1.0;  // the weight of what a label becomes
    loops_->errors(value_, states_[current_].readout.data(), neurons_, goal_, &whole, 1, nullptr,
                   0.0, stride_, rows, delta_, slope_);
  } else {
    loops_->errors(value_, states_[current_].readout.data(), neurons_, goal_, stage.readout.data(),
                   teachers, zeta, stage.noise, stride_, rows, delta_, slope_);
  }
  if (samples < n) {  // lanes of the last row that have no sample
    std::fill(delta_ + samples, delta_ + n, 0.0);
    for (std::size_t j = 0; j < neurons_; ++j) {
      std::fill(slope_ + j * stride_ + samples, slope_ + j * stride_ + n, 0.0);
    }
  }
  const double* errors = slope_;
  std::size_t count = neurons_;
  if (source.by_adapter && !identity_) {
    loops_->combine(slope_, neurons_, transposed_.data(), rank_, false, stride_, rows, mixed_);
    errors = mixed_;
    count = rank_;
  }
  loops_->moments(errors, count, normals_, source.inputs, false, stride_, rows, input_sums_.data());
  loops_->moments(errors, count, errors, count, true, stride_, rows, square_sums_.data());
  if (source.through_adapter) {
    loops_->moments(slope_, neurons_, along_, rank_, false, stride_, rows, output_sums_.data());
  }
  if (stage.constants.trains_readout) {
    loops_->moments(value_, neurons_, delta_, 1, false, stride_, rows, readout_sums_.data());
  }
}

void network_chain::draw_rest(std::uint64_t step) {
  draw_bartlett(random_stream::network_rest, random_stream::network_mixing, rests_,
                run_per_lane_ ? step : step - step % lane_count,
                problem_->dimension - directions_ - rank_, rank_, rest_, mixing_);
}

void network_chain::share_rest(std::uint64_t step) {
  if (!run_per_lane_) {
    for (std::size_t i = 0; i < shared_rest_.size(); ++i) {
      shared_rest_[i].fill(rest_[i][step % lane_count]);
    }
    for (std::size_t i = 0; i < shared_mixing_.size(); ++i) {
      shared_mixing_[i].fill(mixing_[i][step % lane_count]);
    }
  }
}

bool network_chain::step(std::uint64_t step, std::size_t number) {
  const stage_constants& stage = stages_[number];
  prepare(stage);
  const batch_source source{.stage = stage,
                            .stream = random_stream::network_samples,
                            .samples = problem_->batch,
                            .inputs = directions_ + rank_,
                            .weights = weights_,
                            .through_adapter = stage.through_adapter,
                            .by_adapter = stage.constants.by_adapter};
  sum_batch(source, step);  // (14.13): the sums, then the state
  if (run_per_lane_ || step % lane_count == 0) {
    draw_rest(step);
  }
  share_rest(step);
  const network_sums sums{.inputs = input_sums_.data(),
                          .squares = square_sums_.data(),
                          .outputs = output_sums_.data(),
                          .readouts = readout_sums_.data()};
  const network_lanes before = view(current_);
  current_ = 1 - current_;
  const bool healthy =
      loops_->advance(stage.constants, sums, (run_per_lane_ ? rest_ : shared_rest_).data(),
                      (run_per_lane_ ? mixing_ : shared_mixing_).data(), frobenius_, before,
                      view(current_), scratch_.data());
  return healthy;
}

network_state network_chain::state_of(std::size_t which, std::size_t lane) const {
  const lanes_state& state = states_[which];
  const std::size_t n = directions_ + rank_;
  const Eigen::MatrixXd adapter = of_lane(state.adapter, rank_, n, lane);
  const auto beside = adapter.rightCols(static_cast<Eigen::Index>(rank_));
  return {.U = of_lane(state.output, neurons_, rank_, lane),
          .C = adapter.leftCols(static_cast<Eigen::Index>(directions_)),
          .P = beside * beside.transpose(),
          .a = of_lane(state.readout, neurons_, 1, lane)};
}

double network_chain::weight(std::size_t row, std::size_t column, std::size_t lane) const {
  const lanes_state& state = states_[current_];
  double sum = column < directions_ ? pretrained_[row * directions_ + column][lane] : 0.0;
  for (std::size_t a = 0; a < rank_; ++a) {
    sum += state.output[row * rank_ + a][lane] *
           state.adapter[a * (directions_ + rank_) + column][lane];
  }
  return sum;
}

double network_chain::overlap(std::size_t row, std::size_t column, std::size_t lane) const {
  double sum = 0.0;
  for (std::size_t i = column == 0 ? 0 : targets_.ends[column - 1]; i < targets_.ends[column];
       ++i) {
    sum += targets_.factors[i] * weight(row, targets_.columns[i], lane);
  }
  return sum;
}

double network_chain::direction(std::size_t row, std::size_t column, std::size_t lane) const {
  const lane_values* const adapter = states_[current_].adapter.data() + row * (directions_ + rank_);
  double sum = 0.0;
  for (std::size_t i = column == 0 ? 0 : targets_.ends[column - 1]; i < targets_.ends[column];
       ++i) {
    sum += targets_.factors[i] * adapter[targets_.columns[i]][lane];
  }
  return sum;
}

double network_chain::value(const network_quantity& quantity, std::size_t lane) const {
  const lanes_state& state = states_[current_];
  const std::size_t n = directions_ + rank_;
  const std::size_t row = size_of(quantity.row);
  const std::size_t column = size_of(quantity.column);
  double value = 0.0;
  switch (quantity.matrix) {
    case network_matrix::U:
      value = state.output[row * rank_ + column][lane];
      break;
    case network_matrix::C:
      value = state.adapter[row * n + column][lane];
      break;
    case network_matrix::S:
      for (std::size_t c = 0; c < n; ++c) {
        value += state.adapter[row * n + c][lane] * state.adapter[column * n + c][lane];
      }
      break;
    case network_matrix::M:
      value = overlap(row, column, lane);
      break;
    case network_matrix::Q:
      for (std::size_t c = 0; c < n; ++c) {
        value += weight(row, c, lane) * weight(column, c, lane);
      }
      break;
    case network_matrix::m:
      value = direction(row, column, lane);
      break;
    case network_matrix::a:
      value = state.readout[row][lane];
      break;
    case network_matrix::mean_overlap:
      for (std::size_t j = 0; j < neurons_; ++j) {
        const double own = overlap(j, j % teachers_, lane);
        value += (quantity.absolute ? std::abs(own) : own) / static_cast<double>(neurons_);
      }
      break;
    case network_matrix::largest_overlap:
      for (std::size_t a = 0; a < rank_; ++a) {
        for (std::size_t i = 0; i < teachers_; ++i) {
          value = std::max(value, std::abs(direction(a, i, lane)));
        }
      }
      break;
    case network_matrix::risk:
    case network_matrix::source_risk:
      break;
  }
  return quantity.absolute ? std::abs(value) : value;
}

bool network_chain::healthy(std::size_t lane) const noexcept {
  const lanes_state& state = states_[current_];
  double size = 0.0;
  for (const lane_vector* const values : {&state.output, &state.adapter, &state.readout}) {
    for (const lane_values& value : *values) {
      size += std::abs(value[lane]);
    }
  }
  return size <= divergence_bound;
}

void network_chain::retire(std::size_t lane) noexcept {
  lanes_state& state = states_[current_];
  const std::size_t n = directions_ + rank_;
  for (lane_vector* const values : {&state.output, &state.adapter, &state.readout}) {
    for (lane_values& value : *values) {
      value[lane] = 0.0;
    }
  }
  for (std::size_t a = 0; a < rank_; ++a) {
    state.adapter[a * n + directions_ + a][lane] = 1.0;
  }
}

std::vector<double> network_chain::save() const {
  const lanes_state& state = states_[current_];
  std::vector<double> saved(frobenius_.begin(), frobenius_.end());
  for (const lane_vector* const values : {&state.output, &state.adapter, &state.readout}) {
    for (const lane_values& value : *values) {
      saved.insert(saved.end(), value.begin(), value.end());
    }
  }
  return saved;
}

bool network_chain::restore(std::span<const double> saved, std::uint64_t step) {
  lanes_state& state = states_[current_];
  if (saved.size() !=
      lane_count * (1 + state.output.size() + state.adapter.size() + state.readout.size())) {
    return false;
  }
  auto from = saved.begin();
  const auto take = [&from](lane_values& value) {
    std::copy_n(from, lane_count, value.begin());
    from += lane_count;
  };
  take(frobenius_);
  for (lane_vector* const values : {&state.output, &state.adapter, &state.readout}) {
    std::for_each(values->begin(), values->end(), take);
  }
  states_[1 - current_] = state;
  draw_rest(step);
  return true;
}

}  // namespace loradyn::detail
