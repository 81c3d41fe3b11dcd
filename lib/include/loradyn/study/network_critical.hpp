#pragma once

/// \file
/// The alignments at which modes of a network's search lose their drive (docs/theory.md, section
/// 14).

#include <cstdint>
#include <loradyn/study/control.hpp>
#include <loradyn/study/critical.hpp>
#include <loradyn/study/network.hpp>
#include <loradyn/study/row.hpp>
#include <string>
#include <vector>

namespace loradyn::study {

/// Where modes lose their drive on an interval, for each pair.
struct network_critical_problem {
  critical_problem asked;
  network_layout layout;
};

/// One root of one mode's drive.
struct network_critical_row {
  row_key key;
  double mu_c = 0.0;
  std::int64_t modes = 0;  ///< that lose it together, by symmetry
  double B = 0.0;
  double slope = 0.0;
  double lambda = 0.0;    ///< the rate of the fastest mode there
  std::vector<double> u;  ///< which neurons the mode moves
  std::vector<double> m;  ///< and towards which targets
  std::string status;
};

/// The columns of its rows.
row_description<network_critical_row> network_critical_columns(const network_shape& shape);

/// A row for each root, and the pieces that could not be followed.
struct network_critical_result {
  std::vector<network_critical_row> rows;
  std::vector<critical_result::piece> unresolved;
  std::size_t finished = 0;  ///< pairs: all of them, or the first where it was stopped
};

/// \throws argument_error unless the interval has lo < hi, and for a layout that has no search
network_critical_result critical(const network_critical_problem& problem,
                                 const study_control& control);

}  // namespace loradyn::study
