#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <iterator>
#include <loradyn/analysis/zero_curves.hpp>
#include <loradyn/error.hpp>
#include <loradyn/simulation/random.hpp>
#include <loradyn/sweep/range.hpp>
#include <memory>
#include <optional>
#include <utility>
#include <variant>

#include "figures.hpp"
#include "flow_options.hpp"
#include "phase.hpp"
#include "simulation_options.hpp"

namespace loradyn::cli {
namespace {

// In the order of their colours.
constexpr std::array<const char*, 5> outcome_names{"learned", "unlearned", "trapped", "searching",
                                                   "diverging"};

// Where a value of an axis is drawn: a logarithmic one by its power of ten, so that cells are even.
double drawn_place(const phase_axis& axis, double value) {
  return axis.logarithmic ? std::log10(value) : value;
}

// The rims between cells of different outcomes, each run of them as one line.
curve outlines(const std::vector<double>& x, const std::vector<double>& y,
               const std::vector<signed char>& kinds) {
  curve c;
  c.style = line_style::solid;
  c.colour = 6;
  const std::vector<double> across = cell_edges(x);
  const std::vector<double> up = cell_edges(y);
  const auto kind = [&](std::size_t i, std::size_t k) { return kinds[k * x.size() + i]; };
  const auto add = [&c](double x0, double y0, double x1, double y1) {
    c.x.insert(c.x.end(), {x0, x1, x1});
    c.y.insert(c.y.end(), {y0, y1, std::nan("")});
  };
  // Calls `line(begin, end)` for the runs of places below `count` that are on the rim.
  const auto runs = [](std::size_t count, const auto& on_rim, const auto& line) {
    for (std::size_t i = 0; i < count; ++i) {
      const std::size_t begin = i;
      while (i < count && on_rim(i)) {
        ++i;
      }
      if (i > begin) {
        line(begin, i);
      }
    }
  };
  for (std::size_t i = 0; i + 1 < x.size(); ++i) {
    runs(
        y.size(), [&](std::size_t k) { return kind(i, k) != kind(i + 1, k); },
        [&](std::size_t k, std::size_t end) { add(across[i + 1], up[k], across[i + 1], up[end]); });
  }
  for (std::size_t k = 0; k + 1 < y.size(); ++k) {
    runs(
        x.size(), [&](std::size_t i) { return kind(i, k) != kind(i, k + 1); },
        [&](std::size_t i, std::size_t end) { add(across[i], up[k + 1], across[end], up[k + 1]); });
  }
  return c;
}

// The name of each outcome in the middle of its largest connected part, at the cell of the part
// that is nearest to the part's centre.
std::vector<panel_text> outcome_texts(const std::vector<double>& x, const std::vector<double>& y,
                                      const std::vector<signed char>& kinds) {
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

// The lines A = 0; without points where there are none.
curve critical_lines(const phase_grid& grid) {
  curve line;
  const auto& [x, y] = grid.axes();
  if (!grid.has_critical_lines() || x.values.size() < 2 || y.values.size() < 2) {
    return line;
  }
  constexpr std::size_t cells = 48;
  const auto value_at = [](const phase_axis& axis, double place) {
    return axis.logarithmic ? std::pow(10.0, place) : place;
  };
  const auto curves =
      zero_curves([&](double a, double b) { return grid.drive(value_at(x, a), value_at(y, b)); },
                  {drawn_place(x, x.values.front()), drawn_place(x, x.values.back()),
                   drawn_place(y, y.values.front()), drawn_place(y, y.values.back())},
                  cells);
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
  return line;
}

// The place of a quantile next to the median.
double middle_quantile(const std::vector<double>& quantiles) {
  return *std::min_element(quantiles.begin(), quantiles.end(), [](double a, double b) {
    return std::abs(a - 0.5) < std::abs(b - 0.5);
  });
}

std::size_t column_of(const std::vector<std::string>& columns, const std::string& name) {
  const auto found = find_column(columns, name);
  if (!found) {
    throw argument_error("the table", "without a column " + name, "one of a phase diagram");
  }
  return *found;
}

phase_setting setting_of(const provenance& meta) {
  const auto text = [&meta](const char* name) { return std::string(meta.parameter(name)); };
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
  ensemble_options ensemble;
  ensemble.engine = text("engine");
  if (!ensemble.engine.empty()) {
    ensemble.batch = text("batch");
    ensemble.learning_rate = text("lr") == "default" ? "" : text("lr");
    ensemble.runs = text("runs");
    ensemble.steps = text("steps");
    s.ensemble = read_ensemble(ensemble, read_count("seed", text("seed"), 0, max_seed));
  }
  if (!text("refine").empty()) {
    constexpr std::uint64_t most = 20;
    s.levels = static_cast<unsigned>(read_count("--refine", text("refine"), 0, most));
    s.refine_step = read_number("--refine-step", text("refine-step"));
    if (!(s.refine_step > 0.0)) {
      throw argument_error("--refine-step", "'" + text("refine-step") + "'", "> 0");
    }
  }
  return s;
}

}  // namespace

std::unique_ptr<const phase_grid> grid_of(
    const std::vector<std::pair<std::string, std::string>>& parameters) {
  const provenance meta{{}, {}, parameters};
  return std::make_unique<const phase_grid>(setting_of(meta), std::string(meta.parameter("x")),
                                            std::string(meta.parameter("y")));
}

phase_picture::phase_picture(const phase_grid& grid, const provenance& meta,
                             const std::vector<std::string>& columns, const std::string& show)
    : grid_(grid) {
  const phase_setting& setting = grid.setting();
  const auto& [x, y] = grid.axes();
  const auto reach = [this](const phase_axis& axis) { return (axis.size() - 1) / step_ + 1; };
  const auto too_many = [&] {
    return static_cast<double>(reach(x)) * static_cast<double>(reach(y)) > most_drawn;
  };
  // Refined places are left out level by level, those of the grid itself one of two, of three, …
  const std::uint64_t grid_step = std::uint64_t{1} << setting.levels;
  while (too_many()) {
    step_ = step_ < grid_step ? 2 * step_ : step_ + grid_step;
  }
  size_ = {reach(x), reach(y)};
  axis_columns_ = {column_of(columns, x.column()), column_of(columns, y.column())};
  kinds_.assign(size_[0] * size_[1], -1);
  from_.assign(setting.levels > 0 ? kinds_.size() : 0, 0);

  const std::string unit = unit_suffix(meta);
  outcome_column_ = column_of(columns, grid.outcome_column());
  const std::string what = setting.tau_only ? "tau"
                           : show.empty()   ? std::string(meta.parameter("show"))
                                            : show;
  const double p = middle_quantile(setting.request.quantiles);
  const std::string which =
      p == 0.5 ? std::string("median") : fmt::format("{:g} % quantile", 100.0 * p);
  const std::string law_label = fmt::format("log₁₀ of the {} of the escape time{}", which, unit);
  const std::string time_label = "log₁₀ of the escape time" + unit;
  if (what == "tau") {
    add_layer(columns, "tau", "", "log₁₀ of the search time τ" + unit, true);
  } else if (what == "risk") {
    add_layer(columns, "risk_end", "", "risk at the end", false);
  } else if (what == "outcome") {
    add_layer(columns, "outcome", "", "outcome", false);
    layers_.back().outcomes = true;
  } else if (what == "law") {
    if (!setting.request.dimension) {
      throw argument_error("--show", "'law'", "t, tau, risk or outcome without --dim");
    }
    add_layer(columns, quantile_column("t_q", p), "", law_label, true);
  } else if (setting.ensemble) {
    const bool fixed = setting.ensemble->starts_fixed;
    add_layer(columns, fixed ? "t_hit" : quantile_column("t_q", p), fixed ? "ODE" : "law",
              fixed ? time_label : law_label, true);
    add_layer(columns, quantile_column("sim_q", p),
              fmt::format("{} of {} runs", which, setting.ensemble->runs), law_label, true);
  } else {
    add_layer(columns, "t_hit", "", time_label, true);
  }
}

void phase_picture::add_layer(const std::vector<std::string>& columns, const std::string& column,
                              const std::string& title, const std::string& label,
                              bool logarithmic) {
  layers_.push_back({title, label, column_of(columns, column), logarithmic, false,
                     std::vector<double>(kinds_.size(), std::nan(""))});
}

void phase_picture::add(const std::vector<cell>& row) {
  const unsigned levels = grid_.setting().levels;
  std::array<std::uint64_t, 2> place{};
  for (std::size_t a = 0; a < place.size(); ++a) {
    const double value = to_number(row[axis_columns_[a]]);
    const auto found = grid_.axes()[a].place_of(value);
    if (!found) {
      throw argument_error(grid_.axes()[a].name, fmt::format("{}", value),
                           "one of the values of its axis");
    }
    place[a] = *found;
  }
  if (place[0] % step_ != 0 || place[1] % step_ != 0) {
    return;
  }
  // How far it is to the neighbours of the cell's level, in drawn places.
  std::uint64_t spacing = std::uint64_t{1} << levels;
  unsigned level = 0;
  while (level < levels && (place[0] % spacing != 0 || place[1] % spacing != 0)) {
    spacing /= 2;
    ++level;
  }
  // Of a search time alone there is none: its status is no outcome's name.
  const auto name =
      std::find(outcome_names.begin(), outcome_names.end(), to_text(row[outcome_column_]));
  const auto kind =
      static_cast<signed char>(name == outcome_names.end() ? -1 : name - outcome_names.begin());
  for (layer& l : layers_) {
    const double value = l.outcomes ? (kind < 0 ? std::nan("") : static_cast<double>(kind))
                                    : to_number(row[l.column]);
    l.value = l.logarithmic ? std::log10(value) : value;
  }
  const std::uint64_t half = spacing / step_ / 2;
  const auto around = [&](std::size_t a) {
    const std::uint64_t middle = place[a] / step_;
    return std::pair(middle - std::min(middle, half),
                     std::min(size_[a], middle + std::max<std::uint64_t>(half, 1)));
  };
  const auto [left, right] = around(0);
  const auto [bottom, top] = around(1);
  for (std::uint64_t k = bottom; k < top; ++k) {
    for (std::uint64_t i = left; i < right; ++i) {
      const std::uint64_t at = k * size_[0] + i;
      if (!from_.empty()) {
        if (from_[at] > level) {
          continue;
        }
        from_[at] = static_cast<unsigned char>(level);
      }
      kinds_[at] = kind;
      for (layer& l : layers_) {
        l.z[at] = l.value;
      }
    }
  }
}

std::vector<double> phase_picture::places(const phase_axis& axis) const {
  std::vector<double> values;
  for (std::uint64_t i = 0; i < axis.size(); i += step_) {
    values.push_back(drawn_place(axis, axis.at(i)));
  }
  return values;
}

figure phase_picture::drawn() {
  const auto& [x_axis, y_axis] = grid_.axes();
  const std::vector<double> x = places(x_axis);
  const std::vector<double> y = places(y_axis);
  const curve rims = outlines(x, y, kinds_);
  const curve critical = critical_lines(grid_);
  const std::vector<panel_text> texts = outcome_texts(x, y, kinds_);

  // One scale for all panels. A few cells next to a critical line would take most of the colours.
  std::vector<double> all;
  for (const layer& l : layers_) {
    std::copy_if(l.z.begin(), l.z.end(), std::back_inserter(all),
                 [](double z) { return std::isfinite(z); });
  }
  std::optional<std::pair<double, double>> range;
  std::string beyond;
  if (!all.empty() && !layers_.front().outcomes) {
    constexpr double share = 0.005;
    constexpr double most_left_out = 0.75;
    const auto rank = [&all](double p) {
      const auto at =
          all.begin() + static_cast<std::ptrdiff_t>(p * static_cast<double>(all.size() - 1));
      std::nth_element(all.begin(), at, all.end());
      return *at;
    };
    const double least = rank(0.0);
    const double most = rank(1.0);
    const double high = rank(1.0 - share);
    if (high - least < most_left_out * (most - least) && high > least) {
      range = {least, high};
      beyond = fmt::format(" (up to {:.2g})", most);
    } else if (layers_.size() > 1 && most > least) {
      range = {least, most};
    }
  }
  figure f;
  for (layer& l : layers_) {
    panel p;
    p.title = l.title;
    p.x_label = parameter_title(x_axis.column());
    p.y_label = parameter_title(y_axis.column());
    p.x_is_log10 = x_axis.logarithmic;
    p.y_is_log10 = y_axis.logarithmic;
    p.heat = heat_map{.x = x,
                      .y = y,
                      .z = std::move(l.z),
                      .label = l.label + beyond,
                      .categories = {},
                      .range = range};
    if (l.outcomes) {
      p.heat->categories.assign(outcome_names.begin(), outcome_names.end());
    }
    if (!rims.x.empty()) {
      p.curves.push_back(rims);
    }
    if (!critical.x.empty()) {
      p.curves.push_back(critical);
    }
    p.texts = texts;
    f.panels.push_back(std::move(p));
  }
  return f;
}

}  // namespace loradyn::cli
