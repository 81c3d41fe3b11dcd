// A TOML file of stages is read for a run of the flow and for a simulation, or refused with an
// error. What is read is a protocol that is valid or refused with an argument_error.

#include <cmath>
#include <loradyn/activation/parse.hpp>
#include <loradyn/error.hpp>
#include <loradyn/report/stages_file.hpp>
#include <loradyn/study/network_simulate.hpp>
#include <loradyn/study/pair.hpp>
#include <variant>

#include "fuzz.hpp"

namespace {

using namespace loradyn;
using fuzz::require;

void check_flow(const std::string& path, const study::activation_pair& pair) {
  training_protocol protocol;
  protocol.stages = read_stages(path, pair, 2.0);
  require(!protocol.stages.empty(), "a file that is read has a stage");
  protocol.validate();
  require(!std::holds_alternative<flip_stage>(protocol.stages.back()),
          "a valid protocol does not end with a flip");
}

void check_simulation(const std::string& path, const study::activation_pair& pair) {
  simulation_problem problem =
      make_problem(pair.risk.student(), pair.risk.teacher(), {.alignment = 0.5}, 10, 2, 1.0, 1);
  problem.stages = read_simulation_stages(path, pair, 2.0);
  require(!problem.stages.empty(), "a file that is read has a stage that trains");
  for (const simulation_stage& stage : problem.stages) {
    require(stage.steps >= 1 && stage.learning_rate > 0.0, "a stage has steps");
    require(!stage.label || stage.label->as_polynomial() != nullptr, "a label is a polynomial");
  }
  problem.validate();
}

study::network_layout layout() {
  study::network_layout l;
  l.width = l.teacher_width = l.rank = 2;
  l.source = parse_activation("linear");
  l.source_overlap = 0.5;
  return l;
}

void check_network_flow(const std::string& path, const study::activation_pair& pair) {
  static const network_problem problem =
      study::simulated_problem(pair, layout(), {}, {}, std::nullopt);
  const std::vector<study::network_training_stage> stages = read_network_stages(path, 2.0);
  require(!stages.empty(), "a file that is read has a stage that trains");
  for (const study::network_training_stage& stage : stages) {
    static_cast<void>(study::stage_of(problem, pair, layout(), stage));
  }
}

void check_network_simulation(const std::string& path, const study::activation_pair& pair) {
  study::network_simulate_problem problem{.pair = pair, .layout = layout()};
  problem.stages = read_network_simulation_stages(path, 2.0);
  require(!problem.stages.empty(), "a file that is read has a stage that trains");
  require(study::simulated_problem(problem).all_steps() >= problem.stages.size(),
          "a stage has steps");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const fuzz::directory place;
  static const study::activation_pair pair = study::make_pair(
      parse_activation("linear"), parse_activation("linear"), study::time_unit::raw);
  const std::string path = place.write("stages.toml", fuzz::text_of(data, size));
  for (const auto check :
       {check_flow, check_simulation, check_network_flow, check_network_simulation}) {
    try {
      check(path, pair);
    } catch (const error&) {
    }
  }
  return 0;
}
