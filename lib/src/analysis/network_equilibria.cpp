#include <algorithm>
#include <cmath>
#include <loradyn/analysis/network_equilibria.hpp>
#include <loradyn/dynamics/network_jacobian.hpp>
#include <loradyn/error.hpp>
#include <loradyn/interruption.hpp>
#include <optional>
#include <utility>
#include "decompositions.hpp"
#include "nan.hpp"

namespace loradyn {
namespace {

using Eigen::Index;
using Eigen::MatrixXd;
using Eigen::VectorXd;

// The entries of a packed state that move at all.
std::vector<Index> moving_entries(const network_flow& f) {
  const auto size = static_cast<Index>(f.packed_size());
  const Index width = f.geometry().width();
  const Index U = width * f.parameters().rank;
  std::vector<Index> moving;
  for (Index i = f.parameters().rate_ratio > 0.0 ? 0 : U;
       i < (f.parameters().readout_ratio > 0.0 ? size : size - width); ++i) {
    moving.push_back(i);
  }
  return moving;
}

// Velocity and Jacobian of what moves.
class moving_system {
 public:
  explicit moving_system(const network_flow& f)
      : flow_(f), system_(system_of(f)), moving_(moving_entries(f)) {}

  [[nodiscard]] VectorXd velocity(const std::vector<double>& x) const {
    const std::vector<double> v = system_.velocity(x);
    return Eigen::Map<const VectorXd>(v.data(), static_cast<Index>(v.size()))(moving_);
  }
  [[nodiscard]] MatrixXd jacobian(const std::vector<double>& x) const {
    // Exact on the edges with noise too, where it can be had.
    try {
      if (const MatrixXd exact = jacobian_of(flow_, x); exact.allFinite()) {
        return exact(moving_, moving_);
      }
    } catch (const error&) {
      return MatrixXd::Constant(static_cast<Index>(moving_.size()),
                                static_cast<Index>(moving_.size()), nan);
    }
    return system_.jacobian(x)(moving_, moving_);
  }
  [[nodiscard]] std::vector<double> stepped(const std::vector<double>& x,
                                            const VectorXd& step) const {
    std::vector<double> next = x;
    for (std::size_t i = 0; i < moving_.size(); ++i) {
      next[static_cast<std::size_t>(moving_[i])] += step[static_cast<Index>(i)];
    }
    return flow_.pack(in_cone(flow_.unpack(next)));
  }

 private:
  // The nearest state that V can have: many a rest is on the edge, where the frozen rows span all
  // of V, and beyond it the velocity is another function.
  [[nodiscard]] network_state in_cone(network_state x) const {
    const bool on_sphere = flow_.parameters().adapter == adapter_constraint::sphere;
    if (on_sphere) {
      for (Index a = 0; a < x.C.rows(); ++a) {
        if (const double length = x.C.row(a).norm(); length > 1.0) {
          x.C.row(a) /= length;
          x.P(a, a) = 0.0;
        }
      }
    }
    const VectorXd squares = x.P.diagonal();
    const Eigen::SelfAdjointEigenSolver<MatrixXd> gram(x.P);
    if (gram.info() == Eigen::Success && gram.eigenvalues()[0] < 0.0) {
      x.P = gram.eigenvectors() * gram.eigenvalues().cwiseMax(0.0).asDiagonal() *
            gram.eigenvectors().transpose();
      if (on_sphere) {
        VectorXd scale = VectorXd::Zero(squares.size());
        for (Index a = 0; a < squares.size(); ++a) {
          scale[a] = x.P(a, a) > 0.0 ? std::sqrt(std::max(0.0, squares[a]) / x.P(a, a)) : 0.0;
        }
        x.P = (scale.asDiagonal() * x.P * scale.asDiagonal()).eval();
      }
    }
    return x;
  }

  const network_flow& flow_;
  ode_system<any_dimension> system_;
  std::vector<Index> moving_;
};

double size_of(const std::vector<double>& x) {
  double size = 1.0;
  for (const double entry : x) {
    size = std::max(size, std::abs(entry));
  }
  return size;
}

// Whether V V' - C C' is a Gram matrix, and on spheres |C_a| <= 1, within a slack.
bool in_domain(const network_flow& f, const network_state& x, double slack) {
  if (!x.U.allFinite() || !x.C.allFinite() || !x.P.allFinite() || !x.a.allFinite()) {
    return false;
  }
  if (f.parameters().adapter == adapter_constraint::sphere &&
      x.C.rowwise().squaredNorm().maxCoeff() > 1.0 + slack) {
    return false;
  }
  const Eigen::SelfAdjointEigenSolver<MatrixXd> gram(x.P, Eigen::EigenvaluesOnly);
  return gram.eigenvalues()[0] >= -slack * std::max(1.0, x.P.trace());
}

// How far U and V may go.
struct radii {
  double U = 0.0;
  double V = 0.0;

