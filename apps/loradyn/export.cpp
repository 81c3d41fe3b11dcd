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
#include "phase_output.hpp"

namespace loradyn::cli {
namespace {

struct export_options {
  shared_options shared;  // --output, --plot and -q are used
  std::string store;
  std::string show = "t";
};

int run_export(const export_options& options, const invocation&) {
  if (options.store.empty()) {
    throw error("STORE is missing: name a store that loradyn phase wrote");
  }
  const auto colours = read_choice("--show", options.show, phase_colour_names);
  outputs out(options.shared);
  const sweep_store store = sweep_store::open_existing(options.store);
  const auto grid = [&] {
    try {
      return phase_grid_of(store.configuration().parameters);
    } catch (const error& e) {
      throw error("'" + options.store + "': " + e.what());
    }
  }();
  if (store.configuration().columns != grid->columns().names()) {
    throw file_error("'" + options.store +
                     "' is damaged: its columns are not those of its parameters");
  }
  std::uint64_t planned = store.cells();
  try {
    planned = planned_cells(*grid, store);
  } catch (const file_error&) {
    // What is there is exported; then follows what is missing.
  }
  if (store.finished() < planned && !options.shared.quiet) {
    say("{} of {} cells are finished", store.finished(), planned);
  }
  write_store(store, *grid, colours, out);
  return done;
}

struct merge_options {
  std::string target;
  std::vector<std::string> sources;
};

int run_merge(const merge_options& options, const invocation&) {
  if (options.target.empty() || options.sources.empty()) {
    throw error("give a store to write and one or more to read: loradyn merge TARGET SOURCE...");
  }
  sweep_store target(options.target, sweep_store::configuration_of(options.sources.front()));
  for (const std::string& source : options.sources) {
    target.merge(source);
  }
  write_stdout(fmt::format("{} of {} cells are in '{}'\n", target.finished(), target.cells(),
                           options.target));
  return done;
}

}  // namespace

std::function<int(const invocation&)> setup_export(option_list& list) {
  auto options = std::make_shared<export_options>();
  list.text("store", options->store, "a store that loradyn phase wrote", "STORE");
  options->shared.output.add_to(list);
  list.text("--plot", options->shared.figure, "the figure: .svg, .pdf, .png or .tex", "FILE");
  options->shared.look.add_to(list);
  list.text("--show", options->show, "what the colours of the figure tell",
            "t|law|tau|risk|outcome");
  list.flag("-q,--quiet", options->shared.quiet, "no notes on standard error");
  list.footer(
      "At any time, also while the diagram is computed: the cells that are finished, in order.\n\n"
      "Example:\n"
      "  loradyn export map.sqlite -o map.csv --plot map.svg");
  return [options](const invocation& call) { return run_export(*options, call); };
}

std::function<int(const invocation&)> setup_merge(option_list& list) {
  auto options = std::make_shared<merge_options>();
  list.text("target", options->target, "the store to write; made where there is none", "TARGET");
  list.words("sources", options->sources, "stores of the same diagram", "SOURCE...");
  list.footer(
      "Example:\n"
      "  loradyn merge map.sqlite shard1.sqlite shard2.sqlite");
  return [options](const invocation& call) { return run_merge(*options, call); };
}

}  // namespace loradyn::cli
