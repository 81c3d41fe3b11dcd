#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <loradyn/error.hpp>
#include <loradyn/interruption.hpp>
#include <loradyn/number_text.hpp>
#include <loradyn/simulation/network_run.hpp>
#include <loradyn/study/network.hpp>
#include <utility>
#include "study/network_parts.hpp"

namespace loradyn::study {
namespace {

using Eigen::Index;

constexpr double nan = std::numeric_limits<double>::quiet_NaN();

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

// Samples seen until a time.
double samples_at(const network_flow& f, const network_start_request& start, double t) {
  const double gamma = f.parameters().noise_scale;
  const double spent = start.one_step_batch ? static_cast<double>(*start.one_step_batch) : 0.0;
  return gamma > 0.0 ? t * static_cast<double>(start.dimension) / gamma + spent : nan;
}

// Samples and states at the times of a record, in raw time.
class recorder {
 public:
  recorder(const network_trajectory_problem& problem, const network_flow& f,
           std::vector<double> times, network_trajectory_result& result)
      : problem_(problem), flow_(f), times_(std::move(times)), result_(result) {}

  // What is due up to a time, by the state at any time before it.
  template <class State>
  void until(double end, const State& at) {
    while (next_ < times_.size() && times_[next_] <= end) {
      const double t = times_[next_++];
      result_.rows.push_back({t * problem_.pair.rate_unit,
                              record_of(flow_, at(t), samples_at(flow_, problem_.start, t))});
    }
  }

 private:
  const network_trajectory_problem& problem_;
  const network_flow& flow_;
  std::vector<double> times_;
  network_trajectory_result& result_;
  std::size_t next_ = 0;
};

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
    return *l.geometry;
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
  problem.start.one_step_batch = start.one_step_batch.value_or(0);
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

network_point network_at(const activation_pair& pair, const network_layout& layout,
                         const network_start_request& start, const parameter_point& at) {
  const network_problem problem = simulated_problem(pair, layout, start, at, at.start.u);
  network_flow flow = flow_of(problem, layout, at.parameters.noise_scale);
  // The start is that of a simulation, of which no step is taken.
  network_plan plan;
  plan.record = {0};
  network_state x = replay_run(problem, simulation_engine::chain, plan, 0).record.front();
  return {std::move(flow), std::move(x)};
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
  columns.add("t", "time", measure::time, &row::t).add_part(record_columns(shape), &row::at);
  return columns;
}

network_trajectory_result trajectory(const network_trajectory_problem& problem) {
  const network_point point = network_at(problem.pair, problem.layout, problem.start, problem.at);
  const network_flow& f = point.flow;
  network_trajectory_result result;
  std::vector<double> times = times_of(problem.record, problem.end * problem.pair.rate_unit);
  for (double& t : times) {
    t /= problem.pair.rate_unit;
  }
  // The end may be off by a rounding; what is beyond it is not recorded.
  std::erase_if(times, [&](double t) { return t > problem.end * (1.0 + 1e-12); });
  for (double& t : times) {
    t = std::min(t, problem.end);
  }
  recorder record(problem, f, std::move(times), result);
  record.until(0.0, [&](double) { return point.start; });
  network_state last = point.start;
  if (problem.learning_rate) {
    const double eta = *problem.learning_rate;
    double t = 0.0;
    for (std::uint64_t step = 1; t < problem.end; ++step) {
      check_stop();
      const network_state next = f.map(last, eta);
      const double after = static_cast<double>(step) * eta;
      // Between two steps the state is that of the earlier.
      record.until(std::min(std::nextafter(after, 0.0), problem.end), [&](double) { return last; });
      last = next;
      t = after;
    }
    record.until(problem.end, [&](double) { return last; });
    result.end = problem.end;
  } else {
    integration_options options = options_for(problem.integrator);
    options.end_time = problem.end;
    const auto r = integrate<any_dimension>(
        system_of(f), f.pack(point.start), 0.0, options, {},
        [&](const dense_step<any_dimension>& step) {
          record.until(step.end, [&](double t) { return f.unpack(step.at(t)); });
          return true;
        });
    last = f.unpack(r.x);
    result.status = r.status;
    result.end = r.t;
  }
  result.end *= problem.pair.rate_unit;
  tell_noise(f, point.start, result);
  tell_noise(f, last, result);
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
    row.samples = samples_at(f, problem.start, run.t_hit);
    row.outcome = to_string(run.result);
    row.status = to_string(run.status);
    if (run.status == run_status::ok && std::isnan(run.t_hit)) {
      row.status = "no-event";
    }
    row.end = record_of(f, run.at_end, samples_at(f, problem.start, run.t_end));
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
