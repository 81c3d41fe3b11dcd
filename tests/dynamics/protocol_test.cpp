#include <catch2/catch.hpp>
#include <cmath>
#include <loradyn/activation/parse.hpp>
#include <loradyn/dynamics/pretraining.hpp>
#include <loradyn/dynamics/protocol.hpp>
#include <loradyn/error.hpp>
#include <string>
#include <vector>

#include "support/difference.hpp"
#include "support/within.hpp"

using namespace loradyn;

namespace {

learning_task task_of(const char* student, const char* teacher) {
  return {parse_activation(student), parse_activation(teacher)};
}

tuning_stage stage(const char* teacher, double duration) {
  return {task_of("erf", teacher), 0.3, 0.1, 1.2, duration, std::nullopt};
}

training_protocol one(std::vector<training_stage> stages) {
  training_protocol p;
  p.alignment = 0.4;
  p.misalignment = 0.2;
  p.start = {1e-3, 0.1, 0.05};
  p.stages = std::move(stages);
  return p;
}

}  // namespace

TEST_CASE("a stage cut in two is the same run") {
  const std::vector<double> times{0.0, 5.0, 12.0, 30.0};
  const training_run whole = run_protocol(one({stage("erf", 30.0)}), times, {});
  const training_run cut = run_protocol(one({stage("erf", 12.0), stage("erf", 18.0)}), times, {});
  REQUIRE(whole.points.size() == 4);
  REQUIRE(cut.points.size() == 4);
  CHECK(whole.complete);
  CHECK(cut.complete);
  for (std::size_t i = 0; i < 4; ++i) {
    CHECK(cut.points[i].t == times[i]);
    CHECK(cut.points[i].x.u == Approx(whole.points[i].x.u).epsilon(1e-7));
    CHECK(cut.points[i].x.m == Approx(whole.points[i].x.m).epsilon(1e-7));
    CHECK(cut.points[i].risk == Approx(whole.points[i].risk).epsilon(1e-7));
  }
  CHECK(cut.points[2].stage == 1);
  CHECK(cut.points[3].stage == 2);
}

TEST_CASE("recorded points are those of a run that ends there") {
  const std::vector<double> times{3.0, 7.7, 19.0};
  integration_options tight;
  tight.relative_tolerance = 1e-12;
  const training_run run = run_protocol(one({stage("erf", 20.0)}), times, {});
  for (std::size_t i = 0; i < times.size(); ++i) {
    const training_run exact = run_protocol(one({stage("erf", times[i])}), {times[i]}, tight);
    CHECK(run.points[i].x.u == Approx(exact.points[0].x.u).epsilon(1e-8));
    CHECK(run.points[i].x.m == Approx(exact.points[0].x.m).epsilon(1e-8));
    CHECK(run.points[i].x.s == Approx(exact.points[0].x.s).epsilon(1e-8));
  }
}

TEST_CASE("the overlaps carry over to another target and another end") {
  tuning_stage first = stage("erf^2", 100.0);
  first.until = overlap_event{overlap_quantity::m, 0.3, false};
  tuning_stage second = stage("erf", 50.0);
  const training_run run = run_protocol(one({first, second}), {}, {});
  REQUIRE(run.stages.size() == 2);
  CHECK(run.stages[0].status == integration_status::event);
  CHECK(run.stages[1].begin == run.stages[0].end);
  CHECK(run.stages[1].end == Approx(run.stages[0].end + 50.0));
  // The second stage alone, from where the first ended.
  const training_run recorded = run_protocol(one({first, second}), {run.stages[0].end}, {});
  training_protocol alone = one({second});
  alone.start = recorded.points[0].x;
  CHECK(std::abs(alone.start.m) == Approx(0.3).epsilon(1e-8));
  const training_run tail = run_protocol(alone, {50.0}, {});
  const training_run both = run_protocol(one({first, second}), {run.stages[0].end + 50.0}, {});
  REQUIRE(both.points.size() == 1);
  CHECK(both.points[0].x.m == Approx(tail.points[0].x.m).epsilon(1e-6));
}

TEST_CASE("an event that is true when its stage begins ends it at once, and is said") {
  tuning_stage first = stage("erf", 5.0);
  tuning_stage second = stage("erf", 5.0);
  second.until = overlap_event{overlap_quantity::m, 0.05, false};
  for (const tuning_method method : {tuning_method::flow, tuning_method::map}) {
    training_protocol p = one({first, second});
    p.method = method;
    const training_run run = run_protocol(p, {0.0, 5.0}, {});
    CHECK(run.stages[1].status == integration_status::event_at_start);
    // The point at which both stages end is recorded, once.
    REQUIRE(run.points.size() == 2);
    CHECK(run.points[1].t == 5.0);
    CHECK(run.stages[1].end == run.stages[1].begin);
    CHECK(run.complete);
  }
}

