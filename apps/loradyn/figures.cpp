#include "figures.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <loradyn/activation/parse.hpp>
#include <loradyn/error.hpp>
#include <loradyn/report/table_io.hpp>
#include <loradyn/sweep/range.hpp>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <utility>

#include "phase.hpp"

namespace loradyn::cli {
namespace {

const std::vector<std::string> rates_columns{"student", "teacher", "mu",     "nu",  "A",
                                             "B",       "C",       "lambda", "tau", "status"};
const std::vector<std::string> critical_columns{"student", "teacher", "mu_c",
                                                "B",       "slope",   "status"};

std::string pair_label(const std::string& student, const std::string& teacher) {
  return student == teacher ? student : student + " / " + teacher;
}

// The number of students in each panel, from the provenance: panels are apart by " | ".
std::vector<std::size_t> panel_sizes(const table& t, std::size_t students) {
  std::vector<std::size_t> sizes;
  std::size_t total = 0;
  for (const std::string_view panel : split(t.meta.parameter("student"), '|')) {
    sizes.push_back(split_activations(panel).size());
    total += sizes.back();
  }
  return total == students ? sizes : std::vector<std::size_t>{students};
}

// Where τ diverges between two neighbours on a curve of ν = 0: A changes sign, and there B < 0.
std::optional<double> divergence_between(std::span<const double> mu, std::span<const double> A,
                                         std::span<const double> B) {
  if (std::signbit(A[0]) == std::signbit(A[1]) || !std::isfinite(A[0]) || !std::isfinite(A[1])) {
    return std::nullopt;
  }
  const double fraction = A[0] / (A[0] - A[1]);
  if (!(std::lerp(B[0], B[1], fraction) < 0.0)) {
    return std::nullopt;
  }
  return std::lerp(mu[0], mu[1], fraction);
}

// Consecutive rows [begin, end) that share student, teacher and the value beside the axis.
struct stretch {
  std::size_t begin;
  std::size_t end;
};

}  // namespace

std::string parameter_title(const std::string& column) {
  static const std::map<std::string, std::string> titles{{"mu", "pre-training alignment μ"},
                                                         {"nu", "misalignment ν"},
                                                         {"gamma", "noise scale γ"},
                                                         {"noise", "label noise Δ"},
                                                         {"lr_ratio", "learning rate ratio κ"},
                                                         {"dim", "dimension d"}};
  const auto found = titles.find(column);
  return found == titles.end() ? column : found->second;
}

std::string unit_suffix(const provenance& meta) {
  return meta.parameter("time-unit") == "fisher" ? " × E[σ′²]" : "";
}

figure rates_figure(const table& t) {
  const std::vector<std::string> students = t.texts("student");
  const std::vector<std::string> teachers = t.texts("teacher");
  const std::vector<double> mu = t.numbers("mu");
  const std::vector<double> nu = t.numbers("nu");
  const std::vector<double> A = t.numbers("A");
  const std::vector<double> B = t.numbers("B");
  const std::vector<double> tau = t.numbers("tau");

  const std::set<double> mu_values(mu.begin(), mu.end());
  const std::set<double> nu_values(nu.begin(), nu.end());
  const bool over_mu = mu_values.size() > 1 || nu_values.size() <= 1;
  const std::vector<double>& axis = over_mu ? mu : nu;
  const std::vector<double>& other = over_mu ? nu : mu;
  const std::size_t others = over_mu ? nu_values.size() : mu_values.size();

  // Rows run over μ, then ν, then the pairs; a step back on the axis begins a new curve even where
  // the pair is the same in two panels.
  std::vector<stretch> curves;
  for (std::size_t i = 0; i < t.rows.size(); ++i) {
    const bool goes_on = i > 0 && students[i] == students[i - 1] &&
                         teachers[i] == teachers[i - 1] && other[i] == other[i - 1] &&
                         axis[i] > axis[i - 1];
    if (!goes_on) {
      curves.push_back({i, i});
    }
    curves.back().end = i + 1;
  }

  figure f;
  std::size_t next = 0;
  for (const std::size_t size : panel_sizes(t, others == 0 ? 0 : curves.size() / others)) {
    panel p;
    p.x_label = over_mu ? "pre-training alignment μ" : "misalignment ν";
    p.y_label = f.panels.empty() ? "search time τ" + unit_suffix(t.meta) : "";
    p.log_y = true;
    for (std::size_t k = 0; k < size * others && next < curves.size(); ++k, ++next) {
      const stretch& s = curves[next];
      curve c;
      c.label = pair_label(students[s.begin], teachers[s.begin]);
      if (others > 1) {
        c.label += fmt::format(", {} = {}", over_mu ? "ν" : "μ", other[s.begin]);
      }
      for (std::size_t i = s.begin; i < s.end; ++i) {
        if (over_mu && nu[i] == 0.0 && i > s.begin) {
          const auto two = [&](const std::vector<double>& v) { return std::span(&v[i - 1], 2); };
          if (const auto root = divergence_between(two(mu), two(A), two(B))) {
            p.marks.push_back({*root, fmt::format("{:.3f}", *root), p.curves.size()});
            c.x.push_back(*root);
            c.y.push_back(std::nan(""));
          }
        }
        c.x.push_back(axis[i]);
        c.y.push_back(tau[i]);
      }
      c.points = c.x.size() == 1;
      p.curves.push_back(std::move(c));
    }
    f.panels.push_back(std::move(p));
  }
  return f;
}

figure critical_figure(const table& t) {
  const std::vector<std::string> students = t.texts("student");
  const std::vector<std::string> teachers = t.texts("teacher");
  const std::vector<std::string> statuses = t.texts("status");
  const std::vector<double> mu = t.numbers("mu_c");
  panel p;
  p.y_label = "critical alignment μ_c";
  std::vector<std::string> kinds;
  for (std::size_t i = 0; i < t.rows.size(); ++i) {
    const std::string label = pair_label(students[i], teachers[i]);
    if (p.ticks.empty() || p.ticks.back().label != label) {
      p.ticks.push_back({static_cast<double>(p.ticks.size()), label});
    }
    const auto kind = std::find(kinds.begin(), kinds.end(), statuses[i]);
    const auto index = static_cast<std::size_t>(kind - kinds.begin());
    if (kind == kinds.end()) {
      kinds.push_back(statuses[i]);
      curve& c = p.curves.emplace_back();
      c.label = statuses[i];
      c.points = true;
    }
    p.curves[index].x.push_back(p.ticks.back().x);
    p.curves[index].y.push_back(mu[i]);
  }
  figure f;
  f.panels.push_back(std::move(p));
  return f;
}

namespace {

void require_rows(bool any) {
  if (!any) {
    throw argument_error("the table", "empty", "one with at least one row");
  }
}

figure figure_of_table(const table& t) {
  require_rows(!t.rows.empty());
  if (t.columns == rates_columns) {
    return rates_figure(t);
  }
  if (t.columns == critical_columns) {
    return critical_figure(t);
  }
  const auto begins = [&t](const std::vector<std::string>& columns) {
    return t.columns.size() >= columns.size() &&
           std::equal(columns.begin(), columns.end(), t.columns.begin());
  };
  if (begins({"t", "u", "m", "s", "M", "Q", "risk", "stage"})) {
    return trajectory_figure(t);
  }
  if (begins({"step", "t", "runs", "diverged"})) {
    return ensemble_figure(t);
  }
  if (begins({"run", "t_hit", "u", "m", "s"})) {
    return hitting_figure(t);
  }
  if (begins({"check", "dim", "quantity", "t", "theory"})) {
    return validate_figure(t);
  }
  if (begins({"t_pre", "mu", "nu", "tau", "t_finetune", "t_total", "outcome"})) {
    return budget_figure(t);
  }
  if (begins({"student", "teacher", "mu", "nu", "gamma", "noise", "lr_ratio", "tau", "t_hit",
              "t_linear"})) {
    return escape_figure(t);
  }
  if (begins({"student", "teacher", "mu", "nu", "gamma", "noise", "lr_ratio", "u", "m", "s", "M",
              "Q", "risk", "eig1"})) {
    return fixed_points_figure(t);
  }
  throw argument_error("the header of the table", fmt::format("'{}'", fmt::join(t.columns, ",")),
                       "that of a table that loradyn wrote");
}

}  // namespace

figure figure_of_file(const std::filesystem::path& path) {
  // Of a phase diagram, which may be large, no more is kept than is drawn.
  table t;
  std::unique_ptr<const phase_grid> grid;
  std::optional<phase_picture> picture;
  bool any = false;
  read_table_rows(
      path,
      [&](const table_header& header) {
        t.meta = header.meta;
        t.columns = header.columns;
        if (!t.meta.parameter("x").empty() && !t.meta.parameter("y").empty()) {
          grid = grid_of(t.meta.parameters);
          picture.emplace(*grid, t.meta, t.columns, "");
        }
      },
      [&](std::vector<cell> row) {
        any = true;
        if (picture) {
          picture->add(row);
        } else {
          t.rows.push_back(std::move(row));
        }
      });
  require_rows(any);
  return picture ? picture->drawn() : figure_of_table(t);
}

}  // namespace loradyn::cli
