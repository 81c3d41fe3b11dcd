#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <loradyn/activation/parse.hpp>
#include <loradyn/error.hpp>
#include <loradyn/interruption.hpp>
#include <loradyn/model/transformed_labels.hpp>
#include <loradyn/number_text.hpp>
#include <loradyn/simulation/network_run.hpp>
#include <loradyn/study/network.hpp>
#include <utility>
#include "nan.hpp"
#include "study/network_parts.hpp"

namespace loradyn::study {
namespace {

using Eigen::Index;

// The entries of a matrix of these sizes by name: U_1_1, U_1_2, …
std::vector<std::string> entries(const std::string& name, std::ptrdiff_t rows,
                                 std::ptrdiff_t columns, bool lower = false) {
  std::vector<std::string> names;
  for (std::ptrdiff_t i = 1; i <= rows; ++i) {
    for (std::ptrdiff_t j = 1; j <= (lower ? i : columns); ++j) {
      names.push_back(fmt::format("{}_{}_{}", name, i, j));
    }
  }
  return names;
}

std::vector<double> by_rows(const Eigen::MatrixXd& m, bool lower = false) {
  std::vector<double> values;
  for (Index i = 0; i < m.rows(); ++i) {
    for (Index j = 0; j < (lower ? i + 1 : m.cols()); ++j) {
      values.push_back(m(i, j));
    }
  }
  return values;
}

// Samples that a run of d dimensions sees in a time.
double samples_in(const network_flow& f, std::uint64_t dimension, double t) {
  const double gamma = f.parameters().noise_scale;
  return gamma > 0.0 ? t * static_cast<double>(dimension) / gamma : nan;
}

// Those that a one-step start has spent.
double samples_of_start(const network_start_request& start) {
  return static_cast<double>(start.one_step_batch.value_or(0));
}

void tell_noise(const network_flow& f, const network_state& x, network_trajectory_result& result) {
  if (f.parameters().noise_scale == 0.0) {
    return;
  }
  const network_noise_value v =
      f.task().noise.value(overlaps_of(f.geometry(), x), f.teacher_gram(), x.a,
                           f.geometry().teacher_readout, f.parameters().label_noise);
  const double trace = v.covariance.trace();
  if (trace > 0.0) {
    result.noise_error = std::max(result.noise_error, v.error / trace);
  }
  result.noise_method = name_of(noise_method_kinds, v.method);
}

}  // namespace

network_geometry geometry_of(const network_layout& l, const parameter_point& at) {
  if (l.geometry) {
    const double alignment = at.parameters.alignment;
    return std::isnan(alignment)
               ? *l.geometry
               : realigned(*l.geometry, alignment, l.off_target.value_or(l.geometry->width()));
  }
  network_geometry g = aligned_geometry(l.width, l.teacher_width, at.parameters.alignment,
                                        at.parameters.misalignment, l.off_target.value_or(l.width),
                                        l.source_overlap);
  g.readout = readouts(l.readout, l.width);
  g.teacher_readout = readouts(l.readout, l.teacher_width);
  if (l.source_overlap) {
    g.source_readout = g.teacher_readout;
  }
  return g;
}

network_parameters parameters_of(const network_layout& l, const parameter_point& at) {
  network_parameters p;
  p.rank = l.trained_rank();
  p.adapter = l.adapter;
  p.noise_scale = at.parameters.noise_scale;
  p.label_noise = at.parameters.label_noise;
  p.rate_ratio = at.parameters.rate_ratio;
  p.readout_ratio = l.readout_rate;
  p.decay = l.decay;
  if (l.alpha) {
    // (14.12): with s U for U the scale is a rate.
    const auto r = static_cast<double>(l.rank);
    const double s = l.scaling == lora_scaling::rank ? *l.alpha / r : *l.alpha / std::sqrt(r);
    p.rate_ratio *= s * s;
  }
  if (l.trained != trained_part::lora) {
    p.rate_ratio = 0.0;
  }
  return p;
}

std::vector<std::string> entry_names(const std::string& name, std::ptrdiff_t size) {
  std::vector<std::string> names;
  for (std::ptrdiff_t i = 1; i <= size; ++i) {
    names.push_back(fmt::format("{}_{}", name, i));
  }
  return names;
}

network_record no_record(const network_shape& s) {
  network_record r;
  const auto none = [](std::ptrdiff_t size) {
    return std::vector<double>(static_cast<std::size_t>(size), nan);
  };
  r.samples = r.risk = r.source_risk = r.mean_overlap = nan;
  r.U = none(s.width * s.rank);
  r.M = none(s.width * s.teacher_width);
  r.m = none(s.rank * s.teacher_width);
  r.S = none(s.rank * (s.rank + 1) / 2);
  r.a = none(s.width);
  return r;
}

layout_numbers numbers_of(const network_layout& layout) {
  return {static_cast<double>(layout.width), static_cast<double>(layout.teacher_width),
          static_cast<double>(layout.rank), layout.decay, layout.source_overlap};
}

network_layout with_numbers(network_layout layout, const layout_numbers& numbers) {
  layout.width = static_cast<std::ptrdiff_t>(numbers.width);
  layout.teacher_width = static_cast<std::ptrdiff_t>(numbers.teacher_width);
  layout.rank = static_cast<std::ptrdiff_t>(numbers.rank);
  layout.decay = numbers.decay;
  layout.source_overlap = numbers.source_overlap;
  return layout;
}

network_task task_of(const activation_pair& pair, const network_layout& layout) {
  return layout.source ? network_task(pair.risk.student(), pair.risk.teacher(), *layout.source)
                       : network_task(pair.risk.student(), pair.risk.teacher());
}

network_problem simulated_problem(const activation_pair& pair, const network_layout& layout,
                                  const network_start_request& start, const parameter_point& at,
                                  const std::optional<double>& u0) {
  network_problem problem{.geometry = geometry_of(layout, at),
                          .student = pair.risk.student(),
                          .teacher = pair.risk.teacher(),
                          .trained = layout.trained};
  problem.parameters = parameters_of(layout, at);
  problem.parameters.noise_scale = 0.0;
  problem.dimension = start.dimension;
  problem.batch = 1;
  problem.steps = 1;
  problem.seed = start.seed;
  problem.start.one_step_batch = start.one_step_batch.value_or(0);
  if (layout.trained == trained_part::lora && u0) {
    problem.start.U = Eigen::MatrixXd::Constant(problem.geometry.width(), layout.rank, *u0);
  }
  if (layout.trained == trained_part::scratch) {
    problem.start.scale = start.scale;
  } else if (layout.adapter == adapter_constraint::frobenius) {
    problem.start.scale = 1.0 / std::sqrt(static_cast<double>(layout.trained_rank()));
  }
  if (start.given) {
    problem.start.U = start.given->U;
    problem.start.C = start.given->C;
    problem.start.P = start.given->P;
  }
  problem.validate();
  return problem;
}

network_flow flow_of(const network_problem& problem, const network_layout& layout,
                     double noise_scale) {
  const network_problem trained = as_adapter(problem);
  network_parameters parameters = trained.parameters;
  parameters.noise_scale = noise_scale;
  network_task task = layout.source ? network_task(problem.student, problem.teacher, *layout.source)
                                    : network_task(problem.student, problem.teacher);
  return {std::move(task), trained.geometry, parameters};
}

namespace {

// The start is that of a simulation, of which no step is taken; one that is given keeps its bits.
network_state start_of(const network_problem& problem) {
  const network_problem trained = as_adapter(problem);
  if (trained.start.U && trained.start.C) {
    return {.U = *trained.start.U,
            .C = *trained.start.C,
            .P = *trained.start.P,
            .a = trained.geometry.readout};
  }
  network_plan plan;
  plan.record = {0};
  return replay_run(problem, simulation_engine::chain, plan, 0).record.front();
}

}  // namespace

network_point network_at(const activation_pair& pair, const network_layout& layout,
                         const network_start_request& start, const parameter_point& at) {
  const network_problem problem = simulated_problem(pair, layout, start, at, at.start.u);
  return {flow_of(problem, layout, at.parameters.noise_scale), start_of(problem)};
}

network_shape shape_of(const network_layout& l) {
  return {l.geometry ? l.geometry->width() : l.width, l.trained_rank(),
          l.geometry ? l.geometry->teacher.rows() : l.teacher_width, l.source.has_value(),
          l.readout_rate > 0.0};
}

std::optional<network_shape> shape_of(const std::vector<std::string>& columns) {
  network_shape shape{0, 0, 0, false, false};
  const auto indices = [](const std::string& name) {
    std::array<std::ptrdiff_t, 2> found{0, 0};
    std::size_t place = 2;
    for (std::size_t k = 0; k < 2 && place < name.size(); ++k, ++place) {
      while (place < name.size() && name[place] >= '0' && name[place] <= '9' && found[k] < 100000) {
        found[k] = 10 * found[k] + (name[place++] - '0');
      }
    }
    return found;
  };
  for (const std::string& name : columns) {
    shape.has_source |= name == "source_risk" || name == "source_risk_mean";
    shape.trains_readouts |= name == "a_1" || name == "a_1_mean";
    const auto [row, column] = indices(name);
    if (name.starts_with("U_")) {
      shape.width = std::max(shape.width, row);
      shape.rank = std::max(shape.rank, column);
    } else if (name.starts_with("M_") && row > 0) {
      shape.teacher_width = std::max(shape.teacher_width, column);
    }
  }
  if (shape.width == 0 || shape.rank == 0 || shape.teacher_width == 0) {
    return std::nullopt;
  }
  return shape;
}

network_record record_of(const network_flow& f, const network_state& x, double samples) {
  network_record r;
  r.samples = samples;
  r.risk = f.risk(x);
  r.source_risk = f.source_risk(x);
  const network_overlaps o = overlaps_of(f.geometry(), x);
  r.mean_overlap = mean_overlap(o, false);
  r.U = by_rows(x.U);
  r.M = by_rows(o.targets);
  r.m = by_rows(x.C * f.geometry().teacher.transpose());
  r.S = by_rows(x.S(), true);
  r.a = by_rows(x.a);
  return r;
}

namespace {

void add_state_columns(row_description<network_record>& columns, const network_shape& s) {
  using row = network_record;
  columns.add("risk", "population risk", measure::none, &row::risk);
  if (s.has_source) {
    columns.add("source_risk", "population risk on the source task", measure::none,
                &row::source_risk);
  }
  columns
      .add("M_mean",
           "mean over the neurons of the overlap with their own target, in absolute value",
           measure::none, &row::mean_overlap)
      .add_each(entries("U", s.width, s.rank), "neuron, adapter: its amplitude", measure::none,
                &row::U)
      .add_each(entries("M", s.width, s.teacher_width), "neuron, target: overlap of the weights",
                measure::none, &row::M)
      .add_each(entries("m", s.rank, s.teacher_width),
                "adapter, target: overlap of the adapter's direction", measure::none, &row::m)
      .add_each(entries("S", s.rank, s.rank, true), "two adapters: overlap of their directions",
                measure::none, &row::S);
  if (s.trains_readouts) {
    columns.add_each(entry_names("a", s.width), "readout", measure::none, &row::a);
  }
}

}  // namespace

row_description<network_record> record_columns(const network_shape& shape) {
  row_description<network_record> columns;
  columns.add("samples", "seen so far: t d/γ", measure::none, &network_record::samples);
  add_state_columns(columns, shape);
  return columns;
}

row_description<network_record> state_columns(const network_shape& shape) {
  row_description<network_record> columns;
  add_state_columns(columns, shape);
  return columns;
}

row_description<network_trajectory_row> network_trajectory_columns(const network_shape& shape) {
  using row = network_trajectory_row;
  row_description<row> columns;
  columns.add("t", "time", measure::time, &row::t)
      .add_part(record_columns(shape), &row::at)
      .add("stage", "counted from 1", measure::none, &row::stage);
  return columns;
}

namespace {

// What training on transformed labels is: a task of another target and noise. Of several targets
// the label is no sum of functions of one field each.
struct labels_of_stage {
  activation teacher;
  double label_noise;
  Eigen::VectorXd readout;
};

labels_of_stage labels_of(const network_stage_task& what, const activation& teacher,
                          const Eigen::VectorXd& readout, double noise_scale) {
  if (!what.label) {
    return {teacher, what.label_noise, readout};
  }
  if (readout.size() != 1) {
    throw argument_error("label", fmt::format("of a teacher of {} neurons", readout.size()),
                         "of a teacher of one: simulate takes it of any");
  }
  const activation weighed =
      readout[0] == 1.0
          ? teacher
          : parse_activation(fmt::format("({})*({})", number_text(readout[0]), teacher.name()));
  const transformed_labels labels =
      transform_labels(weighed, *what.label->as_polynomial(), what.label_noise);
  if (labels.excess && noise_scale > 0.0) {
    throw argument_error("gamma of a network's stage", number_text(noise_scale),
                         "0 where its label's noise depends on the input: simulate takes it");
  }
  return {labels.target, labels.label_noise, Eigen::VectorXd::Ones(1)};
}

}  // namespace

network_tuning_stage stage_of(const network_problem& trained, const activation_pair& pair,
                              const network_layout& layout, const network_training_stage& stage) {
  const network_stage_task& what = stage.task;
  network_layout decayed = layout;
  decayed.decay = what.decay.value_or(layout.decay);
  parameter_point at;
  at.parameters.noise_scale = stage.noise_scale;
  at.parameters.rate_ratio = what.rate_ratio;
  const activation& student = pair.risk.student();
  const activation teacher = what.teacher.value_or(pair.risk.teacher());
  if (!what.on_source) {
    const labels_of_stage labels =
        labels_of(what, teacher, trained.geometry.teacher_readout, stage.noise_scale);
    at.parameters.label_noise = labels.label_noise;
    network_geometry geometry = trained.geometry;
    geometry.teacher_readout = labels.readout;
    const network_flow flow(layout.source ? network_task(student, labels.teacher, *layout.source)
                                          : network_task(student, labels.teacher),
                            std::move(geometry), parameters_of(decayed, at));
    return {flow, flow, stage.flips, stage.duration, stage.until};
  }
  if (!layout.source) {
    throw argument_error("what a stage trains on", "the source task",
                         "the target where there is no source");
  }
  const labels_of_stage labels =
      labels_of(what, *layout.source, trained.geometry.source_readout, stage.noise_scale);
  at.parameters.label_noise = labels.label_noise;
  const network_parameters parameters = parameters_of(decayed, at);
  network_geometry swapped = trained.geometry;
  swapped.teacher = trained.geometry.source;
  swapped.teacher_readout = labels.readout;
  swapped.source = Eigen::MatrixXd::Zero(0, swapped.directions());
  swapped.source_readout.resize(0);
  // The labels' noise is the source's: the target's risk is told without.
  network_parameters noiseless = parameters;
  noiseless.label_noise = 0.0;
  return {network_flow(network_task(student, labels.teacher), std::move(swapped), parameters),
          network_flow(network_task(student, teacher, *layout.source), trained.geometry, noiseless),
          stage.flips, stage.duration, stage.until};
}

namespace {

network_protocol protocol_of(const network_trajectory_problem& problem,
                             const network_problem& trained, network_state start) {
  network_protocol protocol{std::move(start), {}, problem.learning_rate};
  const lora_parameters& p = problem.at.parameters;
  std::vector<network_training_stage> stages = problem.stages;
  if (stages.empty()) {
    stages.push_back({.task = {.label_noise = p.label_noise, .rate_ratio = p.rate_ratio},
                      .noise_scale = p.noise_scale,
                      .duration = problem.end});
  }
  for (const network_training_stage& stage : stages) {
    protocol.stages.push_back(stage_of(trained, problem.pair, problem.layout, stage));
  }
  protocol.validate();
  return protocol;
}

}  // namespace

namespace {

// W0 and the source's rows beside orthonormal targets, the first directions, in as few more as they
// span: their coordinates by Gram and Schmidt keep the digits of what is nearly a target.
void narrow(network_geometry& g) {
  const Index k = g.teacher.rows();
  const Index width = g.width();
  const Index sources = g.source.rows();
  const Index all = g.pretrained.cols();
  Eigen::MatrixXd rows(width + sources, all);
  rows.topRows(width) = g.pretrained;
  rows.bottomRows(sources) = g.source;
  Eigen::MatrixXd basis(all - k, 0);
  for (Index i = 0; i < rows.rows(); ++i) {
    Eigen::VectorXd left = rows.row(i).tail(all - k).transpose();
    const double length = left.norm();
    for (int again = 0; again < 2; ++again) {  // once leaves what rounding makes of a long part
      left -= basis * (basis.transpose() * left).eval();
    }
    constexpr double rounding = 1e-14;  // of its length, some tens of it
    if (left.norm() > rounding * length) {
      basis.conservativeResize(Eigen::NoChange, basis.cols() + 1);
      basis.col(basis.cols() - 1) = left.normalized();
    }
  }
  Eigen::MatrixXd narrowed(rows.rows(), k + basis.cols());
  narrowed.leftCols(k) = rows.leftCols(k);
  narrowed.rightCols(basis.cols()) = rows.rightCols(all - k) * basis;
  g.pretrained = narrowed.topRows(width);
  g.source = narrowed.bottomRows(sources);
  g.teacher = Eigen::MatrixXd::Identity(k, k + basis.cols());
}

// A first stage that trains all of W0 on a source task.
class pretraining_run {
 public:
  pretraining_run(const network_trajectory_problem& problem)
      : problem_(problem), stage_(problem.stages.front()), from_(*stage_.pretrains) {
    const network_layout& l = problem.layout;
    if (l.geometry || l.off_target) {
      throw argument_error("pretrain", l.geometry ? "given with rows of W0" : "with off-target",
                           "left out where they say what W0 is");
    }
    if (l.trained != trained_part::lora && l.trained != trained_part::full) {
      throw argument_error("pretrain", "given where no W0 is used", "left out");
    }
    if (!(std::abs(from_.source_overlap) <= 1.0)) {
      throw argument_error("rho", number_text(from_.source_overlap), "between -1 and 1");
    }
    if (!std::isfinite(from_.a) || !(from_.gap >= 0.0) || !std::isfinite(from_.gap)) {
      throw argument_error("q0", number_text(from_.gap + from_.a * from_.a),
                           "finite and at least a0^2");
    }
    if (l.source && l.source_overlap != from_.source_overlap) {
      throw argument_error("rho", number_text(from_.source_overlap),
                           "the source's overlap where there is a source");
    }
  }