TEST_CASE("an event that the whole run begins with is recorded") {
  for (const tuning_method method : {tuning_method::flow, tuning_method::map}) {
    tuning_stage first = stage("erf", 5.0);
    first.until = overlap_event{overlap_quantity::m, 0.05, false};
    training_protocol p = one({first});
    p.method = method;
    const training_run run = run_protocol(p, {0.0, 1.0}, {});
    CHECK(run.stages[0].status == integration_status::event_at_start);
    REQUIRE(run.points.size() == 1);
    CHECK(run.points[0].x.m == p.start.m);
    CHECK(run.points[0].stage == 1);
  }
}

TEST_CASE("a flip turns u, in no time, and the run goes on from there") {
  for (const tuning_method method : {tuning_method::flow, tuning_method::map}) {
    training_protocol p = one({stage("erf", 5.0), flip_stage{}, stage("erf", 5.0)});
    p.method = method;
    const training_run run = run_protocol(p, {5.0, 10.0}, {});
    CHECK(run.complete);
    REQUIRE(run.points.size() == 2);
    CHECK(run.points[0].stage == 1);
    CHECK(run.stages[1].begin == run.stages[1].end);
    // The same by hand.
    training_protocol before = one({stage("erf", 5.0)});
    before.method = method;
    const training_run to_flip = run_protocol(before, {5.0}, {});
    CHECK(run.points[0].x.u == to_flip.end.u);
    training_protocol after = before;
    after.start = {-to_flip.end.u, to_flip.end.m, to_flip.end.s};
    const training_run from_flip = run_protocol(after, {5.0}, {});
    CHECK(run.points[1].x.u == Approx(from_flip.points[0].x.u).epsilon(1e-9));
    CHECK(run.points[1].x.m == Approx(from_flip.points[0].x.m).epsilon(1e-9));
    CHECK(run.end.m == Approx(from_flip.end.m).epsilon(1e-9));
  }
  CHECK_THROWS_AS(run_protocol(one({stage("erf", 5.0), flip_stage{}}), {}, {}), argument_error);
}

TEST_CASE("a run's end is where another run goes on") {
  const training_run whole = run_protocol(one({stage("erf", 30.0)}), {30.0}, {});
  const training_run half = run_protocol(one({stage("erf", 12.0)}), {}, {});
  CHECK(half.alignment == 0.4);
  CHECK(half.misalignment == 0.2);
  training_protocol rest = one({stage("erf", 18.0)});
  rest.start = half.end;
  CHECK(run_protocol(rest, {}, {}).end.m == Approx(whole.end.m).epsilon(1e-7));
  CHECK(whole.end.m == whole.points[0].x.m);
  // Pre-training leaves its weight.
  training_protocol p;
  p.start = {1e-3, 0.1, 0.0};
  p.stages = {
      pretraining_stage{task_of("erf", "erf"), {.source_overlap = 0.6}, {0.1, 0.2}, 6.0, {}}};
  const training_run pretrained = run_protocol(p, {6.0}, {});
  CHECK(pretrained.alignment == Approx(pretrained.points[0].M));
  CHECK(pretrained.misalignment * pretrained.misalignment ==
        Approx(pretrained.points[0].Q - pretrained.points[0].M * pretrained.points[0].M));
}

TEST_CASE("with a frozen amplitude u stays and v descends on its sphere") {
  // μ = 0, u = 1: w = v, training from scratch. For linear students of a linear target
  // m' = 1 - m², so m = tanh t.
  tuning_stage scratch{task_of("linear", "linear"), 0.0, 0.0, 0.0, 3.0, std::nullopt};
  training_protocol p;
  p.start = {1.0, 0.0, 0.0};
  p.stages = {scratch};
  integration_options tight;
  tight.relative_tolerance = 1e-12;
  const training_run run = run_protocol(p, {0.5, 1.0, 3.0}, tight);
  REQUIRE(run.points.size() == 3);
  for (const training_point& point : run.points) {
    CHECK(point.x.u == 1.0);
    CHECK(point.x.m == Approx(std::tanh(point.t)).epsilon(1e-8));
    CHECK(point.Q == Approx(1.0));
  }
}

TEST_CASE("the map approaches the flow at first order in the learning rate") {
  const auto end = [](tuning_method method, double eta) {
    training_protocol p = one({stage("erf", 16.0)});
    p.method = method;
    p.learning_rate = eta;
    return run_protocol(p, {16.0}, {}).points.at(0).x.m;
  };
  const double exact = end(tuning_method::flow, 0.0);
  const double order =
      std::log2((end(tuning_method::map, 0.02) - exact) / (end(tuning_method::map, 0.01) - exact));
  CHECK(order > 0.95);
  CHECK(order < 1.05);
}

// (10.1) at γ = 0
TEST_CASE("pre-training is gradient descent on the whole weight") {
  const learning_task task = task_of("erf", "he3");
  const pretraining_flow f(task, {.source_overlap = 0.7});
  const pretraining_state x{0.4, 0.3};
  // w0 = (a, √gap) in the plane of w_s and the rest.
  const auto risk = [&](double along, double across) { return f.risk({along, across * across}); };
  const double across = std::sqrt(x.gap);
  const double g_along = test::difference([&](double t) { return risk(x.a + t, across); }, 3e-3);
  const double g_across = test::difference([&](double t) { return risk(x.a, across + t); }, 3e-3);
  const pretraining_state v = f.velocity(x);
  CHECK(v.a == Approx(-g_along).epsilon(1e-9));
  CHECK(v.gap == Approx(-2.0 * across * g_across).epsilon(1e-9));
}

