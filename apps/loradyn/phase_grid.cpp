#include "phase_grid.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <iterator>
#include <limits>
#include <loradyn/activation/parse.hpp>
#include <loradyn/analysis/search_phase.hpp>
#include <loradyn/error.hpp>
#include <loradyn/nearest_names.hpp>
#include <loradyn/sweep/range.hpp>
#include <map>
#include <mutex>
#include <set>
#include <unordered_map>
#include <utility>

#include "resources.hpp"
#include "simulation_options.hpp"

namespace loradyn::cli {
namespace {

const std::vector<std::string> plain_parameters{"mu",       "nu", "gamma", "noise",
                                                "lr-ratio", "m0", "dim"};

bool is_plain(const std::string& name) {
  return std::find(plain_parameters.begin(), plain_parameters.end(), name) !=
         plain_parameters.end();
}

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
        if (is_plain(name)) {
          throw error(fmt::format("{} '{}': {{{}}} is the name of a parameter; take another",
                                  option, *text, name));
        }
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
                     const std::vector<std::string>& braces, const phase_setting& setting) {
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
  if (!axis.brace && !is_plain(axis.name)) {
    std::vector<std::string> known = plain_parameters;
    known.insert(known.end(), braces.begin(), braces.end());
    throw error(fmt::format(
        "{} '{}': {} is neither a parameter nor in braces in an activation; the nearest are {}",
        option, text, axis.name, nearest_names(axis.name, known)));
  }
  const std::string range = text.substr(equals + 1);
  axis.values = parse_range(option + " " + axis.name, range);
  axis.logarithmic = range.starts_with("log:");
  axis.levels = setting.levels;
  if (axis.name == "dim" && setting.ensemble) {
    axis.whole = true;
    std::transform(axis.values.begin(), axis.values.end(), axis.values.begin(),
                   [](double v) { return std::round(v); });
  }
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
  } catch (const error&) {
    // as the status says
  }
  return {problem.student, problem.teacher, p.alignment, p.misalignment, p.noise_scale,
          p.label_noise,   p.rate_ratio,    tau,         status};
}

// Whether the values of an axis have a column that `escape` has not.
bool has_own_column(const phase_axis& axis) {
  return axis.brace || axis.name == "m0" || axis.name == "dim";
}

}  // namespace

// The problems that cells share: one, or one for each value of the only axis in braces, made when
// it is first needed. Where both axes are in braces each cell has its own.
class phase_grid::problem_pool {
 public:
  using problem = std::shared_ptr<const escape_problem>;

  explicit problem_pool(const phase_grid& grid) : grid_(grid) {
    for (const phase_axis& axis : grid.axes()) {
      braces_ += axis.brace ? 1 : 0;
    }
    axis_ = grid.axes()[0].brace ? 0 : 1;
    // A fault of an activation is found before the sweep.
    const auto& [x, y] = grid.axes();
    if (braces_ == 2) {
      static_cast<void>(at(0, 0));
    } else {
      const phase_axis& axis = grid.axes()[axis_];
      for (std::uint64_t i = 0; i < (braces_ == 1 ? axis.values.size() : 1); ++i) {
        static_cast<void>(at(axis_ == 0 ? i << x.levels : 0, axis_ == 0 ? 0 : i << y.levels));
      }
    }
    if (braces_ > 0 && x.levels > 0) {
      try {
        static_cast<void>(at(1, 1));
      } catch (const error& e) {
        throw error(fmt::format("--refine: between the values of the axes: {}", e.what()));
      }
    }
  }

  problem at(std::uint64_t x, std::uint64_t y) {
    brace_values braces;
    const std::array<std::uint64_t, 2> places{x, y};
    for (std::size_t a = 0; a < places.size(); ++a) {
      if (const phase_axis& axis = grid_.axes()[a]; axis.brace) {
        braces.emplace(axis.name, axis.at(places[a]));
      }
    }
    if (braces_ == 2) {
      return std::make_shared<escape_problem>(grid_.pair_for(braces));
    }
    const std::uint64_t key = braces_ == 0 ? 0 : places[axis_];
    std::shared_ptr<slot> mine;
    {
      const std::lock_guard lock(mutex_);
      std::shared_ptr<slot>& found = slots_[key];
      if (!found) {
        found = std::make_shared<slot>();
      }
      mine = found;
    }
    std::call_once(mine->once,
                   [&] { mine->made = std::make_shared<escape_problem>(grid_.pair_for(braces)); });
    return mine->made;
  }

 private:
  struct slot {
    std::once_flag once;
    problem made;
  };

  const phase_grid& grid_;
  int braces_ = 0;
  std::size_t axis_ = 0;  // the one in braces
  std::mutex mutex_;
  std::unordered_map<std::uint64_t, std::shared_ptr<slot>> slots_;
};

std::uint64_t phase_axis::size() const {
  return ((static_cast<std::uint64_t>(values.size()) - 1) << levels) + 1;
}

