// The theory against the exact chain. The chain shares the activations with the theory and nothing
// else. Seeds are fixed; thresholds follow from the standard errors and the number of comparisons.

#include <algorithm>
#include <catch2/catch.hpp>
#include <cmath>
#include <limits>
#include <loradyn/activation/parse.hpp>
#include <loradyn/analysis/escape_law.hpp>
#include <loradyn/dynamics/protocol.hpp>
#include <loradyn/model/transformed_labels.hpp>
#include <loradyn/simulation/deviation.hpp>
#include <loradyn/simulation/statistics.hpp>
#include <loradyn/study/validation.hpp>
#include <string>
#include <vector>

using namespace loradyn;

namespace {

constexpr double significance = 1e-3;

struct setting {
  std::string student;
  std::string teacher;
  lora_parameters parameters;
  overlap_state start;
  double t_end = 0.0;
  std::string label = {};          // the transform of the labels, after their noise
  bool constant_variance = false;  // the theory takes their variance for its mean
};

const std::vector<double> dimensions{200.0, 600.0, 2000.0};
constexpr std::size_t times = 3;

// Means over runs at γ fixed, η = γ B/d, less what a flow says: deviations[q][k] over d, q = u, m,
// s.
std::vector<std::vector<std::vector<deviation_sample>>> deviations_of(
    const setting& x, const lora_parameters& believed, std::uint64_t runs) {
  constexpr std::uint64_t batch = 8;
  std::vector<std::vector<std::vector<deviation_sample>>> result(
      3, std::vector<std::vector<deviation_sample>>(times));
  const activation student = parse_activation(x.student);
  const activation teacher = parse_activation(x.teacher);
  std::uint64_t seed = 11;
  for (const double d : dimensions) {
    const double eta = x.parameters.noise_scale * static_cast<double>(batch) / d;
    const auto steps = static_cast<std::uint64_t>(std::ceil(x.t_end / eta));
    lora_parameters simulated = x.parameters;
    simulated.noise_scale = 0.0;
    simulation_problem problem =
        make_problem(student, teacher, simulated, static_cast<std::uint64_t>(d), batch, eta, steps);
    problem.seed = seed++;
    problem.start = {.u0 = x.start.u, .m0 = x.start.m, .s0 = x.start.s};
    if (!x.label.empty()) {
      problem.stages[0].label = parse_activation(x.label);
    }
    simulation_plan plan;
    plan.record = linear_record(steps, times + 1);
    plan.record.erase(plan.record.begin());
    const ensemble done = simulate_ensemble(problem, simulation_engine::chain, plan, runs);
    const std::vector<simulated_quantity> wanted{simulated_quantity::u, simulated_quantity::m,
                                                 simulated_quantity::s};
    const auto summaries = summarise(done, problem, plan, wanted, std::vector<double>());

    std::vector<double> at;
    for (const std::uint64_t step : plan.record) {
      at.push_back(problem.time_at(step));
    }
    training_protocol protocol;
    protocol.alignment = believed.alignment;
    protocol.misalignment = believed.misalignment;
    protocol.start = x.start;
    transformed_labels labels =
        x.label.empty() ? transformed_labels{teacher, believed.label_noise, std::nullopt}
                        : transform_labels(teacher, *parse_activation(x.label).as_polynomial(),
                                           believed.label_noise);
    if (x.constant_variance) {
      labels.excess.reset();
    }
    protocol.stages = {tuning_stage{labels.task_of(student),
                                    believed.noise_scale,
                                    labels.label_noise,
                                    believed.rate_ratio,
                                    at.back(),
                                    {}}};
    const training_run run = run_protocol(protocol, at, {});
    REQUIRE(run.points.size() == times);
    for (std::size_t k = 0; k < times; ++k) {
      const std::array<double, 3> theory = run.points[k].x.pack();
      for (std::size_t q = 0; q < 3; ++q) {
        const sample_summary& s = summaries[k].quantities[q];
        result[q][k].push_back(
            {d, s.mean - theory[q], s.deviation / std::sqrt(static_cast<double>(s.count))});
      }
    }
  }
  return result;
}

// The largest |limit| over its error, over quantities that move.
double largest_limit(const std::vector<std::vector<std::vector<deviation_sample>>>& deviations) {
  double largest = 0.0;
  for (const auto& by_time : deviations) {
    for (const auto& samples : by_time) {
      if (samples.front().error > 0.0) {
        const deviation_fit fit = fit_deviation(samples);
        largest = std::max(largest, std::abs(fit.limit) / fit.limit_error);
      }
    }
  }
  return largest;
}

const std::vector<setting> settings{
    {"erf",
     "erf",
     {.alignment = 0.5, .noise_scale = 2.0, .label_noise = 0.3},
     {0.1, 0.3, 0.0},
     12.0},
    {"erf",
     "erf",
     {.alignment = 0.4,
      .misalignment = 0.4,
      .noise_scale = 3.0,
      .label_noise = 0.2,
      .rate_ratio = 2.0},
     {0.2, 0.3, -0.1},
     8.0},
    {"relu",
     "relu",
     {.alignment = 0.3,
      .misalignment = 0.3,
      .noise_scale = 1.0,
      .label_noise = 0.2,
      .rate_ratio = 0.5},
     {0.3, 0.2, 0.1},
     8.0},
    {"he3",
     "he3",
     {.alignment = 0.5, .noise_scale = 0.01, .label_noise = 1.0},
     {0.1, 0.3, 0.0},
     1.0},
    {"erf",
     "he3",
     {.alignment = -0.4, .misalignment = 0.2, .noise_scale = 0.5, .rate_ratio = 1.5},
     {0.2, -0.3, 0.1},
     6.0},
    {"tanh",
     "erf",
     {.alignment = 0.5, .noise_scale = 1.5, .label_noise = 0.1},
     {0.2, 0.3, 0.0},
     8.0},
    // u frozen: from scratch on the sphere, and about a pre-trained weight.
    {"he2",
     "he2",
     {.noise_scale = 0.1, .label_noise = 0.5, .rate_ratio = 0.0},
     {1.0, 0.3, 0.0},
     1.5},
    {"erf",
     "erf",
     {.alignment = 0.4, .misalignment = 0.3, .noise_scale = 2.0, .rate_ratio = 0.0},
     {0.7, 0.3, 0.1},
     6.0},
    // Labels squared after their noise.
    {"erf",
     "erf",
     {.alignment = 0.5, .misalignment = 0.3, .noise_scale = 2.0, .label_noise = 0.6},
     {0.6, 0.3, -0.1},
     6.0,
     "linear^2"},
    {"he2",
     "linear",
     {.alignment = 0.5, .noise_scale = 0.1, .label_noise = 0.5},
     {0.4, 0.3, 0.0},
     1.5,
     "linear^2"},
    {"erf",
     "linear",
     {.alignment = 0.5, .noise_scale = 0.1, .label_noise = 0.5},
     {0.4, 0.3, 0.0},
     3.0,
     "linear^3-linear"},
    {"relu",
     "relu",
     {.alignment = 0.3,
      .misalignment = 0.3,
      .noise_scale = 0.4,
      .label_noise = 0.5,
      .rate_ratio = 0.5},
     {0.5, 0.3, 0.0},
     4.0,
     "linear^2"}};

}  // namespace

