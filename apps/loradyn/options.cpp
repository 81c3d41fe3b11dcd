#include "options.hpp"

#include <fmt/format.h>

#include <loradyn/activation/parse.hpp>
#include <loradyn/analysis/search_phase.hpp>
#include <loradyn/error.hpp>
#include <loradyn/sweep/range.hpp>

namespace loradyn::cli {
namespace {

std::vector<activation> read_activations(const std::string& option, const std::string& list) {
  std::vector<activation> activations;
  for (const std::string_view text : split_activations(list)) {
    activations.push_back(read_activation(option, text));
  }
  return activations;
}

activation_pair pair_of(const activation& student, const activation& teacher, bool fisher) {
  activation_pair pair{population_risk(student, teacher),
                       fisher ? fisher_information(student) : 1.0};
  if (fisher && !(pair.rate_unit > 0.0)) {
    throw argument_error(
        "--time-unit", "'fisher'",
        "raw for the constant student '" + student.name() + "', which has no slope");
  }
  return pair;
}

}  // namespace

activation read_activation(const std::string& option, std::string_view text,
                           const brace_values& braces) {
  try {
    return parse_activation(text, braces);
  } catch (const parse_error& e) {
    throw error(fmt::format("{} '{}': {}", option, text, e.what()));
  }
}

activation_pair read_pair(const std::string& student, const std::string& teacher,
                          const brace_values& braces, bool fisher) {
  const activation s = read_activation("--student", student, braces);
  return pair_of(s, teacher.empty() ? s : read_activation("--teacher", teacher, braces), fisher);
}

void shared_options::add_to(CLI::App& app) {
  const auto text = [&app](const std::string& name, std::string& target, const std::string& help) {
    return app.add_option(name, target, help);
  };
  app.add_option("--student", students,
                 "the student's activation, or a list a,b,c: a curve each;\n"
                 "given again: another panel of the figure. An expression of\n" +
                     activation_grammar())
      ->type_name("NAME")
      ->allow_extra_args(false);
  text("--teacher", teachers, "the teacher's; one for all, or one each (default: the student's)")
      ->type_name("NAME");
  text("--nu", nu, "misalignment of the pre-trained weight, >= 0")
      ->type_name("R")
      ->capture_default_str();
  text("--gamma", gamma, "SGD noise scale, >= 0")->type_name("R")->capture_default_str();
  text("--noise", noise, "variance of the labels' noise, >= 0")
      ->type_name("R")
      ->capture_default_str();
  text("--lr-ratio", lr_ratio, "learning rate of u over that of v; 0 freezes u")
      ->type_name("R")
      ->capture_default_str();
  text("--time-unit", unit, "raw, or fisher: times in units of 1/E[student'(z)^2]")
      ->type_name("raw|fisher")
      ->capture_default_str();
  text("-o,--output", output, "the table: .csv, .json or .h5 (default: standard output, csv)")
      ->type_name("FILE");
  text("--plot", figure, "the figure: .svg, .pdf or .png, its gnuplot script and data beside it")
      ->type_name("FILE");
  text("--config", config, "read options from a TOML file; the command line wins")
      ->type_name("FILE");
  app.add_option("--seed", seed, "seed of the random numbers")
      ->type_name("N")
      ->capture_default_str();
  app.add_option("--threads", threads, "threads to use; 0: all. Results don't depend on it")
      ->type_name("N")
      ->check(CLI::Range(0, 4096))
      ->capture_default_str();
  app.add_flag("-q,--quiet", quiet, "no progress and no notes on standard error");
  app.add_flag("--progress", progress, "progress even where standard error is no terminal");
}

double read_number(const std::string& option, const std::string& text) {
  return parse_number(option, text);
}

time_unit read_unit(const shared_options& options) {
  if (options.unit == "raw") {
    return time_unit::raw;
  }
  if (options.unit == "fisher") {
    return time_unit::fisher;
  }
  throw argument_error("--time-unit", "'" + options.unit + "'", "raw or fisher");
}

std::vector<activation_pair> read_pairs(const shared_options& options) {
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
    if (teachers.size() != 1 && teachers.size() != students.size()) {
      throw argument_error(
          "--teacher", "'" + options.teachers + "'",
          fmt::format("one activation, or one for each of the {} students", students.size()));
    }
  }
  const bool fisher = read_unit(options) == time_unit::fisher;
  std::vector<activation_pair> pairs;
  for (std::size_t i = 0; i < students.size(); ++i) {
    const activation& teacher =
        teachers.empty() ? students[i] : teachers[teachers.size() == 1 ? 0 : i];
    pairs.push_back(pair_of(students[i], teacher, fisher));
  }
  return pairs;
}

