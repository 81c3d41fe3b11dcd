#include <Eigen/Dense>
#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <loradyn/analysis/network_critical.hpp>
#include <loradyn/analysis/network_search.hpp>
#include <loradyn/error.hpp>
#include <memory>
#include <numeric>
#include <utility>
#include "analysis/critical_roots.hpp"
#include "analysis/network_drive.hpp"
#include "decompositions.hpp"
#include "nan.hpp"

namespace loradyn {
namespace {

using Eigen::Index;
using Eigen::MatrixXd;
using Eigen::VectorXd;

// Patterns of neurons and of targets that the drive takes to each other and to no others.
struct block {
  MatrixXd neurons;  // K x a, orthonormal
  MatrixXd targets;  // k x b
  std::size_t modes = 1;
  bool has_side = false;  // of neurons off their target
};

// A kind of targets: those with so many neurons off it and on it.
struct kind {
  std::array<std::ptrdiff_t, 2> neurons;  // off, on
  std::vector<Index> targets;
};

bool is_off(const aligned_family& family, Index neuron) { return neuron < family.off_target; }

std::vector<kind> kinds_of(const aligned_family& family) {
  std::vector<kind> kinds;
  for (Index i = 0; i < family.teacher_width; ++i) {
    std::array<std::ptrdiff_t, 2> neurons{0, 0};
    for (Index j = i; j < family.width; j += family.teacher_width) {
      ++neurons[is_off(family, j) ? 0 : 1];
    }
    auto known = std::find_if(kinds.begin(), kinds.end(),
                              [&](const kind& of) { return of.neurons == neurons; });
    if (known == kinds.end()) {
      known = kinds.insert(known, {neurons, {}});
    }
    known->targets.push_back(i);
  }
  return kinds;
}

// Of each kind of targets the pattern `weights`, and of the neurons off and on them, where there
// are some.
void add_patterns(const aligned_family& family, const kind& of, const VectorXd& weights,
                  block& to) {
  const auto append = [](MatrixXd& m, const VectorXd& column) {
    m.conservativeResize(column.size(), m.cols() + 1);
    m.col(m.cols() - 1) = column.normalized();
  };
  VectorXd targets = VectorXd::Zero(family.teacher_width);
  for (Index t = 0; t < weights.size(); ++t) {
    targets[of.targets[static_cast<std::size_t>(t)]] = weights[t];
  }
  append(to.targets, targets);
  for (const bool off : {true, false}) {
    VectorXd neurons = VectorXd::Zero(family.width);
    for (Index j = 0; j < family.width; ++j) {
      if (is_off(family, j) == off) {
        neurons[j] = targets[j % family.teacher_width];
      }
    }
    if (!neurons.isZero(0.0)) {
      append(to.neurons, neurons);
      to.has_side |= off && family.misalignment > 0.0;
    }
  }
}

// What the targets span: they themselves where they are orthonormal.
MatrixXd directions_of(const MatrixXd& targets) {
  if ((targets * targets.transpose()).isIdentity(0.0)) {
    return targets;
  }
  // Gram matrices are taken to 1e-12 of their trace: less of a row is rounding.
  constexpr double independent = 1e-12;
  Eigen::ColPivHouseholderQR<MatrixXd> qr(MatrixXd(targets.transpose()));
  qr.setThreshold(independent);
  const MatrixXd Q = qr.householderQ();
  return Q.leftCols(qr.rank()).transpose();
}

// Of neurons that share their target and side the differences, which nothing but what each has
// beside the target drives.
void add_differences(const aligned_family& family, const kind& of, std::vector<block>& blocks) {
  for (const bool off : {true, false}) {
    const std::ptrdiff_t count = of.neurons[off ? 0 : 1];
    if (count < 2) {
      continue;
    }
    block differences;
    differences.modes = of.targets.size() * static_cast<std::size_t>(count - 1);
    differences.neurons = MatrixXd::Zero(family.width, 1);
    double entry = std::sqrt(0.5);
    for (Index j = of.targets.front(); j < family.width && differences.neurons.norm() < 0.9;
         j += family.teacher_width) {
      if (is_off(family, j) == off) {
        differences.neurons(j, 0) = entry;
        entry = -entry;
      }
    }
    differences.targets.resize(family.teacher_width, 0);
    blocks.push_back(std::move(differences));
  }
}

// The sums over each kind make one block, the differences within a kind one for each.
std::vector<block> blocks_of(const aligned_family& family, bool decays) {
  std::vector<block> blocks(1);
  if (family.rows) {
    const Index directions = directions_of(family.rows->teacher).rows();
    blocks.front().neurons = MatrixXd::Identity(family.rows->width(), family.rows->width());
    blocks.front().targets = MatrixXd::Identity(directions, directions);
    return blocks;
  }
  for (const kind& of : kinds_of(family)) {
    const auto count = static_cast<Index>(of.targets.size());
    add_patterns(family, of, VectorXd::Ones(count), blocks.front());
    if (count > 1) {
      block differences;
      differences.modes = of.targets.size() - 1;
      VectorXd weights = VectorXd::Zero(count);
      weights[0] = 1.0;
      weights[1] = -1.0;
      add_patterns(family, of, weights, differences);
      if (differences.neurons.cols() > 0) {
        blocks.push_back(std::move(differences));
      }
    }
    if (decays && family.misalignment > 0.0) {
      add_differences(family, of, blocks);
    }
  }
  return blocks;
}

// A block's drive, its curvature, and the size that it is told from rounding by.
struct block_drive {
  MatrixXd D;  // -X' G0 T' Y; of adapters that decay X' G0 G0' X - ω²
  MatrixXd H;  // X' (H0 + ω) X
  double size = 0.0;
};

block_drive drive_of(const network_flow& f, const block& of, bool decays) {
  if (!has_overlaps(f.geometry())) {
    const Index a = of.neurons.cols();
    return {MatrixXd::Constant(a, decays ? a : of.targets.cols(), nan),
            MatrixXd::Constant(a, a, nan), nan};
  }
  const double decay = f.parameters().decay;
  const network_drive start = searching_drive(f);
  block_drive at;
  at.H = of.neurons.transpose() * start.H * of.neurons;
  at.H.diagonal().array() += decay;
  if (decays) {
    const MatrixXd G = of.neurons.transpose() * start.G;
    at.D = G * G.transpose();
    at.D.diagonal().array() -= decay * decay;
    at.size = 2.0 * start.size * (G.norm() + decay);
    return at;
  }
  const MatrixXd& teacher = f.geometry().teacher;
  const MatrixXd directions = directions_of(teacher);
  at.D = -of.neurons.transpose() * (start.G * directions.transpose()) * of.targets;
  at.size =
      directions.rows() == teacher.rows() && directions == teacher
          ? (of.neurons.cwiseAbs().transpose() * start.sizes * of.targets.cwiseAbs()).maxCoeff()
          : start.size;
  return at;
}

VectorXd singular_values(const MatrixXd& D) {
  return Eigen::JacobiSVD<MatrixXd>(D).singularValues();
}

// The regular part of a block: which of its patterns it takes.
struct regular_part {
  std::vector<Index> rows;
  std::vector<Index> columns;
};

// The ways to take so many of the first n numbers.
std::vector<std::vector<Index>> choices(Index n, Index count) {
  std::vector<std::vector<Index>> all;
  std::vector<Index> chosen;
  const auto extend = [&](const auto& self, Index from) -> void {
    if (static_cast<Index>(chosen.size()) == count) {
      all.push_back(chosen);
      return;
    }
    for (Index i = from; i < n; ++i) {
      chosen.push_back(i);
      self(self, i + 1);
      chosen.pop_back();
    }
  };
  extend(extend, 0);
  return all;
}

// Their number, as far as that is below 1e9.
double choice_count(Index n, Index count) {
  double product = 1.0;
  for (Index i = 0; i < count && product < 1e9; ++i) {
    product *= static_cast<double>(n - i) / static_cast<double>(i + 1);
  }
  return product;
}

// The rows of these matrices that pivots choose, for all of them alike.
std::vector<Index> pivots(const std::vector<MatrixXd>& all, Index count, bool of_columns) {
  MatrixXd beside;
  for (const MatrixXd& D : all) {
    const MatrixXd part = of_columns ? D : MatrixXd(D.transpose());
    const Index before = beside.rows();
    beside.conservativeResize(before + part.rows(), part.cols());
    beside.bottomRows(part.rows()) = part;
  }
  const Eigen::ColPivHouseholderQR<MatrixXd> qr(beside);
  std::vector<Index> chosen(static_cast<std::size_t>(count));
  for (Index i = 0; i < count; ++i) {
    chosen[static_cast<std::size_t>(i)] = qr.colsPermutation().indices()[i];
  }
  std::sort(chosen.begin(), chosen.end());
  return chosen;
}

MatrixXd part_of(const MatrixXd& D, const regular_part& part) { return D(part.rows, part.columns); }

// The determinant of a block's largest regular part, which some drives tell.
class followed_determinant {
 public:
  // Without any drive the whole block is taken for regular.
  followed_determinant(const block& of, bool decays, const std::vector<block_drive>& drives) {
    rank_ = std::min(of.neurons.cols(), decays ? of.neurons.cols() : of.targets.cols());
    // Heuristic: "rows of a file that are those of an aligned network have its critical alignments"
    // passes from 1e-14 to 1e-3, not with 0.1.
    constexpr double none = 1e-9;
    std::vector<MatrixXd> sized;
    for (const block_drive& at : drives) {
      if (at.D.allFinite() && at.size > 0.0) {
        sized.push_back(at.D / at.size);
      }
    }
    if (!sized.empty() && !decays) {
      rank_ = 0;
      for (const MatrixXd& D : sized) {
        rank_ = std::max<Index>(rank_, (singular_values(D).array() > none).count());
      }
    }
    choose(of.neurons.cols(), decays ? of.neurons.cols() : of.targets.cols(), sized);
    weigh(drives);
  }

