#pragma once

/// \file
/// The alignments at which the search loses its drive (docs/theory.md, section 5).

#include <loradyn/study/control.hpp>
#include <loradyn/study/pair.hpp>
#include <loradyn/study/row.hpp>
#include <loradyn/sweep/range.hpp>
#include <string>
#include <vector>

namespace loradyn::study {

/// Where the drive vanishes on an interval, for each pair.
struct critical_problem {
  std::vector<activation_pair> pairs;
  parameter_point at;  ///< ν and κ are used
  interval range;      ///< of μ, its ends left out
};

/// One critical alignment.
struct critical_row {
  row_key key;
  double mu_c = 0.0;
  double B = 0.0;
  double slope = 0.0;
  std::string status;
};

/// Of the key, the names alone.
row_description<critical_row> critical_columns();

/// A row for each root, and the pieces that could not be followed.
struct critical_result {
  /// A piece of the interval on which A can't be followed.
  struct piece {
    std::string student;
    std::string teacher;
    double lo = 0.0;
    double hi = 0.0;
  };

  std::vector<critical_row> rows;
  std::vector<piece> unresolved;
  std::size_t finished = 0;  ///< pairs: all of them, or the first where it was stopped
};

/// \throws argument_error unless the interval has lo < hi
critical_result critical(const critical_problem& problem, const study_control& control);

}  // namespace loradyn::study
