#include <Eigen/Dense>
#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <loradyn/analysis/network_critical.hpp>
#include <loradyn/analysis/network_search.hpp>
#include <loradyn/error.hpp>
#include <loradyn/number_text.hpp>
#include <utility>
#include "analysis/critical_roots.hpp"
#include "analysis/network_drive.hpp"

namespace loradyn {
namespace {

using Eigen::Index;
using Eigen::MatrixXd;
using Eigen::VectorXd;

constexpr double nan = std::numeric_limits<double>::quiet_NaN();

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

// The sums over each kind make one block, the differences within a kind one for each.
std::vector<block> blocks_of(const aligned_family& family) {
  std::vector<block> blocks(1);
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
  }
  return blocks;
}

// A block's drive, its curvature, and the sizes that they are told from rounding by.
struct block_drive {
  MatrixXd D;  // -X' G0 T' Y
  MatrixXd H;  // X' (H0 + ω) X
  double size = 0.0;
};

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

MatrixXd part_of(const MatrixXd& D, const regular_part& part) { return D(part.rows, part.columns); }

// One block of a family over μ.
class followed_block {
 public:
  followed_block(const network_task& task, const aligned_family& family,
                 const network_parameters& parameters, const block& of, double lo, double hi)
      : task_(task), family_(family), parameters_(parameters), of_(of), lo_(lo), hi_(hi) {
    find_regular_part();
  }

  [[nodiscard]] bool has_drive() const { return rank_ > 0; }

  [[nodiscard]] scaled_value determinant(double mu) const {
    const block_drive at = drive(mu);
    if (!at.D.allFinite()) {
      return {nan, nan};
    }
    const MatrixXd part = part_of(at.D, part_);
    return {rank_ == 1 ? part(0, 0) : part.determinant(),
            std::pow(at.size, static_cast<double>(rank_))};
  }

  [[nodiscard]] double B(double mu) const { return mode_at(mu, 0).B; }

  struct mode {
    VectorXd x;  // among the block's patterns
    VectorXd y;
    double B = 0.0;
    bool crosses = true;
  };

  // The mode that vanishes at a root, or one of several, by its neighbours on both sides.
  [[nodiscard]] mode mode_at(double mu, Index number) const {
    mode m;
    const block_drive at = drive(mu);
    if (at.D.size() == 1) {
      return {VectorXd::Ones(1), VectorXd::Ones(1), -at.H(0, 0), true};
    }
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
      const VectorXd x = svd.matrixU().col(rank_ - 1 - number);
      const VectorXd y = svd.matrixV().col(rank_ - 1 - number);
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
    const Index driven = rank_ - std::max<Index>(vanishing(at), 1);
    const MatrixXd undriven = svd.matrixU().rightCols(at.D.rows() - driven);
    const VectorXd x = undriven.transpose() * m.x;
    const MatrixXd H = undriven.transpose() * at.H * undriven;
    m.B = H.rows() == 1 ? -m.x.dot(at.H * m.x) : -1.0 / x.dot(H.fullPivLu().solve(x));
    return m;
  }

  // Whether all of the block loses a rank where its regular part does.
  [[nodiscard]] bool is_root(double mu) const {
    if (part_.rows.size() == static_cast<std::size_t>(of_.neurons.cols()) &&
        part_.columns.size() == static_cast<std::size_t>(of_.targets.cols())) {
      return true;
    }
    const block_drive at = drive(mu);
    return !at.D.allFinite() || vanishing(at) > 0;
  }

  // How many modes of the block vanish at a root.
  [[nodiscard]] Index vanishing(double mu) const {
    return rank_ == 1 ? 1 : std::max<Index>(vanishing(drive(mu)), 1);
  }

  // A determinant's slope as that of its vanishing factor.
  [[nodiscard]] double slope(double mu, double of_determinant, const mode& m) const {
    const bool alone = m.x.size() == 1 && m.y.size() == 1;
    return alone ? of_determinant : slope_along(mu, m);
  }

 private:
  [[nodiscard]] block_drive drive(double mu) const {
    const network_geometry geometry = family_.at(mu);
    if (!has_overlaps(geometry)) {
      return {MatrixXd::Constant(of_.neurons.cols(), of_.targets.cols(), nan),
              MatrixXd::Constant(of_.neurons.cols(), of_.neurons.cols(), nan), nan};
    }
    const network_flow f(task_, geometry, parameters_);
    const network_drive start = drive_at_start(f);
    block_drive at;
    at.D = -of_.neurons.transpose() * (start.G * f.geometry().teacher.transpose()) * of_.targets;
    at.H = of_.neurons.transpose() * start.H * of_.neurons;
    at.H.diagonal().array() += parameters_.decay;
    at.size =
        (of_.neurons.cwiseAbs().transpose() * start.sizes * of_.targets.cwiseAbs()).maxCoeff();
    return at;
  }

  [[nodiscard]] Index vanishing(const block_drive& at) const {
    constexpr double lost = 1e-8;
    if (!at.D.allFinite()) {
      return 0;
    }
    return rank_ - (singular_values(at.D).head(rank_).array() > lost * at.size).count();
  }

