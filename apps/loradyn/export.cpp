// loradyn export: the finished cells of a store as a table and a figure.
// loradyn merge: several stores of one diagram into one.

#include <fmt/format.h>

#include <loradyn/error.hpp>
#include <loradyn/report/phase_work.hpp>
#include <loradyn/report/problem_text.hpp>
#include <memory>
#include <string>
#include <vector>

#include "command.hpp"
#include "message.hpp"
#include "output.hpp"

namespace loradyn::cli {
namespace {

int run_export(const question& words, const invocation&) {
  const std::string name = words.text("store");
  if (name.empty()) {
    throw error("STORE is missing: name a store that loradyn phase wrote");
  }
  const auto colours = read_choice("--show", words.text("show"), phase_colour_names);
  outputs out(words);
  const sweep_store store = sweep_store::open_existing(name);
  const auto grid = [&] {
    try {
      return phase_grid_of(store.configuration().parameters);
    } catch (const error& e) {
      throw error("'" + name + "': " + e.what());
    }
  }();
  if (store.configuration().columns != grid->columns().names()) {
    throw file_error("'" + name + "' is damaged: its columns are not those of its parameters");
  }
  std::uint64_t planned = store.cells();
  try {
    planned = planned_cells(*grid, store);
  } catch (const file_error&) {
    // What is there is exported; then follows what is missing.
  }
  if (store.finished() < planned && !words.says("quiet")) {
    say("{} of {} cells are finished", store.finished(), planned);
  }
  write_store(store, *grid, colours, out);
  return done;
}

int run_merge(const std::string& name, const std::vector<std::string>& sources) {
  if (name.empty() || sources.empty()) {
    throw error("give a store to write and one or more to read: loradyn merge TARGET SOURCE...");
  }
  sweep_store target(name, sweep_store::configuration_of(sources.front()));
  for (const std::string& source : sources) {
    target.merge(source);
  }
  write_stdout(
      fmt::format("{} of {} cells are in '{}'\n", target.finished(), target.cells(), name));
  return done;
}

}  // namespace

std::function<int(const invocation&)> setup_export(option_list& list) {
  list.text("store", "a store that loradyn phase wrote", "STORE");
  add_table(list);
  list.text("--plot", "the figure: .svg, .pdf, .png or .tex", "FILE");
  add_look(list);
  list.text("--show", "what the colours of the figure tell", "t|law|tau|risk|outcome", "t");
  list.flag("-q,--quiet", "no notes on standard error");
  list.footer(
      "At any time, also while the diagram is computed: the cells that are finished, in order.\n\n"
      "Example:\n"
      "  loradyn export map.sqlite -o map.csv --plot map.svg");
  return running(list, run_export);
}

std::function<int(const invocation&)> setup_merge(option_list& list) {
  auto sources = std::make_shared<std::vector<std::string>>();
  list.text("target", "the store to write; made where there is none", "TARGET");
  list.words("sources", *sources, "stores of the same diagram", "SOURCE...");
  list.footer(
      "Example:\n"
      "  loradyn merge map.sqlite shard1.sqlite shard2.sqlite");
  return [said = list.said(), sources](const invocation&) {
    return run_merge(said->said().text("target"), *sources);
  };
}

}  // namespace loradyn::cli
