#pragma once

/// \file
/// Every question as text, and back: the words of the program's options, of a table's parameters
/// and of a JSON object are the same, and one description of each problem reads and writes them.

#include <cstddef>
#include <cstdint>
#include <functional>
#include <loradyn/error.hpp>
#include <loradyn/names.hpp>
#include <loradyn/report/table.hpp>
#include <loradyn/study/budget.hpp>
#include <loradyn/study/critical.hpp>
#include <loradyn/study/escape.hpp>
#include <loradyn/study/fixed_points.hpp>
#include <loradyn/study/network.hpp>
#include <loradyn/study/network_critical.hpp>
#include <loradyn/study/network_fixed_points.hpp>
#include <loradyn/study/network_simulate.hpp>
#include <loradyn/study/network_validation.hpp>
#include <loradyn/study/phase.hpp>
#include <loradyn/study/rates.hpp>
#include <loradyn/study/simulate.hpp>
#include <loradyn/study/trajectory.hpp>
#include <loradyn/study/validation.hpp>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace loradyn {

/// What is asked, in words: a text under the name of each option that says something. A range is
/// written as `0.1:0.9:9`, an axis of a diagram as `mu=0.1:0.9:9`, a flag as `true`.
class question {
 public:
  question() = default;
  /// The parameters of a table, or of a problem.
  explicit question(parameter_list said) : said_(std::move(said)) {}

  /// What is said under a name; an empty text where nothing is.
  [[nodiscard]] std::string text(std::string_view name) const;
  /// Whether anything is said under a name.
  [[nodiscard]] bool says(std::string_view name) const;
  /// Says a text in the place of what was said; an empty one says nothing.
  void say(const std::string& name, const std::string& text);
  /// All of it, in the order in which it was said.
  [[nodiscard]] const parameter_list& said() const noexcept { return said_; }

 private:
  parameter_list said_;
};

/// A problem, and which words made it.
template <class Problem>
struct asked {
  Problem problem;  ///< what is asked
  /// What of the question the problem was made of, in the order of the problem's description, with
  /// the values of what decides it and was left to a default: a table's parameters.
  parameter_list said{};
};

/// The problem that a question asks. Problem is one of `study`: rates_problem, critical_problem,
/// trajectory_family, escape_problem, fixed_points_problem, budget_problem, simulate_problem,
/// validation_problem, phase_problem, and network_rates_problem, network_critical_problem,
/// network_trajectory_problem, network_escape_problem, network_fixed_points_problem,
/// network_simulate_problem, network_validation_problem. Files that it names (stages, a network, a
/// start) are read. \throws argument_error, error and file_error, naming the option; argument_error
/// for what this machine has no memory for
template <class Problem>
asked<Problem> read_question(const question& words);
/// The question of a diagram.
template <>
asked<study::phase_problem> read_question(const question& words);

/// Whether words ask of a network: any of those that are a network's alone, an axis over its sizes,
/// or the start that a run of one has left. \param alpha_is_scale whether `alpha` is LoRA's, or
/// something else that every question of its kind may say
bool asks_network(const question& words, bool alpha_is_scale = true);

/// The pairs of activations that a question names. \throws error, argument_error
std::vector<study::activation_pair> pairs_of(const question& words);

/// The words of a problem, of which read_question makes it again, times to an ulp where the unit of
/// time is not raw. Not of a phase_problem, which problem_text.hpp writes.
/// \throws argument_error for a stage that doesn't tell the labels that it has transformed
template <class Problem>
question question_of(const Problem& problem);

/// A JSON object with a member for each word; numbers as numbers.
std::string to_json(const question& words);
/// The question of such an object; a list of numbers is taken for a range's text.
/// \throws error for what is no such object
question question_from_json(std::string_view text);

/// The problem of a JSON object. \throws error as read_question and question_from_json do, and for
/// a member that is no part of the problem
template <class Problem>
Problem problem_from_json(std::string_view text);

/// A number in words that must be positive. \throws argument_error
double read_positive(const std::string& option, const std::string& text);
/// A whole number from `least` to `most`, as 1000, 1e12 or 10^12. \throws argument_error
std::uint64_t read_count(const std::string& option, const std::string& text, std::uint64_t least,
                         std::uint64_t most);
/// A value of a parameter. \throws argument_error
double read_value(const study::parameter& p, const std::string& text);
/// Values of a parameter: a number, a range or a list. \throws argument_error
std::vector<double> read_values(const study::parameter& p, const std::string& text);
/// When a run is recorded: n or log:n times up to its end, or a range or list of them; an empty
/// text is the usual ones. \throws argument_error
study::record_times read_record(const std::string& text);
/// The value of a name. \throws argument_error
template <class Value, std::size_t N>
Value read_choice(const std::string& option, const std::string& text,
                  const name_table<Value, N>& names) {
  const auto value = value_named(names, text);
  if (!value) {
    throw argument_error(option, "'" + text + "'", names_of(names));
  }
  return *value;
}

}  // namespace loradyn
