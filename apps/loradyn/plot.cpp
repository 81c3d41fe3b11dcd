// loradyn plot: the figure of a table that the program wrote.

#include <array>
#include <loradyn/error.hpp>
#include <loradyn/figures/table_figure.hpp>
#include <loradyn/report/figure.hpp>
#include <string>

#include "command.hpp"
#include "message.hpp"
#include "options.hpp"

namespace loradyn::cli {
namespace {

int run_plot(const question& words, const invocation&) {
  const std::string table = words.text("table");
  const std::string file = words.text("output");
  if (table.empty()) {
    throw error("TABLE is missing: name a table that loradyn wrote");
  }
  if (file.empty()) {
    throw error("--output is missing: name the figure, such as -o tau.svg");
  }
  figure f = [&] {
    try {
      return figure_of_file(table);
    } catch (const file_error&) {
      throw;  // it names the file
    } catch (const error& e) {
      throw error("TABLE '" + table + "': " + e.what());
    }
  }();
  if (words.says("over")) {
    try {
      add_points_of_file(f, words.text("over"));
    } catch (const argument_error& e) {
      throw argument_error("--over", e.value(), e.expected());
    }
  }
  try {
    figure_file(file, read_style(words)).draw(f);
    if (!has_content(f)) {
      say("the figure is empty: {}", f.panels.front().nothing);
    }
  } catch (const argument_error& e) {
    throw argument_error("--output", e.value(), "a name that ends in " + e.expected());
  }
  return done;
}

}  // namespace

std::function<int(const invocation&)> setup_plot(option_list& list) {
  static constexpr std::array<option_text, 3> files{
      {{"table", "TABLE", "a table that loradyn wrote: .csv, .json or .h5"},
       {"-o,--output", "FIGURE",
        "the figure: .svg, .pdf, .png or .tex, its gnuplot script and data beside it"},
       {"--over", "TABLE",
        "a table whose first two columns of numbers are points over the figure's first panel"}}};
  add(list, files);
  add_look(list);
  list.footer(
      "Example:\n"
      "  loradyn plot tau.csv -o tau.pdf");
  return running(list, run_plot);
}

}  // namespace loradyn::cli
