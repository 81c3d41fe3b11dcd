#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <loradyn/analysis/zero_curves.hpp>
#include <loradyn/error.hpp>
#include <loradyn/sweep/range.hpp>
#include <numeric>

#include "figures.hpp"
#include "flow_options.hpp"
#include "phase.hpp"

namespace loradyn::cli {
namespace {

constexpr std::array<const char*, 4> outcome_names{"learned", "unlearned", "trapped", "searching"};

std::string axis_title(const phase_axis& axis) {
  if (axis.name == "mu") {
    return "pre-training alignment μ";
  }
  if (axis.name == "nu") {
    return "misalignment ν";
  }
  if (axis.name == "gamma") {
    return "noise scale γ";
  }
  if (axis.name == "noise") {
    return "label noise Δ";
  }
  if (axis.name == "lr-ratio") {
    return "learning rate ratio κ";
  }
  if (axis.name == "dim") {
    return "dimension d";
  }
  return axis.name;
}

// Where a value of an axis is drawn: a logarithmic one by its power of ten, so that cells are even.
double drawn(const phase_axis& axis, double value) {
  return axis.logarithmic ? std::log10(value) : value;
}

std::vector<double> drawn_values(const phase_axis& axis) {
  std::vector<double> values;
  for (const double v : axis.values) {
    values.push_back(drawn(axis, v));
  }
  return values;
}

double cell_width(const std::vector<double>& places) {
  return places.size() > 1
             ? (places.back() - places.front()) / static_cast<double>(places.size() - 1)
             : 1.0;
}

// The rims between cells of different outcomes.
curve outlines(const std::vector<double>& x, const std::vector<double>& y,
               const std::vector<int>& kinds) {
  curve c;
  c.style = line_style::solid;
  c.colour = 6;
  const double half_x = 0.5 * cell_width(x);
  const double half_y = 0.5 * cell_width(y);
  const auto kind = [&](std::size_t i, std::size_t k) { return kinds[k * x.size() + i]; };
  const auto add = [&c](double x0, double y0, double x1, double y1) {
    c.x.insert(c.x.end(), {x0, x1, x1});
    c.y.insert(c.y.end(), {y0, y1, std::nan("")});
  };
  for (std::size_t k = 0; k < y.size(); ++k) {
    for (std::size_t i = 0; i < x.size(); ++i) {
      if (i + 1 < x.size() && kind(i, k) != kind(i + 1, k)) {
        add(x[i] + half_x, y[k] - half_y, x[i] + half_x, y[k] + half_y);
      }
      if (k + 1 < y.size() && kind(i, k) != kind(i, k + 1)) {
        add(x[i] - half_x, y[k] + half_y, x[i] + half_x, y[k] + half_y);
      }
    }
  }
  return c;
}

// The name of each outcome in the middle of its largest connected part, at the cell of the part
// that is nearest to the part's centre.
std::vector<panel_text> outcome_texts(const std::vector<double>& x, const std::vector<double>& y,
                                      const std::vector<int>& kinds) {
  constexpr double least_share = 0.02;
  std::vector<panel_text> texts;
  std::vector<char> seen(kinds.size(), 0);
  std::array<std::vector<std::size_t>, outcome_names.size()> largest;
  for (std::size_t start = 0; start < kinds.size(); ++start) {
    if (seen[start] != 0 || kinds[start] < 0) {
      continue;
    }
    std::vector<std::size_t> part{start};
    seen[start] = 1;
    for (std::size_t n = 0; n < part.size(); ++n) {
      const std::size_t i = part[n] % x.size();
      const std::size_t k = part[n] / x.size();
      const auto visit = [&](bool exists, std::size_t next) {
        if (exists && seen[next] == 0 && kinds[next] == kinds[start]) {
          seen[next] = 1;
          part.push_back(next);
        }
      };
      visit(i > 0, part[n] - 1);
      visit(i + 1 < x.size(), part[n] + 1);
      visit(k > 0, part[n] - x.size());
      visit(k + 1 < y.size(), part[n] + x.size());
    }
    auto& best = largest[static_cast<std::size_t>(kinds[start])];
    if (part.size() > best.size()) {
      best = std::move(part);
    }
  }
  for (std::size_t kind = 0; kind < largest.size(); ++kind) {
    const std::vector<std::size_t>& part = largest[kind];
    if (static_cast<double>(part.size()) < least_share * static_cast<double>(kinds.size())) {
      continue;
    }
    double mean_i = 0.0;
    double mean_k = 0.0;
    for (const std::size_t n : part) {
      mean_i += static_cast<double>(n % x.size()) / static_cast<double>(part.size());
      mean_k += static_cast<double>(n / x.size()) / static_cast<double>(part.size());
    }
    const auto off_centre = [&](std::size_t n) {
      return std::hypot(
          (static_cast<double>(n % x.size()) - mean_i) / static_cast<double>(x.size()),
          (static_cast<double>(n / x.size()) - mean_k) / static_cast<double>(y.size()));
    };
    const std::size_t middle = *std::min_element(
        part.begin(), part.end(),
        [&](std::size_t a, std::size_t b) { return off_centre(a) < off_centre(b); });
    texts.push_back({x[middle % x.size()], y[middle / x.size()], outcome_names[kind]});
  }
  return texts;
}

void add_critical_lines(panel& p, const phase_grid& grid) {
  const auto& [x, y] = grid.axes();
  if (!grid.has_critical_lines() || x.values.size() < 2 || y.values.size() < 2) {
    return;
  }
  constexpr std::size_t cells = 48;
  const auto value_at = [](const phase_axis& axis, double place) {
    return axis.logarithmic ? std::pow(10.0, place) : place;
  };
  const auto curves =
      zero_curves([&](double a, double b) { return grid.drive(value_at(x, a), value_at(y, b)); },
                  {drawn(x, x.values.front()), drawn(x, x.values.back()),
                   drawn(y, y.values.front()), drawn(y, y.values.back())},
                  cells);
  curve line;
  line.label = "A = 0";
  line.style = line_style::dashed;
  line.colour = 1;
  for (const plane_curve& c : curves) {
    for (const auto& point : c.points) {
      line.x.push_back(point[0]);
      line.y.push_back(point[1]);
    }
    if (c.closed) {
      line.x.push_back(c.points.front()[0]);
      line.y.push_back(c.points.front()[1]);
    }
    line.x.push_back(line.x.back());
    line.y.push_back(std::nan(""));
  }
  if (!line.x.empty()) {
    p.curves.push_back(std::move(line));
  }
}

}  // namespace

phase_setting setting_of_parameters(
    const std::vector<std::pair<std::string, std::string>>& parameters) {
  const auto text = [&parameters](const std::string& name) {
    const auto found = std::find_if(parameters.begin(), parameters.end(),
                                    [&](const auto& p) { return p.first == name; });
    return found == parameters.end() ? std::string() : found->second;
  };
  shared_options shared;
  start_options start;
  event_options event;
  integrator_options integrator;
  phase_setting s;
  s.student = text("student");
  s.teacher = text("teacher") == "as the student" ? "" : text("teacher");
  s.mu = text("mu");
  s.fisher = text("time-unit") == "fisher";
  s.tau_only = text("only") == "tau";
  shared.nu = text("nu");
  shared.gamma = text("gamma");
  shared.noise = text("noise");
  shared.lr_ratio = text("lr-ratio");
  s.parameters = read_parameters(shared);
  s.parameters.misalignment = read_single_nu(shared, "one number, or an axis");
  start.u0 = text("u0") == "default" ? "" : text("u0");
  start.m0 = text("m0");
  start.s0 = text("s0");
  s.request.start = read_start(start);
  event.quantity = text("event").substr(0, text("event").find(' '));
  event.is_signed = text("event").ends_with(" signed");
  event.at = text("at") == "default" ? "" : text("at");
  s.request.event = read_event(event);
  integrator.t_max = text("t-max");
  integrator.rtol = text("rtol");
  integrator.atol = text("atol");
  integrator.method = text("stepper");
  integrator.max_steps = static_cast<std::size_t>(parse_number("max-steps", text("max-steps")));
  s.request.integrator = read_integrator(integrator, 1.0);
  if (const std::string dim = text("dim"); !dim.empty() && dim != "none") {
    s.request.dimension = read_dimension(dim);
  }
  s.request.quantiles = read_quantiles(text("quantiles"));
  return s;
}

figure phase_figure(const table& t, const std::string& show) {
  const auto text = [&t](const char* name) { return std::string(t.meta.parameter(name)); };
  const phase_grid grid(setting_of_parameters(t.meta.parameters), text("x"), text("y"));
  const auto& [x_axis, y_axis] = grid.axes();
  const std::vector<double> x = drawn_values(x_axis);
  const std::vector<double> y = drawn_values(y_axis);

  std::vector<int> kinds(grid.cells(), -1);
  const bool tau_only = grid.setting().tau_only;
  const std::vector<std::string> outcomes =
      tau_only ? std::vector<std::string>() : t.texts("outcome");
  for (std::size_t i = 0; i < std::min(outcomes.size(), kinds.size()); ++i) {
    const auto name = std::find(outcome_names.begin(), outcome_names.end(), outcomes[i]);
    if (name != outcome_names.end()) {
      kinds[i] = static_cast<int>(name - outcome_names.begin());
    }
  }

  const std::string what = tau_only ? "tau" : (show.empty() ? text("show") : show);
  heat_map heat{x, y, std::vector<double>(grid.cells(), std::nan("")), "", {}};
  const std::string unit = unit_suffix(t);
  if (what == "outcome") {
    heat.label = "outcome";
    heat.categories.assign(outcome_names.begin(), outcome_names.end());
    for (std::size_t i = 0; i < kinds.size(); ++i) {
      heat.z[i] = kinds[i] < 0 ? std::nan("") : static_cast<double>(kinds[i]);
    }
  } else {
    const std::string column = what == "tau" ? "tau" : (what == "risk" ? "risk_end" : "t_hit");
    const std::vector<double> values = t.numbers(column);
    for (std::size_t i = 0; i < std::min(values.size(), heat.z.size()); ++i) {
      heat.z[i] = what == "risk" ? values[i] : std::log10(values[i]);
    }
    heat.label = what == "tau"    ? "log₁₀ of the search time τ" + unit
                 : what == "risk" ? "risk at the end"
                                  : "log₁₀ of the escape time" + unit;
  }

  panel p;
  p.x_label = axis_title(x_axis);
  p.y_label = axis_title(y_axis);
  p.x_is_log10 = x_axis.logarithmic;
  p.y_is_log10 = y_axis.logarithmic;
  p.heat = std::move(heat);
  curve rims = outlines(x, y, kinds);
  if (!rims.x.empty()) {
    p.curves.push_back(std::move(rims));
  }
  add_critical_lines(p, grid);
  p.texts = outcome_texts(x, y, kinds);
  return {{std::move(p)}};
}

}  // namespace loradyn::cli