  // Follows it up to an end, if there is one before its own.
  network_training_run run(const std::vector<double>& times, const std::optional<double>& end,
                           std::vector<network_trajectory_row>& rows) const {
    network_protocol protocol{start(), {stage()}, problem_.learning_rate};
    integration_options options = problem_.integrator;
    if (end) {
      options.end_time = std::min(options.end_time, *end);
    }
    const network_flow& trained = protocol.stages.front().flow;
    const network_flow told = target();
    const double noise = 0.5 * trained.parameters().label_noise;
    return run_protocol(protocol, times, options, [&](const network_training_point& point) {
      network_record r =
          record_of(told, point.x, samples_in(trained, problem_.start.dimension, point.t));
      r.risk = trained.risk(point.x);
      r.source_risk = r.risk - noise;
      rows.push_back({point.t, std::move(r), 1});
    });
  }

  [[nodiscard]] double samples_at(double t) const {
    return samples_in(stage().flow, problem_.start.dimension, t);
  }

  // What is left to be run, from the end of it.
  [[nodiscard]] network_trajectory_problem rest(const network_state& end) const {
    network_trajectory_problem rest = problem_;
    rest.stages.erase(rest.stages.begin());
    network_geometry g = target().geometry();
    const Index width = g.width();
    const auto widened = [&](const Eigen::MatrixXd& rows, const Eigen::MatrixXd& more) {
      Eigen::MatrixXd wide(rows.rows(), rows.cols() + more.cols());
      wide << rows, more;
      return wide;
    };
    // What is beside in directions of its own.
    g.pretrained = widened(end.C, loradyn::detail::semidefinite_factor(end.P));
    g.source = problem_.layout.source
                   ? widened(sources(), Eigen::MatrixXd::Zero(sources().rows(), width))
                   : Eigen::MatrixXd::Zero(0, end.C.cols() + width);
    g.source_readout = problem_.layout.source ? g.teacher_readout : Eigen::VectorXd();
    g.readout = end.a;
    narrow(g);
    rest.layout.geometry = std::move(g);
    rest.at.parameters.alignment = nan;
    return rest;
  }

