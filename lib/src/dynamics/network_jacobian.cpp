#include <algorithm>
#include <loradyn/dynamics/network_jacobian.hpp>
#include <span>
#include <utility>
#include <vector>
#include "decompositions.hpp"

namespace loradyn {
namespace {

using Eigen::Index;
using Eigen::MatrixXd;
using Eigen::VectorXd;

// The derivatives of (14.2) along any direction, at one state.
class slopes_along {
 public:
  slopes_along(const network_flow& f, const network_state& x)
      : risk_(f.task().risk), a_(x.a), b_(f.geometry().teacher_readout) {
    const network_overlaps o = overlaps_of(f.geometry(), x);
    const moment_set wanted =
        moment_set::value | moment_set::gradient | moment_set::gradient2 | moment_set::hessian;
    for (Index j = 0; j < a_.size(); ++j) {
      const double q = o.weights(j, j);
      own_.push_back({risk_.self_kernel().moments(pair_covariance::diagonal(q),
                                                  moment_set::value | moment_set::gradient),
                      risk_.self_kernel().diagonal_curvature(q)});
      for (Index l = 0; l < j; ++l) {
        self_.push_back(risk_.self_kernel().moments(
            {q, o.weights(l, l), o.weights(j, l), o.weight_gaps(j, l)}, wanted));
      }
      for (Index i = 0; i < b_.size(); ++i) {
        cross_.push_back(risk_.cross_kernel().moments(
            {q, f.teacher_gram()(i, i), o.targets(j, i), o.target_gaps(j, i)}, wanted));
      }
    }
  }

  // Of R_N, 2R_Λ and ∂R/∂a where Λ, N and a move so.
  [[nodiscard]] network_slopes operator()(const MatrixXd& weights, const MatrixXd& targets,
                                          const VectorXd& readout) const {
    const Index width = a_.size();
    network_slopes d;  // the sizes are not asked for
    d.targets.resize(width, b_.size());
    d.twice_weights = MatrixXd::Zero(width, width);
    d.readouts = VectorXd::Zero(width);
    std::size_t self = 0;
    std::size_t cross = 0;
    for (Index j = 0; j < width; ++j) {
      const auto& [m, curvature] = own_[static_cast<std::size_t>(j)];
      const double q = weights(j, j);
      const double slope = m.e11 + m.e20;
      d.twice_weights(j, j) += a_[j] * (a_[j] * curvature * q + 2.0 * readout[j] * slope);
      d.readouts[j] += readout[j] * m.e00 + a_[j] * slope * q;
      for (Index l = 0; l < j; ++l) {
        add_self(j, l, self_[self++], weights, readout, d);
      }
      for (Index i = 0; i < b_.size(); ++i) {
        const pair_moments& k = cross_[cross++];
        const double c = targets(j, i);
        const double at_c = 0.5 * k.e31 * q + k.e22 * c;
        const double at_q = 0.25 * k.e40 * q + 0.5 * k.e31 * c;
        d.targets(j, i) = -b_[i] * (a_[j] * at_c + readout[j] * k.e11);
        d.twice_weights(j, j) -= b_[i] * (2.0 * a_[j] * at_q + readout[j] * k.e20);
        d.readouts[j] -= b_[i] * (0.5 * k.e20 * q + k.e11 * c);
      }
    }
    return d;
  }

 private:
  void add_self(Index j, Index l, const pair_moments& k, const MatrixXd& weights,
                const VectorXd& readout, network_slopes& d) const {
    const double q1 = weights(j, j);
    const double q2 = weights(l, l);
    const double c = weights(j, l);
    const double product = a_[j] * a_[l];
    const double moved = readout[j] * a_[l] + a_[j] * readout[l];
    const double off = product * (0.5 * (k.e31 * q1 + k.e13 * q2) + k.e22 * c) + moved * k.e11;
    d.twice_weights(j, l) += off;
    d.twice_weights(l, j) += off;
    d.twice_weights(j, j) +=
        product * (0.5 * (k.e40 * q1 + k.e22 * q2) + k.e31 * c) + moved * k.e20;
    d.twice_weights(l, l) +=
        product * (0.5 * (k.e22 * q1 + k.e04 * q2) + k.e13 * c) + moved * k.e02;
    const double value = 0.5 * (k.e20 * q1 + k.e02 * q2) + k.e11 * c;
    d.readouts[j] += readout[l] * k.e00 + a_[l] * value;
    d.readouts[l] += readout[j] * k.e00 + a_[j] * value;
  }

