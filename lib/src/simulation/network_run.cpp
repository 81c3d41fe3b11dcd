#include <loradyn/simulation/network_run.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <limits>
#include <loradyn/error.hpp>
#include <loradyn/simulation/random.hpp>
#include <utility>
#include "simulation/ensemble_work.hpp"
#include "simulation/network_chain.hpp"
#include "simulation/network_sgd.hpp"

namespace loradyn {
namespace detail {
namespace {

// What a problem says, as checksums where it is long.
template <class Matrix>
std::string digest(const Matrix& matrix) {
  byte_writer out;
  out.put(matrix.rows());
  out.put(matrix.cols());
  for (Eigen::Index j = 0; j < matrix.cols(); ++j) {
    for (Eigen::Index i = 0; i < matrix.rows(); ++i) {
      out.put(static_cast<double>(matrix(i, j)));
    }
  }
  return fmt::format("{:016x}", checksum_of(out.take()));
}

// Simulations of networks, as packs and ensembles take them; the problem is an adapter's.
struct network_kind {
  using problem = network_problem;
  using plan = network_plan;
  using state = network_state;
  using run = network_run;

  static std::vector<stage_span> stages(const problem& p) {
    std::vector<stage_span> spans;
    for (const network_stage& stage : stages_of(p)) {
      spans.push_back({stage.steps, stage.flips});
    }
    return spans;
  }

  template <class Engine>
  static double value(const network_quantity& quantity, const problem& p, const plan& asked,
                      const Engine& engine, std::size_t lane) {
    return quantity.matrix == network_matrix::risk || quantity.matrix == network_matrix::source_risk
               ? value_of(quantity, p, asked, engine.state(lane))
               : engine.value(quantity, lane);
  }

  static bool possible(const state& x) {
    return x.U.allFinite() && x.C.allFinite() && x.P.allFinite() && x.a.allFinite();
  }

  // A state that there is none of is no bytes but a flag.
  static void put(byte_writer& out, const state& x) {
    out.put_flag(x.a.size() > 0);
    const auto put_all = [&out](const auto& matrix) {
      for (Eigen::Index i = 0; i < matrix.size(); ++i) {
        out.put(matrix.data()[i]);
      }
    };
    put_all(x.U);
    put_all(x.C);
    put_all(x.P);
    put_all(x.a);
  }

  static state get(byte_reader& in, const problem& p) {
    state x;
    if (!in.get_flag()) {
      return x;
    }
    const auto read = [&in](auto& matrix, Eigen::Index rows, Eigen::Index columns) {
      matrix.resize(rows, columns);
      for (Eigen::Index i = 0; i < matrix.size(); ++i) {
        matrix.data()[i] = in.get<double>();
      }
    };
    const Eigen::Index rank = p.parameters.rank;
    read(x.U, p.geometry.width(), rank);
    read(x.C, rank, p.geometry.directions());
    read(x.P, rank, rank);
    read(x.a, p.geometry.width(), 1);
    return x;
  }

  static std::string configuration(const problem& p, simulation_engine engine, const plan& asked,
                                   std::uint64_t runs) {
    return configuration_text(p, engine, asked, runs);
  }

  static double results(const problem& p, const plan& asked, std::uint64_t runs) {
    return ensemble_bytes(p, asked, runs);
  }