 private:
  // T_i and, where the overlap is not ±1, ξ_i.
  [[nodiscard]] Index directions() const {
    return problem_.layout.teacher_width * (std::abs(from_.source_overlap) < 1.0 ? 2 : 1);
  }
  [[nodiscard]] Eigen::MatrixXd sources() const {
    const Index k = problem_.layout.teacher_width;
    Eigen::MatrixXd rows = Eigen::MatrixXd::Zero(k, directions());
    rows.leftCols(k).diagonal().setConstant(from_.source_overlap);
    if (directions() > k) {
      const double rho = from_.source_overlap;
      rows.rightCols(k).diagonal().setConstant(std::sqrt((1.0 - rho) * (1.0 + rho)));
    }
    return rows;
  }
  [[nodiscard]] network_state start() const {
    const network_layout& l = problem_.layout;
    network_state x;
    x.U = Eigen::MatrixXd::Identity(l.width, l.width);
    x.C.resize(l.width, directions());
    for (Index j = 0; j < l.width; ++j) {
      x.C.row(j) = from_.a * sources().row(j % l.teacher_width);
    }
    x.P = from_.gap * Eigen::MatrixXd::Identity(l.width, l.width);
    x.a = readouts(l.readout, l.width);
    return x;
  }
  [[nodiscard]] network_geometry geometry(Eigen::MatrixXd teacher) const {
    const network_layout& l = problem_.layout;
    network_geometry g;
    g.teacher = std::move(teacher);
    g.pretrained = Eigen::MatrixXd::Zero(l.width, directions());
    g.source = Eigen::MatrixXd::Zero(0, directions());
    g.readout = readouts(l.readout, l.width);
    g.teacher_readout = readouts(l.readout, l.teacher_width);
    return g;
  }
  [[nodiscard]] network_parameters parameters() const {
    network_parameters p;
    p.rank = problem_.layout.width;
    p.adapter = adapter_constraint::free;
    p.rate_ratio = 0.0;
    p.noise_scale = stage_.noise_scale;
    return p;
  }
  [[nodiscard]] network_flow target() const {
    const Index k = problem_.layout.teacher_width;
    network_parameters p = parameters();
    p.noise_scale = 0.0;
    return {network_task(problem_.pair.risk.student(), problem_.pair.risk.teacher()),
            geometry(Eigen::MatrixXd::Identity(k, directions())), p};
  }
  [[nodiscard]] network_tuning_stage stage() const {
    network_geometry g = geometry(sources());
    const labels_of_stage labels =
        labels_of(stage_.task, *stage_.task.teacher, g.teacher_readout, stage_.noise_scale);
    g.teacher_readout = labels.readout;
    network_parameters p = parameters();
    p.label_noise = labels.label_noise;
    const network_flow flow(network_task(problem_.pair.risk.student(), labels.teacher),
                            std::move(g), p);
    return {flow, flow, false, stage_.duration, stage_.until};
  }

