#include "simulation/network_sgd.hpp"

#include <Eigen/QR>
#include <algorithm>
#include <cmath>
#include <loradyn/interruption.hpp>
#include <vector>

namespace loradyn::detail {
namespace {

// Numbers in a block of inputs: 256 KiB, which a second-level cache holds.
constexpr Eigen::Index inputs_in_block = 32768;

}  // namespace

network_sgd::network_sgd(const network_problem& problem, std::span<const std::uint64_t> runs,
                         const batch_kernels& kernels)
    : kernels_(&kernels),
      problem_(&problem),
      stages_(stages_of(problem)),
      run_(runs[0]),
      dimension_(static_cast<Eigen::Index>(problem.dimension)) {
  // Normals come in pairs: an even number of columns.
  inputs_.resize(dimension_, std::max<Eigen::Index>(1, inputs_in_block / dimension_ / 2) * 2);
}

Eigen::MatrixXd network_sgd::random_rows(random_stream stream, Eigen::Index rows) const {
  const Eigen::Index half = (dimension_ * rows + 1) / 2;
  std::vector<double> normals(2 * static_cast<std::size_t>(half));
  const std::span<double> all(normals);
  fill_normal_pairs(*kernels_, random_key(problem_->seed, stream), run_, 0, 0,
                    all.first(static_cast<std::size_t>(half)),
                    all.last(static_cast<std::size_t>(half)));
  return Eigen::Map<const Eigen::MatrixXd>(normals.data(), dimension_, rows);
}

Eigen::MatrixXd network_sgd::beside_frozen(Eigen::Index rows) const {
  Eigen::MatrixXd all(dimension_, basis_.cols() + rows);
  all << basis_, random_rows(random_stream::network_sgd_beside, rows);
  const Eigen::HouseholderQR<Eigen::MatrixXd> qr(all);
  const Eigen::MatrixXd q =
      qr.householderQ() * Eigen::MatrixXd::Identity(dimension_, basis_.cols() + rows);
  return q.rightCols(rows);
}

void network_sgd::draw_frozen() {
  const network_geometry& geometry = problem_->geometry;
  const Eigen::Index p = geometry.directions();
  const Eigen::HouseholderQR<Eigen::MatrixXd> qr(random_rows(random_stream::network_sgd_basis, p));
  basis_ = qr.householderQ() * Eigen::MatrixXd::Identity(dimension_, p);
  teacher_ = basis_ * geometry.teacher.transpose();
  source_ = geometry.source.rows() > 0 ? basis_ * geometry.source.transpose() : Eigen::MatrixXd();
  pretrained_ = basis_ * geometry.pretrained.transpose();
}

void network_sgd::start() {
  const network_geometry& geometry = problem_->geometry;
  const network_start& start = problem_->start;
  const Eigen::Index rank = problem_->parameters.rank;
  draw_frozen();
  readout_ = geometry.readout;
  const auto d = static_cast<double>(dimension_);
  output_ = start.U.value_or(Eigen::MatrixXd::Constant(
      geometry.width(), rank, start.one_step_batch > 0 ? 0.0 : 1.0 / (d * d)));
  if (start.one_step_batch > 0) {
    add_gradient(stages_.front(), random_stream::network_sgd_start,
                 random_stream::network_sgd_start_labels, 0, start.one_step_batch, pretrained_);
    adapter_ = one_step_directions(gradient_.transpose(), rank).transpose();
  } else if (start.C) {
    const Eigen::MatrixXd beside = semidefinite_factor(*start.P);
    adapter_ = basis_ * start.C->transpose() + beside_frozen(rank) * beside.transpose();
  } else {
    adapter_ = random_rows(random_stream::network_sgd_adapter, rank);
    adapter_.colwise().normalize();
    adapter_ *= start.scale;
  }
  frobenius_ = adapter_.norm();
  measure();
  before_ = state_;
}

void network_sgd::flip() {
  output_ = -output_;
  measure();
}

void network_sgd::add_gradient(const network_stage& stage, random_stream inputs,
                               random_stream labels, std::uint64_t step, std::uint64_t samples,
                               const Eigen::MatrixXd& weights) {
  const network_geometry& geometry = problem_->geometry;
  const Eigen::MatrixXd& teacher = stage.on_source ? source_ : teacher_;
  const Eigen::VectorXd& teacher_readout =
      stage.on_source ? geometry.source_readout : geometry.teacher_readout;
  const double noise = std::sqrt(stage.label_noise);
  gradient_.setZero(dimension_, geometry.width());
  readout_gradient_.setZero(geometry.width());
  const auto columns = static_cast<std::uint64_t>(inputs_.cols());
  std::vector<double> zeta(columns);
  std::vector<double> unused(columns);
  const auto mapped = [](const activation& f, const Eigen::MatrixXd& x, Eigen::MatrixXd& value,
                         Eigen::MatrixXd* slope) {
    const auto n = static_cast<std::size_t>(x.size());
    value.resize(x.rows(), x.cols());
    if (slope != nullptr) {
      slope->resize(x.rows(), x.cols());
    }
    f.tabulate({x.data(), n}, {value.data(), n},
               slope != nullptr ? std::span<double>{slope->data(), n} : std::span<double>{}, {});
  };
  Eigen::MatrixXd value;
  Eigen::MatrixXd slope;
  Eigen::MatrixXd goal;
  for (std::uint64_t sample = 0; sample < samples; sample += columns) {
    check_stop();  // the state is still that of the step before
    const auto n = static_cast<Eigen::Index>(std::min(columns, samples - sample));
    const std::size_t half = static_cast<std::size_t>((n + 1) / 2 * dimension_);
    fill_normal_pairs(*kernels_, random_key(problem_->seed, inputs), run_, step,
                      sample / 2 * static_cast<std::uint64_t>(dimension_), {inputs_.data(), half},
                      {inputs_.data() + half, half});
    if (noise > 0.0) {
      const auto count = static_cast<std::size_t>(n);
      fill_normal_pairs(*kernels_, random_key(problem_->seed, labels), run_, step, sample,
                        {zeta.data(), count}, {unused.data(), count});
    }
    const auto x = inputs_.leftCols(n);
    const Eigen::MatrixXd field = x.transpose() * weights;
    const Eigen::MatrixXd goal_field = x.transpose() * teacher;
    mapped(problem_->student, field, value, &slope);
    mapped(stage.teacher, goal_field, goal, nullptr);
    Eigen::VectorXd error = value * readout_;
    if (stage.label) {
      Eigen::MatrixXd label = goal * teacher_readout;
      if (noise > 0.0) {
        label += noise * Eigen::Map<const Eigen::VectorXd>(zeta.data(), n);
      }
      mapped(*stage.label, label, goal, nullptr);
      error -= goal;
    } else {
      error -= goal * teacher_readout;
      if (noise > 0.0) {
        error -= noise * Eigen::Map<const Eigen::VectorXd>(zeta.data(), n);
      }
    }
    readout_gradient_ += value.transpose() * error;
    const Eigen::MatrixXd h = error.asDiagonal() * slope * readout_.asDiagonal();
    gradient_.noalias() += x * h;
  }
  gradient_ /= static_cast<double>(samples);
  readout_gradient_ /= static_cast<double>(samples);
}

void network_sgd::constrain() {
  if (problem_->parameters.adapter == adapter_constraint::sphere) {
    adapter_.colwise().normalize();
  } else if (problem_->parameters.adapter == adapter_constraint::frobenius) {
    adapter_ *= frobenius_ / adapter_.norm();
  }
}

void network_sgd::measure() {
  state_.U = output_;
  state_.C = adapter_.transpose() * basis_;
  const Eigen::MatrixXd rest = adapter_ - basis_ * state_.C.transpose();
  state_.P = rest.transpose() * rest;
  state_.a = readout_;
}

bool network_sgd::step(std::uint64_t step, std::size_t number) {
  const network_stage& stage = stages_[number];
  const double eta = stage.learning_rate;
  const double output_eta = stage.rate_ratio * eta;
  add_gradient(stage, random_stream::network_sgd_inputs, random_stream::network_sgd_labels, step,
               problem_->batch, pretrained_ + adapter_ * output_.transpose());
  before_ = state_;
  const Eigen::MatrixXd output_gradient = gradient_.transpose() * adapter_ + stage.decay * output_;
  const Eigen::MatrixXd adapter_gradient = gradient_ * output_ + stage.decay * adapter_;
  output_ -= output_eta * output_gradient;
  adapter_ -= eta * adapter_gradient;
  constrain();
  readout_ -= problem_->parameters.readout_ratio * eta * readout_gradient_;
  measure();
  return healthy(0);
}

double network_sgd::value(const network_quantity& quantity, std::size_t) const {
  return value_of(quantity, *problem_, {}, state_);
}

bool network_sgd::healthy(std::size_t) const noexcept {
  // A norm that overflows leaves zeros without a NaN.
  const double size = adapter_.norm();
  const double lost = problem_->parameters.adapter == adapter_constraint::free
                          ? 0.0
                          : std::abs(size / frobenius_ - 1.0);
  return output_.cwiseAbs().sum() + size + readout_.cwiseAbs().sum() <= divergence_bound &&
         lost < 0.5;
}

std::vector<double> network_sgd::save() const {
  std::vector<double> saved{frobenius_};
  saved.insert(saved.end(), output_.data(), output_.data() + output_.size());
  saved.insert(saved.end(), adapter_.data(), adapter_.data() + adapter_.size());
  saved.insert(saved.end(), readout_.data(), readout_.data() + readout_.size());
  return saved;
}

bool network_sgd::restore(std::span<const double> saved, std::uint64_t) {
  const Eigen::Index width = problem_->geometry.width();
  const Eigen::Index rank = problem_->parameters.rank;
  if (saved.size() != static_cast<std::size_t>(1 + width * rank + dimension_ * rank + width)) {
    return false;
  }
  draw_frozen();
  const double* at = saved.data();
  frobenius_ = *at++;
  output_ = Eigen::Map<const Eigen::MatrixXd>(at, width, rank);
  at += width * rank;
  adapter_ = Eigen::Map<const Eigen::MatrixXd>(at, dimension_, rank);
  at += dimension_ * rank;
  readout_ = Eigen::Map<const Eigen::VectorXd>(at, width);
  measure();
  before_ = state_;
  return true;
}

}  // namespace loradyn::detail
