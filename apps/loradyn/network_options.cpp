#include "network_options.hpp"

#include <fmt/format.h>
#include <toml++/toml.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <loradyn/error.hpp>
#include <loradyn/nearest_names.hpp>
#include <loradyn/report/file.hpp>
#include <loradyn/sweep/range.hpp>
#include <optional>
#include <utility>
#include <vector>

namespace loradyn::cli {
namespace {

namespace registry = study::registry;

// A width or a rank: larger ones have more overlaps than a table has columns.
constexpr std::uint64_t most_neurons = 256;

std::ptrdiff_t read_size(const std::string& option, const std::string& text,
                         std::ptrdiff_t standard, std::uint64_t least = 1) {
  return text.empty() ? standard
                      : static_cast<std::ptrdiff_t>(read_count(option, text, least, most_neurons));
}

double read_at_least_zero(const std::string& option, const std::string& text) {
  if (text.empty()) {
    return 0.0;
  }
  const double value = parse_number(option, text);
  if (!(value >= 0.0) || !std::isfinite(value)) {
    throw argument_error(option, "'" + text + "'", "finite and >= 0");
  }
  return value;
}

// A file of --network.
class network_file {
 public:
  explicit network_file(const std::string& path) : path_(path) {
    try {
      values_ = toml::parse(read_file(path));
    } catch (const toml::parse_error& e) {
      throw error(fmt::format("--network '{}', line {}, column {}: {}", path, e.source().begin.line,
                              e.source().begin.column, e.description()));
    }
    const std::vector<std::string> keys{"teacher", "pretrained",      "source",
                                        "gram",    "width",           "teacher-width",
                                        "readout", "teacher-readout", "source-readout"};
    for (const auto& [key, node] : values_) {
      const std::string name(key.str());
      if (std::find(keys.begin(), keys.end(), name) == keys.end()) {
        throw error(fmt::format("--network '{}': {} is no key; the nearest are {}", path, name,
                                nearest_names(name, keys)));
      }
    }
  }

  [[nodiscard]] network_geometry geometry() const {
    network_geometry g;
    if (values_.contains("gram")) {
      for (const char* key : {"teacher", "pretrained", "source"}) {
        if (values_.contains(key)) {
          throw fault(key, "stands beside gram, which says it");
        }
      }
      g = geometry_of_gram(matrix("gram"), size("teacher-width"), size("width"));
    } else {
      for (const char* key : {"width", "teacher-width"}) {
        if (values_.contains(key)) {
          throw fault(key, "belongs to gram; here the rows say it");
        }
      }
      g.teacher = matrix("teacher");
      g.pretrained = matrix("pretrained");
      g.source = values_.contains("source") ? matrix("source")
                                            : Eigen::MatrixXd::Zero(0, g.teacher.cols());
    }
    g.readout = readout("readout", g.pretrained.rows());
    g.teacher_readout = readout("teacher-readout", g.teacher.rows());
    g.source_readout = readout("source-readout", g.source.rows());
    g.validate();
    return g;
  }

 private:
  [[nodiscard]] error fault(const std::string& key, const std::string& what) const {
    return error(fmt::format("--network '{}': {} {}", path_, key, what));
  }

  [[nodiscard]] double number(const std::string& key, const toml::node& node) const {
    const auto value = node.is_number() ? node.value<double>() : std::optional<double>();
    if (!value) {
      throw fault(key, "must hold numbers");
    }
    return *value;
  }

  [[nodiscard]] std::ptrdiff_t size(const char* key) const {
    const toml::node* node = values_.get(key);
    const auto value =
        node == nullptr ? std::optional<std::int64_t>() : node->value<std::int64_t>();
    if (!value || !node->is_integer() || *value < 1 ||
        *value > static_cast<std::int64_t>(most_neurons)) {
      throw fault(key,
                  fmt::format("must be a whole number from 1 to {} beside gram", most_neurons));
    }
    return static_cast<std::ptrdiff_t>(*value);
  }

  [[nodiscard]] Eigen::MatrixXd matrix(const char* key) const {
    const toml::node* node = values_.get(key);
    const toml::array* rows = node == nullptr ? nullptr : node->as_array();
    if (rows == nullptr || rows->empty()) {
      throw fault(key, "must be there, an array of rows");
    }
    Eigen::MatrixXd m;
    Eigen::Index i = 0;
    for (const toml::node& row : *rows) {
      const toml::array* numbers = row.as_array();
      if (numbers == nullptr || numbers->empty() || rows->size() > 4 * most_neurons ||
          numbers->size() > 4 * most_neurons) {
        throw fault(key, "must be an array of rows of numbers");
      }
      const auto columns = static_cast<Eigen::Index>(numbers->size());
      if (i == 0) {
        m.resize(static_cast<Eigen::Index>(rows->size()), columns);
      } else if (columns != m.cols()) {
        throw fault(key, fmt::format("has rows of {} and of {} numbers", m.cols(), columns));
      }
      for (Eigen::Index j = 0; j < columns; ++j) {
        m(i, j) = number(key, *numbers->get(static_cast<std::size_t>(j)));
      }
      ++i;
    }
    return m;
  }