  const network_trajectory_problem& problem_;
  const network_training_stage& stage_;
  const network_pretraining& from_;
};

network_trajectory_result pretrained_trajectory(const network_trajectory_problem& problem) {
  const double unit = problem.pair.rate_unit;
  const pretraining_run first(problem);
  std::vector<network_trajectory_row> rows;
  const network_training_run pretrained = first.run({}, problem.end, rows);
  const stage_summary summary = pretrained.stages.front();
  network_trajectory_problem rest = first.rest(pretrained.end);
  const bool goes_on =
      pretrained.complete && !rest.stages.empty() && (!problem.end || *problem.end > summary.end);
  double length = 0.0;  // of what comes after: a sum with its begin would round it
  if (problem.end && goes_on) {
    length = *problem.end - summary.end;
  } else if (goes_on) {
    rest.record = {.times = {}, .count = 0};
    length = trajectory(rest).stages.back().end / unit;
  }
  const double end = summary.end + length;
  std::vector<double> before;
  rest.record = {.times = {}, .count = 0};
  for (const double told : times_of(problem.record, end * unit)) {
    if (told / unit > end * (1.0 + 1e-12)) {
      break;
    }
    const double t = std::min(told / unit, end);
    if (t <= summary.end) {
      before.push_back(t);
    } else {
      rest.record.times.push_back(std::min(t - summary.end, length) * unit);
    }
  }
  first.run(before, problem.end, rows);

  network_trajectory_result result;
  if (goes_on) {
    rest.end = length;
    result = trajectory(rest);
  } else {
    result.geometry = *rest.layout.geometry;
    result.end = network_at(rest.pair, rest.layout, rest.start, rest.at).start;
    result.complete = pretrained.complete;
  }
  // What the adapters begin with.
  const network_point begin = network_at(rest.pair, rest.layout, rest.start, rest.at);
  const network_record waiting = record_of(begin.flow, begin.start, nan);
  for (network_trajectory_row& row : rows) {
    row.t *= unit;
    row.at.U = waiting.U;
    row.at.m = waiting.m;
    row.at.S = waiting.S;
    row.at.a = waiting.a;
    if (!problem.layout.source) {
      row.at.source_risk = nan;
    }
  }
  const double shift = summary.end * unit;
  for (network_trajectory_row& row : result.rows) {
    row.t += shift;
    row.at.samples += first.samples_at(summary.end);
    ++row.stage;
  }
  for (stage_summary& s : result.stages) {
    s.begin += shift;
    s.end += shift;
  }
  result.rows.insert(result.rows.begin(), rows.begin(), rows.end());
  result.stages.insert(result.stages.begin(), {0.0, shift, summary.status});
  return result;
}

}  // namespace

network_trajectory_result trajectory(const network_trajectory_problem& problem) {
  for (std::size_t i = 0; i < problem.stages.size(); ++i) {
    if (problem.stages[i].pretrains && (i > 0 || problem.stages[i].flips)) {
      throw argument_error("stage " + std::to_string(i + 1), "one that pre-trains",
                           "the first, or one that fine-tunes");
    }
  }
  if (!problem.stages.empty() && problem.stages.front().pretrains) {
    return pretrained_trajectory(problem);
  }
  const double unit = problem.pair.rate_unit;
  const network_problem simulated = simulated_problem(problem.pair, problem.layout, problem.start,
                                                      problem.at, problem.at.start.u);
  const network_problem trained = as_adapter(simulated);
  network_problem drawn = simulated;
  if (!problem.stages.empty()) {  // a one-step start is along the first stage's gradient
    const network_stage_task& first = problem.stages.front().task;
    drawn.stages = {{.teacher = first.on_source && problem.layout.source
                                    ? *problem.layout.source
                                    : first.teacher.value_or(simulated.teacher),
                     .on_source = first.on_source,
                     .label_noise = first.label_noise}};
  }
  const network_protocol protocol = protocol_of(problem, trained, start_of(drawn));
  // Where the stages say how long the run is, they run once for that.
  const double end =
      problem.end ? *problem.end : run_protocol(protocol, {}, problem.integrator).stages.back().end;
  std::vector<double> times = times_of(problem.record, end * unit);
  // The end may be off by a rounding; what is beyond it is not recorded.
  std::erase_if(times, [&](double t) { return t / unit > end * (1.0 + 1e-12); });
  for (double& t : times) {
    t = std::min(t / unit, end);
  }
  network_trajectory_result result;
  integration_options options = problem.integrator;
  options.end_time = std::min(options.end_time, end);
  const network_training_run run =
      run_protocol(protocol, times, options, [&](const network_training_point& point) {
        result.rows.push_back(
            {point.t, record_of(protocol.stages[point.stage].told, point.x, nan), point.stage + 1});
      });
  std::size_t row = 0;
  double seen = samples_of_start(problem.start);
  for (std::size_t i = 0; i < run.stages.size(); ++i) {
    const stage_summary& s = run.stages[i];
    const auto samples_at = [&](double t) {
      return samples_in(protocol.stages[i].flow, problem.start.dimension, t - s.begin) + seen;
    };
    for (; row < result.rows.size() && result.rows[row].stage == i + 1; ++row) {
      result.rows[row].at.samples = samples_at(result.rows[row].t);
      result.rows[row].t *= unit;
    }
    seen = samples_at(s.end);
    result.stages.push_back({s.begin * unit, s.end * unit, s.status});
  }
  result.end = run.end;
  result.complete = run.complete;
  result.geometry = simulated.geometry;
  result.geometry.readout = run.end.a;
  tell_noise(protocol.stages.front().flow, protocol.start, result);
  tell_noise(protocol.stages[run.stages.size() - 1].flow, run.end, result);
  return result;
}

row_description<network_escape_row> network_escape_columns(
    const network_shape& shape, const std::optional<std::vector<double>>& quantiles) {
  using row = network_escape_row;
  row_description<row> columns;
  columns.add_part(key_columns(model_parameters), &row::key)
      .add("tau", "the search time", measure::time, &row::tau)
      .add("t_hit", "when the run meets its event", measure::time, &row::t_hit)
      .add("samples_hit", "seen until then: t d/γ", measure::none, &row::samples)
      .add("outcome", "what became of the run", measure::none, &row::outcome)
      .add("status", "how it came to its end", measure::none, &row::status)
      .add_part(record_columns(shape), &row::end);
  if (quantiles) {
    columns.add("t_mean", "mean of the law", measure::time, &row::law, &law_values::mean)
        .add_each(quantile_columns("t_q", *quantiles), "quantile of the law", measure::time,
                  &row::law, &law_values::quantiles)
        .add("law", "whether the law holds", measure::none, &row::law, &law_values::status);
  }
  return columns;
}

namespace {

void tell_law(const network_escape_problem& problem, const network_flow& f, double unit, double u0,
              const integration_options& integrator, law_values& told) {
  try {
    const escape_law law = law_of_escape(
        f, problem.event, static_cast<double>(problem.start.dimension), u0, integrator);
    told.mean = law.mean() * unit;
    for (std::size_t i = 0; i < problem.quantiles->size(); ++i) {
      told.quantiles[i] = law.quantile((*problem.quantiles)[i]) * unit;
    }
    told.status = to_string(law.status);
  } catch (const convergence_error&) {
    told.status = "no-convergence";
  }
}

}  // namespace

network_escape_row escape_at(const network_escape_problem& problem, const activation_pair& pair,
                             const parameter_point& at) {
  const double unit = pair.rate_unit;
  network_escape_row row{{pair, at},
                         nan,
                         nan,
                         nan,
                         std::string(to_string(outcome::searching)),
                         "",
                         no_record(shape_of(problem.layout)),
                         {}};
  if (problem.quantiles) {
    row.law.mean = nan;
    row.law.quantiles.assign(problem.quantiles->size(), nan);
  }
  integration_options integrator = problem.integrator;
  integrator.end_time /= unit;
  try {
    const network_point point = network_at(pair, problem.layout, problem.start, at);
    const network_flow& f = point.flow;
    if (!has_overlaps(f.geometry())) {
      row.status = "undefined";
      return row;
    }
    const network_search_result search = network_search(f);
    if (!search.modes.empty()) {
      row.tau = unit / search.modes.front().rate;
    }
    if (problem.quantiles) {
      tell_law(problem, f, unit, at.start.u, integrator, row.law);
    }
    if (met_by(event_of(f, problem.event, point.start), f, point.start)) {
      row.status = "met-at-start";
      return row;
    }
    const network_escape_run run =
        loradyn::escape(f, point.start, problem.event, integrator, run_extent::to_rest);
    row.t_hit = run.t_hit * unit;
    const auto samples_at = [&](double t) {
      return samples_in(f, problem.start.dimension, t) + samples_of_start(problem.start);
    };
    row.samples = samples_at(run.t_hit);
    row.outcome = to_string(run.result);
    row.status = to_string(run.status);
    if (run.status == run_status::ok && std::isnan(run.t_hit)) {
      row.status = "no-event";
    }
    row.end = record_of(f, run.at_end, samples_at(run.t_end));
  } catch (const convergence_error&) {
    row.status = "no-convergence";
  }
  return row;
}

std::vector<network_escape_row> escape(const network_escape_problem& problem,
                                       const study_control& control) {
  problem.integrator.validate();
  const std::size_t per_pair = problem.grid.size();
  // What does not fit together is refused before anything is computed.
  problem.event.validate(
      network_at(problem.pairs.front(), problem.layout, problem.start, problem.grid.at(0)).flow);
  return run_sweep(control, problem.pairs.size() * per_pair, 1, [&](std::size_t i) {
    return escape_at(problem, problem.pairs[i / per_pair], problem.grid.at(i % per_pair));
  });
}

row_description<network_rates_row> network_rates_columns(const network_shape& s) {
  static constexpr std::array told{&registry::mu, &registry::nu};
  using row = network_rates_row;
  row_description<row> columns;
  columns.add_part(key_columns(told), &row::key)
      .add("mode", "counted from 1, the fastest first", measure::none, &row::mode)
      .add("lambda", "its growth rate", measure::rate, &row::lambda)
      .add("tau", "its search time 1/λ", measure::time, &row::tau)
      .add("pull", "size of the gradient at the start, which drives the search", measure::rate,
           &row::pull)
      .add_each(entry_names("u", s.width), "how it moves the neuron", measure::none, &row::u)
      .add_each(entry_names("m", s.teacher_width), "how far it moves the adapter along the target",
                measure::none, &row::m)
      .add("status", "whether there is a search", measure::none, &row::status);
  return columns;
}

std::vector<network_rates_row> rates_at(const activation_pair& pair, const parameter_point& at,
                                        const network_layout& layout) {
  const network_shape shape = shape_of(layout);
  const auto none = [](std::ptrdiff_t size) {
    return std::vector<double>(static_cast<std::size_t>(size), nan);
  };
  const network_rates_row nothing{
      {pair, at}, 1, nan, nan, nan, none(shape.width), none(shape.teacher_width), "no-convergence"};
  try {
    const network_flow f(task_of(pair, layout), geometry_of(layout, at), parameters_of(layout, at));
    const network_search_result search = network_search(f);
    std::vector<network_rates_row> rows;
    for (const network_mode& mode : search.modes) {
      rows.push_back({{pair, at},
                      static_cast<std::int64_t>(rows.size()) + 1,
                      mode.rate / pair.rate_unit,
                      pair.rate_unit / mode.rate,
                      search.pull / pair.rate_unit,
                      by_rows(mode.u),
                      by_rows(f.geometry().teacher * mode.v),
                      std::string(to_string(search.status))});
    }
    if (rows.empty()) {
      rows.push_back(nothing);
      if (search.status != search_status::overflow) {
        rows.back().lambda = 0.0;
        rows.back().pull = search.pull / pair.rate_unit;
      }
      rows.back().status = to_string(search.status);
    }
    return rows;
  } catch (const convergence_error&) {
    return {nothing};
  }
}

std::vector<network_rates_row> rates(const network_rates_problem& problem,
                                     const study_control& control) {
  const std::size_t per_pair = problem.grid.size();
  constexpr std::size_t block = 16;  // points that a thread takes at a time
  const auto by_point =
      run_sweep(control, problem.pairs.size() * per_pair, block, [&](std::size_t i) {
        return rates_at(problem.pairs[i / per_pair], problem.grid.at(i % per_pair), problem.layout);
      });
  std::vector<network_rates_row> rows;
  for (const auto& some : by_point) {
    rows.insert(rows.end(), some.begin(), some.end());
  }
  return rows;
}

}  // namespace loradyn::study
