#include <catch2/catch.hpp>
#include <cstdint>
#include <loradyn/activation/parse.hpp>
#include <loradyn/error.hpp>
#include <loradyn/interruption.hpp>
#include <loradyn/study/phase.hpp>
#include <loradyn/study/phase_plan.hpp>
#include <utility>
#include <vector>

using namespace loradyn;

namespace {

using cells_of_rows = std::vector<std::vector<cell>>;

// he3 + a he5 learns or not as a goes.
study::phase_problem small_problem() {
  study::phase_problem p;
  p.student = "he3+{a}*he5";
  p.x = study::read_axis("--x", "mu=0.2:0.8:4");
  p.y = {"a", {.list = {-0.4, 0.0, 0.4}}};
  p.request.integrator.step_limit = 50'000;
  return p;
}

study::phase_problem refined_problem() {
  study::phase_problem p = small_problem();
  p.levels = 2;
  return p;
}

study::phase_problem simulated_problem() {
  study::phase_problem p = small_problem();
  p.student = "erf";
  p.y = study::read_axis("--y", "gamma=log:1:4:2");
  p.otherwise.dimension = 100.0;
  study::ensemble_request& e = p.ensemble.emplace();
  e.runs = 20;
  e.steps = 20'000;
  e.seed = 3;
  return p;
}

// Two neurons that learn what they had not before, and forget where that is far from the source.
study::phase_problem diagram_of_networks() {
  study::phase_problem p;
  p.student = "erf";
  p.x = study::read_axis("--x", "mu=0.3:0.6:4");
  p.y = study::read_axis("--y", "source-overlap=0:0.9:2");
  p.otherwise.parameters.misalignment = 0.3;
  p.request.integrator.step_limit = 50'000;
  study::phase_network& n = p.network.emplace();
  n.layout.readout = readout_rule::sqrt;
  n.layout.source = parse_activation("erf");
  n.event = network_event_named("risk").value();
  n.event.at = 1e-3;
  n.forgotten = 0.15;
  n.start.seed = 5;
  p.otherwise.layout = {.width = 2, .teacher_width = 2, .rank = 2};
  return p;
}

cells_of_rows computed(const study::phase_problem& problem, std::size_t threads) {
  const study::phase_grid grid(problem);
  cells_of_rows cells;
  for (const study::phase_row& row : study::phase(problem, {threads, {}})) {
    cells.push_back(grid.columns().cells(row));
  }
  return cells;
}

// Taken one by one, by the plan alone.
cells_of_rows one_by_one(const study::phase_problem& problem) {
  const study::phase_grid grid(problem);
  study::phase_plan plan(grid);
  cells_of_rows cells;
  do {
    for (std::uint64_t i = cells.size(); i < plan.cells(); ++i) {
      const auto row = grid.row(plan.place(i));
      REQUIRE(row.has_value());
      plan.take(i, *row);
      cells.push_back(grid.columns().cells(*row));
    }
  } while (plan.grow());
  return cells;
}

// NaN is like NaN.
std::vector<std::vector<std::string>> texts(const cells_of_rows& rows) {
  std::vector<std::vector<std::string>> all;
  for (const auto& row : rows) {
    auto& of_row = all.emplace_back();
    for (const cell& c : row) {
      of_row.push_back(to_text(c));
    }
  }
  return all;
}

}  // namespace

TEST_CASE("a diagram is its cells one by one, on any number of threads") {
  const auto problem = GENERATE(as<study::phase_problem>(), small_problem(), refined_problem(),
                                simulated_problem(), diagram_of_networks());
  const cells_of_rows cells = one_by_one(problem);
  CHECK(cells.size() > (problem.levels > 0 ? 12U : 7U));
  for (const std::size_t threads : {1U, 4U}) {
    CAPTURE(threads);
    CHECK(texts(computed(problem, threads)) == texts(cells));
  }
}

TEST_CASE("a diagram of search times alone has the status for its outcome") {
  study::phase_problem problem = refined_problem();
  problem.tau_only = true;
  CHECK(texts(computed(problem, 4)) == texts(one_by_one(problem)));
}

