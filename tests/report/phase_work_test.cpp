#include <catch2/catch.hpp>
#include <loradyn/interruption.hpp>
#include <loradyn/report/phase_work.hpp>
#include <loradyn/report/problem_text.hpp>
#include <loradyn/study/phase.hpp>
#include <string>
#include <vector>

#include "support/scratch.hpp"

using namespace loradyn;

namespace {

using texts = std::vector<std::string>;

study::phase_problem refined_problem() {
  study::phase_problem p;
  p.student = "he3+{a}*he5";
  p.x = study::read_axis("--x", "mu=0.2:0.8:4");
  p.y = study::read_axis("--y", "a=-0.4:0.4:3");
  p.request.integrator.step_limit = 50'000;
  p.levels = 2;
  return p;
}

std::string text_of(const std::vector<cell>& cells) {
  std::string text;
  for (const cell& c : cells) {
    text += to_text(c) + " ";
  }
  return text;
}

texts rows_of(const study::phase_grid& grid) {
  texts rows;
  study::phase(grid, {1, {}}, [&](const study::phase_row& row) {
    rows.push_back(text_of(grid.columns().cells(row)));
  });
  return rows;
}

texts rows_of(const sweep_store& store) {
  texts rows;
  for (const auto& row : store.rows()) {
    rows.push_back(text_of(row));
  }
  return rows;
}

}  // namespace

TEST_CASE("a diagram that goes on in its store is that of one run") {
  const test::scratch dir;
  const study::phase_grid grid(refined_problem());
  const texts expected = rows_of(grid);
  REQUIRE(expected.size() > 30);
  const auto path = dir.path / "s.sqlite";
  // Within the grid, and among the cells that are added to it.
  for (const std::size_t until : {5U, 20U}) {
    sweep_store store(path, configuration_of(grid));
    stored_work work(grid, store, {});
    compute_here(grid, 1, work, [&] {
      if (work.finished() >= until) {
        request_stop();
      }
    });
    clear_stop();
    CHECK(store.finished() >= until);
    CHECK_FALSE(work.complete());
  }
  // What the store keeps is the problem.
  const auto kept = sweep_store::configuration_of(path);
  const auto again = phase_grid_of(kept.parameters);
  CHECK(to_json(again->problem()) == to_json(grid.problem()));
  sweep_store store(path, configuration_of(*again));
  stored_work work(*again, store, {});
  compute_here(*again, 4, work, [] {});
  CHECK(work.complete());
  CHECK(rows_of(store) == expected);
  CHECK(planned_cells(grid, store) == expected.size());
}

TEST_CASE("shards of a diagram are merged to the whole") {
  const test::scratch dir;
  study::phase_problem problem = refined_problem();
  problem.levels = 0;
  const study::phase_grid grid(problem);
  sweep_store all(dir.path / "all.sqlite", configuration_of(grid));
  for (std::uint64_t i = 0; i < 3; ++i) {
    const auto path = dir.path / (std::to_string(i) + ".sqlite");
    {
      sweep_store store(path, configuration_of(grid));
      stored_work work(grid, store, {i, 3});
      compute_here(grid, 1, work, [] {});
      CHECK(store.finished() == 4);
    }
    CHECK(all.merge(path) == 4);
  }
  CHECK(all.complete());
  CHECK(rows_of(all) == rows_of(grid));
}

TEST_CASE("rows go to their sink in order, whatever came first and what was given back") {
  const study::phase_grid grid(refined_problem());
  texts rows;
  direct_work work(grid, [&](const std::vector<cell>& row) { rows.push_back(text_of(row)); });
  while (!work.over()) {
    std::vector<study::planned_cell> cells = work.next(5);
    REQUIRE_FALSE(cells.empty());
    if (cells.size() > 1 && work.finished() == 0) {
      work.give_back({cells.front()});
      cells.erase(cells.begin());
    }
    std::vector<kept_cell> done;
    compute_cells(grid, cells, 1, [&](kept_cell c) { done.push_back(std::move(c)); });
    for (; !done.empty(); done.pop_back()) {
      work.take(done.back());
    }
  }
  CHECK(rows == rows_of(grid));
  CHECK(work.delivered() == rows.size());
}
