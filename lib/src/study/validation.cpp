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
#include "study/comparison.hpp"

namespace loradyn::study {
namespace {

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
    const std::vector<std::vector<std::vector<deviation_sample>>> deviations(
        quantities_.size(), std::vector<std::vector<deviation_sample>>(times));
    detail::mean_comparison means_of{.experiments = experiments_,
                                     .rate_unit = problem_.pair.rate_unit,
                                     .deviations = deviations};
    for (const compared_quantity& q : quantities_) {
      means_of.quantities.emplace_back(q.name);
    }
    for (std::size_t e = 0; e < experiments_.size(); ++e) {
      const std::vector<overlap_state> theory = theory_of(experiments_[e]);
      if (!simulate_means(e, theory, means_of)) {
        return false;
      }
    }
    means_of.threshold = normal_threshold(problem_.significance, comparisons_);
    rows_ = detail::compare_means(means_of);
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
                      detail::mean_comparison& means) {
    const experiment& e = experiments_[index];
    means.seeds.push_back(seed_of(e, evidence::means));
    simulation_problem problem = problem_of(e, means.seeds.back(), e.steps);
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
    std::vector<std::vector<double>>& expected = means.theory.emplace_back(summaries.size());
    for (std::size_t k = 0; k < summaries.size(); ++k) {
      for (std::size_t q = 0; q < quantities_.size(); ++q) {
        const sample_summary& s = summaries[k].quantities[q];
        expected[k].push_back(theory[k].*quantities_[q].theory);
        means.deviations[q][k].push_back({static_cast<double>(e.dimension),
                                          s.mean - expected[k].back(),
                                          s.deviation / std::sqrt(static_cast<double>(s.count))});
      }
      means.diverged = means.diverged || summaries[k].diverged > 0;
    }
    return true;
  }

  bool compare_law(std::size_t index) {
    const experiment& e = experiments_[index];
    const auto d = static_cast<double>(e.dimension);
    const flow f(task_, e.parameters);
    const escape_law law = law_of_escape(f, problem_.event, d, 1.0 / (d * d), {}, classifier_);
    const detail::law_comparison comparison{
        .law = law,
        .runs = problem_.law_runs,
        .seed = seed_of(e, evidence::law),
        .rate_unit = problem_.pair.rate_unit,
        .threshold = problem_.significance / static_cast<double>(comparisons_)};
    if (law.status != law_status::ok) {
      rows_.push_back(detail::untested_law(comparison));
      return true;
    }
    simulation_problem problem =
        problem_of(e, comparison.seed, detail::steps_for(law, e.learning_rate));
    simulation_plan plan;
    plan.stop_after_events = true;
    plan.risk = risk_of(problem_.pair.risk, e.parameters.label_noise);
    plan.events = {simulated_event(problem_.event)};
    const ensemble done = run(problem, plan, problem_.law_runs);
    if (!done.complete()) {
      return false;
    }
    rows_.push_back(detail::compare_law(comparison, hitting_times_of(done, problem, 0)));
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
