// A TOML file gives a command its options (--config), or a run its start (--start), or is refused
// with an error. What was given is given by a file that says it again.

#include <CLI/CLI.hpp>
#include <loradyn/error.hpp>
#include <loradyn/report/network_file.hpp>
#include <loradyn/report/question.hpp>
#include <loradyn/report/start_file.hpp>
#include <sstream>
#include <vector>

#include <toml++/toml.h>

#include "config.hpp"
#include "fuzz.hpp"
#include "options.hpp"

namespace {

using namespace loradyn;
using fuzz::require;

// A command with options of every kind.
struct command {
  command() {
    cli::option_list list(app);
    cli::add_shared(list);
    cli::add_mu(list, "R");
    cli::add_start(list, "1e-6");
    cli::add_event(list, "m", "0.5");
    cli::add_integrator(list);
    cli::add_law(list, "R");
    list.words("words", words, "words", "WORD");
    cli::add_start_file(list);
    said = list.said();
  }

  void apply(const std::string& path) {
    cli::apply_config(app, path, {"rates", "phase"}, [] { return std::vector<std::string>(); });
  }

  // Every option that has a value, as its texts.
  [[nodiscard]] toml::table given() const {
    toml::table values;
    for (const CLI::Option* option : app.get_options()) {
      if (option->count() > 0 && !option->get_lnames().empty()) {
        toml::array texts;
        for (const std::string& text : option->results()) {
          texts.push_back(text);
        }
        values.insert(option->get_lnames().front(), std::move(texts));
      }
    }
    return values;
  }

  CLI::App app{"", "rates"};
  std::vector<std::string> words;
  std::shared_ptr<const cli::option_words> said;
};

// Whatever the texts are, what reads options takes them or refuses them.
template <class Read>
void read_or_refuse(const Read& read) {
  try {
    static_cast<void>(read());
  } catch (const error&) {
  }
}

void read_options(const command& c) {
  const question words = c.said->said();
  read_or_refuse([&] { return cli::read_style(words); });
  read_or_refuse([&] { return cli::read_threads(words); });
  read_or_refuse([&] { return pairs_of(words); });
  read_or_refuse([&] { return read_question<study::escape_problem>(words); });
  read_or_refuse([&] { return read_question<study::network_escape_problem>(words); });
}

void read_config(const fuzz::directory& place, std::string_view content) {
  command first;
  try {
    first.apply(place.write("config.toml", content));
  } catch (const error&) {
    return;
  }
  read_options(first);
  std::ostringstream said;
  const toml::table given = first.given();
  said << given;
  command second;
  try {
    second.apply(place.write("again.toml", said.str()));
  } catch (const error& e) {
    require(false, e.what());
  }
  require(second.given() == given, "options that are said again are the same");
}

void read_start(const fuzz::directory& place, std::string_view content) {
  start_values read;
  try {
    read = read_start_file(place.write("start.toml", content));
  } catch (const error&) {
    return;
  }
  const std::string path = place.file("again.toml");
  write_start_file(path, read);
  const start_values again = read_start_file(path);
  require(again.x.u == read.x.u && again.x.m == read.x.m && again.x.s == read.x.s,
          "a start reads back as it is");
  require(again.alignment == read.alignment && again.misalignment == read.misalignment,
          "a weight reads back as it is");
}

// A network's start reads back as it is.
void read_network_start(const fuzz::directory& place, std::string_view content) {
  const std::string path = place.write("network.toml", content);
  if (!is_network_start_file(path)) {
    return;
  }
  try {
    const network_start_values read = read_network_start_file(path);
    write_network_start_file(path, read);
    const network_start_values again = read_network_start_file(path);
    require(again.start.C == read.start.C && again.start.P == read.start.P &&
                again.start.U.has_value() == read.start.U.has_value() &&
                again.geometry.pretrained == read.geometry.pretrained &&
                again.geometry.readout == read.geometry.readout,
            "a network's start reads back as it is");
  } catch (const error&) {
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const fuzz::directory place;
  const std::string content = fuzz::text_of(data, size);
  read_config(place, content);
  read_start(place, content);
  read_network_start(place, content);
  return 0;
}
