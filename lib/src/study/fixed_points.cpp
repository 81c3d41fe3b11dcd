#include <algorithm>
#include <cmath>
#include <loradyn/analysis/equilibria.hpp>
#include <loradyn/analysis/outcome.hpp>
#include <loradyn/effort.hpp>
#include <loradyn/error.hpp>
#include <loradyn/study/fixed_points.hpp>
#include "nan.hpp"

namespace loradyn::study {
namespace {

fixed_point_row row_of(const row_key& key, double unit, const equilibrium& e) {
  const auto rate = [&](std::size_t k) {
    return complex_number{e.eigenvalues[k].real() / unit, e.eigenvalues[k].imag() / unit};
  };
  const bool known = std::isfinite(e.risk) && std::isfinite(e.eigenvalues[0].real());
  return {key,
          e.x,
          e.M,
          e.Q,
          e.risk,
          rate(0),
          rate(1),
          rate(2),
          std::string(to_string(e.kind)),
          e.corner ? "corner"
          : known  ? "ok"
                   : "no-convergence"};
}

}  // namespace

row_description<fixed_point_row> fixed_point_columns() {
  using row = fixed_point_row;
  row_description<row> columns;
  columns.add_part(key_columns(model_parameters), &row::key)
      .add("u", "adapter's amplitude", measure::none, &row::x, &overlap_state::u)
      .add("m", "its overlap with the target", measure::none, &row::x, &overlap_state::m)
      .add("s", "its overlap with ξ", measure::none, &row::x, &overlap_state::s)
      .add("M", "teacher overlap", measure::none, &row::M)
      .add("Q", "power of the weight", measure::none, &row::Q)
      .add("risk", "population risk", measure::none, &row::risk)
      .add("eig1", "eigenvalue", measure::rate, &row::eig1, &complex_number::real)
      .add("eig1_im", "eigenvalue", measure::rate, &row::eig1, &complex_number::imaginary)
      .add("eig2", "eigenvalue", measure::rate, &row::eig2, &complex_number::real)
      .add("eig2_im", "eigenvalue", measure::rate, &row::eig2, &complex_number::imaginary)
      .add("eig3", "eigenvalue", measure::rate, &row::eig3, &complex_number::real)
      .add("eig3_im", "eigenvalue", measure::rate, &row::eig3, &complex_number::imaginary)
      .add("kind", "sink, neutral, saddle, source or none", measure::none, &row::kind)
      .add("status", "what is known of it", measure::none, &row::status);
  return columns;
}

std::vector<fixed_point_row> fixed_points_at(const prepared_pair& pair, const parameter_point& at) {
  const row_key key(pair.pair, at);
  std::vector<fixed_point_row> rows;
  const char* status = "none-found";
  const effort_limit limit(row_effort);
  try {
    for (const equilibrium& e :
         equilibria(flow(pair.task, at.parameters), pair.classifier.critical_points())) {
      rows.push_back(row_of(key, pair.pair.rate_unit, e));
    }
  } catch (const error&) {  // the parameters were checked before
    rows.clear();
    status = "no-convergence";
  }
  if (rows.empty()) {
    constexpr complex_number unknown{nan, nan};
    rows.push_back(
        {key, {nan, nan, nan}, nan, nan, nan, unknown, unknown, unknown, "none", status});
  }
  return rows;
}

fixed_points_result fixed_points(const fixed_points_problem& problem,
                                 const study_control& control) {
  const std::vector<prepared_pair> pairs(problem.pairs.begin(), problem.pairs.end());
  const std::size_t per_pair = problem.grid.size();
  constexpr std::size_t block = 4;  // points that a thread takes at a time
  const auto results = run_sweep(control, pairs.size() * per_pair, block, [&](std::size_t i) {
    return fixed_points_at(pairs[i / per_pair], problem.grid.at(i % per_pair));
  });
  fixed_points_result result;
  result.finished = results.size();
  for (const std::vector<fixed_point_row>& rows : results) {
    result.rows.insert(result.rows.end(), rows.begin(), rows.end());
  }
  return result;
}

phase_portrait portrait(const learning_task& task, const parameter_point& at,
                        const std::vector<fixed_point_row>& equilibria) {
  const flow f(task, at.parameters);
  phase_portrait p;
  p.start = at.start;
  p.run.push_back(at.start);
  rest_detector at_rest(f);
  integration_options options;
  constexpr double path_tolerance = 1e-6;  // a thousandth of what a picture shows, 1e-3
  options.relative_tolerance = path_tolerance;
  options.step_limit = 100'000;
  const auto observer = [&](const dense_step<3>& step) {
    constexpr int pieces = 4;  // of a step, for the curve in a picture
    for (int k = 1; k <= pieces; ++k) {
      p.run.push_back(overlap_state::unpack(
          step.at(std::lerp(step.begin, step.end, static_cast<double>(k) / pieces))));
    }
    return !at_rest(step);
  };
  integrate<3>(system_of(f), at.start.pack(), 0.0, options, {}, observer);

  p.reach = 0.1;
  for (const fixed_point_row& e : equilibria) {
    p.reach = std::max(p.reach, std::isfinite(e.x.u) ? 1.2 * std::abs(e.x.u) : 0.0);
  }
  for (const overlap_state& x : p.run) {
    p.reach = std::max(p.reach, 1.1 * std::abs(x.u));
  }
  p.arrows = 23;
  p.plane = plane_of(f, p.reach, at.start.s, p.arrows);
  return p;
}

}  // namespace loradyn::study
