#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <loradyn/analysis/network_escape.hpp>
#include <loradyn/error.hpp>
#include <loradyn/interruption.hpp>
#include <loradyn/simulation/network_run.hpp>
#include <loradyn/simulation/random.hpp>
#include <loradyn/simulation/statistics.hpp>
#include <loradyn/study/network_simulate.hpp>
#include <loradyn/study/network_validation.hpp>
#include <utility>
#include "study/comparison.hpp"

namespace loradyn::study {
namespace {

// What is simulated for the means: from a start that is no random one.
network_problem problem_from_fixed_start(const network_validation_problem& p,
                                         std::uint64_t dimension) {
  const parameter_point& at = p.asked.at;
  network_problem problem = simulated_problem(
      p.asked.pair, p.layout,
      {.dimension = dimension, .seed = 0, .one_step_batch = {}, .scale = p.scale}, at, at.start.u);
  if (p.layout.trained == trained_part::full) {
    return problem;
  }
  const double m = at.start.m;
  if (!(std::abs(m) <= 1.0)) {
    throw argument_error("m0", fmt::format("{}", m), "between -1 and 1");
  }
  const Eigen::MatrixXd& teacher = problem.geometry.teacher;
  const Eigen::Index rank = p.layout.trained_rank();
  const double norm = problem.start.scale;
  Eigen::MatrixXd C(rank, teacher.cols());
  for (Eigen::Index a = 0; a < rank; ++a) {
    C.row(a) = m * norm * teacher.row(a % teacher.rows()).normalized();
  }
  problem.start.C = C;
  problem.start.P = norm * norm * (1.0 - m * m) * Eigen::MatrixXd::Identity(rank, rank);
  problem.validate();
  return problem;
}

network_state state_of(const network_problem& problem) {
  const network_problem trained = as_adapter(problem);
  return {.U = *trained.start.U,
          .C = *trained.start.C,
          .P = *trained.start.P,
          .a = trained.geometry.readout};
}

class network_validation {
 public:
  network_validation(const network_validation_problem& problem, const study_control& control)
      : problem_(problem), control_(control), experiments_(experiments_of(problem.asked)) {
    const network_problem sample =
        problem_from_fixed_start(problem, experiments_.front().dimension);
    for (const network_quantity& q : moving_entries(sample)) {
      if (q.matrix != network_matrix::C) {  // which depends on the basis
        quantities_.push_back(q);
      }
    }
    const Eigen::Index teachers = sample.geometry.teacher.rows();
    const auto add = [&](network_matrix matrix, Eigen::Index rows) {
      for (Eigen::Index i = 0; i < rows; ++i) {
        for (Eigen::Index j = 0; j < teachers; ++j) {
          quantities_.push_back({.matrix = matrix, .row = i, .column = j});
        }
      }
    };
    add(network_matrix::M, sample.geometry.width());
    add(network_matrix::m, problem.layout.trained_rank());
  }

  // False where it was stopped.
  bool compare() {
    const std::size_t times = experiments_.front().record.size();
    const std::size_t dimensions = experiments_.size();
    const bool has_law =
        problem_.asked.law_runs > 0 && problem_.layout.trained == trained_part::lora;
    comparisons_ = dimensions * quantities_.size() * times +
                   (dimensions > 1 ? quantities_.size() * times : 0) + (has_law ? dimensions : 0);
    detail::mean_comparison means{
        .experiments = experiments_,
        .rate_unit = problem_.asked.pair.rate_unit,
        .deviations = std::vector<std::vector<std::vector<deviation_sample>>>(
            quantities_.size(), std::vector<std::vector<deviation_sample>>(times))};
    for (const network_quantity& q : quantities_) {
      means.quantities.push_back(name_of(q));
    }
    std::vector<escape_law> laws;  // before anything is simulated, for an event may have none
    for (std::size_t e = 0; has_law && e < dimensions; ++e) {
      laws.push_back(law_of(experiments_[e]));
    }
    for (const experiment& e : experiments_) {
      if (!simulate_means(e, means)) {
        return false;
      }
    }
    means.threshold = normal_threshold(problem_.asked.significance, comparisons_);
    rows_ = detail::compare_means(means);
    for (std::size_t e = 0; has_law && e < dimensions; ++e) {
      if (!compare_law(experiments_[e], laws[e])) {
        return false;
      }
    }
    return true;
  }

  [[nodiscard]] std::vector<validation_row> take_rows() { return std::move(rows_); }

 private:
  enum class evidence : std::uint64_t { means = 1, law };

  // Equal seeds draw equal numbers at every dimension, so that every ensemble has its own.
  [[nodiscard]] std::uint64_t seed_of(const experiment& e, evidence what) const {
    return derived_seed(problem_.asked.seed, {static_cast<std::uint64_t>(what), e.dimension});
  }

  // The theory's states at the recorded steps.
  [[nodiscard]] std::vector<network_state> theory_of(const experiment& e,
                                                     const network_problem& problem) const {
    const network_flow f = flow_of(problem, problem_.layout, e.parameters.noise_scale);
    network_state x = state_of(problem);
    std::vector<network_state> states;
    if (problem_.asked.learning_rate) {
      std::uint64_t step = 0;
      for (const std::uint64_t wanted : e.record) {
        for (; step < wanted; ++step) {
          check_stop();
          x = f.map(x, e.learning_rate);
        }
        states.push_back(x);
      }
      return states;
    }
    const ode_system<any_dimension> system = system_of(f);
    double begin = 0.0;
    for (const std::uint64_t wanted : e.record) {
      integration_options options;
      options.end_time = e.learning_rate * static_cast<double>(wanted);
      const auto run = integrate_network(system, f.pack(x), begin, options);
      if (run.status != integration_status::end_time) {
        check_stop();
        throw convergence_error(
            fmt::format("the theory's run ends at t = {} with {}", run.t, to_string(run.status)));
      }
      begin = options.end_time;
      x = f.unpack(run.x);
      states.push_back(x);
    }
    return states;
  }

