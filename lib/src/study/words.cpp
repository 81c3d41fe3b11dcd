#include <loradyn/analysis/critical.hpp>
#include <loradyn/analysis/equilibria.hpp>
#include <loradyn/analysis/escape_law.hpp>
#include <loradyn/analysis/outcome.hpp>
#include <loradyn/analysis/search_phase.hpp>
#include <loradyn/dynamics/integrate.hpp>
#include <loradyn/study/words.hpp>

namespace loradyn::study {
namespace {

template <class Value>
told_word word(Value value, const char* meaning = "") {
  return {std::string(to_string(value)), meaning};
}

word_list operator+(word_list first, const word_list& more) {
  first.insert(first.end(), more.begin(), more.end());
  return first;
}

const told_word no_convergence{"no-convergence", "an average did not reach its tolerance"};
const told_word no_event{"no-event", "the run ends without it"};
const told_word undefined{"undefined", "a student with a kink has no derivative at w0 = 0"};

// How a run came to its end.
word_list run_words() {
  return {word(run_status::ok),
          no_event,
          word(run_status::time_limit, "not at rest by t-max"),
          word(run_status::step_limit, "not at rest in max-steps"),
          word(run_status::step_underflow, "no step is short enough for the tolerance"),
          word(run_status::blow_up, "the state passed 1e8"),
          no_convergence};
}

}  // namespace

word_list outcome_words() {
  return {word(outcome::learned, "the least risk that there is"),
          word(outcome::unlearned, "M -> 0"),
          word(outcome::trapped, "at rest elsewhere"),
          word(outcome::diverging, "|w|^2 grows beyond 1e6"),
          word(outcome::cycling, "a closed orbit"),
          word(outcome::searching, "no rest was reached")};
}

word_list simulated_outcome_words() {
  return {{"hit", ""},
          word(outcome::searching, "no event in its steps"),
          {"diverged", "its numbers overflowed"}};
}

word_list kind_words() {
  return {word(equilibrium_kind::sink, "runs end there"),
          word(equilibrium_kind::neutral, "one of a family where runs end"),
          word(equilibrium_kind::saddle, "runs pass it"),
          word(equilibrium_kind::source, "no run ends there"),
          {"none", "there is no equilibrium to list"}};
}

word_list verdict_words() {
  return {{"pass", ""}, {"fail", ""}, {"untested", "it could not be decided"}};
}

word_list search_words() {
  return {word(search_status::ok),
          word(search_status::imprecise, "A is within its rounding error"),
          word(search_status::diverges, "no linear instability"),
          word(search_status::frozen, "lr-ratio is 0"),
          undefined,
          word(search_status::overflow, "|w0|^2 is beyond a number's range"),
          no_convergence};
}

word_list critical_words() {
  return {word(critical_status::diverges, "B < 0: tau goes to infinity there"),
          word(critical_status::finite, "B > 0 or nu > 0: it does not"),
          word(critical_status::marginal, "B = 0"),
          word(critical_status::touches, "A is zero at its corner and keeps its sign"),
          word(critical_status::possible_double,
               "a smooth A comes to zero within rounding and keeps its sign"),
          word(critical_status::one_sided,
               "free adapters that decay: on one side the mode returns to nothing"),
          word(critical_status::unresolved,
               "mu_c is nan: A can't be followed on a piece of the interval, which the lines above "
               "the table name")};
}

word_list escape_words() {
  return run_words() + word_list{{"met-at-start", "the start meets the event"}, undefined};
}

word_list budget_words() { return run_words(); }

word_list fixed_point_words() {
  return {{"ok", ""},
          {"corner", "w = 0 of a student with a kink, without eigenvalues"},
          {"none-found", "within |M|, |w| < 25"},
          undefined,
          no_convergence};
}

word_list simulated_words() { return {{"ok", ""}, no_event, {"diverged", "and after which step"}}; }

word_list ensemble_words() {
  return {{"ok", ""},
          {"some-missing", "some runs met the event, others did not"},
          {"diverged", "all of them"},
          {"no-event", "in any of them"}};
}

word_list law_words() {
  return {word(law_status::ok),
          word(law_status::small_dimension, "one start in twenty is no small overlap"),
          word(law_status::several_modes, "a second mode grows almost as fast as the first"),
          word(law_status::no_instability, "nothing grows at the start"),
          word(law_status::no_escape, "what grows does not lead to the event"),
          no_convergence};
}

word_list comparison_words() {
  return {{"ok", ""},
          {"one-dimension", "of one dim a deviation of 1/d is no verdict"},
          {"within-noise", "the slope can't be measured"},
          {"no-event", "a simulated run does not meet it"},
          {"diverged", "a simulated run did"}};
}

word_list stage_end_words() {
  return {word(integration_status::end_time),
          word(integration_status::event),
          word(integration_status::event_at_start, "it was true when the stage began"),
          word(integration_status::stopped, "by a signal"),
          word(integration_status::step_limit, "max-steps are used up"),
          word(integration_status::step_underflow, "no step is short enough for the tolerance"),
          word(integration_status::undefined, "the velocity is no number"),
          word(integration_status::blow_up, "the state passed 1e8")};
}

std::string text_of(const word_list& words) {
  std::string text;
  for (const told_word& w : words) {
    text += (text.empty() ? "" : ", ") + w.name + (w.meaning.empty() ? "" : " (" + w.meaning + ")");
  }
  return text;
}

namespace {

// The name of an entry without its place.
std::string stem_of(const std::string& name) {
  std::string stem = name;
  while (true) {
    const std::size_t end = stem.find_last_not_of("0123456789");
    if (end == std::string::npos || end + 1 == stem.size() || stem[end] != '_') {
      return stem;
    }
    stem.resize(end);
  }
}

// `u_1,...` for what a matrix has several of.
std::string list_of(const std::vector<std::string>& names) {
  std::string text;
  for (std::size_t i = 0; i < names.size();) {
    const std::string stem = stem_of(names[i]);
    text += (i == 0 ? "" : ",") + names[i];
    const std::size_t first = i++;
    while (i < names.size() && stem != names[i] && stem_of(names[i]) == stem) {
      ++i;
    }
    text += i > first + 1 ? ",..." : "";
  }
  return text;
}

}  // namespace

std::string text_of_columns(const std::vector<std::string>& names) {
  // What the columns from here on are the mean and the deviation of; empty where they are not.
  const auto summary_at = [&names](std::size_t i) -> std::string {
    const std::string end = "_mean";
    if (i + 1 >= names.size() || !names[i].ends_with(end)) {
      return "";
    }
    const std::string what = names[i].substr(0, names[i].size() - end.size());
    return names[i + 1] == what + "_sd" ? what : "";
  };
  std::vector<std::string> plain;
  std::vector<std::string> told;
  std::vector<std::string> parts;
  for (std::size_t i = 0; i < names.size(); ++i) {
    const std::string what = summary_at(i);
    if (!what.empty()) {
      told.push_back(what);
      parts.clear();
    }
    if (!told.empty() && names[i].starts_with(told.back() + "_")) {
      parts.push_back(names[i].substr(told.back().size()));
    } else {
      plain.push_back(names[i]);
    }
  }
  return told.size() < 2
             ? list_of(names)
             : list_of(plain) + " and for each of " + list_of(told) + ": " + list_of(parts);
}

}  // namespace loradyn::study
