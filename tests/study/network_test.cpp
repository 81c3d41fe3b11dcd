#include <catch2/catch.hpp>
#include <cmath>
#include <loradyn/activation/parse.hpp>
#include <loradyn/error.hpp>
#include <loradyn/model/transformed_labels.hpp>
#include <loradyn/study/network.hpp>
#include <loradyn/study/trajectory.hpp>
#include <string>
#include <vector>

#include "support/within.hpp"

using namespace loradyn;

namespace {

study::activation_pair pair_of(const char* name) {
  const activation a = parse_activation(name);
  return study::make_pair(a, a, study::time_unit::raw);
}

study::parameter_point at_half() {
  study::parameter_point at;
  at.parameters.alignment = 0.5;
  return at;
}

}  // namespace

TEST_CASE("LoRA's scale is a ratio of learning rates (14.12)") {
  study::network_layout layout;
  layout.width = 2;
  layout.teacher_width = 2;
  layout.rank = 4;
  layout.alpha = 2.0;
  const study::network_start_request start;
  const auto ratio = [&] {
    return network_at(pair_of("erf"), layout, start, at_half()).flow.parameters().rate_ratio;
  };
  CHECK(ratio() == 0.25);
  layout.scaling = study::lora_scaling::root;
  CHECK(ratio() == 1.0);
  layout.alpha.reset();
  CHECK(ratio() == 1.0);
}

TEST_CASE("a network's trajectory of one neuron is that of (u, m, s)") {
  study::network_trajectory_problem problem{pair_of("erf"), {}, {}, at_half(), 60.0, {}, {}, {}};
  problem.record.count = 7;
  problem.start.seed = 3;
  const study::network_trajectory_result network = study::trajectory(problem);
  REQUIRE(network.rows.size() == 7);
  CHECK(network.complete);
  REQUIRE(network.stages.size() == 1);
  CHECK(network.stages[0].status == integration_status::end_time);
  study::trajectory_problem single;
  single.protocol.alignment = 0.5;
  single.protocol.start = {network.rows[0].at.U[0], network.rows[0].at.m[0], 0.0};
  single.protocol.stages.emplace_back(
      tuning_stage{pair_of("erf").task(), 0.0, 0.0, 1.0, 60.0, std::nullopt});
  single.end = 60.0;
  single.record.count = 7;
  const study::trajectory_result expected = study::trajectory(single);
  for (std::size_t i = 0; i < 7; ++i) {
    CHECK(network.rows[i].t == Approx(expected.rows[i].t).epsilon(1e-12));
    CHECK(network.rows[i].at.U[0] == test::within(expected.rows[i].x.u, 1e-7));
    CHECK(network.rows[i].at.M[0] == test::within(expected.rows[i].M, 1e-7));
    CHECK(network.rows[i].at.risk == test::within(expected.rows[i].risk, 1e-8));
  }
}

