#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <iterator>
#include <loradyn/analysis/zero_curves.hpp>
#include <loradyn/error.hpp>
#include <loradyn/figures/phase_picture.hpp>
#include <loradyn/figures/study_figures.hpp>
#include <memory>
#include <optional>
#include <utility>
#include "figures/boundaries.hpp"

namespace loradyn {
namespace {

using study::phase_axis;
using study::phase_grid;
using study::phase_row;

// In the order of their colours.
constexpr std::array<const char*, 7> outcome_names{
    "learned", "unlearned", "trapped", "searching", "diverging", "cycling", "forgotten"};

// Where a value of an axis is drawn: a logarithmic one by its power of ten, so that cells are even.
double drawn_place(const phase_axis& axis, double value) {
  return axis.logarithmic ? std::log10(value) : value;
}

// The boundaries between outcomes.
curve outlines(const std::vector<double>& x, const std::vector<double>& y,
               const std::vector<signed char>& kinds) {
  curve c;
  c.style = line_style::solid;
  c.colour = 6;
  const std::vector<double> across = cell_edges(x);
  const std::vector<double> up = cell_edges(y);
  // From units of a cell to the axis.
  const auto on_axis = [](const std::vector<double>& edges, double place) {
    const double from_first = place + 0.5;
    const auto cell =
        std::min(static_cast<std::size_t>(std::max(0.0, from_first)), edges.size() - 2);
    return std::lerp(edges[cell], edges[cell + 1], from_first - static_cast<double>(cell));
  };
  for (const boundary_curve& b : boundaries(kinds, x.size(), y.size())) {
    for (const auto& [i, k] : b) {
      c.x.push_back(on_axis(across, i));
      c.y.push_back(on_axis(up, k));
    }
    c.x.push_back(c.x.back());
    c.y.push_back(std::nan(""));
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

// The outcomes of a map that counts them, those alone that there are (one at least), in colours of
// their own.
void tell_outcomes(heat_map& h) {
  std::array<double, outcome_names.size()> place{};
  for (std::size_t kind = 0; kind < outcome_names.size(); ++kind) {
    const bool last_chance = h.categories.empty() && kind + 1 == outcome_names.size();
    if (last_chance || std::find(h.z.begin(), h.z.end(), static_cast<double>(kind)) != h.z.end()) {
      place[kind] = static_cast<double>(h.categories.size());
      h.categories.emplace_back(outcome_names[kind]);
      h.category_colours.push_back(kind);
    }
  }
  for (double& z : h.z) {
    z = std::isfinite(z) ? place[static_cast<std::size_t>(z)] : z;
  }
}

// The lines on which searches lose their drive; without points where there are none.
curve critical_lines(const phase_grid& grid) {
  curve line;
  const phase_axis& x = grid.axes()[0];
  const phase_axis& y = grid.axes()[1];
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
  line.label = grid.critical_line();
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
std::size_t middle_quantile(const std::vector<double>& quantiles) {
  const auto found = std::min_element(quantiles.begin(), quantiles.end(), [](double a, double b) {
    return std::abs(a - 0.5) < std::abs(b - 0.5);
  });
  return static_cast<std::size_t>(found - quantiles.begin());
}

}  // namespace

phase_picture::phase_picture(const phase_grid& grid, phase_colours colours) : grid_(grid) {
  const study::phase_problem& problem = grid.problem();
  const phase_axis& x = grid.axes()[0];
  const phase_axis& y = grid.axes()[1];
  const auto reach = [this](const phase_axis& axis) { return (axis.size() - 1) / step_ + 1; };
  const auto too_many = [&] {
    return static_cast<double>(reach(x)) * static_cast<double>(reach(y)) > most_drawn;
  };
  // Refined places are left out level by level, those of the grid itself one of two, of three, …
  const std::uint64_t grid_step = std::uint64_t{1} << problem.levels;
  while (too_many()) {
    step_ = step_ < grid_step ? 2 * step_ : step_ + grid_step;
  }
  size_ = {reach(x), reach(y)};
  kinds_.assign(size_[0] * size_[1], -1);
  from_.assign(problem.levels > 0 ? kinds_.size() : 0, 0);

  const std::string unit = unit_suffix(problem.unit);
  const phase_colours what = problem.tau_only ? phase_colours::tau : colours;
  const std::size_t q = middle_quantile(problem.request.quantiles);
  const double p = problem.request.quantiles[q];
  const std::string which =
      p == 0.5 ? std::string("median") : fmt::format("{:g} % quantile", 100.0 * p);
  const std::string law_label = fmt::format("log₁₀ of the {} of the escape time{}", which, unit);
  const std::string time_label = "log₁₀ of the escape time" + unit;
  const auto law = [q](const phase_row& row) { return std::log10(row.escape.law.quantiles[q]); };
  const auto time = [](const phase_row& row) { return std::log10(row.escape.t_hit); };
  if (what == phase_colours::tau) {
    add_layer("", "log₁₀ of the search time τ" + unit,
              [](const phase_row& row) { return std::log10(row.escape.tau); });
  } else if (what == phase_colours::risk) {
    add_layer("", "risk at the end", [](const phase_row& row) { return row.escape.risk_end; });
  } else if (what == phase_colours::source_risk) {
    if (!problem.network || !problem.network->layout.source) {
      throw argument_error("--show", "'source-risk'", "another without --source");
    }
    add_layer("", "risk on the source at the end",
              [](const phase_row& row) { return row.source_risk; });
  } else if (what == phase_colours::outcome) {
    add_layer("", "outcome", {});
    layers_.back().outcomes = true;
  } else if (what == phase_colours::law) {
    if (!grid.has_law()) {
      throw argument_error("--show", "'law'", "t, tau, risk or outcome without --dim");
    }
    add_layer("", law_label, law);
  } else if (problem.ensemble) {
    if (grid.starts_fixed()) {
      add_layer("ODE", time_label, time);
    } else {
      add_layer("law", law_label, law);
    }
    add_layer(fmt::format("{} of {} runs", which, problem.ensemble->runs), law_label,
              [q](const phase_row& row) { return std::log10(row.simulated.quantiles[q]); });
  } else {
    add_layer("", time_label, time);
  }
}

void phase_picture::add_layer(const std::string& title, const std::string& label,
                              std::function<double(const phase_row&)> value_of) {
  layers_.push_back(
      {title, label, std::move(value_of), false, std::vector<double>(kinds_.size(), std::nan(""))});
}

void phase_picture::add(const phase_row& row) {
  const unsigned levels = grid_.problem().levels;
  std::array<std::uint64_t, 2> place{};
  for (std::size_t a = 0; a < place.size(); ++a) {
    const double value = grid_.value_on(a, row);
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
  const auto name = std::find(outcome_names.begin(), outcome_names.end(), grid_.outcome_of(row));
  const auto kind =
      static_cast<signed char>(name == outcome_names.end() ? -1 : name - outcome_names.begin());
  for (layer& l : layers_) {
    l.value = !l.outcomes ? l.value_of(row) : kind < 0 ? std::nan("") : static_cast<double>(kind);
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

// A map of one row or column is a line; its other value stands in the title.
panel phase_picture::line_of(const layer& l, const std::vector<double>& x,
                             const std::vector<double>& y) const {
  const auto& [x_axis, y_axis] = grid_.axes();
  const bool over_x = y.size() == 1;
  const phase_axis& axis = over_x ? x_axis : y_axis;
  const phase_axis& other = over_x ? y_axis : x_axis;
  panel p;
  p.title = fmt::format("{}{}{} = {:.6g}", l.title, l.title.empty() ? "" : ", ", other.title(),
                        other.at(0));
  p.x_label = axis.title();
  p.x_is_log10 = axis.logarithmic;
  p.y_label = l.label;
  curve c;
  c.x = over_x ? x : y;
  if (l.outcomes) {
    c.points = true;
    for (const signed char kind : kinds_) {
      c.y.push_back(kind < 0 ? std::nan("") : static_cast<double>(kind));
    }
    for (std::size_t i = 0; i < outcome_names.size(); ++i) {
      p.y_ticks.push_back({static_cast<double>(i), outcome_names[i]});
    }
    p.y_range = {-0.5, static_cast<double>(outcome_names.size()) - 0.5};
  } else {
    c.y = l.z;
  }
  p.curves.push_back(std::move(c));
  return p;
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
  if (x.size() == 1 || y.size() == 1) {
    for (const layer& l : layers_) {
      f.panels.push_back(line_of(l, x, y));
    }
    return f;
  }
  for (layer& l : layers_) {
    panel p;
    p.title = l.title;
    p.x_label = x_axis.title();
    p.y_label = y_axis.title();
    p.x_is_log10 = x_axis.logarithmic;
    p.y_is_log10 = y_axis.logarithmic;
    p.heat = heat_map{.x = x,
                      .y = y,
                      .z = std::move(l.z),
                      .label = l.label + beyond,
                      .categories = {},
                      .range = range,
                      .category_colours = {}};
    if (l.outcomes) {
      tell_outcomes(*p.heat);
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

}  // namespace loradyn
