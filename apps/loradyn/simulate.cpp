// loradyn simulate: training at finite dimension and learning rate.

#include <fmt/format.h>

#include <loradyn/error.hpp>
#include <loradyn/figures/study_figures.hpp>
#include <loradyn/report/question.hpp>
#include <memory>

#include "checkpoints.hpp"
#include "command.hpp"
#include "interruption.hpp"
#include "message.hpp"
#include "network_commands.hpp"
#include "network_options.hpp"
#include "options.hpp"
#include "output.hpp"

namespace loradyn::cli {
namespace {

struct simulate_options {
  shared_options shared;
  std::string dimension;
  std::string batch;
  std::string learning_rate;
  std::string steps;
  std::string t_end;
  std::string runs = "100";
  std::string engine = "chain";
  std::string points = "101";
  std::string stages;
  std::string checkpoint;
  start_options start;
  event_options event;
  network_options network;
};

// What the options say.
question question_from(const simulate_options& o) {
  question words = words_of({describe(o.shared), words_of(o.event)});
  for (const study::parameter* p : study::start_parameters) {
    words.say(std::string(p->name), o.start.texts[*p]);
  }
  words.say("start", text_parameter(o.start.file));
  words.say("stages", text_parameter(o.stages));
  for (const auto& [name, text] : {std::pair("dim", &o.dimension),
                                   {"batch", &o.batch},
                                   {"lr", &o.learning_rate},
                                   {"steps", &o.steps},
                                   {"t-end", &o.t_end},
                                   {"runs", &o.runs},
                                   {"engine", &o.engine},
                                   {"points", &o.points}}) {
    words.say(name, *text);
  }
  return words;
}

// An ensemble with progress, which the user may interrupt: what is done is kept in `checkpoint`,
// where that names a file.
study::simulate_result run_ensemble(const shared_options& shared,
                                    const study::simulate_problem& asked,
                                    const std::string& checkpoint) {
  const std::string kept = read_checkpoint(checkpoint, shared.quiet);
  progress_line progress(shared.shows_progress(), "runs");
  return study::simulate(asked, ensemble_control_of(shared, asked.runs, progress, checkpoint),
                         kept);
}

// Says which runs left the averages; returns the exit code.
int report_divergence(const ensemble& done) {
  std::size_t diverged = 0;
  const run_result* first = nullptr;
  for (const run_result& r : done.runs) {
    if (r.outcome == run_outcome::diverged) {
      ++diverged;
      first = first == nullptr ? &r : first;
    }
  }
  if (diverged > 0) {
    say("{} of {} runs diverged, the first of them run {} after step {} at u = {}, "
        "m = {}, s = {}; they are in no average from there on",
        diverged, done.requested, first->run, first->steps, first->last.u, first->last.m,
        first->last.s);
  }
  return diverged == done.requested ? computation_failed : cli::done;
}

int run_simulate(simulate_options options, const invocation& call) {
  if (options.network.given_with(options.start)) {
    return run_network_simulate(
        options.network, options.shared, options.start, options.event,
        {options.dimension, options.batch, options.learning_rate, options.steps, options.t_end,
         options.runs, options.engine, options.points, options.stages, options.checkpoint},
        call);
  }
  const shared_options& shared = options.shared;
  const question words = question_from(options);
  const auto asked = read_question<study::simulate_problem>(words);
  tell_methods(shared, pairs_of(words));
  outputs out(shared);
  const std::string checkpoint = checkpoint_of(shared, options.checkpoint);
  const study::simulate_result result = run_ensemble(shared, asked.problem, checkpoint);
  if (!result.done.complete()) {
    return report_interrupted(result.done.runs.size(), result.done.requested, checkpoint, call);
  }

  const provenance meta = provenance_of(call, asked.said);
  if (asked.problem.plan.events.empty()) {
    out.write(meta, study::record_columns(), result.recorded,
              [&] { return ensemble_figure(meta, result.recorded); });
  } else {
    out.write(meta, study::run_columns(), result.runs,
              [&] { return hitting_figure(meta, result.runs); });
  }
  remove_checkpoint(checkpoint);
  return report_divergence(result.done);
}

}  // namespace

std::function<int(const invocation&)> setup_simulate(option_list& list) {
  auto options = std::make_shared<simulate_options>();
  parameter_texts& start = options->start.texts;
  for (const study::parameter* p : study::start_parameters) {
    start[*p] = "";  // of a random v
  }
  options->shared.add_mu_to(list, "X");
  list.text("--dim", options->dimension, "the dimension d", "N");
  list.text("--batch", options->batch, "samples in a step", "N");
  list.text("--lr", options->learning_rate, "learning rate of v; u's is --lr-ratio times it", "X");
  list.text("--steps", options->steps, "steps of a run", "N");
  list.text("--t-end", options->t_end, "or its length in time, steps times --lr", "X");
  list.text("--runs", options->runs, "independent runs", "N");
  list.text(
      "--engine", options->engine,
      "chain: the overlaps alone, exact in law at a cost\nthat does not grow with d; sgd: all d "
      "dimensions",
      "chain|sgd");
  list.text("--points", options->points, "record times, evenly spaced or logarithmically",
            "N|log:N");
  list.text("--u0", start[study::registry::u0], "adapter's amplitude at the start (default: 1/d^2)",
            "X");
  list.text("--m0", start[study::registry::m0],
            "its overlap with the target (default: v uniform on the sphere)", "X");
  list.text("--s0", start[study::registry::s0],
            "its overlap with the pre-trained weight's other part", "X");
  list.text("--event", options->event.quantity, "a row for each run, with the time of this event",
            "m|M|risk");
  list.text("--at", options->event.at, "the value that it reaches (default: 0.5 for m)", "X");
  list.flag("--signed", options->event.is_signed, "m or M itself, not its absolute value");
  list.text("--stages", options->stages, "a TOML file of stages, each with its steps and lr",
            "FILE");
  list.text("--checkpoint", options->checkpoint,
            "what an interruption leaves (default: beside --output)", "FILE");
  list.needs("--signed", {"--event", "--at"});
  options->network.add_to(list);
  options->network.add_start_to(list, false);
  options->shared.add_to(list);
  options->start.add_file_to(list);
  list.footer(
      "Columns: step,t,runs,diverged and for u, m, m_abs, s, M, Q and risk "
      "_mean,_sd,_q05,_q50,_q95\n"
      "over the runs; with --event a row for each run: run,t_hit,u,m,s,outcome,status. Numbers\n"
      "depend on the seed and on nothing else; the noise scale is gamma = lr d/batch.\n"
      "Of a network (docs/networks.md) the quantities are risk, M_mean, U_1_1, M_1_2, m_1_2, "
      "S_1_2,\n"
      "and --event may be source-risk or one of these entries.\n\n"
      "Examples:\n"
      "  loradyn simulate --student erf --mu 0.5 --dim 1000 --batch 20 --lr 0.02 --t-end 300\n"
      "  loradyn simulate --student erf --mu 0.5 --dim 1e12 --batch 64 --lr 0.02 --t-end 300 --m0 "
      "0.03\n"
      "  loradyn simulate --student he3 --mu 0.5 --dim 1000 --batch 500 --lr 0.001 --t-end 20 \\\n"
      "    --event m --at 0.5 --runs 2000 --plot times.svg -o times.csv\n"
      "  loradyn simulate --student erf --mu 0.5 --width 2 --teacher-width 2 --rank 2 --adapter "
      "free "
      "\\\n"
      "    --dim 10000 --batch 200 --lr 0.02 --t-end 200 --runs 20 -o network.csv");
  return [options](const invocation& call) { return run_simulate(*options, call); };
}

}  // namespace loradyn::cli
