#include <loradyn/analysis/critical.hpp>
#include <loradyn/effort.hpp>
#include <loradyn/error.hpp>
#include <loradyn/study/critical.hpp>
#include "nan.hpp"

namespace loradyn::study {

row_description<critical_row> critical_columns() {
  row_description<critical_row> columns;
  columns.add_part(key_columns({}), &critical_row::key)
      .add("mu_c", "a root of A", measure::none, &critical_row::mu_c)
      .add("B", "B at the root", measure::rate, &critical_row::B)
      .add("slope", "A'(mu_c)", measure::rate, &critical_row::slope)
      .add("status", "whether τ diverges there", measure::none, &critical_row::status);
  return columns;
}

critical_result critical(const critical_problem& problem, const study_control& control) {
  critical_result result;
  for (const activation_pair& pair : problem.pairs) {
    const row_key key(pair, problem.at);
    const double unit = pair.rate_unit;
    const point_watch::visit here(control.watch, result.finished);
    const effort_limit limit(row_effort);
    try {
      check_stop();
      for (const critical_alignment& root : critical_alignments(
               pair.risk, problem.at.parameters, problem.range.lo, problem.range.hi)) {
        result.rows.push_back({key, root.alignment, root.B / unit, root.slope / unit,
                               std::string(to_string(root.status))});
        if (root.status == critical_status::unresolved) {
          result.unresolved.push_back({key.student, key.teacher, root.lo, root.hi});
        }
      }
    } catch (const interrupted&) {
      break;
    } catch (const error&) {
      result.rows.push_back({key, nan, nan, nan, "no-convergence"});
    }
    ++result.finished;
    if (control.progress) {
      control.progress(result.finished, problem.pairs.size());
    }
  }
  return result;
}

}  // namespace loradyn::study
