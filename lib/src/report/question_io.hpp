#pragma once

// Two faces of the description of a problem: its members are named once, by functions that are run
// with a reader to take words apart and with a writer to make them.

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <initializer_list>
#include <loradyn/activation/activation.hpp>
#include <loradyn/dynamics/protocol.hpp>
#include <loradyn/report/question.hpp>
#include <loradyn/study/pair.hpp>
#include <loradyn/study/parameter.hpp>
#include <loradyn/study/resources.hpp>
#include <loradyn/sweep/range.hpp>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace loradyn {

struct file_word;

inline std::string option_of(std::string_view name) { return "--" + std::string(name); }
inline std::string option_of(const study::parameter& p) { return option_of(p.name); }

class question_reader {
 public:
  static constexpr bool reads = true;

  explicit question_reader(question words);

  // What is said under a name; an empty text where nothing is.
  [[nodiscard]] std::string peek(std::string_view name);
  [[nodiscard]] bool says(std::string_view name) { return !peek(name).empty(); }
  // The same as a part of the problem.
  [[nodiscard]] std::string text(std::string_view name);
  // Takes these as parts of the problem, in this order.
  void take_in_order(std::initializer_list<std::string_view> names);
  // The file that a word names, read once; the problem is told by what it says.
  const file_word& file(std::string_view name);
  // Says what was left to a default, or is decided otherwise.
  void tell(std::string_view name, const std::string& value);
  // The words in the place of others, before anything is read.
  void replace(const std::string& name, const std::string& value) { words_.say(name, value); }

  // A value, left as it is where nothing is said.
  template <class Value, class Read>
  void member(std::string_view name, Value& value, const Read& read) {
    if (const std::string said = text(name); !said.empty()) {
      value = read(option_of(name), said);
    }
  }
  template <class Value, std::size_t N>
  void choice(std::string_view name, Value& value, const name_table<Value, N>& names) {
    member(name, value, [&](const std::string& option, const std::string& said) {
      return read_choice(option, said, names);
    });
  }
  void flag(std::string_view name, bool& value);

  // Throws argument_error where one of these is said.
  void refuse(std::initializer_list<std::string_view> names, const std::string& reason);
  [[nodiscard]] parameter_list said() const { return said_; }

  // The pair of a question that has one.
  void keep_pair(const study::activation_pair& pair) { pair_ = pair; }
  [[nodiscard]] const study::activation_pair& pair() const { return *pair_; }
  // Throws error for a word that nobody asked for.
  void require_all_used() const;

 private:
  question words_;
  std::set<std::string, std::less<>> used_;
  parameter_list said_;
  std::optional<study::activation_pair> pair_;
  std::map<std::string, std::shared_ptr<const file_word>, std::less<>> files_;
};

class question_writer {
 public:
  static constexpr bool reads = false;

  void say(std::string_view name, const std::string& value) {
    words_.say(std::string(name), value);
  }
  void say_name(std::string_view name, const std::string& value) {
    say(name, text_parameter(value));
  }
  template <class Value, class Read>
  void member(std::string_view name, const Value& value, const Read&) {
    say(name, word_of(value));
  }
  template <class Value, std::size_t N>
  void choice(std::string_view name, const Value& value, const name_table<Value, N>& names) {
    say(name, std::string(name_of(names, value)));
  }
  void flag(std::string_view name, bool value) { say(name, value ? "true" : "false"); }

  [[nodiscard]] question words() const { return words_; }

 private:
  static std::string word_of(const std::string& text) { return text; }
  static std::string word_of(double value) { return fmt::format("{}", value); }
  static std::string word_of(std::uint64_t value) { return std::to_string(value); }
  static std::string word_of(std::ptrdiff_t value) { return std::to_string(value); }
  static std::string word_of(const std::vector<double>& values) {
    return to_text(value_range{.list = values});
  }
  static std::string word_of(const activation& a) { return text_parameter(a.name()); }
  template <class Value>
  static std::string word_of(const std::optional<Value>& value) {
    return value ? word_of(*value) : "";
  }

  question words_;
};

// How texts are read.
double read_number(const std::string& option, const std::string& text);
double read_at_least_zero(const std::string& option, const std::string& text);
double read_overlap(const std::string& option, const std::string& text);
std::vector<double> read_quantiles(const std::string& option, const std::string& text);
activation read_activation(const std::string& option, const std::string& text);
std::uint64_t read_seed(const std::string& option, const std::string& text);
std::uint64_t read_simulation_seed(const std::string& option, const std::string& text);
inline auto count_between(std::uint64_t least, std::uint64_t most) {
  return [=](const std::string& option, const std::string& text) {
    return read_count(option, text, least, most);
  };
}

// Refuses parameters that each stage of a file says itself; not the one that the stages make.
void refuse_parameters_of_stages(question_reader& io, const study::parameter* made = nullptr);

// The last stage's learning rate and the steps of all, which a simulation's table tells: words say
// the same, or nothing.
void tell_of_stages(question_reader& io, double learning_rate, std::uint64_t steps);

