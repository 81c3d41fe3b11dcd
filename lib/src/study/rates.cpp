#include <loradyn/analysis/search_phase.hpp>
#include <loradyn/effort.hpp>
#include <loradyn/error.hpp>
#include <loradyn/study/rates.hpp>
#include "nan.hpp"

namespace loradyn::study {

row_description<rates_row> rates_columns(std::span<const parameter* const> told) {
  row_description<rates_row> columns;
  columns.add_part(key_columns(told), &rates_row::key)
      .add("A", "E[(g - σ)σ' z], the drive", measure::rate, &rates_row::A)
      .add("B", "the adapter's own rate", measure::rate, &rates_row::B)
      .add("C", "νB, the drive along ξ", measure::rate, &rates_row::C)
      .add("lambda", "the growth rate λ₊", measure::rate, &rates_row::lambda)
      .add("tau", "the search time τ = 1/λ₊", measure::time, &rates_row::tau)
      .add("status", "whether τ exists", measure::none, &rates_row::status);
  return columns;
}

rates_row rates_at(const activation_pair& pair, const parameter_point& at, search_kernels kernels) {
  const double unit = pair.rate_unit;
  const effort_limit limit(row_effort);
  try {
    const search_phase_result r = search_phase(pair.risk, at.parameters, kernels);
    return {{pair, at},
            r.A / unit,
            r.B / unit,
            r.C / unit,
            r.lambda / unit,
            r.tau * unit,
            std::string(to_string(r.status))};
  } catch (const error&) {
    return {{pair, at}, nan, nan, nan, nan, nan, "no-convergence"};
  }
}

std::vector<rates_row> rates(const rates_problem& problem, const study_control& control) {
  const std::size_t per_pair = problem.grid.size();
  constexpr std::size_t block = 1024;  // points that a thread takes at a time
  // Decides the cost: tables take as long as a few hundred points without them.
  constexpr std::size_t worth_tables = 1024;
  const search_kernels kernels =
      per_pair < worth_tables ? search_kernels::averaged : search_kernels::prepared;
  return run_sweep(control, problem.pairs.size() * per_pair, block, [&](std::size_t i) {
    return rates_at(problem.pairs[i / per_pair], problem.grid.at(i % per_pair), kernels);
  });
}

}  // namespace loradyn::study