TEST_CASE("a network of one neuron pre-trains and learns labels as one neuron does") {
  const auto erf = parse_activation("erf");
  const auto square = parse_activation("linear^2");
  const study::activation_pair asked = pair_of("erf");
  const double rho = 0.8;
  const double gamma = 0.2;
  study::trajectory_problem single;
  pretraining_stage source{
      learning_task(erf, parse_activation("2*erf")), {rho, gamma, 0.1}, {0.05, 0.01}, 40.0, 0.22};
  const transformed_labels labels = transform_labels(erf, *square.as_polynomial(), 0.1);
  single.protocol.start = {0.05, 0.1, 0.0};
  single.protocol.stages = {
      source, tuning_stage{labels.task_of(erf), 0.0, labels.label_noise, 1.2, 5.0, std::nullopt},
      tuning_stage{asked.task(), gamma, 0.0, 1.0, 10.0, std::nullopt}};
  single.record.count = 31;
  const study::trajectory_result expected = study::trajectory(single);

  study::network_trajectory_problem problem{asked, {}, {}, {}, std::nullopt, {}, {}, {}};
  problem.start.given = study::network_given_start{.U = Eigen::MatrixXd::Constant(1, 1, 0.05),
                                                   .C = Eigen::RowVector2d(0.1, 0.0),
                                                   .P = Eigen::MatrixXd::Constant(1, 1, 0.99)};
  problem.stages = {
      {.task = {.teacher = parse_activation("2*erf"), .label_noise = 0.1},
       .noise_scale = gamma,
       .duration = 40.0,
       .until = network_overlap_event{.quantity = network_overlap_quantity::risk,
                                      .at = 0.22,
                                      .is_signed = false,
                                      .entry = {}},
       .pretrains = study::network_pretraining{rho, 0.05, 0.01}},
      {.task = {.label_noise = 0.1, .rate_ratio = 1.2, .label = square}, .duration = 5.0},
      {.noise_scale = gamma, .duration = 10.0}};
  problem.record.count = 31;
  const study::network_trajectory_result network = study::trajectory(problem);
  REQUIRE(expected.complete);
  CHECK(network.complete);
  REQUIRE(network.stages.size() == 3);
  CHECK(network.stages[0].status == integration_status::event);
  REQUIRE(network.rows.size() == expected.rows.size());
  for (std::size_t i = 0; i < network.rows.size(); ++i) {
    CAPTURE(i, expected.rows[i].t, expected.rows[i].stage);
    const study::network_trajectory_row& row = network.rows[i];
    CHECK(row.t == Approx(expected.rows[i].t).epsilon(1e-6));
    CHECK(row.stage == expected.rows[i].stage);
    CHECK(row.at.U[0] == test::within(expected.rows[i].x.u, 1e-6));
    CHECK(row.at.m[0] == test::within(expected.rows[i].x.m, 1e-6));
    CHECK(row.at.M[0] == test::within(expected.rows[i].M, 1e-6));
    CHECK(row.at.risk == test::within(expected.rows[i].risk, 1e-6));
  }
  CHECK(network.rows[5].stage == 1);
  CHECK(network.rows.back().stage == 3);
  // An end before the adapters begin, where they stand as they will.
  problem.end = 0.5 * network.stages[0].end;
  const study::network_trajectory_result cut = study::trajectory(problem);
  CHECK(cut.rows.back().at.U[0] == 0.05);
  CHECK(cut.stages.size() == 1);
  problem.end.reset();

  const auto refused = [&](const auto& change) {
    study::network_trajectory_problem bad = problem;
    change(bad);
    CHECK_THROWS_AS(study::trajectory(bad), argument_error);
  };
  refused([](auto& p) { p.stages[1].noise_scale = 0.1; });
  refused([](auto& p) { p.layout.teacher_width = 2; });
  refused([](auto& p) { std::swap(p.stages[0], p.stages[1]); });
  refused([](auto& p) { p.stages[0].pretrains->source_overlap = 1.5; });
  refused([](auto& p) { p.stages[0].pretrains->gap = -0.1; });
  refused([](auto& p) { p.layout.trained = trained_part::v; });
}

