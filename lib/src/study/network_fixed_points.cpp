#include <algorithm>
#include <cmath>
#include <loradyn/analysis/network_equilibria.hpp>
#include <loradyn/effort.hpp>
#include <loradyn/error.hpp>
#include <loradyn/interruption.hpp>
#include <loradyn/simulation/random.hpp>
#include <loradyn/study/network_fixed_points.hpp>
#include "nan.hpp"
#include "study/network_parts.hpp"

namespace loradyn::study {
namespace {

using Eigen::Index;
using Eigen::MatrixXd;

// Numbers of one start, one after another: which is which depends on the seed and the start alone.
class start_numbers {
 public:
  start_numbers(std::uint64_t seed, std::uint64_t start) : seed_(seed), start_(start) {}

  // In (0, 1).
  double uniform() {
    const auto drawn = static_cast<double>(derived_seed(seed_, {start_, next_++}));
    return (drawn + 0.5) / (static_cast<double>(max_seed) + 1.0);
  }
  double normal() {
    const double radius = std::sqrt(-2.0 * std::log(uniform()));
    return radius * std::cos(2.0 * M_PI * uniform());
  }

 private:
  std::uint64_t seed_;
  std::uint64_t start_;
  std::uint64_t next_ = 0;
};

// U of the size that leads to the targets, at most twice that; V of any direction, and beside the
// frozen rows of any share.
network_state start_of(const network_flow& f, start_numbers numbers) {
  const network_geometry& g = f.geometry();
  const network_parameters& p = f.parameters();
  const Index width = g.width();
  const Index rank = p.rank;
  const Index directions = g.directions();
  const double reach =
      2.0 * (g.pretrained.rowwise().norm().maxCoeff() + g.teacher.rowwise().norm().maxCoeff());
  network_state x;
  x.U = MatrixXd::Zero(width, rank);
  const double size = p.rate_ratio > 0.0 ? reach * numbers.uniform() : 1.0;
  for (Index i = 0; i < x.U.size(); ++i) {
    x.U.data()[i] =
        p.rate_ratio > 0.0 ? size * numbers.normal() : (i % width == i / width ? 1.0 : 0.0);
  }
  MatrixXd V(rank, directions + rank);
  for (Index i = 0; i < V.size(); ++i) {
    V.data()[i] = numbers.normal();
  }
  V.rightCols(rank) *= numbers.uniform();
  switch (p.adapter) {
    case adapter_constraint::sphere:
      V.rowwise().normalize();
      break;
    case adapter_constraint::frobenius:
      V.normalize();
      break;
    case adapter_constraint::free:
      V *= (p.rate_ratio > 0.0 ? 1.0 : reach) * numbers.uniform() /
           std::sqrt(static_cast<double>(directions));
      break;
  }
  x.C = V.leftCols(directions);
  x.P = V.rightCols(rank) * V.rightCols(rank).transpose();
  x.a = g.readout;
  if (p.readout_ratio > 0.0) {
    for (double& a : x.a) {
      a *= 0.5 + numbers.uniform();
    }
  }
  return x;
}

network_fixed_point_row row_of(const row_key& key, double unit, const network_flow& f,
                               const network_equilibrium& e) {
  network_fixed_point_row row{key,
                              static_cast<std::int64_t>(e.starts),
                              record_of(f, e.x, nan),
                              {},
                              static_cast<std::int64_t>(e.unstable),
                              static_cast<std::int64_t>(e.flat),
                              std::string(to_string(e.kind)),
                              "ok"};
  for (std::size_t i = 0; i < row.eigenvalues.size(); ++i) {
    const auto place = static_cast<Index>(i);
    row.eigenvalues[i] =
        place < e.eigenvalues.size()
            ? complex_number{e.eigenvalues[place].real() / unit, e.eigenvalues[place].imag() / unit}
            : complex_number{nan, nan};
  }
  if (e.eigenvalues.size() > 0 && std::isnan(e.eigenvalues[0].real())) {
    row.kind = "none";
    row.status = "no-convergence";
  }
  return row;
}

std::vector<network_fixed_point_row> rows_at(const network_fixed_points_problem& problem,
                                             const activation_pair& pair,
                                             const parameter_point& at) {
  const row_key key(pair, at);
  std::vector<network_fixed_point_row> rows;
  const char* status = "none-found";
  try {
    network_start_request start;
    start.scale = problem.scale;
    const network_flow f = flow_of(simulated_problem(pair, problem.layout, start, at, at.start.u),
                                   problem.layout, at.parameters.noise_scale);
    if (!has_overlaps(f.geometry())) {
      status = "undefined";
    } else {
      std::vector<network_state> starts;
      for (std::uint64_t i = 0; i < problem.starts; ++i) {
        check_stop();
        starts.push_back(start_of(f, start_numbers(problem.seed, i)));
      }
      for (const network_equilibrium& e : equilibria(f, starts)) {
        rows.push_back(row_of(key, pair.rate_unit, f, e));
      }
    }
  } catch (const convergence_error&) {
    rows.clear();
    status = "no-convergence";
  }
  if (rows.empty()) {
    const complex_number unknown{nan, nan};
    rows.push_back({key,
                    0,
                    no_record(shape_of(problem.layout)),
                    {unknown, unknown, unknown},
                    0,
                    0,
                    "none",
                    status});
  }
  return rows;
}

}  // namespace

row_description<network_fixed_point_row> network_fixed_point_columns(const network_shape& shape) {
  using row = network_fixed_point_row;
  row_description<row> columns;
  columns.add_part(key_columns(model_parameters), &row::key)
      .add("starts", "of Newton's method that led to it", measure::none, &row::starts)
      .add_part(state_columns(shape), &row::at);
  for (std::size_t i = 0; i < 3; ++i) {
    const std::string name = "eig" + std::to_string(i + 1);
    columns
        .add_value(
            name, "eigenvalue", measure::rate, [i](const row& r) { return r.eigenvalues[i].real; },
            [i](row& r, double value) { r.eigenvalues[i].real = value; })
        .add_value(
            name + "_im", "eigenvalue", measure::rate,
            [i](const row& r) { return r.eigenvalues[i].imaginary; },
            [i](row& r, double value) { r.eigenvalues[i].imaginary = value; });
  }
  columns.add("unstable", "eigenvalues with a positive real part", measure::none, &row::unstable)
      .add("flat", "eigenvalues that are zero", measure::none, &row::flat)
      .add("kind", "sink, neutral, saddle, source or none", measure::none, &row::kind)
      .add("status", "what is known of it", measure::none, &row::status);
  return columns;
}

network_fixed_points_result fixed_points(const network_fixed_points_problem& problem,
                                         const study_control& control) {
  if (problem.starts < 1 || problem.starts > max_starts) {
    throw argument_error("starts", std::to_string(problem.starts),
                         "from 1 to " + std::to_string(max_starts));
  }
  const std::size_t per_pair = problem.grid.size();
  const auto results = run_sweep(control, problem.pairs.size() * per_pair, 1, [&](std::size_t i) {
    return rows_at(problem, problem.pairs[i / per_pair], problem.grid.at(i % per_pair));
  });
  network_fixed_points_result result;
  result.finished = results.size();
  for (const std::vector<network_fixed_point_row>& rows : results) {
    result.rows.insert(result.rows.end(), rows.begin(), rows.end());
  }
  return result;
}

}  // namespace loradyn::study
