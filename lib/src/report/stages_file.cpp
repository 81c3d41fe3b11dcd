#include <fmt/format.h>

#include <loradyn/activation/parse.hpp>
#include <loradyn/error.hpp>
#include <loradyn/report/stages_file.hpp>
#include <loradyn/study/stage_words.hpp>
#include <memory>
#include <optional>
#include <utility>
#include "report/file_words.hpp"

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