  [[nodiscard]] Eigen::VectorXd readout(const char* key, Eigen::Index count) const {
    const toml::node* node = values_.get(key);
    if (node == nullptr) {
      return Eigen::VectorXd::Ones(count);
    }
    const toml::array* numbers = node->as_array();
    if (numbers == nullptr) {
      throw fault(key, "must be an array of numbers");
    }
    Eigen::VectorXd v(static_cast<Eigen::Index>(numbers->size()));
    for (std::size_t i = 0; i < numbers->size(); ++i) {
      v[static_cast<Eigen::Index>(i)] = number(key, *numbers->get(i));
    }
    return v;
  }

  std::string path_;
  toml::table values_;
};

}  // namespace

void network_options::add_to(option_list& options, bool with_scale) {
  options.text("--width", width, "neurons of the student (default: 1)", "K");
  options.text("--rank", rank, "adapters (default: 1)", "R");
  options.text("--teacher-width", teacher_width, "neurons of the teacher (default: 1)", "K");
  options.text("--off-target", off_target,
               "so many neurons start at mu and nu, the others at their target (default: all)",
               "N");
  options.text("--readout", readout,
               "each neuron counts 1, 1/width or 1/sqrt(width) (default: sum)", "sum|mean|sqrt");
  options.text("--adapter", adapter,
               "V's rows have norm 1, nothing holds them, or V keeps its Frobenius norm\n"
               "(default: sphere; free where all weights train)",
               "sphere|free|frobenius");
  options.text(
      "--train", train,
      "U and V, V alone, all weights from w0, or all from small random ones (default: lora)",
      "lora|v|full|scratch");
  options.text("--decay", decay, "weight decay (default: 0)", "X");
  options.text("--readout-rate", readout_rate,
               "learning rate of the readouts over V's; 0 freezes them (default: 0)", "X");
  if (with_scale) {
    options.text("--alpha", alpha, "LoRA's alpha: W = W0 + s U V, s = alpha/rank (default: s = 1)",
                 "X");
    options.text("--scaling", scaling, "s is alpha/rank, or alpha/sqrt(rank) (default: rank)",
                 "rank|root");
  }
  options.text("--source", source, "the source task's activation: what is forgotten is a column",
               "NAME");
  options.text("--source-overlap", source_overlap,
               "of each of the source's targets with the target's, -1 to 1", "X");
  options.text("--network", file,
               "rows and readouts from a TOML file, in the place of --mu, --nu and the widths",
               "FILE");
}

void network_options::add_start_to(option_list& options, bool with_dimension) {
  options.text("--start-batch", start_batch,
               "a network's V starts along the gradient of so many samples (default: at random)",
               "N");
  options.text("--scratch-norm", scratch_norm,
               "the norm of the weights that --train scratch starts from (default: 0.1)", "X");
  if (with_dimension) {
    options.text("--dim", dimension, "the dimension of a network's random start (default: 1000)",
                 "D");
  }
}

bool network_options::given() const {
  for (const std::string* text :
       {&width, &rank, &teacher_width, &adapter, &train, &readout, &off_target, &decay,
        &readout_rate, &alpha, &scaling, &source, &source_overlap, &file, &start_batch,
        &scratch_norm, &dimension}) {
    if (!text->empty()) {
      return true;
    }
  }
  return false;
}

described describe(const network_options& options) {
  described all;
  add_given(all, "width", options.width);
  add_given(all, "rank", options.rank);
  add_given(all, "teacher-width", options.teacher_width);
  add_given(all, "off-target", options.off_target);
  add_given(all, "readout", options.readout);
  add_given(all, "adapter", options.adapter);
  add_given(all, "train", options.train);
  add_given(all, "decay", options.decay);
  add_given(all, "readout-rate", options.readout_rate);
  add_given(all, "alpha", options.alpha);
  add_given(all, "scaling", options.scaling);
  add_given(all, "source", options.source);
  add_given(all, "source-overlap", options.source_overlap);
  add_given(all, "network", options.file);
  add_given(all, "start-batch", options.start_batch);
  add_given(all, "scratch-norm", options.scratch_norm);
  add_given(all, "dim", options.dimension);
  return all;
}

study::network_layout read_layout(const network_options& o, const shared_options& shared) {
  study::network_layout l;
  if (!o.train.empty()) {
    l.trained = read_choice("--train", o.train, trained_parts);
  }
  const bool all_weights = l.trained == trained_part::full || l.trained == trained_part::scratch;
  l.adapter = all_weights ? adapter_constraint::free : adapter_constraint::sphere;
  if (!o.adapter.empty()) {
    l.adapter = read_choice("--adapter", o.adapter, adapter_constraints);
    if (all_weights && l.adapter != adapter_constraint::free) {
      throw argument_error("--adapter", "'" + o.adapter + "'",
                           "free or left out where all weights train");
    }
  }
  if (!o.rank.empty() && l.trained != trained_part::lora) {
    throw argument_error("--rank", "'" + o.rank + "'",
                         "left out: but for --train lora it is the width");
  }
  l.rank = read_size("--rank", o.rank, 1);
  l.decay = read_at_least_zero("--decay", o.decay);
  l.readout_rate = read_at_least_zero("--readout-rate", o.readout_rate);
  if (!o.scaling.empty()) {
    if (o.alpha.empty()) {
      throw error("--alpha is missing: --scaling says how it falls with the rank");
    }
    l.scaling = read_choice("--scaling", o.scaling, study::lora_scalings);
  }
  if (!o.alpha.empty()) {
    l.alpha = read_positive("--alpha", o.alpha);
  }
  if (!o.source.empty()) {
    l.source = read_activation("--source", o.source);
  }
  if (!o.file.empty()) {
    for (const auto& [option, text] : {std::pair("--width", &o.width),
                                       {"--teacher-width", &o.teacher_width},
                                       {"--off-target", &o.off_target},
                                       {"--readout", &o.readout},
                                       {"--source-overlap", &o.source_overlap},
                                       {"--mu", &shared.mu()}}) {
      if (!text->empty()) {
        throw argument_error(option, "'" + *text + "'", "left out: --network says it");
      }
    }
    if (read_values(registry::nu, shared.nu()) != std::vector<double>{0.0}) {
      throw argument_error("--nu", "'" + shared.nu() + "'", "left out: --network says it");
    }
    l.geometry = network_file(o.file).geometry();
    l.width = l.geometry->width();
    l.teacher_width = l.geometry->teacher.rows();
    if (l.source.has_value() != (l.geometry->source.rows() > 0)) {
      throw argument_error("--source", l.source ? "given" : "missing",
                           l.source ? "left out: --network has no rows of a source"
                                    : "given: --network has rows of a source");
    }
    return l;
  }
  l.width = read_size("--width", o.width, 1);
  l.teacher_width = read_size("--teacher-width", o.teacher_width, 1);
  if (!o.readout.empty()) {
    l.readout = read_choice("--readout", o.readout, readout_rules);
  }
  if (!o.off_target.empty()) {
    l.off_target = read_size("--off-target", o.off_target, l.width, 0);
    if (*l.off_target > l.width) {
      throw argument_error("--off-target", "'" + o.off_target + "'",
                           fmt::format("at most the width, {}", l.width));
    }
  }
  if (o.source_overlap.empty() == l.source.has_value()) {
    throw argument_error(l.source ? "--source-overlap" : "--source", "missing",
                         "given: a source task has an activation and an overlap");
  }
  if (l.source) {
    l.source_overlap = parse_number("--source-overlap", o.source_overlap);
    if (!(std::abs(*l.source_overlap) <= 1.0)) {
      throw argument_error("--source-overlap", "'" + o.source_overlap + "'", "between -1 and 1");
    }
  }
  return l;
}

study::network_start_request read_network_start(const network_options& o,
                                                const shared_options& shared,
                                                const std::string& dimension) {
  study::network_start_request start;
  if (!dimension.empty()) {
    start.dimension = read_count("--dim", dimension, 3, std::uint64_t{1} << 48);
  }
  start.seed = shared.seed;
  if (!o.start_batch.empty()) {
    start.one_step_batch = read_count("--start-batch", o.start_batch, 1, std::uint64_t{1} << 48);
  }
  if (!o.scratch_norm.empty()) {
    if (o.train != "scratch") {
      throw argument_error("--scratch-norm", "'" + o.scratch_norm + "'",
                           "left out, or given with --train scratch");
    }
    start.scale = read_positive("--scratch-norm", o.scratch_norm);
  }
  return start;
}

network_overlap_event read_network_event(const std::string& quantity, const std::string& at,
                                         bool is_signed) {
  network_overlap_event event = network_event_named(quantity);
  event.is_signed = is_signed;
  if (!at.empty()) {
    event.at = parse_number("--at", at);
  } else if (event.quantity != network_overlap_quantity::m) {
    throw error("--at is missing: give the value that " + quantity + " reaches");
  }
  return event;
}

void require_network_start(const start_options& start) {
  if (!start.file.empty()) {
    throw argument_error("--start", "'" + start.file + "'", "left out: it is one neuron's");
  }
  for (const study::parameter* p : {&registry::m0, &registry::s0}) {
    const std::string& text = start.texts[*p];
    if (text != start_options::defaults()[*p]) {
      throw argument_error("--" + std::string(p->name), "'" + text + "'",
                           "left out: a network's V starts at random, or by --start-batch");
    }
  }
}

study::parameter_grid read_network_grid(const study::network_layout& layout,
                                        const shared_options& shared) {
  if (!layout.geometry) {
    return read_grid(shared);
  }
  // μ is not used; the table tells that there is none.
  study::parameter_grid grid;
  for (const study::parameter* p : study::model_parameters) {
    if (p == &registry::mu) {
      continue;
    }
    grid.axes.push_back({p, read_values(*p, shared.parameters[*p])});
  }
  grid.otherwise.parameters.alignment = std::numeric_limits<double>::quiet_NaN();
  return grid;
}

}  // namespace loradyn::cli