activation_pair read_single_pair(const shared_options& options, const std::string& expected) {
  std::vector<activation_pair> pairs = read_pairs(options);
  if (pairs.size() != 1) {
    throw argument_error("--student", fmt::format("{} activations", pairs.size()), expected);
  }
  return std::move(pairs.front());
}

lora_parameters parameter_grid::at(std::size_t i) const {
  const auto next = [&i](const std::vector<double>& values) {
    const double value = values[i % values.size()];
    i /= values.size();
    return value;
  };
  lora_parameters p;
  p.alignment = next(mu);
  p.misalignment = next(nu);
  p.noise_scale = next(gamma);
  p.label_noise = next(noise);
  p.rate_ratio = next(lr_ratio);
  return p;
}

parameter_grid read_grid(const shared_options& options, const std::string& mu) {
  if (mu.empty()) {
    throw error("--mu is missing: give the alignments, such as --mu 0.1:0.9:9");
  }
  const auto in_range = [](const char* option, const std::string& text) {
    std::vector<double> values = parse_range(option, text);
    for (const double value : values) {
      if (value < 0.0) {
        throw argument_error(option, "'" + text + "'", ">= 0");
      }
    }
    return values;
  };
  parameter_grid grid{parse_range("--mu", mu), read_nu(options), in_range("--gamma", options.gamma),
                      in_range("--noise", options.noise), in_range("--lr-ratio", options.lr_ratio)};
  return grid;
}

std::vector<extent> extents_of(const shared_options& options, const std::string& mu,
                               const parameter_grid& grid, std::size_t pairs) {
  const auto count = [](const std::vector<double>& values) {
    return static_cast<double>(values.size());
  };
  return {{"--mu", mu, count(grid.mu)},
          {"--nu", options.nu, count(grid.nu)},
          {"--gamma", options.gamma, count(grid.gamma)},
          {"--noise", options.noise, count(grid.noise)},
          {"--lr-ratio", options.lr_ratio, count(grid.lr_ratio)},
          {"--student", fmt::format("{}", fmt::join(options.students, " | ")),
           static_cast<double>(pairs)}};
}

lora_parameters read_parameters(const shared_options& options) {
  const auto in_range = [](const char* option, const std::string& text) {
    const double value = read_number(option, text);
    if (value < 0.0) {
      throw argument_error(option, "'" + text + "'", "a number >= 0");
    }
    return value;
  };
  lora_parameters parameters;
  parameters.noise_scale = in_range("--gamma", options.gamma);
  parameters.label_noise = in_range("--noise", options.noise);
  parameters.rate_ratio = in_range("--lr-ratio", options.lr_ratio);
  return parameters;
}

std::vector<double> read_nu(const shared_options& options) {
  std::vector<double> values = parse_range("--nu", options.nu);
  for (const double value : values) {
    if (value < 0.0) {
      throw argument_error("--nu", "'" + options.nu + "'", ">= 0");
    }
  }
  return values;
}

double read_single_nu(const shared_options& options, const std::string& expected) {
  const std::vector<double> nu = read_nu(options);
  if (nu.size() != 1) {
    throw argument_error("--nu", "'" + options.nu + "'", expected);
  }
  return nu.front();
}

std::vector<std::pair<std::string, std::string>> describe(const shared_options& options,
                                                          const std::string& mu) {
  return {{"student", fmt::format("{}", fmt::join(options.students, " | "))},
          {"teacher", options.teachers.empty() ? "as the student" : options.teachers},
          {"mu", mu},
          {"nu", options.nu},
          {"gamma", options.gamma},
          {"noise", options.noise},
          {"lr-ratio", options.lr_ratio},
          {"time-unit", options.unit},
          {"seed", std::to_string(options.seed)}};
}

}  // namespace loradyn::cli
