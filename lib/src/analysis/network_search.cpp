#include <algorithm>
#include <cmath>
#include <limits>
#include <loradyn/analysis/network_search.hpp>
#include <loradyn/error.hpp>
#include <loradyn/number_text.hpp>
#include <string>
#include "analysis/network_drive.hpp"
#include "decompositions.hpp"

namespace loradyn {
namespace {

using Eigen::Index;
using Eigen::MatrixXd;
using Eigen::VectorXd;

}  // namespace

bool decays_while_searching(const network_parameters& p) {
  return p.adapter == adapter_constraint::free && p.decay > 0.0;
}

double searching_square(const network_parameters& p) {
  if (p.adapter == adapter_constraint::frobenius) {
    return 1.0 / static_cast<double>(p.rank);
  }
  return decays_while_searching(p) ? 0.0 : 1.0;
}

network_state origin_of(const network_flow& f) {
  const network_geometry& g = f.geometry();
  const Index r = f.parameters().rank;
  return {MatrixXd::Zero(g.width(), r), MatrixXd::Zero(r, g.directions()), MatrixXd::Identity(r, r),
          g.readout};
}

searching_readouts::searching_readouts(const network_flow& f) : start_(f.geometry().readout) {
  const double ratio = f.parameters().readout_ratio;
  if (ratio == 0.0) {
    return;
  }
  // ∂R/∂a is linear in a.
  const network_geometry& g = f.geometry();
  const network_overlaps o = overlaps_of(g, origin_of(f));
  const auto slope = [&](const VectorXd& a) {
    network_slopes s;
    f.task().risk.slopes(o, f.teacher_gram(), a, g.teacher_readout, true, s);
    return s.readouts;
  };
  const Index width = g.width();
  const VectorXd none = slope(VectorXd::Zero(width));
  MatrixXd gram(width, width);
  for (Index j = 0; j < width; ++j) {
    gram.col(j) = slope(VectorXd::Unit(width, j)) - none;
  }
  const Eigen::SelfAdjointEigenSolver<MatrixXd> solver(0.5 * (gram + gram.transpose()));
  // Neurons that do alike have a combination of readouts that nothing moves.
  constexpr double rounding = 1e-12;
  modes_ = solver.eigenvectors();
  rates_ = ratio * solver.eigenvalues();
  pull_ = -modes_.transpose() * (none + gram * start_);
  for (Index j = 0; j < width; ++j) {
    const bool moves = solver.eigenvalues()[j] > rounding * solver.eigenvalues().maxCoeff();
    rates_[j] = moves ? rates_[j] : 0.0;
    pull_[j] = moves ? pull_[j] * ratio / rates_[j] : 0.0;
  }
}

VectorXd searching_readouts::at(double t) const {
  VectorXd a = start_;
  for (Index j = 0; j < rates_.size(); ++j) {
    if (rates_[j] > 0.0) {
      a -= std::expm1(-rates_[j] * t) * pull_[j] * modes_.col(j);
    }
  }
  return a;
}

network_drive drive_at(const network_flow& f, const VectorXd& a, double square) {
  const network_geometry& g = f.geometry();
  network_slopes s;
  f.task().risk.slopes(overlaps_of(g, origin_of(f)), f.teacher_gram(), a, g.teacher_readout, false,
                       s);
  const MatrixXd by_targets = s.targets * g.teacher;
  const MatrixXd by_weights = s.twice_weights * g.pretrained;
  network_drive drive{
      by_targets + by_weights, square * s.twice_weights, by_targets.norm() + by_weights.norm(), {}};
  MatrixXd weights = s.twice_weights.cwiseAbs();
  weights.diagonal() = s.weight_sizes;
  drive.sizes = s.targets.cwiseAbs() * f.teacher_gram().cwiseAbs() +
                weights * (g.pretrained * g.teacher.transpose()).cwiseAbs();
  return drive;
}

network_drive searching_drive(const network_flow& f) {
  constexpr double long_after = std::numeric_limits<double>::infinity();
  return drive_at(f, searching_readouts(f).at(long_after), searching_square(f.parameters()));
}

MatrixXd searching_matrix(const network_parameters& p, const network_drive& drive) {
  const Index width = drive.G.rows();
  const Index directions = drive.G.cols();
  const double root = std::sqrt(p.rate_ratio);
  const double held = p.adapter == adapter_constraint::free ? p.decay : 0.0;
  MatrixXd linear(width + directions, width + directions);
  linear.topLeftCorner(width, width) =
      -p.rate_ratio * (drive.H + p.decay * MatrixXd::Identity(width, width));
  linear.topRightCorner(width, directions) = -root * drive.G;
  linear.bottomLeftCorner(directions, width) = -root * drive.G.transpose();
  linear.bottomRightCorner(directions, directions) =
      -held * MatrixXd::Identity(directions, directions);
  return linear;
}

// (14.9)
network_search_result network_search(const network_flow& f) {
  const network_parameters& p = f.parameters();
  network_search_result result;
  if (p.rate_ratio == 0.0) {
    result.status = search_status::frozen;
    return result;
  }
  if (!has_overlaps(f.geometry())) {
    result.status = search_status::overflow;
    return result;
  }
  const network_drive start = searching_drive(f);
  if (!start.G.allFinite() || !start.H.allFinite()) {
    result.status = search_status::undefined;
    return result;
  }
  result.pull = start.G.norm();
  result.size = start.size;
  const Index width = start.G.rows();
  const Index directions = start.G.cols();
  const double root = std::sqrt(p.rate_ratio);
  const MatrixXd linear = searching_matrix(p, start);
  const Eigen::SelfAdjointEigenSolver<MatrixXd> solver(linear);
  // What of the pull is the rounding of its terms moves nothing.
  constexpr double rounding = 1e-13;
  const double least = rounding * linear.cwiseAbs().maxCoeff();
  for (Index i = width + directions - 1; i >= 0; --i) {
    const double rate = solver.eigenvalues()[i];
    if (!(rate > least) || result.pull <= rounding * result.size) {
      break;
    }
    const VectorXd x = solver.eigenvectors().col(i);
    network_mode mode;
    mode.rate = rate;
    mode.u = root * x.head(width);
    mode.v = x.tail(directions);
    const double length = std::sqrt(mode.u.squaredNorm() + mode.v.squaredNorm());
    Index largest = 0;
    mode.u.cwiseAbs().maxCoeff(&largest);
    const double sign = mode.u[largest] < 0.0 ? -1.0 : 1.0;
    mode.left_u = sign * length / root * x.head(width);
    mode.left_v = sign * length * x.tail(directions);
    mode.u *= sign / length;
    mode.v *= sign / length;
    result.modes.push_back(std::move(mode));
  }
  if (result.modes.empty()) {
    result.status = search_status::diverges;
  } else if (result.pull <= 1e3 * rounding * result.size) {
    result.status = search_status::imprecise;
  }
  return result;
}

MatrixXd noise_at(const network_flow& f, const VectorXd& a) {
  const network_geometry& g = f.geometry();
  return f.task()
      .noise
      .value(overlaps_of(g, origin_of(f)), f.teacher_gram(), a, g.teacher_readout,
             f.parameters().label_noise)
      .covariance;
}

MatrixXd noise_at_start(const network_flow& f) { return noise_at(f, f.geometry().readout); }

// (14.11)
network_state one_step_start(const network_flow& f, double dimension, double batch, double u0) {
  const Index r = f.parameters().rank;
  const Index width = f.geometry().width();
  if (r > width) {
    throw argument_error(
        "rank", std::to_string(r),
        "at most the width, " + std::to_string(width) + ", for a start along one gradient");
  }
  for (const auto& [name, value] : {std::pair{"dim", dimension}, {"start-batch", batch}}) {
    if (!(value > 0.0) || !std::isfinite(value)) {
      throw argument_error(name, number_text(value), "finite and > 0");
    }
  }
  const network_drive start = drive_at(f, f.geometry().readout, 1.0);
  const Eigen::SelfAdjointEigenSolver<MatrixXd> solver(
      MatrixXd(start.G * start.G.transpose() + (dimension / batch) * noise_at_start(f)));
  network_state x = origin_of(f);
  x.U.setConstant(u0);
  for (Index a = 0; a < r; ++a) {
    const Index place = width - 1 - a;
    const double value = solver.eigenvalues()[place];
    if (!(value > 0.0)) {
      throw argument_error("the first gradient", "of rank " + std::to_string(a),
                           "of rank " + std::to_string(r) + " and more");
    }
    VectorXd direction = solver.eigenvectors().col(place);
    // Where U grows along the descent it is positive: an eigenvector has no sign of its own.
    Index largest = 0;
    direction.cwiseAbs().maxCoeff(&largest);
    if (direction[largest] < 0.0) {
      direction = -direction;
    }
    x.C.row(a) = -direction.transpose() * start.G / std::sqrt(value);
  }
  x.P -= x.C * x.C.transpose();
  return x;
}

}  // namespace loradyn
