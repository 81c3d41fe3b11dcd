#include <algorithm>
#include <cmath>
#include <limits>
#include <loradyn/analysis/equilibria.hpp>
#include <loradyn/error.hpp>
#include <loradyn/interruption.hpp>
#include "decompositions.hpp"

namespace loradyn {
namespace {

// Whether a velocity is zero to rounding. Where u is small all velocities are, and near a critical
// alignment m' = A u is below the rounding of u' long before it is zero: m and s rest where their
// velocity over u is at rounding.
bool rests(const overlap_state& v, const overlap_state& x, const Eigen::Matrix3d& j) {
  constexpr double rounding = 1e-12;  // ten times that of the kernels
  const double rate = rounding * j.cwiseAbs().maxCoeff();
  return v.norm() <= rate * x.norm() && std::hypot(v.m, v.s) <= rate * std::abs(x.u);
}

bool in_domain(const overlap_state& x, double slack) {
  return x.m * x.m + x.s * x.s <= 1.0 + slack;
}

bool is_new(const std::vector<equilibrium>& found, const overlap_state& x) {
  // Newton's steps end below 1e-14; a nearly singular Jacobian makes more of that.
  return std::none_of(found.begin(), found.end(), [&x](const equilibrium& other) {
    return distance(other.x, x) < 1e-6 * (1.0 + x.norm());
  });
}

void add(std::vector<equilibrium>& found, const equilibrium& e) {
  if (is_new(found, e.x)) {
    found.push_back(e);
  }
}

void add_noisy(const flow& f, const std::vector<overlap_state>& starts, double radius,
               std::vector<equilibrium>& found) {
  constexpr double least_u = 1e-6;   // as `is_new`: nearer to the line u = 0 it is one of that
  constexpr double rounding = 1e-9;  // of m² + s² where v lies in the plane of w* and ξ
  for (const overlap_state& start : starts) {
    std::optional<overlap_state> x;
    try {
      x = nearest_rest(f, start, radius);
      if (!x || std::abs(x->u) < least_u || !in_domain(*x, rounding)) {
        continue;
      }
      if (x->u < 0.0) {
        x = {-x->u, -x->m, -x->s};
      }
      if (is_new(found, *x)) {
        found.push_back(describe_equilibrium(f, *x));
      }
    } catch (const convergence_error&) {
      continue;  // it led to variances beyond the kernels' reach
    }
  }
}

// w = 0 of a student with a kink at 0, where the risk is a cone that rises, or is flat and then
// rises like |w|².
std::optional<equilibrium> corner(const flow& f) {
  const lora_parameters& p = f.parameters();
  const auto kinks = f.task().risk.student().kinks();
  const auto x = adapter_to({0.0, 0.0, 0.0}, p);
  if (!x || std::none_of(kinks.begin(), kinks.end(),
                         [](const kink& k) { return k.location == 0.0 && k.jumps[1] != 0.0; })) {
    return std::nullopt;
  }
  // Heuristic: "a kinked student rests at w = 0 where the risk's cone rises all around" passes with
  // r from 1e-10 to 1e-5, not with 1e-4, and with 3 directions already: dR/dr varies slowly with
  // them.
  constexpr double r = 1e-7;
  constexpr double curved = 1e-5;  // of the largest slope: what the risk's curvature makes of r
  constexpr std::size_t directions = 65;
  std::array<double, directions> M{};
  std::array<double, directions> gap{};
  for (std::size_t i = 0; i < directions; ++i) {
    const double angle = M_PI * static_cast<double>(i) / static_cast<double>(directions - 1);
    M[i] = r * std::cos(angle);
    gap[i] = r * r * std::sin(angle) * std::sin(angle);
  }
  const std::vector<risk_slopes> slopes = f.task().risk.slopes_on_circle(r * r, M, gap);
  double least = std::numeric_limits<double>::infinity();
  double most = -least;
  for (std::size_t i = 0; i < directions; ++i) {
    const double outward = slopes[i].M * M[i] / r + slopes[i].twice_Q * r;  // dR/dr
    least = std::min(least, outward);
    most = std::max(most, outward);
  }
  const double flat = curved * std::max(std::abs(least), std::abs(most));
  if (least < -flat) {
    return std::nullopt;  // runs leave it
  }
  const auto kind =
      least > flat || most <= flat ? equilibrium_kind::sink : equilibrium_kind::neutral;
  equilibrium e{*x, 0.0, 0.0, f.risk(*x), {}, kind, true};
  e.eigenvalues.fill(std::numeric_limits<double>::quiet_NaN());
  return e;
}

}  // namespace

std::optional<overlap_state> adapter_to(const risk_critical_point& point,
                                        const lora_parameters& p) {
  const double along = point.M - p.alignment;
  double beside = 0.0 - p.misalignment;
  double remainder = 0.0;
  if (point.gap > 0.0) {
    // |w_⟂|² = gap; with ν = 0 no direction beside w* is distinguished.
    if (p.misalignment > 0.0) {
      beside = std::sqrt(point.gap) - p.misalignment;
    } else {
      beside = 0.0;
      remainder = point.gap;
    }
  }
  const double u = std::sqrt(along * along + beside * beside + remainder);
  if (!(u > 0.0)) {
    return std::nullopt;
  }
  return overlap_state{u, along / u, beside / u};
}

std::string_view to_string(equilibrium_kind kind) {
  switch (kind) {
    case equilibrium_kind::sink:
      return "sink";
    case equilibrium_kind::neutral:
      return "neutral";
    case equilibrium_kind::saddle:
      return "saddle";
    case equilibrium_kind::source:
      break;
  }
  return "source";
}

namespace {

// The overlaps where a run rests. At the target u and m are known to a few ε, the gap to as many,
// and kernels of kinks have corrections of √gap.
field_overlaps overlaps_at_rest(const overlap_state& x, const lora_parameters& p) {
  constexpr double rounding = 1e-13;  // 450 ε
  const field_overlaps o = fields(x, p);
  const bool at_target = std::abs(std::abs(o.M) - 1.0) <= rounding && o.gap <= rounding;
  return at_target ? field_overlaps{std::copysign(1.0, o.M), 1.0, 0.0} : o;
}

equilibrium described(const flow& f, const overlap_state& x, const field_overlaps& o) {
  constexpr double zero = 1e-13;  // 450 ε: the rounding of three eigenvalues and of their matrix
  const double risk = f.task().risk.value(o, f.parameters().label_noise);
  equilibrium e{x, o.M, o.Q, risk, {}, equilibrium_kind::saddle, false};
  const Eigen::Matrix3d j = f.jacobian(x, o);
  if (!j.allFinite()) {
    e.eigenvalues.fill(std::numeric_limits<double>::quiet_NaN());
    return e;
  }
  const Eigen::Vector3cd values = eigenvalues_of(j);
  std::copy(values.begin(), values.end(), e.eigenvalues.begin());
  std::sort(e.eigenvalues.begin(), e.eigenvalues.end(), [](const auto& a, const auto& b) {
    return a.real() != b.real() ? a.real() > b.real() : a.imag() > b.imag();
  });
  const double threshold = zero * values.cwiseAbs().maxCoeff();
  const bool grows = e.eigenvalues.front().real() > threshold;
  const bool decays = e.eigenvalues.back().real() < -threshold;
  const bool all_decay = e.eigenvalues.front().real() < -threshold;
  if (grows) {
    e.kind = decays ? equilibrium_kind::saddle : equilibrium_kind::source;
  } else {
    e.kind = all_decay ? equilibrium_kind::sink : equilibrium_kind::neutral;
  }
  return e;
}

}  // namespace

equilibrium describe_equilibrium(const flow& f, const overlap_state& x) {
  return described(f, x, overlaps_at_rest(x, f.parameters()));
}

std::optional<equilibrium> nearest_equilibrium(const flow& f, const overlap_state& start,
                                               double radius, double reach) {
  const auto x = nearest_rest(f, start, radius, reach);
  return x ? std::optional(describe_equilibrium(f, *x)) : std::nullopt;
}

std::optional<overlap_state> nearest_rest(const flow& f, const overlap_state& start, double radius,
                                          double reach) {
  // At a double root, where Newton's steps halve the distance, 47 of them lead from 1 to the
  // rounding.
  constexpr int iterations = 60;
  // Slower directions don't move. Heuristic: "no start leads to a rest that is not a critical point
  // found" passes from 1e-15 to 1e-7.
  constexpr double singular = 1e-10;
  constexpr double rounding = 1e-14;  // 45 ε
  // Thirteen halvings: where the speed falls at none of these it is at a least, or at its rounding.
  constexpr double least_damping = 1e-4;
  const auto speed_of = [](const overlap_state& v) { return v.norm(); };
  overlap_state x = start;
  overlap_state v = f.velocity(x);
  for (int i = 0; i < iterations && v.finite(); ++i) {
    check_stop();
    const Eigen::Matrix3d j = f.approximate_jacobian(x);
    if (!j.allFinite()) {
      return std::nullopt;
    }
    // With u frozen its velocity is zero everywhere: only m and s may move.
    Eigen::Matrix3d free = j;
    if (f.parameters().rate_ratio == 0.0) {
      free.col(0).setZero();
    }
    const Eigen::Vector3d step = -shortest_solution(free, Eigen::Vector3d(v.u, v.m, v.s), singular);
    const double scale = std::max(1.0, x.norm());
    if (distance({x.u + step[0], x.m + step[1], x.s + step[2]}, start) > reach) {
      return std::nullopt;
    }
    const double speed = speed_of(v);
    const bool converged = step.norm() <= rounding * scale;
    overlap_state next = x;
    overlap_state velocity = v;
    double damping = 1.0;
    for (; damping > least_damping; damping *= 0.5) {
      next = {x.u + damping * step[0], x.m + damping * step[1], x.s + damping * step[2]};
      constexpr double slack = 0.1;  // on the way: where it ends `rests` or the caller asks again
      if (std::abs(next.u) > radius || !in_domain(next, slack)) {
        continue;
      }
      velocity = f.velocity(next);
      if (velocity.finite() && (converged || speed_of(velocity) < speed)) {
        break;
      }
    }
    if (speed <= rounding * j.cwiseAbs().maxCoeff() * scale || converged) {
      const bool better = converged && speed_of(velocity) <= speed;
      const overlap_state& last = better ? next : x;
      return rests(better ? velocity : v, last, j) ? std::optional(last) : std::nullopt;
    }
    if (!(damping > least_damping)) {
      // No step makes it smaller: the kernels' rounding, where it is that.
      return rests(v, x, j) ? std::optional(x) : std::nullopt;
    }
    x = next;
    v = velocity;
  }
  return std::nullopt;
}

std::vector<equilibrium> equilibria(const flow& f, const std::vector<risk_critical_point>& points) {
  const lora_parameters& p = f.parameters();
  std::vector<overlap_state> starts;
  std::vector<equilibrium> found;
  for (const risk_critical_point& point : points) {
    const auto x = adapter_to(point, p);
    if (!x) {
      continue;
    }
    starts.push_back(*x);
    if (p.noise_scale == 0.0) {
      // The point's own overlaps, without the rounding of u and m.
      add(found, described(f, *x, {point.M, point.M * point.M + point.gap, point.gap}));
    }
  }
  if (p.noise_scale == 0.0) {
    if (const auto e = corner(f)) {
      add(found, *e);
    }
  } else {
    double reach = 2.0 * (1.0 + std::hypot(p.alignment, p.misalignment));
    for (const overlap_state& x : starts) {
      reach = std::max(reach, 1.2 * x.u);
    }
    // Heuristic: "no start leads to an equilibrium with noise that is not among those found" passes
    // with 3, not with 2.
    constexpr int steps = 6;
    const int across = p.misalignment > 0.0 ? 4 : 0;  // with ν = 0, s = 0 stays
    for (int i = 0; i < steps; ++i) {
      for (int k = 0; k <= steps; ++k) {
        for (int l = -across; l <= across; ++l) {
          const double m = 0.98 * (2.0 * k / steps - 1.0);
          const double s = across == 0 ? 0.0 : 0.98 * std::sqrt(1.0 - m * m) * l / across;
          starts.push_back({reach * (i + 0.5) / steps, m, s});
        }
      }
    }
    add_noisy(f, starts, 2.0 * reach, found);
  }
  const overlap_state origin{};
  if (f.velocity(origin).finite()) {
    found.push_back(describe_equilibrium(f, origin));
  }
  std::stable_sort(found.begin(), found.end(),
                   [](const auto& a, const auto& b) { return a.risk < b.risk; });
  return found;
}

}  // namespace loradyn
