#include "networks.hpp"

#include <fmt/format.h>
#include <pybind11/stl.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <loradyn/error.hpp>
#include <loradyn/simulation/random.hpp>
#include <loradyn/study/network_critical.hpp>
#include <loradyn/study/network_fixed_points.hpp>
#include <loradyn/study/network_simulate.hpp>
#include <loradyn/study/network_validation.hpp>
#include <memory>
#include <optional>

#include "question.hpp"
#include "runs.hpp"
#include "stages.hpp"

namespace loradyn::python {
namespace {

namespace registry = study::registry;
using study::most_neurons;

constexpr double nan = std::numeric_limits<double>::quiet_NaN();
constexpr std::uint64_t most_dimensions = std::uint64_t{1} << 48;
constexpr std::uint64_t most_batch = (std::uint64_t{1} << 32) - 1;  // samples have 32 bits

// ---- the class Network ----

struct own_network {
  network_geometry geometry;
};

// Rows of numbers.
Eigen::MatrixXd matrix_of(const call& given, const char* name) {
  const py::handle value = given[name];
  const auto array = py::array_t<double, py::array::c_style | py::array::forcecast>::ensure(value);
  if (!array || array.ndim() != 2 || array.size() == 0) {
    PyErr_Clear();
    throw py::type_error(fmt::format("{} is {}, but must be an array of rows of numbers", name,
                                     py::repr(value).cast<std::string>()));
  }
  if (array.shape(0) > static_cast<py::ssize_t>(4 * most_neurons) ||
      array.shape(1) > static_cast<py::ssize_t>(4 * most_neurons)) {
    throw argument_error(name, fmt::format("{} x {}", array.shape(0), array.shape(1)),
                         fmt::format("at most {0} x {0}", 4 * most_neurons));
  }
  using by_rows = Eigen::Matrix<double, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;
  return Eigen::Map<const by_rows>(array.data(), array.shape(0), array.shape(1));
}

Eigen::VectorXd readout_of(const call& given, const char* name, Eigen::Index count) {
  if (!given.has(name)) {
    return Eigen::VectorXd::Ones(count);
  }
  const std::vector<double> values = given.list(name);
  const auto size = static_cast<Eigen::Index>(values.size());
  if (size != count) {
    throw argument_error(name, fmt::format("of {} numbers", size), fmt::format("of {}", count));
  }
  return Eigen::Map<const Eigen::VectorXd>(values.data(), size);
}

network_geometry geometry_of(const call& given) {
  network_geometry g;
  if (given.has("gram")) {
    given.require_left_out({"teacher", "pretrained", "source"}, "gram says it");
    const auto size = [&](const char* name) {
      if (!given.has(name)) {
        throw argument_error(name, "None", "given beside gram");
      }
      return static_cast<std::ptrdiff_t>(given.count(name, 1, most_neurons));
    };
    g = geometry_of_gram(matrix_of(given, "gram"), size("teacher_width"), size("width"));
  } else {
    given.require_left_out({"width", "teacher_width"}, "the rows say it; it belongs to gram");
    for (const char* const name : {"teacher", "pretrained"}) {
      if (!given.has(name)) {
        throw argument_error(name, "None", "given, or gram");
      }
    }
    g.teacher = matrix_of(given, "teacher");
    g.pretrained = matrix_of(given, "pretrained");
    g.source = given.has("source") ? matrix_of(given, "source")
                                   : Eigen::MatrixXd::Zero(0, g.teacher.cols());
    for (const auto& [name, rows] :
         {std::pair("pretrained", &g.pretrained), {"source", &g.source}}) {
      if (rows->cols() != g.teacher.cols()) {
        throw argument_error(name, fmt::format("of rows of {} numbers", rows->cols()),
                             fmt::format("of rows of {}, as teacher", g.teacher.cols()));
      }
    }
  }
  g.readout = readout_of(given, "readout", g.pretrained.rows());
  g.teacher_readout = readout_of(given, "teacher_readout", g.teacher.rows());
  g.source_readout = readout_of(given, "source_readout", g.source.rows());
  g.validate();
  return g;
}

py::array_t<double> array_of(const Eigen::MatrixXd& m) {
  py::array_t<double> all({m.rows(), m.cols()});
  for (Eigen::Index i = 0; i < m.rows(); ++i) {
    for (Eigen::Index j = 0; j < m.cols(); ++j) {
      all.mutable_at(i, j) = m(i, j);
    }
  }
  return all;
}

py::array_t<double> array_of(const Eigen::VectorXd& v) {
  return py::array_t<double>(v.size(), v.data());
}

// ---- layout, start and event ----

double at_least_zero(const char* name, double value) {
  if (!(value >= 0.0)) {
    throw argument_error(name, fmt::format("{}", value), ">= 0");
  }
  return value;
}

// What does not differ from point to point. \param axes what a diagram's axes are over, which is no
// argument's
study::network_layout layout_of(const call& given, const std::vector<std::string>& axes = {}) {
  const auto on_axis = [&axes](const char* name) {
    return std::find(axes.begin(), axes.end(), name) != axes.end();
  };
  for (const char* const name : {"width", "teacher_width", "rank", "decay", "source_overlap"}) {
    if (on_axis(name)) {
      given.require_left_out({name}, "it is on an axis");
    }
  }
  study::network_layout l;
  if (given.has("train")) {
    l.trained = given.choice("train", trained_parts);
  }
  const bool all_weights = l.trained == trained_part::full || l.trained == trained_part::scratch;
  l.adapter = all_weights ? adapter_constraint::free : adapter_constraint::sphere;
  if (given.has("adapter")) {
    l.adapter = given.choice("adapter", adapter_constraints);
    if (all_weights && l.adapter != adapter_constraint::free) {
      throw argument_error("adapter", "'" + given.text("adapter") + "'",
                           "free or None where all weights train");
    }
  }
  if (l.trained != trained_part::lora) {
    given.require_left_out({"rank"}, "but for train='lora' it is the width");
  }
  if (given.knows("scaling") && given.has("scaling")) {
    if (!given.has("alpha")) {
      throw argument_error("alpha", "None", "given: scaling says how it falls with the rank");
    }
    l.scaling = given.choice("scaling", study::lora_scalings);
  }
  const auto size = [&](const char* name, std::uint64_t least) {
    return given.has(name) ? static_cast<std::ptrdiff_t>(given.count(name, least, most_neurons))
                           : std::ptrdiff_t{1};
  };
  l.rank = size("rank", 1);
  const auto read_off_target = [&] {
    if (given.has("off_target")) {
      l.off_target = size("off_target", 0);
      if (*l.off_target > l.width && !on_axis("width")) {
        throw argument_error("off_target", fmt::format("{}", *l.off_target),
                             fmt::format("at most the width, {}", l.width));
      }
    }
  };
  if (given.has("source")) {
    l.source = activation_from("source", given["source"])->function;
  }
  if (given.has("network")) {
    given.require_left_out({"width", "teacher_width", "readout", "source_overlap", "nu"},
                           "network says it");
    if (!py::isinstance<own_network>(given["network"])) {
      throw py::type_error(fmt::format("network is {}, but must be a Network",
                                       py::repr(given["network"]).cast<std::string>()));
    }
    l.geometry = given["network"].cast<const own_network&>().geometry;
    l.width = l.geometry->width();
    l.teacher_width = l.geometry->teacher.rows();
    read_off_target();
    if (l.source.has_value() != (l.geometry->source.rows() > 0)) {
      throw argument_error("source", l.source ? "given" : "None",
                           l.source ? "left out: network has no rows of a source"
                                    : "given: network has rows of a source");
    }
    return l;
  }
  l.width = size("width", 1);
  l.teacher_width = size("teacher_width", 1);
  if (given.has("readout")) {
    l.readout = given.choice("readout", readout_rules);
  }
  read_off_target();
  if ((given.has("source_overlap") || on_axis("source_overlap")) != l.source.has_value()) {
    throw argument_error(l.source ? "source_overlap" : "source", "None",
                         "given: a source task has an activation and an overlap");
  }
  return l;
}

// Throws argument_error for what belongs to another start than the trained part has.
void require_start_of(const study::network_layout& l, const call& given) {
  if (l.trained != trained_part::scratch) {
    given.require_left_out({"scratch_norm"}, "it belongs to train='scratch'");
  }
  if (l.trained != trained_part::lora) {
    given.require_left_out({"start_batch"}, "it is that of an adapter, train='lora'");
  }
}

// The start that `number` says, where it does.
template <class Number>
study::network_start_request start_from(const study::network_layout& l, const Number& number) {
  study::network_start_request s;
  if (const std::optional<double> d = number("dim")) {
    s.dimension = whole_of("dim", *d, 3, most_dimensions);
  }
  if (const std::optional<double> seed = number("seed")) {
    s.seed = whole_of("seed", *seed, 0, max_seed);
  }
  if (const std::optional<double> samples = number("start_batch")) {
    // No fewer than there are neurons: the gradient has as many directions.
    s.one_step_batch =
        whole_of("start_batch", *samples, static_cast<std::uint64_t>(l.width), most_batch);
  }
  if (const std::optional<double> norm = number("scratch_norm")) {
    s.scale = positive_of("scratch_norm", *norm);
  }
  return s;
}

// The layout with the numbers that `number` says, where it does.
template <class Number>
study::network_layout with_numbers(study::network_layout l, const Number& number) {
  l.decay = at_least_zero("decay", number("decay").value_or(0.0));
  l.readout_rate = at_least_zero("readout_rate", number("readout_rate").value_or(0.0));
  if (const std::optional<double> alpha = number("alpha")) {
    l.alpha = positive_of("alpha", *alpha);
  }
  l.source_overlap = number("source_overlap");
  if (l.source_overlap && !(std::abs(*l.source_overlap) <= 1.0)) {
    throw argument_error("source_overlap", fmt::format("{}", *l.source_overlap),
                         "between -1 and 1");
  }
  return l;
}

// The points of a question that is asked of a network, each with its layout and its start.
class network_points : public points {
 public:
  network_points(const call& given, std::span<const study::parameter* const> parameters,
                 std::vector<std::string> others = {})
      : points(given, parameters, with_own(given, std::move(others))),
        common_(layout_of(given)),
        has_alignment_(given.has("mu")) {
    require_start_of(common_, given);
    // All is checked before anything is computed; readouts that train somewhere are told of all.
    study::network_layout told = common_;
    for (std::size_t i = 0; i < size(); ++i) {
      told.readout_rate = std::max(told.readout_rate, layout(i).readout_rate);
      static_cast<void>(start(i));
    }
    shape_ = study::shape_of(told);
  }

