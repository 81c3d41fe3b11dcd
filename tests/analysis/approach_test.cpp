#include "analysis/approach.hpp"
#include <Eigen/Eigenvalues>
#include <Eigen/SVD>
#include <catch2/catch.hpp>
#include <cmath>
#include <limits>
#include <loradyn/activation/parse.hpp>
#include <loradyn/analysis/escape.hpp>
#include <string>
#include <vector>

#include "support/within.hpp"

using namespace loradyn;

namespace {

escape_run run(const std::string& name, const lora_parameters& p, const overlap_event& event,
               double tolerance = 1e-9) {
  const learning_task task(parse_activation(name), parse_activation(name));
  integration_options o;
  o.relative_tolerance = tolerance;
  return escape(flow(task, p), default_start, event, o, outcome_classifier(task));
}

overlap_event of_M(double at) { return {.quantity = overlap_quantity::M, .at = at}; }
overlap_event of_risk(double at) { return {.quantity = overlap_quantity::risk, .at = at}; }

}  // namespace

TEST_CASE("events close to rest come when they were computed elsewhere to come") {
  struct sample {
    const char* name;
    lora_parameters p;
    overlap_event event;
    double t;
    double error;  // of t: half of its last digit, or the tolerance of the run
  };
  const std::vector<sample> samples{
      {"erf", {.alignment = 0.5}, of_M(0.99999), 252.05410905, 1e-9},
      {"relu", {.alignment = 0.5}, of_M(0.99999), 80.361812, 1e-8},
      {"linear", {.alignment = 0.5}, of_M(0.99999), 40.375552, 2e-8},
      {"he2", {.alignment = 0.4}, of_M(0.99995), 5.01486116, 2e-9},
      // The other computation took the risk from near cancellation, to 1e-6 of itself.
      {"relu", {.alignment = 0.5, .misalignment = 0.2}, of_risk(1e-10), 102.24496, 1e-7}};
  for (const sample& s : samples) {
    CAPTURE(s.name, s.event.at);
    const escape_run r = run(s.name, s.p, s.event);
    CHECK(r.t_hit == Approx(s.t).epsilon(s.error));
    CHECK(r.result == outcome::learned);
    CHECK(r.status == run_status::ok);
  }
}

TEST_CASE("late events have the accuracy of the tolerance, however late") {
  for (const double beside : {0.1, 1e-2, 1e-3, 1e-4, 1e-5, 1e-6, 1e-7, 1e-8}) {
    CAPTURE(beside);
    const overlap_event event = of_M(1.0 - beside);
    const double usual = run("erf", {.alignment = 0.5}, event).t_hit;
    const double tight = run("erf", {.alignment = 0.5}, event, 1e-12).t_hit;
    // The rest is known to a few of its last digits, at a rate of 0.115 these are a time.
    constexpr double of_rest = 8.0 * std::numeric_limits<double>::epsilon() / 0.115;
    CHECK(usual == test::within(tight, 1e-9 * tight + of_rest / beside));
  }
}

TEST_CASE("late events are spaced as the slowest rate of the rest says") {
  // M comes to 1 like e^{-rt}, the risk to 0 like e^{-2rt}, where u is what is slowest.
  const lora_parameters p{.alignment = 0.2};
  const learning_task task(parse_activation("erf"), parse_activation("erf"));
  const double rate = -describe_equilibrium(flow(task, p), {0.8, 1.0, 0.0}).eigenvalues[0].real();
  const auto at_M = [&](double beside) { return run("erf", p, of_M(1.0 - beside)).t_hit; };
  CHECK((at_M(1e-7) - at_M(1e-5)) * rate == Approx(std::log(100.0)).epsilon(1e-5));
  CHECK((at_M(1e-9) - at_M(1e-7)) * rate == Approx(std::log(100.0)).epsilon(1e-6));
  const auto at_risk = [&](double value) { return run("erf", p, of_risk(value)).t_hit; };
  // The risk grows linearly inwards from the edge of the disc: the state's rounding is 1e-17 of it.
  CHECK(2.0 * (at_risk(1e-12) - at_risk(1e-10)) * rate == Approx(std::log(100.0)).epsilon(1e-4));
}

TEST_CASE("a rest that noise shifts is approached as exactly") {
  const lora_parameters p{.alignment = 0.5, .noise_scale = 0.5, .label_noise = 0.1};
  const double end = run("erf", p, {}).M_end;
  const auto at = [&](double beside) { return run("erf", p, of_M(end * (1.0 - beside))).t_hit; };
  CHECK(at(1e-9) - at(1e-8) == Approx(at(1e-8) - at(1e-7)).epsilon(1e-4));
}

