#pragma once

// The options of the commands that integrate the flow.

#include <CLI/CLI.hpp>
#include <loradyn/dynamics/integrate.hpp>
#include <loradyn/dynamics/overlap_event.hpp>
#include <loradyn/model/learning_task.hpp>
#include <loradyn/model/overlaps.hpp>
#include <string>
#include <utility>
#include <vector>

#include "options.hpp"

namespace loradyn::cli {

// As text until `read` turns them into values, so that every fault can name its option.
struct start_options {
  std::string u0;
  std::string m0 = "0.03";
  std::string s0 = "0";
  std::string file = {};  // the end state of a trajectory, instead of these and of --mu, --nu

  // `u0` says what the default of --u0 is.
  void add_to(CLI::App& app, const std::string& u0_default);
  // --start, which excludes what it gives; after all other options.
  void add_file_to(CLI::App& app);
};

struct event_options {
  std::string quantity;
  std::string at;
  bool is_signed = false;

  void add_to(CLI::App& app, const std::string& quantity_default, const std::string& at_default);
};

// --max-steps of commands with a run in every row, unless given: a run that arrives takes some
// hundred steps, some thousand at a tolerance of 1e-13, and one that does not ends within seconds.
inline constexpr std::size_t row_step_limit = 50'000;

struct integrator_options {
  std::string t_max = "inf";
  std::string rtol = "1e-9";
  std::string atol = "1e-16";
  std::string method = "auto";
  std::size_t max_steps = 1'000'000;  // of a command that runs once; see row_step_limit

  void add_to(CLI::App& app);
};

// The law over random starts.
struct law_options {
  std::string dimension;
  std::string quantiles = "0.05,0.25,0.5,0.75,0.95";

  void add_to(CLI::App& app);
};

// What --start says, as the text of the options whose place it takes; nothing without it. Throws
// error and argument_error, naming the file and the key.
void read_start_file(start_options& options, shared_options& shared, std::string& mu);
// Writes the state and the weight that --start reads back to the same bits.
void write_start_file(const std::string& path, const overlap_state& x, double alignment,
                      double misalignment);

// Throw argument_error, naming the option.
overlap_state read_start(const start_options& options);
overlap_event read_event(const event_options& options);
// `time_unit` is what a unit of the table's time is in raw time.
integration_options read_integrator(const integrator_options& options, double time_unit);

// Name and text of these options, for a table's provenance.
using described = std::vector<std::pair<std::string, std::string>>;
described describe(const start_options& options);
described describe(const event_options& options);
described describe(const integrator_options& options);
described describe(const law_options& options);

// A student and its teacher as the flow needs them.
learning_task task_of(const activation_pair& pair);

}  // namespace loradyn::cli