  [[nodiscard]] Index rank() const { return rank_; }

  [[nodiscard]] bool is_whole(const MatrixXd& D) const {
    return static_cast<Index>(part_.rows.size()) == D.rows() &&
           static_cast<Index>(part_.columns.size()) == D.cols();
  }

  // Of one number it is that number, of more between -1 and 1: det P/√det(P P' + δ²), whose digits
  // do not depend on how many singular values are large.
  [[nodiscard]] scaled_value value(const block_drive& at) const {
    if (!at.D.allFinite()) {
      return {nan, nan};
    }
    const MatrixXd part = part_of(at.D, part_);
    return rank_ == 1 ? scaled_value{part(0, 0), at.size}
                      : scaled_value{weighted(part), std::max(1.0, at.size / weight_)};
  }

  // Between -1 and 1 in any case.
  [[nodiscard]] double weighted_value(const block_drive& at) const {
    return at.D.allFinite() ? weighted(part_of(at.D, part_)) : nan;
  }

 private:
  [[nodiscard]] double weighted(const MatrixXd& part) const {
    const Eigen::PartialPivLU<MatrixXd> lu(part);
    double product = lu.permutationP().determinant() < 0 ? -1.0 : 1.0;
    for (Index i = 0; i < part.rows(); ++i) {
      product = lu.matrixLU()(i, i) < 0.0 ? -product : product;
    }
    for (const double s : singular_values(part)) {
      product *= s / std::hypot(s, weight_);
    }
    return product;
  }

