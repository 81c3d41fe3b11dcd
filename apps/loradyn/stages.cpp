#include "stages.hpp"

#include <fmt/format.h>
#include <toml++/toml.h>

#include <algorithm>
#include <cmath>
#include <loradyn/activation/parse.hpp>
#include <loradyn/error.hpp>
#include <loradyn/nearest_names.hpp>
#include <loradyn/report/file.hpp>
#include <optional>

namespace loradyn::cli {
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

  [[nodiscard]] const std::string& place() const { return place_; }

 private:
  const toml::table& values_;
  std::string place_;
};

std::optional<double> scaled(std::optional<double> value, double unit) {
  return value ? std::optional(*value * unit) : value;
}

training_stage read_pretraining(const stage_table& s, const activation& student, double time_unit) {
  s.allow({"pretrain", "rho", "a0", "q0", "gamma", "noise", "time", "until-risk"});
  pretraining_stage stage{learning_task(student, *s.function("pretrain")),
                          {},
                          {},
                          scaled(s.number("time"), time_unit),
                          s.number("until-risk")};
  stage.parameters.source_overlap = s.number("rho").value_or(1.0);
  stage.parameters.noise_scale = s.number("gamma").value_or(0.0);
  stage.parameters.label_noise = s.number("noise").value_or(0.0);
  stage.start.a = s.number("a0").value_or(0.03);
  stage.start.gap =
      s.number("q0").value_or(stage.start.a * stage.start.a) - stage.start.a * stage.start.a;
  return stage;
}

training_stage read_tuning(const stage_table& s, const activation_pair& pair, double time_unit) {
  s.allow({"teacher", "gamma", "noise", "lr-ratio", "time", "until", "at", "signed"});
  const activation teacher = s.function("teacher").value_or(pair.risk.teacher());
  tuning_stage stage{learning_task(pair.risk.student(), teacher),
                     s.number("gamma").value_or(0.0),
                     s.number("noise").value_or(0.0),
                     s.number("lr-ratio").value_or(1.0),
                     scaled(s.number("time"), time_unit),
                     std::nullopt};
  if (const auto until = s.text("until")) {
    const auto quantity = quantity_named(*until);
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

simulation_stage read_simulated(const stage_table& s, const activation_pair& pair,
                                double time_unit) {
  s.allow({"teacher", "noise", "lr-ratio", "lr", "steps", "time"});
  simulation_stage stage{.teacher = s.function("teacher").value_or(pair.risk.teacher())};
  stage.label_noise = s.number("noise").value_or(0.0);
  stage.rate_ratio = s.number("lr-ratio").value_or(1.0);
  const auto rate = s.number("lr");
  if (!rate || !(*rate > 0.0)) {
    throw error(fmt::format("{}: lr must be given, and > 0", s.place()));
  }
  stage.learning_rate = *rate;
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
  stage.steps = static_cast<std::uint64_t>(count);
  return stage;
}

// Every [[stage]] of a file, as `read` takes it.
template <class Stage, class Read>
std::vector<Stage> read_file_of_stages(const std::string& path, const Read& read) {
  toml::table values;
  try {
    values = toml::parse(read_text(path));
  } catch (const toml::parse_error& e) {
    throw error(fmt::format("--stages '{}', line {}, column {}: {}", path, e.source().begin.line,
                            e.source().begin.column, e.description()));
  }
  const toml::array* stages = values.get_as<toml::array>("stage");
  if (stages == nullptr || stages->empty() || values.size() != 1 || !stages->is_array_of_tables()) {
    throw error(fmt::format(
        "--stages '{}' must hold tables [[stage]], one or more, and nothing else", path));
  }
  std::vector<Stage> result;
  for (const toml::node& node : *stages) {
    result.push_back(read(stage_table(
        *node.as_table(), fmt::format("--stages '{}', stage {}", path, result.size() + 1))));
  }
  return result;
}

}  // namespace

std::vector<training_stage> read_stages(const std::string& path, const activation_pair& pair,
                                        double time_unit) {
  return read_file_of_stages<training_stage>(path, [&](const stage_table& s) {
    return s.has("pretrain") ? read_pretraining(s, pair.risk.student(), time_unit)
                             : read_tuning(s, pair, time_unit);
  });
}

std::vector<simulation_stage> read_simulation_stages(const std::string& path,
                                                     const activation_pair& pair,
                                                     double time_unit) {
  return read_file_of_stages<simulation_stage>(
      path, [&](const stage_table& s) { return read_simulated(s, pair, time_unit); });
}

}  // namespace loradyn::cli
