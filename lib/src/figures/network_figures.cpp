#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <loradyn/figures/network_figures.hpp>
#include <loradyn/figures/study_figures.hpp>
#include <set>
#include <string>
#include <utility>
#include "figures/axes.hpp"
#include "figures/hits.hpp"

namespace loradyn {
namespace {

// More curves than this have no room in a key.
constexpr std::size_t most_in_key = 6;

// A curve by its name; where there are many, the group that it is of, and that group's number.
struct entry {
  std::string name;
  std::string group;
  std::size_t number = 0;
};

// A panel of the entries of a matrix, in the rows' order, over time.
template <class Row, class Values>
panel entries_panel(const std::vector<Row>& rows, const std::vector<entry>& entries,
                    const std::string& label, const Values& values) {
  panel p;
  p.y_label = label;
  std::set<std::size_t> told;
  for (std::size_t i = 0; i < entries.size(); ++i) {
    curve c;
    if (entries.size() <= most_in_key) {
      c.label = entries[i].name;
    } else {
      c.colour = entries[i].number % most_in_key;
      c.style = entries[i].number < most_in_key ? line_style::solid : line_style::dashed;
      if (told.size() < most_in_key && told.insert(entries[i].number).second) {
        c.label = entries[i].group;
      }
    }
    for (const Row& row : rows) {
      c.x.push_back(row.t);
      c.y.push_back(values(row)[i]);
    }
    p.curves.push_back(std::move(c));
  }
  return p;
}

// The entries of a matrix, grouped by what `group` says of row and column, counted from 0.
template <class Group>
std::vector<entry> entries_of(const char* name, std::ptrdiff_t rows, std::ptrdiff_t columns,
                              const Group& group) {
  std::vector<entry> entries;
  for (std::ptrdiff_t i = 0; i < rows; ++i) {
    for (std::ptrdiff_t j = 0; j < columns; ++j) {
      const auto [title, number] = group(i, j);
      entries.push_back({fmt::format("{} {},{}", name, i + 1, j + 1), title, number});
    }
  }
  return entries;
}

// The first parameter that varies, else the first.
template <class Row>
const study::parameter& axis_of(const std::vector<Row>& rows) {
  for (const study::parameter* p : study::model_parameters) {
    std::set<double> values;
    for (const Row& row : rows) {
      values.insert(*p->get(row.key.at));
    }
    if (values.size() > 1) {
      return *p;
    }
  }
  return *study::model_parameters.front();
}

// A curve for each pair of activations, told by `which`, in the order of their first rows.
template <class Row, class Label, class Value>
void add_curves(panel& p, const std::vector<Row>& rows, const study::parameter& axis,
                const Label& label, const Value& value) {
  for (const Row& row : rows) {
    const std::string name = label(row);
    auto c = std::find_if(p.curves.begin(), p.curves.end(),
                          [&](const curve& known) { return known.label == name; });
    if (c == p.curves.end()) {
      p.curves.push_back({});
      p.curves.back().label = name;
      c = p.curves.end() - 1;
    }
    c->x.push_back(*axis.get(row.key.at));
    c->y.push_back(value(row));
  }
}

template <class Row>
std::vector<double> places_of(const std::vector<Row>& rows, const study::parameter& axis) {
  std::vector<double> values;
  for (const Row& row : rows) {
    values.push_back(*axis.get(row.key.at));
  }
  return values;
}

}  // namespace

figure network_trajectory_figure(const asked<study::network_trajectory_problem>& of,
                                 const std::vector<study::network_trajectory_row>& rows) {
  const study::network_shape shape = study::shape_of(of.problem.layout);
  using row_type = study::network_trajectory_row;
  figure f;
  const auto own_target = [&](std::ptrdiff_t j, std::ptrdiff_t i) {
    const bool own = j % shape.teacher_width == i;
    return std::pair<std::string, std::size_t>(own ? "own target" : "others", own ? 0 : 1);
  };
  const auto numbered = [](const char* what, std::ptrdiff_t i) {
    return std::pair<std::string, std::size_t>(fmt::format("{} {}", what, i + 1),
                                               static_cast<std::size_t>(i));
  };
  const auto add = [&](const std::vector<entry>& entries, const char* label,
                       std::vector<double> study::network_record::*values) {
    f.panels.push_back(entries_panel(rows, entries, label,
                                     [values](const row_type& row) { return row.at.*values; }));
  };
  add(entries_of("M", shape.width, shape.teacher_width, own_target), "overlap of the weights",
      &study::network_record::M);
  add(entries_of("m", shape.rank, shape.teacher_width,
                 [&](std::ptrdiff_t a, std::ptrdiff_t) { return numbered("adapter", a); }),
      "overlap of the adapters with the targets", &study::network_record::m);
  add(entries_of("U", shape.width, shape.rank,
                 [&](std::ptrdiff_t, std::ptrdiff_t a) { return numbered("adapter", a); }),
      "amplitude", &study::network_record::U);
  std::vector<entry> risks{{"R", "", 0}};
  if (shape.has_source) {
    risks.push_back({"R of the source", "", 1});
  }
  panel risk = entries_panel(rows, risks, "population risk", [](const row_type& row) {
    return std::vector<double>{row.at.risk, row.at.source_risk};
  });
  // The risk of a run that learns falls to rounding; what is below says nothing.
  constexpr double rounding = 1e-14;
  double most = 0.0;
  double least = std::numeric_limits<double>::infinity();
  for (curve& c : risk.curves) {
    for (double& y : c.y) {
      y = y > rounding ? y : std::nan("");
      if (!std::isnan(y)) {
        most = std::max(most, y);
        least = std::min(least, y);
      }
    }
  }
  risk.log_y = most > 100.0 * least;
  f.panels.push_back(std::move(risk));
  std::vector<double> times;
  for (const row_type& row : rows) {
    times.push_back(row.t);
  }
  for (panel& p : f.panels) {
    p.x_label = "time t" + unit_suffix(of.said);
    p.log_x = is_geometric(times);
    for (std::size_t i = 1; i < rows.size(); ++i) {
      if (rows[i].stage != rows[i - 1].stage) {
        p.marks.push_back({times[i], fmt::format("stage {}", rows[i].stage), 6});
      }
    }
  }
  return f;
}

namespace {

// Times of the rows over a parameter.
template <class Row>
panel panel_of_times(const parameter_list& said, const std::vector<Row>& rows,
                     const study::parameter& axis, const std::string& what) {
  panel p;
  p.x_label = axis.axis_title();
  p.y_label = what + unit_suffix(said);
  p.log_x = is_log_range(said, axis.name, places_of(rows, axis));
  p.log_y = true;
  return p;
}

}  // namespace

figure network_escape_figure(const asked<study::network_escape_problem>& of,
                             const std::vector<study::network_escape_row>& rows) {
  using row_type = study::network_escape_row;
  const study::parameter& axis = axis_of(rows);
  panel p = panel_of_times(of.said, rows, axis, "time");
  add_curves(
      p, rows, axis, [](const row_type& row) { return pair_label(row.key) + ", escape"; },
      [](const row_type& row) { return row.t_hit; });
  add_curves(
      p, rows, axis, [](const row_type& row) { return pair_label(row.key) + ", search time"; },
      [](const row_type& row) { return row.tau; });
  return {{std::move(p)}};
}

figure network_rates_figure(const asked<study::network_rates_problem>& of,
                            const std::vector<study::network_rates_row>& rows) {
  using row_type = study::network_rates_row;
  const study::parameter& axis = axis_of(rows);
  panel p = panel_of_times(of.said, rows, axis, "search time");
  add_curves(
      p, rows, axis,
      [](const row_type& row) { return fmt::format("{}, mode {}", pair_label(row.key), row.mode); },
      [](const row_type& row) { return row.tau; });
  return {{std::move(p)}};
}

figure network_fixed_points_figure(const asked<study::network_fixed_points_problem>& of,
                                   const std::vector<study::network_fixed_point_row>& rows) {
  using row_type = study::network_fixed_point_row;
  const study::parameter& axis = axis_of(rows);
  const std::vector<double> places = places_of(rows, axis);
  const bool varies = std::set<double>(places.begin(), places.end()).size() > 1;
  const std::set<std::string> pairs = [&] {
    std::set<std::string> labels;
    for (const row_type& row : rows) {
      labels.insert(pair_label(row.key));
    }
    return labels;
  }();
  panel p;
  p.x_label = varies ? axis.axis_title() : "mean overlap of the neurons with their targets";
  p.y_label = varies ? "mean overlap of the neurons with their targets" : "population risk";
  p.log_x = varies && is_log_range(of.said, axis.name, places);
  for (const row_type& row : rows) {
    const std::string label = pairs.size() > 1 ? pair_label(row.key) + ", " + row.kind : row.kind;
    auto c = std::find_if(p.curves.begin(), p.curves.end(),
                          [&](const curve& known) { return known.label == label; });
    if (c == p.curves.end()) {
      c = p.curves.insert(c, curve{});
      c->label = label;
      c->points = true;
    }
    c->x.push_back(varies ? *axis.get(row.key.at) : row.at.mean_overlap);
    c->y.push_back(varies ? row.at.mean_overlap : row.at.risk);
  }
  return {{std::move(p)}};
}

figure network_critical_figure(const asked<study::network_critical_problem>& of,
                               const std::vector<study::network_critical_row>& rows) {
  std::vector<study::critical_row> roots;
  for (const study::network_critical_row& row : rows) {
    roots.push_back({row.key, row.mu_c, row.B, row.slope, row.status});
  }
  return roots_figure(of.said, roots);
}

figure network_ensemble_figure(const asked<study::network_simulate_problem>& of,
                               const std::vector<study::network_summary_row>& rows) {
  const study::network_shape shape = study::shape_of(of.problem.layout);
  std::vector<double> times;
  for (const study::network_summary_row& row : rows) {
    times.push_back(row.t);
  }
  const std::vector<std::string> columns = study::network_summary_columns(shape).names();
  constexpr std::size_t fixed = 5;       // columns that are no quantity's
  constexpr std::size_t statistics = 5;  // mean, deviation and three quantiles
  figure f;
  for (const auto& [start, label] : {std::pair("M_", "overlap of the weights"),
                                     {"m_", "overlap of the adapters"},
                                     {"U_", "amplitude"},
                                     {"risk_", "population risk"}}) {
    panel p;
    p.x_label = "time t" + unit_suffix(of.said);
    p.y_label = label;
    p.log_x = is_geometric(times);
    std::vector<std::size_t> places;
    for (std::size_t i = fixed; i < columns.size(); i += statistics) {
      if (columns[i].starts_with(start) && columns[i] != "M_mean_mean") {
        places.push_back(i - fixed);
      }
    }
    const bool family = places.size() > most_in_key;
    for (std::size_t k = 0; k < places.size(); ++k) {
      const std::string name = columns[fixed + places[k]];
      const auto add = [&](const std::string& key, std::size_t statistic, line_style style) {
        curve c;
        c.label = key;
        c.x = times;
        for (const study::network_summary_row& row : rows) {
          c.y.push_back(row.values[places[k] + statistic]);
        }
        c.style = style;
        c.colour = k;
        p.curves.push_back(std::move(c));
      };
      if (family) {
        add("", 0, line_style::solid);
        p.curves.back().value = static_cast<double>(k + 1);
        p.value_label = "entry, row after row";
        continue;
      }
      add(name.substr(0, name.size() - std::string("_mean").size()) + ", mean and 5, 95 %", 0,
          line_style::solid);
      add("", 2, line_style::dashed);
      add("", 4, line_style::dashed);
    }
    f.panels.push_back(std::move(p));
  }
  return f;
}

figure network_hitting_figure(const asked<study::network_simulate_problem>& of,
                              const std::vector<study::network_run_row>& rows) {
  std::vector<double> times;
  for (const study::network_run_row& row : rows) {
    if (std::isfinite(row.t_hit)) {
      times.push_back(row.t_hit);
    }
  }
  return {{hitting_panel(of.said, times)}};
}

}  // namespace loradyn
