#include "report/network_words.hpp"

#include <cmath>
#include <limits>
#include "report/file_words.hpp"

namespace loradyn {

namespace registry = study::registry;

namespace {

constexpr std::uint64_t most_samples = std::uint64_t{1} << 48;

std::ptrdiff_t read_size(const std::string& option, const std::string& text) {
  return static_cast<std::ptrdiff_t>(read_count(option, text, 1, study::most_neurons));
}

double read_finite(const std::string& option, const std::string& text) {
  const double value = parse_number(option, text);
  if (!(value >= 0.0) || !std::isfinite(value)) {
    throw argument_error(option, "'" + text + "'", "finite and >= 0");
  }
  return value;
}

void read_trained_part(question_reader& io, study::network_layout& l) {
  io.choice("train", l.trained, trained_parts);
  const bool all_weights = l.trained == trained_part::full || l.trained == trained_part::scratch;
  l.adapter = all_weights ? adapter_constraint::free : adapter_constraint::sphere;
  io.choice("adapter", l.adapter, adapter_constraints);
  if (all_weights && l.adapter != adapter_constraint::free) {
    throw argument_error("--adapter", "'" + io.peek("adapter") + "'",
                         "free or left out where all weights train");
  }
  if (l.trained != trained_part::lora) {
    io.refuse({"rank"}, "but for --train lora it is the width");
  }
}

void read_scale(question_reader& io, study::network_layout& l) {
  if (io.says("scaling")) {
    if (!io.says("alpha")) {
      throw error("--alpha is missing: --scaling says how it falls with the rank");
    }
    io.choice("scaling", l.scaling, study::lora_scalings);
  }
  io.member("alpha", l.alpha, read_positive);
}

// How many neurons are at --mu.
void read_off_target(question_reader& io, study::network_layout& l) {
  io.member("off-target", l.off_target, [&](const std::string& option, const std::string& text) {
    const std::uint64_t count = read_count(option, text, 0, study::most_neurons);
    if (count > static_cast<std::uint64_t>(l.width)) {
      throw argument_error(option, "'" + text + "'", fmt::format("at most the width, {}", l.width));
    }
    return static_cast<std::ptrdiff_t>(count);
  });
}

// The rows of a file, or of another run's end with its state: in the place of nu and the widths, of
// a run also of mu.
void read_rows(question_reader& io, study::network_layout& l) {
  const bool of_run = io.says("start");
  const std::string said = of_run ? "--start" : "--network";
  io.refuse({"width", "teacher-width", "readout", "source-overlap"}, said + " says it");
  if (of_run) {
    io.refuse({"off-target", "mu"}, said + " says it");
  }
  if (const std::string nu = io.peek("nu");
      !nu.empty() && read_values(registry::nu, nu) != std::vector<double>{0.0}) {
    io.refuse({"nu"}, said + " says it");
  }
  if (of_run) {
    io.refuse({"network", "rank", "start-batch", "scratch-norm"}, said + " says it");
    const network_start_values start = read_network_start(io.file("start"));
    l.geometry = start.geometry;
    l.rank = start.start.C.rows();
  } else {
    l.geometry = read_network(io.file("network"));
  }
  l.width = l.geometry->width();
  l.teacher_width = l.geometry->teacher.rows();
  read_off_target(io, l);
  if (l.source.has_value() != (l.geometry->source.rows() > 0)) {
    throw argument_error("--source", l.source ? "given" : "missing",
                         l.source ? "left out: " + said + " has no rows of a source"
                                  : "given: " + said + " has rows of a source");
  }
}

}  // namespace

bool asks_network(const question& words, bool alpha_is_scale) {
  for (const char* name :
       {"width", "rank", "teacher-width", "adapter", "train", "readout", "off-target", "decay",
        "readout-rate", "scaling", "source", "source-overlap", "network", "start-batch",
        "scratch-norm", "forgotten", "starts"}) {
    if (words.says(name)) {
      return true;
    }
  }
  if (alpha_is_scale && words.says("alpha")) {
    return true;
  }
  for (const char* axis : {"x", "y"}) {
    const std::string text = words.text(axis);
    if (study::layout_parameter_named(text.substr(0, text.find('='))) != nullptr) {
      return true;
    }
  }
  return words.says("start") && is_network_start_file(words.text("start"));
}

void take_network(question_reader& io) {
  io.take_in_order({"width", "rank", "teacher-width", "off-target", "readout", "adapter", "train",
                    "decay", "readout-rate", "alpha", "scaling", "source", "source-overlap",
                    "network", "start-batch", "scratch-norm", "start"});
}

study::network_layout read_layout(question_reader& io, scale_words scale) {
  study::network_layout l;
  read_trained_part(io, l);
  io.member("rank", l.rank, read_size);
  io.member("decay", l.decay, read_finite);
  io.member("readout-rate", l.readout_rate, read_finite);
  if (scale == scale_words::alpha) {
    read_scale(io, l);
  }
  io.member("source", l.source, read_activation);
  if (io.says("network") || io.says("start")) {
    read_rows(io, l);
    return l;
  }
  io.member("width", l.width, read_size);
  io.member("teacher-width", l.teacher_width, read_size);
  io.choice("readout", l.readout, readout_rules);
  read_off_target(io, l);
  if (io.says("source-overlap") != l.source.has_value()) {
    throw argument_error(l.source ? "--source-overlap" : "--source", "missing",
                         "given: a source task has an activation and an overlap");
  }
  io.member("source-overlap", l.source_overlap, read_overlap);
  return l;
}

void say_layout(question_writer& io, const study::network_layout& l,
                const std::optional<study::network_given_start>& start) {
  io.choice("train", l.trained, trained_parts);
  io.choice("adapter", l.adapter, adapter_constraints);
  if (l.trained == trained_part::lora && !start) {
    io.member("rank", l.rank, read_size);
  }
  io.member("decay", l.decay, read_finite);
  io.member("readout-rate", l.readout_rate, read_finite);
  io.member("alpha", l.alpha, read_positive);
  if (l.alpha) {
    io.choice("scaling", l.scaling, study::lora_scalings);
  }
  io.member("source", l.source, read_activation);
  if (l.geometry) {
    io.say(start ? "start" : "network",
           start ? text_of(network_start_values{*l.geometry, *start}) : text_of(*l.geometry));
    return;
  }
  io.member("width", l.width, read_size);
  io.member("teacher-width", l.teacher_width, read_size);
  io.choice("readout", l.readout, readout_rules);
  io.member("off-target", l.off_target, read_size);
  io.member("source-overlap", l.source_overlap, read_overlap);
}

study::parameter_grid read_network_grid(question_reader& io, bool has_rows) {
  if (!has_rows || io.says("mu")) {
    return read_grid(io, study::model_parameters);
  }
  // The rows stand as they are; the table tells that there is no μ.
  study::parameter_grid grid;
  for (const study::parameter* p : study::model_parameters) {
    if (p != &registry::mu) {
      grid.axes.push_back({p, read_values(*p, parameter_text(io, *p))});
    }
  }
  grid.otherwise.parameters.alignment = std::numeric_limits<double>::quiet_NaN();
  return grid;
}

study::parameter_point read_network_point(question_reader& io, bool has_rows,
                                          const std::string& names, const std::string& expected) {
  const study::parameter_grid grid = read_network_grid(io, has_rows);
  if (grid.size() != 1) {
    throw argument_error(names, fmt::format("{} combinations", grid.size()), expected);
  }
  return grid.at(0);
}

void refuse_start_of_one_neuron(question_reader& io) {
  if (const std::string start = io.peek("start"); !start.empty() && !is_network_start_file(start)) {
    throw argument_error("--start", "'" + start + "'",
                         "the end state of a network: it is one neuron's");
  }
  for (const study::parameter* p : {&registry::m0, &registry::s0}) {
    const std::string text = io.peek(p->name);
    if (!text.empty() && text != fmt::format("{}", *p->standard)) {
      io.refuse({p->name}, "a network's V starts at random, or by --start-batch");
    }
  }
}

void read_scratch_norm(question_reader& io, double& scale) {
  if (const std::string norm = io.peek("scratch-norm");
      !norm.empty() && io.peek("train") != "scratch") {
    throw argument_error("--scratch-norm", "'" + norm + "'",
                         "left out, or given with --train scratch");
  }
  io.member("scratch-norm", scale, read_positive);
}

study::network_start_request read_network_start(question_reader& io) {
  study::network_start_request start;
  if (const std::string dimension = io.peek("dim"); !dimension.empty()) {
    start.dimension = read_count("--dim", dimension, 3, most_samples);
  }
  io.member("seed", start.seed, read_seed);
  if (io.says("start")) {
    start.given = read_network_start(io.file("start")).start;
  }
  io.member("start-batch", start.one_step_batch, count_between(1, most_samples));
  read_scratch_norm(io, start.scale);
  return start;
}

void say_network_start(question_writer& io, const study::network_start_request& start,
                       const study::network_layout& layout) {
  io.say("dim", std::to_string(start.dimension));
  io.say("seed", std::to_string(start.seed));
  io.member("start-batch", start.one_step_batch, read_seed);
  if (layout.trained == trained_part::scratch && !start.given) {
    io.member("scratch-norm", start.scale, read_positive);
  }
}

network_overlap_event read_network_event(question_reader& io) {
  std::string quantity = io.text("event");
  if (quantity.empty()) {
    quantity = "m";
    io.tell("event", quantity);
  }
  const auto named = network_event_named(quantity);
  if (!named) {
    throw argument_error("--event", "'" + quantity + "'",
                         names_of(network_overlap_quantities) + ", or an entry such as M_1_2");
  }
  network_overlap_event event = *named;
  io.member("at", event.at, read_number);
  if (!io.says("at")) {
    if (event.quantity != network_overlap_quantity::m) {
      throw error("--at is missing: give the value that " + quantity + " reaches");
    }
    io.tell("at", fmt::format("{}", event.at));
  }
  io.flag("signed", event.is_signed);
  return event;
}

void say_network_event(question_writer& io, const network_overlap_event& event) {
  io.say("event", to_text(event));
  io.member("at", event.at, read_number);
  io.flag("signed", event.is_signed);
}

double row_bytes(const study::network_shape& s, double fixed) {
  const auto entries = static_cast<double>(s.width * (s.rank + s.teacher_width + 1) +
                                           s.rank * (s.teacher_width + s.rank));
  return fixed + sizeof(double) * entries;
}

}  // namespace loradyn