  void choose(Index rows, Index columns, const std::vector<MatrixXd>& drives) {
    // Of determinants to try, a microsecond each.
    constexpr double most_choices = 2000.0;
    if (choice_count(rows, rank_) * choice_count(columns, rank_) > most_choices) {
      part_.rows = pivots(drives, rank_, false);
      std::vector<MatrixXd> chosen;
      for (const MatrixXd& D : drives) {
        chosen.push_back(D(part_.rows, Eigen::all));
      }
      part_.columns = pivots(chosen, rank_, true);
      return;
    }
    double best = -1.0;
    for (const std::vector<Index>& some_rows : choices(rows, rank_)) {
      for (const std::vector<Index>& some_columns : choices(columns, rank_)) {
        double size = 0.0;
        for (const MatrixXd& D : drives) {
          size += rank_ > 0 ? std::abs(part_of(D, {some_rows, some_columns}).determinant()) : 0.0;
        }
        if (size > best) {
          best = size;
          part_ = {some_rows, some_columns};
        }
      }
    }
  }

  // A tenth of the singular values' usual size.
  void weigh(const std::vector<block_drive>& drives) {
    double squares = 0.0;
    double count = 0.0;
    for (const block_drive& at : drives) {
      if (at.D.allFinite()) {
        squares += part_of(at.D, part_).squaredNorm();
        count += static_cast<double>(rank_);
      }
    }
    weight_ = squares > 0.0 ? 0.1 * std::sqrt(squares / count) : 1.0;
  }