  static VectorXd singular_values(const MatrixXd& D) {
    return Eigen::JacobiSVD<MatrixXd>(D).singularValues();
  }

  // x' D'(μ) y, by differences of the fourth order.
  [[nodiscard]] double slope_along(double mu, const mode& m) const {
    const double h = 1e-3 * (hi_ - lo_);
    const auto s = [&](double at) { return m.x.dot(drive(at).D * m.y); };
    return (8.0 * (s(mu + h) - s(mu - h)) - (s(mu + 2.0 * h) - s(mu - 2.0 * h))) / (12.0 * h);
  }

  void find_regular_part() {
    // Heuristic: a block that is singular at all of these is so everywhere.
    constexpr std::array places{0.0977, 0.2831, 0.4713, 0.6619, 0.8537};
    constexpr double none = 1e-9;
    std::vector<MatrixXd> drives;
    for (const double place : places) {
      try {
        const block_drive at = drive(std::lerp(lo_, hi_, place));
        if (at.D.allFinite() && at.size > 0.0) {
          drives.push_back(at.D / at.size);
        }
      } catch (const convergence_error&) {
        continue;  // what can't be had there is told as unresolved
      }
    }
    if (drives.empty()) {
      rank_ = std::min(of_.neurons.cols(), of_.targets.cols());
    }
    for (const MatrixXd& D : drives) {
      rank_ = std::max<Index>(rank_, (singular_values(D).array() > none).count());
    }
    double best = -1.0;
    for (const std::vector<Index>& rows : choices(of_.neurons.cols(), rank_)) {
      for (const std::vector<Index>& columns : choices(of_.targets.cols(), rank_)) {
        double size = 0.0;
        for (const MatrixXd& D : drives) {
          size += rank_ > 0 ? std::abs(part_of(D, {rows, columns}).determinant()) : 0.0;
        }
        if (size > best) {
          best = size;
          part_ = {rows, columns};
        }
      }
    }
  }

  const network_task& task_;
  const aligned_family& family_;
  const network_parameters& parameters_;
  const block& of_;
  double lo_;
  double hi_;
  Index rank_ = 0;
  regular_part part_;
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
  network_geometry g = aligned_geometry(width, teacher_width, alignment, misalignment, off_target);
  g.readout = readouts(readout, width);
  g.teacher_readout = readouts(readout, teacher_width);
  return g;
}

// (14.14)
std::vector<network_critical_alignment> critical_alignments(const network_task& task,
                                                            const aligned_family& family,
                                                            const network_parameters& parameters,
                                                            double lo, double hi) {
  require_interval(lo, hi);
  parameters.validate();
  if (parameters.adapter == adapter_constraint::free && parameters.decay > 0.0) {
    throw argument_error("decay", number_text(parameters.decay),
                         "0 for free adapters: their search ends where a drive is left");
  }
  const network_geometry g = family.at(lo);
  const activation& student = task.risk.student();
  std::vector<double> meetings = kink_meetings(student.kinks(), task.risk.teacher().kinks());
  if (family.off_target < family.width) {
    const std::vector<double> own = kink_meetings(student.kinks(), student.kinks());
    meetings.insert(meetings.end(), own.begin(), own.end());
  }
  const std::vector<double> breaks = drive_breaks(std::move(meetings), lo, hi);
  const double readout = g.readout.cwiseAbs().maxCoeff();
  const double B_size = drive_power(student, task.risk.teacher()) * readout *
                        std::max(g.readout.cwiseAbs().sum(), g.teacher_readout.cwiseAbs().sum());
  std::vector<network_critical_alignment> result;
  for (const block& of : blocks_of(family)) {
    const followed_block followed(task, family, parameters, of, lo, hi);
    if (!followed.has_drive()) {
      continue;
    }
    const followed_drive drive{[&](double mu) { return followed.determinant(mu); },
                               [&](double mu) { return followed.B(mu); }, B_size, of.has_side};
    double apart = 0.0;
    double last = -std::numeric_limits<double>::infinity();
    for (const critical_alignment& root : critical_roots(drive, breaks, lo, hi)) {
      if (root.status == critical_status::unresolved) {
        result.push_back({root, of.modes, VectorXd::Constant(family.width, nan),
                          VectorXd::Constant(family.teacher_width, nan), nan});
        continue;
      }
      // Where several modes vanish the determinant has a multiple root, which rounding splits.
      constexpr double split = 1e-6;
      const double mu = root.alignment;
      if (!followed.is_root(mu) || mu - last <= apart) {
        continue;
      }
      const Index together = followed.vanishing(mu);
      last = mu;
      apart = together > 1 ? split * (hi - lo) : 0.0;
      for (Index i = 0; i < together; ++i) {
        const followed_block::mode m = followed.mode_at(mu, i);
        network_critical_alignment found{root, of.modes, of.neurons * m.x, of.targets * m.y,
                                         fastest(task, family, parameters, mu)};
        if (together > 1) {
          found.root.B = m.B;
          found.root.status =
              m.crosses ? status_of_crossing(drive, m.B, m.B) : critical_status::possible_double;
        }
        found.root.slope =
            followed.slope(mu, root.slope, m) * turn(found.neurons) * turn(found.targets);
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

}  // namespace loradyn