  const network_risk& risk_;
  const VectorXd& a_;
  const VectorXd& b_;
  std::vector<std::pair<pair_moments, double>> own_;
  std::vector<pair_moments> self_;
  std::vector<pair_moments> cross_;
};

// A direction in which a state moves.
using direction = network_state;

// What is packed as x moving alone: on spheres the diagonal of P follows C.
direction direction_of(const network_flow& f, const network_state& x, std::size_t entry) {
  std::vector<double> packed(f.packed_size(), 0.0);
  packed[entry] = 1.0;
  direction d = f.unpack(packed);
  if (f.parameters().adapter == adapter_constraint::sphere) {
    d.P.diagonal() = -2.0 * x.C.cwiseProduct(d.C).rowwise().sum();
  }
  return d;
}

network_state moved(const network_state& x, const direction& d, double step) {
  return {x.U + step * d.U, x.C + step * d.C, x.P + step * d.P, x.a + step * d.a};
}

// (14.7), differentiated.
class velocity_along {
 public:
  velocity_along(const network_flow& f, const network_state& x)
      : f_(f), x_(x), slopes_along_(f, x) {
    const network_geometry& g = f.geometry();
    f.task().risk.slopes(overlaps_of(g, x), f.teacher_gram(), x.a, g.teacher_readout, false, s_);
    along_ = g.pretrained + x.U * x.C;
    U_targets_ = x.U.transpose() * s_.targets;
    U_weights_ = x.U.transpose() * s_.twice_weights;
    pull_ = U_weights_ * x.U;
    UG_E_ = U_targets_ * g.teacher + U_weights_ * along_;
    UG_V_ = UG_E_ * x.C.transpose() + pull_ * x.P;
    noise_ = MatrixXd::Zero(x.P.rows(), x.P.cols());
    if (f.parameters().noise_scale > 0.0) {
      covariance_ = covariance(x);
      noise_ = f.parameters().noise_scale * (x.U.transpose() * covariance_ * x.U);
    }
  }

  [[nodiscard]] network_state operator()(const direction& d) const {
    const network_geometry& g = f_.geometry();
    const network_parameters& p = f_.parameters();
    const MatrixXd along = d.U * x_.C + x_.U * d.C;
    MatrixXd weights = along * along_.transpose() + d.U * x_.P * x_.U.transpose();
    weights = (weights + weights.transpose()).eval();
    weights += x_.U * d.P * x_.U.transpose();
    const network_slopes s = slopes_along_(weights, along * g.teacher.transpose(), d.a);
    const MatrixXd G_V =
        s.targets * (g.teacher * x_.C.transpose()) + s_.targets * (g.teacher * d.C.transpose()) +
        s.twice_weights * (along_ * x_.C.transpose() + x_.U * x_.P) +
        s_.twice_weights *
            (along * x_.C.transpose() + along_ * d.C.transpose() + d.U * x_.P + x_.U * d.P);
    const MatrixXd U_targets = d.U.transpose() * s_.targets + x_.U.transpose() * s.targets;
    const MatrixXd U_weights =
        d.U.transpose() * s_.twice_weights + x_.U.transpose() * s.twice_weights;
    const MatrixXd pull = U_weights * x_.U + U_weights_ * d.U;
    const MatrixXd UG_E = U_targets * g.teacher + U_weights * along_ + U_weights_ * along;
    const MatrixXd UG_V =
        UG_E * x_.C.transpose() + UG_E_ * d.C.transpose() + pull * x_.P + pull_ * d.P;
    const MatrixXd noise = noise_along(d);
    network_state v;
    v.U = -p.rate_ratio * (G_V + p.decay * d.U);
    v.a = -p.readout_ratio * s.readouts;
    v.C = -UG_E;
    v.P = noise - (pull * x_.P + x_.P * pull.transpose()) - (pull_ * d.P + d.P * pull_.transpose());
    switch (p.adapter) {
      case adapter_constraint::free:
        v.C -= p.decay * d.C;
        v.P -= 2.0 * p.decay * d.P;
        break;
      case adapter_constraint::sphere: {
        const VectorXd back = UG_V_.diagonal() - 0.5 * noise_.diagonal();
        const VectorXd moves = UG_V.diagonal() - 0.5 * noise.diagonal();
        v.C += moves.asDiagonal() * x_.C + back.asDiagonal() * d.C;
        v.P += moves.asDiagonal() * x_.P + x_.P * moves.asDiagonal() + back.asDiagonal() * d.P +
               d.P * back.asDiagonal();
        break;
      }
      case adapter_constraint::frobenius: {
        const double square = x_.C.squaredNorm() + x_.P.trace();
        const double back = (UG_V_.trace() - 0.5 * noise_.trace()) / square;
        const double moves = (UG_V.trace() - 0.5 * noise.trace() -
                              back * (2.0 * x_.C.cwiseProduct(d.C).sum() + d.P.trace())) /
                             square;
        v.C += moves * x_.C + back * d.C;
        v.P += 2.0 * (moves * x_.P + back * d.P);
        break;
      }
    }
    return v;
  }