TEST_CASE("what the rest itself is, or what lies beyond it, is never met") {
  const lora_parameters p{.alignment = 0.5};
  for (const overlap_event& event :
       {of_M(1.0), of_M(1.0 + 1e-9), of_M(1.001), of_risk(0.0), of_risk(-1e-12)}) {
    CAPTURE(name_of(overlap_quantities, event.quantity), event.at);
    const escape_run r = run("erf", p, event);
    CHECK(std::isnan(r.t_hit));
    CHECK(r.result == outcome::learned);
    CHECK(r.status == run_status::ok);
  }
  const escape_run quiet = run("erf", {.alignment = 0.5, .label_noise = 0.3}, of_risk(0.15));
  CHECK(std::isnan(quiet.t_hit));
}

TEST_CASE("an event after the end time or the last step is none, and the status says so") {
  const learning_task task(parse_activation("erf"), parse_activation("erf"));
  const flow f(task, {.alignment = 0.5});
  const outcome_classifier classifier(task);
  const overlap_event event = of_M(0.9999999);
  integration_options o;
  const double t = escape(f, default_start, event, o, classifier).t_hit;
  o.end_time = t + 1.0;
  CHECK(escape(f, default_start, event, o, classifier).t_hit == Approx(t).epsilon(1e-12));
  o.end_time = t - 1.0;
  const escape_run early = escape(f, default_start, event, o, classifier);
  CHECK(std::isnan(early.t_hit));
  CHECK(early.status == run_status::time_limit);
  o = {};
  const std::size_t needed = escape(f, default_start, event, o, classifier).steps;
  for (const std::size_t limit : {needed / 4, needed / 2, needed - 10}) {
    o.step_limit = limit;
    const escape_run cut = escape(f, default_start, event, o, classifier);
    CAPTURE(needed, limit);
    CHECK(std::isnan(cut.t_hit));
    CHECK(cut.status == run_status::step_limit);
    CHECK(cut.steps <= limit);
  }
}

TEST_CASE("an event is looked for near a rest to several swings of the flow, and no farther") {
  const learning_task task(parse_activation("erf"), parse_activation("erf"));
  const flow f(task, {.alignment = 0.5});
  const equilibrium rest = describe_equilibrium(f, {0.5, 1.0, 0.0});
  const overlap_state x{0.5 - 1e-4, 1.0 - 1e-5, 1e-5};
  // m is one of the axes: it swings by the distance, times what the linear flow may grow by.
  const Eigen::EigenSolver<Eigen::Matrix3d> solver(Eigen::Matrix3d(f.jacobian(rest.x)));
  const Eigen::JacobiSVD<Eigen::Matrix3cd> svd(solver.eigenvectors());
  const double swing = distance(x, rest.x) * svd.singularValues()[0] / svd.singularValues()[2];
  const auto looked_for = [&](double swings) {
    const overlap_event event{.at = 1.0 - swings * swing};
    return may_come_near(value_near_rest(f, event, rest), f, rest, x);
  };
  CHECK(looked_for(0.9));
  // √3 between the axes, and as much again for what is not linear.
  CHECK(looked_for(3.0));
  // Each costs a run of its own.
  CHECK_FALSE(looked_for(30.0));
}

TEST_CASE("near a rest a value keeps its digits") {
  const learning_task task(parse_activation("erf"), parse_activation("erf"));
  const flow f(task, {.alignment = 0.5});
  const equilibrium rest = describe_equilibrium(f, {0.5, 1.0, 0.0});
  const value_near_rest risk(f, of_risk(0.0), rest);
  CHECK(risk.rest_is_event());
  // By u quadratic down to nothing; by m, at the edge of the disc, linear.
  const auto by_u = [&](double size) { return risk({-size, 0.0, 0.0}) / (size * size); };
  CHECK(by_u(1e-6) == Approx(by_u(1e-5)).epsilon(1e-4));
  CHECK(by_u(1e-9) == Approx(by_u(1e-6)).epsilon(1e-5));
  CHECK(by_u(1e-9) > 0.0);
  CHECK(risk({0.0, -1e-12, 0.0}) * 1e6 == Approx(risk({0.0, -1e-6, 0.0})).epsilon(1e-5));
  // Where it is not small it is the risk.
  CHECK(risk({-0.1, -0.1, 0.0}) == Approx(f.risk({0.4, 0.9, 0.0})).epsilon(1e-5));
  const value_near_rest M(f, of_M(1.0 - 1e-12), rest);
  CHECK_FALSE(M.rest_is_event());
  CHECK(M({-1e-12, 0.0, 0.0}) == test::within(1e-12 - 1e-12, 2e-16));
  // |m| of a negative rest.
  const equilibrium mirrored = describe_equilibrium(f, {-0.5, -1.0, 0.0});
  const value_near_rest m(f, {.at = 0.999}, mirrored);
  CHECK(m({0.0, 2e-3, 0.0}) == Approx(-1e-3).epsilon(1e-10));
  CHECK(m({0.0, 1.5, 0.0}) == Approx(0.5 - 0.999).epsilon(1e-12));
}
