#pragma once

/// \file
/// How long the search phase lasts (docs/theory.md, section 4).

#include <array>
#include <loradyn/analysis/search_phase.hpp>
#include <loradyn/study/control.hpp>
#include <loradyn/study/pair.hpp>
#include <loradyn/study/parameter.hpp>
#include <loradyn/study/row.hpp>
#include <span>
#include <string>
#include <vector>

namespace loradyn::study {

/// How long the search lasts, for pairs over a grid of parameters.
struct rates_problem {
  std::vector<activation_pair> pairs;
  parameter_grid grid;
};

/// The search phase at one point.
struct rates_row {
  row_key key;
  double A = 0.0;
  double B = 0.0;
  double C = 0.0;
  double lambda = 0.0;
  double tau = 0.0;
  std::string status;
};

/// The parameters that every table of rates has as columns.
inline constexpr std::array<const parameter*, 2> rates_parameters{&registry::mu, &registry::nu};

/// The columns of its rows, with those of the parameters told.
row_description<rates_row> rates_columns(std::span<const parameter* const> told = rates_parameters);

/// One row. The parameters have been checked: a failure is a status.
rates_row rates_at(const activation_pair& pair, const parameter_point& at,
                   search_kernels kernels = search_kernels::averaged);

/// A row for each pair and point of the grid; those of the first points where it is stopped. Of
/// 1024 points and more the kernels without a closed form are tabulated first.
std::vector<rates_row> rates(const rates_problem& problem, const study_control& control);

}  // namespace loradyn::study
