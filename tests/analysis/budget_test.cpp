#include <algorithm>
#include <catch2/catch.hpp>
#include <cmath>
#include <loradyn/activation/parse.hpp>
#include <loradyn/analysis/budget.hpp>
#include <loradyn/error.hpp>
#include <string>
#include <vector>

using namespace loradyn;

namespace {

training_budget budget_of(const char* name, double rho) {
  const learning_task task(parse_activation(name), parse_activation(name));
  training_budget b{.source = task, .target = task, .pretraining = {}, .event = {}};
  b.pretraining.source_overlap = rho;
  b.event = {overlap_quantity::risk, 0.05, false};
  return b;
}

}  // namespace

TEST_CASE("the cost is that of pre-training and of fine-tuning from where it ends") {
  const training_budget b = budget_of("erf", 0.8);
  const outcome_classifier classifier(b.target);
  const budget_point p = cost_of_pretraining(b, 4.0, {}, classifier);
  const pretraining_flow before(b.source, b.pretraining);
  integration_options o;
  o.end_time = 4.0;
  const auto r = integrate<2>(system_of(before), b.weight_at_start.pack(), 0.0, o);
  const lora_parameters q = before.fine_tuning(pretraining_state::unpack(r.x));
  CHECK(p.alignment == q.alignment);
  CHECK(p.misalignment == q.misalignment);
  const flow f(b.target, q);
  if (f.risk(b.start) > b.event.at) {
    CHECK(p.t_finetune == escape(f, b.start, b.event, {}, classifier).t_hit);
  }
  CHECK(p.t_total == p.t_pre + p.t_finetune);
}

TEST_CASE("pre-training on the target itself ends with nothing left to do") {
  const training_budget b = budget_of("erf", 1.0);
  const budget_point p = cost_of_pretraining(b, 200.0, {}, outcome_classifier(b.target));
  CHECK(p.alignment == Approx(1.0).epsilon(1e-6));
  CHECK(p.t_finetune == 0.0);
  CHECK(p.t_total == 200.0);
}

TEST_CASE("the least cost is found between the points") {
  // He_3 from a source at ρ = 0.7: too little pre-training leaves a slow search, too much points
  // the wrong way.
  training_budget b = budget_of("he3", 0.7);
  b.weight_at_start = {0.4, 0.0};
  b.event.at = 0.3;
  const outcome_classifier classifier(b.target);
  std::vector<budget_point> points;
  for (int i = 0; i <= 20; ++i) {
    points.push_back(cost_of_pretraining(b, 0.05 * i, {}, classifier));
  }
  const auto best = least_cost(b, points, {}, classifier);
  REQUIRE(best);
  CHECK(best->t_pre > 0.05);
  CHECK(best->t_pre < 0.95);
  for (const budget_point& p : points) {
    CHECK((std::isnan(p.t_total) || best->t_total < p.t_total));
  }
  for (const double near : {0.98, 1.02}) {
    CHECK(cost_of_pretraining(b, best->t_pre * near, {}, classifier).t_total > best->t_total);
  }
  // At an end of the points there is nothing to search between.
  CHECK(least_cost(b, {points[0], points[1]}, {}, classifier)->t_pre == points[1].t_pre);
  CHECK(!least_cost(b, {}, {}, classifier));
}

TEST_CASE("pre-training that takes M to its value leaves nothing to fine-tune") {
  training_budget b = budget_of("erf", 1.0);
  b.event = {overlap_quantity::M, 0.5, false};
  const outcome_classifier classifier(b.target);
  const budget_point long_enough = cost_of_pretraining(b, 20.0, {}, classifier);
  CHECK(long_enough.alignment > 0.5);
  CHECK(long_enough.t_finetune == 0.0);
  CHECK(cost_of_pretraining(b, 0.1, {}, classifier).t_finetune > 0.0);
}

TEST_CASE("a source overlap or a time out of range is refused") {
  training_budget b = budget_of("erf", 1.2);
  const outcome_classifier classifier(b.target);
  CHECK_THROWS_AS(cost_of_pretraining(b, 1.0, {}, classifier), argument_error);
  b.pretraining.source_overlap = 0.5;
  CHECK_THROWS_AS(cost_of_pretraining(b, -1.0, {}, classifier), argument_error);
}