  [[nodiscard]] bool hold(const network_state& x) const {
    return x.U.cwiseAbs().maxCoeff() <= U && std::sqrt(square_of_V(x)) <= V;
  }
  static double square_of_V(const network_state& x) {
    return x.C.squaredNorm() + std::max(0.0, x.P.trace());
  }
};

// Where a run without noise comes in some hundred steps: near a sink, which from a random state
// Newton's method seldom finds where there are many dimensions.
network_state followed(const network_flow& f, const network_state& start) {
  network_parameters quiet = f.parameters();
  quiet.noise_scale = 0.0;
  const network_flow g(f.task(), f.geometry(), quiet);
  integration_options options;
  options.method = stepper::explicit_5;
  options.relative_tolerance = 1e-5;
  options.absolute_tolerance = 1e-8;
  options.step_limit = 400;
  const auto r = integrate<any_dimension>(system_of(g), g.pack(start), 0.0, options);
  return g.unpack(r.x);
}

// Newton's method, damped, with steps of least norm where the Jacobian is singular.
std::optional<network_state> rest_from(const network_flow& f, const moving_system& system,
                                       const network_state& start, const radii& within) {
  // Thirteen halvings: where the speed falls at none of these it is at a least, or at its rounding.
  constexpr double least_damping = 1e-4;
  // Of degenerate rests, to which Newton's steps come linearly, 47 halvings lead to rounding.
  constexpr int iterations = 100;
  constexpr double singular = 1e-10;
  constexpr double rounding = 1e-12;  // ten times that of the kernels
  std::vector<double> x = f.pack(start);
  VectorXd v = system.velocity(x);
  for (int i = 0; i < iterations && v.allFinite(); ++i) {
    check_stop();
    const MatrixXd j = system.jacobian(x);
    if (!j.allFinite()) {
      return std::nullopt;
    }
    const double rate = j.cwiseAbs().rowwise().sum().maxCoeff();
    const bool rests = v.cwiseAbs().maxCoeff() <= rounding * rate * size_of(x);
    const VectorXd step = -shortest_solution(j, v, singular);
    std::vector<double> next = x;
    VectorXd velocity = v;
    double damping = 1.0;
    for (; damping > least_damping; damping *= 0.5) {
      next = system.stepped(x, damping * step);
      const network_state at = f.unpack(next);
      if (!within.hold(at)) {
        continue;
      }
      velocity = system.velocity(next);
      if (velocity.allFinite() && velocity.norm() < v.norm()) {
        break;
      }
    }
    if (rests && !(damping > least_damping && velocity.norm() < 0.1 * v.norm())) {
      return f.unpack(x);
    }
    if (!(damping > least_damping)) {
      return std::nullopt;  // a least of the speed that is no rest
    }
    x = std::move(next);
    v = std::move(velocity);
  }
  return std::nullopt;
}

// What does not change where neurons, targets or adapters are exchanged.
VectorXd signature_of(const network_flow& f, const network_equilibrium& e) {
  const network_overlaps o = overlaps_of(f.geometry(), e.x);
  std::vector<double> all{e.risk};
  const auto add = [&all](std::vector<double> some) {
    std::sort(some.begin(), some.end());
    all.insert(all.end(), some.begin(), some.end());
  };
  const auto entries = [](const auto& m) {
    return std::vector<double>(m.data(), m.data() + m.size());
  };
  const VectorXd powers = o.weights.diagonal();
  const MatrixXd own = o.targets;
  add(entries(powers));
  add(entries(o.weights));
  add(entries(own));
  add(entries(e.x.a));
  return Eigen::Map<const VectorXd>(all.data(), static_cast<Index>(all.size()));
}

double distance_from_start(const network_state& x) {
  return (x.U * x.S() * x.U.transpose()).trace();
}

// Keeps one of each orbit and family.
class collection {
 public:
  explicit collection(const network_flow& f) : flow_(f) {}

  void add(network_equilibrium e) {
    constexpr double same = 1e-5;  // Newton's steps end so far from a degenerate rest
    const VectorXd signature = signature_of(flow_, e);
    for (std::size_t i = 0; i < found_.size(); ++i) {
      if ((signatures_[i] - signature).cwiseAbs().maxCoeff() <=
          same * (1.0 + signature.cwiseAbs().maxCoeff())) {
        const std::size_t starts = found_[i].starts + e.starts;
        // Of copies that differ by what Newton's steps leave of them, 1e-12, the first stays.
        constexpr double nearer = 1e-9;
        if (distance_from_start(e.x) < (1.0 - nearer) * distance_from_start(found_[i].x)) {
          found_[i] = std::move(e);
        }
        found_[i].starts = starts;
        return;
      }
    }
    found_.push_back(std::move(e));
    signatures_.push_back(signature);
  }

