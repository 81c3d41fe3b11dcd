// loradyn fixed-points: the equilibria of the flow.

#include <fmt/format.h>

#include <cmath>
#include <limits>
#include <loradyn/analysis/equilibria.hpp>
#include <loradyn/analysis/outcome.hpp>
#include <loradyn/error.hpp>
#include <memory>

#include "command.hpp"
#include "figures.hpp"
#include "flow_options.hpp"
#include "interruption.hpp"
#include "options.hpp"
#include "output.hpp"
#include "sweep.hpp"

namespace loradyn::cli {
namespace {

struct fixed_points_options {
  shared_options shared;
  std::string mu;
  start_options start;
};

struct fixed_points_result {
  std::vector<equilibrium> found;
  bool converged = true;
};

int run_fixed_points(const fixed_points_options& options, const invocation& call) {
  const shared_options& shared = options.shared;
  const std::vector<activation_pair> pairs = read_pairs(shared);
  const parameter_grid grid = read_grid(shared, options.mu);
  if (std::find(grid.lr_ratio.begin(), grid.lr_ratio.end(), 0.0) != grid.lr_ratio.end()) {
    throw argument_error("--lr-ratio", "'" + shared.lr_ratio + "'",
                         "> 0 here: with u frozen the equilibria are curves over u");
  }
  read_start(options.start);
  constexpr std::size_t columns = 21;
  constexpr double usual = 4.0;  // equilibria of a point
  require_table(extents_of(shared, options.mu, grid, pairs.size()), columns,
                usual * (columns * sizeof(cell) + sizeof(equilibrium)));
  std::vector<learning_task> tasks;
  std::vector<outcome_classifier> classifiers;
  for (const activation_pair& pair : pairs) {
    tasks.push_back(task_of(pair));
    classifiers.emplace_back(tasks.back());
  }
  outputs out(shared);

  const std::size_t per_pair = grid.size();
  const std::size_t total = pairs.size() * per_pair;
  constexpr std::size_t block = 4;
  const auto results = run_sweep(shared, total, block, [&](std::size_t i) {
    const std::size_t k = i / per_pair;
    try {
      return fixed_points_result{
          equilibria(flow(tasks[k], grid.at(i % per_pair)), classifiers[k].critical_points()),
          true};
    } catch (const error&) {  // the parameters were checked before
      return fixed_points_result{{}, false};
    }
  });

  table t = make_table(call, shared, options.mu,
                       {"student", "teacher", "mu",      "nu",   "gamma",   "noise", "lr_ratio",
                        "u",       "m",       "s",       "M",    "Q",       "risk",  "eig1",
                        "eig1_im", "eig2",    "eig2_im", "eig3", "eig3_im", "kind",  "status"});
  append(t, describe(options.start));
  constexpr double nan = std::numeric_limits<double>::quiet_NaN();
  for (std::size_t i = 0; i < results.size(); ++i) {
    const activation_pair& pair = pairs[i / per_pair];
    const lora_parameters p = grid.at(i % per_pair);
    const auto add = [&](const equilibrium& e, const std::string& kind, const std::string& status) {
      const auto& v = e.eigenvalues;
      const double unit = pair.rate_unit;
      t.rows.push_back({pair.student(),
                        pair.teacher(),
                        p.alignment,
                        p.misalignment,
                        p.noise_scale,
                        p.label_noise,
                        p.rate_ratio,
                        e.x.u,
                        e.x.m,
                        e.x.s,
                        e.M,
                        e.Q,
                        e.risk,
                        v[0].real() / unit,
                        v[0].imag() / unit,
                        v[1].real() / unit,
                        v[1].imag() / unit,
                        v[2].real() / unit,
                        v[2].imag() / unit,
                        kind,
                        status});
    };
    for (const equilibrium& e : results[i].found) {
      const bool known = std::isfinite(e.risk) && std::isfinite(e.eigenvalues[0].real());
      add(e, std::string(to_string(e.kind)), known ? "ok" : "no-convergence");
    }
    if (results[i].found.empty()) {
      equilibrium none{{nan, nan, nan}, nan, nan, nan, {}, equilibrium_kind::saddle};
      none.eigenvalues.fill({nan, nan});
      add(none, "none", results[i].converged ? "none-found" : "no-convergence");
    }
  }
  out.write(t, fixed_points_figure);
  if (results.size() < total) {
    return report_interruption(results.size(), total, call.command_line.c_str());
  }
  return exit_code_for(t);
}

}  // namespace

std::function<int(const invocation&)> setup_fixed_points(CLI::App& app) {
  auto options = std::make_shared<fixed_points_options>();
  app.add_option("--mu", options->mu, "pre-training alignment")->type_name("R");
  options->start.add_to(app, "1e-6, of the run that the figure shows");
  options->shared.add_to(app);
  app.footer(
      "A row for each equilibrium with u >= 0, by increasing risk, with its eigenvalues by\n"
      "decreasing real part; kind is sink, neutral, saddle or source. The row of u = 0 stands for\n"
      "the line of starts where nothing moves. The figure of one point is the phase plane (u, m);\n"
      "of more, M against mu.\n\n"
      "Examples:\n"
      "  loradyn fixed-points --student he3 --mu 0.2 --plot plane.svg\n"
      "  loradyn fixed-points --student he3 --mu 0.05:0.95:91 -o equilibria.csv");
  return [options](const invocation& call) { return run_fixed_points(*options, call); };
}

}  // namespace loradyn::cli