TEST_CASE("a network that has pre-trained is fine-tuned from the rows that it ended at") {
  const activation erf = parse_activation("erf");
  study::network_trajectory_problem problem{pair_of("erf"), {}, {}, {}, std::nullopt, {}, {}, {}};
  problem.layout.width = 3;
  problem.layout.teacher_width = 2;
  problem.layout.rank = 2;
  problem.layout.source = erf;
  problem.layout.source_overlap = 0.6;
  problem.at.start.u = 0.2;
  problem.record.count = 11;
  problem.stages = {{.task = {.teacher = erf},
                     .noise_scale = 0.1,
                     .duration = 20.0,
                     .pretrains = study::network_pretraining{0.6, 0.1, 0.05}},
                    {.duration = 20.0}};
  const study::network_trajectory_result whole = study::trajectory(problem);
  REQUIRE(whole.rows.size() == 11);
  const network_geometry& g = whole.geometry;
  CHECK((g.teacher * g.teacher.transpose()).isIdentity(1e-14));
  CHECK((g.source * g.teacher.transpose()).isApprox(0.6 * Eigen::Matrix2d::Identity(), 1e-13));
  CHECK((g.source * g.source.transpose()).isIdentity(1e-13));
  // Where pre-training ended the risk on the source is the same by either stage's way to tell.
  study::network_trajectory_problem rest = problem;
  rest.stages.erase(rest.stages.begin());
  rest.layout.geometry = g;
  rest.at.parameters.alignment = std::nan("");
  rest.record.count = 6;
  const study::network_trajectory_result again = study::trajectory(rest);
  rest.at.start.u = 0.0;
  const study::network_point still = network_at(rest.pair, rest.layout, rest.start, rest.at);
  CHECK(still.flow.source_risk(still.start) == test::within(whole.rows[5].at.source_risk, 1e-6));
  CHECK(again.rows[0].at.M[0] != again.rows[0].at.M[2]);
  for (std::size_t i = 1; i < 6; ++i) {
    CHECK(again.rows[i].at.M[5] == test::within(whole.rows[5 + i].at.M[5], 1e-12));
    CHECK(again.rows[i].at.source_risk == test::within(whole.rows[5 + i].at.source_risk, 1e-12));
  }
  CHECK(whole.rows[0].at.source_risk == whole.rows[0].at.risk);
  CHECK(whole.rows[10].at.risk < whole.rows[6].at.risk);
  CHECK(whole.rows[5].at.source_risk < 0.2 * whole.rows[0].at.source_risk);
}

TEST_CASE("the columns of a network's table tell its sizes") {
  for (const study::network_shape& shape :
       {study::network_shape{4, 2, 3, true, false}, study::network_shape{1, 1, 1, false, true},
        study::network_shape{12, 11, 2, false, false}}) {
    const auto columns = study::network_trajectory_columns(shape);
    const auto found = study::shape_of(columns.names());
    REQUIRE(found.has_value());
    CHECK(study::network_trajectory_columns(*found).names() == columns.names());
  }
  CHECK(!study::shape_of(study::trajectory_columns().names()).has_value());
}

TEST_CASE("what trains decides what moves, and a source is forgotten by it") {
  for (const trained_part part :
       {trained_part::lora, trained_part::v, trained_part::full, trained_part::scratch}) {
    CAPTURE(name_of(trained_parts, part));
    study::network_layout layout;
    layout.width = 2;
    layout.teacher_width = 2;
    layout.trained = part;
    layout.adapter = part == trained_part::full || part == trained_part::scratch
                         ? adapter_constraint::free
                         : adapter_constraint::sphere;
    layout.source = parse_activation("erf");
    layout.source_overlap = 0.6;
    study::parameter_point at = at_half();
    at.parameters.noise_scale = 0.1;
    study::network_trajectory_problem problem{pair_of("erf"), layout, {}, at, 20.0, {}, {}, {}};
    problem.record.count = 3;
    const study::network_trajectory_result run = study::trajectory(problem);
    const study::network_record& first = run.rows.front().at;
    const study::network_record& last = run.rows.back().at;
    CHECK(last.risk < first.risk);
    CHECK(std::isfinite(last.source_risk));
    CHECK(last.samples == Approx(20.0 * 1000.0 / 0.1));
    CHECK((first.U == last.U) == (part != trained_part::lora));
    if (part == trained_part::full) {
      CHECK(first.M[0] == Approx(0.5));
    } else if (part == trained_part::scratch) {
      CHECK(std::abs(first.M[0]) < 0.05);
    }
    CHECK(run.noise_method == "erf");
  }
}