TEST_CASE("the Jacobian of pre-training is that of its velocity") {
  for (const char* name : {"erf", "he3", "relu"}) {
    CAPTURE(name);
    const pretraining_flow f(task_of(name, name),
                             {.source_overlap = 0.7, .noise_scale = 0.4, .label_noise = 0.1});
    const pretraining_state x{0.4, 0.3};
    const Eigen::Matrix2d j = f.jacobian(x);
    const auto at = [&](double da, double dgap) { return f.velocity({x.a + da, x.gap + dgap}); };
    const double h = 2e-3;
    CHECK(j(0, 0) == test::within(test::difference([&](double t) { return at(t, 0).a; }, h), 1e-7));
    CHECK(j(0, 1) == test::within(test::difference([&](double t) { return at(0, t).a; }, h), 1e-7));
    CHECK(j(1, 0) ==
          test::within(test::difference([&](double t) { return at(t, 0).gap; }, h), 1e-7));
    CHECK(j(1, 1) ==
          test::within(test::difference([&](double t) { return at(0, t).gap; }, h), 1e-7));
  }
}

// (10.1), what γ adds
TEST_CASE("noise feeds the rest of the weight at the rate γ V") {
  const learning_task task = task_of("erf", "erf");
  const pretraining_state x{0.4, 0.3};
  const double change =
      pretraining_flow(task, {.source_overlap = 1.0, .noise_scale = 0.4, .label_noise = 0.1})
          .velocity(x)
          .gap -
      pretraining_flow(task, {.source_overlap = 1.0}).velocity(x).gap;
  CHECK(change == Approx(0.4 * task.noise.value(0.4, 0.46, 0.3, 0.1)).epsilon(1e-12));
}

TEST_CASE("pre-training sets the weight of the stages after it") {
  pretraining_stage before{task_of("erf", "erf"), {.source_overlap = 0.6}, {0.1, 0.2}, 6.0, {}};
  training_protocol p;
  p.start = {1e-3, 0.1, 0.0};
  p.stages = {before, stage("erf", 10.0)};
  const training_run run = run_protocol(p, {0.0, 6.0, 16.0}, {});
  REQUIRE(run.points.size() == 3);
  CHECK(run.points[0].M == Approx(0.06));
  CHECK(run.points[0].Q == Approx(0.21));
  // Fine-tuning alone from the same μ and ν.
  training_protocol alone = one({stage("erf", 10.0)});
  alone.alignment = run.points[1].M;
  alone.misalignment = std::sqrt(run.points[1].Q - run.points[1].M * run.points[1].M);
  alone.start = p.start;
  CHECK(run_protocol(alone, {10.0}, {}).points.at(0).x.m ==
        Approx(run.points[2].x.m).epsilon(1e-7));
  before.until_risk = 0.05;
  p.stages[0] = before;
  const training_run by_risk = run_protocol(p, {}, {});
  CHECK(by_risk.stages[0].status == integration_status::event);
}

TEST_CASE("protocols that can't be run are refused") {
  CHECK_THROWS_AS(run_protocol(one({}), {}, {}), argument_error);
  tuning_stage open = stage("erf", 1.0);
  open.duration.reset();
  CHECK_THROWS_AS(run_protocol(one({open}), {}, {}), argument_error);
  CHECK_THROWS_AS(run_protocol(one({stage("erf", -1.0)}), {}, {}), argument_error);
  const pretraining_stage before{task_of("erf", "erf"), {}, {0.1, 0.2}, 6.0, {}};
  CHECK_THROWS_AS(run_protocol(one({stage("erf", 1.0), before}), {}, {}), argument_error);
  CHECK_THROWS_AS(run_protocol(one({stage("erf", 1.0)}), {2.0, 1.0}, {}), argument_error);
  pretraining_stage far = before;
  far.parameters.source_overlap = -1.5;
  CHECK_THROWS_AS(run_protocol(one({far}), {}, {}), argument_error);
  training_protocol p = one({stage("erf", 1.0)});
  p.method = tuning_method::map;
  p.learning_rate = 0.0;
  CHECK_THROWS_AS(run_protocol(p, {}, {}), argument_error);
  // |m| = 0 and 1 are no events, and none is beyond.
  for (const double at : {0.0, 1.0, 1.05, -0.3, std::nan("")}) {
    CHECK_THROWS_AS((overlap_event{overlap_quantity::m, at, false}.validate()), argument_error);
  }
  CHECK_THROWS_AS((overlap_event{overlap_quantity::m, -1.05, true}.validate()), argument_error);
  CHECK_NOTHROW(overlap_event{overlap_quantity::m, -0.3, true}.validate());
}
