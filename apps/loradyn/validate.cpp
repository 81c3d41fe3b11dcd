// loradyn validate: ODE (or map), law and simulation side by side, with a verdict per row.

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <loradyn/analysis/escape_law.hpp>
#include <loradyn/dynamics/protocol.hpp>
#include <loradyn/error.hpp>
#include <loradyn/simulation/deviation.hpp>
#include <loradyn/simulation/random.hpp>
#include <loradyn/simulation/statistics.hpp>
#include <loradyn/sweep/range.hpp>
#include <memory>
#include <optional>

#include "command.hpp"
#include "figures.hpp"
#include "flow_options.hpp"
#include "interruption.hpp"
#include "message.hpp"
#include "options.hpp"
#include "output.hpp"
#include "resources.hpp"
#include "simulation_options.hpp"

namespace loradyn::cli {
namespace {

constexpr double nan = std::numeric_limits<double>::quiet_NaN();

struct validate_options {
  shared_options shared;
  std::string mu;
  std::string dimensions;
  std::string batch = "16";
  std::string learning_rate;
  std::string t_end;
  std::string points = "8";
  std::string runs = "400";
  std::string law_runs;
  std::string significance = "0.01";
  std::string engine = "chain";
  start_options start{.u0 = "", .m0 = "0.3", .s0 = "0"};
  event_options event;
};

// One dimension: the problem that is simulated and what the theory says of it.
struct experiment {
  std::uint64_t dimension = 0;
  std::uint64_t batch = 0;
  double learning_rate = 0.0;
  lora_parameters parameters;  // with the noise scale γ = η d/B
  std::uint64_t steps = 0;
  std::vector<std::uint64_t> record;
};

struct comparison {
  std::string check;
  double dimension = nan;
  std::string quantity;
  double t = nan;
  double theory = nan;
  double simulated = nan;
  double deviation = nan;
  double error = nan;
  double statistic = nan;
  double threshold = nan;
  std::string verdict = "untested";
  std::string status = "ok";
  std::optional<std::uint64_t> seed;  // of the ensemble, where there is one
};

struct compared_quantity {
  const char* name;
  simulated_quantity simulated;
  double overlap_state::*theory;
};

class validation {
 public:
  validation(const validate_options& options, const activation_pair& pair)
      : options_(options), pair_(pair), task_(task_of(pair)), classifier_(task_) {
    const shared_options& shared = options.shared;
    lora_parameters p = read_parameters(shared);
    if (!(p.noise_scale > 0.0)) {
      throw argument_error("--gamma", "'" + shared.gamma + "'",
                           "> 0 here: a simulation has batches");
    }
    if (options.mu.empty()) {
      throw error("--mu is missing: give the alignment, such as --mu 0.5");
    }
    p.alignment = read_number("--mu", options.mu);
    p.misalignment = read_single_nu(shared, "one number here");
    start_ = read_start(options.start);
    event_ = read_event(options.event);
    if (event_.is_signed && event_.quantity == overlap_quantity::m) {
      throw argument_error("--signed", "given", "left out: the law is that of both signs");
    }
    engine_ = read_engine(options.engine);
    constexpr std::uint64_t most_runs = 10'000'000;
    runs_ = read_count("--runs", options.runs, 2, most_runs);
    law_runs_ =
        options.law_runs.empty() ? runs_ : read_count("--law-runs", options.law_runs, 0, most_runs);
    significance_ = read_number("--alpha", options.significance);
    if (!(significance_ > 0.0 && significance_ < 1.0)) {
      throw argument_error("--alpha", "'" + options.significance + "'", "between 0 and 1");
    }
    if (shared.seed > max_seed) {
      throw argument_error("--seed", std::to_string(shared.seed),
                           fmt::format("at most {}", max_seed));
    }
    read_end(p);
    read_experiments(p);
    require_size();
    quantities_ = {{"u", simulated_quantity::u, &overlap_state::u},
                   {"m", simulated_quantity::m, &overlap_state::m}};
    if (p.misalignment > 0.0 || start_.s != 0.0) {
      quantities_.push_back({"s", simulated_quantity::s, &overlap_state::s});
    }
  }

