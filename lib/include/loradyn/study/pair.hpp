#pragma once

/// \file
/// A student with its teacher and the place of a sweep, as every study takes them.

#include <loradyn/activation/activation.hpp>
#include <loradyn/model/learning_task.hpp>
#include <loradyn/model/population_risk.hpp>
#include <loradyn/names.hpp>
#include <loradyn/study/parameter.hpp>
#include <loradyn/study/row.hpp>
#include <span>
#include <string>

namespace loradyn::study {

/// Raw time counts steps times the learning rate; the other is E[σ'(z)²] times it.
enum class time_unit { raw, fisher };

/// Their names.
inline constexpr name_table<time_unit, 2> time_units{
    {{"raw", time_unit::raw}, {"fisher", time_unit::fisher}}};

/// A student and its teacher.
struct activation_pair {
  population_risk risk;
  double rate_unit = 1.0;  ///< rates are divided by it, times multiplied: 1, or E[σ'²]

  /// The student's name.
  [[nodiscard]] const std::string& student() const { return risk.student().name(); }
  /// The teacher's name.
  [[nodiscard]] const std::string& teacher() const { return risk.teacher().name(); }
  /// The task of the pair, with its noise moment.
  [[nodiscard]] learning_task task() const { return {risk.student(), risk.teacher()}; }
};

/// \throws argument_error for `fisher` and a student without slope
activation_pair make_pair(const activation& student, const activation& teacher, time_unit unit);

/// What names a row: the pair and the point of the sweep.
struct row_key {
  row_key() = default;
  /// Of a pair at a point.
  row_key(const activation_pair& pair, const parameter_point& point)
      : student(pair.student()), teacher(pair.teacher()), at(point) {}

  std::string student;
  std::string teacher;
  parameter_point at;
};

/// Adds the columns of some parameters.
void add_parameters(row_description<row_key>& columns,
                    std::span<const parameter* const> parameters);

/// Its columns: the two names and some parameters.
row_description<row_key> key_columns(std::span<const parameter* const> parameters);

}  // namespace loradyn::study