TEST_CASE("stages of a network: tasks one after another, samples by each one's noise") {
  study::network_layout layout;
  layout.width = layout.teacher_width = 2;
  layout.rank = 2;
  layout.adapter = adapter_constraint::free;
  layout.source = parse_activation("erf");
  layout.source_overlap = 0.6;
  study::parameter_point at = at_half();
  at.parameters.misalignment = 0.3;
  at.start.u = 0.3;
  study::network_trajectory_problem problem{pair_of("erf"), layout, {}, at, {}, {}, {}, {}};
  problem.record.times = {0.0, 30.0, 60.0, 70.0, 100.0};
  problem.stages = {{.task = {}, .noise_scale = 0.2, .flips = false, .duration = 60.0, .until = {}},
                    {.task = {.teacher = {}, .on_source = true, .decay = 0.001},
                     .noise_scale = 0.5,
                     .flips = true,
                     .duration = 40.0,
                     .until = {}}};
  const study::network_trajectory_result run = study::trajectory(problem);
  REQUIRE(run.complete);
  REQUIRE(run.rows.size() == 5);
  REQUIRE(run.stages.size() == 2);
  CHECK(run.stages[1].begin == 60.0);
  CHECK(run.stages[1].end == 100.0);
  const auto risk = [&](std::size_t i) { return run.rows[i].at.risk; };
  const auto source_risk = [&](std::size_t i) { return run.rows[i].at.source_risk; };
  CHECK(risk(2) < 0.5 * risk(0));
  CHECK(source_risk(4) < 0.5 * source_risk(2));
  CHECK(risk(4) > 2.0 * risk(2));  // forgotten
  CHECK(run.rows[2].stage == 1);
  CHECK(run.rows[3].stage == 2);
  CHECK(run.rows[2].at.samples == Approx(60.0 * 1000.0 / 0.2));
  CHECK(run.rows[4].at.samples == Approx(60.0 * 1000.0 / 0.2 + 40.0 * 1000.0 / 0.5));

  // Taken up from its end, a run goes on.
  study::network_trajectory_problem first = problem;
  first.stages.resize(1);
  first.record.times = {60.0};
  const study::network_trajectory_result half = study::trajectory(first);
  study::network_trajectory_problem second = problem;
  second.stages.erase(second.stages.begin());
  second.record.times = {10.0, 40.0};
  second.layout.geometry = half.geometry;
  second.start.given = study::network_given_start{half.end.U, half.end.C, half.end.P};
  const study::network_trajectory_result rest = study::trajectory(second);
  for (std::size_t i = 0; i < 2; ++i) {
    CHECK(rest.rows[i].at.risk == test::within(run.rows[3 + i].at.risk, 1e-8));
    CHECK(rest.rows[i].at.U[1] == test::within(run.rows[3 + i].at.U[1], 1e-7));
  }
  problem.layout.source.reset();
  problem.layout.source_overlap.reset();
  CHECK_THROWS_AS(study::trajectory(problem), argument_error);
}

TEST_CASE("the end of a run on spheres is a state that another can start from") {
  study::network_trajectory_problem problem{pair_of("erf"), {}, {}, at_half(), 400.0, {}, {}, {}};
  problem.layout.width = problem.layout.teacher_width = 2;
  problem.layout.rank = 3;
  problem.integrator.relative_tolerance = 1e-4;
  problem.record.count = 2;
  const study::network_trajectory_result run = study::trajectory(problem);
  CHECK(run.end.C.rowwise().squaredNorm().maxCoeff() > 0.9);
  network_parameters parameters;
  parameters.rank = 3;
  CHECK_NOTHROW(run.end.validate(run.geometry, parameters));
}

TEST_CASE("a network's sweep tells every point, and the law of those that have one") {
  study::network_escape_problem problem{{pair_of("erf")}, {}, {}, {}, {}, {}, std::nullopt};
  problem.grid.axes.push_back({&study::registry::mu, {0.3, 0.5, 0.99}});
  problem.layout.rank = 2;
  problem.layout.adapter = adapter_constraint::free;
  problem.event.quantity = network_overlap_quantity::M;
  problem.event.at = 0.9;
  problem.quantiles = std::vector<double>{0.5};
  const auto rows = study::escape(problem, {});
  REQUIRE(rows.size() == 3);
  for (std::size_t i = 0; i < 2; ++i) {
    CHECK(rows[i].status == "ok");
    CHECK(rows[i].outcome == "learned");
    CHECK(rows[i].t_hit > rows[i].tau);
    CHECK(rows[i].law.status == "ok");
    CHECK(rows[i].law.quantiles[0] > 0.0);
    CHECK(rows[i].end.M[0] == test::within(1.0, 1e-3));
  }
  CHECK(rows[2].status == "no-event");
  problem.event.entry = {1, 2};
  CHECK_THROWS_AS(study::escape(problem, {}), argument_error);
}
