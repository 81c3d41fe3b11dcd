#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <cmath>
#include <loradyn/activation/parse.hpp>
#include <loradyn/dynamics/network_event.hpp>
#include <loradyn/error.hpp>
#include <loradyn/model/transformed_labels.hpp>
#include <loradyn/nearest_names.hpp>
#include <loradyn/study/stage_words.hpp>
#include <tuple>
#include <utility>

namespace loradyn::study {
namespace {

// One stage, with what its messages say.
class stage_reader {
 public:
  explicit stage_reader(const stage_words& words) : words_(words) {}

  void allow(const std::vector<std::string>& keys) const {
    std::vector<std::string> known;
    for (const std::string& key : keys) {
      known.push_back(words_.written(key));
    }
    for (const std::string& name : words_.keys()) {
      if (std::find(keys.begin(), keys.end(), name) == keys.end()) {
        const std::string written = words_.written(name);
        throw error(fmt::format("{}: {} is no key of this stage; the nearest are {}", place(),
                                written, nearest_names(written, known)));
      }
    }
  }

  [[nodiscard]] bool has(const std::string& key) const {
    const std::vector<std::string> keys = words_.keys();
    return std::find(keys.begin(), keys.end(), key) != keys.end();
  }
  [[nodiscard]] std::optional<double> number(const std::string& key) const {
    return words_.number(key);
  }
  [[nodiscard]] std::optional<std::string> text(const std::string& key) const {
    return words_.text(key);
  }
  [[nodiscard]] bool flag(const std::string& key) const { return words_.flag(key); }
  [[nodiscard]] std::optional<activation> function(const std::string& key) const {
    return words_.function(key);
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
                              place(), *written, fault));
    }
    return f;
  }

  [[nodiscard]] std::string place() const { return words_.place(); }

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

  const stage_words& words_;
};

// A target and the noise of its labels.
struct stage_task {
  learning_task task;
  double label_noise = 0.0;
  std::optional<given_labels> labels = std::nullopt;
};

stage_task read_task(const stage_reader& s, const activation& student, const activation& teacher) {
  const double noise = s.number("noise").value_or(0.0);
  const auto label = s.label();
  if (!label) {
    return {learning_task(student, teacher), noise};
  }
  const transformed_labels labels = transform_labels(teacher, *label->as_polynomial(), noise);
  return {labels.task_of(student), labels.label_noise, given_labels{teacher, *label, noise}};
}

