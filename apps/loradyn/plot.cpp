// loradyn plot: the figure of a table that the program wrote.

#include <loradyn/error.hpp>
#include <loradyn/figures/table_figure.hpp>
#include <loradyn/report/figure.hpp>
#include <memory>
#include <string>

#include "command.hpp"
#include "message.hpp"
#include "options.hpp"

namespace loradyn::cli {
namespace {

struct plot_options {
  std::string table;
  std::string figure;
  std::string over;
  look_options look;
};

int run_plot(const plot_options& options) {
  if (options.table.empty()) {
    throw error("TABLE is missing: name a table that loradyn wrote");
  }
  if (options.figure.empty()) {
    throw error("--output is missing: name the figure, such as -o tau.svg");
  }
  figure f = [&] {
    try {
      return figure_of_file(options.table);
    } catch (const file_error&) {
      throw;  // it names the file
    } catch (const error& e) {
      throw error("TABLE '" + options.table + "': " + e.what());
    }
  }();
  if (!options.over.empty()) {
    try {
      add_points_of_file(f, options.over);
    } catch (const argument_error& e) {
      throw argument_error("--over", e.value(), e.expected());
    }
  }
  try {
    figure_file(options.figure, options.look.style()).draw(f);
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
  auto options = std::make_shared<plot_options>();
  list.text("table", options->table, "a table that loradyn wrote: .csv, .json or .h5", "TABLE");
  list.text("-o,--output", options->figure,
            "the figure: .svg, .pdf, .png or .tex, its gnuplot script and data beside it",
            "FIGURE");
  list.text("--over", options->over,
            "a table whose first two columns of numbers are points over the figure's first panel",
            "TABLE");
  options->look.add_to(list);
  list.footer("Example:\n  loradyn plot tau.csv -o tau.pdf");
  return [options](const invocation&) { return run_plot(*options); };
}

}  // namespace loradyn::cli