  Index rank_ = 0;
  regular_part part_;
  double weight_ = 1.0;
};

// One block of a family over μ.
class followed_block {
 public:
  followed_block(const network_task& task, const aligned_family& family,
                 const network_parameters& parameters, const block& of, double lo, double hi)
      : task_(task),
        family_(family),
        parameters_(parameters),
        of_(of),
        lo_(lo),
        hi_(hi),
        decays_(decays_while_searching(parameters)),
        determinant_(of, decays_, some_drives()) {}

  [[nodiscard]] bool has_drive() const { return determinant_.rank() > 0; }

  [[nodiscard]] scaled_value determinant(double mu) const { return determinant_.value(drive(mu)); }

  [[nodiscard]] double B(double mu) const { return modes_at(mu, 1).front().B; }

  struct mode {
    VectorXd x;  // among the block's patterns
    VectorXd y;  // likewise; empty of adapters that decay
    double B = 0.0;
    bool crosses = true;
  };

  // The modes that vanish at a root, so many.
  [[nodiscard]] std::vector<mode> modes_at(double mu, Index count) const {
    std::vector<mode> modes;
    for (Index number = 0; number < count; ++number) {
      modes.push_back(decays_ ? decaying_mode_at(mu, count, number) : mode_at(mu, number));
    }
    return modes;
  }

  // Whether all of the block loses a rank where its regular part does.
  [[nodiscard]] bool is_root(double mu) const {
    const block_drive at = drive(mu);
    return determinant_.is_whole(at.D) || !at.D.allFinite() || vanishing(at) > 0;
  }

  // How many modes of the block vanish at a root. One where the determinant keeps its sign is known
  // to half of its digits only.
  [[nodiscard]] Index vanishing(double mu, bool crosses) const {
    constexpr double half = 1e-5;
    return determinant_.rank() == 1
               ? 1
               : std::max<Index>(vanishing(drive(mu), crosses ? lost : half), 1);
  }

  // The slope of a mode's drive, from that of the determinant where that is the drive.
  [[nodiscard]] double slope(double mu, double of_determinant, const mode& m) const {
    const bool alone = m.x.size() == 1 && m.y.size() <= 1;
    const double along = alone ? of_determinant : slope_along(mu, m);
    // That of σ, of which σ² - ω² is told.
    return decays_ ? along / (2.0 * parameters_.decay) : along;
  }

  // Where one of several modes that vanish together does so by itself.
  [[nodiscard]] double polished(double mu, const mode& m) const {
    const double shift = along(mu, m) / slope_along(mu, m);
    // Heuristic: rounding of 1e-16 splits a triple root by 5e-6 (network_critical_test.cpp).
    constexpr double split = 1e-5;
    return std::abs(shift) < split * (hi_ - lo_) ? mu - shift : mu;
  }

  // A mode as the network's neurons, and the overlaps of its direction with the targets.
  [[nodiscard]] VectorXd neurons_of(const mode& m) const { return of_.neurons * m.x; }
  [[nodiscard]] VectorXd targets_of(double mu, const mode& m) const {
    const network_geometry g = family_.at(mu);
    if (!has_overlaps(g)) {
      return VectorXd::Constant(g.teacher.rows(), nan);
    }
    if (!decays_) {
      return g.teacher * (directions_of(g.teacher).transpose() * (of_.targets * m.y));
    }
    const network_drive start = searching_drive(network_flow(task_, g, parameters_));
    return -g.teacher * (start.G.transpose() * neurons_of(m)).normalized();
  }

