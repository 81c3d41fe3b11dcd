#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <loradyn/effort.hpp>
#include <loradyn/interruption.hpp>
#include <loradyn/study/trajectory.hpp>
#include <utility>

namespace loradyn::study {
std::vector<double> times_of(const record_times& record, double end) {
  if (!record.times.empty()) {
    return record.times;
  }
  constexpr double decades = 1e-4;  // of a logarithmic record, from this part of the end
  std::vector<double> times(record.count);
  for (std::size_t i = 0; i < record.count; ++i) {
    check_stop();
    const double part = static_cast<double>(i) / static_cast<double>(record.count - 1);
    times[i] = i + 1 == record.count
                   ? end
                   : (record.logarithmic ? end * std::pow(decades, 1.0 - part) : end * part);
  }
  return times;
}

row_description<trajectory_row> trajectory_columns() {
  using row = trajectory_row;
  row_description<row> columns;
  columns.add("t", "time", measure::time, &row::t)
      .add("u", "adapter's amplitude", measure::none, &row::x, &overlap_state::u)
      .add("m", "its overlap with the target", measure::none, &row::x, &overlap_state::m)
      .add("s", "its overlap with ξ", measure::none, &row::x, &overlap_state::s)
      .add("M", "teacher overlap", measure::none, &row::M)
      .add("Q", "power of the weight", measure::none, &row::Q)
      .add("risk", "population risk", measure::none, &row::risk)
      .add("stage", "counted from 1", measure::none, &row::stage);
  return columns;
}

row_description<family_row> family_columns(std::span<const parameter* const> told) {
  row_description<row_key> key;
  add_parameters(key, told);
  row_description<family_row> columns;
  columns.add_part(key, &family_row::key).add_part(trajectory_columns(), &family_row::point);
  return columns;
}

std::vector<trajectory_problem> problems_of(const trajectory_family& family) {
  std::vector<trajectory_problem> problems;
  for (std::size_t i = 0; i < family.grid.size(); ++i) {
    const lora_parameters p = family.grid.at(i).parameters;
    trajectory_problem& problem = problems.emplace_back(family.each);
    problem.protocol.alignment = p.alignment;
    problem.protocol.misalignment = p.misalignment;
    if (problem.protocol.stages.empty()) {
      problem.protocol.stages = {tuning_stage{family.pair.task(), p.noise_scale, p.label_noise,
                                              p.rate_ratio, problem.end, std::nullopt}};
    }
    problem.protocol.validate();
  }
  return problems;
}

std::vector<family_row> rows_of(const trajectory_family& family,
                                const std::vector<trajectory_result>& runs) {
  std::vector<family_row> rows;
  for (std::size_t i = 0; i < runs.size(); ++i) {
    for (const trajectory_row& row : runs[i].rows) {
      rows.push_back({{family.pair, family.grid.at(i)}, row});
    }
  }
  return rows;
}

std::vector<trajectory_result> trajectories(const std::vector<trajectory_problem>& problems,
                                            const study_control& control) {
  return run_sweep(control, problems.size(), 1,
                   [&](std::size_t i) { return trajectory(problems[i]); });
}

trajectory_result trajectory(const trajectory_problem& problem) {
  problem.protocol.validate();
  const integration_work before = work_of_this_thread();
  const effort_limit limit(row_effort);
  const double unit = problem.rate_unit;
  // Where the stages say how long the run is, they run once for that.
  const double end = problem.end
                         ? *problem.end
                         : run_protocol(problem.protocol, {}, problem.integrator).stages.back().end;
  std::vector<double> times = times_of(problem.record, end * unit);
  // The end may be off by a rounding; what is beyond it is not recorded.
  std::erase_if(times, [&](double t) { return t / unit > end * (1.0 + 1e-12); });
  for (double& t : times) {
    t = std::min(t / unit, end);
  }
  training_run run = run_protocol(problem.protocol, times, problem.integrator);
  trajectory_result result{{},
                           {},
                           run.end,
                           run.alignment,
                           run.misalignment,
                           run.complete,
                           work_of_this_thread() - before};
  for (const stage_summary& s : run.stages) {
    result.stages.push_back({s.begin * unit, s.end * unit, s.status});
  }
  result.rows = std::move(run.points);
  for (trajectory_row& row : result.rows) {
    row.t *= unit;
  }
  return result;
}

std::vector<std::pair<std::string, std::string>> words_of_stages(
    const parameter_grid& grid, const std::vector<trajectory_result>& runs) {
  std::vector<std::pair<std::string, std::string>> words;
  for (std::size_t run = 0; run < runs.size(); ++run) {
    std::string where;
    for (const parameter* p : grid.told({})) {
      where +=
          fmt::format("{}{} = {}", where.empty() ? " at " : ", ", p->name, *p->get(grid.at(run)));
    }
    for (std::size_t i = 0; i < runs[run].stages.size(); ++i) {
      const stage_summary& s = runs[run].stages[i];
      words.emplace_back(fmt::format("stage {}{}", i + 1, where),
                         fmt::format("t = {} to {}: {}", s.begin, s.end, to_string(s.status)));
    }
  }
  return words;
}

}  // namespace loradyn::study
