#pragma once

// The options that the commands share. What they say are words: of the question, which the library
// reads, and of how it is computed and where the answer goes, which are read here.

#include <cstdint>
#include <functional>
#include <loradyn/dynamics/integrate.hpp>
#include <loradyn/report/figure.hpp>
#include <loradyn/report/question.hpp>
#include <loradyn/study/control.hpp>
#include <loradyn/study/pair.hpp>
#include <loradyn/study/parameter.hpp>
#include <loradyn/study/tolerance.hpp>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "option_list.hpp"
#include "progress.hpp"

namespace loradyn::cli {

// ---- groups of options ----

// A word with its value's type, meaning and default.
struct option_text {
  const char* name;
  const char* type;
  const char* meaning;
  const char* standard = "";
};
void add(option_list& list, std::span<const option_text> options);

// What every question and its answer take, but --mu, which is not of the same kind everywhere.
void add_shared(option_list& list);
void add_mu(option_list& list, const std::string& type, const std::string& standard = {});

// Where the table goes, and what a figure looks like.
void add_table(option_list& list);
void add_look(option_list& list);

// `u0` says what the default of --u0 is; `m0` is that of --m0, where it is another than usual.
void add_start(option_list& list, const std::string& u0, const std::string& m0 = {});
// --start, which excludes what it gives; after all other options.
void add_start_file(option_list& list);

// `at` says what the default of --at is, `type` names its value.
void add_event(option_list& list, const std::string& quantity, const std::string& at,
               const std::string& type = "X");

// The steps of a command that runs once, unless it has more rows; see study::row_step_limit.
void add_integrator(option_list& list, std::uint64_t max_steps = 1'000'000);

// The law over random starts; `type` names the value of --dim.
void add_law(option_list& list, const std::string& type);

// Those of networks: but LoRA's scale where --alpha is something else, and those of a start, with
// --dim where the command has none of its own.
void add_network(option_list& list, bool with_scale = true);
void add_network_start(option_list& list, bool with_dimension);
void add_scratch_norm(option_list& list);

// ---- how a question is computed, and what is told on the way ----

// Throws argument_error.
figure_style read_style(const question& words);
[[nodiscard]] bool shows_progress(const question& words);
std::size_t read_threads(const question& words);

// With --verbose, on standard error: how the averages of the pairs are computed, what the runs have
// cost, and by how much a number changes where it is computed again with a tenth of the tolerance.
void tell_methods(const question& words, const std::vector<study::activation_pair>& pairs);
void tell_work(const question& words, const integration_work& work);
void tell_error(const question& words, const study::tolerance_check& check,
                const std::string& number);

// What a point of a sweep is called where it is slow.
using point_name = std::function<std::string(std::uint64_t)>;

// The pair where there are several, and the parameters that vary.
point_name names_of(const std::vector<study::activation_pair>& pairs,
                    const study::parameter_grid& grid);

// The slowest of the points that are watched, where it takes more than a second.
std::string slow_text(const study::point_watch& watch, const point_name& name);

// What `question_of` returns to which a study's control is given: threads, and a line of progress,
// which is gone when the study is done.
template <class Question>
auto compute(const question& words, const Question& question_of, std::string unit = "points",
             const point_name& name = {}) {
  study::point_watch watch;
  const bool shown = shows_progress(words);
  progress_line line(shown, std::move(unit), 0,
                     [&] { return name ? slow_text(watch, name) : std::string(); });
  return question_of(study::study_control{
      read_threads(words),
      [&line](std::size_t done, std::size_t total) { line.update(done, total); },
      shown ? &watch : nullptr});
}

}  // namespace loradyn::cli
