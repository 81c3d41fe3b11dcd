// An ensemble goes on from a checkpoint, or refuses it with an argument_error. The bytes are what
// follows the title, the checksum and the configuration, which this program puts before them, or,
// where they begin with the title, the whole. The first byte says which engine runs, and from 128
// that it runs a network. Whatever the checkpoint, the ensemble ends, with a result for each run.

#include <array>
#include <loradyn/activation/parse.hpp>
#include <loradyn/error.hpp>
#include <loradyn/simulation/ensemble.hpp>
#include <loradyn/simulation/network_run.hpp>
#include <loradyn/simulation/statistics.hpp>
#include <vector>

#include "fuzz.hpp"
#include "simulation/bytes.hpp"

namespace {

using namespace loradyn;
using fuzz::require;

constexpr std::string_view title = "loradyn ensemble, format 1\n";

// What a checkpoint has before the state of its runs.
std::string framed(const std::string& configuration, std::string_view state) {
  detail::byte_writer body;
  body.put_text(configuration);
  const std::string text = body.take() + std::string(state);
  detail::byte_writer checksum;
  checksum.put(detail::checksum_of(text));
  return std::string(title) + checksum.take() + text;
}

std::uint64_t steps_of(const simulation_problem& problem) { return problem.steps(); }
std::uint64_t steps_of(const network_problem& problem) { return problem.all_steps(); }

// The ensemble; of a checkpoint that is refused none of its runs.
template <class Problem, class Plan>
auto go_on(const Problem& problem, simulation_engine engine, const Plan& plan,
           std::string_view bytes) {
  constexpr std::uint64_t runs = 10;
  const std::string checkpoint =
      bytes.starts_with(title) ? std::string(bytes)
                               : framed(configuration_text(problem, engine, plan, runs), bytes);
  decltype(simulate_ensemble(problem, engine, plan, runs)) done;
  try {
    done = simulate_ensemble(problem, engine, plan, runs, {.threads = 1}, checkpoint);
  } catch (const argument_error&) {
    return done;
  }
  require(done.complete(), "an ensemble that nobody stops ends");
  for (std::size_t i = 0; i < done.runs.size(); ++i) {
    const auto& run = done.runs[i];
    require(run.run == i, "there is a result for each run");
    require(run.steps <= steps_of(problem), "a run ends with the last step");
    require(run.hits.size() == plan.events.size(), "a run has each event");
    for (const auto& hit : run.hits) {
      require(hit.step <= run.steps, "an event happens within its run");
    }
    std::size_t recorded = 0;
    while (recorded < plan.record.size() && plan.record[recorded] <= run.steps) {
      ++recorded;
    }
    require(run.record.size() == recorded, "a run has the states up to its end");
  }
  return done;
}

simulation_problem make() {
  simulation_problem problem = make_problem(parse_activation("erf"), parse_activation("he2"),
                                            {.alignment = 0.5}, 6, 2, 0.1, 6);
  problem.stages.push_back(problem.stages.front());
  problem.stages.back().steps = 5;
  problem.stages.back().flips = true;
  return problem;
}

network_problem make_network() {
  const activation f = parse_activation("erf");
  network_problem problem{
      .geometry = aligned_geometry(2, 1, 0.5, 0.3, 1), .student = f, .teacher = f};
  problem.parameters.rank = 2;
  problem.parameters.readout_ratio = 0.5;
  problem.dimension = 7;
  problem.batch = 2;
  problem.stages = {{.teacher = f, .learning_rate = 0.1, .steps = 6},
                    {.teacher = f, .learning_rate = 0.1, .steps = 5, .flips = true}};
  return problem;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const simulation_problem problem = make();
  static const simulation_plan plan{
      .record = {0, 3, 6, 11}, .events = {{.quantity = simulated_quantity::m_abs, .level = 0.7}}};
  if (size == 0) {
    return 0;
  }
  const auto engine = data[0] % 2 == 0 ? simulation_engine::chain : simulation_engine::sgd;
  const std::string bytes = fuzz::text_of(data + 1, size - 1);
  if (data[0] >= 128) {
    static const network_problem network = make_network();
    static const network_plan of_network{
        .record = {0, 3, 6, 11},
        .events = {{.quantity = {.matrix = network_matrix::mean_overlap}, .level = 0.7}}};
    static_cast<void>(go_on(network, engine, of_network, bytes));
    return 0;
  }
  const ensemble done = go_on(problem, engine, plan, bytes);
  if (done.complete() && !done.runs.empty()) {
    static_cast<void>(summarise(done, problem, plan, std::array{simulated_quantity::m_abs},
                                std::array{0.05, 0.5, 0.95}));
    static_cast<void>(hitting_times_of(done, problem, 0));
  }
  return 0;
}