double phase_axis::at(std::uint64_t place) const {
  const auto base = static_cast<std::size_t>(place >> levels);
  const std::uint64_t beyond = place - (static_cast<std::uint64_t>(base) << levels);
  if (beyond == 0) {
    return values[base];
  }
  const double t = static_cast<double>(beyond) / static_cast<double>(std::uint64_t{1} << levels);
  const double value = between(values[base], values[base + 1], t, logarithmic);
  return whole ? std::round(value) : value;
}

std::optional<std::uint64_t> phase_axis::place_of(double value) const {
  std::uint64_t lo = 0;
  std::uint64_t hi = size();
  while (lo < hi) {
    const std::uint64_t middle = lo + (hi - lo) / 2;
    if (at(middle) < value) {
      lo = middle + 1;
    } else {
      hi = middle;
    }
  }
  return lo < size() && at(lo) == value ? std::optional(lo) : std::nullopt;
}

std::string phase_axis::column() const { return name == "lr-ratio" ? "lr_ratio" : name; }

phase_grid::phase_grid(const phase_setting& setting, const std::string& x, const std::string& y)
    : setting_(setting) {
  const std::vector<std::string> braces = braces_in(setting);
  axes_ = {read_axis("--x", x, braces, setting), read_axis("--y", y, braces, setting)};
  if (axes_[0].name == axes_[1].name) {
    throw argument_error("--y", "'" + y + "'", "another parameter than that of --x");
  }
  for (const std::string& name : braces) {
    if (axes_[0].name != name && axes_[1].name != name) {
      throw error(
          fmt::format("{{{}}} in an activation is on no axis: give it with --x or --y", name));
    }
  }
  const bool over_mu = is_on_axis("mu");
  if (over_mu != setting.mu.empty()) {
    throw argument_error("--mu", over_mu ? "given" : "missing",
                         over_mu ? "left out: it is on an axis" : "given, or on an axis");
  }
  if (!over_mu) {
    setting_.parameters.alignment = read_number("--mu", setting.mu);
  }
  if (setting.levels > 0 && (axes_[0].values.size() < 2 || axes_[1].values.size() < 2)) {
    throw argument_error("--refine", std::to_string(setting.levels),
                         "0 where an axis has one value");
  }
  const double count = static_cast<double>(axes_[0].size()) * static_cast<double>(axes_[1].size());
  const double across = static_cast<double>(axes_[0].values.size());
  const double up = static_cast<double>(axes_[1].values.size());
  require_affordable(std::vector<extent>{{"--x", x, across}, {"--y", y, up}}, {"cells", 0.0, 0.0},
                     max_cells);
  if (count > max_cells) {
    // Each level makes four squares of one.
    const double levels = std::floor(0.5 * std::log2(max_cells / (across * up)));
    throw argument_error("--refine", fmt::format("'{}'", setting.levels),
                         fmt::format("at most {} here: the grid has up to {:.3g} cells, and "
                                     "{:.3g} are the most",
                                     std::max(0.0, levels), count, max_cells));
  }
  if (is_on_axis("dim")) {
    const phase_axis& axis = axes_[axes_[0].name == "dim" ? 0 : 1];
    setting_.request.dimension = axis.values.front();
  }
  if (setting_.request.dimension) {
    require_law_event(setting_.request.event);
  }
  if (setting_.ensemble) {
    setting_.ensemble->starts_fixed = is_on_axis("m0");
    check_ensemble();
  }
  columns_ = make_columns();
  problems_ = std::make_unique<problem_pool>(*this);
}

phase_grid::~phase_grid() = default;

void phase_grid::check_ensemble() const {
  if (setting_.tau_only) {
    throw argument_error("--only", "'tau'", "left out with --engine");
  }
  if (!setting_.request.dimension) {
    throw error("--dim is missing: --engine simulates at a finite dimension, such as --dim 1000");
  }
  const bool misaligned = setting_.parameters.misalignment > 0.0 || is_on_axis("nu") ||
                          (is_on_axis("m0") && setting_.request.start.s != 0.0);
  const double d = *setting_.request.dimension;
  if (d != std::round(d) || d > 0x1p53 || (misaligned && d < 4.0)) {
    throw argument_error("--dim", fmt::format("{}", d),
                         misaligned ? "a whole number from 4 to 2^53 with --engine and --nu"
                                    : "a whole number up to 2^53 with --engine");
  }
  const auto gamma = std::find_if(axes_.begin(), axes_.end(),
                                  [](const phase_axis& a) { return a.name == "gamma"; });
  const bool has_gamma = gamma != axes_.end() || setting_.parameters.noise_scale > 0.0;
  if (setting_.ensemble->learning_rate) {
    if (has_gamma) {
      throw argument_error("--gamma", "given with --lr",
                           "left out: --lr, --batch and --dim make it");
    }
  } else if (!has_gamma || (gamma != axes_.end() && gamma->values.front() == 0.0)) {
    throw argument_error("--gamma", "0", "> 0 with --engine, or --lr given: it has noise");
  }
  const ensemble_request& e = *setting_.ensemble;
  const auto number = [](const char* option, double value, double count) {
    return extent{option, fmt::format("{}", value), count, true};
  };
  const auto runs = static_cast<double>(e.runs);
  const auto batch = static_cast<double>(e.batch);
  // A run ends with its event: of one step is known that it is taken.
  require_simulation(
      {number("--runs", runs, runs), number("--steps", static_cast<double>(e.steps), 1.0),
       number("--batch", batch, batch), number("--dim", d, d), e.engine == simulation_engine::sgd},
      static_cast<double>(cells()));
  // Finds a level that no simulation can watch.
  static_cast<void>(simulated_event(setting_.request.event));
}

