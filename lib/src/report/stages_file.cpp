#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <cmath>
#include <loradyn/activation/parse.hpp>
#include <loradyn/dynamics/network_event.hpp>
#include <loradyn/error.hpp>
#include <loradyn/model/transformed_labels.hpp>
#include <loradyn/nearest_names.hpp>
#include <loradyn/report/stages_file.hpp>
#include <optional>
#include <tuple>
#include <utility>
#include "report/file_words.hpp"

namespace loradyn {
namespace {

// One [[stage]], with the place to name in messages.
class stage_table {
 public:
  stage_table(const toml::table& values, std::string place)
      : values_(values), place_(std::move(place)) {}

  void allow(const std::vector<std::string>& keys) const {
    for (const auto& [key, node] : values_) {
      const std::string name(key.str());
      if (std::find(keys.begin(), keys.end(), name) == keys.end()) {
        throw error(fmt::format("{}: {} is no key of this stage; the nearest are {}", place_, name,
                                nearest_names(name, keys)));
      }
    }
  }

  [[nodiscard]] bool has(const char* key) const { return values_.contains(key); }

  [[nodiscard]] std::optional<double> number(const char* key) const {
    const toml::node* node = values_.get(key);
    if (node == nullptr) {
      return std::nullopt;
    }
    const auto value = node->value<double>();
    if (!value || !node->is_number()) {
      throw error(fmt::format("{}: {} must be a number", place_, key));
    }
    return value;
  }

  [[nodiscard]] std::optional<std::string> text(const char* key) const {
    const toml::node* node = values_.get(key);
    if (node == nullptr) {
      return std::nullopt;
    }
    const auto value = node->value_exact<std::string>();
    if (!value) {
      throw error(fmt::format("{}: {} must be a text", place_, key));
    }
    return value;
  }

  [[nodiscard]] bool flag(const char* key) const {
    const toml::node* node = values_.get(key);
    if (node != nullptr && !node->is_boolean()) {
      throw error(fmt::format("{}: {} must be true or false", place_, key));
    }
    return node != nullptr && *node->value<bool>();
  }

  [[nodiscard]] std::optional<activation> function(const char* key) const {
    const auto name = text(key);
    if (!name) {
      return std::nullopt;
    }
    try {
      return parse_activation(*name);
    } catch (const parse_error& e) {
      throw error(fmt::format("{}: {} '{}': {}", place_, key, *name, e.what()));
    }
  }

  // The polynomial in y that `label` is.
  [[nodiscard]] std::optional<activation> label() const {
    const auto written = text("label");
    if (!written) {
      return std::nullopt;
    }
    std::optional<activation> f;
    std::string fault;
    try {
      f = parse_activation(in_linear(*written));
    } catch (const parse_error& e) {
      fault = fmt::format(" ({})", e.what());
    }
    if (!f || f->as_polynomial() == nullptr) {
      throw error(fmt::format("{}: label is '{}', but must be a polynomial in y, such as y^2{}",
                              place_, *written, fault));
    }
    return f;
  }

  [[nodiscard]] const std::string& place() const { return place_; }

 private:
  // The grammar's name of its argument for y.
  static std::string in_linear(const std::string& written) {
    const auto in_word = [](char c) {
      return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '_';
    };
    std::string result;
    for (std::size_t i = 0; i < written.size(); ++i) {
      const bool alone = (i == 0 || !in_word(written[i - 1])) &&
                         (i + 1 == written.size() || !in_word(written[i + 1]));
      result += written[i] == 'y' && alone ? "linear" : std::string(1, written[i]);
    }
    return result;
  }

