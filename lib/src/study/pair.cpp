#include <limits>
#include <loradyn/analysis/search_phase.hpp>
#include <loradyn/error.hpp>
#include <loradyn/study/pair.hpp>

namespace loradyn::study {

activation_pair make_pair(const activation& student, const activation& teacher, time_unit unit) {
  const bool fisher = unit == time_unit::fisher;
  activation_pair pair{population_risk(student, teacher),
                       fisher ? fisher_information(student) : 1.0};
  if (fisher && !(pair.rate_unit > 0.0)) {
    throw argument_error(
        "--time-unit", "'fisher'",
        "raw for the constant student '" + student.name() + "', which has no slope");
  }
  return pair;
}

void add_parameters(row_description<row_key>& columns,
                    std::span<const parameter* const> parameters) {
  for (const parameter* p : parameters) {
    columns.add_value(
        p->column(), std::string(p->meaning), measure::none,
        [p](const row_key& row) {
          return p->get(row.at).value_or(std::numeric_limits<double>::quiet_NaN());
        },
        [p](row_key& row, double value) { p->set(row.at, value); });
  }
}

row_description<row_key> key_columns(std::span<const parameter* const> parameters) {
  row_description<row_key> columns;
  columns.add("student", "the student's activation", measure::none, &row_key::student)
      .add("teacher", "the teacher's activation", measure::none, &row_key::teacher);
  add_parameters(columns, parameters);
  return columns;
}

}  // namespace loradyn::study
