#include "report/question_io.hpp"

#include <charconv>
#include <cmath>
#include <loradyn/activation/parse.hpp>
#include <loradyn/report/start_file.hpp>
#include <loradyn/simulation/random.hpp>
#include <nlohmann/json.hpp>
#include <set>
#include "report/file_word.hpp"
#include "report/one_line.hpp"
#include "report/parameter_json.hpp"

namespace loradyn {

namespace registry = study::registry;

bool question::says(std::string_view name) const { return !text(name).empty(); }

std::string question::text(std::string_view name) const {
  for (const auto& [key, value] : said_) {
    if (key == name) {
      const nlohmann::ordered_json held = parameter_json(value);
      return held.is_string() ? held.get<std::string>() : value;
    }
  }
  return {};
}

void question::say(const std::string& name, const std::string& text) {
  const auto found =
      std::find_if(said_.begin(), said_.end(), [&](const auto& p) { return p.first == name; });
  if (text.empty()) {
    if (found != said_.end()) {
      said_.erase(found);
    }
  } else if (found != said_.end()) {
    found->second = text;
  } else {
    said_.emplace_back(name, text);
  }
}

std::string to_json(const question& words) {
  auto object = nlohmann::ordered_json::object();
  for (const auto& [name, value] : words.said()) {
    object[name] = parameter_json(value);
  }
  return object.dump(-1, ' ', false, nlohmann::ordered_json::error_handler_t::replace);
}

question question_from_json(std::string_view text) {
  using json = nlohmann::ordered_json;
  std::set<std::string> names;
  json object;
  try {
    object = json::parse(text, [&](int depth, json::parse_event_t event, json& parsed) {
      if (depth > deepest_json) {
        throw error("it is nested too deep");
      }
      if (depth == 1 && event == json::parse_event_t::key &&
          !names.insert(parsed.get<std::string>()).second) {
        throw error("'" + parsed.get<std::string>() + "' is given twice");
      }
      return true;
    });
  } catch (const json::exception& e) {
    throw error("it is no JSON: " + one_line(e.what()));
  }
  if (!object.is_object()) {
    throw error("it is no object");
  }
  parameter_list said;
  for (const auto& [name, value] : object.items()) {
    const bool is_list = value.is_array() && !value.empty() &&
                         std::all_of(value.begin(), value.end(),
                                     [](const json& element) { return element.is_number(); });
    std::string word = value.is_string() ? text_parameter(value.get<std::string>()) : value.dump();
    said.emplace_back(name, is_list ? word.substr(1, word.size() - 2) : word);
  }
  return question(std::move(said));
}

question_reader::question_reader(question words) : words_(std::move(words)) {}

std::string question_reader::peek(std::string_view name) {
  used_.emplace(name);
  return words_.text(name);
}

std::string question_reader::text(std::string_view name) {
  take_in_order({name});
  return peek(name);
}

void question_reader::take_in_order(std::initializer_list<std::string_view> names) {
  for (const std::string_view name : names) {
    const auto is_it = [&](const auto& p) { return p.first == name; };
    const parameter_list& all = words_.said();
    const auto found = std::find_if(all.begin(), all.end(), is_it);
    if (found != all.end() && std::none_of(said_.begin(), said_.end(), is_it)) {
      said_.push_back(*found);
    }
  }
}

const file_word& question_reader::file(std::string_view name) {
  auto& held = files_[std::string(name)];
  if (held == nullptr) {
    // Stages are what a user types, and may come by a pipe; the others are looked at twice.
    const auto from = name == "stages" ? file_word::source::text : file_word::source::regular;
    held = std::make_shared<const file_word>(option_of(name), peek(name), from);
    tell(name, held->content());
  }
  return *held;
}

void question_reader::tell(std::string_view name, const std::string& value) {
  const auto found =
      std::find_if(said_.begin(), said_.end(), [&](const auto& p) { return p.first == name; });
  if (found == said_.end()) {
    said_.emplace_back(name, value);
  } else {
    found->second = value;
  }
}

void question_reader::flag(std::string_view name, bool& value) {
  if (const std::string said = text(name); !said.empty()) {
    if (said != "true" && said != "false") {
      throw argument_error(option_of(name), "'" + said + "'", "true or false");
    }
    value = said == "true";
  }
  tell(name, value ? "true" : "false");
}

void question_reader::refuse(std::initializer_list<std::string_view> names,
                             const std::string& reason) {
  for (const std::string_view name : names) {
    if (const std::string said = peek(name); !said.empty()) {
      throw argument_error(option_of(name), "'" + said + "'", "left out: " + reason);
    }
  }
}

void question_reader::require_all_used() const {
  for (const auto& [name, value] : words_.said()) {
    if (!used_.contains(name)) {
      throw error("'" + name + "' is no part of it");
    }
  }
}

double read_number(const std::string& option, const std::string& text) {
  return parse_number(option, text);
}

double read_positive(const std::string& option, const std::string& text) {
  const double value = parse_number(option, text);
  if (!(value > 0.0)) {
    throw argument_error(option, "'" + text + "'", "> 0");
  }
  return value;
}

double read_at_least_zero(const std::string& option, const std::string& text) {
  const double value = parse_number(option, text);
  if (value < 0.0) {
    throw argument_error(option, "'" + text + "'", ">= 0");
  }
  return value;
}

double read_overlap(const std::string& option, const std::string& text) {
  const double value = parse_number(option, text);
  if (!(std::abs(value) <= 1.0)) {
    throw argument_error(option, "'" + text + "'", "between -1 and 1");
  }
  return value;
}

std::uint64_t read_count(const std::string& option, const std::string& text, std::uint64_t least,
                         std::uint64_t most) {
  std::uint64_t whole = 0;
  const char* const end = text.data() + text.size();
  const auto [stop, fault] = std::from_chars(text.data(), end, whole);
  bool is_whole = fault == std::errc() && stop == end;
  if (!is_whole) {
    // Of a number that is not written as digits no more than 53 bits are known.
    const double value = parse_number(option, text);
    is_whole = value >= 0.0 && value == std::floor(value) && value <= 0x1p63;
    whole = is_whole ? static_cast<std::uint64_t>(value) : 0;
  }
  if (!is_whole || whole < least || whole > most) {
    throw argument_error(option, "'" + text + "'",
                         fmt::format("a whole number from {} to {}", least, most));
  }
  return whole;
}

std::vector<double> read_quantiles(const std::string& option, const std::string& text) {
  std::vector<double> quantiles = parse_range(option, text);
  for (const double p : quantiles) {
    if (!(p > 0.0 && p < 1.0)) {
      throw argument_error(option, "'" + text + "'", "between 0 and 1");
    }
  }
  return quantiles;
}

activation read_activation(const std::string& option, const std::string& text) {
  try {
    return parse_activation(text);
  } catch (const parse_error& e) {
    throw error(fmt::format("{} '{}': {}", option, text, e.what()));
  }
}

std::uint64_t read_seed(const std::string& option, const std::string& text) {
  return read_count(option, text, 0, UINT64_MAX);
}

std::uint64_t read_simulation_seed(const std::string& option, const std::string& text) {
  const std::uint64_t seed = read_seed(option, text);
  if (seed > max_seed) {
    throw argument_error(option, text, fmt::format("at most {}", max_seed));
  }
  return seed;
}

double read_value(const study::parameter& p, const std::string& text) {
  const double value = parse_number(option_of(p), text);
  if (!p.allows(value)) {
    throw argument_error(option_of(p), "'" + text + "'", "a number " + p.range());
  }
  return value;
}

std::vector<double> read_values(const study::parameter& p, const std::string& text) {
  std::vector<double> values = parse_range(option_of(p), text);
  if (!std::all_of(values.begin(), values.end(), [&p](double v) { return p.allows(v); })) {
    throw argument_error(option_of(p), "'" + text + "'", p.range());
  }
  return values;
}

namespace {

constexpr const char* of_each_stage = "each stage says its own";

}  // namespace

void refuse_parameters_of_stages(question_reader& io, const study::parameter* made) {
  for (const study::parameter* p : study::model_parameters) {
    const std::string text = io.peek(p->name);
    if (p != &registry::mu && p != &registry::nu && p != made && !text.empty() &&
        text != fmt::format("{}", *p->standard)) {
      io.refuse({p->name}, of_each_stage);
    }
  }
}

void tell_of_stages(question_reader& io, double learning_rate, std::uint64_t steps) {
  io.refuse({"t-end"}, of_each_stage);
  for (const auto& [name, value] :
       {std::pair("lr", fmt::format("{}", learning_rate)), {"steps", std::to_string(steps)}}) {
    if (io.says(name) && io.peek(name) != value) {
      io.refuse({name}, of_each_stage);
    }
    io.tell(name, value);
  }
}

std::string parameter_text(question_reader& io, const study::parameter& p) {
  std::string text = io.text(p.name);
  if (text.empty() && p.standard) {
    text = fmt::format("{}", *p.standard);
    io.tell(p.name, text);
  }
  return text;
}

namespace {

// The activations of a list.
std::vector<activation> read_activations(const std::string& option, const std::string& list) {
  std::vector<activation> activations;
  for (const std::string_view text : split_activations(list)) {
    activations.push_back(read_activation(option, std::string(text)));
  }
  return activations;
}

}  // namespace

void take_common(question_reader& io) {
  io.take_in_order({"student", "teacher"});
  for (const study::parameter* p : study::model_parameters) {
    io.take_in_order({p->name});
  }
  io.take_in_order({"time-unit", "seed"});
  static_cast<void>(io.peek("seed"));
}

std::vector<study::activation_pair> read_pairs(question_reader& io) {
  take_common(io);
  const std::string panels = io.text("student");
  if (panels.empty()) {
    throw error("--student is missing: name an activation, such as --student erf");
  }
  std::vector<activation> students;
  constexpr std::string_view between = " | ";  // the lists of two panels
  for (std::size_t begin = 0; begin <= panels.size();) {
    const std::size_t end = std::min(panels.find(between, begin), panels.size());
    for (activation& a : read_activations("--student", panels.substr(begin, end - begin))) {
      students.push_back(std::move(a));
    }
    begin = end + between.size();
  }
  std::vector<activation> teachers;
  if (const std::string list = io.text("teacher"); !list.empty()) {
    teachers = read_activations("--teacher", list);
    if (students.size() == 1 && teachers.size() > 1) {
      students.insert(students.end(), teachers.size() - 1, activation(students.front()));
    }
    if (teachers.size() != 1 && teachers.size() != students.size()) {
      throw argument_error(
          "--teacher", "'" + list + "'",
          fmt::format("one activation, or one for each of the {} students", students.size()));
    }
  }
  auto unit = study::time_unit::raw;
  io.choice("time-unit", unit, study::time_units);
  std::vector<study::activation_pair> pairs;
  for (std::size_t i = 0; i < students.size(); ++i) {
    pairs.push_back(study::make_pair(
        students[i], teachers.empty() ? students[i] : teachers[teachers.size() == 1 ? 0 : i],
        unit));
  }
  return pairs;
}

std::vector<study::activation_pair> pairs_of(const question& words) {
  question_reader io(words);
  return read_pairs(io);
}

study::activation_pair read_pair(question_reader& io, const std::string& expected) {
  std::vector<study::activation_pair> pairs = read_pairs(io);
  if (pairs.size() != 1) {
    throw argument_error("--student", fmt::format("{} activations", pairs.size()), expected);
  }
  io.keep_pair(pairs.front());
  return std::move(pairs.front());
}

void say_pairs(question_writer& io, std::span<const study::activation_pair> pairs) {
  std::vector<std::string> students;
  std::vector<std::string> teachers;
  for (const study::activation_pair& pair : pairs) {
    students.push_back(pair.student());
    teachers.push_back(pair.teacher());
  }
  io.say_name("student", fmt::format("{}", fmt::join(students, ",")));
  if (teachers != students) {
    io.say_name("teacher", fmt::format("{}", fmt::join(teachers, ",")));
  }
  const bool is_raw = std::all_of(pairs.begin(), pairs.end(),
                                  [](const auto& pair) { return pair.rate_unit == 1.0; });
  io.choice("time-unit", is_raw ? study::time_unit::raw : study::time_unit::fisher,
            study::time_units);
}

void read_point(question_reader& io, study::parameter_point& at) {
  for (const study::parameter* p : study::model_parameters) {
    if (p != &registry::mu && p != &registry::nu) {
      p->set(at, read_value(*p, parameter_text(io, *p)));
    }
  }
}

double read_single_mu(question_reader& io) {
  const std::string text = io.text("mu");
  if (text.empty()) {
    throw error("--mu is missing: give the alignment, such as --mu 0.5");
  }
  return read_value(registry::mu, text);
}

double read_single_nu(question_reader& io, const std::string& expected) {
  const std::string text = parameter_text(io, registry::nu);
  const std::vector<double> nu = read_values(registry::nu, text);
  if (nu.size() != 1) {
    throw argument_error("--nu", "'" + text + "'", expected);
  }
  return nu.front();
}

study::parameter_grid read_grid(question_reader& io,
                                std::span<const study::parameter* const> swept) {
  study::parameter_grid grid;
  for (const study::parameter* p : study::model_parameters) {
    const std::string text = parameter_text(io, *p);
    if (text.empty()) {
      throw error("--mu is missing: give the alignments, such as --mu 0.1:0.9:9");
    }
    if (std::find(swept.begin(), swept.end(), p) != swept.end()) {
      grid.axes.push_back({p, read_values(*p, text)});
    } else {
      p->set(grid.otherwise, read_value(*p, text));
    }
  }
  return grid;
}

void say_point(question_writer& io, const study::parameter_point& at,
               std::span<const study::parameter* const> parameters) {
  for (const study::parameter* p : parameters) {
    // A network of rows of its own has no alignment.
    if (const std::optional<double> value = p->get(at); p != &registry::mu || !std::isnan(*value)) {
      io.member(p->name, value, read_number);
    }
  }
}

void say_grid(question_writer& io, const study::parameter_grid& grid) {
  say_point(io, grid.otherwise, study::model_parameters);
  for (const study::swept_parameter& axis : grid.axes) {
    io.member(axis.what->name, axis.values, read_quantiles);
  }
}

std::vector<study::extent> extents_of(question_reader& io, const study::parameter_grid& grid,
                                      std::size_t pairs) {
  std::vector<study::extent> extents;
  for (const study::swept_parameter& axis : grid.axes) {
    const bool of_the_model =
        std::find(study::model_parameters.begin(), study::model_parameters.end(), axis.what) !=
        study::model_parameters.end();
    const auto count = static_cast<double>(axis.values.size());
    extents.push_back({option_of(*axis.what),
                       of_the_model ? io.peek(axis.what->name) : fmt::format("{}", count), count,
                       !of_the_model});
  }
  extents.push_back({"--student", io.peek("student"), static_cast<double>(pairs)});
  return extents;
}

void read_start_file_of(question_reader& io) {
  const std::string path = io.peek("start");
  if (path.empty()) {
    return;
  }
  const start_values from = read_start_file(path);
  study::parameter_point point;
  point.parameters.alignment = from.alignment;
  point.parameters.misalignment = from.misalignment;
  point.start = from.x;
  for (const study::parameter* p :
       {&registry::mu, &registry::nu, &registry::u0, &registry::m0, &registry::s0}) {
    io.replace(std::string(p->name), fmt::format("{}", *p->get(point)));
  }
}

overlap_state read_start(question_reader& io) {
  study::parameter_point point;
  for (const study::parameter* p : study::start_parameters) {
    p->set(point, parse_number(option_of(*p), parameter_text(io, *p)));
  }
  const overlap_state& x = point.start;
  if (!in_disc(x)) {
    throw argument_error("--m0 " + io.peek("m0") + " with --s0 " + io.peek("s0"),
                         fmt::format("m0^2 + s0^2 = {}", x.m * x.m + x.s * x.s), "at most 1");
  }
  return x;
}

void say_start(question_writer& io, const overlap_state& x) {
  study::parameter_point at;
  at.start = x;
  say_point(io, at, study::start_parameters);
}

namespace {

// An event of this level; an empty one is none.
overlap_event event_at(question_reader& io, const std::string& standard, const std::string& at) {
  overlap_event event;
  std::string quantity = io.text("event");
  if (quantity.empty()) {
    quantity = standard;
    io.tell("event", quantity);
  }
  event.quantity = read_choice("--event", quantity, overlap_quantities);
  if (!at.empty()) {
    event.at = parse_number("--at", at);
  } else if (event.quantity != overlap_quantity::m) {
    throw error("--at is missing: give the value that " + quantity + " reaches");
  }
  if (io.text("at").empty()) {
    io.tell("at", fmt::format("{}", event.at));
  }
  io.flag("signed", event.is_signed);
  if (event.quantity == overlap_quantity::risk && event.is_signed) {
    throw argument_error("--signed", "given", "left out: it does nothing for the risk");
  }
  if (event.quantity == overlap_quantity::m &&
      !(event.at < 1.0 && event.at > (event.is_signed ? -1.0 : 0.0))) {
    throw argument_error("--at", "'" + at + "'",
                         event.is_signed ? "between -1 and 1" : "between 0 and 1 for |m|");
  }
  if (event.quantity == overlap_quantity::M && !event.is_signed && event.at < 0.0) {
    throw argument_error("--at", "'" + at + "'", ">= 0 for |M|; --signed takes M itself");
  }
  return event;
}

}  // namespace

overlap_event read_event(question_reader& io, const std::string& standard) {
  return event_at(io, standard, io.peek("at"));
}

overlap_event read_events(question_reader& io, study::parameter_grid& grid) {
  const std::string at = io.peek("at");
  if (at.find_first_of(",:") == std::string::npos) {
    return read_event(io, "m");
  }
  study::swept_parameter levels{&registry::at, parse_range("--at", at)};
  std::vector<overlap_event> events;
  for (const double level : levels.values) {
    events.push_back(event_at(io, "m", fmt::format("{}", level)));
  }
  grid.axes.push_back(std::move(levels));
  return events.front();
}

void say_event(question_writer& io, const overlap_event& event) {
  io.choice("event", event.quantity, overlap_quantities);
  io.member("at", event.at, read_number);
  io.flag("signed", event.is_signed);
}

study::record_times read_record(question_reader& io) { return read_record(io.text("points")); }

study::record_times read_record(const std::string& text) {
  study::record_times record;
  if (text.empty()) {
    return record;
  }
  record.logarithmic = text.starts_with("log:");
  const std::string number = record.logarithmic ? text.substr(4) : text;
  if (number.find_first_of(":,") != std::string::npos) {
    record.times = parse_range("--points", text);
    return record;
  }
  const double n = parse_number("--points", number);
  if (!(n >= 2.0 && n <= static_cast<double>(max_range_size) && n == std::floor(n))) {
    throw argument_error("--points", "'" + text + "'",
                         fmt::format("a number from 2 to {}, log: before it or not, or a range of "
                                     "times",
                                     max_range_size));
  }
  record.count = static_cast<std::size_t>(n);
  return record;
}

void say_record(question_writer& io, const study::record_times& record) {
  if (record.times.empty()) {
    io.say("points", fmt::format("{}{}", record.logarithmic ? "log:" : "", record.count));
  } else if (record.times.size() > 1) {
    io.member("points", record.times, read_quantiles);
  } else {
    // As a range: one number would be how many there are.
    throw argument_error("the times", "one", "two or more, or how many");
  }
}

std::uint64_t read_record_size(const std::string& text) {
  constexpr std::uint64_t most_points = 100'000'000;
  return read_count("--points", text.starts_with("log:") ? text.substr(4) : text, 2, most_points);
}

std::vector<std::uint64_t> read_steps_of_record(question_reader& io, std::uint64_t steps) {
  std::string text = io.text("points");
  text = text.empty() ? "101" : text;
  const std::uint64_t n = read_record_size(text);
  return text.starts_with("log:") ? logarithmic_record(steps, n) : linear_record(steps, n);
}

void say_steps_of_record(question_writer& io, const std::vector<std::uint64_t>& record,
                         std::uint64_t steps) {
  const std::uint64_t n = record.size();
  if (n >= 2 && record == linear_record(steps, n)) {
    io.say("points", std::to_string(n));
    return;
  }
  // Of a logarithmic record steps that round to the same one are left out.
  for (std::uint64_t asked = std::max<std::uint64_t>(n, 2); asked <= 64 * n + 64; ++asked) {
    const std::vector<std::uint64_t> made = logarithmic_record(steps, asked);
    if (made == record) {
      io.say("points", fmt::format("log:{}", asked));
      return;
    }
    if (made.size() > n) {
      break;
    }
  }
  throw argument_error("the recorded steps", "others",
                       "evenly spaced from 0 to the last, or logarithmically");
}

void tell_gamma(question_reader& io, double gamma) {
  if (const std::string said = io.peek("gamma");
      !said.empty() && said != "0" && parse_number("--gamma", said) != gamma) {
    throw argument_error("--gamma", "'" + said + "'", "left out: --dim, --batch and --lr make it");
  }
  io.tell("gamma", fmt::format("{}", gamma));
}

std::uint64_t read_steps(question_reader& io, double learning_rate, double unit) {
  const std::string steps = io.peek("steps");
  const std::string t_end = io.peek("t-end");
  if (steps.empty() == t_end.empty()) {
    throw error("give either --steps or --t-end, the length of a run");
  }
  std::uint64_t count = 0;
  if (!steps.empty()) {
    count = read_count("--steps", steps, 1, random_steps - 1);
  } else {
    const double taken = std::ceil(parse_number("--t-end", t_end) / unit / learning_rate - 1e-9);
    if (!(taken >= 1.0 && taken < static_cast<double>(random_steps))) {
      throw argument_error("--t-end", "'" + t_end + "'",
                           fmt::format("> 0 and less than {} steps", random_steps));
    }
    count = static_cast<std::uint64_t>(taken);
  }
  io.tell("steps", std::to_string(count));
  return count;
}

}  // namespace loradyn
