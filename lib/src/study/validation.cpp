#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <loradyn/analysis/escape_law.hpp>
#include <loradyn/dynamics/protocol.hpp>
#include <loradyn/error.hpp>
#include <loradyn/interruption.hpp>
#include <loradyn/simulation/deviation.hpp>
#include <loradyn/simulation/random.hpp>
#include <loradyn/simulation/statistics.hpp>
#include <loradyn/study/simulate.hpp>
#include <loradyn/study/validation.hpp>
#include <utility>

namespace loradyn::study {
namespace {

constexpr double nan = std::numeric_limits<double>::quiet_NaN();

// A comparison of which nothing is known yet.
validation_row untested() {
  return {"", nan, "", nan, nan, nan, nan, nan, nan, nan, "untested", std::nullopt, "ok"};
}

struct compared_quantity {
  const char* name;
  simulated_quantity simulated;
  double overlap_state::*theory;
};

class validation {
 public:
  validation(const validation_problem& problem, const study_control& control)
      : problem_(problem),
        control_(control),
        task_(problem.pair.task()),
        classifier_(task_),
        experiments_(experiments_of(problem)),
        quantities_{{"u", simulated_quantity::u, &overlap_state::u},
                    {"m", simulated_quantity::m, &overlap_state::m}} {
    if (problem.at.parameters.misalignment > 0.0 || problem.at.start.s != 0.0) {
      quantities_.push_back({"s", simulated_quantity::s, &overlap_state::s});
    }
  }

  // False where it was stopped.
  bool compare() {
    const std::size_t times = experiments_.front().record.size();
    const std::size_t means = experiments_.size() * quantities_.size() * times;
    const std::size_t limits = experiments_.size() > 1 ? quantities_.size() * times : 0;
    const std::size_t laws = problem_.law_runs > 0 ? experiments_.size() : 0;
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
    for (std::size_t e = 0; e < experiments_.size() && problem_.law_runs > 0; ++e) {
      if (!compare_law(e)) {
        return false;
      }
    }
    return true;
  }

  [[nodiscard]] std::vector<validation_row> take_rows() { return std::move(rows_); }

