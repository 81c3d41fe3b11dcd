#include "network_options.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <loradyn/error.hpp>
#include <loradyn/report/network_file.hpp>
#include <loradyn/sweep/range.hpp>
#include <optional>
#include <utility>
#include <vector>

namespace loradyn::cli {
namespace {

namespace registry = study::registry;

using study::most_neurons;

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

// How many neurons are at --mu.
void read_off_target(const network_options& o, study::network_layout& l) {
  if (o.off_target.empty()) {
    return;
  }
  l.off_target = read_size("--off-target", o.off_target, l.width, 0);
  if (*l.off_target > l.width) {
    throw argument_error("--off-target", "'" + o.off_target + "'",
                         fmt::format("at most the width, {}", l.width));
  }
}

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
               "rows and readouts from a TOML file, in the place of --nu and the widths; --mu\n"
               "then sets their alignments",
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
        &scratch_norm, &dimension, &start_file}) {
    if (!text->empty()) {
      return true;
    }
  }
  return false;
}

bool network_options::given_with(start_options& start) {
  if (!start.file.empty() && is_network_start_file(start.file)) {
    start_file = std::exchange(start.file, "");
  }
  return given();
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
  add_given(all, "start", options.start_file);
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
  if (!o.file.empty() || !o.start_file.empty()) {
    const std::string said = o.start_file.empty() ? "--network" : "--start";
    for (const auto& [option, text] : {std::pair("--width", &o.width),
                                       {"--teacher-width", &o.teacher_width},
                                       {"--readout", &o.readout},
                                       {"--source-overlap", &o.source_overlap},
                                       {"--off-target", &o.off_target},
                                       {"--mu", &shared.mu()}}) {
      const bool of_rows = text == &o.off_target || text == &shared.mu();
      if (!text->empty() && !(of_rows && o.start_file.empty())) {
        throw argument_error(option, "'" + *text + "'", "left out: " + said + " says it");
      }
    }
    if (read_values(registry::nu, shared.nu()) != std::vector<double>{0.0}) {
      throw argument_error("--nu", "'" + shared.nu() + "'", "left out: " + said + " says it");
    }
    if (!o.start_file.empty()) {
      for (const auto& [option, text] : {std::pair("--network", &o.file),
                                         {"--rank", &o.rank},
                                         {"--start-batch", &o.start_batch},
                                         {"--scratch-norm", &o.scratch_norm}}) {
        if (!text->empty()) {
          throw argument_error(option, "'" + *text + "'", "left out: --start says it");
        }
      }
      const network_start_values start = read_network_start_file(o.start_file);
      l.geometry = start.geometry;
      l.rank = start.start.C.rows();
    } else {
      l.geometry = read_network_file(o.file);
    }
    l.width = l.geometry->width();
    l.teacher_width = l.geometry->teacher.rows();
    read_off_target(o, l);
    if (l.source.has_value() != (l.geometry->source.rows() > 0)) {
      throw argument_error("--source", l.source ? "given" : "missing",
                           l.source ? "left out: " + said + " has no rows of a source"
                                    : "given: " + said + " has rows of a source");
    }
    return l;
  }
  l.width = read_size("--width", o.width, 1);
  l.teacher_width = read_size("--teacher-width", o.teacher_width, 1);
  if (!o.readout.empty()) {
    l.readout = read_choice("--readout", o.readout, readout_rules);
  }
  read_off_target(o, l);
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
  if (!o.start_file.empty()) {
    start.given = read_network_start_file(o.start_file).start;
  }
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
  const auto named = network_event_named(quantity);
  if (!named) {
    throw argument_error("--event", "'" + quantity + "'", network_event_names());
  }
  network_overlap_event event = *named;
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
    throw argument_error("--start", "'" + start.file + "'",
                         "the end state of a network: it is one neuron's");
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
  if (!layout.geometry || !shared.mu().empty()) {
    return read_grid(shared);
  }
  // The rows stand as they are; the table tells that there is no μ.
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
