#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <loradyn/figures/study_figures.hpp>
#include <loradyn/simulation/statistics.hpp>
#include <string>
#include <utility>
#include "figures/axes.hpp"
#include "figures/hits.hpp"

namespace loradyn {
namespace {

namespace registry = study::registry;

// Whether the theory of one stage is beside the runs.
bool has_one_stage(const simulation_problem& p) {
  return p.stages.size() == 1 && !p.stages.front().flips && !p.stages.front().label;
}

// What the runs of one stage are compared with.
study::simulated_setting setting_of(const study::simulate_problem& asked) {
  const simulation_problem& p = asked.problem;
  const simulation_stage& stage = p.stages.front();
  study::simulated_setting s{.pair = {population_risk(p.student, stage.teacher), asked.rate_unit},
                             .at = {}};
  const auto dimension = static_cast<double>(p.dimension);
  s.at.parameters.alignment = p.alignment;
  s.at.parameters.misalignment = p.misalignment;
  s.at.parameters.label_noise = stage.label_noise;
  s.at.parameters.rate_ratio = stage.rate_ratio;
  s.at.parameters.noise_scale = stage.learning_rate * dimension / static_cast<double>(p.batch);
  s.at.dimension = dimension;
  s.at.start.u = p.start.u0.value_or(1.0 / (dimension * dimension));
  s.random_start = !p.start.m0;
  s.at.start.m = p.start.m0.value_or(s.at.start.m);
  s.at.start.s = p.start.m0 ? p.start.s0 : s.at.start.s;
  return s;
}

}  // namespace

figure ensemble_figure(const asked<study::simulate_problem>& of,
                       const std::vector<study::record_row>& rows) {
  std::vector<double> time;
  for (const study::record_row& row : rows) {
    time.push_back(row.t);
  }
  figure f;
  for (const auto& [quantity, label] :
       {std::pair(&study::record_row::m_abs, "|m|"), {&study::record_row::risk, "risk"}}) {
    panel p;
    p.x_label = "time t" + unit_suffix(of.said);
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
  if (has_one_stage(of.problem.problem)) {
    const study::simulated_setting s = setting_of(of.problem);
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

panel hitting_panel(const parameter_list& said, const std::vector<double>& times) {
  panel p;
  p.x_label = "hitting time t" + unit_suffix(said);
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

figure hitting_figure(const asked<study::simulate_problem>& of,
                      const std::vector<study::run_row>& rows) {
  std::vector<double> times;
  for (const study::run_row& row : rows) {
    if (std::isfinite(row.t_hit)) {
      times.push_back(row.t_hit);
    }
  }
  panel p = hitting_panel(of.said, times);
  const overlap_event event = study::overlap_event_of(of.problem.plan.events.front());
  // Half of the random starts lead to the other sign.
  const bool by_sign = event.quantity == overlap_quantity::m && event.is_signed;
  const bool lawful = !of.problem.problem.start.m0 && has_one_stage(of.problem.problem) && !by_sign;
  if (lawful && times.size() >= 2) {
    overlap_event at;
    at.quantity = event.quantity;
    at.at = event.at;
    curve density;
    density.label = "law";
    density.style = line_style::dashed;
    density.colour = 1;
    for (const study::density_point& point : study::expected_hits(setting_of(of.problem), at)) {
      density.x.push_back(point.t);
      density.y.push_back(point.density);
    }
    if (!density.x.empty()) {
      p.curves.push_back(std::move(density));
    }
  }
  return {{std::move(p)}};
}

figure validate_figure(const std::vector<study::validation_row>& rows) {
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
