#pragma once

/// \file
/// The equilibria of a network's flow over a sweep (docs/theory.md, section 14).

#include <array>
#include <cstdint>
#include <loradyn/study/control.hpp>
#include <loradyn/study/fixed_points.hpp>
#include <loradyn/study/network.hpp>
#include <loradyn/study/pair.hpp>
#include <loradyn/study/parameter.hpp>
#include <loradyn/study/row.hpp>
#include <string>
#include <vector>

namespace loradyn::study {

/// The most starts of a point.
inline constexpr std::uint64_t max_starts = 1'000'000;
/// How many it has where nothing is said.
inline constexpr std::uint64_t standard_starts = 400;

/// All equilibria of the flow, for pairs over a grid of parameters.
struct network_fixed_points_problem {
  std::vector<activation_pair> pairs;
  parameter_grid grid;
  network_layout layout;
  double scale =
      0.1;  ///< as that of a start: nothing depends on it but where Newton's method starts
  std::uint64_t starts = standard_starts;  ///< of Newton's method at each point
  std::uint64_t seed = 0;
};

/// An equilibrium, or that none was found.
struct network_fixed_point_row {
  row_key key;
  std::int64_t starts = 0;  ///< that led to it
  network_record at;
  std::array<complex_number, 3> eigenvalues;  ///< the first by real part; NaN where there are fewer
  std::int64_t unstable = 0;
  std::int64_t flat = 0;
  std::string kind;
  std::string status;
};

/// The columns of its rows.
row_description<network_fixed_point_row> network_fixed_point_columns(const network_shape& shape);

/// A row for each equilibrium.
struct network_fixed_points_result {
  std::vector<network_fixed_point_row> rows;
  std::size_t finished = 0;  ///< points: all of them, or the first where it was stopped
};

/// \throws argument_error for what does not fit together, interrupted
network_fixed_points_result fixed_points(const network_fixed_points_problem& problem,
                                         const study_control& control);

}  // namespace loradyn::study