TEST_CASE("the chain's means go to the flow as 1/d, with κ, γ, ν and Δ") {
  const double threshold = normal_threshold(significance, settings.size() * 3 * times);
  for (const setting& x : settings) {
    CAPTURE(x.student, x.teacher, x.parameters.misalignment, x.parameters.rate_ratio);
    const auto deviations = deviations_of(x, x.parameters, 1500);
    CHECK(largest_limit(deviations) < threshold);
    // And at the largest dimension they are near it.
    for (const auto& by_time : deviations) {
      for (const auto& samples : by_time) {
        CHECK(std::abs(samples.back().deviation) < 0.01 + 5.0 * samples.back().error);
      }
    }
  }
}

TEST_CASE("a theory with its noise term wrong is found out") {
  const double threshold = normal_threshold(significance, settings.size() * 3 * times);
  const setting& x = settings[0];
  lora_parameters wrong = x.parameters;
  wrong.noise_scale *= 0.5;
  CHECK(largest_limit(deviations_of(x, wrong, 1500)) > 2.0 * threshold);
  wrong = settings[1].parameters;
  wrong.rate_ratio *= 1.5;
  CHECK(largest_limit(deviations_of(settings[1], wrong, 1500)) > 2.0 * threshold);
}

TEST_CASE("a theory that takes the variance of transformed labels for constant is found out") {
  const double threshold = normal_threshold(significance, settings.size() * 3 * times);
  const auto squared = std::find_if(settings.begin(), settings.end(),
                                    [](const setting& x) { return x.label == "linear^3-linear"; });
  REQUIRE(squared != settings.end());
  setting wrong = *squared;
  wrong.constant_variance = true;
  CHECK(largest_limit(deviations_of(wrong, wrong.parameters, 1500)) > 2.0 * threshold);
}

