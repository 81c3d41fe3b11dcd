
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

// The number of students in each panel: panels are apart by " | ".
std::vector<std::size_t> panel_sizes(const parameter_list& said, std::size_t students) {
  std::vector<std::size_t> sizes;
  std::size_t total = 0;
  const std::string panels = question(said).text("student");
  for (const std::string_view panel : split(panels, '|')) {
    sizes.push_back(split_activations(panel).size());
    total += sizes.back();
  }
  return total == students ? sizes : std::vector<std::size_t>{students};
}

}  // namespace

std::string pair_label(const study::row_key& key) {
  return key.student == key.teacher ? key.student : key.student + " / " + key.teacher;
}

std::string unit_suffix(study::time_unit unit) {
  return unit == study::time_unit::fisher ? " × E[σ′²]" : "";
}

std::string unit_suffix(const parameter_list& said) {
  return unit_suffix(value_named(study::time_units, question(said).text("time-unit"))
                         .value_or(study::time_unit::raw));
}

figure rates_figure(const asked<study::rates_problem>& of,
                    const std::vector<study::rates_row>& rows) {
  const sweep_layout layout = layout_of(rows);
  const study::parameter& axis = *layout.axis;
  const std::vector<stretch>& curves = layout.curves;
  figure f;
  std::size_t next = 0;
  for (const std::size_t size : panel_sizes(of.said, curves.size() / layout.per_pair)) {
    panel p;
    p.x_label = axis.axis_title();
    p.y_label = "search time τ" + unit_suffix(of.said);
    p.log_x = is_log_range(of.said, axis.name, layout.x);
    p.log_y = true;
    const std::size_t first = next;
    next = std::min(next + size * layout.per_pair, curves.size());
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
      c.label = pair_label(key) + layout.label(key);
      if (size == 1) {
        c.value = layout.value(key);
      }
      const bool may_diverge = &axis == &registry::mu && key.at.parameters.misalignment == 0.0;
      std::optional<divergence_finder> finder;
      for (std::size_t i = s.begin; i < s.end; ++i) {
        const bool changes = i > s.begin && std::signbit(rows[i].A) != std::signbit(rows[i - 1].A);
        if (may_diverge && changes) {
          if (!finder) {
            finder.emplace(key, of.problem.pairs, of.problem.grid);
          }
          const double before = layout.x[i - 1];
          const double after = layout.x[i];
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
        c.x.push_back(layout.x[i]);
        c.y.push_back(rows[i].tau);
      }
      c.points = c.x.size() == 1;
      p.curves.push_back(std::move(c));
    }
    // A single pair's family is told by the bar alone.
    if (size == 1) {
      p.value_label = layout.value_label();
    }
    f.panels.push_back(std::move(p));
  }
  return f;
}

figure roots_figure(const parameter_list& said, const std::vector<study::critical_row>& rows) {
  const question words(said);
  panel p;
  p.y_label = "critical alignment μ_c";
  p.nothing = "no critical alignment in " + words.text("mu");
  if (rows.empty()) {
    constexpr double middle = 0.5;
    p.ticks.push_back({middle, words.text("student")});
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

figure critical_figure(const asked<study::critical_problem>& of,
                       const std::vector<study::critical_row>& rows) {
  return roots_figure(of.said, rows);
}

}  // namespace loradyn