TEST_CASE("a diagram that is stopped keeps its first cells") {
  const auto problem = refined_problem();
  const auto all = texts(computed(problem, 1));
  for (const std::size_t threads : {1U, 4U}) {
    // In the grid, and among the cells that were added to it.
    for (const std::size_t until : {5U, 20U}) {
      CAPTURE(threads, until);
      const study::phase_grid grid(problem);
      cells_of_rows cells;
      std::size_t told = 0;
      const std::uint64_t taken = study::phase(
          grid,
          {threads,
           [&](std::size_t done, std::size_t total) {
             CHECK(done <= total);
             told = done;
             if (done == until) {
               request_stop();
             }
           }},
          [&](const study::phase_row& row) { cells.push_back(grid.columns().cells(row)); });
      clear_stop();
      CHECK(taken == cells.size());
      CHECK(told == taken);
      CHECK(taken >= until);
      REQUIRE(taken < all.size());
      CHECK(texts(cells) == decltype(all)(all.begin(), all.begin() + static_cast<int>(taken)));
    }
  }
}

TEST_CASE("the cells of a network's diagram are its escapes, and say what is forgotten") {
  const study::phase_problem problem = diagram_of_networks();
  const study::phase_grid grid(problem);
  CHECK(grid.columns().names().front() == "source_overlap");
  const std::vector<study::phase_row> rows = study::phase(problem, {2, {}});
  REQUIRE(rows.size() == 8);
  for (std::size_t i = 0; i < rows.size(); ++i) {
    const study::phase_row& row = rows[i];
    study::network_escape_problem asked;
    const activation f = parse_activation("erf");
    asked.pairs = {study::make_pair(f, f, study::time_unit::raw)};
    asked.grid.otherwise = problem.otherwise;
    asked.grid.otherwise.parameters.alignment = grid.axes()[0].at(i % 4);
    asked.layout = study::with_numbers(problem.network->layout, problem.otherwise.layout);
    asked.layout.source_overlap = i < 4 ? 0.0 : 0.9;
    asked.start = problem.network->start;
    asked.event = problem.network->event;
    asked.integrator = problem.request.integrator;
    const study::network_escape_row expected = study::escape(asked, {1, {}}).front();
    CAPTURE(i, row.escape.t_hit, row.source_risk, expected.status);
    CHECK(row.escape.t_hit == expected.t_hit);
    CHECK(row.escape.risk_end == expected.end.risk);
    CHECK(row.source_risk == expected.end.source_risk);
    CHECK(expected.outcome == "learned");
    CHECK(row.escape.outcome == (i < 4 ? "forgotten" : "learned"));
    CHECK((row.source_risk > 0.15) == (i < 4));
  }
}

TEST_CASE("the sizes of a network on the axes") {
  study::phase_problem problem = diagram_of_networks();
  problem.network->layout.source.reset();
  problem.network->forgotten.reset();
  problem.x = study::read_axis("--x", "width=1:3:3");
  problem.y = study::read_axis("--y", "rank=1:2:2");
  problem.has_alignment = true;
  problem.otherwise.parameters.alignment = 0.5;
  problem.tau_only = true;
  const std::vector<study::phase_row> rows = study::phase(problem, {2, {}});
  REQUIRE(rows.size() == 6);
  for (std::size_t i = 0; i < 3; ++i) {
    CHECK(rows[i].own == std::vector<double>{static_cast<double>(i + 1), 1.0});
    CHECK(rows[i].escape.tau > 0.0);
    CHECK(rows[i].escape.tau == rows[i + 3].escape.tau);  // of the rank it is independent
  }
  CHECK(rows[0].escape.tau != rows[1].escape.tau);
  const auto refused = [&](auto change) {
    study::phase_problem wrong = problem;
    change(wrong);
    CHECK_THROWS_AS(study::phase_grid(wrong), error);
  };
  refused([](auto& p) { p.x = study::read_axis("--x", "width=1:3:4"); });
  refused([](auto& p) { p.x = study::read_axis("--x", "width=0:3:4"); });
  refused([](auto& p) { p.levels = 1; });
  refused([](auto& p) { p.network->layout.trained = trained_part::v; });
  refused([](auto& p) { p.network->layout.off_target = 2; });
  refused([](auto& p) { p.y = study::read_axis("--y", "source-overlap=0:1:2"); });
  refused([](auto& p) { p.y = study::read_axis("--y", "m0=0:0.1:2"); });
  refused([](auto& p) { p.network->forgotten = 0.1; });
  refused([](auto& p) { p.ensemble.emplace(); });
  refused([](auto& p) { p.network.reset(); });
  refused([](auto& p) {
    p.tau_only = false;
    p.otherwise.dimension = 3.0;  // fewer than the directions and twice the rank
  });
}