 private:
  [[nodiscard]] std::vector<overlap_state> theory_of(const experiment& e) const {
    training_protocol protocol;
    protocol.alignment = e.parameters.alignment;
    protocol.misalignment = e.parameters.misalignment;
    protocol.start = problem_.at.start;
    if (problem_.learning_rate) {
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
      check_stop();
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
    simulation_problem problem =
        make_problem(problem_.pair.risk.student(), problem_.pair.risk.teacher(), p, e.dimension,
                     e.batch, e.learning_rate, steps);
    problem.seed = seed;
    return problem;
  }

  enum class evidence : std::uint64_t { means = 1, law };

  // Equal seeds draw equal numbers at every dimension, so that every ensemble has its own.
  [[nodiscard]] std::uint64_t seed_of(const experiment& e, evidence what) const {
    return derived_seed(problem_.seed, {static_cast<std::uint64_t>(what), e.dimension});
  }

  // An ensemble, with the progress of all of them.
  ensemble run(const simulation_problem& simulated, const simulation_plan& plan,
               std::uint64_t runs) {
    ensemble_control c;
    c.threads = control_.threads;
    c.stop = [] { return stop_requested(); };
    if (control_.progress) {
      const std::size_t total =
          experiments_.size() * static_cast<std::size_t>(problem_.runs + problem_.law_runs);
      c.progress = [this, runs, total](std::size_t, double share) {
        control_.progress(
            runs_behind_ + static_cast<std::size_t>(share * static_cast<double>(runs)), total);
      };
    }
    ensemble done = simulate_ensemble(simulated, problem_.engine, plan, runs, c);
    runs_behind_ += static_cast<std::size_t>(runs);
    return done;
  }

  bool simulate_means(std::size_t index, const std::vector<overlap_state>& theory,
                      std::vector<std::vector<std::vector<deviation_sample>>>& deviations) {
    const experiment& e = experiments_[index];
    simulation_problem problem = problem_of(e, seed_of(e, evidence::means), e.steps);
    problem.start = {
        .u0 = problem_.at.start.u, .m0 = problem_.at.start.m, .s0 = problem_.at.start.s};
    simulation_plan plan;
    plan.record = e.record;
    std::vector<simulated_quantity> wanted;
    for (const compared_quantity& q : quantities_) {
      wanted.push_back(q.simulated);
    }
    const ensemble done = run(problem, plan, problem_.runs);
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
    const double threshold = normal_threshold(problem_.significance, comparisons_);
    const bool several = experiments_.size() > 1;
    for (std::size_t q = 0; q < quantities_.size(); ++q) {
      std::vector<validation_row> worst(experiments_.size(), untested());
      validation_row limit = untested();
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
        validation_row& c = worst[e];
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
    return e.learning_rate * static_cast<double>(e.record[k]) * problem_.pair.rate_unit;
  }

  static validation_row row(const char* check, const char* quantity, double dimension, double t,
                            double theory, double simulated, double error, double statistic,
                            double threshold) {
    validation_row c = untested();
    c.check = check;
    c.dim = dimension;
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
  [[nodiscard]] validation_row slope_row(
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
    validation_row c = untested();
    c.check = "slope";
    c.dim = std::numeric_limits<double>::infinity();
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
    const escape_law law = law_of_escape(f, problem_.event, d, 1.0 / (d * d), {}, classifier_);
    validation_row c = untested();
    c.check = "law";
    c.dim = d;
    c.quantity = "t_hit";
    c.seed = seed_of(e, evidence::law);
    c.threshold = problem_.significance / static_cast<double>(comparisons_);
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
    plan.risk = risk_of(problem_.pair.risk, e.parameters.label_noise);
    plan.events = {simulated_event(problem_.event)};
    const ensemble done = run(problem, plan, problem_.law_runs);
    if (!done.complete()) {
      return false;
    }
    const hitting_times hits = hitting_times_of(done, problem, 0);
    const sample_summary summary = summarise(hits.times, std::vector<double>{0.5});
    c.theory = law.quantile(0.5) * problem_.pair.rate_unit;
    c.simulated = hits.times.empty() ? nan : summary.quantiles[0] * problem_.pair.rate_unit;
    c.deviation = c.simulated - c.theory;
    c.error = 0.5 / law.density(law.quantile(0.5)) /
              std::sqrt(static_cast<double>(std::max<std::size_t>(1, hits.times.size()))) *
              problem_.pair.rate_unit;
    if (hits.times.empty()) {
      c.verdict = "fail";
      c.status = "no-event";
    } else {
      const distance_test test =
          kolmogorov_smirnov(hits.times, [&law](double t) { return law.cdf(t); });
      c.statistic = test.p_value;
      const bool lost = static_cast<double>(hits.missing + hits.diverged) >
                        0.001 * static_cast<double>(problem_.law_runs) + 3.0;
      c.verdict = test.p_value >= c.threshold && !lost ? "pass" : "fail";
      if (lost) {
        c.status = fmt::format("{} runs without the event", hits.missing + hits.diverged);
      }
    }
    rows_.push_back(c);
    return true;
  }

  const validation_problem& problem_;
  const study_control& control_;
  learning_task task_;
  outcome_classifier classifier_;
  std::vector<experiment> experiments_;
  std::vector<compared_quantity> quantities_;
  std::size_t comparisons_ = 0;
  std::size_t runs_behind_ = 0;
  bool diverged_ = false;
  std::vector<validation_row> rows_;
};

}  // namespace

std::optional<double> event_time(const activation_pair& pair, const parameter_point& at,
                                 const overlap_event& event) {
  const learning_task task = pair.task();
  const flow f(task, at.parameters);
  if (met_by(event_of(f, event, at.start), at.start)) {
    return std::nullopt;
  }
  return loradyn::escape(f, at.start, event, {}, outcome_classifier(task), run_extent::to_event)
      .t_hit;
}

std::vector<experiment> experiments_of(const validation_problem& problem) {
  const double gamma = problem.at.parameters.noise_scale;
  std::vector<experiment> experiments;
  for (const double d : problem.dimensions) {
    experiment e;
    e.dimension = static_cast<std::uint64_t>(d);
    e.parameters = problem.at.parameters;
    if (!problem.learning_rate) {
      // At fixed γ and batch the learning rate falls as 1/d.
      e.batch = problem.batch;
      e.learning_rate = gamma * static_cast<double>(problem.batch) / d;
    } else {
      e.learning_rate = *problem.learning_rate;
      const double size = std::round(e.learning_rate * d / gamma);
      if (!(size >= 1.0)) {
        throw argument_error("lr", fmt::format("'{}'", e.learning_rate),
                             fmt::format("at least gamma/d = {}", gamma / d));
      }
      e.batch = static_cast<std::uint64_t>(size);
      e.parameters.noise_scale = e.learning_rate * d / size;
    }
    const double steps = std::ceil(problem.t_end / e.learning_rate - 1e-9);
    if (!(steps < 1e12)) {
      throw argument_error("t-end", fmt::format("{:.3g} steps away", steps), "less than 1e12");
    }
    e.steps = std::max<std::uint64_t>(static_cast<std::uint64_t>(steps), problem.points);
    e.record = linear_record(e.steps, problem.points + 1);
    e.record.erase(e.record.begin());
    experiments.push_back(std::move(e));
  }
  return experiments;
}

row_description<validation_row> validation_columns() {
  using row = validation_row;
  row_description<row> columns;
  columns.add("check", "mean, limit, slope or law", measure::none, &row::check)
      .add("dim", "dimension", measure::none, &row::dim)
      .add("quantity", "what is compared", measure::none, &row::quantity)
      .add("t", "time", measure::time, &row::t)
      .add("theory", "what the theory says", measure::none, &row::theory)
      .add("simulated", "what the simulation says", measure::none, &row::simulated)
      .add("deviation", "the difference", measure::none, &row::deviation)
      .add("error", "its standard error", measure::none, &row::error)
      .add("statistic", "what is tested", measure::none, &row::statistic)
      .add("threshold", "against what", measure::none, &row::threshold)
      .add("verdict", "pass, fail or untested", measure::none, &row::verdict)
      .add("seed", "of the ensemble", measure::none, &row::seed)
      .add("status", "why it is so", measure::none, &row::status);
  return columns;
}

validation_result validate(const validation_problem& problem, const study_control& control) {
  validation v(problem, control);
  validation_result result;
  try {
    result.complete = v.compare();
  } catch (const interrupted&) {
    // What was compared is kept.
  }
  result.rows = v.take_rows();
  return result;
}

}  // namespace loradyn::study
