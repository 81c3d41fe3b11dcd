#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <iterator>
#include <limits>
#include <loradyn/activation/parse.hpp>
#include <loradyn/figures/study_figures.hpp>
#include <loradyn/sweep/range.hpp>
#include <set>
#include <string>
#include <utility>
#include "figures/axes.hpp"
#include "figures/divergence.hpp"

namespace loradyn {
namespace {

template <class Row, class Value>
std::vector<double> column_of(const std::vector<Row>& rows, Value Row::*member) {
  std::vector<double> values;
  for (const Row& row : rows) {
    values.push_back(row.*member);
  }
  return values;
}

constexpr std::array<std::pair<const char*, point_shape>, 6> outcome_shapes{
    {{"learned", point_shape::disc},
     {"unlearned", point_shape::circle},
     {"trapped", point_shape::triangle},
     {"diverging", point_shape::square},
     {"cycling", point_shape::diamond},
     {"searching", point_shape::cross}}};

constexpr std::array<std::pair<const char*, point_shape>, 4> kind_shapes{
    {{"sink", point_shape::disc},
     {"neutral", point_shape::square},
     {"saddle", point_shape::circle},
     {"source", point_shape::cross}}};

// A key entry for a marker that has none: a point outside every figure has no value.
curve key_entry(const std::string& label, point_shape shape) {
  curve c;
  c.label = label;
  c.points = true;
  c.shape = shape;
  c.colour = 6;
  return c;
}

figure bifurcation_figure(const asked<study::fixed_points_problem>& of,
                          const std::vector<study::fixed_point_row>& rows) {
  const sweep_layout layout = layout_of(rows);
  const study::parameter& axis = *layout.axis;
  std::vector<std::string> names;
  panel p;
  p.x_label = axis.axis_title();
  p.y_label = "teacher overlap M at equilibrium";
  p.log_x = is_log_range(of.said, axis.name, layout.x);
  for (const study::fixed_point_row& row : rows) {
    const auto kind = std::find_if(kind_shapes.begin(), kind_shapes.end(),
                                   [&](const auto& k) { return k.first == row.kind; });
    if (kind == kind_shapes.end()) {
      continue;
    }
    auto name = std::find(names.begin(), names.end(), row.key.student);
    if (name == names.end()) {
      names.push_back(row.key.student);
      name = names.end() - 1;
    }
    const std::string label =
        names.size() > 1 ? row.key.student + ", " + kind->first : std::string(kind->first);
    auto c = std::find_if(p.curves.begin(), p.curves.end(), [&](const curve& known) {
      return known.shape == kind->second &&
             *known.colour == static_cast<std::size_t>(name - names.begin());
    });
    if (c == p.curves.end()) {
      p.curves.push_back(key_entry(label, kind->second));
      p.curves.back().colour = static_cast<std::size_t>(name - names.begin());
      c = p.curves.end() - 1;
    }
    c->x.push_back(*axis.get(row.key.at));
    c->y.push_back(row.M);
  }
  return {{std::move(p)}};
}

curve nullcline(const std::string& label, const std::vector<plane_segment>& segments,
                std::size_t colour) {
  curve c;
  c.label = label;
  c.style = line_style::solid;
  c.colour = colour;
  for (const plane_segment& s : segments) {
    for (const auto& end : s) {
      c.x.push_back(end[0]);
      c.y.push_back(end[1]);
    }
    c.x.push_back(s[1][0]);
    c.y.push_back(std::nan(""));
  }
  return c;
}

// The curves m′ = 0 of the plane s = 0 without friction, with all of m = ±1: m′ has the factor
// 1 - m² there, whose sign no search beside the edge sees.
std::vector<plane_segment> with_edges(const std::vector<plane_segment>& found, double reach) {
  constexpr double at_the_edge = 1e-6;
  std::vector<plane_segment> all;
  std::copy_if(found.begin(), found.end(), std::back_inserter(all), [](const plane_segment& s) {
    return std::min(std::abs(s[0][1]), std::abs(s[1][1])) < 1.0 - at_the_edge;
  });
  for (const double m : {1.0, -1.0}) {
    all.push_back({{{-reach, m}, {reach, m}}});
  }
  return all;
}

// The plane (u, m) at the s of the start, with the run from there.
figure plane_figure(const study::fixed_points_problem& problem,
                    const std::vector<study::fixed_point_row>& rows) {
  const study::row_key& key = rows.front().key;
  study::parameter_point at = key.at;
  at.start = problem.grid.otherwise.start;
  const study::phase_portrait portrait = study::portrait(
      learning_task(parse_activation(key.student), parse_activation(key.teacher)), at, rows);

  curve run;
  run.label = fmt::format("run from m = {}", portrait.start.m);
  run.style = line_style::solid;
  run.colour = 6;
  for (const overlap_state& x : portrait.run) {
    run.x.push_back(x.u);
    run.y.push_back(x.m);
  }
  const double reach = portrait.reach;
  const phase_plane& plane = portrait.plane;
  panel p;
  p.x_label = "adapter amplitude u";
  p.y_label = "adapter overlap m";
  const double length_u = 1.6 * reach / static_cast<double>(portrait.arrows);
  const double length_m = 1.6 / static_cast<double>(portrait.arrows);
  for (std::size_t i = 0; i < plane.places.size(); ++i) {
    // Directions on the page: the speeds span decades.
    const double du = plane.velocities[i].u / reach;
    const double dm = plane.velocities[i].m;
    const double speed = std::hypot(du, dm);
    if (std::isfinite(speed) && speed > 0.0) {
      p.field.push_back(
          {plane.places[i].u, plane.places[i].m, du / speed * length_u, dm / speed * length_m});
    }
  }
  p.y_range = {-1.0, 1.0};
  const double s = at.start.s;
  if (s != 0.0 || at.parameters.misalignment > 0.0) {
    p.title = fmt::format("the plane s = {}", s);
  }
  p.curves.push_back(nullcline("u′ = 0", plane.u_nullcline, 0));
  const bool on_edges = s == 0.0 && at.parameters.noise_scale == 0.0;
  p.curves.push_back(
      nullcline("m′ = 0", on_edges ? with_edges(plane.m_nullcline, reach) : plane.m_nullcline, 1));
  p.curves.push_back(std::move(run));
  for (const bool off : {false, true}) {
    for (const auto& [name, shape] : kind_shapes) {
      curve c = key_entry(off ? std::string(name) + " at another s" : name, shape);
      constexpr std::size_t of_its_own = 3;
      c.colour = off ? of_its_own : *c.colour;
      for (const study::fixed_point_row& row : rows) {
        constexpr double apart = 1e-6;  // less shows in no figure
        for (const double sign : {1.0, -1.0}) {
          if (row.kind == name && (std::abs(sign * row.x.s - s) > apart) == off) {
            c.x.push_back(sign * row.x.u);
            c.y.push_back(sign * row.x.m);
          }
        }
      }
      if (!c.x.empty()) {
        p.curves.push_back(std::move(c));
      }
    }
  }
  return {{std::move(p)}};
}

// Where the search time diverges between the rows of a curve over μ: the row behind it, and the
// critical alignment.
std::vector<std::pair<std::size_t, double>> breaks_of(const study::escape_problem& problem,
                                                      const std::vector<study::escape_row>& rows,
                                                      std::size_t begin, std::size_t end) {
  std::vector<std::pair<std::size_t, double>> breaks;
  if (rows[begin].key.at.parameters.misalignment != 0.0) {
    return breaks;
  }
  const divergence_finder finder(rows[begin].key, problem.pairs, problem.grid);
  for (std::size_t i = begin + 1; i < end; ++i) {
    if (const auto root = finder.between(rows[i - 1].key.at.parameters.alignment,
                                         rows[i].key.at.parameters.alignment)) {
      breaks.emplace_back(i, *root);
    }
  }
  return breaks;
}

}  // namespace

figure escape_figure(const asked<study::escape_problem>& of,
                     const std::vector<study::escape_row>& rows) {
  using row_type = study::escape_row;
  const sweep_layout layout = layout_of(rows);
  const study::parameter& axis = *layout.axis;
  const std::vector<double>& x = layout.x;
  const std::vector<double> hit = column_of(rows, &row_type::t_hit);
  const std::vector<double> linear = column_of(rows, &row_type::t_linear);
  std::vector<double> quantiles;
  if (!rows.empty() && !rows.front().law.quantiles.empty()) {
    quantiles = of.problem.request.quantiles;
  }
  panel p;
  p.x_label = axis.axis_title();
  p.y_label = "escape time" + unit_suffix(of.said);
  p.log_x = is_log_range(of.said, axis.name, x);
  p.log_y = true;
  std::set<std::string> seen;
  const bool one_pair = layout.curves.size() == layout.per_pair;
  p.value_label = layout.value_label();
  for (std::size_t k = 0; k < layout.curves.size(); ++k) {
    const auto [begin, end] = layout.curves[k];
    const auto slice = [begin = begin, end = end](const std::vector<double>& column) {
      return std::vector<double>(column.begin() + static_cast<std::ptrdiff_t>(begin),
                                 column.begin() + static_cast<std::ptrdiff_t>(end));
    };
    curve line;
    line.label = pair_label(rows[begin].key) + layout.label(rows[begin].key);
    line.x = slice(x);
    line.y = slice(hit);
    if (one_pair) {
      line.value = layout.value(rows[begin].key);
    }
    const std::vector<std::pair<std::size_t, double>> breaks =
        &axis == &study::registry::mu ? breaks_of(of.problem, rows, begin, end)
                                      : std::vector<std::pair<std::size_t, double>>{};
    for (const auto& [before, root] : breaks) {
      p.marks.push_back({root, fmt::format("{:.4g}", root), p.curves.size()});
    }
    const auto broken = [&breaks, begin = begin](curve c) {
      for (std::size_t i = breaks.size(); i-- > 0;) {
        const auto place = static_cast<std::ptrdiff_t>(breaks[i].first - begin);
        c.x.insert(c.x.begin() + place, breaks[i].second);
        c.y.insert(c.y.begin() + place, std::nan(""));
      }
      return c;
    };
    line.style = line_style::solid;
    line.colour = k;
    p.curves.push_back(broken(line));
    const bool first = k == 0;
    if (std::any_of(linear.begin(), linear.end(), [](double y) { return std::isfinite(y); })) {
      line.label = first ? "τ log(at/m0)" : "";
      line.y = slice(linear);
      line.style = line_style::dotted;
      p.curves.push_back(broken(line));
    }
    for (std::size_t q = 0; q < quantiles.size(); ++q) {
      line.label = first ? fmt::format("law, {:.10g} %", 100.0 * quantiles[q]) : "";
      line.y.clear();
      for (std::size_t i = begin; i < end; ++i) {
        line.y.push_back(rows[i].law.quantiles[q]);
      }
      line.style = line_style::dashed;
      p.curves.push_back(broken(line));
    }
    for (const auto& [name, shape] : outcome_shapes) {
      curve marks = key_entry(seen.insert(name).second ? name : "", shape);
      marks.colour = k;
      marks.value = line.value;
      for (std::size_t i = begin; i < end; ++i) {
        if (rows[i].outcome == name && std::isfinite(hit[i])) {
          marks.x.push_back(x[i]);
          marks.y.push_back(hit[i]);
        }
      }
      if (!marks.x.empty()) {
        p.curves.push_back(std::move(marks));
      } else if (k == 0) {
        seen.erase(name);
      }
    }
  }
  return {{std::move(p)}};
}

namespace {

// A risk that falls by decades is logarithmic. That of a run that learns falls to rounding; what is
// below says nothing.
void scale_risk(panel& p) {
  constexpr double rounding = 1e-14;
  double largest = 0.0;
  double least = std::numeric_limits<double>::infinity();
  for (const curve& c : p.curves) {
    for (const double y : c.y) {
      largest = std::max(largest, y);
      least = y > rounding ? std::min(least, y) : least;
    }
  }
  p.log_y = largest > 100.0 * least;
  for (curve& c : p.curves) {
    for (double& y : c.y) {
      y = p.log_y && !(y > rounding) ? std::nan("") : y;
    }
  }
}

}  // namespace

figure trajectory_figure(const asked<study::trajectory_family>& of,
                         const std::vector<study::trajectory_row>& rows) {
  using row_type = study::trajectory_row;
  const std::vector<double> time = column_of(rows, &row_type::t);
  const bool log_time = is_geometric(time);
  figure f;
  panel overlaps;
  overlaps.x_label = "time t" + unit_suffix(of.said);
  overlaps.y_label = "overlap";
  overlaps.log_x = log_time;
  const auto add = [&](const char* name, const auto& value) {
    curve c;
    c.label = name;
    c.x = time;
    for (const row_type& row : rows) {
      c.y.push_back(value(row));
    }
    if (std::any_of(c.y.begin(), c.y.end(), [](double y) { return y != 0.0; })) {
      overlaps.curves.push_back(std::move(c));
    }
  };
  add("u", [](const row_type& row) { return row.x.u; });
  add("m", [](const row_type& row) { return row.x.m; });
  add("s", [](const row_type& row) { return row.x.s; });
  add("M", [](const row_type& row) { return row.M; });
  panel risk;
  risk.x_label = overlaps.x_label;
  risk.y_label = "population risk";
  risk.log_x = log_time;
  curve c;
  c.label = "R";
  c.x = time;
  c.y = column_of(rows, &row_type::risk);
  risk.curves.push_back(std::move(c));
  scale_risk(risk);
  for (std::size_t i = 1; i < time.size(); ++i) {
    if (rows[i].stage != rows[i - 1].stage) {
      for (panel* p : {&overlaps, &risk}) {
        p->marks.push_back({time[i], fmt::format("stage {}", rows[i].stage), 6});
      }
    }
  }
  f.panels = {std::move(overlaps), std::move(risk)};
  return f;
}

figure family_figure(const asked<study::trajectory_family>& of,
                     const std::vector<study::family_row>& rows) {
  const std::vector<const study::parameter*> swept = of.problem.grid.told({});
  const auto same_run = [&swept](const study::family_row& a, const study::family_row& b) {
    return std::all_of(swept.begin(), swept.end(), [&](const study::parameter* p) {
      return p->get(a.key.at) == p->get(b.key.at);
    });
  };
  struct quantity {
    const char* title;
    double (*of)(const study::trajectory_row&);
  };
  constexpr std::array<quantity, 4> quantities{
      {{"adapter amplitude u", [](const study::trajectory_row& row) { return row.x.u; }},
       {"adapter overlap m", [](const study::trajectory_row& row) { return row.x.m; }},
       {"teacher overlap M", [](const study::trajectory_row& row) { return row.M; }},
       {"population risk", [](const study::trajectory_row& row) { return row.risk; }}}};
  figure f;
  for (const quantity& q : quantities) {
    panel p;
    p.x_label = "time t" + unit_suffix(of.said);
    p.y_label = q.title;
    for (std::size_t i = 0; i < rows.size(); ++i) {
      if (i == 0 || !same_run(rows[i - 1], rows[i])) {
        curve& c = p.curves.emplace_back();
        for (const study::parameter* s : swept) {
          c.label += fmt::format("{}{} = {}", c.label.empty() ? "" : ", ", s->symbol,
                                 *s->get(rows[i].key.at));
        }
        if (swept.size() == 1) {
          c.value = swept.front()->get(rows[i].key.at);
          p.value_label = swept.front()->axis_title();
        }
      }
      p.curves.back().x.push_back(rows[i].point.t);
      p.curves.back().y.push_back(q.of(rows[i].point));
    }
    p.log_x = !p.curves.empty() && is_geometric(p.curves.front().x);
    f.panels.push_back(std::move(p));
  }
  scale_risk(f.panels.back());
  return f;
}

figure fixed_points_figure(const asked<study::fixed_points_problem>& of,
                           const std::vector<study::fixed_point_row>& rows) {
  const bool one_point =
      std::all_of(rows.begin(), rows.end(), [&](const study::fixed_point_row& row) {
        return row.key.student == rows.front().key.student &&
               std::all_of(study::model_parameters.begin(), study::model_parameters.end(),
                           [&](const study::parameter* p) {
                             return p->get(row.key.at) == p->get(rows.front().key.at);
                           });
      });
  return one_point && !rows.empty() ? plane_figure(of.problem, rows) : bifurcation_figure(of, rows);
}

figure budget_figure(const asked<study::budget_problem>& of,
                     const std::vector<study::budget_row>& rows) {
  using row_type = study::budget_row;
  panel p;
  p.x_label = "pre-training time t_pre" + unit_suffix(of.said);
  p.y_label = "time" + unit_suffix(of.said);
  const std::vector<double> x = column_of(rows, &row_type::t_pre);
  p.log_x = (is_geometric(x) && x.front() > 0.0) || is_log_range(of.said, "t-pre", x);
  for (const auto& [member, label] :
       {std::pair(&row_type::t_total, "total"), {&row_type::t_finetune, "fine-tuning"}}) {
    curve c;
    c.label = label;
    c.x = x;
    c.y = column_of(rows, member);
    p.curves.push_back(std::move(c));
  }
  double largest = 0.0;
  double least = std::numeric_limits<double>::infinity();
  for (const curve& c : p.curves) {
    for (const double y : c.y) {
      if (std::isfinite(y) && y > 0.0) {
        largest = std::max(largest, y);
        least = std::min(least, y);
      }
    }
  }
  constexpr double decade = 10.0;
  p.log_y = largest > decade * least;
  const std::string best = question(of.said).text("best t_pre");
  if (!best.empty()) {
    const double at = parse_number("best t_pre", best);
    p.marks.push_back({at, fmt::format("{:.4g}", at), 0});
  }
  return {{std::move(p)}};
}

}  // namespace loradyn
