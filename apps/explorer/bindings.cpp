// What the page asks of the library: one function, from a request to its answer, both texts.
//
// A request is lines `key=value`, the first of them `ask=…`; numbers are decimals that read back as
// the same double. An answer is JSON: an object, or {"error": …, "parameter": …, "column": …}. A
// number that does not exist is null, beside a status that says why.

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <iterator>
#include <list>
#include <loradyn/activation/parse.hpp>
#include <loradyn/analysis/critical.hpp>
#include <loradyn/analysis/equilibria.hpp>
#include <loradyn/analysis/phase_plane.hpp>
#include <loradyn/error.hpp>
#include <loradyn/simulation/run.hpp>
#include <loradyn/study/escape.hpp>
#include <loradyn/study/network.hpp>
#include <loradyn/study/rates.hpp>
#include <loradyn/study/simulate.hpp>
#include <loradyn/study/trajectory.hpp>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>
#include "study/network_parts.hpp"

namespace loradyn::explorer {
namespace {

using study::parameter;
using study::parameter_point;
using study::prepared_pair;
namespace registry = study::registry;

// JSON, as it is written.
class json {
 public:
  json& begin(char bracket) {
    separate();
    text_ += bracket;
    fresh_ = true;
    return *this;
  }
  json& end(char bracket) {
    text_ += bracket;
    fresh_ = false;
    return *this;
  }
  json& key(std::string_view name) {
    string(name);
    text_ += ':';
    fresh_ = true;
    return *this;
  }
  json& string(std::string_view value) {
    separate();
    text_ += '"';
    for (const char c : value) {
      if (c == '"' || c == '\\') {
        text_ += '\\';
      }
      if (static_cast<unsigned char>(c) < ' ') {
        fmt::format_to(std::back_inserter(text_), "\\u{:04x}", static_cast<unsigned>(c));
      } else {
        text_ += c;
      }
    }
    text_ += '"';
    return *this;
  }
  json& number(double value) {
    separate();
    if (std::isfinite(value)) {
      fmt::format_to(std::back_inserter(text_), "{}", value);
    } else {
      text_ += "null";
    }
    return *this;
  }
  json& member(std::string_view name, double value) { return key(name).number(value); }
  json& member(std::string_view name, std::string_view value) { return key(name).string(value); }
  json& numbers(std::string_view name, const std::vector<double>& values) {
    key(name).begin('[');
    for (const double value : values) {
      number(value);
    }
    return end(']');
  }
  [[nodiscard]] const std::string& text() const { return text_; }

 private:
  void separate() {
    if (!fresh_) {
      text_ += ',';
    }
    fresh_ = false;
  }

  std::string text_;
  bool fresh_ = true;
};

class request {
 public:
  explicit request(std::string_view text) {
    while (!text.empty()) {
      const std::size_t line = text.find('\n');
      const std::string_view part = text.substr(0, line);
      if (const std::size_t equals = part.find('='); equals != std::string_view::npos) {
        values_.insert_or_assign(std::string(part.substr(0, equals)),
                                 std::string(part.substr(equals + 1)));
      }
      text.remove_prefix(line == std::string_view::npos ? text.size() : line + 1);
    }
  }

  void set(const std::string& key, double value) {
    values_.insert_or_assign(key, fmt::format("{}", value));
  }
  [[nodiscard]] bool has(std::string_view key) const { return values_.contains(key); }
  [[nodiscard]] const std::string& text(std::string_view key) const {
    const auto found = values_.find(key);
    if (found == values_.end()) {
      throw argument_error(std::string(key), "missing", "given");
    }
    return found->second;
  }
  [[nodiscard]] double number(std::string_view key) const { return number_in(key, text(key)); }
  [[nodiscard]] double number(std::string_view key, double otherwise) const {
    return has(key) ? number(key) : otherwise;
  }
  // Separated by commas.
  [[nodiscard]] std::vector<double> numbers(std::string_view key) const {
    std::vector<double> values;
    std::string_view rest = text(key);
    for (;;) {
      const std::size_t comma = rest.find(',');
      values.push_back(number_in(key, std::string(rest.substr(0, comma))));
      if (comma == std::string_view::npos) {
        return values;
      }
      rest.remove_prefix(comma + 1);
    }
  }

