#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <loradyn/error.hpp>
#include <loradyn/figures/network_figures.hpp>
#include <loradyn/figures/phase_picture.hpp>
#include <loradyn/figures/study_figures.hpp>
#include <loradyn/figures/table_figure.hpp>
#include <loradyn/report/problem_text.hpp>
#include <loradyn/report/table_io.hpp>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <variant>
#include <vector>

namespace loradyn {
namespace {

void require_rows(bool any) {
  if (!any) {
    throw argument_error("the table", "empty", "one with at least one row");
  }
}

template <class Row>
std::vector<Row> rows_of(const study::row_description<Row>& columns, const table& t) {
  std::vector<Row> rows;
  for (const std::vector<cell>& cells : t.rows) {
    rows.push_back(columns.row(cells));
  }
  return rows;
}

// The figure of a table that has these columns and perhaps more, where those of its own question
// are the table's.
template <class Problem, class Columns, class Draw>
std::optional<figure> drawn_as(const table& t, const std::vector<std::string>& always,
                               const Columns& columns_of, const Draw& draw) {
  const bool has_them = std::all_of(always.begin(), always.end(), [&](const std::string& name) {
    return t.find(name).has_value();
  });
  if (!has_them) {
    return std::nullopt;
  }
  asked<Problem> of = read_question<Problem>(question(t.meta.parameters));
  const auto columns = columns_of(of.problem);
  if (columns.names() != t.columns) {
    return std::nullopt;
  }
  of.said = t.meta.parameters;  // and what the command told beside
  return draw(of, rows_of(columns, t));
}

// The same where the columns do not depend on the question.
template <class Problem, class Row, class Draw>
std::optional<figure> drawn_as(const study::row_description<Row>& columns, const table& t,
                               const Draw& draw) {
  if (columns.names() != t.columns) {
    return std::nullopt;
  }
  return drawn_as<Problem>(
      t, {}, [&](const Problem&) { return columns; }, draw);
}

// Of a search: how many neurons and targets the names count.
study::network_shape modes_of(const std::vector<std::string>& columns) {
  study::network_shape modes{0, 1, 0, false, false};
  for (const std::string& name : columns) {
    modes.width += name.starts_with("u_") ? 1 : 0;
    modes.teacher_width += name.starts_with("m_") ? 1 : 0;
  }
  return modes;
}

// The figure of a network's table; nothing where it is none.
std::optional<figure> network_figure_of(const table& t) {
  const study::network_shape modes = modes_of(t.columns);
  std::optional<figure> f;
  const auto is = [&]<class Problem>(const Problem*, const auto& columns, const auto& draw) {
    f = drawn_as<Problem>(columns, t, draw);
    return f.has_value();
  };
  constexpr const study::network_rates_problem* rates = nullptr;
  constexpr const study::network_critical_problem* critical = nullptr;
  if (is(rates, study::network_rates_columns(modes), network_rates_figure) ||
      is(critical, study::network_critical_columns(modes), network_critical_figure)) {
    return f;
  }
  const std::optional<study::network_shape> shape = study::shape_of(t.columns);
  if (!shape) {
    return std::nullopt;
  }
  constexpr const study::network_fixed_points_problem* rests = nullptr;
  constexpr const study::network_simulate_problem* simulated = nullptr;
  constexpr const study::network_trajectory_problem* trajectory = nullptr;
  if (is(rests, study::network_fixed_point_columns(*shape), network_fixed_points_figure) ||
      is(simulated, study::network_run_columns(*shape), network_hitting_figure) ||
      is(simulated, study::network_summary_columns(*shape), network_ensemble_figure) ||
      is(trajectory, study::network_trajectory_columns(*shape), network_trajectory_figure)) {
    return f;
  }
  return drawn_as<study::network_escape_problem>(
      t, study::network_escape_columns(*shape, {}).names(),
      [&](const study::network_escape_problem& p) {
        return study::network_escape_columns(*shape, p.quantiles);
      },
      network_escape_figure);
}

// Throws argument_error for a table of another make.
figure figure_of_table(const table& t) {
  // A table of critical alignments without a row says that there are none.
  require_rows(!t.rows.empty() || t.columns == study::critical_columns().names() ||
               t.columns == study::network_critical_columns(modes_of(t.columns)).names());
  if (t.columns == study::validation_columns().names()) {
    return validate_figure(rows_of(study::validation_columns(), t));
  }
  std::optional<figure> f = network_figure_of(t);
  const auto is = [&]<class Problem>(const Problem*, const auto& columns, const auto& draw) {
    f = drawn_as<Problem>(columns, t, draw);
    return f.has_value();
  };
  constexpr const study::critical_problem* critical = nullptr;
  constexpr const study::trajectory_family* trajectory = nullptr;
  constexpr const study::simulate_problem* simulated = nullptr;
  constexpr const study::budget_problem* budget = nullptr;
  constexpr const study::fixed_points_problem* rests = nullptr;
  if (f || is(critical, study::critical_columns(), critical_figure) ||
      is(trajectory, study::trajectory_columns(), trajectory_figure) ||
      is(simulated, study::record_columns(), ensemble_figure) ||
      is(simulated, study::run_columns(), hitting_figure) ||
      is(budget, study::budget_columns(), budget_figure) ||
      is(rests, study::fixed_point_columns(), fixed_points_figure)) {
    return *std::move(f);
  }
  f = drawn_as<study::rates_problem>(
      t, study::rates_columns().names(),
      [](const study::rates_problem& p) {
        return study::rates_columns(p.grid.told(study::rates_parameters));
      },
      rates_figure);
  if (!f) {
    f = drawn_as<study::trajectory_family>(
        t, study::family_columns({}).names(),
        [](const study::trajectory_family& p) { return study::family_columns(p.grid.told({})); },
        family_figure);
  }
  if (!f) {
    f = drawn_as<study::escape_problem>(
        t, study::escape_columns({}).names(),
        [](const study::escape_problem& p) { return study::columns_of(p); }, escape_figure);
  }
  if (f) {
    return *std::move(f);
  }
  throw argument_error("the header of the table", fmt::format("'{}'", fmt::join(t.columns, ",")),
                       "that of a table that loradyn wrote");
}

}  // namespace

figure figure_of_file(const std::filesystem::path& path) {
  // Of a phase diagram, which may be large, no more is kept than is drawn.
  table t;
  std::unique_ptr<const study::phase_grid> grid;
  std::optional<phase_picture> picture;
  bool any = false;
  read_table_rows(
      path,
      [&](const table_header& header) {
        t.meta = header.meta;
        t.columns = header.columns;
        if (!t.meta.parameter("x").empty() && !t.meta.parameter("y").empty()) {
          std::erase_if(t.meta.parameters, [](const auto& p) { return p.first == "show"; });
          grid = phase_grid_of(t.meta.parameters);
          if (grid->columns().names() != t.columns) {
            throw argument_error("the header of the table", "another",
                                 "that of its own phase diagram");
          }
          const auto colours = value_named(phase_colour_names, header.meta.parameter("show"));
          picture.emplace(*grid, colours.value_or(phase_colours::time));
        }
      },
      [&](std::vector<cell> row) {
        any = true;
        if (picture) {
          picture->add(grid->columns().row(row));
        } else {
          t.rows.push_back(std::move(row));
        }
      });
  if (picture) {
    require_rows(any);
    return picture->drawn();
  }
  return figure_of_table(t);
}

void add_points_of_file(figure& f, const std::filesystem::path& path) {
  const table t = read_table(path);
  const auto is_number = [](const cell& c) { return !std::holds_alternative<std::string>(c); };
  std::vector<std::size_t> numbers;
  for (std::size_t column = 0; column < t.columns.size() && numbers.size() < 2; ++column) {
    if (!t.rows.empty() &&
        std::all_of(t.rows.begin(), t.rows.end(),
                    [&](const std::vector<cell>& row) { return is_number(row[column]); })) {
      numbers.push_back(column);
    }
  }
  if (numbers.size() < 2) {
    throw argument_error("the table", "'" + path.string() + "'",
                         "one with rows and two columns of numbers");
  }
  panel& p = f.panels.front();
  curve points;
  points.label = path.stem().string();
  points.points = true;
  points.shape = point_shape::triangle;
  constexpr std::size_t of_what_is_no_curve = 6;
  points.colour = of_what_is_no_curve;
  for (const std::vector<cell>& row : t.rows) {
    // On the axes of a map the places are logarithms where the axis is one.
    const double x = to_number(row[numbers[0]]);
    const double y = to_number(row[numbers[1]]);
    points.x.push_back(p.x_is_log10 ? std::log10(x) : x);
    points.y.push_back(p.y_is_log10 ? std::log10(y) : y);
  }
  p.curves.push_back(std::move(points));
}

}  // namespace loradyn
