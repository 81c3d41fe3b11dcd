#include <loradyn/analysis/network_critical.hpp>
#include <loradyn/effort.hpp>
#include <loradyn/error.hpp>
#include <loradyn/study/network_critical.hpp>
#include "nan.hpp"
#include "study/network_parts.hpp"

namespace loradyn::study {
namespace {

std::vector<double> numbers(const Eigen::VectorXd& v) { return {v.begin(), v.end()}; }

network_critical_row row_of(const row_key& key, double unit,
                            const network_critical_alignment& found) {
  const critical_alignment& root = found.root;
  return {key,
          root.alignment,
          static_cast<std::int64_t>(found.modes),
          root.B / unit,
          root.slope / unit,
          found.rate / unit,
          numbers(found.neurons),
          numbers(found.targets),
          std::string(to_string(root.status))};
}

void require_search(const network_layout& layout) {
  if (layout.trained != trained_part::lora) {
    throw argument_error("train", std::string(name_of(trained_parts, layout.trained)),
                         "lora, for nothing else has a search");
  }
}

}  // namespace

aligned_family family_of(const network_layout& layout, const parameter_point& at) {
  return {layout.width,
          layout.teacher_width,
          layout.off_target.value_or(layout.width),
          at.parameters.misalignment,
          layout.readout,
          layout.geometry};
}

row_description<network_critical_row> network_critical_columns(const network_shape& s) {
  using row = network_critical_row;
  row_description<row> columns;
  columns.add_part(key_columns({}), &row::key)
      .add("mu_c", "where the mode loses its drive", measure::none, &row::mu_c)
      .add("modes", "that lose it together, by symmetry", measure::none, &row::modes)
      .add("B", "B of the mode there", measure::rate, &row::B)
      .add("slope", "of its drive", measure::rate, &row::slope)
      .add("lambda", "growth rate of the fastest mode there", measure::rate, &row::lambda)
      .add_each(entry_names("u", s.width), "how the mode moves the neuron", measure::none, &row::u)
      .add_each(entry_names("m", s.teacher_width), "towards the target", measure::none, &row::m)
      .add("status", "whether the mode's time diverges there", measure::none, &row::status);
  return columns;
}

network_critical_result critical(const network_critical_problem& problem,
                                 const study_control& control) {
  require_search(problem.layout);
  const critical_problem& asked = problem.asked;
  const aligned_family family = family_of(problem.layout, asked.at);
  const network_parameters parameters = parameters_of(problem.layout, asked.at);
  network_critical_result result;
  for (const activation_pair& pair : asked.pairs) {
    const row_key key(pair, asked.at);
    const point_watch::visit here(control.watch, result.finished);
    const effort_limit limit(row_effort);
    try {
      check_stop();
      for (const network_critical_alignment& found : critical_alignments(
               task_of(pair, problem.layout), family, parameters, asked.range.lo, asked.range.hi)) {
        result.rows.push_back(row_of(key, pair.rate_unit, found));
        if (found.root.status == critical_status::unresolved) {
          result.unresolved.push_back({key.student, key.teacher, found.root.lo, found.root.hi});
        }
      }
    } catch (const interrupted&) {
      break;
    } catch (const argument_error&) {
      throw;
    } catch (const error&) {
      network_critical_alignment nothing{
          {nan, nan, nan, critical_status::unresolved}, 1, {}, {}, nan};
      nothing.neurons.setConstant(family.width, nan);
      nothing.targets.setConstant(family.teacher_width, nan);
      result.rows.push_back(row_of(key, pair.rate_unit, nothing));
    }
    ++result.finished;
    if (control.progress) {
      control.progress(result.finished, asked.pairs.size());
    }
  }
  return result;
}

}  // namespace loradyn::study
