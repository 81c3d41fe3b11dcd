#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <iterator>
#include <limits>
#include <loradyn/activation/parse.hpp>
#include <loradyn/analysis/network_critical.hpp>
#include <loradyn/analysis/search_phase.hpp>
#include <loradyn/error.hpp>
#include <loradyn/nearest_names.hpp>
#include <loradyn/study/phase.hpp>
#include <loradyn/study/rates.hpp>
#include <loradyn/study/resources.hpp>
#include <loradyn/study/simulate.hpp>
#include <loradyn/sweep/range.hpp>
#include <map>
#include <mutex>
#include <set>
#include <unordered_map>
#include <utility>
#include "study/network_parts.hpp"

namespace loradyn::study {
namespace {

activation read_activation(const char* which, const std::string& text, const brace_values& braces) {
  try {
    return parse_activation(text, braces);
  } catch (const parse_error& e) {
    throw error(fmt::format("--{} '{}': {}", which, text, e.what()));
  }
}

// The parameters in braces of both activations, each once.
std::vector<std::string> braces_in(const phase_problem& problem) {
  std::vector<std::string> names;
  for (const auto& [option, text] :
       {std::pair("--student", &problem.student), std::pair("--teacher", &problem.teacher)}) {
    if (text->empty()) {
      continue;
    }
    try {
      for (const std::string& name : brace_parameters_of(*text)) {
        if (parameter_named(name) != nullptr) {
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

phase_axis make_axis(const std::string& option, const axis_request& request,
                     const std::vector<std::string>& braces, const phase_problem& problem) {
  phase_axis axis;
  axis.name = request.parameter;
  axis.what = parameter_named(axis.name);
  if (axis.what == nullptr && problem.network) {
    axis.what = layout_parameter_named(axis.name);
  }
  if (axis.what == nullptr && std::find(braces.begin(), braces.end(), axis.name) == braces.end()) {
    std::vector<std::string> known = parameter_names();
    for (const parameter* p : layout_parameters) {
      if (problem.network) {
        known.emplace_back(p->name);
      }
    }
    known.insert(known.end(), braces.begin(), braces.end());
    throw error(fmt::format(
        "{} '{}': {} is neither a parameter nor in braces in an activation; the nearest are {}",
        option, to_text(request), axis.name, nearest_names(axis.name, known)));
  }
  axis.values = values_of(option + " " + axis.name, request.values);
  axis.logarithmic = request.values.logarithmic;
  axis.levels = problem.levels;
  if (axis.what == &registry::dim && (problem.ensemble || problem.network)) {
    axis.whole = true;
    std::transform(axis.values.begin(), axis.values.end(), axis.values.begin(),
                   [](double v) { return std::round(v); });
  }
  for (std::size_t i = 0; i < axis.values.size(); ++i) {
    const double v = axis.values[i];
    if (i > 0 && !(v > axis.values[i - 1])) {
      throw argument_error(option, "'" + to_text(request) + "'", "increasing");
    }
    if (axis.what != nullptr && !axis.what->allows(v)) {
      throw argument_error(option, "'" + to_text(request) + "'", axis.what->range());
    }
  }
  return axis;
}

}  // namespace

// The pairs that cells share: one, or one for each value of the only axis in braces, made when
// it is first needed. Where both axes are in braces each cell has its own.
class phase_grid::pair_pool {
 public:
  using pair = std::shared_ptr<const prepared_pair>;

  explicit pair_pool(const phase_grid& grid) : grid_(grid) {
    for (const phase_axis& axis : grid.axes()) {
      braces_ += axis.what == nullptr ? 1 : 0;
    }
    axis_ = grid.axes()[0].what == nullptr ? 0 : 1;
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

  pair at(std::uint64_t x, std::uint64_t y) {
    brace_values braces;
    const std::array<std::uint64_t, 2> places{x, y};
    for (std::size_t a = 0; a < places.size(); ++a) {
      if (const phase_axis& axis = grid_.axes()[a]; axis.what == nullptr) {
        braces.emplace(axis.name, axis.at(places[a]));
      }
    }
    if (braces_ == 2) {
      return std::make_shared<prepared_pair>(grid_.pair_for(braces));
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
                   [&] { mine->made = std::make_shared<prepared_pair>(grid_.pair_for(braces)); });
    return mine->made;
  }

 private:
  struct slot {
    std::once_flag once;
    pair made;
  };

  const phase_grid& grid_;
  int braces_ = 0;
  std::size_t axis_ = 0;  // the one in braces
  std::mutex mutex_;
  std::unordered_map<std::uint64_t, std::shared_ptr<slot>> slots_;
};

// Where modes of a network lose their drive; what that is asked of is made when it is first needed.
class phase_grid::critical_map {
 public:
  explicit critical_map(const phase_grid& grid) : grid_(grid) {}

  [[nodiscard]] double at(double x, double y) {
    std::call_once(once_, [this] { make(); });
    return (*made_)(flow_at(x, y));
  }

 private:
  [[nodiscard]] network_flow flow_at(double x, double y) const {
    const point p = grid_.at(x, y);
    const network_layout layout = with_numbers(grid_.problem_.network->layout, p.at.layout);
    return {task_of(grid_.pair_for(p.braces), layout), geometry_of(layout, p.at),
            parameters_of(layout, p.at)};
  }

  void make() {
    // Enough that not all are critical, at no round values.
    constexpr std::array shares{0.117, 0.431, 0.873};
    const auto& [x, y] = grid_.axes_;
    std::vector<network_flow> places;
    for (const double across : shares) {
      for (const double up : shares) {
        const auto value = [](const phase_axis& axis, double share) {
          return between(axis.values.front(), axis.values.back(), share, axis.logarithmic);
        };
        try {
          places.push_back(flow_at(value(x, across), value(y, up)));
        } catch (const loradyn::error&) {
          continue;  // he{k} between two degrees
        }
      }
    }
    const point corner = grid_.at(x.values.back(), y.values.back());
    made_.emplace(
        family_of(with_numbers(grid_.problem_.network->layout, corner.at.layout), corner.at),
        grid_.decays_while_searching(), places);
  }

  const phase_grid& grid_;
  std::once_flag once_;
  std::optional<critical_function> made_;
};

axis_request read_axis(const std::string& option, const std::string& text) {
  const std::size_t equals = text.find('=');
  if (equals == std::string::npos) {
    throw argument_error(option, "'" + text + "'", "PARAM=R, such as mu=0.1:0.9:33");
  }
  axis_request axis;
  axis.parameter = text.substr(0, equals);
  if (axis.parameter.size() > 2 && axis.parameter.front() == '{' && axis.parameter.back() == '}') {
    axis.parameter = axis.parameter.substr(1, axis.parameter.size() - 2);
  }
  axis.values = read_range(option + " " + axis.parameter, text.substr(equals + 1));
  return axis;
}

std::string to_text(const axis_request& axis) {
  return axis.parameter + "=" + to_text(axis.values);
}

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

phase_grid::phase_grid(phase_problem problem)
    : problem_(std::move(problem)), otherwise_(problem_.otherwise) {
  const std::vector<std::string> braces = braces_in(problem_);
  axes_ = {make_axis("--x", problem_.x, braces, problem_),
           make_axis("--y", problem_.y, braces, problem_)};
  if (axes_[0].name == axes_[1].name) {
    throw argument_error("--y", "'" + to_text(problem_.y) + "'",
                         "another parameter than that of --x");
  }
  for (const std::string& name : braces) {
    if (axes_[0].name != name && axes_[1].name != name) {
      throw error(
          fmt::format("{{{}}} in an activation is on no axis: give it with --x or --y", name));
    }
  }
  check_alignment();
  check_numbers();
  if (has_rows() && !problem_.has_alignment && !is_on_axis(registry::mu)) {
    // The rows stand as they are; the table tells that there is no μ.
    otherwise_.parameters.alignment = std::numeric_limits<double>::quiet_NaN();
  }
  check_size();
  check_start();
  for (const phase_axis& axis : axes_) {
    if (axis.what == &registry::dim) {
      otherwise_.dimension = axis.values.front();
    }
  }
  if (problem_.network) {
    check_network();
  } else if (has_law()) {
    require_law_event(problem_.request.event);
  }
  if (problem_.ensemble) {
    starts_fixed_ = std::any_of(start_parameters.begin(), start_parameters.end(),
                                [this](const parameter* p) { return is_on_axis(*p); });
    check_ensemble();
  }
  columns_ = make_columns();
  pairs_ = std::make_unique<pair_pool>(*this);
  if (problem_.network) {
    lines_ = std::make_unique<critical_map>(*this);
  }
}

void phase_grid::check_numbers() const {
  for (const parameter* p : all_parameters) {
    const auto value = p->get(otherwise_);
    if (value && !is_on_axis(*p) && !(std::isfinite(*value) && p->allows(*value))) {
      throw argument_error(fmt::format("--{}", p->name), fmt::format("{}", *value),
                           p->range().empty() ? "a finite number" : p->range());
    }
  }
  problem_.request.validate();
  const auto require = [](bool holds, const char* name, const auto& value, const char* range) {
    if (!holds) {
      throw argument_error(name, fmt::format("{}", value), range);
    }
  };
  require(problem_.levels <= max_levels, "--refine", problem_.levels, "at most 20");
  require(problem_.refine_step > 0.0, "--refine-step", problem_.refine_step, "> 0");
  if (problem_.ensemble) {
    problem_.ensemble->validate();
  }
}

void phase_grid::check_alignment() const {
  const bool over_mu = is_on_axis(registry::mu);
  if (over_mu == problem_.has_alignment && (over_mu || !has_rows())) {
    throw argument_error("--mu", over_mu ? "given" : "missing",
                         over_mu ? "left out: it is on an axis" : "given, or on an axis");
  }
}

void phase_grid::check_size() const {
  const double across = static_cast<double>(axes_[0].values.size());
  const double up = static_cast<double>(axes_[1].values.size());
  if (problem_.levels > 0 && (across < 2.0 || up < 2.0)) {
    throw argument_error("--refine", std::to_string(problem_.levels),
                         "0 where an axis has one value");
  }
  const double count = static_cast<double>(axes_[0].size()) * static_cast<double>(axes_[1].size());
  require_affordable(
      std::vector<extent>{{"--x", to_text(problem_.x), across}, {"--y", to_text(problem_.y), up}},
      {"cells", 0.0, 0.0}, max_cells);
  if (count > max_cells) {
    // Each level makes four squares of one.
    const double levels = std::floor(0.5 * std::log2(max_cells / (across * up)));
    throw argument_error("--refine", fmt::format("'{}'", problem_.levels),
                         fmt::format("at most {} here: the grid has up to {:.3g} cells, and "
                                     "{:.3g} are the most",
                                     std::max(0.0, levels), count, max_cells));
  }
}

void phase_grid::check_start() const {
  // On the ends of the axes the overlaps are largest.
  for (const double x : {axes_[0].values.front(), axes_[0].values.back()}) {
    for (const double y : {axes_[1].values.front(), axes_[1].values.back()}) {
      const overlap_state start = at(x, y).at.start;
      if (!in_disc(start)) {
        throw argument_error(fmt::format("m0 = {} with s0 = {}", start.m, start.s),
                             fmt::format("m0^2 + s0^2 = {}", start.m * start.m + start.s * start.s),
                             "at most 1");
      }
    }
  }
}

phase_grid::~phase_grid() = default;

void phase_grid::check_ensemble() const {
  if (problem_.tau_only) {
    throw argument_error("--only", "'tau'", "left out with --engine");
  }
  if (!otherwise_.dimension) {
    throw error("--dim is missing: --engine simulates at a finite dimension, such as --dim 1000");
  }
  const bool misaligned =
      otherwise_.parameters.misalignment > 0.0 || is_on_axis(registry::nu) ||
      (starts_fixed_ && (otherwise_.start.s != 0.0 || is_on_axis(registry::s0)));
  const double d = *otherwise_.dimension;
  if (d != std::round(d) || d > 0x1p53 || (misaligned && d < 4.0)) {
    throw argument_error("--dim", fmt::format("{}", d),
                         misaligned ? "a whole number from 4 to 2^53 with --engine and --nu"
                                    : "a whole number up to 2^53 with --engine");
  }
  const auto gamma = std::find_if(axes_.begin(), axes_.end(),
                                  [](const phase_axis& a) { return a.what == &registry::gamma; });
  const bool has_gamma = gamma != axes_.end() || otherwise_.parameters.noise_scale > 0.0;
  if (problem_.ensemble->learning_rate) {
    if (has_gamma) {
      throw argument_error("--gamma", "given with --lr",
                           "left out: --lr, --batch and --dim make it");
    }
  } else if (!has_gamma || (gamma != axes_.end() && gamma->values.front() == 0.0)) {
    throw argument_error("--gamma", "0", "> 0 with --engine, or --lr given: it has noise");
  }
  const ensemble_request& e = *problem_.ensemble;
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
  static_cast<void>(simulated_event(problem_.request.event));
}

// A network's cells differ in their sizes: what does not fit together at the corners is refused.
void phase_grid::check_network() const {
  const phase_network& network = *problem_.network;
  if (problem_.ensemble) {
    throw argument_error("--engine", "given", "left out: a network's cells simulate nothing");
  }
  for (const parameter* p : {&registry::m0, &registry::s0}) {
    if (is_on_axis(*p)) {
      throw argument_error(std::string(p->name), "on an axis", "none of a network's");
    }
  }
  for (const phase_axis& axis : axes_) {
    if (axis.levels > 0 && axis.what != nullptr && axis.what->whole) {
      throw argument_error("--refine", std::to_string(problem_.levels),
                           fmt::format("0 where {} is on an axis", axis.name));
    }
  }
  if (problem_.tau_only && network.layout.trained != trained_part::lora) {
    throw argument_error("--only", "'tau'", "left out: nothing but --train lora has a search");
  }
  if (is_on_axis(registry::rank) && network.layout.trained != trained_part::lora) {
    throw argument_error("rank", "on an axis", "left out: but for --train lora it is the width");
  }
  if (has_rows()) {
    check_rows();
  } else {
    const bool has_overlap =
        is_on_axis(registry::source_overlap) || otherwise_.layout.source_overlap.has_value();
    if (network.layout.source.has_value() != has_overlap) {
      throw argument_error(has_overlap ? "--source" : "--source-overlap", "missing",
                           "given: a source task has an activation and an overlap");
    }
  }
  if (network.forgotten && !network.layout.source) {
    throw argument_error("--forgotten", fmt::format("{}", *network.forgotten),
                         "left out where there is no source task");
  }
  for (const parameter* p : layout_parameters) {
    const auto value = p->get(otherwise_);
    if (value && !is_on_axis(*p) && !p->allows(*value)) {
      throw argument_error(fmt::format("--{}", p->name), fmt::format("{}", *value), p->range());
    }
  }
  for (const double x : {axes_[0].values.front(), axes_[0].values.back()}) {
    for (const double y : {axes_[1].values.front(), axes_[1].values.back()}) {
      const point corner = at(x, y);
      const network_escape_problem asked = network_problem_at(corner.at);
      const network_problem problem = simulated_problem(pair_for(corner.braces), asked.layout,
                                                        asked.start, corner.at, corner.at.start.u);
      const network_flow f = flow_of(problem, asked.layout, corner.at.parameters.noise_scale);
      if (!problem_.tau_only) {
        asked.event.validate(f);
      }
      if (has_law()) {
        require_law_event(asked.event, f.parameters().rank);
      }
    }
  }
}

// What rows of a network's own say is on no axis, and the same wherever it is said.
void phase_grid::check_rows() const {
  const network_layout& layout = problem_.network->layout;
  const network_geometry& rows = *layout.geometry;
  for (const parameter* p :
       {&registry::nu, &registry::width, &registry::teacher_width, &registry::source_overlap}) {
    if (is_on_axis(*p)) {
      throw argument_error(std::string(p->name), "on an axis", "left out: --network says it");
    }
  }
  const auto require = [](const char* name, double value, Eigen::Index expected) {
    if (value != static_cast<double>(expected)) {
      throw argument_error(name, fmt::format("{}", value),
                           fmt::format("{}, as --network says", expected));
    }
  };
  require("--width", otherwise_.layout.width, rows.width());
  require("--teacher-width", otherwise_.layout.teacher_width, rows.teacher.rows());
  if (otherwise_.parameters.misalignment != 0.0) {
    throw argument_error("--nu", fmt::format("{}", otherwise_.parameters.misalignment),
                         "left out: --network says it");
  }
  if (layout.source.has_value() != (rows.source.rows() > 0)) {
    throw argument_error("--source", layout.source ? "given" : "missing",
                         layout.source ? "left out: --network has no rows of a source"
                                       : "given: --network has rows of a source");
  }
}

network_escape_problem phase_grid::network_problem_at(const parameter_point& here) const {
  const phase_network& network = *problem_.network;
  network_escape_problem asked{{},
                               {},
                               with_numbers(network.layout, here.layout),
                               network.start,
                               network.event,
                               problem_.request.integrator,
                               std::nullopt};
  if (here.dimension) {
    asked.start.dimension = static_cast<std::uint64_t>(*here.dimension);
    asked.quantiles = problem_.request.quantiles;
  }
  return asked;
}

void phase_grid::fill_network(const activation_pair& pair, const parameter_point& here,
                              phase_row& row) const {
  const network_escape_problem asked = network_problem_at(here);
  escape_row& to = row.escape;
  if (problem_.tau_only) {
    const network_rates_row fastest = rates_at(pair, here, asked.layout).front();
    to.key = fastest.key;
    to.tau = fastest.tau;
    to.status = fastest.status;
    return;
  }
  const network_escape_row found = escape_at(asked, pair, here);
  to.key = found.key;
  to.tau = found.tau;
  to.t_hit = found.t_hit;
  to.samples = found.samples;
  to.M_end = found.end.mean_overlap;
  to.risk_end = found.end.risk;
  to.outcome = found.outcome;
  to.status = found.status;
  to.law = found.law;
  row.source_risk = found.end.source_risk;
  const auto& forgotten = problem_.network->forgotten;
  if (forgotten && to.outcome == to_string(outcome::learned) && row.source_risk > *forgotten) {
    to.outcome = "forgotten";
  }
}

bool phase_grid::is_on_axis(const parameter& p) const {
  return axes_[0].what == &p || axes_[1].what == &p;
}

bool phase_grid::has_rows() const {
  return problem_.network && problem_.network->layout.geometry.has_value();
}

bool phase_grid::decays_while_searching() const {
  return problem_.network && problem_.network->layout.adapter == adapter_constraint::free &&
         (is_on_axis(registry::decay) || otherwise_.layout.decay > 0.0);
}

bool phase_grid::has_own_column(const phase_axis& axis) const {
  return std::find(model_parameters.begin(), model_parameters.end(), axis.what) ==
         model_parameters.end();
}

std::uint64_t phase_grid::cells() const {
  return static_cast<std::uint64_t>(axes_[0].values.size()) * axes_[1].values.size();
}

grid_refinement phase_grid::refinement() const {
  return {axes_[0].values.size(), axes_[1].values.size(), problem_.levels};
}

activation_pair phase_grid::pair_for(const brace_values& braces) const {
  const activation student = read_activation("student", problem_.student, braces);
  return make_pair(
      student,
      problem_.teacher.empty() ? student : read_activation("teacher", problem_.teacher, braces),
      problem_.unit);
}

phase_grid::point phase_grid::at(double x, double y) const {
  point p{otherwise_, {}};
  for (const auto& [axis, value] : {std::pair(&axes_[0], x), std::pair(&axes_[1], y)}) {
    if (axis->what == nullptr) {
      p.braces.emplace(axis->name, value);
    } else {
      axis->what->set(p.at, value);
    }
  }
  if (problem_.ensemble && problem_.ensemble->learning_rate && p.at.dimension) {
    p.at.parameters.noise_scale = *problem_.ensemble->learning_rate * *p.at.dimension /
                                  static_cast<double>(problem_.ensemble->batch);
  }
  return p;
}

row_description<phase_row> phase_grid::make_columns() const {
  using row = phase_row;
  row_description<row> columns;
  std::vector<std::string> own;
  for (const phase_axis& axis : axes_) {
    if (has_own_column(axis)) {
      own.push_back(axis.what != nullptr ? axis.what->column() : axis.name);
    }
  }
  columns.add_each(own, "the value on its axis", measure::none, &row::own);
  const auto& quantiles = problem_.request.quantiles;
  if (problem_.network && !problem_.tau_only) {
    add_network_columns(columns);
  } else if (problem_.tau_only) {
    columns.add_part(key_columns(model_parameters), &row::escape, &escape_row::key)
        .add("tau", "the search time", measure::time, &row::escape, &escape_row::tau)
        .add("status", "whether it exists", measure::none, &row::escape, &escape_row::status);
  } else {
    columns.add_part(escape_columns(has_law() ? std::optional(quantiles) : std::nullopt),
                     &row::escape);
  }
  if (problem_.ensemble) {
    columns.add_part(ensemble_columns(quantiles), &row::simulated);
  }
  const std::vector<std::string> names = columns.names();
  for (const phase_axis& axis : axes_) {
    if (axis.what == nullptr && std::count(names.begin(), names.end(), axis.name) > 1) {
      throw error(
          fmt::format("{{{}}} in an activation is the name of a column; take another", axis.name));
    }
  }
  return columns;
}

void phase_grid::add_network_columns(row_description<phase_row>& columns) const {
  using row = phase_row;
  const auto add = [&](const char* name, const char* meaning, measure measured, auto member) {
    columns.add(name, meaning, measured, &row::escape, member);
  };
  columns.add_part(key_columns(model_parameters), &row::escape, &escape_row::key);
  add("tau", "the search time", measure::time, &escape_row::tau);
  add("t_hit", "when the run meets its event", measure::time, &escape_row::t_hit);
  add("samples_hit", "seen until then: t d/γ", measure::none, &escape_row::samples);
  add("M_mean_end", "mean overlap of the neurons with their targets at the end", measure::none,
      &escape_row::M_end);
  add("risk_end", "population risk at the end", measure::none, &escape_row::risk_end);
  if (problem_.network->layout.source) {
    columns.add("source_risk_end", "population risk on the source task at the end", measure::none,
                &row::source_risk);
  }
  add("outcome", "what became of the run", measure::none, &escape_row::outcome);
  add("status", "how it came to its end", measure::none, &escape_row::status);
  if (has_law()) {
    columns
        .add("t_mean", "mean of the law", measure::time, &row::escape, &escape_row::law,
             &law_values::mean)
        .add_each(quantile_columns("t_q", problem_.request.quantiles), "quantile of the law",
                  measure::time, &row::escape, &escape_row::law, &law_values::quantiles)
        .add("law", "whether the law holds", measure::none, &row::escape, &escape_row::law,
             &law_values::status);
  }
}

double phase_grid::value_on(std::size_t axis, const phase_row& row) const {
  if (!has_own_column(axes_[axis])) {
    return *axes_[axis].what->get(row.escape.key.at);
  }
  return row.own[axis == 1 && has_own_column(axes_[0]) ? 1 : 0];
}

std::optional<phase_row> phase_grid::row(std::uint64_t place) const {
  const std::array<std::uint64_t, 2> places{place % axes_[0].size(), place / axes_[0].size()};
  const std::array<double, 2> values{axes_[0].at(places[0]), axes_[1].at(places[1])};
  const parameter_point here = at(values[0], values[1]).at;
  const pair_pool::pair pair = pairs_->at(places[0], places[1]);
  phase_row row;
  for (std::size_t a = 0; a < axes_.size(); ++a) {
    if (has_own_column(axes_[a])) {
      row.own.push_back(values[a]);
    }
  }
  if (problem_.network) {
    fill_network(pair->pair, here, row);
    return row;
  }
  if (problem_.tau_only) {
    const rates_row found = rates_at(pair->pair, here);
    row.escape.key = found.key;
    row.escape.tau = found.tau;
    row.escape.status = found.status;
    return row;
  }
  const escape_point theory = escape_at(*pair, here, problem_.request);
  row.escape = row_of(*pair, here, problem_.request, theory);
  if (problem_.ensemble) {
    auto simulated =
        ensemble_at(*pair, here, problem_.request, theory, *problem_.ensemble, starts_fixed_,
                    seed_at(problem_.ensemble->seed, values[0], values[1]));
    if (!simulated) {
      return std::nullopt;
    }
    row.simulated = *std::move(simulated);
  }
  return row;
}

double phase_grid::drive(double x, double y) const {
  try {
    if (lines_) {
      return lines_->at(x, y);
    }
    const point p = at(x, y);
    const search_phase_result phase = search_phase(pair_for(p.braces).risk, p.at.parameters);
    return phase.A;
  } catch (const loradyn::error&) {
    return std::numeric_limits<double>::quiet_NaN();  // he{k} between two degrees
  }
}

bool phase_grid::has_critical_lines() const {
  const bool moves_A =
      is_on_axis(registry::mu) || axes_[0].what == nullptr || axes_[1].what == nullptr;
  if (problem_.network) {
    const network_layout& layout = problem_.network->layout;
    if (layout.trained != trained_part::lora || is_on_axis(registry::width) ||
        is_on_axis(registry::teacher_width)) {
      return false;
    }
    if (decays_while_searching()) {
      return moves_A || is_on_axis(registry::decay) || is_on_axis(registry::nu);
    }
    if (has_rows()) {
      return moves_A && targets_span_rows(*layout.geometry);
    }
  }
  return otherwise_.parameters.misalignment == 0.0 && !is_on_axis(registry::nu) && moves_A;
}

const char* phase_grid::critical_line() const {
  return !problem_.network ? "A = 0" : decays_while_searching() ? "a drive = ω" : "a drive = 0";
}

}  // namespace loradyn::study