 private:
  [[nodiscard]] MatrixXd covariance(const network_state& at) const {
    const network_geometry& g = f_.geometry();
    return f_.task()
        .noise
        .value(overlaps_of(g, at), f_.teacher_gram(), at.a, g.teacher_readout,
               f_.parameters().label_noise)
        .covariance;
  }

  // Of Σ differences alone are had.
  [[nodiscard]] MatrixXd noise_along(const direction& d) const {
    const double gamma = f_.parameters().noise_scale;
    if (gamma == 0.0) {
      return MatrixXd::Zero(noise_.rows(), noise_.cols());
    }
    const double step =
        1e-5 * std::max({1.0, x_.U.cwiseAbs().maxCoeff(), x_.C.cwiseAbs().maxCoeff()});
    const MatrixXd covariance_moves = covariance_along(d, step);
    const MatrixXd half = d.U.transpose() * covariance_ * x_.U;
    return gamma * (half + half.transpose() + x_.U.transpose() * covariance_moves * x_.U);
  }

  // Beyond an edge, where V has no such overlaps, there is nothing: of one side two steps are
  // taken.
  [[nodiscard]] MatrixXd covariance_along(const direction& d, double step) const {
    const bool above = is_possible(moved(x_, d, step));
    const bool below = is_possible(moved(x_, d, -step));
    if (above == below) {
      return (covariance(moved(x_, d, step)) - covariance(moved(x_, d, -step))) / (2.0 * step);
    }
    const double inward = above ? step : -step;
    return (4.0 * covariance(moved(x_, d, inward)) - covariance(moved(x_, d, 2.0 * inward)) -
            3.0 * covariance_) /
           (2.0 * inward);
  }

  static bool is_possible(const network_state& x) {
    return Eigen::SelfAdjointEigenSolver<MatrixXd>(x.P, Eigen::EigenvaluesOnly).eigenvalues()[0] >=
           0.0;
  }

  const network_flow& f_;
  const network_state& x_;
  slopes_along slopes_along_;
  network_slopes s_;
  MatrixXd along_;  // W E'
  MatrixXd U_targets_;
  MatrixXd U_weights_;
  MatrixXd pull_;
  MatrixXd UG_E_;
  MatrixXd UG_V_;
  MatrixXd noise_;
  MatrixXd covariance_;  // Σ
};

}  // namespace

MatrixXd jacobian_of(const network_flow& f, std::span<const double> packed) {
  const network_state x = f.unpack(packed);
  const velocity_along along(f, x);
  const auto n = static_cast<Index>(packed.size());
  MatrixXd j(n, n);
  for (Index i = 0; i < n; ++i) {
    const std::vector<double> v = f.pack(along(direction_of(f, x, static_cast<std::size_t>(i))));
    j.col(i) = Eigen::Map<const VectorXd>(v.data(), n);
  }
  return j;
}

}  // namespace loradyn
