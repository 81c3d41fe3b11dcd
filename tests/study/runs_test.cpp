#include <catch2/catch.hpp>
#include <cmath>
#include <loradyn/activation/parse.hpp>
#include <loradyn/error.hpp>
#include <loradyn/report/phase_work.hpp>
#include <loradyn/study/simulate.hpp>
#include <loradyn/study/tolerance.hpp>
#include <loradyn/study/trajectory.hpp>
#include <string>
#include <utility>
#include <vector>

using namespace loradyn;

namespace {

study::activation_pair pair_of(const char* name) {
  const activation a = parse_activation(name);
  return study::make_pair(a, a, study::time_unit::raw);
}

study::trajectory_family two_runs() {
  study::trajectory_family family{pair_of("erf"), {}, {}};
  family.grid.axes = {{&study::registry::mu, {0.25, 0.5}}};
  family.grid.otherwise.parameters.noise_scale = 0.1;
  family.each.protocol.start = {1e-3, 0.1, 0.0};
  family.each.end = 4.0;
  family.each.record.count = 3;
  return family;
}

}  // namespace

TEST_CASE("A family has a run for each point, and its rows say which", "[study]") {
  const study::trajectory_family family = two_runs();
  const std::vector<study::trajectory_problem> problems = study::problems_of(family);
  REQUIRE(problems.size() == 2);
  CHECK(problems[1].protocol.alignment == 0.5);
  REQUIRE(problems[1].protocol.stages.size() == 1);
  const auto& stage = std::get<tuning_stage>(problems[1].protocol.stages.front());
  CHECK(stage.noise_scale == 0.1);
  CHECK(stage.duration == 4.0);

  const auto runs = study::trajectories(problems, {});
  const auto rows = study::rows_of(family, runs);
  REQUIRE(rows.size() == 6);
  CHECK(rows[2].key.at.parameters.alignment == 0.25);
  CHECK(rows[3].key.at.parameters.alignment == 0.5);
  CHECK(rows[5].point.t == 4.0);
  CHECK(rows[5].point.x.m == runs[1].rows.back().x.m);

  const auto words = study::words_of_stages(family.grid, runs);
  REQUIRE(words.size() == 2);
  CHECK(words[1].first == "stage 1 at mu = 0.5");
  CHECK(words[1].second == "t = 0 to 4: end-time");
}

TEST_CASE("What a tenth of the tolerance changes is told of what took most", "[study]") {
  const std::vector<study::trajectory_problem> problems = study::problems_of(two_runs());
  const auto runs = study::trajectories(problems, {});
  const study::tolerance_check check = study::check_tolerance(problems, runs);
  CHECK(check.work.velocities == runs[0].work.velocities + runs[1].work.velocities);
  CHECK(runs[check.which].work.velocities >= runs[1 - check.which].work.velocities);
  CHECK(check.value == runs[check.which].rows.back().x.m);
  REQUIRE(check.again);
  // Another number, by about the tolerance of 1e-9.
  CHECK(*check.again != check.value);
  CHECK(std::abs(*check.again - check.value) < 1e-6 * std::abs(check.value));

  std::vector<study::trajectory_problem> by_map = problems;
  for (study::trajectory_problem& p : by_map) {
    p.protocol.method = tuning_method::map;
  }
  CHECK_FALSE(study::check_tolerance(by_map, study::trajectories(by_map, {})).again);

  study::escape_problem escape{{pair_of("erf")}, {}, {}};
  escape.grid.axes = {{&study::registry::mu, {0.3, 0.6}}};
  const auto rows = study::escape(escape, {});
  const study::tolerance_check hit = study::check_tolerance(escape, rows);
  CHECK(hit.value == rows[hit.which].t_hit);
  REQUIRE(hit.again);
  CHECK(*hit.again != hit.value);
  CHECK(std::abs(*hit.again - hit.value) < 1e-6 * hit.value);
}

TEST_CASE("A simulation's event is a flow's again", "[study]") {
  for (const overlap_event& event : {overlap_event{overlap_quantity::m, 0.4, false},
                                     overlap_event{overlap_quantity::m, 0.4, true},
                                     overlap_event{overlap_quantity::M, 0.4, false},
                                     overlap_event{overlap_quantity::M, -0.4, true},
                                     overlap_event{overlap_quantity::risk, 0.01, false}}) {
    const overlap_event again = study::overlap_event_of(study::simulated_event(event));
    CHECK(again.quantity == event.quantity);
    CHECK(again.at == event.at);
    CHECK(again.is_signed == event.is_signed);
  }
  CHECK_THROWS_AS(study::overlap_event_of({simulated_quantity::u, 0.1, event_direction::rising}),
                  argument_error);
}

TEST_CASE("A shard is i/n", "[study]") {
  CHECK(read_shard("").count == 1);
  CHECK(read_shard("2/3").index == 1);
  CHECK(read_shard("2/3").count == 3);
  for (const char* text : {"0/3", "4/3", "1", "1/2/3", "1.5/3", "a/b", "1/1e7"}) {
    CHECK_THROWS_AS(read_shard(text), argument_error);
  }
}
