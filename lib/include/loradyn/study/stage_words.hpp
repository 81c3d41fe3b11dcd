#pragma once

/// \file
/// The stages of a training protocol in the words of a user: a file's tables, or dicts of Python.

#include <loradyn/activation/activation.hpp>
#include <loradyn/dynamics/protocol.hpp>
#include <loradyn/simulation/problem.hpp>
#include <loradyn/study/network.hpp>
#include <loradyn/study/pair.hpp>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace loradyn::study {

/// What one stage says, by the keys of docs/command-line.md, however it is written.
class stage_words {
 public:
  virtual ~stage_words() = default;
  /// Where it stands, for messages.
  [[nodiscard]] virtual std::string place() const = 0;
  /// How a key is written there.
  [[nodiscard]] virtual std::string written(const std::string& key) const { return key; }
  /// The keys that it has.
  [[nodiscard]] virtual std::vector<std::string> keys() const = 0;
  /// The number of a key; nothing where it is not given. \throws error for what is no number
  [[nodiscard]] virtual std::optional<double> number(const std::string& key) const = 0;
  /// Likewise a text.
  [[nodiscard]] virtual std::optional<std::string> text(const std::string& key) const = 0;
  /// Whether a key is true; false where it is not given. \throws error for what is neither
  [[nodiscard]] virtual bool flag(const std::string& key) const = 0;
  /// Likewise an activation.
  [[nodiscard]] virtual std::optional<activation> function(const std::string& key) const = 0;
};

/// One after another.
using stage_list = std::vector<std::unique_ptr<const stage_words>>;

/// Those of one neuron's run in time. \param time_unit what a unit of their times is in raw time
/// \throws error and argument_error, naming the stage and the key
std::vector<training_stage> stages_of(const stage_list& stages, const activation_pair& pair,
                                      double time_unit);

/// Those of its simulation: fine-tuning stages, each with its learning rate and its steps or time.
/// \throws as `stages_of`
std::vector<simulation_stage> simulation_stages_of(const stage_list& stages,
                                                   const activation_pair& pair, double time_unit);

/// Those of a network's run in time. \throws as `stages_of`
std::vector<network_training_stage> network_stages_of(const stage_list& stages, double time_unit);

/// Those of a network's simulation. \throws as `stages_of`
std::vector<network_simulated_stage> network_simulation_stages_of(const stage_list& stages,
                                                                  double time_unit);

}  // namespace loradyn::study
