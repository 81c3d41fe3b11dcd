// Stages of a network's training: against one neuron's, and against a run that is not cut.

#include <catch2/catch.hpp>
#include <cmath>
#include <loradyn/activation/parse.hpp>
#include <loradyn/dynamics/network_protocol.hpp>
#include <loradyn/error.hpp>
#include <string>
#include <vector>

#include "support/within.hpp"

using namespace loradyn;

namespace {

network_tuning_stage stage(const network_geometry& geometry, const char* teacher,
                           std::optional<double> duration, network_parameters parameters = {}) {
  const activation f = parse_activation("erf");
  const network_flow flow({f, parse_activation(teacher)}, geometry, parameters);
  return {flow, flow, false, duration, std::nullopt};
}

network_state start_of(double u, double m, double s) {
  network_state x;
  x.U = Eigen::MatrixXd::Constant(1, 1, u);
  x.C = Eigen::RowVector2d(m, s);
  x.P = Eigen::MatrixXd::Constant(1, 1, 1.0 - m * m - s * s);
  x.a = Eigen::VectorXd::Ones(1);
  return x;
}

struct recorded {
  std::vector<double> t;
  std::vector<std::size_t> stage;
  std::vector<network_state> x;
};

recorded record(const network_protocol& protocol, const std::vector<double>& times,
                network_training_run* run = nullptr) {
  recorded all;
  const network_training_run done =
      run_protocol(protocol, times, {}, [&](const network_training_point& point) {
        all.t.push_back(point.t);
        all.stage.push_back(point.stage);
        all.x.push_back(point.x);
      });
  if (run != nullptr) {
    *run = done;
  }
  return all;
}

}  // namespace

TEST_CASE("a network of one neuron runs through the stages of one neuron") {
  const network_geometry geometry = aligned_geometry(1, 1, 0.4, 0.2, 1);
  network_parameters first;
  first.noise_scale = 0.3;
  first.label_noise = 0.1;
  first.rate_ratio = 1.2;
  network_parameters second;
  second.rate_ratio = 0.7;
  const activation f = parse_activation("erf");
  const learning_task square(f, parse_activation("erf^2"));
  const learning_task own(f, f);
  const std::vector<double> times{0.0, 3.0, 8.0, 11.0, 20.0};
  for (const std::optional<double> eta : {std::optional<double>(), std::optional(0.05)}) {
    training_protocol one;
    one.alignment = 0.4;
    one.misalignment = 0.2;
    one.start = {0.05, 0.1, 0.05};
    tuning_stage until{square, 0.3,  0.1,
                       1.2,    50.0, overlap_event{overlap_quantity::m, 0.25, false}};
    one.stages = {until, flip_stage{}, tuning_stage{own, 0.0, 0.0, 0.7, 30.0, std::nullopt}};
    network_protocol network{
        start_of(0.05, 0.1, 0.05),
        {stage(geometry, "erf^2", 50.0, first), stage(geometry, "erf", 30.0, second)},
        eta};
    network.stages[0].until = network_overlap_event{
        .quantity = network_overlap_quantity::m, .at = 0.25, .is_signed = false, .entry = {}};
    network.stages[1].flips = true;
    if (eta) {
      one.method = tuning_method::map;
      one.learning_rate = *eta;
    }
    const training_run expected = run_protocol(one, times, {});
    network_training_run run;
    const recorded found = record(network, times, &run);
    CAPTURE(eta.value_or(0.0));
    REQUIRE(expected.complete);
    CHECK(run.complete);
    REQUIRE(run.stages.size() == 2);
    CHECK(run.stages[0].status == integration_status::event);
    CHECK(run.stages[0].end == test::within(expected.stages[0].end, 1e-6));
    CHECK(run.stages[0].end > 0.1);
    CHECK(run.stages[0].end < 20.0);
    CHECK(run.stages[1].end == test::within(expected.stages[2].end, 1e-6));
    REQUIRE(found.t == times);
    for (std::size_t i = 0; i < times.size(); ++i) {
      CAPTURE(times[i]);
      const overlap_state& x = expected.points[i].x;
      // The flows take steps of their own; a step of the map is the same.
      const double bound = eta ? 1e-12 : 1e-7;
      CHECK(found.x[i].U(0, 0) == test::within(x.u, bound));
      CHECK(found.x[i].C(0, 0) == test::within(x.m, bound));
      CHECK(found.x[i].C(0, 1) == test::within(x.s, bound));
      CHECK((found.stage[i] == 0) == (expected.points[i].stage == 1));
    }
    CHECK(found.stage.back() == 1);
  }
}