  const toml::table& values_;
  std::string place_;
};

// A target and the noise of its labels.
struct stage_task {
  learning_task task;
  double label_noise = 0.0;
};

stage_task read_task(const stage_table& s, const activation& student, const activation& teacher) {
  const double noise = s.number("noise").value_or(0.0);
  const auto label = s.label();
  if (!label) {
    return {learning_task(student, teacher), noise};
  }
  const transformed_labels labels = transform_labels(teacher, *label->as_polynomial(), noise);
  return {labels.task_of(student), labels.label_noise};
}

// `flip = true` and nothing else.
bool read_flip(const stage_table& s) {
  if (!s.has("flip")) {
    return false;
  }
  s.allow({"flip"});
  if (!s.flag("flip")) {
    throw error(fmt::format("{}: flip must be true, or left out", s.place()));
  }
  return true;
}

std::optional<double> scaled(std::optional<double> value, double unit) {
  return value ? std::optional(*value * unit) : value;
}

training_stage read_pretraining(const stage_table& s, const activation& student, double time_unit) {
  s.allow({"pretrain", "rho", "a0", "q0", "gamma", "noise", "label", "time", "until-risk"});
  const stage_task source = read_task(s, student, *s.function("pretrain"));
  pretraining_stage stage{
      source.task, {}, {}, scaled(s.number("time"), time_unit), s.number("until-risk")};
  stage.parameters.source_overlap = s.number("rho").value_or(1.0);
  stage.parameters.noise_scale = s.number("gamma").value_or(0.0);
  stage.parameters.label_noise = source.label_noise;
  stage.start.a = s.number("a0").value_or(0.03);
  stage.start.gap =
      s.number("q0").value_or(stage.start.a * stage.start.a) - stage.start.a * stage.start.a;
  return stage;
}

training_stage read_tuning(const stage_table& s, const study::activation_pair& pair,
                           double time_unit) {
  s.allow({"teacher", "gamma", "noise", "label", "lr-ratio", "time", "until", "at", "signed"});
  const stage_task target =
      read_task(s, pair.risk.student(), s.function("teacher").value_or(pair.risk.teacher()));
  tuning_stage stage{target.task,
                     s.number("gamma").value_or(0.0),
                     target.label_noise,
                     s.number("lr-ratio").value_or(1.0),
                     scaled(s.number("time"), time_unit),
                     std::nullopt};
  if (const auto until = s.text("until")) {
    const auto quantity = value_named(overlap_quantities, *until);
    if (!quantity) {
      throw error(fmt::format("{}: until is '{}', but must be m, M or risk", s.place(), *until));
    }
    overlap_event event;
    event.quantity = *quantity;
    const auto at = s.number("at");
    if (!at) {
      throw error(fmt::format("{}: at is missing: the value that {} reaches", s.place(), *until));
    }
    event.at = *at;
    event.is_signed = s.flag("signed");
    stage.until = event;
  }
  return stage;
}

// What a network's stage trains on.
study::network_stage_task read_network_task(const stage_table& s) {
  study::network_stage_task task;
  if (const auto on = s.text("on")) {
    if (*on != "target" && *on != "source") {
      throw error(fmt::format("{}: on is '{}', but must be target or source", s.place(), *on));
    }
    task.on_source = *on == "source";
  }
  if (task.on_source && s.has("teacher")) {
    throw error(fmt::format("{}: teacher must be left out: --source says the source's", s.place()));
  }
  task.teacher = s.function("teacher");
  task.label_noise = s.number("noise").value_or(0.0);
  task.rate_ratio = s.number("lr-ratio").value_or(1.0);
  task.decay = s.number("decay");
  return task;
}

study::network_training_stage read_network_tuning(const stage_table& s, double time_unit) {
  s.allow(
      {"teacher", "on", "gamma", "noise", "lr-ratio", "decay", "time", "until", "at", "signed"});
  study::network_training_stage stage{.task = read_network_task(s)};
  stage.noise_scale = s.number("gamma").value_or(0.0);
  stage.duration = scaled(s.number("time"), time_unit);
  if (const auto until = s.text("until")) {
    stage.until = network_event_named(*until);
    if (!stage.until) {
      throw error(fmt::format("{}: until is '{}', but must be {}", s.place(), *until,
                              network_event_names()));
    }
    const auto at = s.number("at");
    if (!at) {
      throw error(fmt::format("{}: at is missing: the value that {} reaches", s.place(), *until));
    }
    stage.until->at = *at;
    stage.until->is_signed = s.flag("signed");
  }
  return stage;
}

// The learning rate and the steps of a simulated stage.
std::pair<double, std::uint64_t> read_length(const stage_table& s, double time_unit) {
  const auto rate = s.number("lr");
  if (!rate || !(*rate > 0.0)) {
    throw error(fmt::format("{}: lr must be given, and > 0", s.place()));
  }
  const auto steps = s.number("steps");
  const auto time = scaled(s.number("time"), time_unit);
  if (steps.has_value() == time.has_value()) {
    throw error(fmt::format("{}: give either steps or time", s.place()));
  }
  constexpr double most = 1e14;
  const double count = steps ? *steps : std::ceil(*time / *rate - 1e-9);
  if (!(count >= 1.0 && count <= most && count == std::floor(count))) {
    throw error(fmt::format("{}: {} must make a whole number of steps, from 1 to {}", s.place(),
                            steps ? "steps" : "time", most));
  }
  return {*rate, static_cast<std::uint64_t>(count)};
}

study::network_simulated_stage read_network_simulated(const stage_table& s, double time_unit) {
  s.allow({"teacher", "on", "noise", "lr-ratio", "decay", "lr", "steps", "time"});
  study::network_simulated_stage stage{.task = read_network_task(s)};
  std::tie(stage.learning_rate, stage.steps) = read_length(s, time_unit);
  return stage;
}

simulation_stage read_simulated(const stage_table& s, const study::activation_pair& pair,
                                double time_unit) {
  s.allow({"teacher", "noise", "label", "lr-ratio", "lr", "steps", "time"});
  simulation_stage stage{.teacher = s.function("teacher").value_or(pair.risk.teacher())};
  stage.label_noise = s.number("noise").value_or(0.0);
  stage.label = s.label();
  stage.rate_ratio = s.number("lr-ratio").value_or(1.0);
  std::tie(stage.learning_rate, stage.steps) = read_length(s, time_unit);
  return stage;
}

// Every [[stage]] of a file, one after another, to `take`.
template <class Take>
void read_file_of_stages(const file_word& file, const Take& take) {
  const toml::array* stages = file.values.get_as<toml::array>("stage");
  if (stages == nullptr || stages->empty() || file.values.size() != 1 ||
      !stages->is_array_of_tables()) {
    throw error(file.place + " must hold tables [[stage]], one or more, and nothing else");
  }
  std::size_t number = 0;
  for (const toml::node& node : *stages) {
    take(stage_table(*node.as_table(), fmt::format("{}, stage {}", file.place, ++number)));
  }
}

// Stages that may begin with a flip.
template <class Stage, class Read>
std::vector<Stage> read_flipping_stages(const file_word& file, const Read& read) {
  std::vector<Stage> stages;
  std::string flip;  // the place of one that the next stage begins with
  read_file_of_stages(file, [&](const stage_table& s) {
    if (read_flip(s)) {
      flip = flip.empty() ? s.place() : "";  // two of them are none
    } else {
      stages.push_back(read(s));
      stages.back().flips = !std::exchange(flip, "").empty();
    }
  });
  if (!flip.empty() || stages.empty()) {
    throw error(file.place + ": a flip must be followed by a stage that trains");
  }
  return stages;
}

file_word stages_of(const std::string& path) { return {"--stages", path, file_word::source::text}; }

}  // namespace

std::vector<training_stage> read_stages(const file_word& file, const study::activation_pair& pair,
                                        double time_unit) {
  std::vector<training_stage> stages;
  read_file_of_stages(file, [&](const stage_table& s) {
    if (read_flip(s)) {
      stages.emplace_back(flip_stage{});
    } else {
      stages.push_back(s.has("pretrain") ? read_pretraining(s, pair.risk.student(), time_unit)
                                         : read_tuning(s, pair, time_unit));
    }
  });
  return stages;
}

std::vector<simulation_stage> read_simulation_stages(const file_word& file,
                                                     const study::activation_pair& pair,
                                                     double time_unit) {
  return read_flipping_stages<simulation_stage>(
      file, [&](const stage_table& s) { return read_simulated(s, pair, time_unit); });
}

std::vector<study::network_training_stage> read_network_stages(const file_word& file,
                                                               double time_unit) {
  return read_flipping_stages<study::network_training_stage>(
      file, [&](const stage_table& s) { return read_network_tuning(s, time_unit); });
}

std::vector<study::network_simulated_stage> read_network_simulation_stages(const file_word& file,
                                                                           double time_unit) {
  return read_flipping_stages<study::network_simulated_stage>(
      file, [&](const stage_table& s) { return read_network_simulated(s, time_unit); });
}

std::vector<training_stage> read_stages(const std::string& path, const study::activation_pair& pair,
                                        double time_unit) {
  return read_stages(stages_of(path), pair, time_unit);
}

std::vector<simulation_stage> read_simulation_stages(const std::string& path,
                                                     const study::activation_pair& pair,
                                                     double time_unit) {
  return read_simulation_stages(stages_of(path), pair, time_unit);
}

std::vector<study::network_training_stage> read_network_stages(const std::string& path,
                                                               double time_unit) {
  return read_network_stages(stages_of(path), time_unit);
}

std::vector<study::network_simulated_stage> read_network_simulation_stages(const std::string& path,
                                                                           double time_unit) {
  return read_network_simulation_stages(stages_of(path), time_unit);
}

}  // namespace loradyn