  // False where the user interrupted.
  bool run() {
    try {
      return compare();
    } catch (const interrupted&) {
      return false;
    }
  }

  [[nodiscard]] const std::vector<comparison>& rows() const { return rows_; }
  [[nodiscard]] double end_time() const { return t_end_; }

 private:
  bool compare() {
    const std::size_t times = experiments_.front().record.size();
    const std::size_t means = experiments_.size() * quantities_.size() * times;
    const std::size_t limits = experiments_.size() > 1 ? quantities_.size() * times : 0;
    const std::size_t laws = law_runs_ > 0 ? experiments_.size() : 0;
    comparisons_ = means + limits + laws;
    // deviations[q][k][e]
    std::vector<std::vector<std::vector<deviation_sample>>> deviations(
        quantities_.size(), std::vector<std::vector<deviation_sample>>(times));
    std::vector<std::vector<overlap_state>> theory;
    for (std::size_t e = 0; e < experiments_.size(); ++e) {
      theory.push_back(theory_of(experiments_[e]));
      if (!simulate_means(e, theory.back(), deviations)) {
        return false;
      }
    }
    compare_means(theory, deviations);
    for (std::size_t e = 0; e < experiments_.size() && law_runs_ > 0; ++e) {
      if (!compare_law(e)) {
        return false;
      }
    }
    return true;
  }

  void read_end(const lora_parameters& p) {
    if (!options_.t_end.empty()) {
      t_end_ = read_number("--t-end", options_.t_end) / pair_.rate_unit;
      if (!(t_end_ > 0.0)) {
        throw argument_error("--t-end", "'" + options_.t_end + "'", "> 0");
      }
      return;
    }
    const flow f(task_, p);
    if (met_by(event_of(f, event_, start_), start_)) {
      throw error(
          "--t-end is missing: the start already meets the event, so no time follows from it");
    }
    t_end_ = escape(f, start_, event_, {}, classifier_, run_extent::to_event).t_hit;
    if (!std::isfinite(t_end_)) {
      throw error(
          "--t-end is missing: the ODE does not reach the event, so no time follows from it");
    }
  }

