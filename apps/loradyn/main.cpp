// The program: reads the command line, runs a command, and gives every failure one line and an exit
// code.

#include <fmt/format.h>
#include <malloc.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <array>
#include <csignal>
#include <cstdio>
#include <loradyn/error.hpp>
#include <loradyn/nearest_names.hpp>
#include <loradyn/report/figure.hpp>
#include <loradyn/report/printable.hpp>
#include <loradyn/version.hpp>
#include <memory>
#include <new>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "command.hpp"
#include "config.hpp"
#include "files.hpp"
#include "help.hpp"
#include "interruption.hpp"
#include "manual.hpp"
#include "message.hpp"

namespace {

using namespace loradyn;
using namespace loradyn::cli;

struct command_entry {
  const char* name;
  const char* summary;
  setup prepare;
};
constexpr std::array<command_entry, 15> commands{{
    {"rates", "how long the search phase lasts: A, B, C, lambda and tau", setup_rates},
    {"critical", "the alignments at which the search loses its drive", setup_critical},
    {"trajectory", "the overlaps and the risk in time", setup_trajectory},
    {"escape", "when the search ends, and where the run does", setup_escape},
    {"fixed-points", "the equilibria of the flow, with their eigenvalues", setup_fixed_points},
    {"budget", "pre-train, then fine-tune: what does it cost?", setup_budget},
    {"phase", "a diagram over two parameters", setup_phase},
    {"export", "the finished cells of a store, as a table and a figure", setup_export},
    {"merge", "several stores of one diagram into one", setup_merge},
    {"simulate", "training at finite dimension and learning rate", setup_simulate},
    {"validate", "theory and simulation side by side, with a verdict", setup_validate},
    {"plot", "the figure of a table that loradyn wrote", setup_plot},
    {"help", "the options of a command, with examples", setup_help},
    {"completion", "what bash, zsh or fish complete words by", setup_completion},
    {"man", "the manual page", setup_man},
}};

int fail(exit_code code, const std::string& message) {
  say_line(message);
  return code;
}

// What is wrong with a word that no option takes.
std::string unexpected_word(const CLI::App& app, const std::string& word) {
  std::vector<std::string> names;
  for (const CLI::Option* option : app.get_options()) {
    for (const std::string& name : option->get_lnames()) {
      names.push_back("--" + name);
    }
  }
  const std::string name = word.substr(0, word.find('='));
  if (name.starts_with("-")) {
    return fmt::format("{} is no option of loradyn {}; the nearest are {}", name, app.get_name(),
                       nearest_names(name, names));
  }
  return fmt::format("'{}' is one word too many for loradyn {}", word, app.get_name());
}

std::unique_ptr<CLI::App> make_app() {
  auto app =
      std::make_unique<CLI::App>("The high-dimensional theory of LoRA fine-tuning.", "loradyn");
  app->formatter(std::make_shared<help_formatter>());
  app->set_version_flag("--version", fmt::format("loradyn {}", version));
  app->require_subcommand(0, 1);
  app->footer("loradyn help COMMAND tells a command's options, with examples.");
  return app;
}

int run(int argc, char** argv) {
  const std::unique_ptr<CLI::App> owner = make_app();
  CLI::App& app = *owner;

  const std::span<char*> words(argv, static_cast<std::size_t>(argc));
  std::array<CLI::App*, commands.size()> subcommands{};
  std::array<std::function<int(const invocation&)>, commands.size()> runs;
  std::array<std::vector<option_list::rule>, commands.size()> rules;
  for (std::size_t i = 0; i < commands.size(); ++i) {
    subcommands[i] = app.add_subcommand(commands[i].name, commands[i].summary);
    // The name of an option in full, and negative numbers as values of options.
    subcommands[i]->allow_extras();
    // The options of all others would take as long as the rest of the start.
    if (std::find(words.begin(), words.end(), std::string_view(commands[i].name)) != words.end()) {
      option_list options(*subcommands[i]);
      runs[i] = commands[i].prepare(options);
      rules[i] = options.rules();
    }
  }

  if (words.size() < 2) {
    std::fputs(app.help().c_str(), stderr);
    return wrong_input;
  }
  const std::string first = words[1];
  std::vector<std::string> names;
  for (const command_entry& entry : commands) {
    names.emplace_back(entry.name);
  }
  if (!first.starts_with("-") && std::find(names.begin(), names.end(), first) == names.end()) {
    return fail(wrong_input, fmt::format("'{}' is no command of loradyn; the nearest are {}", first,
                                         nearest_names(first, names)));
  }
  try {
    app.parse(argc, argv);
  } catch (const CLI::Success& e) {
    return app.exit(e);
  } catch (const CLI::ParseError& e) {
    return fail(wrong_input, e.what());
  }

  invocation call{"loradyn"};
  for (const char* word : words.subspan(1)) {
    call.command_line += " " + shell_quoted(word);
  }
  for (std::size_t i = 0; i < commands.size(); ++i) {
    if (!subcommands[i]->parsed()) {
      continue;
    }
    const std::vector<std::string> extras = subcommands[i]->remaining();
    if (!extras.empty()) {
      return fail(wrong_input, unexpected_word(*subcommands[i], extras.front()));
    }
    try {
      if (const CLI::Option* config = subcommands[i]->get_option_no_throw("--config");
          config != nullptr && config->count() > 0) {
        apply_config(*subcommands[i], config->as<std::string>(), names,
                     [] { return every_command().config_names(); });
      }
      require_effect(*subcommands[i], rules[i]);
      require_files_apart(*subcommands[i]);
      return runs[i](call);
    } catch (const reported_interruption&) {
      return 128 + interruption();
    } catch (const interrupted&) {
      return report_interruption(call.command_line.c_str());
    } catch (const file_error& e) {
      if (interruption() == 0) {
        throw;
      }
      // A call that the signal cut, or a table that could not be kept.
      fail(computation_failed, fmt::format("interrupted; {}", e.what()));
      return 128 + interruption();
    }
  }
  return fail(wrong_input, unexpected_word(app, first));
}

}  // namespace

namespace loradyn::cli {

every_command::every_command() : app_(make_app()) {
  for (const command_entry& entry : commands) {
    option_list options(*app_->add_subcommand(entry.name, entry.summary));
    runs_.push_back(entry.prepare(options));
  }
}

std::vector<std::string> every_command::config_names() const {
  std::vector<std::string> all;
  for (const CLI::App* command : app_->get_subcommands([](const CLI::App*) { return true; })) {
    for (std::string& name : cli::config_names(*command)) {
      all.push_back(std::move(name));
    }
  }
  return all;
}

}  // namespace loradyn::cli

int main(int argc, char** argv) {
  // Tables of half-lines take megabytes for milliseconds: given back to the system each time, they
  // cost a quarter more.
  mallopt(M_MMAP_THRESHOLD, 1 << 25);
  mallopt(M_TRIM_THRESHOLD, 1 << 28);
  open_standard_files();
  std::signal(SIGXFSZ, SIG_IGN);  // a file that may not grow is an error like a full disk
  catch_interruptions();
  try {
    return run(argc, argv);
  } catch (const drawing_error& e) {
    return fail(computation_failed, e.what());
  } catch (const convergence_error& e) {
    return fail(computation_failed, e.what());
  } catch (const loradyn::error& e) {
    return fail(wrong_input, e.what());
  } catch (const std::bad_alloc&) {
    return fail(computation_failed, "there is not enough memory for this table");
  } catch (const std::exception& e) {
    return fail(computation_failed, e.what());
  }
}