// What is said of a parameter, or else what is the standard.
std::string parameter_text(question_reader& io, const study::parameter& p);

// The words that every question begins with.
void take_common(question_reader& io);

// Pairs, and the one of a question that has one; `expected` says what would be right instead of a
// list.
std::vector<study::activation_pair> read_pairs(question_reader& io);
study::activation_pair read_pair(question_reader& io, const std::string& expected);
void say_pairs(question_writer& io, std::span<const study::activation_pair> pairs);

// Parameters: one point, a grid, and the single values of those that elsewhere have several.
void read_point(question_reader& io, study::parameter_point& at);  // all but μ and ν
double read_single_mu(question_reader& io);
double read_single_nu(question_reader& io, const std::string& expected);
study::parameter_grid read_grid(question_reader& io,
                                std::span<const study::parameter* const> swept);
void say_point(question_writer& io, const study::parameter_point& at,
               std::span<const study::parameter* const> parameters);
void say_grid(question_writer& io, const study::parameter_grid& grid);
std::vector<study::extent> extents_of(question_reader& io, const study::parameter_grid& grid,
                                      std::size_t pairs);

// The start, and that of a file in its place.
void read_start_file_of(question_reader& io);
overlap_state read_start(question_reader& io);
void say_start(question_writer& io, const overlap_state& x);

// Where the search ends; `standard` is the quantity where none is said. The levels where --at has
// several become an axis.
overlap_event read_event(question_reader& io, const std::string& standard);
overlap_event read_events(question_reader& io, study::parameter_grid& grid);
void say_event(question_writer& io, const overlap_event& event);

// `time_unit` is what a unit of --t-max is in the time of the options.
template <class Io, class Options>
void integrator_members(Io& io, Options& o, double time_unit);

// Times of a trajectory, and steps of a simulation.
study::record_times read_record(question_reader& io);
void say_record(question_writer& io, const study::record_times& record);
std::uint64_t read_record_size(const std::string& text);
std::vector<std::uint64_t> read_steps_of_record(question_reader& io, std::uint64_t steps);
void say_steps_of_record(question_writer& io, const std::vector<std::uint64_t>& record,
                         std::uint64_t steps);

// The steps of a run that --steps or --t-end says.
std::uint64_t read_steps(question_reader& io, double learning_rate, double unit);

// γ = η d/B, which a simulation's other words make: its own says the same, or nothing.
void tell_gamma(question_reader& io, double gamma);

// What a simulation takes.
inline study::extent count_extent(const char* option, const std::string& text, double count) {
  return {option, text, count, true};
}

// ---- What is written here is used by one-neuron and network questions alike.

template <class Io, class Options>
void integrator_members(Io& io, Options& o, double time_unit) {
  if constexpr (Io::reads) {
    constexpr const char* unlimited = "inf";
    if (io.peek("t-max") != unlimited) {
      io.member("t-max", o.end_time, [=](const std::string& option, const std::string& text) {
        return read_positive(option, text) * time_unit;
      });
    }
  } else if (o.end_time < integration_options().end_time) {
    io.say("t-max", fmt::format("{}", o.end_time / time_unit));
  }
  io.member("rtol", o.relative_tolerance, [](const std::string& option, const std::string& text) {
    const double value = read_number(option, text);
    if (!(value >= 1e-13 && value <= 0.1)) {
      throw argument_error(option, "'" + text + "'", "between 1e-13 and 0.1");
    }
    return value;
  });
  io.member("atol", o.absolute_tolerance, [](const std::string& option, const std::string& text) {
    const double value = read_number(option, text);
    if (!(value >= 0.0)) {
      throw argument_error(option, "'" + text + "'", ">= 0");
    }
    return value;
  });
  io.choice("stepper", o.method, steppers);
  io.member("max-steps", o.step_limit, count_between(1, UINT64_MAX));
}

template <class Io, class Problem>
void critical_members(Io& io, Problem& p) {
  if constexpr (Io::reads) {
    p.pairs = read_pairs(io);
    io.member("mu", p.range, parse_interval);
    read_point(io, p.at);
    p.at.parameters.misalignment =
        read_single_nu(io, "one number here, for the table has no column for it");
  } else {
    say_pairs(io, p.pairs);
    say_point(io, p.at, study::model_parameters);
    io.say("mu", fmt::format("{}:{}", p.range.lo, p.range.hi));
  }
}

// The flow, or the map of a learning rate.
template <class Io, class Protocol>
void method_members(Io& io, Protocol& p) {
  io.choice("method", p.method, tuning_methods);
  if constexpr (Io::reads) {
    if (p.method == tuning_method::map && !io.says("lr")) {
      throw error("--lr is missing: the map needs a learning rate");
    }
    if (p.method != tuning_method::map) {
      if (const std::string rate = io.peek("lr"); !rate.empty()) {
        throw argument_error("--lr", "'" + rate + "'", "left out, or given with --method map");
      }
      return;
    }
  } else if (p.method != tuning_method::map) {
    return;
  }
  io.member("lr", p.learning_rate, read_positive);
}

}  // namespace loradyn
