
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <loradyn/activation/parse.hpp>
#include <loradyn/error.hpp>
#include <loradyn/figures/study_figures.hpp>
#include <loradyn/sweep/range.hpp>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <utility>
#include <vector>
#include "figures/axes.hpp"
#include "figures/divergence.hpp"

namespace loradyn {
namespace {

namespace registry = study::registry;

// The number of students in each panel, from the provenance: panels are apart by " | ".
std::vector<std::size_t> panel_sizes(const provenance& meta, std::size_t students) {
  std::vector<std::size_t> sizes;
  std::size_t total = 0;
  const std::string panels = meta.parameter("student");
  for (const std::string_view panel : split(panels, '|')) {
    sizes.push_back(split_activations(panel).size());
    total += sizes.back();
  }
  return total == students ? sizes : std::vector<std::size_t>{students};
}

// Consecutive rows [begin, end) that share the pair and the value beside the axis.
struct stretch {
  std::size_t begin;
  std::size_t end;
};

}  // namespace

std::string pair_label(const study::row_key& key) {
  return key.student == key.teacher ? key.student : key.student + " / " + key.teacher;
}

std::string unit_suffix(study::time_unit unit) {
  return unit == study::time_unit::fisher ? " × E[σ′²]" : "";
}

std::string unit_suffix(const provenance& meta) {
  return unit_suffix(
      value_named(study::time_units, meta.parameter("time-unit")).value_or(study::time_unit::raw));
}

figure rates_figure(const provenance& meta, const std::vector<study::rates_row>& rows) {
  const auto values_of = [&rows](const study::parameter& p) {
    std::set<double> values;
    for (const study::rates_row& row : rows) {
      values.insert(*p.get(row.key.at));
    }
    return values.size();
  };
  const std::size_t mu_values = values_of(registry::mu);
  const std::size_t nu_values = values_of(registry::nu);
  const bool over_mu = mu_values > 1 || nu_values <= 1;
  const study::parameter& axis = over_mu ? registry::mu : registry::nu;
  const study::parameter& other = over_mu ? registry::nu : registry::mu;
  const std::size_t others = over_mu ? nu_values : mu_values;
  const auto at = [&rows](const study::parameter& p, std::size_t i) {
    return *p.get(rows[i].key.at);
  };

  // Rows run over μ, then ν, then the pairs; a step back on the axis begins a new curve even where
  // the pair is the same in two panels.
  std::vector<stretch> curves;
  for (std::size_t i = 0; i < rows.size(); ++i) {
    const bool goes_on = i > 0 && rows[i].key.student == rows[i - 1].key.student &&
                         rows[i].key.teacher == rows[i - 1].key.teacher &&
                         at(other, i) == at(other, i - 1) && at(axis, i) > at(axis, i - 1);
    if (!goes_on) {
      curves.push_back({i, i});
    }
    curves.back().end = i + 1;
  }

  std::vector<double> axis_values;
  for (std::size_t i = 0; i < rows.size(); ++i) {
    axis_values.push_back(at(axis, i));
  }
  figure f;
  std::size_t next = 0;
  for (const std::size_t size : panel_sizes(meta, others == 0 ? 0 : curves.size() / others)) {
    panel p;
    p.x_label = axis.axis_title();
    p.y_label = "search time τ" + unit_suffix(meta);
    p.log_x = is_log_range(meta, axis.name, axis_values);
    p.log_y = true;
    const std::size_t first = next;
    next = std::min(next + size * others, curves.size());
    // The frame ends at the power of ten above the rows.
    double top = 0.0;
    double least = std::numeric_limits<double>::infinity();
    for (std::size_t i = first < next ? curves[first].begin : 0;
         i < (first < next ? curves[next - 1].end : 0); ++i) {
      if (std::isfinite(rows[i].tau) && rows[i].tau > 0.0) {
        top = std::max(top, rows[i].tau);
        least = std::min(least, rows[i].tau);
      }
    }
    top = std::pow(10.0, std::ceil(std::log10(top)));
    for (std::size_t k = first; k < next; ++k) {
      const stretch& s = curves[k];
      const study::row_key& key = rows[s.begin].key;
      curve c;
      c.label = pair_label(key);
      if (others > 1) {
        c.label += fmt::format(", {} = {}", other.symbol, at(other, s.begin));
        if (size == 1) {
          c.value = at(other, s.begin);
        }
      }
      const bool may_diverge = over_mu && at(registry::nu, s.begin) == 0.0;
      std::optional<divergence_finder> finder;
      for (std::size_t i = s.begin; i < s.end; ++i) {
        const bool changes = i > s.begin && std::signbit(rows[i].A) != std::signbit(rows[i - 1].A);
        if (may_diverge && changes) {
          if (!finder) {
            finder.emplace(key, meta);
          }
          const double before = at(axis, i - 1);
          const double after = at(axis, i);
          if (const auto root = finder->between(before, after)) {
            p.marks.push_back({*root, fmt::format("{:.4g}", *root), p.curves.size()});
            p.y_range = {std::pow(10.0, std::floor(std::log10(least))), top};
            auto right = finder->rise(after, *root, top);
            std::reverse(right.begin(), right.end());
            for (const auto& [mu, tau] : finder->rise(before, *root, top)) {
              c.x.push_back(mu);
              c.y.push_back(tau);
            }
            c.x.push_back(*root);
            c.y.push_back(std::nan(""));
            for (const auto& [mu, tau] : right) {
              c.x.push_back(mu);
              c.y.push_back(tau);
            }
          }
        }
        c.x.push_back(at(axis, i));
        c.y.push_back(rows[i].tau);
      }
      c.points = c.x.size() == 1;
      p.curves.push_back(std::move(c));
    }
    // A single pair's family is told by the bar alone.
    if (size == 1 && others > 1) {
      p.value_label = other.axis_title();
    }
    f.panels.push_back(std::move(p));
  }
  return f;
}

figure critical_figure(const provenance& meta, const std::vector<study::critical_row>& rows) {
  panel p;
  p.y_label = "critical alignment μ_c";
  p.nothing = "no critical alignment in " + meta.parameter("mu");
  if (rows.empty()) {
    constexpr double middle = 0.5;
    p.ticks.push_back({middle, meta.parameter("student")});
  }
  std::vector<std::string> kinds;
  for (const study::critical_row& row : rows) {
    const std::string label = pair_label(row.key);
    if (p.ticks.empty() || p.ticks.back().label != label) {
      p.ticks.push_back({static_cast<double>(p.ticks.size()), label});
    }
    const auto kind = std::find(kinds.begin(), kinds.end(), row.status);
    const auto index = static_cast<std::size_t>(kind - kinds.begin());
    if (kind == kinds.end()) {
      kinds.push_back(row.status);
      curve& c = p.curves.emplace_back();
      c.label = row.status;
      c.points = true;
    }
    p.curves[index].x.push_back(p.ticks.back().x);
    p.curves[index].y.push_back(row.mu_c);
  }
  return {{std::move(p)}};
}

}  // namespace loradyn