  static double vectors(const problem& p) {
    const network_geometry& g = p.geometry;
    const auto rows = static_cast<double>(g.directions() + g.teacher.rows() + g.source.rows() +
                                          2 * g.width() + 4 * p.parameters.rank);
    const auto d = static_cast<double>(p.dimension);
    return 8.0 * (rows * d + std::max(2.0 * d, 32768.0));
  }
};

}  // namespace

std::size_t pack_width(const network_problem& problem, simulation_engine engine) {
  return engine == simulation_engine::chain ? network_chain::width(problem)
                                            : network_sgd::width(problem);
}

std::unique_ptr<network_pack> make_pack(const network_problem& problem, simulation_engine engine,
                                        const network_plan& plan, std::uint64_t first,
                                        std::size_t count) {
  if (engine == simulation_engine::chain) {
    return std::make_unique<engine_pack<network_kind, network_chain>>(problem, plan, first, count);
  }
  return std::make_unique<engine_pack<network_kind, network_sgd>>(problem, plan, first, count);
}

}  // namespace detail

std::string configuration_text(const network_problem& asked, simulation_engine engine,
                               const network_plan& plan, std::uint64_t runs) {
  const network_problem problem = as_adapter(asked);
  std::string text;
  const auto line = [&text](std::string_view name, const auto& value) {
    text += fmt::format("{} {}\n", name, value);
  };
  const network_geometry& g = problem.geometry;
  line("network",
       fmt::format("of {} neurons, {} adapters and {} targets in {} directions", g.width(),
                   problem.parameters.rank, g.teacher.rows(), g.directions()));
  line("engine", name_of(simulation_engines, engine));
  line("student", problem.student.name());
  line("adapter", name_of(adapter_constraints, problem.parameters.adapter));
  line("readout-rate", problem.parameters.readout_ratio);
  for (const auto& [name, matrix] : {std::pair("teacher rows", &g.teacher),
                                     {"pretrained rows", &g.pretrained},
                                     {"source rows", &g.source}}) {
    line(name, detail::digest(*matrix));
  }
  for (const auto& [name, vector] : {std::pair("readout", &g.readout),
                                     {"teacher-readout", &g.teacher_readout},
                                     {"source-readout", &g.source_readout}}) {
    line(name, detail::digest(*vector));
  }
  line("dim", problem.dimension);
  line("batch", problem.batch);
  const network_start& start = problem.start;
  line("U at the start", start.U ? detail::digest(*start.U) : "1/d²");
  line("V at the start",
       start.C ? detail::digest(*start.C) + " " + detail::digest(*start.P) : "random");
  line("scale", start.scale);
  line("start-batch", start.one_step_batch);
  for (const network_stage& stage : stages_of(problem)) {
    line("teacher", stage.teacher.name());
    line("on", stage.on_source ? "source" : "target");
    line("noise", stage.label_noise);
    line("lr-ratio", stage.rate_ratio);
    line("decay", stage.decay);
    line("lr", stage.learning_rate);
    line("steps", stage.steps);
    line("flips", stage.flips);
    if (stage.label) {
      line("label", stage.label->name());
    }
  }
  line("seed", problem.seed);
  line("runs", runs);
  for (const network_event& event : plan.events) {
    line("event", fmt::format("{} at {}, direction {}", name_of(event.quantity), event.level,
                              static_cast<int>(event.direction)));
  }
  line("stop-after-events", plan.stop_after_events);
  line("points", plan.record.size());
  detail::byte_writer record;
  record.put_list(plan.record);
  line("record", fmt::format("{:016x}", detail::checksum_of(record.take())));
  return text;
}

network_run replay_run(const network_problem& problem, simulation_engine engine,
                       const network_plan& plan, std::uint64_t run) {
  problem.validate();
  plan.validate(problem);
  if (run >= random_runs) {
    throw argument_error("run", fmt::format("{}", run), "below 2^32");
  }
  const network_problem adapter = as_adapter(problem);
  const auto pack = detail::make_pack(adapter, engine, plan, run, 1);
  while (!pack->done()) {
    pack->advance(std::numeric_limits<std::uint64_t>::max());
  }
  return pack->take_results().front();
}

network_ensemble simulate_ensemble(const network_problem& problem, simulation_engine engine,
                                   const network_plan& plan, std::uint64_t runs,
                                   const ensemble_control& control, std::string_view checkpoint) {
  problem.validate();
  plan.validate(problem);
  return detail::run_ensemble<detail::network_kind>(as_adapter(problem), engine, plan, runs,
                                                    control, checkpoint);
}

double ensemble_bytes(const network_problem& problem, const network_plan& plan,
                      std::uint64_t runs) noexcept {
  const auto width = static_cast<double>(problem.geometry.width());
  const auto p = static_cast<double>(problem.geometry.directions());
  const double rank =
      problem.trained == trained_part::lora ? static_cast<double>(problem.parameters.rank) : width;
  constexpr double allocation = 32.0;  // what an allocator takes beside the numbers, about
  const double state = sizeof(network_state) + 4.0 * allocation +
                       8.0 * (width * rank + rank * p + rank * rank + width);
  const double each = sizeof(network_run) + 1.0 +
                      state * (1.0 + static_cast<double>(plan.record.size()) +
                               static_cast<double>(plan.events.size()));
  return static_cast<double>(runs) * each;
}

std::vector<double> recorded_values(const network_ensemble& runs, const network_problem& problem,
                                    const network_plan& plan, std::size_t point,
                                    const network_quantity& quantity) {
  std::vector<double> values;
  for (const network_run& run : runs.runs) {
    if (point < run.record.size()) {
      values.push_back(value_of(quantity, problem, plan, run.record[point]));
    }
  }
  return values;
}

}  // namespace loradyn
