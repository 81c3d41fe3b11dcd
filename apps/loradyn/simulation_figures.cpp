#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <loradyn/activation/parse.hpp>
#include <loradyn/analysis/escape_law.hpp>
#include <loradyn/analysis/search_phase.hpp>
#include <loradyn/dynamics/protocol.hpp>
#include <loradyn/simulation/statistics.hpp>
#include <loradyn/sweep/range.hpp>
#include <optional>
#include <string>

#include "figures.hpp"

namespace loradyn::cli {
namespace {

// What a simulated table's provenance says of the run.
struct simulated_setting {
  learning_task task;
  lora_parameters parameters;
  double dimension = 0.0;
  double unit = 1.0;  // what a unit of raw time is in the table's
  double u0 = 0.0;
  std::optional<double> m0;
  double s0 = 0.0;
};

simulated_setting setting_of(const table& t) {
  const auto text = [&t](const char* name) { return std::string(t.meta.parameter(name)); };
  const auto number = [&](const char* name) { return parse_number(name, text(name)); };
  const activation student = parse_activation(text("student"));
  const std::string teacher = text("teacher");
  simulated_setting s{
      .task = {student, teacher == "as the student" ? student : parse_activation(teacher)},
      .parameters = {},
      .m0 = std::nullopt};
  s.parameters.alignment = number("mu");
  s.parameters.misalignment = number("nu");
  s.parameters.noise_scale = number("gamma");
  s.parameters.label_noise = number("noise");
  s.parameters.rate_ratio = number("lr-ratio");
  s.dimension = number("dim");
  s.unit = text("time-unit") == "fisher" ? fisher_information(student) : 1.0;
  s.u0 = text("u0") == "1/d^2" ? 1.0 / (s.dimension * s.dimension) : number("u0");
  if (text("m0") != "uniform") {
    s.m0 = number("m0");
    s.s0 = text("s0") == "default" ? 0.0 : number("s0");
  }
  return s;
}

}  // namespace

figure ensemble_figure(const table& t) {
  const std::vector<double> time = t.numbers("t");
  figure f;
  for (const auto& [name, label] : {std::pair("m_abs", "|m|"), std::pair("risk", "risk")}) {
    panel p;
    p.x_label = "time t" + unit_suffix(t.meta);
    p.y_label = label;
    const auto add = [&](const std::string& key, const std::string& column, line_style style) {
      curve c;
      c.label = key;
      c.x = time;
      c.y = t.numbers(column);
      c.style = style;
      c.colour = 0;
      p.curves.push_back(std::move(c));
    };
    add("mean of the runs", std::string(name) + "_mean", line_style::solid);
    add("their 5 and 95 %", std::string(name) + "_q05", line_style::dashed);
    add("", std::string(name) + "_q95", line_style::dashed);
    f.panels.push_back(std::move(p));
  }
  if (t.meta.parameter("stages").empty()) {
    const simulated_setting s = setting_of(t);
    // A random start: the median of |m|, 0.67/√d.
    constexpr double median = 0.6744897501960817;
    training_protocol protocol;
    protocol.alignment = s.parameters.alignment;
    protocol.misalignment = s.parameters.misalignment;
    protocol.start = {s.u0, s.m0.value_or(median / std::sqrt(s.dimension)), s.s0};
    std::vector<double> times(time);
    for (double& at : times) {
      at /= s.unit;
    }
    if (!times.empty() && times.back() > 0.0) {
      protocol.stages = {tuning_stage{s.task, s.parameters.noise_scale, s.parameters.label_noise,
                                      s.parameters.rate_ratio, times.back(), std::nullopt}};
      const training_run run = run_protocol(protocol, times, {});
      curve m;
      m.label = s.m0 ? "ODE" : "ODE from the median |m|";
      m.style = line_style::dotted;
      m.colour = 6;
      curve risk = m;
      for (const training_point& point : run.points) {
        m.x.push_back(point.t * s.unit);
        m.y.push_back(std::abs(point.x.m));
        risk.x.push_back(point.t * s.unit);
        risk.y.push_back(point.risk);
      }
      f.panels[0].curves.push_back(std::move(m));
      f.panels[1].curves.push_back(std::move(risk));
    }
  }
  return f;
}

figure hitting_figure(const table& t) {
  std::vector<double> times = t.numbers("t_hit");
  std::erase_if(times, [](double value) { return !std::isfinite(value); });
  panel p;
  p.x_label = "hitting time t" + unit_suffix(t.meta);
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
  const std::string event(t.meta.parameter("event"));
  const bool lawful = t.meta.parameter("m0") == "uniform" && t.meta.parameter("stages").empty() &&
                      event != "m signed";
  if (lawful && times.size() >= 2) {
    const simulated_setting s = setting_of(t);
    overlap_event at;
    at.quantity = quantity_named(event.substr(0, event.find(' '))).value_or(overlap_quantity::m);
    at.at = parse_number("at", t.meta.parameter("at"));
    const escape_law law = law_of_escape(flow(s.task, s.parameters), at, s.dimension, s.u0, {},
                                         outcome_classifier(s.task));
    if (law.status == law_status::ok || law.status == law_status::small_dimension) {
      curve density;
      density.label = "law";
      density.style = line_style::dashed;
      density.colour = 1;
      constexpr int points = 300;
      const double lo = law.quantile(1e-4);
      const double hi = law.quantile(0.999);
      for (int i = 0; i <= points; ++i) {
        const double at_time = std::lerp(lo, hi, static_cast<double>(i) / points);
        density.x.push_back(at_time * s.unit);
        density.y.push_back(law.density(at_time) / s.unit);
      }
      p.curves.push_back(std::move(density));
    }
  }
  return {{std::move(p)}};
}

figure validate_figure(const table& t) {
  const std::vector<std::string> checks = t.texts("check");
  const std::vector<std::string> quantities = t.texts("quantity");
  const std::vector<double> dimensions = t.numbers("dim");
  const std::vector<double> deviations = t.numbers("deviation");
  const std::vector<double> errors = t.numbers("error");
  panel p;
  p.x_label = "dimension d";
  p.y_label = "deviation of the mean from the theory";
  p.log_x = true;
  p.log_y = true;
  std::vector<std::string> names;
  for (std::size_t i = 0; i < checks.size(); ++i) {
    if (checks[i] == "mean" &&
        std::find(names.begin(), names.end(), quantities[i]) == names.end()) {
      names.push_back(quantities[i]);
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
    for (std::size_t i = 0; i < checks.size(); ++i) {
      if (checks[i] == "mean" && quantities[i] == names[k]) {
        found.x.push_back(dimensions[i]);
        found.y.push_back(std::abs(deviations[i]));
        noise.x.push_back(dimensions[i]);
        noise.y.push_back(errors[i]);
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

}  // namespace loradyn::cli