  [[nodiscard]] study::parameter_point at(std::size_t i) const {
    study::parameter_point p = points::at(i);
    if (common_.geometry && !has_alignment_) {
      p.parameters.alignment = nan;  // the rows stand as they are; the table tells that
    }
    return p;
  }

  [[nodiscard]] study::network_layout layout(std::size_t i) const {
    return with_numbers(common_, [&](const char* name) { return optional(name, i); });
  }

  [[nodiscard]] study::network_start_request start(std::size_t i) const {
    return start_from(common_, [&](const char* name) { return optional(name, i); });
  }

  [[nodiscard]] const study::network_shape& tables() const { return shape_; }
  [[nodiscard]] const study::network_layout& common() const { return common_; }

 private:
  static std::vector<std::string> with_own(const call& given, std::vector<std::string> others) {
    std::vector<std::string> own{"decay", "readout_rate", "source_overlap", "start_batch",
                                 "scratch_norm"};
    if (given.knows("scaling")) {
      own.emplace_back("alpha");
    }
    for (const std::string& name : own) {
      if (given.knows(name)) {
        others.push_back(name);
      }
    }
    return others;
  }

  study::network_layout common_;
  bool has_alignment_;
  study::network_shape shape_;
};

void require_network_start(const call& given) {
  given.require_left_out({"m0", "s0"},
                         "a network's V starts at random, or along the gradient of start_batch");
}

void require_search(const call& given, const study::network_layout& l) {
  if (l.trained != trained_part::lora) {
    throw argument_error("train", "'" + given.text("train") + "'",
                         "lora, for nothing else has a search");
  }
}

network_overlap_event network_event_of(const call& given) {
  const std::string name = given.has("event") ? given.text("event") : "m";
  auto event = network_event_named(name);
  if (!event) {
    throw argument_error("event", "'" + name + "'", network_event_names());
  }
  event->is_signed = given.flag("signed");
  if (given.has("at")) {
    event->at = given.number("at");
  } else if (event->quantity != network_overlap_quantity::m) {
    throw argument_error("at", "None", "given: the value that " + name + " reaches");
  }
  return *event;
}

// ---- matrices ----

// The names of a matrix's entries, its rows in a list each; of a symmetric one the lower triangle
// has names.
py::list entries_of(const char* name, std::ptrdiff_t rows, std::ptrdiff_t columns,
                    const std::string& suffix, bool symmetric = false) {
  py::list all;
  for (std::ptrdiff_t i = 1; i <= rows; ++i) {
    py::list row;
    for (std::ptrdiff_t j = 1; j <= columns; ++j) {
      const bool mirrored = symmetric && j > i;
      row.append(fmt::format("{}_{}_{}{}", name, mirrored ? j : i, mirrored ? i : j, suffix));
    }
    all.append(row);
  }
  return all;
}

py::list entries_of(const char* name, std::ptrdiff_t size, const std::string& suffix) {
  py::list all;
  for (std::ptrdiff_t i = 1; i <= size; ++i) {
    all.append(fmt::format("{}_{}{}", name, i, suffix));
  }
  return all;
}

// The fields of a state that are matrices, each with the columns that its entries are.
void add_matrices(py::dict& fields, const study::network_shape& s, const std::string& suffix = "") {
  const auto add = [&](const char* name, py::list entries) {
    fields[py::str(name + suffix)] = std::move(entries);
  };
  add("U", entries_of("U", s.width, s.rank, suffix));
  add("M", entries_of("M", s.width, s.teacher_width, suffix));
  add("m", entries_of("m", s.rank, s.teacher_width, suffix));
  add("S", entries_of("S", s.rank, s.rank, suffix, true));
  if (s.trains_readouts) {
    add("a", entries_of("a", s.width, suffix));
  }
}

py::dict matrices_of(const study::network_shape& s) {
  py::dict fields;
  add_matrices(fields, s);
  return fields;
}

constexpr std::array<const char*, 5> summaries{"_mean", "_sd", "_q05", "_q50", "_q95"};

py::dict summary_matrices_of(const study::network_shape& s) {
  py::dict fields;
  for (const char* const suffix : summaries) {
    add_matrices(fields, s, suffix);
  }
  return fields;
}

// An answer with fields that are matrices, drawn as such.
py::dict with_matrices(py::dict answered, py::dict fields, const char* drawn) {
  answered["matrices"] = std::move(fields);
  answered["drawing"] = drawn;
  return answered;
}

// One of the matrices of every simulated run: an axis of runs, that of times unless they are
// states at the event, rows and columns; NaN where a run has no state.
template <class ValueOf>
py::array_t<double> of_runs(const points& where,
                            const std::vector<study::network_simulate_result>& found,
                            std::uint64_t runs, std::size_t times, const shape& sizes,
                            const ValueOf& value_of) {
  shape extent = where.extent();
  extent.push_back(static_cast<py::ssize_t>(runs));
  if (times > 0) {
    extent.push_back(static_cast<py::ssize_t>(times));
  }
  extent.insert(extent.end(), sizes.begin(), sizes.end());
  py::array_t<double> all(extent);
  double* out = all.mutable_data();
  std::fill_n(out, all.size(), nan);
  const std::size_t each = size_of(sizes);
  const auto put = [&](std::size_t i, const network_state& x, double* to) {
    const Eigen::MatrixXd value = value_of(i, x);
    for (Eigen::Index k = 0; k < value.size(); ++k) {
      to[k] = value(k / value.cols(), k % value.cols());
    }
  };
  for (std::size_t i = 0; i < found.size(); ++i) {
    for (const network_run& run : found[i].done.runs) {
      if (times == 0) {
        const network_hit& hit = run.hits.front();
        put(i, hit.happened ? hit.state : run.last, out);
      }
      for (std::size_t k = 0; k < run.record.size(); ++k) {
        put(i, run.record[k], out + k * each);
      }
      out += std::max<std::size_t>(times, 1) * each;
    }
  }
  return all;
}

}  // namespace

// ---- what is told ----

std::vector<argument> network_arguments(bool with_scale) {
  std::vector<argument> all{
      {"width", kinds::whole, "neurons of the student; None: 1", py::none()},
      {"rank", kinds::whole, "adapters; None: 1", py::none()},
      {"teacher_width", kinds::whole, "neurons of the teacher; None: 1", py::none()},
      {"off_target", kinds::whole,
       "so many neurons start at mu and nu, the others at their target (of network: stay as they "
       "are); None: all",
       py::none()},
      {"readout", kinds::text,
       "each neuron counts 1 ('sum'), 1/width ('mean') or 1/√width ('sqrt'); None: 'sum'",
       py::none()},
      {"adapter", kinds::text,
       "'sphere': V's rows have norm 1; 'free': nothing holds them; 'frobenius': V keeps its "
       "norm; None: 'sphere', or 'free' where all weights train",
       py::none()},
      {"train", kinds::text,
       "'lora': U and V; 'v': V alone; 'full': all weights from w0; 'scratch': all from small "
       "random ones; None: 'lora'",
       py::none()},
      {"decay", kinds::numbers, "weight decay; None: 0", py::none()},
      {"readout_rate", kinds::numbers,
       "learning rate of the readouts over V's; None: 0, which freezes them", py::none()}};
  if (with_scale) {
    all.push_back({"alpha", kinds::numbers,
                   "LoRA's alpha: W = W0 + s U V, s = alpha/rank; None: s = 1", py::none()});
    all.push_back({"scaling", kinds::text,
                   "'rank': s is alpha/rank; 'root': alpha/√rank; None: 'rank'", py::none()});
  }
  all.push_back({"source", kinds::activation,
                 "the source task's activation: what is forgotten is a field", py::none()});
  all.push_back({"source_overlap", kinds::numbers,
                 "of each of the source's targets with the target's, -1 to 1", py::none()});
  all.push_back({"network", kinds::network,
                 "rows and readouts of your own, in the place of nu and the widths; mu then sets "
                 "their alignments",
                 py::none()});
  for (argument& a : all) {
    a.of_network = true;
  }
  return all;
}

std::vector<argument> network_start_arguments(bool with_dimension) {
  std::vector<argument> all{
      {"start_batch", kinds::numbers,
       "a network's V starts along the gradient of so many samples; None: at random", py::none()},
      {"scratch_norm", kinds::numbers,
       "norm of the weights that train='scratch' starts from; None: 0.1", py::none()}};
  if (with_dimension) {
    all.push_back(
        {"dim", kinds::numbers, "dimension of a network's random start; None: 1000", py::none()});
  }
  for (argument& a : all) {
    a.of_network = true;
  }
  return all;
}

argument network_seed_argument() {
  return {"seed", kinds::numbers, "of a network's random start; None: 0", py::none()};
}

std::vector<argument> beside_network(std::vector<argument> parameters, const char* others) {
  for (argument& a : parameters) {
    if (a.name == registry::mu.column()) {
      a.unless = others;
    }
  }
  return parameters;
}

told_fields network_rates_fields() {
  return {{"mode", "counted from 1, the fastest first; the last axis of every field"},
          {"pull", "size of the gradient at the start, which drives the search"},
          {"u", "how a mode moves the neurons, (…, modes, neurons)"},
          {"m", "and how far along the targets, (…, modes, targets)"}};
}

told_fields network_critical_fields() {
  return {{"modes", "that lose their drive together, by symmetry"},
          {"lambda", "the rate of the fastest mode there"},
          {"u", "how the mode moves the neurons, (…, neurons)"},
          {"m", "towards which targets, (…, targets)"}};
}

told_fields network_rest_fields() {
  told_fields all{{"starts", "of Newton's method, how many led there"},
                  {"unstable", "eigenvalues with a positive real part"},
                  {"flat", "those that are zero"}};
  const told_fields states = network_fields();
  all.insert(all.end(), states.begin() + 1, states.end());
  return all;
}

told_fields network_fields() {
  return {{"samples", "seen so far: t d/γ"},
          {"risk", "population risk"},
          {"source_risk", "that on the source task"},
          {"M_mean", "mean over the neurons of the overlap with their own target"},
          {"U", "the adapters' amplitudes, (…, neurons, adapters)"},
          {"M", "overlaps of the weights with the targets, (…, neurons, targets)"},
          {"m", "overlaps of the adapters' directions with the targets, (…, adapters, targets)"},
          {"S", "of these directions with one another, (…, adapters, adapters)"},
          {"a", "the readouts where they train, (…, neurons)"}};
}

told_fields network_summary_fields() {
  told_fields all;
  for (const auto& [name, meaning] : network_fields()) {
    if (name.size() == 1) {
      all.push_back({name, meaning + ", with an event"});
      for (const char* const part : summaries) {
        all.push_back({name + part, meaning + ": its mean, deviation or quantile"});
      }
      all.push_back({"runs_" + name, meaning + ", of every run"});
    }
  }
  return all;
}

// ---- the questions ----

py::dict network_rates(const call& given) {
  const network_points where(given, study::model_parameters);
  require_search(given, where.common());
  constexpr std::size_t block = 16;
  const auto found = of_points(given, where.size(), block, [&](std::size_t i) {
    return study::rates({.pairs = {where.pair(i).pair()},
                         .grid = {.axes = {}, .otherwise = where.at(i)},
                         .layout = where.layout(i)},
                        {.threads = 1});
  });
  py::dict fields;
  fields["u"] = entries_of("u", where.tables().width, "");
  fields["m"] = entries_of("m", where.tables().teacher_width, "");
  return with_matrices(answer_stack(where, study::network_rates_columns(where.tables()), found),
                       fields, "curves");
}

py::dict network_critical(const call& given, double lo, double hi) {
  static constexpr std::array used{&registry::nu, &registry::lr_ratio};
  const network_points where(given, used);
  require_search(given, where.common());
  const auto found = of_points(given, where.size(), 1, [&](std::size_t i) {
    auto roots =
        study::critical({{{where.pair(i).pair()}, where.at(i), {lo, hi}}, where.layout(i)}, {});
    if (roots.finished == 0) {
      throw interrupted();
    }
    return roots;
  });
  py::list unresolved;
  for (std::size_t i = 0; i < found.size(); ++i) {
    for (const auto& piece : found[i].unresolved) {
      unresolved.append(py::make_tuple(i, piece.lo, piece.hi));
    }
  }
  py::dict more;
  more["unresolved"] = unresolved;
  py::dict fields;
  fields["u"] = entries_of("u", where.tables().width, "");
  fields["m"] = entries_of("m", where.tables().teacher_width, "");
  return with_matrices(answer_list(where, study::network_critical_columns(where.tables()), found,
                                   more, &study::network_critical_result::rows),
                       fields, "places");
}

py::dict network_fixed_points(const call& given) {
  const network_points where(given, study::model_parameters, {"seed"});
  const std::uint64_t starts =
      given.has("starts") ? given.count("starts", 1, study::max_starts) : study::standard_starts;
  const auto found = of_points(given, where.size(), 1, [&](std::size_t i) {
    const study::network_start_request start = where.start(i);
    auto rests = study::fixed_points({.pairs = {where.pair(i).pair()},
                                      .grid = {.axes = {}, .otherwise = where.at(i)},
                                      .layout = where.layout(i),
                                      .scale = start.scale,
                                      .starts = starts,
                                      .seed = start.seed},
                                     {.threads = 1});
    if (rests.finished == 0) {
      throw interrupted();
    }
    return rests;
  });
  return with_matrices(answer_list(where, study::network_fixed_point_columns(where.tables()), found,
                                   {}, &study::network_fixed_points_result::rows),
                       matrices_of(where.tables()), "places");
}

study::phase_network phase_network_of(const call& given, const std::vector<std::string>& axes,
                                      study::parameter_point& point) {
  require_network_start(given);
  const auto number = [&](const char* name) { return given.optional_number(name); };
  const study::network_layout common = layout_of(given, axes);
  require_start_of(common, given);
  study::phase_network n{with_numbers(common, number),
                         start_from(common,
                                    [&](const char* name) {
                                      // The dimension is the point's.
                                      return std::string(name) == "dim" ? std::nullopt
                                                                        : number(name);
                                    }),
                         network_event_of(given), std::nullopt};
  if (given.has("forgotten")) {
    n.forgotten = given.positive("forgotten");
  }
  point.layout = study::numbers_of(n.layout);
  return n;
}

py::dict network_trajectory(const call& given) {
  require_network_start(given);
  const bool maps = asks_map(given);
  require_stages_alone(given, {"gamma", "noise", "lr_ratio"});
  const network_points where(given, run_parameters(), {"t_end", "lr", "dim", "seed"});
  const study::stage_list stages = stages_from(given);
  const study::record_times record = record_times_of(given);
  const integration_options integrator = integrator_of(given);
  std::vector<study::network_trajectory_problem> problems;
  for (std::size_t i = 0; i < where.size(); ++i) {
    const double unit = where.pair(i).pair().rate_unit;
    study::network_trajectory_problem problem{.pair = where.pair(i).pair(),
                                              .layout = where.layout(i),
                                              .start = where.start(i),
                                              .at = where.at(i),
                                              .end = std::nullopt,
                                              .record = record,
                                              .integrator = integrator,
                                              .learning_rate = std::nullopt};
    if (given.has("t_end")) {
      problem.end = positive_of("t_end", where.other("t_end", i)) / unit;
    }
    if (!stages.empty()) {
      problem.stages = study::network_stages_of(stages, 1.0 / unit);
    }
    if (!problem.stages.empty() && problem.stages.front().pretrains) {
      given.require_left_out({"mu", "nu"}, "the first stage pre-trains");
    } else if (!given.has("mu") && !given.has("network")) {
      throw argument_error("mu", "None", "given: no stage pre-trains");
    }
    problem.integrator.end_time /= unit;
    if (maps) {
      problem.learning_rate = positive_of("lr", where.other("lr", i));
    }
    problems.push_back(std::move(problem));
  }
  const auto found = of_points(given, problems.size(), 1, [&](std::size_t i) {
    auto run = study::trajectory(problems[i]);
    check_stop();
    return run;
  });
  const shape& extent = where.extent();
  py::dict more;
  more["complete"] =
      at_points<bool>(extent, found.size(), [&](std::size_t i) { return found[i].complete; });
  more["status"] = texts_at_points(extent, found.size(), [&](std::size_t i) {
    return to_string(found[i].stages.back().status);
  });
  more["noise_error"] =
      at_points<double>(extent, found.size(), [&](std::size_t i) { return found[i].noise_error; });
  more["noise_method"] =
      texts_at_points(extent, found.size(), [&](std::size_t i) { return found[i].noise_method; });
  std::vector<std::vector<stage_summary>> summaries;
  for (const study::network_trajectory_result& run : found) {
    summaries.push_back(run.stages);
  }
  tell_stages(more, extent, std::max<std::size_t>(problems.front().stages.size(), 1), summaries);
  return with_matrices(answer_stack(where, study::network_trajectory_columns(where.tables()), found,
                                    more, &study::network_trajectory_result::rows),
                       matrices_of(where.tables()), "matrices");
}

py::dict network_escape(const call& given) {
  require_network_start(given);
  const network_points where(given, run_parameters(), {"dim", "seed"});
  const network_overlap_event event = network_event_of(given);
  const integration_options integrator = integrator_of(given);
  std::optional<std::vector<double>> quantiles;
  if (given.has("dim")) {
    quantiles = quantiles_of(given);
  }
  const auto columns = study::network_escape_columns(where.tables(), quantiles);
  py::dict answered = answer_points(given, where, columns, 1, [&](std::size_t i) {
    auto rows = study::escape({.pairs = {where.pair(i).pair()},
                               .grid = {.axes = {}, .otherwise = where.at(i)},
                               .layout = where.layout(i),
                               .start = where.start(i),
                               .event = event,
                               .integrator = integrator,
                               .quantiles = quantiles},
                              {.threads = 1});
    check_stop();
    return std::move(rows.front());
  });
  return with_matrices(std::move(answered), matrices_of(where.tables()), "curves");
}

py::dict network_simulate(const call& given) {
  require_network_start(given);
  static constexpr std::array used{&registry::mu, &registry::nu, &registry::noise,
                                   &registry::lr_ratio, &registry::u0};
  const network_points where(given, used, simulated_numbers());
  const study::stage_list stages = stages_from(given);
  const study::network_shape& s = where.tables();
  const std::uint64_t runs = simulated_runs(given);
  const bool by_event = asks_event(given);
  std::size_t times = 0;
  std::vector<study::network_simulate_problem> problems;
  for (std::size_t i = 0; i < where.size(); ++i) {
    std::vector<study::network_simulated_stage> staged;
    std::optional<std::uint64_t> all_steps;
    if (!stages.empty()) {
      staged = study::network_simulation_stages_of(stages, 1.0 / where.pair(i).pair().rate_unit);
      all_steps = 0;
      for (const study::network_simulated_stage& stage : staged) {
        *all_steps += stage.steps;
      }
    }
    simulated_run run = simulated_at(given, where, i, all_steps);
    study::network_simulate_problem problem{.pair = where.pair(i).pair(),
                                            .layout = where.layout(i),
                                            .start = where.start(i),
                                            .at = where.at(i)};
    if (given.has("u0")) {
      problem.u0 = problem.at.start.u;
    }
    problem.batch = run.batch;
    if (staged.empty()) {
      problem.learning_rate = run.learning_rate;
      problem.steps = run.steps;
    }
    problem.stages = std::move(staged);
    problem.engine = given.choice("engine", simulation_engines);
    problem.runs = runs;
    problem.record = std::move(run.record);
    if (by_event) {
      problem.event = network_event_of(given);
    }
    times = std::max(times, problem.record.size());
    problems.push_back(std::move(problem));
  }
  const auto found =
      in_turn(given, problems.size(), [&](std::size_t i, const study::study_control& control) {
        return complete_ensemble(
            control, runs, [&](const auto& own) { return study::simulate(problems[i], own); });
      });
  std::vector<network_geometry> geometries;
  for (const study::network_simulate_problem& p : problems) {
    geometries.push_back(
        as_adapter(study::simulated_problem(p.pair, p.layout, p.start, p.at, p.u0)).geometry);
  }
  py::dict more;
  const auto add = [&](const char* name, const shape& sizes, const auto& value_of) {
    more[name] = of_runs(where, found, runs, times, sizes, value_of);
  };
  const auto size = [](std::ptrdiff_t n) { return static_cast<py::ssize_t>(n); };
  add("runs_U", {size(s.width), size(s.rank)},
      [](std::size_t, const network_state& x) { return x.U; });
  add("runs_M", {size(s.width), size(s.teacher_width)},
      [&](std::size_t i, const network_state& x) { return overlaps_of(geometries[i], x).targets; });
  add("runs_m", {size(s.rank), size(s.teacher_width)},
      [&](std::size_t i, const network_state& x) -> Eigen::MatrixXd {
        return x.C * geometries[i].teacher.transpose();
      });
  add("runs_S", {size(s.rank), size(s.rank)},
      [](std::size_t, const network_state& x) { return x.S(); });
  if (s.trains_readouts) {
    add("runs_a", {size(s.width)},
        [](std::size_t, const network_state& x) -> Eigen::MatrixXd { return x.a; });
  }
  more["diverged_runs"] = at_points<std::int64_t>(where.extent(), found.size(), [&](std::size_t i) {
    return std::count_if(
        found[i].done.runs.begin(), found[i].done.runs.end(),
        [](const network_run& one) { return one.outcome == run_outcome::diverged; });
  });
  if (by_event) {
    return with_matrices(answer_stack(where, study::network_run_columns(s), found, more,
                                      &study::network_simulate_result::runs),
                         matrices_of(s), "band");
  }
  return with_matrices(answer_stack(where, study::network_summary_columns(s), found, more,
                                    &study::network_simulate_result::recorded),
                       summary_matrices_of(s), "matrices");
}

py::dict network_validate(const call& given) {
  given.require_left_out({"s0"}, "it is one neuron's");
  const network_points where(given, run_parameters());
  const network_overlap_event event = network_event_of(given);
  std::vector<study::network_validation_problem> problems;
  for (std::size_t i = 0; i < where.size(); ++i) {
    const study::activation_pair& pair = where.pair(i).pair();
    study::network_validation_problem problem{.asked = validation_of(given, pair, where.at(i)),
                                              .layout = where.layout(i),
                                              .scale = where.start(i).scale,
                                              .event = event};
    problem.asked.t_end =
        validation_end(given, pair.rate_unit, [&] { return study::event_time(problem); });
    require_experiments(problem.asked);
    problems.push_back(std::move(problem));
  }
  return answer_validation(given, where, problems);
}

// ---- the class ----

const std::vector<argument>& network_class_arguments() {
  static const auto* all = new std::vector<argument>{
      {"teacher", kinds::matrix, "the teacher's rows T in any orthonormal basis; None: gram says",
       py::none()},
      {"pretrained", kinds::matrix, "the frozen rows W0 in that basis", py::none()},
      {"source", kinds::matrix, "the rows of a source task's teacher", py::none()},
      {"gram", kinds::matrix,
       "in the place of these the Gram matrix of the teacher's, the pre-trained and the source's "
       "rows, in this order",
       py::none()},
      {"width", kinds::whole, "beside gram: how many rows are pre-trained", py::none()},
      {"teacher_width", kinds::whole, "beside gram: how many are the teacher's", py::none()},
      {"readout", kinds::numbers, "of the neurons; None: ones", py::none()},
      {"teacher_readout", kinds::numbers, "of the teacher's; None: ones", py::none()},
      {"source_readout", kinds::numbers, "of the source's; None: ones", py::none()}};
  return *all;
}

void define_network(py::module_& module) {
  py::class_<own_network>(module, "Network", "")
      .def(py::init([](const py::args& args, const py::kwargs& kwargs) {
        const call given("Network", network_class_arguments(), 2, args, kwargs);
        return own_network{geometry_of(given)};
      }))
      .def_property_readonly(
          "teacher", [](const own_network& n) { return array_of(n.geometry.teacher); },
          "The teacher's rows.")
      .def_property_readonly(
          "pretrained", [](const own_network& n) { return array_of(n.geometry.pretrained); },
          "The frozen rows.")
      .def_property_readonly(
          "source", [](const own_network& n) { return array_of(n.geometry.source); },
          "The rows of the source's teacher; none where there is no source.")
      .def_property_readonly(
          "readout", [](const own_network& n) { return array_of(n.geometry.readout); },
          "The neurons' readouts.")
      .def_property_readonly(
          "teacher_readout",
          [](const own_network& n) { return array_of(n.geometry.teacher_readout); },
          "The teacher's readouts.")
      .def_property_readonly(
          "source_readout",
          [](const own_network& n) { return array_of(n.geometry.source_readout); },
          "The source's readouts.")
      .def("__repr__", [](const own_network& n) {
        return fmt::format("<Network of {} neurons, {} targets and {} directions>",
                           n.geometry.width(), n.geometry.teacher.rows(), n.geometry.directions());
      });
}

}  // namespace loradyn::python
