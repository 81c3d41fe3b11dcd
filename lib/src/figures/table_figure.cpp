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
#include <loradyn/sweep/range.hpp>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <variant>
#include <vector>
#include "figures/axes.hpp"

namespace loradyn {
namespace {

void require_rows(bool any) {
  if (!any) {
    throw argument_error("the table", "empty", "one with at least one row");
  }
}

// The figure of a table whose columns these are.
template <class Row, class Draw>
std::optional<figure> drawn_as(const study::row_description<Row>& columns, const table& t,
                               const Draw& draw) {
  if (columns.names() != t.columns) {
    return std::nullopt;
  }
  std::vector<Row> rows;
  for (const std::vector<cell>& cells : t.rows) {
    rows.push_back(columns.row(cells));
  }
  return draw(t.meta, rows);
}

study::row_description<study::escape_row> escape_columns_of(const provenance& meta) {
  std::optional<std::vector<double>> quantiles;
  if (!meta.parameter("dim").empty() && !meta.parameter("quantiles").empty()) {
    quantiles = parse_range("quantiles", meta.parameter("quantiles"));
  }
  return study::escape_columns(quantiles, told_by(meta, study::model_parameters));
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

// The figure of a network's table.
std::optional<figure> network_figure_of(const table& t) {
  const std::optional<study::network_shape> shape = study::shape_of(t.columns);
  std::optional<std::vector<double>> quantiles;
  if (!t.meta.parameter("dim").empty() && !t.meta.parameter("quantiles").empty()) {
    quantiles = parse_range("quantiles", t.meta.parameter("quantiles"));
  }
  if (shape) {
    if (auto f = drawn_as<study::network_escape_row>(
            study::network_escape_columns(*shape, quantiles), t, network_escape_figure)) {
      return f;
    }
    if (auto f = drawn_as<study::network_fixed_point_row>(
            study::network_fixed_point_columns(*shape), t, network_fixed_points_figure)) {
      return f;
    }
    if (auto f = drawn_as<study::network_run_row>(study::network_run_columns(*shape), t,
                                                  network_hitting_figure)) {
      return f;
    }
    if (auto f = drawn_as<study::network_summary_row>(
            study::network_summary_columns(*shape), t,
            [&](const provenance& meta, const std::vector<study::network_summary_row>& rows) {
              return network_ensemble_figure(meta, *shape, rows);
            })) {
      return f;
    }
    return drawn_as<study::network_trajectory_row>(
        study::network_trajectory_columns(*shape), t,
        [&](const provenance& meta, const std::vector<study::network_trajectory_row>& rows) {
          return network_trajectory_figure(meta, *shape, rows);
        });
  }
  const study::network_shape modes = modes_of(t.columns);
  return drawn_as<study::network_rates_row>(study::network_rates_columns(modes), t,
                                            network_rates_figure);
}

// Throws argument_error for a table of another make.
figure figure_of_table(const table& t) {
  // A table of critical alignments without a row says that there are none.
  require_rows(!t.rows.empty() || t.columns == study::critical_columns().names() ||
               t.columns == study::network_critical_columns(modes_of(t.columns)).names());
  std::optional<figure> f;
  const auto is = [&](const auto& columns, const auto& draw) {
    f = drawn_as(columns, t, draw);
    return f.has_value();
  };
  if (is(study::rates_columns(told_by(t.meta, study::rates_parameters)), rates_figure) ||
      is(study::critical_columns(), critical_figure) ||
      is(study::network_critical_columns(modes_of(t.columns)), network_critical_figure) ||
      is(study::trajectory_columns(), trajectory_figure) ||
      is(study::family_columns(told_by(t.meta, {})), family_figure) ||
      is(study::record_columns(), ensemble_figure) || is(study::run_columns(), hitting_figure) ||
      is(study::validation_columns(), validate_figure) ||
      is(study::budget_columns(), budget_figure) || is(escape_columns_of(t.meta), escape_figure) ||
      is(study::fixed_point_columns(), fixed_points_figure)) {
    return *std::move(f);
  }
  if (auto of_network = network_figure_of(t)) {
    return *std::move(of_network);
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