  // An ensemble, with the progress of all of them.
  network_ensemble run(const network_problem& simulated, const network_plan& plan,
                       std::uint64_t runs) {
    ensemble_control c;
    c.threads = control_.threads;
    c.stop = [] { return stop_requested(); };
    if (control_.progress) {
      const std::size_t total =
          experiments_.size() *
          static_cast<std::size_t>(problem_.asked.runs + problem_.asked.law_runs);
      c.progress = [this, runs, total](std::size_t, double share) {
        control_.progress(
            runs_behind_ + static_cast<std::size_t>(share * static_cast<double>(runs)), total);
      };
    }
    network_ensemble done = simulate_ensemble(simulated, problem_.asked.engine, plan, runs, c);
    runs_behind_ += static_cast<std::size_t>(runs);
    return done;
  }

  bool simulate_means(const experiment& e, detail::mean_comparison& means) {
    network_problem problem = problem_from_fixed_start(problem_, e.dimension);
    means.seeds.push_back(seed_of(e, evidence::means));
    problem.seed = means.seeds.back();
    problem.batch = e.batch;
    problem.learning_rate = e.learning_rate;
    problem.steps = e.steps;
    const std::vector<network_state> theory = theory_of(e, problem);
    const network_plan plan{.record = e.record};
    const network_ensemble done = run(problem, plan, problem_.asked.runs);
    if (!done.complete()) {
      return false;
    }
    std::vector<std::vector<double>>& expected = means.theory.emplace_back(e.record.size());
    for (std::size_t k = 0; k < e.record.size(); ++k) {
      for (std::size_t q = 0; q < quantities_.size(); ++q) {
        const sample_summary s =
            summarise(recorded_values(done, problem, plan, k, quantities_[q]), {});
        expected[k].push_back(value_of(quantities_[q], problem, plan, theory[k]));
        means.deviations[q][k].push_back({static_cast<double>(e.dimension),
                                          s.mean - expected[k].back(),
                                          s.deviation / std::sqrt(static_cast<double>(s.count))});
        means.diverged = means.diverged || s.count < done.runs.size();
      }
    }
    return true;
  }

  [[nodiscard]] network_problem problem_from_random_start(const experiment& e) const {
    return simulated_problem(
        problem_.asked.pair, problem_.layout,
        {.dimension = e.dimension, .seed = seed_of(e, evidence::law), .one_step_batch = {}},
        problem_.asked.at, std::nullopt);
  }

  [[nodiscard]] escape_law law_of(const experiment& e) const {
    const auto d = static_cast<double>(e.dimension);
    return law_of_escape(
        flow_of(problem_from_random_start(e), problem_.layout, e.parameters.noise_scale),
        problem_.event, d, 1.0 / (d * d), {});
  }

  bool compare_law(const experiment& e, const escape_law& law) {
    network_problem problem = problem_from_random_start(e);
    const detail::law_comparison comparison{
        .law = law,
        .runs = problem_.asked.law_runs,
        .seed = problem.seed,
        .rate_unit = problem_.asked.pair.rate_unit,
        .threshold = problem_.asked.significance / static_cast<double>(comparisons_)};
    if (law.status != law_status::ok) {
      rows_.push_back(detail::untested_law(comparison));
      return true;
    }
    problem.batch = e.batch;
    problem.learning_rate = e.learning_rate;
    problem.steps = detail::steps_for(law, e.learning_rate);
    network_plan plan;
    plan.stop_after_events = true;
    plan.events = {simulated_event(problem_.event)};
    tell_risks(flow_of(problem, problem_.layout, e.parameters.noise_scale), plan);
    const network_ensemble done = run(problem, plan, problem_.asked.law_runs);
    if (!done.complete()) {
      return false;
    }
    hitting_times hits;
    for (const network_run& r : done.runs) {
      if (r.hits.front().happened) {
        hits.times.push_back(static_cast<double>(r.hits.front().step) * e.learning_rate);
      } else {
        ++(r.outcome == run_outcome::diverged ? hits.diverged : hits.missing);
      }
    }
    rows_.push_back(detail::compare_law(comparison, hits));
    return true;
  }

  const network_validation_problem& problem_;
  const study_control& control_;
  std::vector<experiment> experiments_;
  std::vector<network_quantity> quantities_;
  std::size_t comparisons_ = 0;
  std::size_t runs_behind_ = 0;
  std::vector<validation_row> rows_;
};

}  // namespace

std::optional<double> event_time(const network_validation_problem& problem) {
  const network_problem fixed = problem_from_fixed_start(
      problem, static_cast<std::uint64_t>(problem.asked.dimensions.front()));
  const network_flow f = flow_of(fixed, problem.layout, problem.asked.at.parameters.noise_scale);
  const network_state x = state_of(fixed);
  problem.event.validate(f);
  if (met_by(event_of(f, problem.event, x), f, x)) {
    return std::nullopt;
  }
  return loradyn::escape(f, x, problem.event, {}, run_extent::to_event).t_hit;
}

validation_result validate(const network_validation_problem& problem,
                           const study_control& control) {
  network_validation compared(problem, control);
  validation_result result;
  try {
    result.complete = compared.compare();
  } catch (const interrupted&) {
    // What was compared is kept.
  }
  result.rows = compared.take_rows();
  return result;
}

}  // namespace loradyn::study
