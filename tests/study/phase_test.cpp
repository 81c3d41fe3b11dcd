#include <catch2/catch.hpp>
#include <cstdint>
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
  const auto problem =
      GENERATE(as<study::phase_problem>(), small_problem(), refined_problem(), simulated_problem());
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
