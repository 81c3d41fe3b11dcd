#include "options.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cmath>
#include <loradyn/activation/parse.hpp>
#include <loradyn/error.hpp>
#include <loradyn/sweep/range.hpp>
#include <optional>
#include <tuple>

#include "message.hpp"

namespace loradyn::cli {

namespace registry = study::registry;

described& operator+=(described& all, const described& more) {
  all.insert(all.end(), more.begin(), more.end());
  return all;
}

void add_given(described& all, const std::string& name, const std::string& text) {
  if (!text.empty()) {
    all.emplace_back(name, text);
  }
}

question words_of(std::initializer_list<described> lists) {
  described all;
  for (const described& list : lists) {
    all += list;
  }
  return question(std::move(all));
}

parameter_texts::parameter_texts(std::span<const study::parameter* const> parameters) {
  for (const study::parameter* p : parameters) {
    texts_.emplace(p, p->standard ? fmt::format("{}", *p->standard) : "");
  }
}

namespace {

constexpr const char* unlimited = "inf";  // --t-max

std::string option_of(const study::parameter& p) { return "--" + std::string(p.name); }

// A parameter's option, with its range in the help.
void add_parameter(option_list& options, const study::parameter& p, std::string& text,
                   const std::string& type) {
  const std::string range = p.range();
  options.text(option_of(p), text, std::string(p.meaning) + (range.empty() ? "" : ", " + range),
               type);
}

std::string students_of(const shared_options& options) {
  return fmt::format("{}", fmt::join(options.students, " | "));
}

std::vector<activation> read_activations(const std::string& option, const std::string& list) {
  std::vector<activation> activations;
  for (const std::string_view text : split_activations(list)) {
    activations.push_back(read_activation(option, text));
  }
  return activations;
}

}  // namespace

void look_options::add_to(option_list& options) {
  options.text("--size", size,
               "of the figure: width and height in cm, or column (8.6 cm wide) or page (17.8); "
               "texts have 8 to 10 pt then",
               "W,H|column|page");
  options.text("--font", font, "of the figure (default: Helvetica)", "NAME");
  options.text("--style", theme, "of the figure: for a light page, a dark one, or ink",
               "light|dark|print");
}

figure_style look_options::style() const {
  figure_style style;
  style.font = font;
  style.theme = read_choice("--style", theme, figure_themes);
  constexpr double column = 8.6;
  constexpr double page = 17.8;
  constexpr double least = 3.0;
  constexpr double most = 100.0;
  if (size == "column" || size == "page") {
    style.size = {size == "column" ? column : page, 0.0};
  } else if (!size.empty()) {
    const std::size_t comma = size.find(',');
    const auto side = [&](const std::string& text) {
      const double value = parse_number("--size", text);
      if (!(value >= least && value <= most)) {
        throw argument_error("--size", "'" + size + "'",
                             fmt::format("from {} to {} cm wide and high", least, most));
      }
      return value;
    };
    if (comma == std::string::npos) {
      throw argument_error("--size", "'" + size + "'",
                           "width and height in cm such as 8.6,6, or column or page");
    }
    style.size = {side(size.substr(0, comma)), side(size.substr(comma + 1))};
  }
  return style;
}

void table_options::add_to(option_list& options) {
  options.text("-o,--output", file,
               "the table: .csv, .json or .h5; - is standard output, as without it", "FILE");
  options.text("--format", format, "of the table, whatever its name (default: its ending, or csv)",
               "csv|json|h5");
  options.flag("--no-header", headless,
               "of csv the rows alone, without parameters and names of columns");
}

void shared_options::add_to(option_list& options) {
  options.texts("--student", students,
                "the student's activation, or a list a,b,c: a curve each;\n"
                "given again: another panel of the figure. An expression of\n" +
                    activation_grammar(),
                "NAME");
  options.text(
      "--teacher", teachers,
      "the teacher's; one for all, one each, or a list for one student (default: the student's)",
      "NAME");
  for (const study::parameter* p : study::model_parameters) {
    if (p != &registry::mu) {
      add_parameter(options, *p, parameters[*p], "R");
    }
  }
  options.text("--time-unit", unit, "raw, or fisher: times in units of 1/E[student'(z)^2]",
               "raw|fisher");
  output.add_to(options);
  options.text("--plot", figure,
               "the figure: .svg, .pdf, .png or .tex, its gnuplot script and data beside it",
               "FILE");
  look.add_to(options);
  options.text("--config", config,
               "read options from a TOML file (-: standard input); the command line wins", "FILE");
  options.number("--seed", seed, "seed of the random numbers", 0, UINT64_MAX);
  constexpr std::uint64_t most_threads = 4096;
  options.number("--threads", threads, "threads to use; 0: all. Results don't depend on it", 0,
                 most_threads);
  options.flag("-q,--quiet", quiet, "no progress and no notes on standard error");
  options.flag("--progress", progress, "progress even where standard error is no terminal");
  options.flag("--verbose", verbose, "tell on standard error how the numbers are made");
}

void shared_options::add_mu_to(option_list& options, const std::string& type) {
  add_parameter(options, registry::mu, parameters[registry::mu], type);
}

bool shared_options::shows_progress() const {
  return !quiet && (progress || ::isatty(STDERR_FILENO) != 0);
}

described describe(const shared_options& options) {
  described all{{"student", text_parameter(students_of(options))}};
  add_given(all, "teacher", text_parameter(options.teachers));
  for (const study::parameter* p : study::model_parameters) {
    add_given(all, std::string(p->name), options.parameters[*p]);
  }
  return all += {{"time-unit", options.unit}, {"seed", std::to_string(options.seed)}};
}

parameter_texts start_options::defaults() {
  parameter_texts texts(study::start_parameters);
  texts[registry::u0] = "";  // commands have defaults of their own
  return texts;
}

void start_options::add_to(option_list& options, const std::string& u0_default) {
  options.text(option_of(registry::u0), texts[registry::u0],
               std::string(registry::u0.meaning) + " (default: " + u0_default + ")", "X");
  add_parameter(options, registry::m0, texts[registry::m0], "X");
  add_parameter(options, registry::s0, texts[registry::s0], "X");
}

void start_options::add_file_to(option_list& options) {
  options.text("--start", file, "start from what trajectory --end-state wrote: u, m, s, mu and nu",
               "FILE");
  options.exclude("--start", {"--u0", "--m0", "--s0", "--mu", "--nu"});
}

described describe(const start_options& options) {
  described all;
  for (const study::parameter* p : study::start_parameters) {
    const std::string& text = options.texts[*p];
    all.emplace_back(p->name, text.empty() ? fmt::format("{}", *p->standard) : text);
  }
  return all;
}

void event_options::add_to(option_list& options, const std::string& quantity_default,
                           const std::string& at_default, const std::string& type) {
  quantity = quantity_default;
  options.text("--event", quantity, "what tells the end of the search: m, M or risk", "m|M|risk");
  options.text("--at", at, "the value it reaches (default: " + at_default + ")", type);
  options.flag("--signed", is_signed, "m or M itself, not its absolute value");
}

described words_of(const event_options& options) {
  described all;
  add_given(all, "event", options.quantity);
  add_given(all, "at", options.at);
  add_given(all, "signed", options.is_signed ? "true" : "");
  return all;
}

void integrator_options::add_to(option_list& options) {
  options.text("--t-max", t_max, "the time after which a run is given up", "X");
  options.text("--rtol", rtol, "relative tolerance of a step, 1e-13 to 0.1", "X");
  options.text("--atol", atol, "absolute tolerance of a step", "X");
  options.text("--stepper", method, "auto, explicit (Dormand-Prince) or stiff (Rosenbrock)",
               "auto|explicit|stiff");
  options.number("--max-steps", max_steps, "steps after which a run is given up", 1, UINT64_MAX);
}

described describe(const integrator_options& options) {
  described all;
  add_given(all, "t-max", options.t_max == unlimited ? "" : options.t_max);
  return all += {{"rtol", options.rtol},
                 {"atol", options.atol},
                 {"stepper", options.method},
                 {"max-steps", std::to_string(options.max_steps)}};
}

void law_options::add_to(option_list& options, const std::string& type) {
  options.text(option_of(registry::dim), dimension,
               "the law of the escape time over random starts in this dimension,\nu0 = 1/d^2",
               type);
  options.text("--quantiles", quantiles, "of that law", "R");
}

described describe(const law_options& options) {
  described all;
  add_given(all, "dim", options.dimension);
  return all += {{"quantiles", options.quantiles}};
}

activation read_activation(const std::string& option, std::string_view text) {
  try {
    return parse_activation(text);
  } catch (const parse_error& e) {
    throw error(fmt::format("{} '{}': {}", option, text, e.what()));
  }
}

study::time_unit read_unit(const shared_options& options) {
  return read_choice("--time-unit", options.unit, study::time_units);
}

std::vector<study::activation_pair> read_pairs(const shared_options& options) {
  if (options.students.empty()) {
    throw error("--student is missing: name an activation, such as --student erf");
  }
  std::vector<activation> students;
  for (const std::string& list : options.students) {
    for (activation& a : read_activations("--student", list)) {
      students.push_back(std::move(a));
    }
  }
  std::vector<activation> teachers;
  if (!options.teachers.empty()) {
    teachers = read_activations("--teacher", options.teachers);
    if (students.size() == 1 && teachers.size() > 1) {
      students.insert(students.end(), teachers.size() - 1, activation(students.front()));
    }
    if (teachers.size() != 1 && teachers.size() != students.size()) {
      throw argument_error(
          "--teacher", "'" + options.teachers + "'",
          fmt::format("one activation, or one for each of the {} students", students.size()));
    }
  }
  const study::time_unit unit = read_unit(options);
  std::vector<study::activation_pair> pairs;
  for (std::size_t i = 0; i < students.size(); ++i) {
    pairs.push_back(study::make_pair(
        students[i], teachers.empty() ? students[i] : teachers[teachers.size() == 1 ? 0 : i],
        unit));
  }
  return pairs;
}

study::activation_pair read_single_pair(const shared_options& options,
                                        const std::string& expected) {
  std::vector<study::activation_pair> pairs = read_pairs(options);
  if (pairs.size() != 1) {
    throw argument_error("--student", fmt::format("{} activations", pairs.size()), expected);
  }
  return std::move(pairs.front());
}

void require_mu(const shared_options& options, const std::string& example) {
  if (options.mu().empty()) {
    throw error("--mu is missing: give " + example);
  }
}

study::parameter_point read_parameters(const shared_options& options) {
  study::parameter_point point;
  for (const study::parameter* p : study::model_parameters) {
    if (p != &registry::mu && p != &registry::nu) {
      p->set(point, read_value(*p, options.parameters[*p]));
    }
  }
  return point;
}

double read_single_nu(const shared_options& options, const std::string& expected) {
  const std::vector<double> nu = read_values(registry::nu, options.nu());
  if (nu.size() != 1) {
    throw argument_error("--nu", "'" + options.nu() + "'", expected);
  }
  return nu.front();
}

study::parameter_grid read_grid(const shared_options& options,
                                std::span<const study::parameter* const> swept) {
  require_mu(options, "the alignments, such as --mu 0.1:0.9:9");
  study::parameter_grid grid;
  for (const study::parameter* p : study::model_parameters) {
    if (std::find(swept.begin(), swept.end(), p) != swept.end()) {
      grid.axes.push_back({p, read_values(*p, options.parameters[*p])});
    } else {
      p->set(grid.otherwise, read_value(*p, options.parameters[*p]));
    }
  }
  return grid;
}

std::vector<study::extent> extents_of(const shared_options& options,
                                      const study::parameter_grid& grid, std::size_t pairs) {
  std::vector<study::extent> extents;
  for (const study::swept_parameter& axis : grid.axes) {
    const bool of_the_model =
        std::find(study::model_parameters.begin(), study::model_parameters.end(), axis.what) !=
        study::model_parameters.end();
    const auto count = static_cast<double>(axis.values.size());
    extents.push_back({option_of(*axis.what),
                       of_the_model ? options.parameters[*axis.what] : fmt::format("{}", count),
                       count, !of_the_model});
  }
  extents.push_back({"--student", students_of(options), static_cast<double>(pairs)});
  return extents;
}

void tell_methods(const shared_options& options, const std::vector<study::activation_pair>& pairs) {
  if (!options.verbose) {
    return;
  }
  for (const study::activation_pair& pair : pairs) {
    say("averages of {}|{}: {}", pair.student(), pair.teacher(), pair.risk.method());
  }
}

void tell_work(const shared_options& options, const integration_work& work) {
  if (options.verbose) {
    say("integrated with {} right-hand sides and {} Jacobians: {} explicit steps (Dormand-Prince "
        "5(4)), {} stiff ones (Rosenbrock 4(3)), {} of them rejected",
        work.velocities, work.jacobians, work.explicit_steps, work.stiff_steps, work.rejected);
  }
}

void tell_error(const shared_options& options, const study::tolerance_check& check,
                const std::string& number) {
  tell_work(options, check.work);
  if (options.verbose && check.again) {
    say("{} = {}; with a tenth of the tolerance {}, which differs by {:.1g} of it", number,
        check.value, *check.again, std::abs(*check.again - check.value) / std::abs(check.value));
  }
}

point_name names_of(const std::vector<study::activation_pair>& pairs,
                    const study::parameter_grid& grid) {
  return [pairs, grid](std::uint64_t i) {
    const study::activation_pair& pair = pairs[static_cast<std::size_t>(i / grid.size())];
    std::vector<std::string> parts;
    const std::vector<const study::parameter*> varying = grid.told({});
    if (pairs.size() > 1 || varying.empty()) {
      parts.push_back(pair.student() == pair.teacher() ? pair.student()
                                                       : pair.student() + "|" + pair.teacher());
    }
    const study::parameter_point at = grid.at(static_cast<std::size_t>(i % grid.size()));
    for (const study::parameter* p : varying) {
      parts.push_back(fmt::format("{} = {:.6g}", p->name, p->get(at).value_or(0.0)));
    }
    return fmt::format("{}", fmt::join(parts, ", "));
  };
}

std::string slow_text(const study::point_watch& watch, const point_name& name) {
  constexpr double patience = 1.0;  // seconds
  const auto slowest = watch.slowest();
  return slowest && slowest->seconds > patience
             ? fmt::format("{} ({})", name(slowest->point), duration_text(slowest->seconds))
             : std::string();
}

study_run::study_run(const shared_options& options, std::string unit, point_name name)
    : threads_(options.threads),
      shown_(options.shows_progress()),
      unit_(std::move(unit)),
      name_(std::move(name)) {}

overlap_state read_start(const start_options& options) {
  study::parameter_point point;
  for (const study::parameter* p : study::start_parameters) {
    if (const std::string& text = options.texts[*p]; !text.empty()) {
      p->set(point, parse_number(option_of(*p), text));
    }
  }
  const overlap_state& x = point.start;
  if (!in_disc(x)) {
    throw argument_error(
        "--m0 " + options.texts[registry::m0] + " with --s0 " + options.texts[registry::s0],
        fmt::format("m0^2 + s0^2 = {}", x.m * x.m + x.s * x.s), "at most 1");
  }
  return x;
}

integration_options read_integrator(const integrator_options& options, double time_unit) {
  integration_options o;
  if (options.t_max != unlimited) {
    o.end_time = read_positive("--t-max", options.t_max) * time_unit;
  }
  o.relative_tolerance = parse_number("--rtol", options.rtol);
  if (!(o.relative_tolerance >= 1e-13 && o.relative_tolerance <= 0.1)) {
    throw argument_error("--rtol", "'" + options.rtol + "'", "between 1e-13 and 0.1");
  }
  o.absolute_tolerance = parse_number("--atol", options.atol);
  if (!(o.absolute_tolerance >= 0.0)) {
    throw argument_error("--atol", "'" + options.atol + "'", ">= 0");
  }
  o.step_limit = static_cast<std::size_t>(options.max_steps);
  o.method = read_choice("--stepper", options.method, steppers);
  return o;
}

std::vector<double> read_quantiles(const std::string& text) {
  std::vector<double> quantiles = parse_range("--quantiles", text);
  for (const double p : quantiles) {
    if (!(p > 0.0 && p < 1.0)) {
      throw argument_error("--quantiles", "'" + text + "'", "between 0 and 1");
    }
  }
  return quantiles;
}

std::uint64_t read_record_size(const std::string& text) {
  constexpr std::uint64_t most_points = 100'000'000;
  return read_count("--points", text.starts_with("log:") ? text.substr(4) : text, 2, most_points);
}

std::vector<std::uint64_t> read_simulation_record(const std::string& text, std::uint64_t steps) {
  const std::uint64_t n = read_record_size(text);
  return text.starts_with("log:") ? logarithmic_record(steps, n) : linear_record(steps, n);
}

void require_stages_parameters(const shared_options& shared) {
  for (const study::parameter* p : study::model_parameters) {
    const std::string& text = shared.parameters[*p];
    if (p != &registry::mu && p != &registry::nu && text != fmt::format("{}", *p->standard)) {
      throw argument_error(fmt::format("--{}", p->name), "'" + text + "'",
                           "left out: each stage says its own");
    }
  }
}

}  // namespace loradyn::cli
