// loradyn export: the finished cells of a store as a table and a figure.
// loradyn merge: several stores of one diagram into one.

#include <fmt/format.h>

#include <loradyn/error.hpp>
#include <memory>
#include <string>
#include <vector>

#include "command.hpp"
#include "message.hpp"
#include "output.hpp"
#include "phase.hpp"
#include "phase_output.hpp"
#include "phase_work.hpp"

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
  require_show(options.show);
  outputs out(options.shared);
  const sweep_store store = sweep_store::open_existing(options.store);
  const auto grid = grid_of(store.configuration().parameters);
  if (store.configuration().columns != grid->columns()) {
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
  write_store(store, *grid, options.show, out);
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

std::function<int(const invocation&)> setup_export(CLI::App& app) {
  auto options = std::make_shared<export_options>();
  app.add_option("store", options->store, "a store that loradyn phase wrote")->type_name("STORE");
  app.add_option("-o,--output", options->shared.output,
                 "the table: .csv, .json or .h5 (default: standard output, csv)")
      ->type_name("FILE");
  app.add_option("--plot", options->shared.figure, "the figure: .svg, .pdf or .png")
      ->type_name("FILE");
  app.add_option("--show", options->show, "what the colours of the figure tell")
      ->type_name("t|law|tau|risk|outcome")
      ->capture_default_str();
  app.add_flag("-q,--quiet", options->shared.quiet, "no notes on standard error");
  app.footer(
      "At any time, also while the diagram is computed: the cells that are finished, in order.\n\n"
      "Example:\n"
      "  loradyn export map.sqlite -o map.csv --plot map.svg");
  return [options](const invocation& call) { return run_export(*options, call); };
}

std::function<int(const invocation&)> setup_merge(CLI::App& app) {
  auto options = std::make_shared<merge_options>();
  app.add_option("target", options->target, "the store to write; made where there is none")
      ->type_name("TARGET");
  app.add_option("sources", options->sources, "stores of the same diagram")->type_name("SOURCE...");
  app.footer(
      "Example:\n"
      "  loradyn merge map.sqlite shard1.sqlite shard2.sqlite");
  return [options](const invocation& call) { return run_merge(*options, call); };
}

}  // namespace loradyn::cli
