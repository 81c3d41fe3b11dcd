// loradyn trajectory: the overlaps and the risk in time, through one or more stages.

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <loradyn/error.hpp>
#include <loradyn/figures/network_figures.hpp>
#include <loradyn/figures/study_figures.hpp>
#include <loradyn/report/network_file.hpp>
#include <loradyn/report/start_file.hpp>
#include <loradyn/study/tolerance.hpp>
#include <loradyn/study/words.hpp>

#include "command.hpp"
#include "message.hpp"
#include "options.hpp"
#include "output.hpp"

namespace loradyn::cli {
namespace {

// How the runs were made, and how much the end of the one that took most depends on the tolerance.
void tell_making(const question& words, const std::vector<study::activation_pair>& pairs,
                 const std::vector<study::trajectory_problem>& problems,
                 const std::vector<study::trajectory_result>& runs) {
  if (!words.says("verbose") || runs.empty()) {
    return;
  }
  tell_methods(words, pairs);
  const study::tolerance_check check = study::check_tolerance(problems, runs);
  const auto& rows = runs[check.which].rows;
  tell_error(
      words, check,
      rows.empty() ? "" : fmt::format("m at t = {} of the run that took most", rows.back().t));
}

// Says why a run did not come to its end; returns the exit code.
int report_cut(const std::vector<stage_summary>& stages, const invocation& call) {
  if (interruption() != 0) {
    say("interrupted in stage {}; the table holds what was reached. For all of it run: {}",
        std::max<std::size_t>(stages.size(), 1), call.command_line);
    return 128 + interruption();
  }
  say("stage {} ended at t = {} with {}; the table holds what was reached", stages.size(),
      stages.back().end, to_string(stages.back().status));
  return computation_failed;
}

int run_network(const question& words, const invocation& call) {
  answer<study::network_trajectory_problem> a(words, call);
  const study::network_layout& layout = a.problem().layout;
  const study::network_trajectory_result run = study::trajectory(a.problem());
  for (std::size_t i = 0; i < run.stages.size(); ++i) {
    const stage_summary& s = run.stages[i];
    a.tell({{fmt::format("stage {}", i + 1),
             fmt::format("t = {} to {}: {}", s.begin, s.end, to_string(s.status))}});
  }
  if (!run.noise_method.empty()) {
    a.tell({{"noise method", run.noise_method},
            {"noise error", fmt::format("{:.1e} of the trace", run.noise_error)}});
  }
  a.write(study::network_trajectory_columns(study::shape_of(layout)), run.rows,
          network_trajectory_figure);
  if (!run.complete) {
    return report_cut(run.stages, call);
  }
  if (words.says("end-state")) {
    const network_state& x = run.end;
    write_network_start_file(
        words.text("end-state"),
        {run.geometry,
         {layout.trained == trained_part::lora ? std::optional(x.U) : std::nullopt, x.C, x.P}});
  }
  return done;
}

int run_trajectory(const question& words, const invocation& call) {
  if (asks_network(words) || words.says("dim")) {
    return run_network(words, call);
  }
  answer<study::trajectory_family> a(words, call);
  const study::trajectory_family& family = a.problem();
  const study::parameter_grid& grid = family.grid;
  if (grid.size() > 1 && words.says("end-state")) {
    throw argument_error("--end-state", "'" + words.text("end-state") + "'",
                         "left out: several runs have several ends");
  }
  const std::vector<study::trajectory_problem> problems = study::problems_of(family);
  const std::vector<study::trajectory_result> runs = compute(
      words, [&](const auto& control) { return study::trajectories(problems, control); }, "runs",
      names_of({family.pair}, grid));
  tell_making(words, {family.pair}, problems, runs);
  a.tell(study::words_of_stages(grid, runs));
  if (grid.size() == 1) {
    a.write(study::trajectory_columns(),
            runs.empty() ? std::vector<study::trajectory_row>() : runs.front().rows,
            trajectory_figure);
  } else {
    a.write(study::family_columns(grid.told({})), study::rows_of(family, runs), family_figure);
  }
  const auto cut = std::find_if(runs.begin(), runs.end(),
                                [](const study::trajectory_result& run) { return !run.complete; });
  if (cut == runs.end() && runs.size() == grid.size()) {
    if (words.says("end-state")) {
      write_start_file(words.text("end-state"),
                       {runs.front().alignment, runs.front().misalignment, runs.front().end});
    }
    return done;
  }
  if (interruption() != 0 && grid.size() > 1) {
    return report_interruption(static_cast<std::size_t>(cut - runs.begin()), grid.size(),
                               call.command_line.c_str());
  }
  return report_cut(cut == runs.end() ? std::vector<stage_summary>() : cut->stages, call);
}

}  // namespace

std::function<int(const invocation&)> setup_trajectory(option_list& list) {
  add_mu(list, "R");
  static constexpr std::array<option_text, 2> length{
      {{"--t-end", "X", "the end of the run"},
       {"--points", "N|log:N|R",
        "record this many times, log:N spaced logarithmically, or these times", "201"}}};
  static constexpr std::array<option_text, 3> way{
      {{"--stages", "FILE", "a TOML file of stages"},
       {"--method", "flow|map", "the flow, or the map of a finite learning rate", "flow"},
       {"--lr", "X", "learning rate of the map"}}};
  add(list, length);
  add_start(list, "1e-6");
  add(list, way);
  add_integrator(list);
  add_network(list);
  add_network_start(list, true);
  list.text("--end-state", "where the run ends, for --start of another command", "FILE");
  add_shared(list);
  add_start_file(list);
  list.footer("Columns: " + text_of_columns(study::trajectory_columns()) +
              ", behind those of the parameters that have several values: a run each. The "
              "provenance says how each stage ended: " +
              text_of(study::stage_end_words()) + ".\n\nOf a network (docs/networks.md): " +
              text_of_columns(study::network_trajectory_columns(study::sizes_of_a_help)) +
              "\n\nExamples:\n"
              "  loradyn trajectory --student erf --mu 0.5 --t-end 300 --plot run.svg -o run.csv\n"
              "  loradyn trajectory --student erf --mu 0.1:0.9:9 --t-end 300 --plot family.svg -o "
              "family.csv\n"
              "  loradyn trajectory --student he3 --mu 0.5 --t-end 10 --method map --lr 0.01\n"
              "  loradyn trajectory --student erf --stages protocol.toml");
  return running(list, run_trajectory);
}

}  // namespace loradyn::cli
