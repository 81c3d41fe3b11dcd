
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <loradyn/activation/parse.hpp>
#include <loradyn/error.hpp>
#include <loradyn/figures/study_figures.hpp>
#include <loradyn/sweep/range.hpp>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <utility>

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

// Where τ diverges between two neighbours on a curve of ν = 0: A changes sign, and there B < 0.
std::optional<double> divergence_between(const study::rates_row& a, const study::rates_row& b) {
  if (std::signbit(a.A) == std::signbit(b.A) || !std::isfinite(a.A) || !std::isfinite(b.A)) {
    return std::nullopt;
  }
  const double fraction = a.A / (a.A - b.A);
  if (!(std::lerp(a.B, b.B, fraction) < 0.0)) {
    return std::nullopt;
  }
  return std::lerp(a.key.at.parameters.alignment, b.key.at.parameters.alignment, fraction);
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

  figure f;
  std::size_t next = 0;
  for (const std::size_t size : panel_sizes(meta, others == 0 ? 0 : curves.size() / others)) {
    panel p;
    p.x_label = axis.axis_title();
    p.y_label = f.panels.empty() ? "search time τ" + unit_suffix(meta) : "";
    p.log_y = true;
    for (std::size_t k = 0; k < size * others && next < curves.size(); ++k, ++next) {
      const stretch& s = curves[next];
      curve c;
      c.label = pair_label(rows[s.begin].key);
      if (others > 1) {
        c.label += fmt::format(", {} = {}", other.symbol, at(other, s.begin));
      }
      for (std::size_t i = s.begin; i < s.end; ++i) {
        if (over_mu && at(registry::nu, i) == 0.0 && i > s.begin) {
          if (const auto root = divergence_between(rows[i - 1], rows[i])) {
            p.marks.push_back({*root, fmt::format("{:.3f}", *root), p.curves.size()});
            c.x.push_back(*root);
            c.y.push_back(std::nan(""));
          }
        }
        c.x.push_back(at(axis, i));
        c.y.push_back(rows[i].tau);
      }
      c.points = c.x.size() == 1;
      p.curves.push_back(std::move(c));
    }
    f.panels.push_back(std::move(p));
  }
  return f;
}

figure critical_figure(const provenance&, const std::vector<study::critical_row>& rows) {
  panel p;
  p.y_label = "critical alignment μ_c";
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
