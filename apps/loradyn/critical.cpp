// loradyn critical: every root of A on an interval.

#include <fmt/format.h>

#include <loradyn/figures/network_figures.hpp>
#include <loradyn/figures/study_figures.hpp>

#include "command.hpp"
#include "help.hpp"
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
      list_of(study::critical_columns()) +
      "; slope is A'(mu_c); status is diverges (B < 0: tau goes to infinity there), finite (B > 0 "
      "or nu > 0: it does not), marginal (B = 0), touches (A is zero at its corner and keeps its "
      "sign), possible-double-root (a smooth A comes to zero within rounding and keeps its sign) "
      "or no-convergence (mu_c is nan: A can't be followed on a piece of the interval, which the "
      "lines above the table name). A student without a root has no row.\n\n"
      "Of a network (docs/networks.md): student,teacher,mu_c,modes,B,slope,lambda,u_1,...,m_1,..., "
      "status, a row for each mode that loses its drive there.\n\n"
      "Examples:\n"
      "  loradyn critical --student he3,he10\n"
      "  loradyn critical --student tanh --teacher relu --mu -1:1.5");
  return running(list, run_critical);
}

}  // namespace loradyn::cli
