#include "phase_grid.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <loradyn/activation/parse.hpp>
#include <loradyn/analysis/search_phase.hpp>
#include <loradyn/error.hpp>
#include <loradyn/nearest_names.hpp>
#include <loradyn/sweep/range.hpp>
#include <map>
#include <set>

namespace loradyn::cli {
namespace {

const std::vector<std::string> plain_parameters{"mu",       "nu", "gamma", "noise",
                                                "lr-ratio", "m0", "dim"};

// The parameters in braces of both activations, each once.
std::vector<std::string> braces_in(const phase_setting& setting) {
  std::vector<std::string> names;
  for (const auto& [option, text] :
       {std::pair("--student", &setting.student), std::pair("--teacher", &setting.teacher)}) {
    if (text->empty()) {
      continue;
    }
    try {
      for (const std::string& name : brace_parameters_of(*text)) {
        if (std::find(names.begin(), names.end(), name) == names.end()) {
          names.push_back(name);
        }
      }
    } catch (const parse_error& e) {
      throw error(fmt::format("{} '{}': {}", option, *text, e.what()));
    }
  }
  return names;
}

phase_axis read_axis(const std::string& option, const std::string& text,
                     const std::vector<std::string>& braces) {
  const std::size_t equals = text.find('=');
  if (text.empty() || equals == std::string::npos) {
    throw argument_error(option, "'" + text + "'", "PARAM=R, such as mu=0.1:0.9:33");
  }
  phase_axis axis;
  axis.name = text.substr(0, equals);
  if (axis.name.size() > 2 && axis.name.front() == '{' && axis.name.back() == '}') {
    axis.name = axis.name.substr(1, axis.name.size() - 2);
  }
  axis.brace = std::find(braces.begin(), braces.end(), axis.name) != braces.end();
  const bool plain = std::find(plain_parameters.begin(), plain_parameters.end(), axis.name) !=
                     plain_parameters.end();
  if (!axis.brace && !plain) {
    std::vector<std::string> known = plain_parameters;
    known.insert(known.end(), braces.begin(), braces.end());
    throw error(fmt::format(
        "{} '{}': {} is neither a parameter nor in braces in an activation; the nearest are {}",
        option, text, axis.name, nearest_names(axis.name, known)));
  }
  const std::string range = text.substr(equals + 1);
  axis.values = parse_range(option + " " + axis.name, range);
  axis.logarithmic = range.starts_with("log:");
  const auto require = [&](bool holds, const char* expected) {
    if (!holds) {
      throw argument_error(option, "'" + text + "'", expected);
    }
  };
  for (std::size_t i = 0; i < axis.values.size(); ++i) {
    const double v = axis.values[i];
    require(i == 0 || v > axis.values[i - 1], "increasing");
    if (axis.name == "nu" || axis.name == "gamma" || axis.name == "noise") {
      require(v >= 0.0, ">= 0");
    } else if (axis.name == "lr-ratio") {
      require(v > 0.0, "> 0");
    } else if (axis.name == "dim") {
      require(v >= 3.0, "at least 3");
    } else if (axis.name == "m0") {
      require(std::abs(v) <= 1.0, "between -1 and 1");
    }
  }
  return axis;
}

std::vector<cell> tau_row(const escape_problem& problem, const lora_parameters& p) {
  double tau = std::numeric_limits<double>::quiet_NaN();
  std::string status = "no-convergence";
  try {
    const search_phase_result phase = search_phase(problem.task.risk, p);
    tau = phase.tau * problem.unit;
    status = to_string(phase.status);
  } catch (const convergence_error&) {
    // as the status says
  }
  return {problem.student, problem.teacher, p.alignment, p.misalignment, p.noise_scale,
          p.label_noise,   p.rate_ratio,    tau,         status};
}

}  // namespace

phase_grid::phase_grid(const phase_setting& setting, const std::string& x, const std::string& y)
    : setting_(setting) {
  const std::vector<std::string> braces = braces_in(setting);
  axes_ = {read_axis("--x", x, braces), read_axis("--y", y, braces)};
  if (axes_[0].name == axes_[1].name) {
    throw argument_error("--y", "'" + y + "'", "another parameter than that of --x");
  }
  for (const std::string& name : braces) {
    if (axes_[0].name != name && axes_[1].name != name) {
      throw error(
          fmt::format("{{{}}} in an activation is on no axis: give it with --x or --y", name));
    }
  }
  const bool over_mu = axes_[0].name == "mu" || axes_[1].name == "mu";
  if (over_mu != setting.mu.empty()) {
    throw argument_error("--mu", over_mu ? "given" : "missing",
                         over_mu ? "left out: it is on an axis" : "given, or on an axis");
  }
  if (!over_mu) {
    setting_.parameters.alignment = read_number("--mu", setting.mu);
  }
  const double count =
      static_cast<double>(axes_[0].values.size()) * static_cast<double>(axes_[1].values.size());
  if (count > max_cells) {
    throw argument_error("the grid", fmt::format("{:.3g} cells", count), "of at most 1e9 cells");
  }

  // The problems are made before the sweep, where many cells share one; a fault of an activation is
  // found here.
  const auto brace_axes =
      std::count_if(axes_.begin(), axes_.end(), [](const phase_axis& a) { return a.brace; });
  if (brace_axes == 0) {
    shared_.push_back(std::make_shared<escape_problem>(pair_for({})));
  } else if (brace_axes == 1) {
    const phase_axis& axis = axes_[0].brace ? axes_[0] : axes_[1];
    for (const double value : axis.values) {
      shared_.push_back(std::make_shared<escape_problem>(pair_for({{axis.name, value}})));
    }
  } else {
    static_cast<void>(pair_for(
        {{axes_[0].name, axes_[0].values.front()}, {axes_[1].name, axes_[1].values.front()}}));
  }
}

std::uint64_t phase_grid::cells() const {
  return static_cast<std::uint64_t>(axes_[0].values.size()) * axes_[1].values.size();
}

activation_pair phase_grid::pair_for(const brace_values& braces) const {
  return read_pair(setting_.student, setting_.teacher, braces, setting_.fisher);
}

phase_grid::point phase_grid::at(double x, double y) const {
  point p{setting_.parameters, setting_.request, {}};
  for (const auto& [axis, value] : {std::pair(&axes_[0], x), std::pair(&axes_[1], y)}) {
    if (axis->brace) {
      p.braces.emplace(axis->name, value);
    } else if (axis->name == "mu") {
      p.parameters.alignment = value;
    } else if (axis->name == "nu") {
      p.parameters.misalignment = value;
    } else if (axis->name == "gamma") {
      p.parameters.noise_scale = value;
    } else if (axis->name == "noise") {
      p.parameters.label_noise = value;
    } else if (axis->name == "lr-ratio") {
      p.parameters.rate_ratio = value;
    } else if (axis->name == "m0") {
      p.request.start.m = value;
    } else {
      p.request.dimension = value;
    }
  }
  return p;
}

std::vector<std::string> phase_grid::columns() const {
  escape_request request = setting_.request;
  std::vector<std::string> own;
  for (const phase_axis& axis : axes_) {
    if (axis.name == "dim") {
      request.dimension = axis.values.front();
    }
    if (axis.brace || axis.name == "m0" || axis.name == "dim") {
      own.push_back(axis.name);
    }
  }
  std::vector<std::string> columns =
      setting_.tau_only ? std::vector<std::string>{"student", "teacher",  "mu",  "nu",    "gamma",
                                                   "noise",   "lr_ratio", "tau", "status"}
                        : escape_columns(request);
  columns.insert(columns.begin(), own.begin(), own.end());
  return columns;
}

std::vector<cell> phase_grid::row(std::uint64_t index) const {
  const std::size_t i = index % axes_[0].values.size();
  const std::size_t k = index / axes_[0].values.size();
  const std::array<double, 2> values{axes_[0].values[i], axes_[1].values[k]};
  const point p = at(values[0], values[1]);
  std::shared_ptr<const escape_problem> problem;
  if (shared_.empty()) {
    problem = std::make_shared<escape_problem>(pair_for(p.braces));
  } else {
    problem = shared_[shared_.size() == 1 ? 0 : (axes_[0].brace ? i : k)];
  }
  std::vector<cell> row = setting_.tau_only ? tau_row(*problem, p.parameters)
                                            : escape_row(*problem, p.parameters, p.request);
  std::vector<cell> own;
  for (std::size_t a = 0; a < axes_.size(); ++a) {
    const phase_axis& axis = axes_[a];
    if (axis.brace || axis.name == "m0" || axis.name == "dim") {
      own.emplace_back(values[a]);
    }
  }
  row.insert(row.begin(), own.begin(), own.end());
  return row;
}

double phase_grid::drive(double x, double y) const {
  try {
    const point p = at(x, y);
    const search_phase_result phase = search_phase(pair_for(p.braces).risk, p.parameters);
    return phase.A;
  } catch (const loradyn::error&) {
    return std::numeric_limits<double>::quiet_NaN();  // he{k} between two degrees
  }
}

bool phase_grid::has_critical_lines() const {
  const auto is = [this](const char* name) {
    return axes_[0].name == name || axes_[1].name == name;
  };
  const bool moves_A = is("mu") || axes_[0].brace || axes_[1].brace;
  return setting_.parameters.misalignment == 0.0 && !is("nu") && moves_A;
}

}  // namespace loradyn::cli
