// loradyn simulate: training at finite dimension and learning rate.

#include <fmt/format.h>

#include <array>
#include <loradyn/figures/network_figures.hpp>
#include <loradyn/figures/study_figures.hpp>
#include <loradyn/report/checkpoint_file.hpp>
#include <loradyn/study/words.hpp>

#include "command.hpp"
#include "message.hpp"
#include "options.hpp"
#include "output.hpp"

namespace loradyn::cli {
namespace {

// Where a run that diverges was last, of one neuron.
std::string place_of(const run_result& run) {
  return fmt::format(" at u = {}, m = {}, s = {}", run.last.u, run.last.m, run.last.s);
}
std::string place_of(const network_run&) { return ""; }

// Says which runs left the averages; returns the exit code.
template <class Ensemble>
int report_divergence(const Ensemble& ensemble) {
  std::size_t diverged = 0;
  auto first = ensemble.runs.end();
  for (auto run = ensemble.runs.begin(); run != ensemble.runs.end(); ++run) {
    if (run->outcome == run_outcome::diverged && diverged++ == 0) {
      first = run;
    }
  }
  if (diverged > 0) {
    say("{} of {} runs diverged, the first of them run {} after step {}{}; they are in no average "
        "from there on",
        diverged, ensemble.requested, first->run, first->steps, place_of(*first));
  }
  return diverged == ensemble.requested ? computation_failed : done;
}

// Where an interruption keeps what is done: what --checkpoint says, or beside the file of --output;
// empty where there is neither.
std::string checkpoint_name(const question& words) {
  const std::string asked = words.text("checkpoint");
  const std::string table = words.text("output");
  return asked.empty() && !names_stdout(table) && !names_nowhere(table) ? table + ".checkpoint"
                                                                        : asked;
}

// Says what an interruption left; returns the exit code.
template <class Ensemble>
int report_interrupted(const Ensemble& ensemble, const std::string& checkpoint,
                       const invocation& call) {
  if (checkpoint.empty()) {
    say("interrupted after {} of {} runs; nothing was kept, for neither --output nor "
        "--checkpoint names a file",
        ensemble.runs.size(), ensemble.requested);
  } else {
    say("interrupted after {} of {} runs; '{}' keeps them. To go on run: {}", ensemble.runs.size(),
        ensemble.requested, checkpoint, call.command_line);
  }
  return 128 + interruption();
}

// Simulates with progress, which the user may interrupt: what is done is kept in a checkpoint,
// where there is a name for it. `write` writes what comes out.
template <class Problem, class Write>
int simulate(answer<Problem>& a, const question& words, const invocation& call,
             const Write& write) {
  const checkpoint_file checkpoint(checkpoint_name(words));
  if (!checkpoint.kept().empty() && !words.says("quiet")) {
    say("going on from '{}'", checkpoint.path());
  }
  const auto result = [&] {
    const std::uint64_t runs = a.problem().runs;
    progress_line line(shows_progress(words), "runs");
    ensemble_control control;
    control.threads = read_threads(words);
    control.stop = [] { return interruption() != 0; };
    control.progress = [&](std::size_t, double share) {
      line.update(static_cast<std::size_t>(share * static_cast<double>(runs)), runs);
    };
    if (!checkpoint.path().empty()) {
      control.keep = [&](const std::string& bytes) { checkpoint.keep(bytes); };
    }
    return study::simulate(a.problem(), control, checkpoint.kept());
  }();
  if (!result.done.complete()) {
    return report_interrupted(result.done, checkpoint.path(), call);
  }
  write(result);
  checkpoint.remove();
  return report_divergence(result.done);
}

int run_network(const question& words, const invocation& call) {
  answer<study::network_simulate_problem> a(words, call);
  const study::network_shape shape = study::shape_of(a.problem().layout);
  return simulate(a, words, call, [&](const study::network_simulate_result& result) {
    if (a.problem().event) {
      a.write(study::network_run_columns(shape), result.runs, network_hitting_figure);
    } else {
      a.write(study::network_summary_columns(shape), result.recorded, network_ensemble_figure);
    }
  });
}

int run_simulate(const question& words, const invocation& call) {
  if (asks_network(words)) {
    return run_network(words, call);
  }
  answer<study::simulate_problem> a(words, call);
  if (words.says("verbose")) {
    tell_methods(words, pairs_of(words));
  }
  return simulate(a, words, call, [&](const study::simulate_result& result) {
    if (a.problem().plan.events.empty()) {
      a.write(study::record_columns(), result.recorded, ensemble_figure);
    } else {
      a.write(study::run_columns(), result.runs, hitting_figure);
    }
  });
}

}  // namespace

std::function<int(const invocation&)> setup_simulate(option_list& list) {
  add_mu(list, "X");
  static constexpr std::array<option_text, 13> training{
      {{"--dim", "N", "the dimension d"},
       {"--batch", "N", "samples in a step"},
       {"--lr", "X", "learning rate of v; u's is --lr-ratio times it"},
       {"--steps", "N", "steps of a run"},
       {"--t-end", "X", "or its length in time, steps times --lr"},
       {"--runs", "N", "independent runs", "100"},
       {"--engine", "chain|sgd",
        "chain: the overlaps alone, exact in law at a cost\nthat does not grow with d; sgd: all d "
        "dimensions",
        "chain"},
       {"--points", "N|log:N", "record times, evenly spaced or logarithmically", "101"},
       {"--u0", "X", "adapter's amplitude at the start (default: 1/d^2)"},
       {"--m0", "X", "its overlap with the target (default: v uniform on the sphere)"},
       {"--s0", "X", "its overlap with the pre-trained weight's other part"},
       {"--event", "m|M|risk", "a row for each run, with the time of this event"},
       {"--at", "X", "the value that it reaches (default: 0.5 for m)"}}};
  add(list, training);
  list.flag("--signed", "m or M itself, not its absolute value");
  static constexpr std::array<option_text, 2> files{
      {{"--stages", "FILE", "a TOML file of stages, each with its steps and lr"},
       {"--checkpoint", "FILE", "what an interruption leaves (default: beside --output)"}}};
  add(list, files);
  list.needs("--signed", {"--event", "--at"});
  add_network(list);
  add_network_start(list, false);
  add_shared(list);
  add_start_file(list);
  list.footer(
      "Columns: " + text_of_columns(study::record_columns()) +
      " over the runs; with --event a row for each run: " + text_of_columns(study::run_columns()) +
      ". outcome: " + text_of(study::simulated_outcome_words()) +
      ". status: " + text_of(study::simulated_words()) +
      ". Numbers depend on the seed and on nothing else; the noise scale is gamma = lr d/batch.\n\n"
      "Of a network (docs/networks.md): " +
      text_of_columns(study::network_summary_columns(study::sizes_of_a_help)) + ", with --event " +
      text_of_columns(study::network_run_columns(study::sizes_of_a_help)) +
      "; --event may be source-risk or an entry too.\n\n"
      "Examples:\n"
      "  loradyn simulate --student erf --mu 0.5 --dim 1000 --batch 20 --lr 0.02 --t-end 300\n"
      "  loradyn simulate --student erf --mu 0.5 --dim 1e12 --batch 64 --lr 0.02 --t-end 300 --m0 "
      "0.03\n"
      "  loradyn simulate --student he3 --mu 0.5 --dim 1000 --batch 500 --lr 0.001 --t-end 20 \\\n"
      "    --event m --at 0.5 --runs 2000 --plot times.svg -o times.csv\n"
      "  loradyn simulate --student erf --mu 0.5 --width 2 --teacher-width 2 --rank 2 --adapter "
      "free \\\n"
      "    --dim 10000 --batch 200 --lr 0.02 --t-end 200 --runs 20 -o network.csv");
  return running(list, run_simulate);
}

}  // namespace loradyn::cli
