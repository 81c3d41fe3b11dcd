#pragma once

// The help, as wide as the terminal.

#include <CLI/CLI.hpp>
#include <cstddef>
#include <string>

namespace loradyn::cli {

// The columns of the terminal: COLUMNS, else what the system says of standard output, else 80.
std::size_t help_width();

// Paragraphs in lines of at most so many characters, each behind `indent` spaces. A line that
// begins with two spaces is an example: it stays a line, or goes on behind a backslash.
std::string wrapped(const std::string& text, std::size_t width, std::size_t indent = 0);

class help_formatter : public CLI::Formatter {
 public:
  std::string make_option(const CLI::Option* option, bool is_positional) const override;
  std::string make_option_opts(const CLI::Option* option) const override;
  std::string make_subcommand(const CLI::App* command) const override;
  std::string make_description(const CLI::App* app) const override;
  std::string make_usage(const CLI::App* app, std::string name) const override;
  std::string make_footer(const CLI::App* app) const override;
};

}  // namespace loradyn::cli
