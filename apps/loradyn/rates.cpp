// loradyn rates: the search phase, a row per (μ, ν).

#include <fmt/format.h>

#include <limits>
#include <loradyn/analysis/search_phase.hpp>
#include <loradyn/error.hpp>
#include <loradyn/sweep/range.hpp>
#include <memory>

#include "command.hpp"
#include "figures.hpp"
#include "interruption.hpp"
#include "options.hpp"
#include "output.hpp"
#include "sweep.hpp"

namespace loradyn::cli {
namespace {

struct rates_options {
  shared_options shared;
  std::string mu;
};

struct rates_point {
  search_phase_result phase;
  bool converged = true;
};

rates_point evaluate(const population_risk& risk, const lora_parameters& parameters) {
  try {
    return {search_phase(risk, parameters), true};
  } catch (const error&) {  // the parameters were checked before
    constexpr double nan = std::numeric_limits<double>::quiet_NaN();
    rates_point failed;
    failed.converged = false;
    failed.phase.A = failed.phase.B = failed.phase.C = nan;
    failed.phase.lambda = failed.phase.tau = nan;
    return failed;
  }
}

int run_rates(const rates_options& options, const invocation& call) {
  const std::vector<activation_pair> pairs = read_pairs(options.shared);
  if (options.mu.empty()) {
    throw error("--mu is missing: give the alignments, such as --mu 0.03:0.99:193");
  }
  const std::vector<double> mu = parse_range("--mu", options.mu);
  const std::vector<double> nu = read_nu(options.shared);
  const lora_parameters base = read_parameters(options.shared);
  constexpr std::size_t columns = 10;
  require_table(std::vector<extent>{{"--mu", options.mu, static_cast<double>(mu.size())},
                                    {"--nu", options.shared.nu, static_cast<double>(nu.size())},
                                    {"--student", fmt::format("{} activations", pairs.size()),
                                     static_cast<double>(pairs.size())}},
                columns, sizeof(rates_point));
  outputs out(options.shared);

  // Pairs, then ν, then μ.
  const std::size_t per_pair = mu.size() * nu.size();
  const std::size_t total = pairs.size() * per_pair;
  const auto parameters_of = [&](std::size_t i) {
    lora_parameters p = base;
    p.alignment = mu[i % mu.size()];
    p.misalignment = nu[i / mu.size() % nu.size()];
    return p;
  };
  const shared_options& shared = options.shared;
  constexpr std::size_t block = 1024;
  const auto points = run_sweep(shared, total, block, [&](std::size_t i) {
    return evaluate(pairs[i / per_pair].risk, parameters_of(i));
  });

  table t =
      make_table(call, shared, options.mu,
                 {"student", "teacher", "mu", "nu", "A", "B", "C", "lambda", "tau", "status"});
  t.rows.reserve(points.size());
  for (std::size_t i = 0; i < points.size(); ++i) {
    const activation_pair& pair = pairs[i / per_pair];
    const lora_parameters p = parameters_of(i);
    const search_phase_result& r = points[i].phase;
    const double unit = pair.rate_unit;
    t.rows.push_back({pair.student(), pair.teacher(), p.alignment, p.misalignment, r.A / unit,
                      r.B / unit, r.C / unit, r.lambda / unit, r.tau * unit,
                      points[i].converged ? std::string(to_string(r.status)) : "no-convergence"});
  }
  const std::size_t written = out.write(t, rates_figure);
  if (written < total) {
    return report_interruption(written, total, call.command_line.c_str());
  }
  return exit_code_for(t);
}

}  // namespace

std::function<int(const invocation&)> setup_rates(CLI::App& app) {
  auto options = std::make_shared<rates_options>();
  app.add_option("--mu", options->mu, "pre-training alignment")->type_name("R");
  options->shared.add_to(app);
  app.footer(
      "R is a number, a list 0.1,0.2,0.5, a range lo:hi:n, or log:lo:hi:n.\n\n"
      "Columns: student,teacher,mu,nu,A,B,C,lambda,tau,status; status is ok, imprecise (A is "
      "within\n"
      "its rounding error), diverges (no linear instability), frozen (--lr-ratio 0), undefined,\n"
      "overflow (|w0|^2 is beyond a number's range) or no-convergence.\n\n"
      "Examples:\n"
      "  loradyn rates --student erf,relu --mu 0.1:0.9:9\n"
      "  loradyn rates --student he3 --mu 0.03:0.99:193 --time-unit fisher --plot tau.svg -o "
      "tau.csv");
  return [options](const invocation& call) { return run_rates(*options, call); };
}

}  // namespace loradyn::cli