TEST_CASE("a network's stage cut in two is the same run") {
  const network_geometry geometry = aligned_geometry(2, 2, 0.5, 0.3, 2);
  network_parameters parameters;
  parameters.rank = 2;
  parameters.adapter = adapter_constraint::free;
  parameters.decay = 0.02;
  network_state x;
  x.U = (Eigen::MatrixXd(2, 2) << 0.3, -0.1, 0.2, 0.4).finished();
  x.C = (Eigen::MatrixXd(2, 4) << 0.2, 0.1, 0.0, 0.1, 0.0, 0.3, 0.2, 0.0).finished();
  x.P = Eigen::MatrixXd::Identity(2, 2);
  x.a = Eigen::VectorXd::Ones(2);
  const std::vector<double> times{0.0, 4.0, 9.0, 12.0};
  const recorded whole = record({x, {stage(geometry, "erf", 12.0, parameters)}, {}}, times);
  const recorded cut = record(
      {x, {stage(geometry, "erf", 4.0, parameters), stage(geometry, "erf", 8.0, parameters)}, {}},
      times);
  REQUIRE(cut.t == times);
  CHECK(cut.stage == std::vector<std::size_t>{0, 0, 1, 1});
  for (std::size_t i = 0; i < times.size(); ++i) {
    CHECK((cut.x[i].U - whole.x[i].U).cwiseAbs().maxCoeff() < 1e-7);
    CHECK((cut.x[i].C - whole.x[i].C).cwiseAbs().maxCoeff() < 1e-7);
    CHECK((cut.x[i].P - whole.x[i].P).cwiseAbs().maxCoeff() < 1e-7);
  }
}

TEST_CASE("a network's stages say what is wrong with them") {
  const network_geometry geometry = aligned_geometry(1, 1, 0.4, 0.2, 1);
  const network_protocol right{
      start_of(0.05, 0.1, 0.05), {stage(geometry, "erf", 1.0)}, std::nullopt};
  const auto message = [&](auto change) {
    network_protocol protocol = right;
    change(protocol);
    try {
      run_protocol(protocol, {}, {});
    } catch (const argument_error& e) {
      return std::string(e.what());
    }
    return std::string();
  };
  CHECK(message([](network_protocol&) {}).empty());
  CHECK(message([](network_protocol& p) { p.stages.clear(); }) ==
        "the number of stages is 0, but must be at least 1");
  CHECK(message([](network_protocol& p) { p.stages[0].duration.reset(); }) ==
        "the end of stage 1 is open, but must be a duration or an event");
  CHECK(message([](network_protocol& p) { p.stages[0].duration = -1.0; }) ==
        "the duration of stage 1 is -1, but must be greater than 0");
  CHECK(message([](network_protocol& p) { p.learning_rate = 0.0; }) ==
        "lr (the map's learning rate) is 0, but must be finite and > 0");
  CHECK(message([](network_protocol& p) {
          p.stages[0].until = network_overlap_event{.quantity = network_overlap_quantity::M,
                                                    .at = 0.5,
                                                    .is_signed = false,
                                                    .entry = {{2, 1}}};
        }) == "the event is M_2_1, but must be an entry of a matrix of 1 x 1");
  CHECK(message([](network_protocol& p) { p.start.P(0, 0) = 2.0; }).find("must be") !=
        std::string::npos);
}