// (7.1)
TEST_CASE("at a finite learning rate the chain's means go to the map") {
  // η = 0.2, and batches that grow with d. The flow is several hundredths away.
  const activation erf = parse_activation("erf");
  study::validation_problem problem{.pair = study::make_pair(erf, erf, study::time_unit::raw)};
  problem.at.parameters = {
      .alignment = 0.5, .misalignment = 0.3, .noise_scale = 2.0, .label_noise = 0.05};
  problem.at.start = {0.1, 0.3, -0.2};
  problem.dimensions = {500.0, 2000.0, 8000.0};
  problem.learning_rate = 0.2;
  problem.t_end = 12.0;
  problem.points = 1;
  problem.law_runs = 0;
  problem.significance = significance;
  std::size_t limits = 0;
  for (const study::validation_row& row : study::validate(problem, {}).rows) {
    CAPTURE(row.check, row.dim, row.quantity, row.deviation, row.error);
    CHECK(row.verdict != "fail");
    if (row.check == "limit") {
      CHECK(row.verdict == "pass");
      ++limits;
    } else if (row.check == "mean" && row.dim == 8000.0) {
      CHECK(std::abs(row.deviation) < 2e-3);
    }
  }
  CHECK(limits == 3);
}

// (9.2)
TEST_CASE("the law of the escape time is the chain's", "[slow]") {
  struct sample {
    const char* name;
    lora_parameters p;
    double d;
    std::uint64_t batch;
  };
  const std::vector<sample> samples{{"erf", {.alignment = 0.3, .noise_scale = 1.0}, 4000.0, 16},
                                    {"relu", {.alignment = 0.3, .noise_scale = 1.0}, 4000.0, 16},
                                    {"erf",
                                     {.alignment = 0.3,
                                      .misalignment = 0.3,
                                      .noise_scale = 4.0,
                                      .label_noise = 0.2,
                                      .rate_ratio = 2.0},
                                     4000.0,
                                     16}};
  std::uint64_t seed = 77;
  for (const sample& x : samples) {
    CAPTURE(x.name, x.p.misalignment);
    const activation a = parse_activation(x.name);
    const learning_task task(a, a);
    const escape_law law = law_of_escape(flow(task, x.p), {.at = 0.4}, x.d, 1.0 / (x.d * x.d), {},
                                         outcome_classifier(task));
    REQUIRE(law.status == law_status::ok);
    const double eta = x.p.noise_scale * static_cast<double>(x.batch) / x.d;
    lora_parameters simulated = x.p;
    simulated.noise_scale = 0.0;
    simulation_problem problem =
        make_problem(a, a, simulated, static_cast<std::uint64_t>(x.d), x.batch, eta,
                     static_cast<std::uint64_t>(law.quantile(1.0 - 1e-6) / eta));
    problem.seed = seed++;
    simulation_plan plan;
    plan.events = {{simulated_quantity::m_abs, 0.4, event_direction::rising}};
    plan.stop_after_events = true;
    const ensemble done = simulate_ensemble(problem, simulation_engine::chain, plan, 600);
    const hitting_times hits = hitting_times_of(done, problem, 0);
    CHECK(hits.times.size() >= 599);
    const distance_test test = kolmogorov_smirnov(hits.times, [&](double t) { return law.cdf(t); });
    CAPTURE(test.distance, test.p_value);
    CHECK(test.p_value > significance / static_cast<double>(samples.size()));
    // A law with half the noise, or shifted by a fifth of τ, is found out.
    const distance_test shifted =
        kolmogorov_smirnov(hits.times, [&](double t) { return law.cdf(t - 0.3 * law.tau); });
    CHECK(shifted.p_value < 1e-6);
  }
}
