#include <fmt/format.h>

#include <catch2/catch.hpp>
#include <cmath>
#include <fstream>
#include <loradyn/activation/parse.hpp>
#include <loradyn/error.hpp>
#include <loradyn/study/control.hpp>
#include <loradyn/study/escape.hpp>
#include <loradyn/study/parameter.hpp>
#include <loradyn/study/validation.hpp>
#include <map>
#include <set>
#include <string>
#include <vector>

using namespace loradyn;

TEST_CASE("each parameter of the registry has a name of its own, and sets what it gets") {
  std::set<std::string> columns;
  for (const study::parameter* p : study::all_parameters) {
    CAPTURE(p->name);
    CHECK(columns.insert(p->column()).second);
    CHECK(study::parameter_named(p->name) == p);
    study::parameter_point point;
    CHECK(p->get(point) == (p == &study::registry::mu ? std::optional(0.0) : p->standard));
    p->set(point, 0.25);
    CHECK(p->get(point) == std::optional(0.25));
  }
  CHECK(study::parameter_named("mus") == nullptr);
}

TEST_CASE("the registry's ranges of the model are those that the model itself demands") {
  for (const study::parameter* p : study::model_parameters) {
    CAPTURE(p->name);
    study::parameter_point point;
    if (std::isfinite(p->least)) {
      p->set(point, p->least);
      CHECK_NOTHROW(point.parameters.validate());
      p->set(point, std::nextafter(p->least, -1.0));
      CHECK_THROWS_AS(point.parameters.validate(), argument_error);
    } else {
      p->set(point, -1e300);
      CHECK_NOTHROW(point.parameters.validate());
    }
  }
}

TEST_CASE("the manual's table of parameters is the registry's") {
  std::ifstream manual(LORADYN_TEST_REFERENCE_DIR "/../../docs/command-line.md");
  REQUIRE(manual.is_open());
  std::map<std::string, std::string> rows;  // by name
  for (std::string line; std::getline(manual, line);) {
    if (line.starts_with("| `--") && line.find(" R` |") != std::string::npos) {
      rows.emplace(line.substr(5, line.find(' ', 5) - 5), line);
    }
  }
  for (const study::parameter* p : study::model_parameters) {
    CAPTURE(p->name);
    REQUIRE(rows.contains(std::string(p->name)));
    const std::string& row = rows.at(std::string(p->name));
    CAPTURE(row);
    // | `--nu R` | ν >= 0, … | 0 |
    const std::string range = p->range().empty() ? "" : " " + p->range();
    CHECK(row.find("| " + std::string(p->symbol) + range + ", ") != std::string::npos);
    CHECK(row.ends_with(p->standard ? fmt::format("| {} |", *p->standard) : "| |"));
  }
}

TEST_CASE("a row and its cells are the same, with the quantiles that the problem asks for") {
  const auto columns = study::escape_columns(std::vector<double>{0.05, 0.5, 0.975});
  study::escape_row row;
  row.key.student = "erf";
  row.key.at.parameters.misalignment = 0.25;
  row.t_hit = 3.5;
  row.at_end.s = -0.5;
  row.law = {1.0, {2.0, 3.0, 4.0}, "ok"};
  const std::vector<cell> cells = columns.cells(row);
  REQUIRE(cells.size() == columns.size());
  CHECK(columns.cells(columns.row(cells)) == cells);
  const std::vector<std::string> names = columns.names();
  CHECK(std::set<std::string>(names.begin(), names.end()).size() == names.size());
  CHECK(names[names.size() - 3] == "t_q97.5");
}

TEST_CASE("a comparison without a seed has none after its table is read") {
  const auto columns = study::validation_columns();
  study::validation_row row;
  CHECK_FALSE(columns.row(columns.cells(row)).seed.has_value());
  row.seed = (std::uint64_t{1} << 53) - 1;
  CHECK(columns.row(columns.cells(row)).seed == row.seed);
}

TEST_CASE("a watch tells the point that has been computed for longest") {
  study::point_watch watch;
  CHECK_FALSE(watch.slowest());
  {
    const study::point_watch::visit first(&watch, 3);
    const study::point_watch::visit second(&watch, 5);
    CHECK(watch.slowest()->point == 3);
    CHECK(watch.slowest()->seconds >= 0.0);
  }
  CHECK_FALSE(watch.slowest());
  study::study_control control{.threads = 1, .watch = &watch};
  const auto seen = [&](std::size_t block) {
    return study::run_sweep(control, 4, block, [&](std::size_t) {
      return watch.slowest() ? static_cast<int>(watch.slowest()->point) : -1;
    });
  };
  CHECK(seen(1) == std::vector<int>{0, 1, 2, 3});
  CHECK(seen(1024) == std::vector<int>(4, -1));  // quick points
}
