#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <loradyn/activation/parse.hpp>
#include <loradyn/analysis/outcome.hpp>
#include <loradyn/analysis/phase_plane.hpp>
#include <loradyn/sweep/range.hpp>
#include <set>
#include <string>
#include <utility>

#include "figures.hpp"

namespace loradyn::cli {
namespace {

// The first of some columns that varies, else the first.
std::string axis_of(const table& t, const std::vector<std::string>& candidates) {
  for (const std::string& name : candidates) {
    const std::vector<double> values = t.numbers(name);
    if (std::set<double>(values.begin(), values.end()).size() > 1) {
      return name;
    }
  }
  return candidates.front();
}

const std::vector<std::string>& sweep_axes() {
  static const std::vector<std::string> names{"mu", "nu", "gamma", "noise", "lr_ratio"};
  return names;
}

bool geometric(const std::vector<double>& x) {
  return x.size() > 2 && x[1] > 0.0 && x.back() / x[1] > 50.0 &&
         x[x.size() - 1] - x[x.size() - 2] > 3.0 * (x[2] - x[1]);
}

constexpr std::array<std::pair<const char*, point_shape>, 5> outcome_shapes{
    {{"learned", point_shape::disc},
     {"unlearned", point_shape::circle},
     {"trapped", point_shape::triangle},
     {"diverging", point_shape::square},
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

figure bifurcation_figure(const table& t, const std::string& axis) {
  const std::vector<double> x = t.numbers(axis);
  const std::vector<double> M = t.numbers("M");
  const std::vector<std::string> kinds = t.texts("kind");
  const std::vector<std::string> students = t.texts("student");
  std::vector<std::string> names;
  panel p;
  p.x_label = parameter_title(axis);
  p.y_label = "teacher overlap M at equilibrium";
  for (std::size_t i = 0; i < t.rows.size(); ++i) {
    const auto kind = std::find_if(kind_shapes.begin(), kind_shapes.end(),
                                   [&](const auto& k) { return k.first == kinds[i]; });
    if (kind == kind_shapes.end()) {
      continue;
    }
    auto name = std::find(names.begin(), names.end(), students[i]);
    if (name == names.end()) {
      names.push_back(students[i]);
      name = names.end() - 1;
    }
    const std::string label =
        names.size() > 1 ? students[i] + ", " + kind->first : std::string(kind->first);
    auto c = std::find_if(p.curves.begin(), p.curves.end(), [&](const curve& known) {
      return known.shape == kind->second &&
             *known.colour == static_cast<std::size_t>(name - names.begin());
    });
    if (c == p.curves.end()) {
      p.curves.push_back(key_entry(label, kind->second));
      p.curves.back().colour = static_cast<std::size_t>(name - names.begin());
      c = p.curves.end() - 1;
    }
    c->x.push_back(x[i]);
    c->y.push_back(M[i]);
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

// The plane (u, m) at the s of the start, with the run from there.
figure plane_figure(const table& t) {
  const auto first = [&t](const char* column) { return t.numbers(column).front(); };
  lora_parameters parameters;
  parameters.alignment = first("mu");
  parameters.misalignment = first("nu");
  parameters.noise_scale = first("gamma");
  parameters.label_noise = first("noise");
  parameters.rate_ratio = first("lr_ratio");
  const learning_task task(parse_activation(t.texts("student").front()),
                           parse_activation(t.texts("teacher").front()));
  const flow f(task, parameters);
  const auto start_value = [&t](const char* name, double otherwise) {
    const std::string_view text = t.meta.parameter(name);
    return text.empty() || text == "default" ? otherwise : parse_number(name, text);
  };
  const overlap_state start{start_value("u0", 1e-6), start_value("m0", 0.03),
                            start_value("s0", 0.0)};

  curve run;
  run.label = fmt::format("run from m = {}", start.m);
  run.style = line_style::solid;
  run.colour = 6;
  run.x.push_back(start.u);
  run.y.push_back(start.m);
  rest_detector at_rest(f);
  integration_options options;
  constexpr double path_tolerance = 1e-6;
  options.relative_tolerance = path_tolerance;
  options.step_limit = 100'000;
  const auto observer = [&](const dense_step<3>& step) {
    constexpr int pieces = 4;
    for (int k = 1; k <= pieces; ++k) {
      const auto x = step.at(std::lerp(step.begin, step.end, static_cast<double>(k) / pieces));
      run.x.push_back(x[0]);
      run.y.push_back(x[1]);
    }
    return !at_rest(step);
  };
  integrate<3>(system_of(f), start.pack(), 0.0, options, {}, observer);

  const std::vector<double> u = t.numbers("u");
  const std::vector<double> m = t.numbers("m");
  double reach = 0.1;
  for (const double value : u) {
    reach = std::max(reach, std::isfinite(value) ? 1.2 * std::abs(value) : 0.0);
  }
  for (const double value : run.x) {
    reach = std::max(reach, 1.1 * std::abs(value));
  }
  constexpr std::size_t arrows = 23;
  const phase_plane plane = plane_of(f, reach, start.s, arrows);
  panel p;
  p.x_label = "adapter amplitude u";
  p.y_label = "adapter overlap m";
  const double length_u = 1.6 * reach / static_cast<double>(arrows);
  const double length_m = 1.6 / static_cast<double>(arrows);
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
  p.curves.push_back(nullcline("u′ = 0", plane.u_nullcline, 0));
  p.curves.push_back(nullcline("m′ = 0", plane.m_nullcline, 1));
  p.curves.push_back(std::move(run));
  const std::vector<std::string> kinds = t.texts("kind");
  for (const auto& [name, shape] : kind_shapes) {
    curve c = key_entry(name, shape);
    for (std::size_t i = 0; i < t.rows.size(); ++i) {
      if (kinds[i] == name) {
        c.x.insert(c.x.end(), {u[i], -u[i]});
        c.y.insert(c.y.end(), {m[i], -m[i]});
      }
    }
    if (!c.x.empty()) {
      p.curves.push_back(std::move(c));
    }
  }
  return {{std::move(p)}};
}

}  // namespace

figure escape_figure(const table& t) {
  const std::string axis = axis_of(t, sweep_axes());
  const std::vector<double> x = t.numbers(axis);
  const std::vector<double> hit = t.numbers("t_hit");
  const std::vector<double> linear = t.numbers("t_linear");
  const std::vector<std::string> outcomes = t.texts("outcome");
  const std::vector<std::string> students = t.texts("student");
  const std::vector<std::string> teachers = t.texts("teacher");
  const bool has_law = t.find("t_mean").has_value();
  std::vector<std::vector<double>> others;
  for (const std::string& name : sweep_axes()) {
    if (name != axis) {
      others.push_back(t.numbers(name));
    }
  }
  panel p;
  p.x_label = parameter_title(axis);
  p.y_label = "escape time" + unit_suffix(t.meta);
  p.log_y = true;
  std::vector<std::pair<std::size_t, std::size_t>> curves;
  for (std::size_t i = 0; i < t.rows.size(); ++i) {
    const bool goes_on = i > 0 && students[i] == students[i - 1] &&
                         teachers[i] == teachers[i - 1] && x[i] > x[i - 1] &&
                         std::all_of(others.begin(), others.end(), [i](const auto& column) {
                           return column[i] == column[i - 1];
                         });
    if (!goes_on) {
      curves.emplace_back(i, i);
    }
    curves.back().second = i + 1;
  }
  std::set<std::string> seen;
  for (std::size_t k = 0; k < curves.size(); ++k) {
    const auto [begin, end] = curves[k];
    const auto slice = [begin = begin, end = end](const std::vector<double>& column) {
      return std::vector<double>(column.begin() + static_cast<std::ptrdiff_t>(begin),
                                 column.begin() + static_cast<std::ptrdiff_t>(end));
    };
    std::string label = students[begin];
    if (teachers[begin] != students[begin]) {
      label += " / " + teachers[begin];
    }
    std::size_t column = 0;
    for (const std::string& name : sweep_axes()) {
      if (name != axis) {
        const std::vector<double>& values = others[column++];
        if (std::set<double>(values.begin(), values.end()).size() > 1) {
          label += fmt::format(", {} = {}", name, values[begin]);
        }
      }
    }
    curve line;
    line.label = label;
    line.x = slice(x);
    line.y = slice(hit);
    line.style = line_style::solid;
    line.colour = k;
    p.curves.push_back(line);
    const bool first = k == 0;
    if (std::any_of(linear.begin(), linear.end(), [](double y) { return std::isfinite(y); })) {
      line.label = first ? "τ log(at/m0)" : "";
      line.y = slice(linear);
      line.style = line_style::dotted;
      p.curves.push_back(line);
    }
    if (has_law) {
      for (const std::string& name : t.columns) {
        if (name.starts_with("t_q")) {
          line.label = first ? "law, " + name.substr(3) + " %" : "";
          line.y = slice(t.numbers(name));
          line.style = line_style::dashed;
          p.curves.push_back(line);
        }
      }
    }
    for (const auto& [name, shape] : outcome_shapes) {
      curve marks = key_entry(seen.insert(name).second ? name : "", shape);
      marks.colour = k;
      for (std::size_t i = begin; i < end; ++i) {
        if (outcomes[i] == name && std::isfinite(hit[i])) {
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

figure trajectory_figure(const table& t) {
  const std::vector<double> time = t.numbers("t");
  const bool log_time = geometric(time);
  figure f;
  panel overlaps;
  overlaps.x_label = "time t" + unit_suffix(t.meta);
  overlaps.y_label = "overlap";
  overlaps.log_x = log_time;
  for (const char* name : {"u", "m", "s", "M"}) {
    const std::vector<double> values = t.numbers(name);
    if (std::any_of(values.begin(), values.end(), [](double y) { return y != 0.0; })) {
      curve c;
      c.label = name;
      c.x = time;
      c.y = values;
      overlaps.curves.push_back(std::move(c));
    }
  }
  panel risk;
  risk.x_label = overlaps.x_label;
  risk.y_label = "population risk";
  risk.log_x = log_time;
  curve c;
  c.label = "R";
  c.x = time;
  c.y = t.numbers("risk");
  // The risk of a run that learns falls to rounding; what is below says nothing.
  constexpr double rounding = 1e-14;
  double largest = 0.0;
  double least = std::numeric_limits<double>::infinity();
  for (double& y : c.y) {
    largest = std::max(largest, y);
    if (y > rounding) {
      least = std::min(least, y);
    }
  }
  risk.log_y = largest > 100.0 * least;
  if (risk.log_y) {
    for (double& y : c.y) {
      y = y > rounding ? y : std::nan("");
    }
  }
  risk.curves.push_back(std::move(c));
  const std::vector<double> stage = t.numbers("stage");
  for (std::size_t i = 1; i < time.size(); ++i) {
    if (stage[i] != stage[i - 1]) {
      for (panel* p : {&overlaps, &risk}) {
        p->marks.push_back({time[i], fmt::format("stage {}", stage[i]), 6});
      }
    }
  }
  f.panels = {std::move(overlaps), std::move(risk)};
  return f;
}

figure fixed_points_figure(const table& t) {
  std::set<std::string> points;
  std::vector<std::vector<std::string>> columns{t.texts("student")};
  for (const std::string& name : sweep_axes()) {
    columns.push_back(t.texts(name));
  }
  for (std::size_t i = 0; i < t.rows.size(); ++i) {
    std::string key;
    for (const std::vector<std::string>& column : columns) {
      key += column[i] + " ";
    }
    points.insert(key);
  }
  return points.size() == 1 ? plane_figure(t) : bifurcation_figure(t, axis_of(t, sweep_axes()));
}

figure budget_figure(const table& t) {
  panel p;
  p.x_label = "pre-training time t_pre" + unit_suffix(t.meta);
  p.y_label = "time" + unit_suffix(t.meta);
  const std::vector<double> x = t.numbers("t_pre");
  p.log_x = geometric(x) && x.front() > 0.0;
  for (const auto& [column, label] :
       {std::pair("t_total", "total"), std::pair("t_finetune", "fine-tuning")}) {
    curve c;
    c.label = label;
    c.x = x;
    c.y = t.numbers(column);
    p.curves.push_back(std::move(c));
  }
  double largest = 0.0;
  double least = std::numeric_limits<double>::infinity();
  for (const double y : p.curves.front().y) {
    if (std::isfinite(y) && y > 0.0) {
      largest = std::max(largest, y);
      least = std::min(least, y);
    }
  }
  p.log_y = largest > 30.0 * least;
  const std::string_view best = t.meta.parameter("best t_pre");
  if (!best.empty() && best != "none") {
    const double at = parse_number("best t_pre", best);
    p.marks.push_back({at, fmt::format("{:.4g}", at), 0});
  }
  return {{std::move(p)}};
}

}  // namespace loradyn::cli
