#include "flow_options.hpp"

#include <fmt/format.h>
#include <toml++/toml.h>

#include <array>
#include <cmath>
#include <limits>
#include <loradyn/error.hpp>
#include <loradyn/report/file.hpp>

namespace loradyn::cli {

void start_options::add_to(CLI::App& app, const std::string& u0_default) {
  app.add_option("--u0", u0, "adapter's amplitude at the start (default: " + u0_default + ")")
      ->type_name("X");
  app.add_option("--m0", m0, "overlap of the adapter with the target at the start")
      ->type_name("X")
      ->capture_default_str();
  app.add_option("--s0", s0, "overlap of the adapter with the pre-trained weight's other part")
      ->type_name("X")
      ->capture_default_str();
}

void start_options::add_file_to(CLI::App& app) {
  CLI::Option* const option =
      app.add_option("--start", file,
                     "start from what trajectory --end-state wrote: u, m, s, mu and nu")
          ->type_name("FILE");
  for (const char* name : {"--u0", "--m0", "--s0", "--mu", "--nu"}) {
    option->excludes(app.get_option(name));
  }
}

void event_options::add_to(CLI::App& app, const std::string& quantity_default,
                           const std::string& at_default) {
  quantity = quantity_default;
  app.add_option("--event", quantity, "what tells the end of the search: m, M or risk")
      ->type_name("m|M|risk")
      ->capture_default_str();
  app.add_option("--at", at, "the value it reaches (default: " + at_default + ")")->type_name("X");
  app.add_flag("--signed", is_signed, "m or M itself, not its absolute value");
}

void integrator_options::add_to(CLI::App& app) {
  app.add_option("--t-max", t_max, "the time after which a run is given up")
      ->type_name("X")
      ->capture_default_str();
  app.add_option("--rtol", rtol, "relative tolerance of a step, 1e-13 to 0.1")
      ->type_name("X")
      ->capture_default_str();
  app.add_option("--atol", atol, "absolute tolerance of a step")
      ->type_name("X")
      ->capture_default_str();
  app.add_option("--stepper", method, "auto, explicit (Dormand-Prince) or stiff (Rosenbrock)")
      ->type_name("auto|explicit|stiff")
      ->capture_default_str();
  app.add_option("--max-steps", max_steps, "steps after which a run is given up")
      ->type_name("N")
      ->check(CLI::Range(std::size_t{1}, std::numeric_limits<std::size_t>::max()))
      ->capture_default_str();
}

void law_options::add_to(CLI::App& app) {
  app.add_option("--dim", dimension,
                 "the law of the escape time over random starts in this dimension,\nu0 = 1/d^2")
      ->type_name("D");
  app.add_option("--quantiles", quantiles, "of that law")->type_name("R")->capture_default_str();
}

void read_start_file(start_options& options, shared_options& shared, std::string& mu) {
  if (options.file.empty()) {
    return;
  }
  toml::table values;
  try {
    values = toml::parse(read_file(options.file));
  } catch (const toml::parse_error& e) {
    throw error(fmt::format("--start '{}', line {}, column {}: {}", options.file,
                            e.source().begin.line, e.source().begin.column, e.description()));
  }
  const std::array<std::pair<const char*, std::string*>, 5> keys{{{"mu", &mu},
                                                                  {"nu", &shared.nu},
                                                                  {"u", &options.u0},
                                                                  {"m", &options.m0},
                                                                  {"s", &options.s0}}};
  for (const auto& [key, target] : keys) {
    const toml::node* const node = values.get(key);
    if (node == nullptr || !node->is_number()) {
      throw error(fmt::format("--start '{}': {} must be there, and a number", options.file, key));
    }
    *target = fmt::format("{}", *node->value<double>());
  }
  if (values.size() != keys.size()) {
    throw error(fmt::format("--start '{}' must hold mu, nu, u, m and s alone", options.file));
  }
}

void write_start_file(const std::string& path, const overlap_state& x, double alignment,
                      double misalignment) {
  // On the sphere's edge rounding can leave m² + s² above 1, which no start may have.
  double m = x.m;
  double s = x.s;
  while (m * m + s * s > 1.0) {
    m = std::nextafter(m, 0.0);
    s = std::nextafter(s, 0.0);
  }
  pending_file file(path);
  file.write(fmt::format("mu = {}\nnu = {}\nu = {}\nm = {}\ns = {}\n", alignment, misalignment, x.u,
                         m, s));
  file.commit();
}

overlap_state read_start(const start_options& options) {
  const overlap_state x{options.u0.empty() ? 1e-6 : read_number("--u0", options.u0),
                        read_number("--m0", options.m0), read_number("--s0", options.s0)};
  if (!in_disc(x)) {
    throw argument_error("--m0 " + options.m0 + " with --s0 " + options.s0,
                         fmt::format("m0^2 + s0^2 = {}", x.m * x.m + x.s * x.s), "at most 1");
  }
  return x;
}

overlap_event read_event(const event_options& options) {
  overlap_event event;
  event.is_signed = options.is_signed;
  const auto quantity = quantity_named(options.quantity);
  if (!quantity) {
    throw argument_error("--event", "'" + options.quantity + "'", "m, M or risk");
  }
  event.quantity = *quantity;
  if (!options.at.empty()) {
    event.at = read_number("--at", options.at);
  } else if (event.quantity != overlap_quantity::m) {
    throw error("--at is missing: give the value that " + options.quantity + " reaches");
  }
  if (event.quantity == overlap_quantity::m &&
      !(event.at < 1.0 && event.at > (event.is_signed ? -1.0 : 0.0))) {
    throw argument_error("--at", "'" + options.at + "'",
                         event.is_signed ? "between -1 and 1" : "between 0 and 1 for |m|");
  }
  if (event.quantity == overlap_quantity::M && !event.is_signed && event.at < 0.0) {
    throw argument_error("--at", "'" + options.at + "'", ">= 0 for |M|; --signed takes M itself");
  }
  return event;
}

integration_options read_integrator(const integrator_options& options, double time_unit) {
  integration_options o;
  if (options.t_max != "inf") {
    o.end_time = read_number("--t-max", options.t_max) * time_unit;
    if (!(o.end_time > 0.0)) {
      throw argument_error("--t-max", "'" + options.t_max + "'", "> 0");
    }
  }
  o.relative_tolerance = read_number("--rtol", options.rtol);
  if (!(o.relative_tolerance >= 1e-13 && o.relative_tolerance <= 0.1)) {
    throw argument_error("--rtol", "'" + options.rtol + "'", "between 1e-13 and 0.1");
  }
  o.absolute_tolerance = read_number("--atol", options.atol);
  if (!(o.absolute_tolerance >= 0.0)) {
    throw argument_error("--atol", "'" + options.atol + "'", ">= 0");
  }
  o.step_limit = options.max_steps;
  if (options.method == "explicit") {
    o.method = stepper::explicit_5;
  } else if (options.method == "stiff") {
    o.method = stepper::stiff_4;
  } else if (options.method != "auto") {
    throw argument_error("--stepper", "'" + options.method + "'", "auto, explicit or stiff");
  }
  return o;
}

described describe(const start_options& options) {
  return {
      {"u0", options.u0.empty() ? "default" : options.u0}, {"m0", options.m0}, {"s0", options.s0}};
}

described describe(const event_options& options) {
  return {{"event", options.quantity + (options.is_signed ? " signed" : "")},
          {"at", options.at.empty() ? "default" : options.at}};
}

described describe(const integrator_options& options) {
  return {{"t-max", options.t_max},
          {"rtol", options.rtol},
          {"atol", options.atol},
          {"stepper", options.method},
          {"max-steps", std::to_string(options.max_steps)}};
}

described describe(const law_options& options) {
  return {{"dim", options.dimension.empty() ? "none" : options.dimension},
          {"quantiles", options.quantiles}};
}

learning_task task_of(const activation_pair& pair) {
  return {pair.risk.student(), pair.risk.teacher()};
}

}  // namespace loradyn::cli
