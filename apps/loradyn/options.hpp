#pragma once

// The options that the commands share. Texts until they are read, so that every fault can name its
// option.

#include <cstdint>
#include <initializer_list>
#include <loradyn/activation/activation.hpp>
#include <loradyn/dynamics/integrate.hpp>
#include <loradyn/report/figure.hpp>
#include <loradyn/report/question.hpp>
#include <loradyn/report/table.hpp>
#include <loradyn/report/table_io.hpp>
#include <loradyn/study/control.hpp>
#include <loradyn/study/pair.hpp>
#include <loradyn/study/parameter.hpp>
#include <loradyn/study/resources.hpp>
#include <loradyn/study/tolerance.hpp>
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "option_list.hpp"
#include "progress.hpp"

namespace loradyn::cli {

// What a table's provenance says of options. What is not given, and has no value of its own, is not
// there.
using described = parameter_list;
described& operator+=(described& all, const described& more);
// Adds a text, unless it is empty.
void add_given(described& all, const std::string& name, const std::string& text);

// Lists of words in one, for read_question.
question words_of(std::initializer_list<described> lists);

// The texts of some parameters: what is said, or else what is the standard.
class parameter_texts {
 public:
  explicit parameter_texts(std::span<const study::parameter* const> parameters);

  std::string& operator[](const study::parameter& p) { return texts_.at(&p); }
  const std::string& operator[](const study::parameter& p) const { return texts_.at(&p); }

 private:
  std::map<const study::parameter*, std::string> texts_;
};

// What a figure looks like.
struct look_options {
  std::string size;
  std::string font;
  std::string theme = "light";

  void add_to(option_list& options);
  // Throws argument_error.
  [[nodiscard]] figure_style style() const;
  [[nodiscard]] bool given() const { return !size.empty() || !font.empty() || theme != "light"; }
};

// Where the table goes.
struct table_options {
  std::string file;
  std::string format;
  bool headless = false;

  void add_to(option_list& options);
};

struct shared_options {
  std::vector<std::string> students;  // a panel each; every one a list of activations
  std::string teachers;
  parameter_texts parameters{study::model_parameters};
  std::string unit = "raw";
  table_options output;
  std::string figure;
  look_options look;
  std::string config;
  std::uint64_t seed = 0;
  std::uint64_t threads = 0;
  bool quiet = false;
  bool progress = false;
  bool verbose = false;

  [[nodiscard]] const std::string& mu() const { return parameters[study::registry::mu]; }
  [[nodiscard]] const std::string& nu() const { return parameters[study::registry::nu]; }

  // All but --mu, which is not of the same kind everywhere.
  void add_to(option_list& options);
  void add_mu_to(option_list& options, const std::string& type);

  [[nodiscard]] bool shows_progress() const;
};

// Name and text of these, around those of the command.
described describe(const shared_options& options);

struct start_options {
  parameter_texts texts = defaults();
  std::string file = {};  // the end state of a trajectory, instead of these and of --mu, --nu

  static parameter_texts defaults();
  // `u0` says what the default of --u0 is.
  void add_to(option_list& options, const std::string& u0_default);
  // --start, which excludes what it gives; after all other options.
  void add_file_to(option_list& options);
};
described describe(const start_options& options);

// Refuses parameters that each stage of a file says itself.
void require_stages_parameters(const shared_options& shared);

struct event_options {
  std::string quantity;
  std::string at;
  bool is_signed = false;

  // `type` names the value of --at in the help.
  void add_to(option_list& options, const std::string& quantity_default,
              const std::string& at_default, const std::string& type = "X");
};
described words_of(const event_options& options);

struct integrator_options {
  std::string t_max = "inf";
  std::string rtol = "1e-9";
  std::string atol = "1e-16";
  std::string method = "auto";
  std::uint64_t max_steps = 1'000'000;  // of a command that runs once; see study::row_step_limit

  void add_to(option_list& options);
};
described describe(const integrator_options& options);

// The law over random starts.
struct law_options {
  std::string dimension;
  std::string quantiles = "0.05,0.25,0.5,0.75,0.95";

  // `type` names the value of --dim in the help.
  void add_to(option_list& options, const std::string& type);
};
described describe(const law_options& options);

// Every reader throws argument_error or error, naming the option.

// An activation given with an option.
activation read_activation(const std::string& option, std::string_view text);
// Every pair, in the order of the panels and lists.
std::vector<study::activation_pair> read_pairs(const shared_options& options);
// The pair of a command that takes one; `expected` says what would be right instead of a list.
study::activation_pair read_single_pair(const shared_options& options, const std::string& expected);
study::time_unit read_unit(const shared_options& options);

// --mu, whose example stands in the error where it is missing.
void require_mu(const shared_options& options, const std::string& example);
// A number for each parameter but μ and ν.
study::parameter_point read_parameters(const shared_options& options);
// The value of --nu where there may be one only.
double read_single_nu(const shared_options& options, const std::string& expected);
// The values of some parameters; the others have one.
study::parameter_grid read_grid(
    const shared_options& options,
    std::span<const study::parameter* const> swept = study::model_parameters);
// How many values each option gives a table with a row for each pair and point of a grid.
std::vector<study::extent> extents_of(const shared_options& options,
                                      const study::parameter_grid& grid, std::size_t pairs);

overlap_state read_start(const start_options& options);
// `time_unit` is what a unit of the table's time is in raw time.
integration_options read_integrator(const integrator_options& options, double time_unit);
std::vector<double> read_quantiles(const std::string& text);
// How many steps a simulation records, n or log:n, and which, from 0 to `steps`.
std::uint64_t read_record_size(const std::string& text);
std::vector<std::uint64_t> read_simulation_record(const std::string& text, std::uint64_t steps);

// With --verbose, on standard error: how the averages of the pairs are computed, what the runs have
// cost, and by how much a number changes where it is computed again with a tenth of the tolerance.
void tell_methods(const shared_options& options, const std::vector<study::activation_pair>& pairs);
void tell_work(const shared_options& options, const integration_work& work);
void tell_error(const shared_options& options, const study::tolerance_check& check,
                const std::string& number);

// What a point of a sweep is called where it is slow.
using point_name = std::function<std::string(std::uint64_t)>;

// The pair where there are several, and the parameters that vary.
point_name names_of(const std::vector<study::activation_pair>& pairs,
                    const study::parameter_grid& grid);

// The slowest of the points that are watched, where it takes more than a second.
std::string slow_text(const study::point_watch& watch, const point_name& name);

// How a study is computed: threads, and a line of progress, which is gone when the study is done.
class study_run {
 public:
  explicit study_run(const shared_options& options, std::string unit = "points",
                     point_name name = {});

  // What the question returns to which this control is given.
  template <class Question>
  auto operator()(const Question& question) {
    progress_line line(shown_, unit_, 0,
                       [this] { return name_ ? slow_text(watch_, name_) : std::string(); });
    return question(study::study_control{
        threads_, [&line](std::size_t done, std::size_t total) { line.update(done, total); },
        shown_ ? &watch_ : nullptr});
  }

 private:
  std::size_t threads_;
  bool shown_;
  std::string unit_;
  point_name name_;
  study::point_watch watch_;
};

}  // namespace loradyn::cli
