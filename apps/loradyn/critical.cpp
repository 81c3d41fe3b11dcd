// loradyn critical: every root of A on an interval.

#include <fmt/format.h>

#include <loradyn/figures/network_figures.hpp>
#include <loradyn/figures/study_figures.hpp>
#include <loradyn/study/words.hpp>

#include "command.hpp"
#include "options.hpp"
#include "output.hpp"

namespace loradyn::cli {
namespace {

template <class Problem, class Columns, class Draw>
int write_roots(answer<Problem>& a, const question& words,
                const std::vector<study::activation_pair>& pairs, const Columns& columns,
                const Draw& draw) {
  const auto result = compute(
      words, [&](const auto& control) { return study::critical(a.problem(), control); }, "pairs",
      names_of(pairs, {}));
  for (const auto& piece : result.unresolved) {
    a.tell({{"unresolved",
             fmt::format("{}|{} on {}:{}", piece.student, piece.teacher, piece.lo, piece.hi)}});
  }
  a.write(columns, result.rows, draw);
  return a.code(result.rows, result.finished, pairs.size());
}

int run_critical(const question& words, const invocation& call) {
  if (!asks_network(words)) {
    answer<study::critical_problem> a(words, call);
    tell_methods(words, a.problem().pairs);
    return write_roots(a, words, a.problem().pairs, study::critical_columns(), critical_figure);
  }
  answer<study::network_critical_problem> a(words, call);
  return write_roots(a, words, a.problem().asked.pairs,
                     study::network_critical_columns(study::shape_of(a.problem().layout)),
                     network_critical_figure);
}

}  // namespace

std::function<int(const invocation&)> setup_critical(option_list& list) {
  add_mu(list, "LO:HI", "0:1");
  add_network(list);
  add_shared(list);
  list.idle("--gamma");
  list.idle("--noise");
  list.footer(
      "--mu is an interval, its ends left out.\n\n"
      "Columns: " +
      text_of_columns(study::critical_columns()) +
      "; slope is A'(mu_c). status: " + text_of(study::critical_words()) +
      ". A student without a root has no row.\n\nOf a network (docs/networks.md): " +
      text_of_columns(study::network_critical_columns(study::sizes_of_a_help)) +
      ", a row for each mode that loses its drive there.\n\n"
      "Examples:\n"
      "  loradyn critical --student he3,he10\n"
      "  loradyn critical --student tanh --teacher relu --mu -1:1.5");
  return running(list, run_critical);
}

}  // namespace loradyn::cli