// `flip = true` and nothing else.
bool read_flip(const stage_reader& s) {
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

training_stage read_pretraining(const stage_reader& s, const activation& student,
                                double time_unit) {
  s.allow({"pretrain", "rho", "a0", "q0", "gamma", "noise", "label", "time", "until-risk"});
  const stage_task source = read_task(s, student, *s.function("pretrain"));
  pretraining_stage stage{
      source.task,  {}, {}, scaled(s.number("time"), time_unit), s.number("until-risk"),
      source.labels};
  stage.parameters.source_overlap = s.number("rho").value_or(1.0);
  stage.parameters.noise_scale = s.number("gamma").value_or(0.0);
  stage.parameters.label_noise = source.label_noise;
  stage.start.a = s.number("a0").value_or(0.03);
  stage.start.gap =
      s.number("q0").value_or(stage.start.a * stage.start.a) - stage.start.a * stage.start.a;
  return stage;
}

training_stage read_tuning(const stage_reader& s, const activation_pair& pair, double time_unit) {
  s.allow({"teacher", "gamma", "noise", "label", "lr-ratio", "time", "until", "at", "signed"});
  const stage_task target =
      read_task(s, pair.risk.student(), s.function("teacher").value_or(pair.risk.teacher()));
  tuning_stage stage{target.task,
                     s.number("gamma").value_or(0.0),
                     target.label_noise,
                     s.number("lr-ratio").value_or(1.0),
                     scaled(s.number("time"), time_unit),
                     std::nullopt,
                     target.labels};
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
network_stage_task read_network_task(const stage_reader& s) {
  network_stage_task task;
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
  task.label = s.label();
  return task;
}

network_training_stage read_network_pretraining(const stage_reader& s, double time_unit) {
  s.allow({"pretrain", "rho", "a0", "q0", "gamma", "noise", "label", "time", "until-risk"});
  network_training_stage stage{.task = {.teacher = s.function("pretrain"),
                                        .label_noise = s.number("noise").value_or(0.0),
                                        .label = s.label()}};
  network_pretraining from;
  from.source_overlap = s.number("rho").value_or(from.source_overlap);
  from.a = s.number("a0").value_or(from.a);
  from.gap = s.number("q0").value_or(from.a * from.a) - from.a * from.a;
  stage.pretrains = from;
  stage.noise_scale = s.number("gamma").value_or(0.0);
  stage.duration = scaled(s.number("time"), time_unit);
  if (const auto risk = s.number("until-risk")) {
    stage.until = network_overlap_event{
        .quantity = network_overlap_quantity::risk, .at = *risk, .is_signed = false, .entry = {}};
  }
  return stage;
}

network_training_stage read_network_tuning(const stage_reader& s, double time_unit) {
  s.allow({"teacher", "on", "gamma", "noise", "label", "lr-ratio", "decay", "time", "until", "at",
           "signed"});
  network_training_stage stage{.task = read_network_task(s)};
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
std::pair<double, std::uint64_t> read_length(const stage_reader& s, double time_unit) {
  const auto rate = s.number("lr");
  if (!rate || !(*rate > 0.0)) {
    throw error(fmt::format("{}: lr must be given, and > 0", s.place()));
  }
  const auto steps = s.number("steps");
  const auto time = scaled(s.number("time"), time_unit);
  if (steps.has_value() == time.has_value()) {
    throw error(fmt::format("{}: give either steps or time", s.place()));
  }
  constexpr double most = 1e14;  // still whole numbers of a double, and years of any machine
  const double count = steps ? *steps : std::ceil(*time / *rate - 1e-9);
  if (!(count >= 1.0 && count <= most && count == std::floor(count))) {
    throw error(fmt::format("{}: {} must make a whole number of steps, from 1 to {}", s.place(),
                            steps ? "steps" : "time", most));
  }
  return {*rate, static_cast<std::uint64_t>(count)};
}

network_simulated_stage read_network_simulated(const stage_reader& s, double time_unit) {
  s.allow({"teacher", "on", "noise", "label", "lr-ratio", "decay", "lr", "steps", "time"});
  network_simulated_stage stage{.task = read_network_task(s)};
  std::tie(stage.learning_rate, stage.steps) = read_length(s, time_unit);
  return stage;
}

simulation_stage read_simulated(const stage_reader& s, const activation_pair& pair,
                                double time_unit) {
  s.allow({"teacher", "noise", "label", "lr-ratio", "lr", "steps", "time"});
  simulation_stage stage{.teacher = s.function("teacher").value_or(pair.risk.teacher())};
  stage.label_noise = s.number("noise").value_or(0.0);
  stage.label = s.label();
  stage.rate_ratio = s.number("lr-ratio").value_or(1.0);
  std::tie(stage.learning_rate, stage.steps) = read_length(s, time_unit);
  return stage;
}

// Stages that may begin with a flip.
template <class Stage, class Read>
std::vector<Stage> flipping_stages(const stage_list& list, const Read& read) {
  std::vector<Stage> stages;
  std::string flip;  // the place of one that the next stage begins with
  for (const auto& words : list) {
    const stage_reader s(*words);
    if (read_flip(s)) {
      flip = flip.empty() ? s.place() : "";  // two of them are none
    } else {
      stages.push_back(read(s));
      stages.back().flips = !std::exchange(flip, "").empty();
    }
  }
  if (!flip.empty() || stages.empty()) {
    throw error(
        fmt::format("{}: a flip must be followed by a stage that trains", list.back()->place()));
  }
  return stages;
}

}  // namespace

std::vector<training_stage> stages_of(const stage_list& list, const activation_pair& pair,
                                      double time_unit) {
  std::vector<training_stage> stages;
  for (const auto& words : list) {
    const stage_reader s(*words);
    if (read_flip(s)) {
      stages.emplace_back(flip_stage{});
    } else {
      stages.push_back(s.has("pretrain") ? read_pretraining(s, pair.risk.student(), time_unit)
                                         : read_tuning(s, pair, time_unit));
    }
  }
  return stages;
}

std::vector<simulation_stage> simulation_stages_of(const stage_list& stages,
                                                   const activation_pair& pair, double time_unit) {
  return flipping_stages<simulation_stage>(
      stages, [&](const stage_reader& s) { return read_simulated(s, pair, time_unit); });
}

std::vector<network_training_stage> network_stages_of(const stage_list& stages, double time_unit) {
  return flipping_stages<network_training_stage>(stages, [&](const stage_reader& s) {
    return s.has("pretrain") ? read_network_pretraining(s, time_unit)
                             : read_network_tuning(s, time_unit);
  });
}

std::vector<network_simulated_stage> network_simulation_stages_of(const stage_list& stages,
                                                                  double time_unit) {
  return flipping_stages<network_simulated_stage>(
      stages, [&](const stage_reader& s) { return read_network_simulated(s, time_unit); });
}

}  // namespace loradyn::study
