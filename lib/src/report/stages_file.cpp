#include <fmt/format.h>

#include <array>
#include <loradyn/activation/parse.hpp>
#include <loradyn/dynamics/network_event.hpp>
#include <loradyn/error.hpp>
#include <loradyn/report/stages_file.hpp>
#include <loradyn/study/stage_words.hpp>
#include <memory>
#include <optional>
#include <utility>
#include <variant>
#include "report/file_words.hpp"
#include "report/parameter_json.hpp"

namespace loradyn {
namespace {

// One [[stage]], with the place to name in messages.
class stage_table : public study::stage_words {
 public:
  stage_table(toml::table values, std::string place)
      : values_(std::move(values)), place_(std::move(place)) {}

  [[nodiscard]] std::string place() const override { return place_; }

  [[nodiscard]] std::vector<std::string> keys() const override {
    std::vector<std::string> names;
    for (const auto& [key, node] : values_) {
      names.emplace_back(key.str());
    }
    return names;
  }

  [[nodiscard]] std::optional<double> number(const std::string& key) const override {
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

  [[nodiscard]] std::optional<std::string> text(const std::string& key) const override {
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

  [[nodiscard]] bool flag(const std::string& key) const override {
    const toml::node* node = values_.get(key);
    if (node != nullptr && !node->is_boolean()) {
      throw error(fmt::format("{}: {} must be true or false", place_, key));
    }
    return node != nullptr && *node->value<bool>();
  }

  [[nodiscard]] std::optional<activation> function(const std::string& key) const override {
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

 private:
  toml::table values_;
  std::string place_;
};

// Every [[stage]] of a file, one after another.
study::stage_list read_file_of_stages(const file_word& file) {
  const toml::array* stages = file.values.get_as<toml::array>("stage");
  if (stages == nullptr || stages->empty() || file.values.size() != 1 ||
      !stages->is_array_of_tables()) {
    throw error(file.place + " must hold tables [[stage]], one or more, and nothing else");
  }
  study::stage_list list;
  for (const toml::node& node : *stages) {
    list.push_back(std::make_unique<const stage_table>(
        *node.as_table(), fmt::format("{}, stage {}", file.place, list.size() + 1)));
  }
  return list;
}

using json = nlohmann::ordered_json;

const json flip{{"flip", true}};

template <class Stages, class Write>
std::string written(const Stages& stages, const Write& write) {
  json list = json::array();
  for (const auto& stage : stages) {
    if constexpr (requires { stage.flips; }) {
      if (stage.flips) {
        list.push_back(flip);
      }
    }
    list.push_back(write(stage));
  }
  return json{{"stage", std::move(list)}}.dump();
}

void say(json& words, const char* key, const std::optional<double>& value, double unit = 1.0) {
  if (value) {
    words[key] = *value / unit;
  }
}

void say_until(json& words, const std::string& quantity, double at, bool is_signed) {
  words["until"] = quantity;
  words["at"] = at;
  if (is_signed) {
    words["signed"] = true;
  }
}

// What a stage trains on: its labels as they were given, else by the task alone. Throws where only
// the task is there and the noise of its labels depends on λ*, which no word says.
json words_of(const char* teacher, const learning_task& task, double label_noise,
              const std::optional<given_labels>& labels) {
  if (labels) {
    return {{teacher, labels->teacher.name()},
            {"label", labels->transform.name()},
            {"noise", labels->label_noise}};
  }
  const learning_task plain(task.risk.student(), task.risk.teacher());
  constexpr std::array places{0.21, 0.57, 0.93};
  for (const double c : places) {
    const double gap = 1.0 - c * c;
    if (task.noise.value(c, 1.0, gap, 0.0) != plain.noise.value(c, 1.0, gap, 0.0)) {
      throw argument_error("the task of a stage", "made of transformed labels that it doesn't tell",
                           "given with them: what a transform has made has no words");
    }
  }
  return {{teacher, task.risk.teacher().name()}, {"noise", label_noise}};
}

json words_of(const pretraining_stage& s, double time_unit) {
  json words = words_of("pretrain", s.task, s.parameters.label_noise, s.labels);
  words["rho"] = s.parameters.source_overlap;
  words["a0"] = s.start.a;
  words["q0"] = s.start.gap + s.start.a * s.start.a;
  words["gamma"] = s.parameters.noise_scale;
  say(words, "time", s.duration, time_unit);
  say(words, "until-risk", s.until_risk);
  return words;
}

json words_of(const tuning_stage& s, double time_unit) {
  json words = words_of("teacher", s.task, s.label_noise, s.labels);
  words["gamma"] = s.noise_scale;
  words["lr-ratio"] = s.rate_ratio;
  say(words, "time", s.duration, time_unit);
  if (s.until) {
    say_until(words, std::string(name_of(overlap_quantities, s.until->quantity)), s.until->at,
              s.until->is_signed);
  }
  return words;
}

json words_of(const flip_stage&, double) { return flip; }

json words_of(const study::network_stage_task& task) {
  json words{{"on", task.on_source ? "source" : "target"},
             {"noise", task.label_noise},
             {"lr-ratio", task.rate_ratio}};
  if (task.teacher) {
    words["teacher"] = task.teacher->name();
  }
  if (task.label) {
    words["label"] = task.label->name();
  }
  say(words, "decay", task.decay);
  return words;
}

json words_of(const study::network_pretraining& from, const study::network_stage_task& task) {
  json words{{"pretrain", task.teacher->name()},
             {"noise", task.label_noise},
             {"rho", from.source_overlap},
             {"a0", from.a},
             {"q0", from.gap + from.a * from.a}};
  if (task.label) {
    words["label"] = task.label->name();
  }
  return words;
}

file_word stages_of(const std::string& path) { return {"--stages", path, file_word::source::text}; }

}  // namespace

std::vector<training_stage> read_stages(const file_word& file, const study::activation_pair& pair,
                                        double time_unit) {
  return study::stages_of(read_file_of_stages(file), pair, time_unit);
}

std::vector<simulation_stage> read_simulation_stages(const file_word& file,
                                                     const study::activation_pair& pair,
                                                     double time_unit) {
  return study::simulation_stages_of(read_file_of_stages(file), pair, time_unit);
}

std::vector<study::network_training_stage> read_network_stages(const file_word& file,
                                                               double time_unit) {
  return study::network_stages_of(read_file_of_stages(file), time_unit);
}

std::vector<study::network_simulated_stage> read_network_simulation_stages(const file_word& file,
                                                                           double time_unit) {
  return study::network_simulation_stages_of(read_file_of_stages(file), time_unit);
}

std::string text_of(std::span<const training_stage> stages, double time_unit) {
  return written(stages, [&](const training_stage& stage) {
    return std::visit([&](const auto& s) { return words_of(s, time_unit); }, stage);
  });
}

std::string text_of(std::span<const simulation_stage> stages) {
  return written(stages, [](const simulation_stage& s) {
    json words{{"teacher", s.teacher.name()},
               {"noise", s.label_noise},
               {"lr-ratio", s.rate_ratio},
               {"lr", s.learning_rate},
               {"steps", s.steps}};
    if (s.label) {
      words["label"] = s.label->name();
    }
    return words;
  });
}

std::string text_of(std::span<const study::network_training_stage> stages, double time_unit) {
  return written(stages, [&](const study::network_training_stage& s) {
    json words = s.pretrains ? words_of(*s.pretrains, s.task) : words_of(s.task);
    words["gamma"] = s.noise_scale;
    say(words, "time", s.duration, time_unit);
    if (s.until && s.pretrains) {
      words["until-risk"] = s.until->at;
    } else if (s.until) {
      say_until(words, to_text(*s.until), s.until->at, s.until->is_signed);
    }
    return words;
  });
}

std::string text_of(std::span<const study::network_simulated_stage> stages) {
  return written(stages, [](const study::network_simulated_stage& s) {
    json words = words_of(s.task);
    words["lr"] = s.learning_rate;
    words["steps"] = s.steps;
    return words;
  });
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
