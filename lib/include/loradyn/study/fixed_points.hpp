#pragma once

/// \file
/// The equilibria of the flow over a sweep, and the plane about them (docs/theory.md, section 8).

#include <loradyn/analysis/phase_plane.hpp>
#include <loradyn/study/control.hpp>
#include <loradyn/study/escape.hpp>
#include <loradyn/study/pair.hpp>
#include <loradyn/study/parameter.hpp>
#include <loradyn/study/row.hpp>
#include <string>
#include <vector>

namespace loradyn::study {

/// All equilibria of the flow, for pairs over a grid of parameters.
struct fixed_points_problem {
  std::vector<activation_pair> pairs;
  parameter_grid grid;  ///< κ > 0: with u frozen the equilibria are curves over u
};

/// A number with an imaginary part, in two columns.
struct complex_number {
  double real = 0.0;
  double imaginary = 0.0;
};

/// An equilibrium, or that there is none.
struct fixed_point_row {
  row_key key;
  overlap_state x;
  double M = 0.0;
  double Q = 0.0;
  double risk = 0.0;
  complex_number eig1;  ///< by decreasing real part
  complex_number eig2;
  complex_number eig3;
  std::string kind;
  std::string status;
};

/// The columns of its rows.
row_description<fixed_point_row> fixed_point_columns();

/// The rows of a point. The parameters have been checked: a failure is a status.
std::vector<fixed_point_row> fixed_points_at(const prepared_pair& pair, const parameter_point& at);

/// A row for each equilibrium.
struct fixed_points_result {
  std::vector<fixed_point_row> rows;
  std::size_t finished = 0;  ///< points: all of them, or the first where it was stopped
};

/// Asks it. \throws argument_error, interrupted
fixed_points_result fixed_points(const fixed_points_problem& problem, const study_control& control);

/// The plane (u, m) at the s of a start, with the run from there.
struct phase_portrait {
  overlap_state start;
  std::vector<overlap_state> run;
  double reach = 0.0;      ///< of |u|
  std::size_t arrows = 0;  ///< across
  phase_plane plane;
};

/// \param equilibria which the plane is to hold
phase_portrait portrait(const learning_task& task, const parameter_point& at,
                        const std::vector<fixed_point_row>& equilibria);

}  // namespace loradyn::study
