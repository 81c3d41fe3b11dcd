#include "options.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <array>
#include <cmath>
#include <loradyn/activation/parse.hpp>
#include <loradyn/report/progress_text.hpp>

#include "message.hpp"

namespace loradyn::cli {

namespace registry = study::registry;

namespace {

std::string option_of(const study::parameter& p) { return "--" + std::string(p.name); }

// A parameter's option, with its range in the help.
void add_parameter(option_list& list, const study::parameter& p, const std::string& type,
                   const std::string& standard) {
  const std::string range = p.range();
  list.text(option_of(p), std::string(p.meaning) + (range.empty() ? "" : ", " + range), type,
            standard);
}

}  // namespace

void add(option_list& list, std::span<const option_text> options) {
  for (const option_text& o : options) {
    list.text(o.name, o.meaning, o.type, o.standard);
  }
}

void add_look(option_list& list) {
  static constexpr std::array<option_text, 3> look{
      {{"--size", "W,H|column|page",
        "of the figure: width and height in cm, or column (8.6 cm wide) or page (17.8); "
        "texts have 8 to 10 pt then"},
       {"--font", "NAME", "of the figure (default: Helvetica)"},
       {"--style", "light|dark|print", "of the figure: for a light page, a dark one, or ink",
        "light"}}};
  add(list, look);
}

void add_table(option_list& list) {
  list.text("-o,--output", "the table: .csv, .json or .h5; - is standard output, as without it",
            "FILE");
  list.text("--format", "of the table, whatever its name (default: its ending, or csv)",
            "csv|json|h5");
  list.flag("--no-header", "of csv the rows alone, without parameters and names of columns");
}

void add_shared(option_list& list) {
  list.texts("--student",
             "the student's activation, or a list a,b,c: a curve each;\n"
             "given again: another panel of the figure. An expression of\n" +
                 activation_grammar(),
             "NAME");
  list.text(
      "--teacher",
      "the teacher's; one for all, one each, or a list for one student (default: the student's)",
      "NAME");
  for (const study::parameter* p : study::model_parameters) {
    if (p != &registry::mu) {
      add_parameter(list, *p, "R", fmt::format("{}", *p->standard));
    }
  }
  list.text("--time-unit", "raw, or fisher: times in units of 1/E[student'(z)^2]", "raw|fisher",
            "raw");
  add_table(list);
  list.text("--plot", "the figure: .svg, .pdf, .png or .tex, its gnuplot script and data beside it",
            "FILE");
  add_look(list);
  list.text("--config", "read options from a TOML file (-: standard input); the command line wins",
            "FILE");
  list.number("--seed", "seed of the random numbers", 0, 0, UINT64_MAX);
  constexpr std::uint64_t most_threads = 4096;
  list.number("--threads", "threads to use; 0: all. Results don't depend on it", 0, 0,
              most_threads);
  list.flag("-q,--quiet", "no progress and no notes on standard error");
  list.flag("--progress", "progress even where standard error is no terminal");
  list.flag("--verbose", "tell on standard error how the numbers are made");
}

void add_mu(option_list& list, const std::string& type, const std::string& standard) {
  add_parameter(list, registry::mu, type, standard);
}

void add_start(option_list& list, const std::string& u0, const std::string& m0) {
  list.text(option_of(registry::u0), std::string(registry::u0.meaning) + " (default: " + u0 + ")",
            "X");
  add_parameter(list, registry::m0, "X",
                m0.empty() ? fmt::format("{}", *registry::m0.standard) : m0);
  add_parameter(list, registry::s0, "X", fmt::format("{}", *registry::s0.standard));
}

void add_start_file(option_list& list) {
  list.text("--start", "start from what trajectory --end-state wrote: u, m, s, mu and nu", "FILE");
  list.exclude("--start", {"--u0", "--m0", "--s0", "--mu", "--nu"});
}

void add_event(option_list& list, const std::string& quantity, const std::string& at,
               const std::string& type) {
  list.text("--event", "what tells the end of the search: m, M or risk", "m|M|risk", quantity);
  list.text("--at", "the value it reaches (default: " + at + ")", type);
  list.flag("--signed", "m or M itself, not its absolute value");
}

void add_integrator(option_list& list, std::uint64_t max_steps) {
  static constexpr std::array<option_text, 4> integrator{
      {{"--t-max", "X", "the time after which a run is given up", "inf"},
       {"--rtol", "X", "relative tolerance of a step, 1e-13 to 0.1", "1e-9"},
       {"--atol", "X", "absolute tolerance of a step", "1e-16"},
       {"--stepper", "auto|explicit|stiff",
        "auto, explicit (Dormand-Prince) or stiff (implicit Euler, extrapolated)", "auto"}}};
  add(list, integrator);
  list.number("--max-steps", "steps after which a run is given up", max_steps, 1, UINT64_MAX);
}

void add_law(option_list& list, const std::string& type) {
  list.text(option_of(registry::dim),
            "the law of the escape time over random starts in this dimension,\nu0 = 1/d^2", type);
  list.text("--quantiles", "of that law", "R", "0.05,0.25,0.5,0.75,0.95");
}

void add_network(option_list& list, bool with_scale) {
  static constexpr std::array<option_text, 9> layout{
      {{"--width", "K", "neurons of the student (default: 1)"},
       {"--rank", "R", "adapters (default: 1)"},
       {"--teacher-width", "K", "neurons of the teacher (default: 1)"},
       {"--off-target", "N",
        "so many neurons start at mu and nu, the others at their target (default: all)"},
       {"--readout", "sum|mean|sqrt",
        "each neuron counts 1, 1/width or 1/sqrt(width) (default: sum)"},
       {"--adapter", "sphere|free|frobenius",
        "V's rows have norm 1, nothing holds them, or V keeps its Frobenius norm\n"
        "(default: sphere; free where all weights train)"},
       {"--train", "lora|v|full|scratch",
        "U and V, V alone, all weights from w0, or all from small random ones (default: lora)"},
       {"--decay", "X", "weight decay (default: 0)"},
       {"--readout-rate", "X",
        "learning rate of the readouts over V's; 0 freezes them (default: 0)"}}};
  static constexpr std::array<option_text, 2> scale{
      {{"--alpha", "X", "LoRA's alpha: W = W0 + s U V, s = alpha/rank (default: s = 1)"},
       {"--scaling", "rank|root", "s is alpha/rank, or alpha/sqrt(rank) (default: rank)"}}};
  static constexpr std::array<option_text, 3> source{
      {{"--source", "NAME", "the source task's activation: what is forgotten is a column"},
       {"--source-overlap", "X", "of each of the source's targets with the target's, -1 to 1"},
       {"--network", "FILE",
        "rows and readouts from a TOML file, in the place of --nu and the widths; --mu\n"
        "then sets their alignments"}}};
  add(list, layout);
  if (with_scale) {
    add(list, scale);
  }
  add(list, source);
}

void add_scratch_norm(option_list& list) {
  list.text("--scratch-norm",
            "the norm of the weights that --train scratch starts from (default: 0.1)", "X");
}

void add_network_start(option_list& list, bool with_dimension) {
  list.text("--start-batch",
            "a network's V starts along the gradient of so many samples (default: at random)", "N");
  add_scratch_norm(list);
  if (with_dimension) {
    list.text("--dim", "the dimension of a network's random start (default: 1000)", "D");
  }
}

figure_style read_style(const question& words) {
  figure_style style;
  style.font = words.text("font");
  style.theme = read_choice("--style", words.text("style"), figure_themes);
  if (words.says("size")) {
    style.size = read_figure_size("--size", words.text("size"));
  }
  return style;
}

bool shows_progress(const question& words) {
  return !words.says("quiet") && (words.says("progress") || ::isatty(STDERR_FILENO) != 0);
}

std::size_t read_threads(const question& words) {
  return static_cast<std::size_t>(read_count("--threads", words.text("threads"), 0, UINT64_MAX));
}

void tell_methods(const question& words, const std::vector<study::activation_pair>& pairs) {
  if (!words.says("verbose")) {
    return;
  }
  for (const study::activation_pair& pair : pairs) {
    say("averages of {}|{}: {}", pair.student(), pair.teacher(), pair.risk.method());
  }
}

void tell_work(const question& words, const integration_work& work) {
  if (words.says("verbose")) {
    say("integrated with {} right-hand sides and {} Jacobians: {} explicit steps (Dormand-Prince "
        "5(4)), {} stiff ones (implicit Euler, extrapolated), {} of them rejected",
        work.velocities, work.jacobians, work.explicit_steps, work.stiff_steps, work.rejected);
  }
}

void tell_error(const question& words, const study::tolerance_check& check,
                const std::string& number) {
  tell_work(words, check.work);
  if (words.says("verbose") && check.again) {
    say("{} = {}; with a tenth of the tolerance {}, which differs by {:.1g} of it", number,
        check.value, *check.again, std::abs(*check.again - check.value) / std::abs(check.value));
  }
}

point_name names_of(const std::vector<study::activation_pair>& pairs,
                    const study::parameter_grid& grid) {
  return [pairs, grid](std::uint64_t i) {
    const study::activation_pair& pair = pairs[static_cast<std::size_t>(i / grid.size())];
    std::vector<std::string> parts;
    const std::vector<const study::parameter*> varying = grid.told({});
    if (pairs.size() > 1 || varying.empty()) {
      parts.push_back(pair.student() == pair.teacher() ? pair.student()
                                                       : pair.student() + "|" + pair.teacher());
    }
    const study::parameter_point at = grid.at(static_cast<std::size_t>(i % grid.size()));
    for (const study::parameter* p : varying) {
      parts.push_back(fmt::format("{} = {:.6g}", p->name, p->get(at).value_or(0.0)));
    }
    return fmt::format("{}", fmt::join(parts, ", "));
  };
}

std::string slow_text(const study::point_watch& watch, const point_name& name) {
  constexpr double patience = 1.0;  // seconds
  const auto slowest = watch.slowest();
  return slowest && slowest->seconds > patience
             ? fmt::format("{} ({})", name(slowest->point), duration_text(slowest->seconds))
             : std::string();
}

}  // namespace loradyn::cli