  std::vector<network_equilibrium> take() && {
    std::stable_sort(found_.begin(), found_.end(),
                     [](const auto& a, const auto& b) { return a.risk < b.risk; });
    return std::move(found_);
  }

 private:
  const network_flow& flow_;
  std::vector<network_equilibrium> found_;
  std::vector<VectorXd> signatures_;
};

// U = 0 and V beside all frozen rows; where it decays V = 0.
network_state origin_of(const network_flow& f) {
  const network_geometry& g = f.geometry();
  const network_parameters& p = f.parameters();
  const Index r = p.rank;
  const bool decays = p.adapter == adapter_constraint::free && p.decay > 0.0;
  MatrixXd P = MatrixXd::Identity(r, r) * (decays ? 0.0 : 1.0);
  if (p.adapter == adapter_constraint::frobenius) {
    P /= static_cast<double>(r);
  }
  return {MatrixXd::Zero(g.width(), r), MatrixXd::Zero(r, g.directions()), std::move(P), g.readout};
}

}  // namespace

network_equilibrium describe_equilibrium(const network_flow& f, const network_state& x) {
  // Ten times the error of central differences with the network flow's steps of 1e-5.
  constexpr double zero = 1e-9;
  network_equilibrium e;
  e.x = x;
  e.risk = f.risk(x);
  e.starts = 1;
  const MatrixXd j = moving_system(f).jacobian(f.pack(x));
  if (!j.allFinite()) {
    e.eigenvalues = Eigen::VectorXcd::Constant(j.rows(), std::complex<double>(nan, nan));
    return e;
  }
  e.eigenvalues = eigenvalues_of(j);
  std::sort(e.eigenvalues.begin(), e.eigenvalues.end(), [](const auto& a, const auto& b) {
    return a.real() != b.real() ? a.real() > b.real() : a.imag() > b.imag();
  });
  const double threshold = zero * e.eigenvalues.cwiseAbs().maxCoeff();
  std::size_t decaying = 0;
  for (const auto& value : e.eigenvalues) {
    e.unstable += value.real() > threshold ? 1 : 0;
    decaying += value.real() < -threshold ? 1 : 0;
  }
  const auto count = static_cast<std::size_t>(e.eigenvalues.size());
  e.flat = count - e.unstable - decaying;
  if (e.unstable > 0) {
    e.kind = decaying > 0 ? equilibrium_kind::saddle : equilibrium_kind::source;
  } else {
    e.kind = decaying == count ? equilibrium_kind::sink : equilibrium_kind::neutral;
  }
  return e;
}

std::vector<network_equilibrium> equilibria(const network_flow& f,
                                            std::span<const network_state> starts) {
  constexpr double least_U = 1e-6;   // nearer to U = 0, or to U V = 0, it is one of those
  constexpr double rounding = 1e-9;  // of Gram matrices on their edge
  const network_parameters& p = f.parameters();
  constexpr double farther = 10.0;  // than the starts
  radii within;
  for (const network_state& start : starts) {
    start.validate(f.geometry(), p);
    within.U = std::max(within.U, farther * start.U.cwiseAbs().maxCoeff());
    within.V = std::max(within.V, farther * std::sqrt(radii::square_of_V(start)));
  }
  const moving_system system(f);
  collection found(f);
  bool follows = false;
  for (const network_state& start : starts) {
    std::optional<network_state> x;
    follows = !follows;
    try {
      x = rest_from(f, system, follows ? followed(f, start) : start, within);
    } catch (const convergence_error&) {
      continue;  // it led to variances beyond the kernels' reach
    }
    const bool moves_U = p.rate_ratio > 0.0;
    if (!x || !in_domain(f, *x, rounding) ||
        (moves_U &&
         (x->U.cwiseAbs().maxCoeff() < least_U || distance_from_start(*x) < least_U * least_U))) {
      continue;
    }
    found.add(describe_equilibrium(f, *x));
  }
  std::vector<network_equilibrium> all = std::move(found).take();
  if (p.rate_ratio > 0.0) {
    const network_state origin = origin_of(f);
    const std::vector<double> v = system_of(f).velocity(f.pack(origin));
    // Where readouts train it is none.
    if (std::all_of(v.begin(), v.end(), [](double entry) { return std::abs(entry) <= rounding; })) {
      all.push_back(describe_equilibrium(f, origin));
      all.back().starts = 0;
    }
  }
  std::stable_sort(all.begin(), all.end(),
                   [](const auto& a, const auto& b) { return a.risk < b.risk; });
  return all;
}

}  // namespace loradyn
