#include "network_commands.hpp"

#include <fmt/format.h>

#include <loradyn/error.hpp>
#include <loradyn/figures/network_figures.hpp>
#include <loradyn/report/network_file.hpp>
#include <loradyn/report/stages_file.hpp>
#include <loradyn/study/network.hpp>
#include <loradyn/study/network_critical.hpp>
#include <loradyn/study/network_fixed_points.hpp>
#include <loradyn/sweep/range.hpp>
#include <vector>

#include "interruption.hpp"
#include "message.hpp"
#include "output.hpp"

namespace loradyn::cli {
namespace {

namespace registry = study::registry;

double row_bytes(const study::network_shape& s, double fixed) {
  const auto entries = static_cast<double>(s.width * (s.rank + s.teacher_width + 1) +
                                           s.rank * (s.teacher_width + s.rank));
  return fixed + sizeof(double) * entries;
}

// Where a network starts, beside its own options.
described describe_start(const start_options& start) {
  const std::string& u0 = start.texts[registry::u0];
  return {{"u0", u0.empty() ? fmt::format("{}", *registry::u0.standard) : u0}};
}

void require_search(const network_options& network, const study::network_layout& layout) {
  if (layout.trained != trained_part::lora) {
    throw argument_error("--train", "'" + network.train + "'",
                         "lora, for nothing else has a search");
  }
}

}  // namespace

int run_network_trajectory(const network_options& network, const shared_options& shared,
                           const start_options& start, const integrator_options& integrator,
                           const network_trajectory_words& words, const invocation& call) {
  require_network_start(start);
  const study::network_layout layout = read_layout(network, shared);
  const study::parameter_grid grid = read_network_grid(layout, shared);
  if (grid.size() != 1) {
    throw argument_error("--mu, --nu, --gamma, --noise, --lr-ratio",
                         fmt::format("{} combinations", grid.size()),
                         "one each, for a trajectory is one run");
  }
  if (words.t_end.empty() && words.stages.empty()) {
    throw error("--t-end is missing: say how long the run is");
  }
  study::network_trajectory_problem problem{
      read_single_pair(shared, "one here, for a trajectory is one run"),
      layout,
      read_network_start(network, shared, network.dimension),
      grid.at(0),
      std::nullopt,
      words.record,
      {},
      words.learning_rate};
  const double unit = problem.pair.rate_unit;
  problem.at.start.u = read_start(start).u;
  if (!words.t_end.empty()) {
    problem.end = read_positive("--t-end", words.t_end) / unit;
  }
  if (!words.stages.empty()) {
    require_stages_parameters(shared);
    problem.stages = read_network_stages(words.stages, 1.0 / unit);
  }
  problem.integrator = read_integrator(integrator, 1.0 / unit);
  const study::network_shape shape = study::shape_of(layout);
  study::require_table(std::vector<study::extent>{{"--points", words.points,
                                                   static_cast<double>(words.record.count), true}},
                       row_bytes(shape, sizeof(study::network_trajectory_row)));
  outputs out(shared);

  const study::network_trajectory_result run = study::trajectory(problem);
  described own = describe(network);
  own += describe_start(start);
  own += describe(integrator);
  own += {{"points", words.points}};
  if (words.learning_rate) {
    own += {{"lr", fmt::format("{}", *words.learning_rate)}};
  }
  for (std::size_t i = 0; i < run.stages.size(); ++i) {
    const stage_summary& s = run.stages[i];
    own += {{fmt::format("stage {}", i + 1),
             fmt::format("t = {} to {}: {}", s.begin, s.end, to_string(s.status))}};
  }
  if (!run.noise_method.empty()) {
    own += {{"noise method", run.noise_method},
            {"noise error", fmt::format("{:.1e} of the trace", run.noise_error)}};
  }
  const provenance meta = provenance_of(call, shared, own);
  out.write(meta, study::network_trajectory_columns(shape), run.rows,
            [&] { return network_trajectory_figure(meta, shape, run.rows); });
  if (run.complete) {
    if (!words.end_state.empty()) {
      const network_state& x = run.end;
      write_network_start_file(
          words.end_state,
          {run.geometry,
           {layout.trained == trained_part::lora ? std::optional(x.U) : std::nullopt, x.C, x.P}});
    }
    return done;
  }
  if (interruption() != 0) {
    say("interrupted in stage {}; the table holds what was reached. For all of it run: {}",
        run.stages.size(), call.command_line);
    return 128 + interruption();
  }
  const stage_summary& last = run.stages.back();
  say("stage {} ended at t = {} with {}; the table holds what was reached", run.stages.size(),
      last.end, to_string(last.status));
  return computation_failed;
}

int run_network_escape(const network_options& network, const shared_options& shared,
                       const start_options& start, const event_options& event,
                       const integrator_options& integrator, const law_options& law,
                       const invocation& call) {
  require_network_start(start);
  const study::network_layout layout = read_layout(network, shared);
  study::network_escape_problem problem{
      read_pairs(shared),
      read_network_grid(layout, shared),
      layout,
      read_network_start(network, shared, law.dimension),
      read_network_event(event.quantity, event.at, event.is_signed),
      read_integrator(integrator, 1.0),
      std::nullopt};
  problem.grid.otherwise.start.u = read_start(start).u;
  if (!law.dimension.empty()) {
    problem.quantiles = read_quantiles(law.quantiles);
  }
  const study::network_shape shape = study::shape_of(layout);
  study::require_table(extents_of(shared, problem.grid, problem.pairs.size()),
                       row_bytes(shape, sizeof(study::network_escape_row)));
  outputs out(shared);

  const std::vector<study::network_escape_row> rows =
      study_run(shared)([&](const auto& control) { return study::escape(problem, control); });
  described own = describe(network);
  own += describe_start(start);
  own += {{"event", event.quantity},
          {"at", fmt::format("{}", problem.event.at)},
          {"signed", event.is_signed ? "true" : "false"}};
  own += describe(integrator);
  if (problem.quantiles) {
    own += describe(law);
  }
  const provenance meta = provenance_of(call, shared, own);
  const std::size_t total = problem.pairs.size() * problem.grid.size();
  const std::size_t written =
      out.write(meta, study::network_escape_columns(shape, problem.quantiles), rows,
                [&] { return network_escape_figure(meta, rows); });
  return written < total ? report_interruption(written, total, call.command_line.c_str())
                         : exit_code_for(rows);
}

int run_network_rates(const network_options& network, const shared_options& shared,
                      const invocation& call) {
  const study::network_layout layout = read_layout(network, shared);
  require_search(network, layout);
  study::network_rates_problem problem{read_pairs(shared), read_network_grid(layout, shared),
                                       layout};
  const study::network_shape shape = study::shape_of(layout);
  // A row for every mode.
  std::vector<study::extent> extents = extents_of(shared, problem.grid, problem.pairs.size());
  study::require_table(extents, static_cast<double>(shape.width) *
                                    row_bytes(shape, sizeof(study::network_rates_row)));
  outputs out(shared);

  const std::vector<study::network_rates_row> rows =
      study_run(shared)([&](const auto& control) { return study::rates(problem, control); });
  const provenance meta = provenance_of(call, shared, describe(network));
  out.write(meta, study::network_rates_columns(shape), rows,
            [&] { return network_rates_figure(meta, rows); });
  return interruption() != 0 ? 128 + interruption() : exit_code_for(rows);
}

int run_network_fixed_points(const network_options& network, const shared_options& shared,
                             const start_options& start, const std::string& starts,
                             const invocation& call) {
  require_network_start(start);
  const study::network_layout layout = read_layout(network, shared);
  study::network_fixed_points_problem problem{read_pairs(shared),
                                              read_network_grid(layout, shared),
                                              layout,
                                              read_network_start(network, shared, "").scale,
                                              study::standard_starts,
                                              shared.seed};
  if (!starts.empty()) {
    problem.starts = read_count("--starts", starts, 1, study::max_starts);
  }
  problem.grid.otherwise.start.u = read_start(start).u;
  const study::network_shape shape = study::shape_of(layout);
  study::require_table(extents_of(shared, problem.grid, problem.pairs.size()),
                       4.0 * row_bytes(shape, sizeof(study::network_fixed_point_row)));
  outputs out(shared);

  const study::network_fixed_points_result result =
      study_run(shared, "points", names_of(problem.pairs, problem.grid))(
          [&](const auto& control) { return study::fixed_points(problem, control); });
  described own = describe(network);
  own += {{"starts", std::to_string(problem.starts)}};
  const provenance meta = provenance_of(call, shared, own);
  out.write(meta, study::network_fixed_point_columns(shape), result.rows,
            [&] { return network_fixed_points_figure(meta, result.rows); });
  const std::size_t total = problem.pairs.size() * problem.grid.size();
  return result.finished < total
             ? report_interruption(result.finished, total, call.command_line.c_str())
             : exit_code_for(result.rows);
}

int run_network_critical(const network_options& network, const shared_options& shared,
                         const invocation& call) {
  study::network_critical_problem problem{
      {read_pairs(shared), read_parameters(shared), parse_interval("--mu", shared.mu())},
      read_layout(network, shared)};
  require_search(network, problem.layout);
  problem.asked.at.parameters.misalignment =
      read_single_nu(shared, "one number here, for the table has no column for it");
  const study::network_shape shape = study::shape_of(problem.layout);
  outputs out(shared);

  const study::network_critical_result result =
      study_run(shared, "pairs", names_of(problem.asked.pairs, {}))(
          [&](const auto& control) { return study::critical(problem, control); });
  described own = describe(network);
  for (const auto& piece : result.unresolved) {
    own.emplace_back("unresolved", fmt::format("{}|{} on {}:{}", piece.student, piece.teacher,
                                               piece.lo, piece.hi));
  }
  const provenance meta = provenance_of(call, shared, own);
  out.write(meta, study::network_critical_columns(shape), result.rows,
            [&] { return network_critical_figure(meta, result.rows); });
  const std::size_t total = problem.asked.pairs.size();
  return result.finished < total
             ? report_interruption(result.finished, total, call.command_line.c_str())
             : exit_code_for(result.rows);
}

}  // namespace loradyn::cli
