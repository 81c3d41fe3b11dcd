#pragma once

// The options that the commands share.

#include <CLI/CLI.hpp>
#include <cstdint>
#include <loradyn/activation/activation.hpp>
#include <loradyn/model/parameters.hpp>
#include <loradyn/model/population_risk.hpp>
#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "resources.hpp"

namespace loradyn::cli {

enum class time_unit { raw, fisher };

// As text until `read` turns them into values, so that every fault can name its option.
struct shared_options {
  std::vector<std::string> students;  // a panel each; every one a list of activations
  std::string teachers;
  std::string nu = "0";
  std::string gamma = "0";
  std::string noise = "0";
  std::string lr_ratio = "1";
  std::string unit = "raw";
  std::string output;
  std::string figure;
  std::string config;
  std::uint64_t seed = 0;
  std::size_t threads = 0;
  bool quiet = false;
  bool progress = false;

  void add_to(CLI::App& app);
};

// A student with its teacher.
struct activation_pair {
  population_risk risk;
  double rate_unit = 1.0;  // rates are divided by it, times multiplied: 1, or E[σ'²]

  [[nodiscard]] const std::string& student() const { return risk.student().name(); }
  [[nodiscard]] const std::string& teacher() const { return risk.teacher().name(); }
};

// Values of the parameters in braces.
using brace_values = std::map<std::string, double, std::less<>>;

// One pair; an empty teacher is the student's. Throws error, naming the option.
activation_pair read_pair(const std::string& student, const std::string& teacher,
                          const brace_values& braces, bool fisher);

// Every pair, in the order of the panels and lists.
// Throws argument_error where --student or --teacher can't be read or don't fit each other.
std::vector<activation_pair> read_pairs(const shared_options& options);

// The pair of a command that takes one; `expected` says what would be right instead of a list.
// Throws argument_error.
activation_pair read_single_pair(const shared_options& options, const std::string& expected);

// An activation given with an option. Throws error, naming the option.
activation read_activation(const std::string& option, std::string_view text,
                           const brace_values& braces = {});

// One finite number. Throws argument_error, naming the option.
double read_number(const std::string& option, const std::string& text);

// γ, Δ and κ; μ and ν are left at 0. Throws argument_error.
lora_parameters read_parameters(const shared_options& options);

// Every combination of parameters that a command is asked for; μ varies fastest, then ν, γ, Δ, κ.
struct parameter_grid {
  std::vector<double> mu;
  std::vector<double> nu;
  std::vector<double> gamma;
  std::vector<double> noise;
  std::vector<double> lr_ratio;

  [[nodiscard]] std::size_t size() const {
    return mu.size() * nu.size() * gamma.size() * noise.size() * lr_ratio.size();
  }
  [[nodiscard]] lora_parameters at(std::size_t i) const;
};

// Throws argument_error, naming the option.
parameter_grid read_grid(const shared_options& options, const std::string& mu);

// How many values each option gives a table with a row for each pair and point of a grid.
std::vector<extent> extents_of(const shared_options& options, const std::string& mu,
                               const parameter_grid& grid, std::size_t pairs);

// The values of --nu, all >= 0. Throws argument_error.
std::vector<double> read_nu(const shared_options& options);

// The value of --nu where there may be one only. Throws argument_error.
double read_single_nu(const shared_options& options, const std::string& expected);

time_unit read_unit(const shared_options& options);

// Name and text of the shared parameters, for a table's provenance, around those of the command.
std::vector<std::pair<std::string, std::string>> describe(const shared_options& options,
                                                          const std::string& mu);

}  // namespace loradyn::cli
