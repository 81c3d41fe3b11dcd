#include <loradyn/simulation/network_problem.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <loradyn/error.hpp>
#include <loradyn/simulation/random.hpp>
#include "decompositions.hpp"

namespace loradyn {
namespace {

template <class Number>
void require(bool holds, const char* name, Number value, const std::string& expected) {
  if (!holds) {
    throw argument_error(name, fmt::format("{}", value), expected);
  }
}

std::string shape_of(const Eigen::MatrixXd& matrix) {
  return fmt::format("{} x {}", matrix.rows(), matrix.cols());
}

void check_shape(const char* name, const Eigen::MatrixXd& matrix, Eigen::Index rows,
                 Eigen::Index columns) {
  require(matrix.rows() == rows && matrix.cols() == columns, name, shape_of(matrix),
          fmt::format("{} x {}", rows, columns));
  require(matrix.allFinite(), name, "not finite", "finite");
}

Eigen::Index rank_of(const network_problem& problem) {
  return problem.trained == trained_part::lora ? problem.parameters.rank : problem.geometry.width();
}

void check_start(const network_problem& problem) {
  const network_start& start = problem.start;
  const Eigen::Index width = problem.geometry.width();
  const Eigen::Index rank = rank_of(problem);
  const bool lora = problem.trained == trained_part::lora;
  if (start.U) {
    require(lora, "U at the start", "given", "the identity, not given, where no U trains");
    check_shape("U at the start", *start.U, width, rank);
  }
  require(start.C.has_value() == start.P.has_value(), "the start of V",
          start.C ? "C alone" : "P alone", "C and P together");
  require(start.scale > 0.0 && std::isfinite(start.scale), "the scale of V at the start",
          start.scale, "finite and > 0");
  const bool sphere = problem.parameters.adapter == adapter_constraint::sphere;
  require(!sphere || start.scale == 1.0, "the scale of V at the start", start.scale,
          "1 on spheres");
  if (start.C) {
    require(start.one_step_batch == 0, "the start of V", "given",
            "not given where it is a batch's gradient");
    network_parameters parameters = problem.parameters;
    parameters.rank = rank;
    network_state{.U = start.U.value_or(Eigen::MatrixXd::Zero(width, rank)),
                  .C = *start.C,
                  .P = *start.P,
                  .a = problem.geometry.readout}
        .validate(problem.geometry, parameters);
  }
  if (start.one_step_batch > 0) {
    require(lora, "start", "one-step", "another where no adapter trains");
    require(rank <= width, "rank", rank, fmt::format("at most the width, {}", width));
    require(start.one_step_batch >= static_cast<std::uint64_t>(width) &&
                start.one_step_batch < (std::uint64_t{1} << 32),
            "start-batch", start.one_step_batch,
            fmt::format("at least the width, {}, and below 2^32", width));
  }
}

void check_dimension(const network_problem& problem) {
  const auto p = static_cast<std::uint64_t>(problem.geometry.directions());
  // What is left beside E and V, and for a one-step start beside E alone, has at least as many
  // dimensions as vectors that fall there.
  const std::uint64_t training = p + 2 * static_cast<std::uint64_t>(rank_of(problem));
  require(problem.dimension >= training, "dim (dimension)", problem.dimension,
          fmt::format("at least {}: {} frozen directions and twice the rank", training, p));
  if (problem.start.one_step_batch > 0) {
    const std::uint64_t start = p + static_cast<std::uint64_t>(problem.geometry.width());
    require(problem.dimension >= start, "dim (dimension)", problem.dimension,
            fmt::format("at least {}: {} frozen directions and the width", start, p));
  }
  require(problem.dimension < (std::uint64_t{1} << 48), "dim (dimension)", problem.dimension,
          "below 2^48");
}

// How many rows and columns there are entries in; 0 x 0 where it is no entry.
std::pair<Eigen::Index, Eigen::Index> size_of(network_matrix matrix,
                                              const network_problem& problem) {
  const Eigen::Index width = problem.geometry.width();
  const Eigen::Index rank = rank_of(problem);
  switch (matrix) {
    case network_matrix::U:
      return {width, rank};
    case network_matrix::C:
      return {rank, problem.geometry.directions()};
    case network_matrix::S:
      return {rank, rank};
    case network_matrix::M:
      return {width, problem.geometry.teacher.rows()};
    case network_matrix::Q:
      return {width, width};
    case network_matrix::m:
      return {rank, problem.geometry.teacher.rows()};
    case network_matrix::a:
      return {width, 1};
    case network_matrix::mean_overlap:
    case network_matrix::largest_overlap:
    case network_matrix::risk:
    case network_matrix::source_risk:
      break;
  }
  return {1, 1};
}

void check_stage(const network_stage& stage, const network_problem& problem) {
  network_parameters{
      .label_noise = stage.label_noise, .rate_ratio = stage.rate_ratio, .decay = stage.decay}
      .validate();
  require(stage.learning_rate > 0.0 && std::isfinite(stage.learning_rate), "lr (learning rate)",
          stage.learning_rate, "finite and > 0");
  require(stage.steps >= 1 && stage.steps < random_steps, "steps", stage.steps,
          "at least 1 and below 2^48");
  require(!stage.on_source || problem.geometry.source.rows() > 0, "what a stage trains on",
          "the source task", "the target where there is no source");
  require(!stage.flips || problem.trained == trained_part::lora, "a stage", "a flip of U",
          "without one where no U trains");
}

}  // namespace

std::vector<network_stage> stages_of(const network_problem& problem) {
  if (!problem.stages.empty()) {
    return problem.stages;
  }
  return {{.teacher = problem.teacher,
           .label_noise = problem.parameters.label_noise,
           .rate_ratio = problem.parameters.rate_ratio,
           .decay = problem.parameters.decay,
           .learning_rate = problem.learning_rate,
           .steps = problem.steps}};
}

std::uint64_t network_problem::all_steps() const noexcept {
  std::uint64_t total = 0;
  for (const network_stage& stage : stages) {
    total += stage.steps;
  }
  return stages.empty() ? steps : total;
}

double network_problem::time_at(std::uint64_t step) const noexcept {
  if (stages.empty()) {
    return learning_rate * static_cast<double>(step);
  }
  double time = 0.0;
  for (const network_stage& stage : stages) {
    const std::uint64_t taken = std::min(step, stage.steps);
    time += stage.learning_rate * static_cast<double>(taken);
    step -= taken;
  }
  return time;
}

void network_problem::validate() const {
  geometry.validate();
  parameters.validate();
  require(parameters.noise_scale == 0.0, "gamma (noise scale)", parameters.noise_scale,
          "unset: dimension, batch and learning rate make it");
  require((trained != trained_part::full && trained != trained_part::scratch) ||
              parameters.adapter == adapter_constraint::free,
          "adapter", name_of(adapter_constraints, parameters.adapter),
          "free where all of W trains");
  check_dimension(*this);
  check_start(*this);
  require(batch >= 1 && batch < (std::uint64_t{1} << 32), "batch", batch,
          "at least 1 and below 2^32");
  std::uint64_t total = 0;
  for (const network_stage& stage : stages_of(*this)) {
    check_stage(stage, *this);
    total += stage.steps;  // of two numbers below 2^48: no overflow
    require(total < random_steps, "steps of all stages", total, "below 2^48");
  }
  require(seed <= max_seed, "seed", seed, "at most 2^53 - 1");
}

network_problem as_adapter(const network_problem& problem) {
  network_problem adapter = problem;
  if (problem.trained == trained_part::lora) {
    return adapter;
  }
  const Eigen::Index width = problem.geometry.width();
  adapter.trained = trained_part::lora;
  adapter.parameters.rank = width;
  adapter.parameters.rate_ratio = 0.0;
  for (network_stage& stage : adapter.stages) {
    stage.rate_ratio = 0.0;
  }
  adapter.start.U = Eigen::MatrixXd::Identity(width, width);
  if (problem.trained == trained_part::full && !problem.start.C) {
    adapter.start.C = problem.geometry.pretrained;
    adapter.start.P = Eigen::MatrixXd::Zero(width, width);
  }
  adapter.geometry.pretrained.setZero();
  return adapter;
}

std::string name_of(const network_quantity& quantity) {
  std::string name;
  switch (quantity.matrix) {
    case network_matrix::mean_overlap:
      name = "M_mean";
      break;
    case network_matrix::largest_overlap:
      name = "m_max";
      break;
    case network_matrix::risk:
      name = "risk";
      break;
    case network_matrix::source_risk:
      name = "source_risk";
      break;
    case network_matrix::a:
      name = fmt::format("a_{}", quantity.row + 1);
      break;
    default: {
      constexpr std::string_view letters = "UCSMQm";
      name = fmt::format("{}_{}_{}", letters[static_cast<std::size_t>(quantity.matrix)],
                         quantity.row + 1, quantity.column + 1);
    }
  }
  return quantity.absolute ? name + "_abs" : name;
}

void network_plan::validate(const network_problem& problem) const {
  for (std::size_t i = 0; i < record.size(); ++i) {
    require(i == 0 || record[i] > record[i - 1], "a recorded step", record[i],
            "larger than the one before it");
  }
  require(record.empty() || record.back() <= problem.all_steps(), "the last recorded step",
          record.empty() ? 0 : record.back(), "at most the number of steps");
  for (const network_event& event : events) {
    require(std::isfinite(event.level), "the level of an event", event.level, "finite");
    const network_quantity& quantity = event.quantity;
    const auto [rows, columns] = size_of(quantity.matrix, problem);
    require(quantity.row >= 0 && quantity.row < rows && quantity.column >= 0 &&
                quantity.column < columns,
            "what an event watches", name_of(quantity),
            fmt::format("an entry of {} rows and {} columns", rows, columns));
    require((quantity.matrix != network_matrix::risk || static_cast<bool>(risk)) &&
                (quantity.matrix != network_matrix::source_risk || static_cast<bool>(source_risk)),
            "the risk that an event watches", "missing", "a function of the state");
  }
  require(!stop_after_events || !events.empty(), "the list of events", "empty",
          "one event or more where they end a run");
}

double value_of(const network_quantity& quantity, const network_problem& problem,
                const network_plan& plan, const network_state& state) {
  const Eigen::Index row = quantity.row;
  const Eigen::Index column = quantity.column;
  const auto overlaps = [&] {
    if (problem.trained == trained_part::lora) {
      return overlaps_of(problem.geometry, state);
    }
    network_geometry geometry = problem.geometry;
    geometry.pretrained.setZero();
    return overlaps_of(geometry, state);
  };
  double value = 0.0;
  switch (quantity.matrix) {
    case network_matrix::U:
      value = state.U(row, column);
      break;
    case network_matrix::C:
      value = state.C(row, column);
      break;
    case network_matrix::S:
      value = state.C.row(row).dot(state.C.row(column)) + state.P(row, column);
      break;
    case network_matrix::M:
      value = overlaps().targets(row, column);
      break;
    case network_matrix::Q:
      value = overlaps().weights(row, column);
      break;
    case network_matrix::m:
      value = state.C.row(row).dot(problem.geometry.teacher.row(column));
      break;
    case network_matrix::a:
      value = state.a[row];
      break;
    case network_matrix::mean_overlap: {
      const Eigen::MatrixXd targets = overlaps().targets;
      for (Eigen::Index j = 0; j < targets.rows(); ++j) {
        const double own = targets(j, j % targets.cols());
        value += (quantity.absolute ? std::abs(own) : own) / static_cast<double>(targets.rows());
      }
      break;
    }
    case network_matrix::largest_overlap:
      value = (state.C * problem.geometry.teacher.transpose()).cwiseAbs().maxCoeff();
      break;
    case network_matrix::risk:
      value = plan.risk(state);
      break;
    case network_matrix::source_risk:
      value = plan.source_risk(state);
  }
  return quantity.absolute ? std::abs(value) : value;
}

std::vector<network_quantity> moving_entries(const network_problem& problem) {
  std::vector<network_quantity> entries;
  const auto add = [&](network_matrix matrix, Eigen::Index row, Eigen::Index column) {
    entries.push_back({.matrix = matrix, .row = row, .column = column});
  };
  const Eigen::Index width = problem.geometry.width();
  const Eigen::Index rank = rank_of(problem);
  const bool trains_output =
      problem.trained == trained_part::lora && problem.parameters.rate_ratio > 0.0;
  for (Eigen::Index j = 0; trains_output && j < width; ++j) {
    for (Eigen::Index a = 0; a < rank; ++a) {
      add(network_matrix::U, j, a);
    }
  }
  for (Eigen::Index a = 0; a < rank; ++a) {
    for (Eigen::Index c = 0; c < problem.geometry.directions(); ++c) {
      add(network_matrix::C, a, c);
    }
  }
  const bool sphere = problem.parameters.adapter == adapter_constraint::sphere;
  const bool one_number = problem.parameters.adapter == adapter_constraint::frobenius && rank == 1;
  for (Eigen::Index a = 0; a < rank; ++a) {
    for (Eigen::Index b = 0; b < a + (sphere || one_number ? 0 : 1); ++b) {
      add(network_matrix::S, a, b);
    }
  }
  for (Eigen::Index j = 0; problem.parameters.readout_ratio > 0.0 && j < width; ++j) {
    add(network_matrix::a, j, 0);
  }
  return entries;
}

namespace detail {

Eigen::MatrixXd semidefinite_factor(const Eigen::MatrixXd& symmetric) {
  const Eigen::Index size = symmetric.rows();
  constexpr double negligible = 16.0 * std::numeric_limits<double>::epsilon();
  Eigen::MatrixXd lower = Eigen::MatrixXd::Zero(size, size);
  for (Eigen::Index j = 0; j < size; ++j) {
    const double pivot = symmetric(j, j) - lower.row(j).head(j).squaredNorm();
    if (!(pivot > negligible * symmetric(j, j))) {
      continue;  // a column of zeros, for an error of the size of rounding's root at most
    }
    lower(j, j) = std::sqrt(pivot);
    for (Eigen::Index i = j + 1; i < size; ++i) {
      lower(i, j) =
          (symmetric(i, j) - lower.row(i).head(j).dot(lower.row(j).head(j))) / lower(j, j);
    }
  }
  return lower;
}

Eigen::MatrixXd one_step_directions(const Eigen::MatrixXd& gradient, Eigen::Index rank) {
  const Eigen::SelfAdjointEigenSolver<Eigen::MatrixXd> modes(
      Eigen::MatrixXd(gradient * gradient.transpose()));
  Eigen::MatrixXd directions(rank, gradient.cols());
  for (Eigen::Index a = 0; a < rank; ++a) {
    Eigen::VectorXd left = modes.eigenvectors().col(gradient.rows() - 1 - a);
    Eigen::Index largest = 0;
    left.cwiseAbs().maxCoeff(&largest);
    directions.row(a) = (left[largest] > 0.0 ? -1.0 : 1.0) * left.transpose() * gradient;
    directions.row(a).normalize();
  }
  return directions;
}

}  // namespace detail
}  // namespace loradyn
