#include <algorithm>
#include <loradyn/study/tolerance.hpp>

namespace loradyn::study {
namespace {

// The one that took most; what all took goes to `all`.
template <class Answer>
std::size_t longest(const std::vector<Answer>& answers, integration_work& all) {
  std::size_t most = 0;
  for (std::size_t i = 0; i < answers.size(); ++i) {
    all += answers[i].work;
    most = answers[i].work.velocities > answers[most].work.velocities ? i : most;
  }
  return most;
}

void refine(integration_options& options) {
  constexpr double part = 0.1;     // by definition a decade
  constexpr double least = 1e-13;  // what the integrator takes
  options.relative_tolerance = std::max(least, part * options.relative_tolerance);
}

}  // namespace

tolerance_check check_tolerance(const escape_problem& problem,
                                const std::vector<escape_row>& rows) {
  tolerance_check check;
  check.which = longest(rows, check.work);
  check.value = rows[check.which].t_hit;
  escape_request finer = problem.request;
  refine(finer.integrator);
  const prepared_pair pair(problem.pairs[check.which / problem.grid.size()]);
  const parameter_point at = problem.grid.at(check.which % problem.grid.size());
  check.again = row_of(pair, at, finer, escape_at(pair, at, finer)).t_hit;
  return check;
}

tolerance_check check_tolerance(const std::vector<trajectory_problem>& problems,
                                const std::vector<trajectory_result>& runs) {
  tolerance_check check;
  check.which = longest(runs, check.work);
  const trajectory_result& run = runs[check.which];
  trajectory_problem finer = problems[check.which];
  if (finer.protocol.method == tuning_method::map || run.rows.empty()) {
    return check;
  }
  check.value = run.rows.back().x.m;
  refine(finer.integrator);
  check.again = trajectory(finer).rows.back().x.m;
  return check;
}

}  // namespace loradyn::study