  // Whether a mode is driven beside the targets.
  [[nodiscard]] bool has_side(double mu, const mode& m) const {
    if (!family_.rows || decays_) {
      return of_.has_side;
    }
    const network_geometry g = family_.at(mu);
    const network_drive start = searching_drive(network_flow(task_, g, parameters_));
    VectorXd pull = start.G.transpose() * neurons_of(m);
    const MatrixXd directions = directions_of(g.teacher);
    pull -= directions.transpose() * (directions * pull);
    return pull.norm() > lost * start.size;
  }

 private:
  // Heuristic: "rows of a file that are those of an aligned network have its critical alignments"
  // passes from 1e-14 to 1e-4, not with 1e-2.
  static constexpr double lost = 1e-8;

  [[nodiscard]] block_drive drive(double mu) const {
    return drive_of(network_flow(task_, family_.at(mu), parameters_), of_, decays_);
  }

  [[nodiscard]] std::vector<block_drive> some_drives() const {
    // Heuristic: a block that is singular at all of these is so everywhere.
    constexpr std::array places{0.0977, 0.2831, 0.4713, 0.6619, 0.8537};
    std::vector<block_drive> drives;
    for (const double place : places) {
      try {
        drives.push_back(drive(std::lerp(lo_, hi_, place)));
      } catch (const convergence_error&) {
        continue;  // what can't be had there is told as unresolved
      }
    }
    return drives;
  }

  [[nodiscard]] Index vanishing(const block_drive& at, double least = lost) const {
    if (!at.D.allFinite()) {
      return 0;
    }
    const Index rank = determinant_.rank();
    return rank - (singular_values(at.D).head(rank).array() > least * at.size).count();
  }

  // By its neighbours on both sides.
  [[nodiscard]] mode mode_at(double mu, Index number) const {
    mode m;
    const block_drive at = drive(mu);
    if (at.D.size() == 1) {
      return {VectorXd::Ones(1), VectorXd::Ones(1), -at.H(0, 0), true};
    }
    const Index rank = determinant_.rank();
    // Half the digits: what is beyond is of the square of the step.
    const double step = 1e-5 * (hi_ - lo_);
    m.x = VectorXd::Zero(at.D.rows());
    m.y = VectorXd::Zero(at.D.cols());
    double before = 1.0;
    for (const double beside : {-step, step}) {
      const MatrixXd D = drive(mu + beside).D;
      if (!D.allFinite()) {
        continue;
      }
      const Eigen::JacobiSVD<MatrixXd> svd(D, Eigen::ComputeFullU | Eigen::ComputeFullV);
      const VectorXd x = svd.matrixU().col(rank - 1 - number);
      const VectorXd y = svd.matrixV().col(rank - 1 - number);
      const double x_sign = m.x.dot(x) < 0.0 ? -1.0 : 1.0;
      const double y_sign = m.y.dot(y) < 0.0 ? -1.0 : 1.0;
      m.x += x_sign * x;
      m.y += y_sign * y;
      m.crosses = x_sign * y_sign * before < 0.0;
      before = x_sign * y_sign;
    }
    m.x.normalize();
    m.y.normalize();
    if (!at.D.allFinite() || !at.H.allFinite()) {
      m.B = nan;
      return m;
    }
    const Eigen::JacobiSVD<MatrixXd> svd(at.D, Eigen::ComputeFullU);
    const Index driven = rank - std::max<Index>(vanishing(at), 1);
    const MatrixXd undriven = svd.matrixU().rightCols(at.D.rows() - driven);
    const VectorXd x = undriven.transpose() * m.x;
    const MatrixXd H = undriven.transpose() * at.H * undriven;
    m.B = H.rows() == 1 ? -m.x.dot(at.H * m.x) : -1.0 / x.dot(H.fullPivLu().solve(x));
    return m;
  }

