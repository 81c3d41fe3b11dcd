#include <algorithm>
#include <cmath>
#include <loradyn/dynamics/network_flow.hpp>
#include <loradyn/dynamics/network_jacobian.hpp>
#include <loradyn/error.hpp>
#include <loradyn/number_text.hpp>
#include <utility>
#include "nan.hpp"

namespace loradyn {
namespace {

using Eigen::Index;
using Eigen::MatrixXd;
using Eigen::VectorXd;

// |W_j|² beyond which squares of overlaps overflow: the trial steps of an integrator come there.
constexpr double largest_power = 1e100;

void require_overlaps(const network_overlaps& o) {
  const double power = o.weights.diagonal().maxCoeff();
  if (!(power <= largest_power) || !o.weights.allFinite() || !o.targets.allFinite()) {
    throw argument_error("the square of a weight", number_text(power), "at most 1e100");
  }
}

}  // namespace

// What a step is made of: with G = R_N T + 2 R_Λ W the products that the state's equations ask for.
struct network_flow::forces {
  MatrixXd G_V;       // G V', K x r
  MatrixXd UG_E;      // U' G E', r x p
  MatrixXd UG_V;      // U' G V', r x r
  MatrixXd pull;      // U' 2R_Λ U, by which G acts on what of V is beside E, r x r
  MatrixXd noise;     // γ n = γ U' Σ U, r x r
  VectorXd readouts;  // ∂R/∂a
};

network_flow::network_flow(network_task task, network_geometry geometry,
                           network_parameters parameters)
    : task_(std::move(task)),
      geometry_(std::move(geometry)),
      parameters_(parameters),
      gram_(geometry_.teacher * geometry_.teacher.transpose()),
      source_gram_(geometry_.source * geometry_.source.transpose()) {
  geometry_.validate();
  parameters_.validate();
  if (task_.source_risk.has_value() != (geometry_.source.rows() > 0)) {
    throw argument_error("the source's teacher", geometry_.source.rows() > 0 ? "given" : "left out",
                         "given with the source's activation, and with it alone");
  }
}

network_state network_flow::on_constraint(const network_state& x) const {
  network_state on = x;
  if (parameters_.adapter == adapter_constraint::sphere) {
    for (Index a = 0; a < on.P.rows(); ++a) {
      // 1 - |C_a|² < 0, which rounding or a stage of an integrator can make, counts as zero.
      double left = 1.0;
      for (Index e = 0; e < on.C.cols(); ++e) {
        left = e == 0 ? (1.0 - on.C(a, e)) * (1.0 + on.C(a, e)) : left - on.C(a, e) * on.C(a, e);
      }
      on.P(a, a) = std::max(0.0, left);
    }
  }
  return on;
}

// x on its constraint.
network_flow::forces network_flow::forces_at(const network_state& x) const {
  const network_overlaps o = overlaps_of(geometry_, x);
  require_overlaps(o);
  network_slopes s;
  task_.risk.slopes(o, gram_, x.a, geometry_.teacher_readout, parameters_.readout_ratio > 0.0, s);
  forces f;
  const MatrixXd along = geometry_.pretrained + x.U * x.C;  // W E'
  const MatrixXd U_targets = x.U.transpose() * s.targets;
  const MatrixXd U_weights = x.U.transpose() * s.twice_weights;
  f.pull = U_weights * x.U;
  f.UG_E = U_targets * geometry_.teacher + U_weights * along;
  f.UG_V = f.UG_E * x.C.transpose() + f.pull * x.P;
  f.G_V = s.targets * (geometry_.teacher * x.C.transpose()) +
          s.twice_weights * (along * x.C.transpose() + x.U * x.P);
  f.readouts = std::move(s.readouts);
  if (parameters_.noise_scale > 0.0) {
    const MatrixXd covariance =
        task_.noise.value(o, gram_, x.a, geometry_.teacher_readout, parameters_.label_noise)
            .covariance;
    f.noise = parameters_.noise_scale * (x.U.transpose() * covariance * x.U);
  } else {
    f.noise = MatrixXd::Zero(x.U.cols(), x.U.cols());
  }
  return f;
}

// (14.7)
network_state network_flow::velocity(const network_state& state) const {
  const network_state x = on_constraint(state);
  const forces f = forces_at(x);
  const auto& [rank, adapter, gamma, label_noise, kappa, readout_ratio, decay] = parameters_;
  network_state v;
  v.U = -kappa * (f.G_V + decay * x.U);
  v.a = -readout_ratio * f.readouts;
  v.C = -f.UG_E;
  v.P = -(f.pull * x.P + x.P * f.pull) + f.noise;
  switch (adapter) {
    case adapter_constraint::free:
      v.C -= decay * x.C;
      v.P -= 2.0 * decay * x.P;
      break;
    case adapter_constraint::sphere: {
      // The pull along each row, less half of what the noise adds to its square.
      const VectorXd back = f.UG_V.diagonal() - 0.5 * f.noise.diagonal();
      v.C += back.asDiagonal() * x.C;
      v.P += back.asDiagonal() * x.P + x.P * back.asDiagonal();
      v.P.diagonal() = -2.0 * v.C.cwiseProduct(x.C).rowwise().sum();
      break;
    }
    case adapter_constraint::frobenius: {
      const double square = x.C.squaredNorm() + x.P.trace();
      const double back = (f.UG_V.trace() - 0.5 * f.noise.trace()) / square;
      v.C += back * x.C;
      v.P += 2.0 * back * x.P;
      break;
    }
  }
  return v;
}

// (14.8)
network_state network_flow::map(const network_state& state, double learning_rate) const {
  const network_state x = on_constraint(state);
  const forces f = forces_at(x);
  const auto& [rank, adapter, gamma, label_noise, kappa, readout_ratio, decay] = parameters_;
  const double eta = learning_rate;
  network_state next;
  next.U = x.U - kappa * eta * (f.G_V + decay * x.U);
  next.a = x.a - eta * readout_ratio * f.readouts;
  // On a sphere the decay is divided out with the length, to first order in η; the step decays
  // first.
  const double kept = 1.0 - eta * decay;
  next.C = kept * x.C - eta * f.UG_E;
  const MatrixXd turn = kept * MatrixXd::Identity(rank, rank) - eta * f.pull;
  next.P = turn * x.P * turn.transpose() + eta * f.noise;
  switch (adapter) {
    case adapter_constraint::free:
      break;
    case adapter_constraint::sphere: {
      const VectorXd shrink =
          (next.C.rowwise().squaredNorm() + next.P.diagonal()).cwiseSqrt().cwiseInverse();
      next.C = (shrink.asDiagonal() * next.C).eval();
      next.P = (shrink.asDiagonal() * next.P * shrink.asDiagonal()).eval();
      break;
    }
    case adapter_constraint::frobenius: {
      const double before = x.C.squaredNorm() + x.P.trace();
      const double after = next.C.squaredNorm() + next.P.trace();
      next.C *= std::sqrt(before / after);
      next.P *= before / after;
      break;
    }
  }
  return next;
}

double network_flow::risk(const network_state& state) const {
  const network_overlaps o = overlaps_of(geometry_, on_constraint(state));
  require_overlaps(o);
  // A mean square, which of a state that rounding led out of the Gram matrices' cone may be less
  // than nothing.
  return std::max(
      task_.risk.value(o, gram_, state.a, geometry_.teacher_readout, parameters_.label_noise),
      0.5 * parameters_.label_noise);
}

double network_flow::source_risk(const network_state& state) const {
  if (!task_.source_risk) {
    return nan;
  }
  const network_overlaps o = source_overlaps_of(geometry_, on_constraint(state));
  require_overlaps(o);
  return task_.source_risk->value(o, source_gram_, state.a, geometry_.source_readout, 0.0);
}

std::size_t network_flow::packed_size() const {
  const Index r = parameters_.rank;
  const Index pairs = r * (r - 1) / 2;
  const Index diagonal = parameters_.adapter == adapter_constraint::sphere ? 0 : r;
  return static_cast<std::size_t>(geometry_.width() * (r + 1) + r * geometry_.directions() + pairs +
                                  diagonal);
}

std::vector<double> network_flow::pack(const network_state& x) const {
  std::vector<double> packed;
  packed.reserve(packed_size());
  packed.insert(packed.end(), x.U.data(), x.U.data() + x.U.size());
  packed.insert(packed.end(), x.C.data(), x.C.data() + x.C.size());
  const Index first = parameters_.adapter == adapter_constraint::sphere ? 1 : 0;
  for (Index j = 0; j < x.P.cols(); ++j) {
    for (Index i = j + first; i < x.P.rows(); ++i) {
      packed.push_back(x.P(i, j));
    }
  }
  packed.insert(packed.end(), x.a.data(), x.a.data() + x.a.size());
  return packed;
}

network_state network_flow::unpack(std::span<const double> packed) const {
  const Index width = geometry_.width();
  const Index r = parameters_.rank;
  const Index p = geometry_.directions();
  const double* at = packed.data();
  network_state x;
  x.U = Eigen::Map<const MatrixXd>(at, width, r);
  at += width * r;
  x.C = Eigen::Map<const MatrixXd>(at, r, p);
  at += r * p;
  x.P = MatrixXd::Zero(r, r);
  const Index first = parameters_.adapter == adapter_constraint::sphere ? 1 : 0;
  for (Index j = 0; j < r; ++j) {
    for (Index i = j + first; i < r; ++i) {
      x.P(i, j) = x.P(j, i) = *at++;
    }
  }
  x.a = Eigen::Map<const VectorXd>(at, width);
  return on_constraint(x);
}

bool has_overlaps(const network_geometry& geometry) {
  return geometry.pretrained.rowwise().squaredNorm().maxCoeff() <= largest_power;
}

ode_system<any_dimension> system_of(const network_flow& f) {
  const auto velocity = [&f](const std::vector<double>& x) {
    try {
      return f.pack(f.velocity(f.unpack(x)));
    } catch (const error&) {
      return std::vector<double>(x.size(), nan);
    }
  };
  const auto jacobian = [&f, velocity](const std::vector<double>& x) {
    // With noise the differences of Σ cost as much as those of all of it.
    if (f.parameters().noise_scale == 0.0) {
      try {
        if (const MatrixXd exact = jacobian_of(f, x); exact.allFinite()) {
          return exact;
        }
      } catch (const error&) {
        return MatrixXd(
            MatrixXd::Constant(static_cast<Index>(x.size()), static_cast<Index>(x.size()), nan));
      }
    }
    // Half the digits of a central difference are the step's, the others the velocity's.
    constexpr double relative = 1e-5;
    constexpr double least = 1e-7;
    const auto n = static_cast<Index>(x.size());
    MatrixXd j(n, n);
    std::vector<double> moved = x;
    for (Index i = 0; i < n; ++i) {
      const auto k = static_cast<std::size_t>(i);
      const double h = std::max(relative * std::abs(x[k]), least);
      moved[k] = x[k] + h;
      const std::vector<double> above = velocity(moved);
      moved[k] = x[k] - h;
      const std::vector<double> below = velocity(moved);
      moved[k] = x[k];
      for (Index row = 0; row < n; ++row) {
        const auto l = static_cast<std::size_t>(row);
        j(row, i) = (above[l] - below[l]) / (2.0 * h);
      }
    }
    return j;
  };
  return {velocity, jacobian};
}

integration_result<any_dimension> integrate_network(
    const ode_system<any_dimension>& system, const std::vector<double>& x0, double t0,
    const integration_options& options, std::span<const ode_event<any_dimension>> events,
    const std::function<bool(const dense_step<any_dimension>&)>& observer) {
  if (options.method != stepper::automatic) {
    return integrate<any_dimension>(system, x0, t0, options, events, observer);
  }
  // Decides the cost: what is left is done by implicit steps. The runs of the tests that are not
  // stiff take fewer.
  constexpr std::size_t patience = 5000;
  integration_options own = options;
  own.method = stepper::explicit_5;
  own.step_limit = std::min(patience, options.step_limit);
  const auto begun = integrate<any_dimension>(system, x0, t0, own, events, observer);
  const std::size_t tried = begun.steps + begun.rejected;
  if (begun.status != integration_status::step_limit || tried >= options.step_limit) {
    return begun;
  }
  own.method = stepper::stiff;
  own.step_limit = options.step_limit - tried;
  auto r = integrate<any_dimension>(system, begun.x, begun.t, own, events, observer);
  r.steps += begun.steps;
  r.rejected += begun.rejected;
  return r;
}

}  // namespace loradyn