  void read_experiments(const lora_parameters& p) {
    if (options_.dimensions.empty()) {
      throw error("--dim is missing: give the dimensions, such as --dim 300,1000,3000");
    }
    constexpr double largest = 9e15;
    std::vector<double> dimensions = parse_range("--dim", options_.dimensions);
    std::sort(dimensions.begin(), dimensions.end());
    dimensions.erase(std::unique(dimensions.begin(), dimensions.end()), dimensions.end());
    const double batch =
        static_cast<double>(read_count("--batch", options_.batch, 1, 1'000'000'000));
    constexpr std::uint64_t most_points = 10'000;
    const std::uint64_t points = read_count("--points", options_.points, 1, most_points);
    for (const double d : dimensions) {
      if (!(d >= 4.0 && d <= largest) || d != std::floor(d)) {
        throw argument_error("--dim", "'" + options_.dimensions + "'",
                             "whole numbers from 4 to 9e15");
      }
      experiment e;
      e.dimension = static_cast<std::uint64_t>(d);
      e.parameters = p;
      if (options_.learning_rate.empty()) {
        // At fixed γ and batch the learning rate falls as 1/d.
        e.batch = static_cast<std::uint64_t>(batch);
        e.learning_rate = p.noise_scale * batch / d;
      } else {
        e.learning_rate = read_number("--lr", options_.learning_rate);
        if (!(e.learning_rate > 0.0)) {
          throw argument_error("--lr", "'" + options_.learning_rate + "'", "> 0");
        }
        const double size = std::round(e.learning_rate * d / p.noise_scale);
        if (!(size >= 1.0)) {
          throw argument_error("--lr", "'" + options_.learning_rate + "'",
                               fmt::format("at least gamma/d = {}", p.noise_scale / d));
        }
        e.batch = static_cast<std::uint64_t>(size);
        e.parameters.noise_scale = e.learning_rate * d / size;
      }
      const double steps = std::ceil(t_end_ / e.learning_rate - 1e-9);
      if (!(steps < 1e12)) {
        throw argument_error("--t-end", fmt::format("{:.3g} steps away", steps), "less than 1e12");
      }
      e.steps = std::max<std::uint64_t>(static_cast<std::uint64_t>(steps), points);
      e.record = linear_record(e.steps, points + 1);
      e.record.erase(e.record.begin());
      experiments_.push_back(std::move(e));
    }
  }

  void require_size() const {
    const auto number = [](const char* option, const std::string& text, double count) {
      return extent{option, text, count, true};
    };
    const extent runs = number("--runs", options_.runs, static_cast<double>(runs_));
    const extent points = number("--points", options_.points,
                                 static_cast<double>(experiments_.front().record.size()));
    require_affordable(std::vector<extent>{runs, points},
                       {"recorded states", sizeof(simulated_state), 0.0},
                       std::numeric_limits<double>::infinity());
    for (const experiment& e : experiments_) {
      const auto steps = static_cast<double>(e.steps);
      const auto batch = static_cast<double>(e.batch);
      require_simulation({runs,
                          number(options_.t_end.empty() ? "" : "--t-end", options_.t_end, steps),
                          number("--batch", options_.batch, batch),
                          {"--dim", options_.dimensions, static_cast<double>(e.dimension)},
                          engine_ == simulation_engine::sgd});
    }
  }

  [[nodiscard]] std::vector<overlap_state> theory_of(const experiment& e) const {
    training_protocol protocol;
    protocol.alignment = e.parameters.alignment;
    protocol.misalignment = e.parameters.misalignment;
    protocol.start = start_;
    if (!options_.learning_rate.empty()) {
      protocol.method = tuning_method::map;
      protocol.learning_rate = e.learning_rate;
    }
    std::vector<double> times;
    for (const std::uint64_t step : e.record) {
      times.push_back(e.learning_rate * static_cast<double>(step));
    }
    protocol.stages = {tuning_stage{task_, e.parameters.noise_scale, e.parameters.label_noise,
                                    e.parameters.rate_ratio, times.back(), std::nullopt}};
    const training_run run = run_protocol(protocol, times, {});
    if (run.points.size() != times.size()) {
      throw convergence_error(fmt::format("the theory's run ends at t = {} with {}",
                                          run.stages.back().end,
                                          to_string(run.stages.back().status)));
    }
    std::vector<overlap_state> states;
    for (const training_point& p : run.points) {
      states.push_back(p.x);
    }
    return states;
  }

  [[nodiscard]] simulation_problem problem_of(const experiment& e, std::uint64_t seed,
                                              std::uint64_t steps) const {
    lora_parameters p = e.parameters;
    p.noise_scale = 0.0;
    simulation_problem problem = make_problem(pair_.risk.student(), pair_.risk.teacher(), p,
                                              e.dimension, e.batch, e.learning_rate, steps);
    problem.seed = seed;
    return problem;
  }

  enum class evidence : std::uint64_t { means = 1, law };

  // Equal seeds draw equal numbers at every dimension, so that every ensemble has its own.
  [[nodiscard]] std::uint64_t seed_of(const experiment& e, evidence what) const {
    return derived_seed(options_.shared.seed, {static_cast<std::uint64_t>(what), e.dimension});
  }

  bool simulate_means(std::size_t index, const std::vector<overlap_state>& theory,
                      std::vector<std::vector<std::vector<deviation_sample>>>& deviations) {
    const experiment& e = experiments_[index];
    simulation_problem problem = problem_of(e, seed_of(e, evidence::means), e.steps);
    problem.start = {.u0 = start_.u, .m0 = start_.m, .s0 = start_.s};
    simulation_plan plan;
    plan.record = e.record;
    std::vector<simulated_quantity> wanted;
    for (const compared_quantity& q : quantities_) {
      wanted.push_back(q.simulated);
    }
    const ensemble done = run_ensemble(options_.shared, problem, engine_, plan, runs_, "");
    if (!done.complete()) {
      return false;
    }
    const auto summaries = summarise(done, problem, plan, wanted, std::vector<double>());
    for (std::size_t k = 0; k < summaries.size(); ++k) {
      for (std::size_t q = 0; q < quantities_.size(); ++q) {
        const sample_summary& s = summaries[k].quantities[q];
        deviations[q][k].push_back({static_cast<double>(e.dimension),
                                    s.mean - theory[k].*quantities_[q].theory,
                                    s.deviation / std::sqrt(static_cast<double>(s.count))});
      }
      diverged_ = diverged_ || summaries[k].diverged > 0;
    }
    return true;
  }

  void compare_means(const std::vector<std::vector<overlap_state>>& theory,
                     const std::vector<std::vector<std::vector<deviation_sample>>>& deviations) {
    const double threshold = normal_threshold(significance_, comparisons_);
    const bool several = experiments_.size() > 1;
    for (std::size_t q = 0; q < quantities_.size(); ++q) {
      std::vector<comparison> worst(experiments_.size());
      comparison limit;
      for (std::size_t k = 0; k < deviations[q].size(); ++k) {
        const std::vector<deviation_sample>& samples = deviations[q][k];
        const bool usable = std::all_of(samples.begin(), samples.end(), [](const auto& s) {
          return std::isfinite(s.deviation) && s.error > 0.0;
        });
        std::optional<deviation_fit> fit;
        if (usable && several) {
          fit = fit_deviation(samples);
        }
        for (std::size_t e = 0; e < samples.size(); ++e) {
          const double statistic =
              fit ? std::abs(fit->residuals[e]) : std::abs(samples[e].deviation) / samples[e].error;
          if (k == 0 || !(statistic <= worst[e].statistic)) {
            const double expected = theory[e][k].*quantities_[q].theory;
            worst[e] = row("mean", quantities_[q].name, samples[e].dimension,
                           time_of(experiments_[e], k), expected, expected + samples[e].deviation,
                           samples[e].error, statistic, threshold);
          }
        }
        if (fit && (k == 0 || !(std::abs(fit->limit) / fit->limit_error <= limit.statistic))) {
          const double expected = theory.back()[k].*quantities_[q].theory;
          limit = row("limit", quantities_[q].name, std::numeric_limits<double>::infinity(),
                      time_of(experiments_.back(), k), expected, expected + fit->limit,
                      fit->limit_error, std::abs(fit->limit) / fit->limit_error, threshold);
        }
      }
      for (std::size_t e = 0; e < worst.size(); ++e) {
        comparison& c = worst[e];
        c.seed = seed_of(experiments_[e], evidence::means);
        if (diverged_) {
          c.verdict = "fail";
          c.status = "diverged";
        } else if (!several) {
          c.status = "one-dimension";  // the 1/d part of the deviation is not told from the rest
          c.verdict = "untested";
        }
        rows_.push_back(c);
      }
      if (several) {
        rows_.push_back(limit);
        rows_.push_back(slope_row(q, deviations[q]));
      }
    }
  }

  [[nodiscard]] double time_of(const experiment& e, std::size_t k) const {
    return e.learning_rate * static_cast<double>(e.record[k]) * pair_.rate_unit;
  }

  static comparison row(const char* check, const char* quantity, double dimension, double t,
                        double theory, double simulated, double error, double statistic,
                        double threshold) {
    comparison c;
    c.check = check;
    c.dimension = dimension;
    c.quantity = quantity;
    c.t = t;
    c.theory = theory;
    c.simulated = simulated;
    c.deviation = simulated - theory;
    c.error = error;
    c.statistic = statistic;
    c.threshold = threshold;
    c.verdict = statistic <= threshold ? "pass" : "fail";
    return c;
  }

  // The slope of the root mean square deviation over the times, against -½; tested only where the
  // deviation at the smallest dimension stands out of its noise.
  [[nodiscard]] comparison slope_row(
      std::size_t q, const std::vector<std::vector<deviation_sample>>& by_time) const {
    constexpr double largest_slope = -0.5;
    constexpr double stands_out = 4.0;
    std::vector<deviation_sample> rms(experiments_.size());
    for (std::size_t e = 0; e < rms.size(); ++e) {
      double square = 0.0;
      double noise = 0.0;
      for (const auto& samples : by_time) {
        square += samples[e].deviation * samples[e].deviation;
        noise += samples[e].error * samples[e].error;
      }
      const double count = static_cast<double>(by_time.size());
      rms[e] = {static_cast<double>(experiments_[e].dimension), std::sqrt(square / count),
                std::sqrt(noise / count)};
    }
    comparison c;
    c.check = "slope";
    c.dimension = std::numeric_limits<double>::infinity();
    c.t = time_of(experiments_.back(), by_time.size() - 1);
    c.quantity = quantities_[q].name;
    c.theory = -1.0;
    c.threshold = largest_slope;
    std::vector<deviation_sample> clear;
    std::copy_if(rms.begin(), rms.end(), std::back_inserter(clear),
                 [&](const deviation_sample& s) { return s.deviation > stands_out * s.error; });
    if (clear.size() < 2) {
      c.status = "within-noise";
      return c;
    }
    const deviation_slope slope = slope_of_deviation(clear);
    c.simulated = slope.slope;
    c.deviation = slope.slope + 1.0;
    c.error = slope.error;
    c.statistic = slope.slope;
    c.verdict = slope.slope <= largest_slope ? "pass" : "fail";
    return c;
  }

  bool compare_law(std::size_t index) {
    const experiment& e = experiments_[index];
    const auto d = static_cast<double>(e.dimension);
    const flow f(task_, e.parameters);
    const escape_law law = law_of_escape(f, event_, d, 1.0 / (d * d), {}, classifier_);
    comparison c;
    c.check = "law";
    c.dimension = d;
    c.quantity = "t_hit";
    c.seed = seed_of(e, evidence::law);
    c.threshold = significance_ / static_cast<double>(comparisons_);
    if (law.status != law_status::ok) {
      c.status = to_string(law.status);
      rows_.push_back(c);
      return true;
    }
    // Long enough for all but a run in a million.
    constexpr double share = 1.0 - 1e-6;
    const double steps = std::ceil(law.quantile(share) / e.learning_rate);
    simulation_problem problem =
        problem_of(e, seed_of(e, evidence::law), static_cast<std::uint64_t>(std::max(1.0, steps)));
    simulation_plan plan;
    plan.stop_after_events = true;
    plan.risk = risk_of(pair_.risk, e.parameters.label_noise);
    plan.events = {simulated_event(event_)};
    const ensemble done = run_ensemble(options_.shared, problem, engine_, plan, law_runs_, "");
    if (!done.complete()) {
      return false;
    }
    const hitting_times hits = hitting_times_of(done, problem, 0);
    const sample_summary summary = summarise(hits.times, std::vector<double>{0.5});
    c.theory = law.quantile(0.5) * pair_.rate_unit;
    c.simulated = hits.times.empty() ? nan : summary.quantiles[0] * pair_.rate_unit;
    c.deviation = c.simulated - c.theory;
    c.error = 0.5 / law.density(law.quantile(0.5)) /
              std::sqrt(static_cast<double>(std::max<std::size_t>(1, hits.times.size()))) *
              pair_.rate_unit;
    if (hits.times.empty()) {
      c.verdict = "fail";
      c.status = "no-event";
    } else {
      const distance_test test =
          kolmogorov_smirnov(hits.times, [&law](double t) { return law.cdf(t); });
      c.statistic = test.p_value;
      const bool lost = static_cast<double>(hits.missing + hits.diverged) >
                        0.001 * static_cast<double>(law_runs_) + 3.0;
      c.verdict = test.p_value >= c.threshold && !lost ? "pass" : "fail";
      if (lost) {
        c.status = fmt::format("{} runs without the event", hits.missing + hits.diverged);
      }
    }
    rows_.push_back(c);
    return true;
  }

  const validate_options& options_;
  const activation_pair& pair_;
  learning_task task_;
  outcome_classifier classifier_;
  overlap_state start_;
  overlap_event event_;
  simulation_engine engine_ = simulation_engine::chain;
  std::uint64_t runs_ = 0;
  std::uint64_t law_runs_ = 0;
  double significance_ = 0.0;
  double t_end_ = 0.0;
  std::vector<experiment> experiments_;
  std::vector<compared_quantity> quantities_;
  std::size_t comparisons_ = 0;
  bool diverged_ = false;
  std::vector<comparison> rows_;
};

int run_validate(const validate_options& options, const invocation& call) {
  const shared_options& shared = options.shared;
  const activation_pair pair = read_single_pair(shared, "one here");
  validation v(options, pair);
  outputs out(shared);
  const bool complete = v.run();

  table t = make_table(call, shared, options.mu,
                       {"check", "dim", "quantity", "t", "theory", "simulated", "deviation",
                        "error", "statistic", "threshold", "verdict", "seed", "status"});
  append(t, {{"dim", options.dimensions},
             {"batch", options.learning_rate.empty() ? options.batch : "lr d/gamma"},
             {"lr", options.learning_rate.empty() ? "gamma batch/d" : options.learning_rate},
             {"t-end", fmt::format("{}", v.end_time() * pair.rate_unit)},
             {"points", options.points},
             {"runs", options.runs},
             {"law-runs", options.law_runs.empty() ? options.runs : options.law_runs},
             {"alpha", options.significance},
             {"engine", options.engine}});
  append(t, describe(options.start));
  append(t, describe(options.event));
  std::size_t failed = 0;
  for (const comparison& c : v.rows()) {
    t.rows.push_back({c.check, c.dimension, c.quantity, c.t, c.theory, c.simulated, c.deviation,
                      c.error, c.statistic, c.threshold, c.verdict,
                      c.seed ? cell(static_cast<std::int64_t>(*c.seed)) : cell(nan), c.status});
    failed += c.verdict == "fail" ? 1 : 0;
  }
  out.write(t, validate_figure);
  if (!complete) {
    return report_interruption(v.rows().size(), v.rows().size() + 1, call.command_line.c_str());
  }
  if (failed > 0) {
    say("{} of {} comparisons failed", failed, v.rows().size());
    return comparison_failed;
  }
  return done;
}

}  // namespace

std::function<int(const invocation&)> setup_validate(CLI::App& app) {
  auto options = std::make_shared<validate_options>();
  const auto text = [&app](const char* name, std::string& target, const char* help,
                           const char* type) {
    return app.add_option(name, target, help)->type_name(type);
  };
  text("--mu", options->mu, "pre-training alignment", "X");
  text("--dim", options->dimensions, "dimensions", "R");
  text("--batch", options->batch, "samples in a step; the learning rate is gamma batch/d", "N")
      ->capture_default_str();
  text("--lr", options->learning_rate,
       "a learning rate instead: the theory is its map,\nthe batch lr d/gamma", "X");
  text("--t-end", options->t_end, "the time of the means (default: when the ODE meets the event)",
       "X");
  text("--points", options->points, "times at which means are compared", "N")
      ->capture_default_str();
  text("--runs", options->runs, "runs from --m0 for the means", "N")->capture_default_str();
  text("--law-runs", options->law_runs, "runs from a random start for the law (default: --runs)",
       "N");
  text("--alpha", options->significance, "chance that a right theory fails, over all rows", "X")
      ->capture_default_str();
  text("--engine", options->engine, "what is simulated: chain or sgd", "chain|sgd")
      ->capture_default_str();
  options->start.add_to(app, "1e-6");
  options->event.add_to(app, "m", "0.5 for m");
  options->shared.add_to(app);
  app.footer(
      "A row for each comparison: check is mean (a mean over runs against the theory plus c/d, "
      "the\n"
      "worst of the times), limit (what is left at 1/d -> 0), slope (of the deviation in d) or "
      "law\n"
      "(Kolmogorov-Smirnov's p-value of the escape times). verdict: pass, fail or untested, with\n"
      "the reason as status. The exit code is 1 where a row fails.\n\n"
      "Examples:\n"
      "  loradyn validate --student erf --mu 0.5 --gamma 1 --dim 300,1000,3000\n"
      "  loradyn validate --student he3 --mu 0.5 --gamma 0.02 --dim 1000,4000 --lr 0.002");
  return [options](const invocation& call) { return run_validate(*options, call); };
}

}  // namespace loradyn::cli