  // Of `count` eigenvalues that vanish together those patterns that leave zero each alone.
  [[nodiscard]] mode decaying_mode_at(double mu, Index count, Index number) const {
    const block_drive at = drive(mu);
    mode m;
    if (!at.D.allFinite()) {
      m.x = VectorXd::Constant(at.D.rows(), nan);
      m.B = nan;
      return m;
    }
    m.B = -parameters_.decay;
    const Eigen::SelfAdjointEigenSolver<MatrixXd> solver(at.D);
    std::vector<Index> order(static_cast<std::size_t>(at.D.rows()));
    std::iota(order.begin(), order.end(), Index{0});
    std::sort(order.begin(), order.end(), [&](Index a, Index b) {
      return std::abs(solver.eigenvalues()[a]) < std::abs(solver.eigenvalues()[b]);
    });
    order.resize(static_cast<std::size_t>(count));
    const MatrixXd vanish = solver.eigenvectors()(Eigen::all, order);
    if (count == 1) {
      m.x = vanish.col(0);
      return m;
    }
    const double h = 1e-3 * (hi_ - lo_);
    const MatrixXd moved = drive(mu + h).D - drive(mu - h).D;
    const Eigen::SelfAdjointEigenSolver<MatrixXd> apart(
        MatrixXd(vanish.transpose() * moved * vanish));
    m.x = vanish * apart.eigenvectors().col(number);
    m.crosses = std::abs(apart.eigenvalues()[number]) > lost * at.size;
    return m;
  }

  [[nodiscard]] double along(double mu, const mode& m) const {
    const MatrixXd D = drive(mu).D;
    return m.x.dot(D * (decays_ ? m.x : m.y));
  }

  // x' D'(μ) y, by differences of the fourth order.
  [[nodiscard]] double slope_along(double mu, const mode& m) const {
    const double h = 1e-3 * (hi_ - lo_);
    return (8.0 * (along(mu + h, m) - along(mu - h, m)) -
            (along(mu + 2.0 * h, m) - along(mu - 2.0 * h, m))) /
           (12.0 * h);
  }

