// loradyn rates: the search phase, a row per pair, κ, ν and μ.

#include <loradyn/figures/network_figures.hpp>
#include <loradyn/figures/study_figures.hpp>
#include <loradyn/study/words.hpp>

#include "command.hpp"
#include "options.hpp"
#include "output.hpp"

namespace loradyn::cli {
namespace {

int run_rates_of_one(const question& words, const invocation& call) {
  answer<study::rates_problem> a(words, call);
  const study::rates_problem& problem = a.problem();
  const auto rows =
      compute(words, [&](const auto& control) { return study::rates(problem, control); });
  tell_methods(words, problem.pairs);
  const std::size_t written =
      a.write(study::rates_columns(problem.grid.told(study::rates_parameters)), rows, rates_figure);
  return a.code(rows, written, problem.pairs.size() * problem.grid.size());
}

int run_rates(const question& words, const invocation& call) {
  if (!asks_network(words)) {
    return run_rates_of_one(words, call);
  }
  answer<study::network_rates_problem> a(words, call);
  const auto rows =
      compute(words, [&](const auto& control) { return study::rates(a.problem(), control); });
  a.write(study::network_rates_columns(study::shape_of(a.problem().layout)), rows,
          network_rates_figure);
  // A point has as many rows as modes that grow.
  return interruption() != 0 ? 128 + interruption() : exit_code_for(rows);
}

}  // namespace

std::function<int(const invocation&)> setup_rates(option_list& list) {
  add_mu(list, "R");
  add_network(list);
  add_shared(list);
  list.idle("--gamma");
  list.idle("--noise");
  list.footer(
      "R is a number, a list 0.1,0.2,0.5, a range lo:hi:n, or log:lo:hi:n.\n\n"
      "Columns: " +
      text_of_columns(study::rates_columns()) +
      ", and lr_ratio behind nu where it has several values. status: " +
      text_of(study::search_words()) + ".\n\nOf a network (docs/networks.md): " +
      text_of_columns(study::network_rates_columns(study::sizes_of_a_help)) +
      ", a row for each mode that grows.\n\n"
      "Examples:\n"
      "  loradyn rates --student erf,relu --mu 0.1:0.9:9\n"
      "  loradyn rates --student relu --teacher relu,erf --mu 0.1:0.9:9 --lr-ratio 0.1,1,10\n"
      "  loradyn rates --student he3 --mu 0.03:0.99:193 --time-unit fisher --plot tau.svg -o "
      "tau.csv");
  return running(list, run_rates);
}

}  // namespace loradyn::cli
