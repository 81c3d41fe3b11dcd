#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <loradyn/activation/parse.hpp>
#include <loradyn/figures/study_figures.hpp>
#include <loradyn/simulation/statistics.hpp>
#include <loradyn/sweep/range.hpp>
#include <string>
#include <utility>
#include "figures/axes.hpp"
#include "figures/hits.hpp"

namespace loradyn {
namespace {

namespace registry = study::registry;

// What a simulated table's provenance says of the run.
study::simulated_setting setting_of(const provenance& meta) {
  const auto text = [&meta](std::string_view name) { return meta.parameter(name); };
  const activation student = parse_activation(text("student"));
  const std::string teacher = text("teacher");
  study::simulated_setting s{
      .pair = study::make_pair(
          student, teacher.empty() ? student : parse_activation(teacher),
          text("time-unit") == "fisher" ? study::time_unit::fisher : study::time_unit::raw),
      .at = {}};
  const auto read = [&](const study::parameter& p) {
    p.set(s.at, parse_number(p.name, text(p.name)));
  };
  std::for_each(study::model_parameters.begin(), study::model_parameters.end(),
                [&](const study::parameter* p) { read(*p); });
  read(registry::dim);
  if (text("u0").empty()) {
    s.at.start.u = 1.0 / (*s.at.dimension * *s.at.dimension);
  } else {
    read(registry::u0);
  }
  s.random_start = text("m0").empty();
  if (!s.random_start) {
    read(registry::m0);
    if (!text("s0").empty()) {
      read(registry::s0);
    }
  }
  return s;
}

}  // namespace

figure ensemble_figure(const provenance& meta, const std::vector<study::record_row>& rows) {
  std::vector<double> time;
  for (const study::record_row& row : rows) {
    time.push_back(row.t);
  }
  figure f;
  for (const auto& [quantity, label] :
       {std::pair(&study::record_row::m_abs, "|m|"), {&study::record_row::risk, "risk"}}) {
    panel p;
    p.x_label = "time t" + unit_suffix(meta);
    p.y_label = label;
    p.log_x = is_geometric(time);
    const auto add = [&, of = quantity](const std::string& key,
                                        double study::quantity_summary::*statistic,
                                        line_style style) {
      curve c;
      c.label = key;
      c.x = time;
      for (const study::record_row& row : rows) {
        c.y.push_back(row.*of.*statistic);
      }
      c.style = style;
      c.colour = 0;
      p.curves.push_back(std::move(c));
    };
    add("mean of the runs", &study::quantity_summary::mean, line_style::solid);
    add("their 5 and 95 %", &study::quantity_summary::q05, line_style::dashed);
    add("", &study::quantity_summary::q95, line_style::dashed);
    f.panels.push_back(std::move(p));
  }
  if (meta.parameter("stages").empty()) {
    const study::simulated_setting s = setting_of(meta);
    if (!time.empty() && time.back() > 0.0) {
      curve m;
      m.label = s.random_start ? "ODE from the median |m|" : "ODE";
      m.style = line_style::dotted;
      m.colour = 6;
      curve risk = m;
      for (const study::trajectory_row& row : study::expected_run(s, time)) {
        m.x.push_back(row.t);
        m.y.push_back(std::abs(row.x.m));
        risk.x.push_back(row.t);
        risk.y.push_back(row.risk);
      }
      f.panels[0].curves.push_back(std::move(m));
      f.panels[1].curves.push_back(std::move(risk));
    }
  }
  return f;
}

panel hitting_panel(const provenance& meta, const std::vector<double>& times) {
  panel p;
  p.x_label = "hitting time t" + unit_suffix(meta);
  p.y_label = "density";
  curve steps;
  steps.label = fmt::format("{} runs", times.size());
  steps.style = line_style::solid;
  steps.colour = 0;
  if (times.size() >= 2) {
    const auto [least, most] = std::minmax_element(times.begin(), times.end());
    const double lo = *least;
    const double hi = *most > lo ? *most : lo + 1.0;
    const auto bins = static_cast<std::size_t>(
        std::clamp(std::sqrt(static_cast<double>(times.size())), 5.0, 60.0));
    const double width = (hi - lo) / static_cast<double>(bins);
    const histogram h = make_histogram(times, lo, std::nextafter(hi, 2.0 * hi), bins);
    for (std::size_t i = 0; i < bins; ++i) {
      const double height =
          static_cast<double>(h.counts[i]) / (width * static_cast<double>(times.size()));
      steps.x.insert(steps.x.end(), {lo + width * static_cast<double>(i),
                                     lo + width * static_cast<double>(i + 1)});
      steps.y.insert(steps.y.end(), {height, height});
    }
  }
  p.curves.push_back(std::move(steps));
  return p;
}

figure hitting_figure(const provenance& meta, const std::vector<study::run_row>& rows) {
  std::vector<double> times;
  for (const study::run_row& row : rows) {
    if (std::isfinite(row.t_hit)) {
      times.push_back(row.t_hit);
    }
  }
  panel p = hitting_panel(meta, times);
  const auto quantity =
      value_named(overlap_quantities, meta.parameter("event")).value_or(overlap_quantity::m);
  // Half of the random starts lead to the other sign.
  const bool by_sign = quantity == overlap_quantity::m && meta.parameter("signed") == "true";
  const bool lawful = meta.parameter("m0").empty() && meta.parameter("stages").empty() && !by_sign;
  if (lawful && times.size() >= 2) {
    overlap_event at;
    at.quantity = quantity;
    at.at = parse_number("at", meta.parameter("at"));
    curve density;
    density.label = "law";
    density.style = line_style::dashed;
    density.colour = 1;
    for (const study::density_point& point : study::expected_hits(setting_of(meta), at)) {
      density.x.push_back(point.t);
      density.y.push_back(point.density);
    }
    if (!density.x.empty()) {
      p.curves.push_back(std::move(density));
    }
  }
  return {{std::move(p)}};
}

figure validate_figure(const provenance&, const std::vector<study::validation_row>& rows) {
  panel p;
  p.x_label = registry::dim.axis_title();
  p.y_label = "deviation of the mean from the theory";
  p.log_x = true;
  p.log_y = true;
  std::vector<std::string> names;
  for (const study::validation_row& row : rows) {
    if (row.check == "mean" && std::find(names.begin(), names.end(), row.quantity) == names.end()) {
      names.push_back(row.quantity);
    }
  }
  for (std::size_t k = 0; k < names.size(); ++k) {
    curve found;
    found.label = names[k];
    found.points = true;
    found.colour = k;
    curve noise;
    noise.label = names[k] + ", standard error";
    noise.style = line_style::dotted;
    noise.colour = k;
    for (const study::validation_row& row : rows) {
      if (row.check == "mean" && row.quantity == names[k]) {
        found.x.push_back(row.dim);
        found.y.push_back(std::abs(row.deviation));
        noise.x.push_back(row.dim);
        noise.y.push_back(row.error);
      }
    }
    curve guide;
    guide.label = names[k] + " ~ 1/d";
    guide.style = line_style::solid;
    guide.colour = k;
    // Through the first point, where that is more than noise.
    if (!found.x.empty() && found.y.front() > 2.0 * noise.y.front()) {
      for (const double d : found.x) {
        guide.x.push_back(d);
        guide.y.push_back(found.y.front() * found.x.front() / d);
      }
    }
    p.curves.push_back(std::move(found));
    if (!guide.x.empty()) {
      p.curves.push_back(std::move(guide));
    }
    p.curves.push_back(std::move(noise));
  }
  return {{std::move(p)}};
}

}  // namespace loradyn