 private:
  // libc++ 13 has no from_chars for it.
  static double number_in(std::string_view key, const std::string& value) {
    char* end = nullptr;
    const double number = std::strtod(value.c_str(), &end);
    if (value.empty() || *end != '\0' || !std::isfinite(number)) {
      throw argument_error(std::string(key), "'" + value + "'", "a finite number");
    }
    return number;
  }

  std::map<std::string, std::string, std::less<>> values_;
};

// A fault of an activation's text, with whose it is.
struct activation_fault {
  std::string which;
  std::string message;
  std::size_t column;
};

activation read(const request& asked, const std::string& which, const std::string& text) {
  // Parameters in braces are axes of a map, or have a value of their own.
  try {
    brace_parameters braces;
    for (const std::string& name : brace_parameters_of(text)) {
      braces.emplace(name, asked.number("{" + name + "}", 0.0));
    }
    return parse_activation(text, braces);
  } catch (const parse_error& e) {
    throw activation_fault{which, e.what(), e.column()};
  }
}

// The pair of a request. The last ones are kept: a slider's move asks for the same, and so does a
// row of a map.
const prepared_pair& pair_of(const request& asked) {
  constexpr std::size_t most = 80;
  struct kept {
    std::string key;
    std::unique_ptr<const prepared_pair> pair;
  };
  static std::list<kept> pairs;
  const std::string& student = asked.text("student");
  const std::string& teacher = asked.has("teacher") ? asked.text("teacher") : student;
  std::string key = student + '\n' + teacher + '\n' + (asked.has("unit") ? asked.text("unit") : "");
  for (const std::string* text : {&student, &teacher}) {
    try {
      for (const std::string& name : brace_parameters_of(*text)) {
        key += fmt::format("\n{}={}", name, asked.number("{" + name + "}", 0.0));
      }
    } catch (const parse_error& e) {
      throw activation_fault{text == &student ? "student" : "teacher", e.what(), e.column()};
    }
  }
  for (auto it = pairs.begin(); it != pairs.end(); ++it) {
    if (it->key == key) {
      pairs.splice(pairs.begin(), pairs, it);
      return *pairs.front().pair;
    }
  }
  const bool fisher = asked.has("unit") && asked.text("unit") == "fisher";
  const activation sigma = read(asked, "student", student);
  const activation g = teacher == student ? sigma : read(asked, "teacher", teacher);
  pairs.push_front(
      {std::move(key), std::make_unique<prepared_pair>(study::make_pair(
                           sigma, g, fisher ? study::time_unit::fisher : study::time_unit::raw))});
  if (pairs.size() > most) {
    pairs.pop_back();
  }
  return *pairs.front().pair;
}

parameter_point point_of(const request& asked) {
  parameter_point at;
  for (const parameter* p : study::all_parameters) {
    if (!asked.has(p->name)) {
      continue;
    }
    const double value = asked.number(p->name);
    if (!p->allows(value)) {
      throw argument_error(std::string(p->name), fmt::format("{}", value), p->range());
    }
    p->set(at, value);
  }
  validate_start(at.start);
  return at;
}

study::escape_request escape_of(const request& asked) {
  study::escape_request r;
  if (asked.has("event")) {
    const auto quantity = value_named(overlap_quantities, asked.text("event"));
    if (!quantity) {
      throw argument_error("event", asked.text("event"), names_of(overlap_quantities));
    }
    r.event.quantity = *quantity;
  }
  r.event.at = asked.number("at", r.event.at);
  r.event.is_signed = asked.number("signed", 0.0) != 0.0;
  constexpr std::size_t steps = 100'000;  // the program's own limit for a row of a table
  r.integrator.step_limit = steps;
  r.validate();
  return r;
}

void add_state(json& out, std::string_view name, const overlap_state& x) {
  out.numbers(name, {x.u, x.m, x.s});
}

// What is known of the parameters: the registry.
void registry_of(const request&, json& out) {
  out.begin('[');
  for (const parameter* p : study::all_parameters) {
    out.begin('{')
        .member("name", p->name)
        .member("symbol", p->symbol)
        .member("meaning", p->meaning)
        .member("title", p->axis_title())
        .member("least", p->least)
        .member("most", p->most)
        .member("standard", p->standard.value_or(std::nan("")))
        .end('}');
  }
  out.end(']');
}

void pair_check(const request& asked, json& out) {
  const prepared_pair& pair = pair_of(asked);
  out.begin('{').member("rate_unit", pair.pair.rate_unit).end('}');
}

// A, B, C, λ₊ and τ at one point.
void rates(const request& asked, json& out) {
  const study::rates_row row = study::rates_at(pair_of(asked).pair, point_of(asked));
  out.begin('{')
      .member("A", row.A)
      .member("B", row.B)
      .member("C", row.C)
      .member("lambda", row.lambda)
      .member("tau", row.tau)
      .member("status", row.status)
      .end('}');
}

// τ at alignments.
void curve(const request& asked, json& out) {
  const prepared_pair& pair = pair_of(asked);
  parameter_point at = point_of(asked);
  std::vector<double> tau;
  std::vector<double> drive;
  for (const double mu : asked.numbers("mus")) {
    at.parameters.alignment = mu;
    const study::rates_row row = study::rates_at(pair.pair, at);
    tau.push_back(row.tau);
    drive.push_back(row.A);
  }
  out.begin('{').numbers("tau", tau).numbers("A", drive).end('}');
}

void critical(const request& asked, json& out) {
  const prepared_pair& pair = pair_of(asked);
  const double unit = pair.pair.rate_unit;
  out.begin('[');
  for (const critical_alignment& root : critical_alignments(
           pair.task.risk, point_of(asked).parameters, asked.number("lo"), asked.number("hi"))) {
    out.begin('{')
        .member("mu_c", root.alignment)
        .member("B", root.B / unit)
        .member("slope", root.slope / unit)
        .member("status", to_string(root.status))
        .end('}');
  }
  out.end(']');
}

void add_escape(json& out, const study::escape_row& row) {
  out.member("tau", row.tau).member("t_hit", row.t_hit);
  add_state(out, "at_hit", row.at_hit);
  add_state(out, "at_end", row.at_end);
  out.member("M_end", row.M_end)
      .member("risk_end", row.risk_end)
      .member("outcome", row.outcome)
      .member("status", row.status);
}

// One run: when it meets its event, where it ends.
void run(const request& asked, json& out) {
  const prepared_pair& pair = pair_of(asked);
  parameter_point at = point_of(asked);
  at.dimension.reset();
  const study::escape_request r = escape_of(asked);
  out.begin('{');
  add_escape(out, study::row_of(pair, at, r, study::escape_at(pair, at, r)));
  out.end('}');
}

// The overlaps and the risk in time, as `loradyn trajectory` records them.
void trajectory(const request& asked, json& out) {
  const prepared_pair& pair = pair_of(asked);
  const parameter_point at = point_of(asked);
  const lora_parameters& p = at.parameters;
  study::trajectory_problem problem;
  problem.rate_unit = pair.pair.rate_unit;
  problem.protocol.start = at.start;
  problem.protocol.alignment = p.alignment;
  problem.protocol.misalignment = p.misalignment;
  problem.end = asked.number("t-end") / problem.rate_unit;
  problem.protocol.stages.emplace_back(tuning_stage{pair.task, p.noise_scale, p.label_noise,
                                                    p.rate_ratio, problem.end, std::nullopt});
  problem.record.count = static_cast<std::size_t>(asked.number("points"));
  const study::trajectory_result result = study::trajectory(problem);
  std::map<std::string, std::vector<double>> columns;
  for (const study::trajectory_row& row : result.rows) {
    columns["t"].push_back(row.t);
    columns["u"].push_back(row.x.u);
    columns["m"].push_back(row.x.m);
    columns["s"].push_back(row.x.s);
    columns["M"].push_back(row.M);
    columns["Q"].push_back(row.Q);
    columns["risk"].push_back(row.risk);
  }
  out.begin('{');
  for (const auto& [name, values] : columns) {
    out.numbers(name, values);
  }
  out.member("complete", result.complete ? 1.0 : 0.0)
      .member("status", result.stages.empty() ? "ok" : to_string(result.stages.back().status))
      .end('}');
}

void fixed_points(const request& asked, json& out) {
  const prepared_pair& pair = pair_of(asked);
  const double unit = pair.pair.rate_unit;
  const flow f(pair.task, point_of(asked).parameters);
  out.begin('[');
  for (const equilibrium& e : equilibria(f, pair.classifier.critical_points())) {
    out.begin('{');
    add_state(out, "x", e.x);
    out.member("M", e.M).member("Q", e.Q).member("risk", e.risk);
    std::vector<double> real;
    std::vector<double> imaginary;
    for (const std::complex<double>& value : e.eigenvalues) {
      real.push_back(value.real() / unit);
      imaginary.push_back(value.imag() / unit);
    }
    out.numbers("re", real)
        .numbers("im", imaginary)
        .member("kind", to_string(e.kind))
        .member("corner", e.corner ? 1.0 : 0.0)
        .end('}');
  }
  out.end(']');
}

// The run in the plane, to its rest; where it would be drawn.
void path(const request& asked, json& out) {
  const prepared_pair& pair = pair_of(asked);
  const parameter_point at = point_of(asked);
  const flow f(pair.task, at.parameters);
  rest_detector at_rest(f);
  integration_options options;
  constexpr double path_tolerance = 1e-6;  // heuristic: a tenth of what a picture shows
  constexpr std::size_t most_steps = 20'000;
  options.relative_tolerance = path_tolerance;
  options.step_limit = most_steps;
  std::vector<double> u{at.start.u};
  std::vector<double> m{at.start.m};
  std::vector<double> t{0.0};
  integrate<3>(system_of(f), at.start.pack(), 0.0, options, {}, [&](const dense_step<3>& step) {
    constexpr int pieces = 4;
    for (int k = 1; k <= pieces; ++k) {
      t.push_back(std::lerp(step.begin, step.end, static_cast<double>(k) / pieces));
      const auto x = step.at(t.back());
      u.push_back(x[0]);
      m.push_back(x[1]);
    }
    return !at_rest(step);
  });
  for (double& time : t) {
    time *= pair.pair.rate_unit;
  }
  out.begin('{').numbers("t", t).numbers("u", u).numbers("m", m).end('}');
}

void plane(const request& asked, json& out) {
  const prepared_pair& pair = pair_of(asked);
  const parameter_point at = point_of(asked);
  const flow f(pair.task, at.parameters);
  const phase_plane plane = plane_of(f, asked.number("reach"), at.start.s,
                                     static_cast<std::size_t>(asked.number("arrows")));
  std::vector<double> field;
  for (std::size_t i = 0; i < plane.places.size(); ++i) {
    const overlap_state& x = plane.places[i];
    const overlap_state& v = plane.velocities[i];
    field.insert(field.end(), {x.u, x.m, v.u, v.m});
  }
  const auto flat = [](const std::vector<plane_segment>& segments) {
    std::vector<double> values;
    for (const plane_segment& s : segments) {
      values.insert(values.end(), {s[0][0], s[0][1], s[1][0], s[1][1]});
    }
    return values;
  };
  out.begin('{')
      .numbers("field", field)
      .numbers("u_nullcline", flat(plane.u_nullcline))
      .numbers("m_nullcline", flat(plane.m_nullcline))
      .end('}');
}

// The law of the escape time: its density at the times of its quantiles.
void law(const request& asked, json& out) {
  const prepared_pair& pair = pair_of(asked);
  const parameter_point at = point_of(asked);
  study::escape_request r = escape_of(asked);
  study::require_law_event(r.event);
  const study::escape_point point = study::escape_at(pair, at, r);
  const study::escape_row row = study::row_of(pair, at, r, point);
  out.begin('{').member("status", row.law.status).member("mean", row.law.mean);
  out.numbers("quantiles", row.law.quantiles);
  std::vector<double> t;
  std::vector<double> density;
  const double unit = pair.pair.rate_unit;
  if (point.law && std::isfinite(row.law.mean)) {
    constexpr double least = 1e-4;
    constexpr double most = 0.999;
    constexpr int points = 200;
    const double from = point.law->quantile(least);
    const double to = point.law->quantile(most);
    for (int i = 0; i <= points; ++i) {
      const double x = std::lerp(from, to, static_cast<double>(i) / points);
      t.push_back(x * unit);
      density.push_back(point.law->density(x) / unit);
    }
  }
  out.numbers("t", t).numbers("density", density).end('}');
}

// The exact chain at a finite dimension: the hitting times of some runs of an ensemble.
void chain(const request& asked, json& out) {
  const prepared_pair& pair = pair_of(asked);
  const parameter_point at = point_of(asked);
  const overlap_event event = escape_of(asked).event;
  const population_risk& risk = pair.task.risk;
  lora_parameters p = at.parameters;
  p.noise_scale = 0.0;  // batch and learning rate make it
  simulation_problem problem = make_problem(
      risk.student(), risk.teacher(), p, static_cast<std::uint64_t>(asked.number("dim")),
      static_cast<std::uint64_t>(asked.number("batch")), asked.number("lr"),
      static_cast<std::uint64_t>(asked.number("steps")));
  problem.seed = static_cast<std::uint64_t>(asked.number("seed", 0.0));
  simulation_plan plan;
  plan.stop_after_events = true;
  plan.events = {study::simulated_event(event)};
  plan.risk = study::risk_of(risk, p.label_noise);
  std::vector<double> times;
  const auto first = static_cast<std::uint64_t>(asked.number("first"));
  const auto runs = static_cast<std::uint64_t>(asked.number("runs"));
  for (std::uint64_t i = first; i < first + runs; ++i) {
    const event_hit hit = replay_run(problem, simulation_engine::chain, plan, i).hits.front();
    times.push_back(hit.happened ? problem.time_at(hit.step) * pair.pair.rate_unit : std::nan(""));
  }
  out.begin('{').numbers("t_hit", times).end('}');
}

// Cells of a diagram: `x` and `y` name a parameter each, or a brace parameter; `xs` and `ys` are
// the places.
void cells(const request& asked, json& out) {
  const study::escape_request r = escape_of(asked);
  parameter_point at = point_of(asked);
  at.dimension.reset();
  const std::string& x = asked.text("x");
  const std::string& y = asked.text("y");
  const std::vector<double> xs = asked.numbers("xs");
  const std::vector<double> ys = asked.numbers("ys");
  out.begin('[');
  for (std::size_t i = 0; i < xs.size() && i < ys.size(); ++i) {
    request here = asked;
    for (const auto& [name, value] : {std::pair(&x, xs[i]), std::pair(&y, ys[i])}) {
      if (const parameter* p = study::parameter_named(*name)) {
        p->set(at, value);
      } else {
        here.set("{" + *name + "}", value);
      }
    }
    const prepared_pair& pair = pair_of(here);
    out.begin('{');
    add_escape(out, study::row_of(pair, at, r, study::escape_at(pair, at, r)));
    out.end('}');
  }
  out.end(']');
}

template <class Value, std::size_t Count>
Value choice(const request& asked, std::string_view key, const name_table<Value, Count>& names) {
  const auto value = value_named(names, asked.text(key));
  if (!value) {
    throw argument_error(std::string(key), asked.text(key), names_of(names));
  }
  return *value;
}

// A whole number, as far as a double has them all.
std::uint64_t count_of(const request& asked, std::string_view key) {
  const double value = asked.number(key);
  constexpr double most = 0x1p53;
  if (!(value >= 0.0 && value <= most && value == std::trunc(value))) {
    throw argument_error(std::string(key), fmt::format("{}", value), "a whole number >= 0");
  }
  return static_cast<std::uint64_t>(value);
}

study::network_layout layout_of(const request& asked) {
  const auto size = [&](const parameter& p) {
    const double value = asked.number(p.name);
    if (!p.allows(value)) {
      throw argument_error(std::string(p.name), fmt::format("{}", value), p.range());
    }
    return static_cast<std::ptrdiff_t>(value);
  };
  study::network_layout l;
  l.width = size(registry::width);
  l.teacher_width = size(registry::teacher_width);
  l.rank = size(registry::rank);
  l.off_target = static_cast<std::ptrdiff_t>(count_of(asked, "off-target"));
  l.readout = choice(asked, "readout", readout_rules);
  l.trained = choice(asked, "train", trained_parts);
  l.adapter = choice(asked, "adapter", adapter_constraints);
  return l;
}

// A network's modes of the search, and its overlaps and risk in time.
void network(const request& asked, json& out) {
  const prepared_pair& pair = pair_of(asked);
  const double unit = pair.pair.rate_unit;
  study::network_start_request start;
  start.dimension = count_of(asked, "dim");
  start.seed = count_of(asked, "seed");
  study::network_trajectory_problem problem{
      pair.pair, layout_of(asked), start, point_of(asked), {}, {}, {}, {}, {}};
  const std::vector<study::network_rates_row> modes =
      study::rates_at(pair.pair, problem.at, problem.layout);
  // Without an end time: some searches long.
  double end = asked.number("t-end", 0.0);
  if (end == 0.0) {
    constexpr double searches = 30.0;
    end = std::isfinite(modes.front().tau) ? searches * modes.front().tau : 100.0 * unit;
    end = std::strtod(fmt::format("{:.1e}", end).c_str(), nullptr);
  }
  problem.end = end / unit;
  problem.record = {{}, static_cast<std::size_t>(asked.number("points")), asked.has("log")};
  if (const double rate = asked.number("lr", 0.0); rate > 0.0) {
    problem.learning_rate = rate;
  }
  const study::network_trajectory_result result = study::trajectory(problem);
  out.begin('{').member("t_end", end).key("modes").begin('[');
  for (const study::network_rates_row& mode : modes) {
    out.begin('{')
        .member("lambda", mode.lambda)
        .member("tau", mode.tau)
        .numbers("u", mode.u)
        .numbers("m", mode.m)
        .member("status", mode.status)
        .end('}');
  }
  out.end(']');
  using record = study::network_record;
  const auto column = [&](std::string_view name, auto value) {
    std::vector<double> values;
    for (const study::network_trajectory_row& row : result.rows) {
      values.push_back(value(row));
    }
    out.numbers(name, values);
  };
  column("t", [](const auto& row) { return row.t; });
  column("samples", [](const auto& row) { return row.at.samples; });
  column("risk", [](const auto& row) { return row.at.risk; });
  column("M_mean", [](const auto& row) { return row.at.mean_overlap; });
  // The matrices of each time one after the other, as a table has them.
  const auto matrices = [&](std::string_view name, std::vector<double> record::*entries) {
    std::vector<double> values;
    for (const study::network_trajectory_row& row : result.rows) {
      values.insert(values.end(), (row.at.*entries).begin(), (row.at.*entries).end());
    }
    out.numbers(name, values);
  };
  matrices("U", &record::U);
  matrices("M", &record::M);
  matrices("m", &record::m);
  matrices("S", &record::S);
  out.member("complete", result.complete ? 1.0 : 0.0)
      .member("status", result.stages.empty() ? "ok" : to_string(result.stages.back().status))
      .end('}');
}

std::string answer(std::string_view text) {
  using question = void (*)(const request&, json&);
  static const std::map<std::string, question, std::less<>> questions{
      {"registry", registry_of},
      {"pair", pair_check},
      {"rates", rates},
      {"curve", curve},
      {"critical", critical},
      {"run", run},
      {"trajectory", trajectory},
      {"fixed-points", fixed_points},
      {"path", path},
      {"plane", plane},
      {"law", law},
      {"chain", chain},
      {"cells", cells},
      {"network", network}};
  json out;
  try {
    const request asked(text);
    const auto found = questions.find(asked.text("ask"));
    if (found == questions.end()) {
      throw argument_error("ask", asked.text("ask"), "a question");
    }
    found->second(asked, out);
    return out.text();
  } catch (const activation_fault& fault) {
    return json()
        .begin('{')
        .member("error", fault.message)
        .member("parameter", fault.which)
        .member("column", static_cast<double>(fault.column))
        .end('}')
        .text();
  } catch (const argument_error& e) {
    return json()
        .begin('{')
        .member("error", e.what())
        .member("parameter", e.parameter())
        .end('}')
        .text();
  } catch (const std::exception& e) {
    return json().begin('{').member("error", e.what()).end('}').text();
  }
}

}  // namespace
}  // namespace loradyn::explorer

/// The answer to a request, valid until the next.
extern "C" const char* explorer_answer(const char* request) {
  static std::string text;
  text = loradyn::explorer::answer(request);
  return text.c_str();
}
