// loradyn critical: every root of A on an interval.

#include <fmt/format.h>

#include <limits>
#include <loradyn/analysis/critical.hpp>
#include <loradyn/error.hpp>
#include <loradyn/sweep/range.hpp>
#include <memory>

#include "command.hpp"
#include "figures.hpp"
#include "interruption.hpp"
#include "options.hpp"
#include "output.hpp"

namespace loradyn::cli {
namespace {

struct critical_options {
  shared_options shared;
  std::string mu = "0:1";
};

int run_critical(const critical_options& options, const invocation& call) {
  const std::vector<activation_pair> pairs = read_pairs(options.shared);
  const interval range = parse_interval("--mu", options.mu);
  lora_parameters parameters = read_parameters(options.shared);
  parameters.misalignment =
      read_single_nu(options.shared, "one number here, for the table has no column for it");
  outputs out(options.shared);

  table t = make_table(call, options.shared, options.mu,
                       {"student", "teacher", "mu_c", "B", "slope", "status"});
  std::size_t finished = 0;
  for (const activation_pair& pair : pairs) {
    if (interruption() != 0) {
      break;
    }
    try {
      for (const critical_alignment& root :
           critical_alignments(pair.risk, parameters, range.lo, range.hi)) {
        t.rows.push_back({pair.student(), pair.teacher(), root.alignment, root.B / pair.rate_unit,
                          root.slope / pair.rate_unit, std::string(to_string(root.status))});
        if (root.status == critical_status::unresolved) {
          append(t, {{"unresolved", fmt::format("{}|{} on {}:{}", pair.student(), pair.teacher(),
                                                root.lo, root.hi)}});
        }
      }
    } catch (const interrupted&) {
      break;
    } catch (const error&) {  // the interval was checked before
      constexpr double nan = std::numeric_limits<double>::quiet_NaN();
      t.rows.push_back({pair.student(), pair.teacher(), nan, nan, nan, "no-convergence"});
    }
    ++finished;
  }
  out.write(t, critical_figure);
  if (finished < pairs.size()) {
    return report_interruption(finished, pairs.size(), call.command_line.c_str());
  }
  return exit_code_for(t);
}

}  // namespace

std::function<int(const invocation&)> setup_critical(CLI::App& app) {
  auto options = std::make_shared<critical_options>();
  app.add_option("--mu", options->mu, "interval of the alignment, its ends left out")
      ->type_name("LO:HI")
      ->capture_default_str();
  options->shared.add_to(app);
  app.footer(
      "Columns: student,teacher,mu_c,B,slope,status; slope is A'(mu_c); status is diverges (B < 0: "
      "tau\n"
      "goes to infinity there), finite (B > 0 or nu > 0: it does not), marginal (B = 0), touches "
      "(A\n"
      "is zero at its corner and keeps its sign), possible-double-root (a smooth A comes to zero\n"
      "within rounding and keeps its sign) or no-convergence (mu_c is nan: A can't be followed on "
      "a\n"
      "piece of the interval, which the lines above the table name). A student without a root has\n"
      "no row.\n\n"
      "Examples:\n"
      "  loradyn critical --student he3,he10\n"
      "  loradyn critical --student tanh --teacher relu --mu -1:1.5");
  return [options](const invocation& call) { return run_critical(*options, call); };
}

}  // namespace loradyn::cli