  const network_task& task_;
  const aligned_family& family_;
  const network_parameters& parameters_;
  const block& of_;
  double lo_;
  double hi_;
  bool decays_;
  followed_determinant determinant_;
};

// Turns a vector so that its largest entry is positive; returns the sign that this took.
double turn(VectorXd& x) {
  constexpr double rounding = 1e-8;  // of a pattern that is the mean of two
  x = (x.array().abs() < rounding).select(0.0, x);
  Index largest = 0;
  x.cwiseAbs().maxCoeff(&largest);
  const double sign = x[largest] < 0.0 ? -1.0 : 1.0;
  x *= sign;
  return sign;
}

double fastest(const network_task& task, const aligned_family& family,
               const network_parameters& parameters, double mu) {
  try {
    const network_flow f(task, family.at(mu), parameters);
    const network_search_result search = network_search(f);
    // At a root the vanishing mode's rate is the square of the drive's rounding.
    constexpr double rounding = 1e-12;
    const double rate = search.modes.empty() ? 0.0 : search.modes.front().rate;
    return rate > rounding * (1.0 + parameters.rate_ratio) * search.size ? rate : 0.0;
  } catch (const convergence_error&) {
    return nan;
  }
}

}  // namespace

network_geometry aligned_family::at(double alignment) const {
  if (rows) {
    return realigned(*rows, alignment, off_target);
  }
  network_geometry g = aligned_geometry(width, teacher_width, alignment, misalignment, off_target);
  g.readout = readouts(readout, width);
  g.teacher_readout = readouts(readout, teacher_width);
  return g;
}

bool targets_span_rows(const network_geometry& geometry) {
  constexpr double rounding = 1e-12;  // of the Gram matrices, as they are taken
  const MatrixXd directions = directions_of(geometry.teacher);
  const MatrixXd& rows = geometry.pretrained;
  return (rows - rows * directions.transpose() * directions).norm() <= rounding * rows.norm();
}

// (14.14), (14.15)
std::vector<network_critical_alignment> critical_alignments(const network_task& task,
                                                            const aligned_family& family,
                                                            const network_parameters& parameters,
                                                            double lo, double hi) {
  require_interval(lo, hi);
  parameters.validate();
  const bool decays = decays_while_searching(parameters);
  const network_geometry g = family.at(lo);
  const activation& student = task.risk.student();
  std::vector<double> meetings = kink_meetings(student.kinks(), task.risk.teacher().kinks());
  if (family.off_target < g.width()) {
    const std::vector<double> own = kink_meetings(student.kinks(), student.kinks());
    meetings.insert(meetings.end(), own.begin(), own.end());
  }
  const std::vector<double> breaks = drive_breaks(std::move(meetings), lo, hi);
  const double readout = g.readout.cwiseAbs().maxCoeff();
  const double B_size = drive_power(student, task.risk.teacher()) * readout *
                        std::max(g.readout.cwiseAbs().sum(), g.teacher_readout.cwiseAbs().sum());
  std::vector<network_critical_alignment> result;
  for (const block& of : blocks_of(family, decays)) {
    const followed_block followed(task, family, parameters, of, lo, hi);
    if (!followed.has_drive()) {
      continue;
    }
    const followed_drive drive{[&](double mu) { return followed.determinant(mu); },
                               [&](double mu) { return followed.B(mu); }, B_size, of.has_side};
    const auto becomes = [&](double mu, const followed_block::mode& m, critical_status alone) {
      const bool crosses = alone == critical_status::diverges || alone == critical_status::finite ||
                           alone == critical_status::marginal;
      return !crosses                   ? alone
             : decays                   ? critical_status::one_sided
             : followed.has_side(mu, m) ? critical_status::finite
                                        : alone;
    };
    double apart = 0.0;
    double last = -std::numeric_limits<double>::infinity();
    for (const critical_alignment& root : critical_roots(drive, breaks, lo, hi)) {
      if (root.status == critical_status::unresolved) {
        result.push_back({root, of.modes, VectorXd::Constant(g.width(), nan),
                          VectorXd::Constant(g.teacher.rows(), nan), nan});
        continue;
      }
      // Where several modes vanish the determinant has a multiple root, which rounding splits.
      constexpr double split = 1e-6;
      const double mu = root.alignment;
      if (!followed.is_root(mu) || mu - last <= apart) {
        continue;
      }
      const Index together =
          followed.vanishing(mu, root.status != critical_status::possible_double);
      last = mu;
      apart = together > 1 ? split * (hi - lo) : 0.0;
      for (const followed_block::mode& m : followed.modes_at(mu, together)) {
        network_critical_alignment found{root, of.modes, followed.neurons_of(m),
                                         followed.targets_of(mu, m),
                                         fastest(task, family, parameters, mu)};
        if (together > 1) {
          found.root.B = m.B;
          found.root.status =
              m.crosses ? status_of_crossing(drive, m.B, m.B) : critical_status::possible_double;
          found.root.alignment = m.crosses ? followed.polished(mu, m) : mu;
        }
        found.root.status = becomes(mu, m, found.root.status);
        found.root.slope = followed.slope(mu, root.slope, m);
        const double turned = turn(found.neurons);
        if (decays) {
          found.targets *= turned;
        } else {
          found.root.slope *= turned * turn(found.targets);
        }
        result.push_back(std::move(found));
      }
    }
  }
  std::stable_sort(result.begin(), result.end(), [](const auto& a, const auto& b) {
    const bool known = a.root.status != critical_status::unresolved;
    const bool other = b.root.status != critical_status::unresolved;
    return known != other ? known
           : known        ? a.root.alignment < b.root.alignment
                          : a.root.lo < b.root.lo;
  });
  return result;
}

struct critical_function::parts {
  bool decays;
  std::vector<block> blocks;
  std::vector<followed_determinant> determinants;
};

critical_function::critical_function(const aligned_family& of, bool decays,
                                     const std::vector<network_flow>& places) {
  parts made{decays, blocks_of(of, decays), {}};
  for (const block& b : made.blocks) {
    std::vector<block_drive> drives;
    for (const network_flow& f : places) {
      try {
        drives.push_back(drive_of(f, b, decays));
      } catch (const convergence_error&) {
        continue;  // the others choose
      }
    }
    made.determinants.emplace_back(b, decays, drives);
  }
  parts_ = std::make_unique<const parts>(std::move(made));
}

critical_function::~critical_function() = default;

double critical_function::operator()(const network_flow& f) const {
  double product = 1.0;
  bool any = false;
  for (std::size_t i = 0; i < parts_->blocks.size(); ++i) {
    const followed_determinant& determinant = parts_->determinants[i];
    if (determinant.rank() > 0) {
      product *= determinant.weighted_value(drive_of(f, parts_->blocks[i], parts_->decays));
      any = true;
    }
  }
  return any ? product : nan;
}

}  // namespace loradyn
