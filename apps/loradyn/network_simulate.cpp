// loradyn simulate, asked of a network.

#include <fmt/format.h>

#include <cmath>
#include <limits>
#include <loradyn/error.hpp>
#include <loradyn/figures/network_figures.hpp>
#include <loradyn/report/stages_file.hpp>
#include <loradyn/simulation/random.hpp>
#include <loradyn/study/network_simulate.hpp>
#include <loradyn/sweep/range.hpp>
#include <vector>

#include "checkpoints.hpp"
#include "message.hpp"
#include "network_commands.hpp"
#include "output.hpp"

namespace loradyn::cli {
namespace {

namespace registry = study::registry;

// A batch's samples have 32 bits of their own in the counters of the random numbers.
constexpr std::uint64_t largest_batch = (std::uint64_t{1} << 32) - 1;

std::uint64_t read_steps(const network_simulate_words& words, double learning_rate, double unit) {
  if (words.steps.empty() == words.t_end.empty()) {
    throw error("give either --steps or --t-end, the length of a run");
  }
  if (!words.steps.empty()) {
    return read_count("--steps", words.steps, 1, random_steps - 1);
  }
  const double count =
      std::ceil(parse_number("--t-end", words.t_end) / unit / learning_rate - 1e-9);
  if (!(count >= 1.0 && count < static_cast<double>(random_steps))) {
    throw argument_error("--t-end", "'" + words.t_end + "'",
                         fmt::format("> 0 and less than {} steps", random_steps));
  }
  return static_cast<std::uint64_t>(count);
}

study::network_simulate_problem read_problem(const network_options& network,
                                             const shared_options& shared,
                                             const start_options& start, const event_options& event,
                                             const network_simulate_words& words) {
  for (const auto& [option, text, reason] :
       {std::tuple("--start", &start.file, "it is one neuron's"),
        {"--m0", &start.texts[registry::m0], "a network's V starts at random, or by --start-batch"},
        {"--s0", &start.texts[registry::s0],
         "a network's V starts at random, or by --start-batch"}}) {
    if (!text->empty()) {
      throw argument_error(option, "'" + *text + "'", fmt::format("left out: {}", reason));
    }
  }
  for (const auto& [option, text, example] :
       {std::tuple("--dim", &words.dimension, "the dimension, such as 1000"),
        {"--batch", &words.batch, "the size of a batch, such as 64"},
        {"--lr", &words.learning_rate, "the learning rate, such as 0.1"}}) {
    if (text->empty() && (words.stages.empty() || text != &words.learning_rate)) {
      throw error(fmt::format("{} is missing: give {}", option, example));
    }
  }
  if (shared.parameters[registry::gamma] != "0") {
    throw argument_error("--gamma", "'" + shared.parameters[registry::gamma] + "'",
                         "left out: --dim, --batch and --lr make it");
  }
  const study::network_layout layout = read_layout(network, shared);
  const study::parameter_grid grid = read_network_grid(layout, shared);
  if (grid.size() != 1) {
    throw argument_error("--mu, --nu, --noise, --lr-ratio",
                         fmt::format("{} combinations", grid.size()), "one each here");
  }
  study::network_simulate_problem problem{
      .pair = read_single_pair(shared, "one here, for the table has no column for it"),
      .layout = layout,
      .start = read_network_start(network, shared, words.dimension),
      .at = grid.at(0)};
  problem.batch = read_count("--batch", words.batch, 1, largest_batch);
  if (words.stages.empty()) {
    problem.learning_rate = read_positive("--lr", words.learning_rate);
    problem.steps = read_steps(words, problem.learning_rate, problem.pair.rate_unit);
  } else {
    for (const auto& [option, given] : {std::pair("--lr", &words.learning_rate),
                                        {"--steps", &words.steps},
                                        {"--t-end", &words.t_end}}) {
      if (!given->empty()) {
        throw argument_error(option, "'" + *given + "'", "left out: each stage says its own");
      }
    }
    require_stages_parameters(shared);
    problem.stages = read_network_simulation_stages(words.stages, 1.0 / problem.pair.rate_unit);
  }
  problem.runs = read_count("--runs", words.runs, 1, random_runs - 1);
  problem.engine = read_choice("--engine", words.engine, simulation_engines);
  if (const std::string& u0 = start.texts[registry::u0]; !u0.empty()) {
    problem.u0 = parse_number("--u0", u0);
  }
  if (!event.quantity.empty() || !event.at.empty()) {
    problem.event = read_network_event(event.quantity.empty() ? "m" : event.quantity, event.at,
                                       event.is_signed);
  }
  return problem;
}

// Throws argument_error where the machine is too small, or the user's life too short.
void require_size(const study::network_simulate_problem& problem, std::uint64_t all_steps,
                  const network_simulate_words& words, const study::network_shape& shape) {
  using study::extent;
  const auto number = [](const char* option, const std::string& text, double count) {
    return extent{option, text, count, true};
  };
  const extent runs = number("--runs", words.runs, static_cast<double>(problem.runs));
  const auto steps = static_cast<double>(problem.event ? 1 : all_steps);
  study::require_simulation(
      {runs,
       !words.stages.empty() ? extent{"--stages", words.stages, steps}
       : words.steps.empty() ? extent{"--t-end", words.t_end, steps}
                             : number("--steps", words.steps, steps),
       number("--batch", words.batch, static_cast<double>(problem.batch)),
       number("--dim", words.dimension, static_cast<double>(problem.start.dimension)),
       problem.engine == simulation_engine::sgd});
  const auto entries = static_cast<double>(shape.width * (shape.rank + shape.teacher_width + 1) +
                                           shape.rank * (shape.teacher_width + shape.rank));
  constexpr double infinity = std::numeric_limits<double>::infinity();
  const double state = sizeof(network_state) + 2.0 * sizeof(double) * entries;
  if (problem.event) {
    study::require_affordable(std::vector<extent>{runs}, {"runs", 3.0 * state, 0.0}, infinity);
    return;
  }
  const extent points =
      number("--points", words.points, static_cast<double>(read_record_size(words.points)));
  study::require_table(std::vector<extent>{points}, 5.0 * sizeof(double) * entries);
  study::require_affordable(std::vector<extent>{runs, points}, {"recorded states", state, 0.0},
                            infinity);
}

// Says which runs left the averages; returns the exit code.
int report_divergence(const network_ensemble& ensemble) {
  std::size_t diverged = 0;
  const network_run* first = nullptr;
  for (const network_run& run : ensemble.runs) {
    if (run.outcome == run_outcome::diverged) {
      ++diverged;
      first = first == nullptr ? &run : first;
    }
  }
  if (diverged > 0) {
    say("{} of {} runs diverged, the first of them run {} after step {}; they are in no average "
        "from there on",
        diverged, ensemble.requested, first->run, first->steps);
  }
  return diverged == ensemble.requested ? computation_failed : done;
}

}  // namespace

int run_network_simulate(const network_options& network, shared_options shared,
                         const start_options& start, const event_options& event,
                         const network_simulate_words& words, const invocation& call) {
  study::network_simulate_problem problem = read_problem(network, shared, start, event, words);
  const study::network_shape shape = study::shape_of(problem.layout);
  const std::uint64_t steps = study::simulated_problem(problem).all_steps();
  require_size(problem, steps, words, shape);
  if (!problem.event) {
    problem.record = read_simulation_record(words.points, steps);
  }
  outputs out(shared);
  const std::string checkpoint = checkpoint_of(shared, words.checkpoint);
  const std::string kept = read_checkpoint(checkpoint, shared.quiet);
  study::network_simulate_result result;
  {
    progress_line progress(shared.shows_progress(), "runs");
    result = study::simulate(problem,
                             ensemble_control_of(shared, problem.runs, progress, checkpoint), kept);
  }
  if (!result.done.complete()) {
    return report_interrupted(result.done.runs.size(), result.done.requested, checkpoint, call);
  }
  const double learning_rate =
      problem.stages.empty() ? problem.learning_rate : problem.stages.back().learning_rate;
  shared.parameters[registry::gamma] =
      fmt::format("{}", learning_rate * static_cast<double>(problem.start.dimension) /
                            static_cast<double>(problem.batch));
  described own{
      {"dim", std::to_string(problem.start.dimension)}, {"batch", std::to_string(problem.batch)},
      {"lr", fmt::format("{}", learning_rate)},         {"steps", std::to_string(steps)},
      {"runs", std::to_string(problem.runs)},           {"engine", words.engine}};
  add_given(own, "u0", start.texts[registry::u0]);
  add_given(own, "stages", text_parameter(words.stages));
  own += describe(network);
  if (problem.event) {
    own += {{"event", event.quantity.empty() ? "m" : event.quantity},
            {"at", fmt::format("{}", problem.event->at)},
            {"signed", event.is_signed ? "true" : "false"}};
    const provenance meta = provenance_of(call, shared, own);
    out.write(meta, study::network_run_columns(shape), result.runs,
              [&] { return network_hitting_figure(meta, result.runs); });
  } else {
    const provenance meta = provenance_of(call, shared, own);
    out.write(meta, study::network_summary_columns(shape), result.recorded,
              [&] { return network_ensemble_figure(meta, shape, result.recorded); });
  }
  remove_checkpoint(checkpoint);
  return report_divergence(result.done);
}

}  // namespace loradyn::cli