bool phase_grid::is_on_axis(const char* name) const {
  return axes_[0].name == name || axes_[1].name == name;
}

std::uint64_t phase_grid::cells() const {
  return static_cast<std::uint64_t>(axes_[0].values.size()) * axes_[1].values.size();
}

grid_refinement phase_grid::refinement() const {
  return {axes_[0].values.size(), axes_[1].values.size(), setting_.levels};
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
  if (setting_.ensemble && setting_.ensemble->learning_rate) {
    p.parameters.noise_scale = *setting_.ensemble->learning_rate * *p.request.dimension /
                               static_cast<double>(setting_.ensemble->batch);
  }
  return p;
}

std::vector<std::string> phase_grid::make_columns() const {
  std::vector<std::string> columns;
  for (const phase_axis& axis : axes_) {
    if (has_own_column(axis)) {
      columns.push_back(axis.name);
    }
  }
  const std::vector<std::string> told =
      setting_.tau_only ? std::vector<std::string>{"student", "teacher",  "mu",  "nu",    "gamma",
                                                   "noise",   "lr_ratio", "tau", "status"}
                        : escape_columns(setting_.request);
  columns.insert(columns.end(), told.begin(), told.end());
  if (setting_.ensemble) {
    const auto simulated = ensemble_columns(setting_.request.quantiles);
    columns.insert(columns.end(), simulated.begin(), simulated.end());
  }
  for (const phase_axis& axis : axes_) {
    if (axis.brace && std::count(columns.begin(), columns.end(), axis.name) > 1) {
      throw error(
          fmt::format("{{{}}} in an activation is the name of a column; take another", axis.name));
    }
  }
  return columns;
}

std::vector<column_kind> phase_grid::kinds() const {
  static const std::set<std::string> texts{"student", "teacher", "outcome", "status", "law", "sim"};
  static const std::set<std::string> counts{"sim_runs", "sim_hit", "sim_diverged", "sim_seed"};
  // A parameter in braces may have any name: the axes' own columns, which come first, are numbers.
  const auto own = std::count_if(axes_.begin(), axes_.end(), has_own_column);
  std::vector<column_kind> kinds(static_cast<std::size_t>(own), column_kind::number);
  for (auto name = columns_.begin() + own; name != columns_.end(); ++name) {
    kinds.push_back(texts.contains(*name)    ? column_kind::text
                    : counts.contains(*name) ? column_kind::integer
                                             : column_kind::number);
  }
  return kinds;
}

std::optional<std::vector<cell>> phase_grid::row(std::uint64_t place) const {
  const std::array<std::uint64_t, 2> places{place % axes_[0].size(), place / axes_[0].size()};
  const std::array<double, 2> values{axes_[0].at(places[0]), axes_[1].at(places[1])};
  const point p = at(values[0], values[1]);
  const problem_pool::problem problem = problems_->at(places[0], places[1]);
  std::vector<cell> row;
  row.reserve(columns_.size());
  for (std::size_t a = 0; a < axes_.size(); ++a) {
    if (has_own_column(axes_[a])) {
      row.emplace_back(values[a]);
    }
  }
  const auto append = [&row](std::vector<cell> more) {
    std::move(more.begin(), more.end(), std::back_inserter(row));
  };
  if (setting_.tau_only) {
    append(tau_row(*problem, p.parameters));
    return row;
  }
  const escape_point theory = escape_at(*problem, p.parameters, p.request);
  append(escape_row(*problem, p.parameters, p.request, theory));
  if (setting_.ensemble) {
    auto simulated = ensemble_row(*problem, p.parameters, p.request, theory, *setting_.ensemble,
                                  seed_at(setting_.ensemble->seed, values[0], values[1]));
    if (!simulated) {
      return std::nullopt;
    }
    append(std::move(*simulated));
  }
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
  const bool moves_A = is_on_axis("mu") || axes_[0].brace || axes_[1].brace;
  return setting_.parameters.misalignment == 0.0 && !is_on_axis("nu") && moves_A;
}

}  // namespace loradyn::cli
