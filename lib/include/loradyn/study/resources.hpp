#pragma once

/// \file
/// What a study is about to take, in memory and time: what can't be done is refused before it
/// starts.

#include <cstddef>
#include <span>
#include <string>
#include <vector>

namespace loradyn::study {

/// A value that makes the work larger, and how many times.
struct extent {
  std::string option;  ///< empty: none of the caller's own, never named
  std::string value;   // as it was given
  double count = 1.0;
  bool counts = false;  ///< the value is the count itself, not a range or a list
};

/// What one of the things takes that the extents count together.
struct unit_cost {
  std::string name;         // in the plural
  double bytes = 0.0;       // kept until the end
  double operations = 0.0;  ///< about a nanosecond each
};

/// More than this would keep a thousand cores busy for a day.
inline constexpr double most_operations = 1e17;

/// Throws argument_error, naming the option that counts most and what it may be at the most, where
/// there are more than `most` things, or they need more memory than there is or more than
/// most_operations.
void require_affordable(std::span<const extent> extents, const unit_cost& each, double most);

/// A table that is held in memory: so many bytes for each combination. Throws as above, for more
/// than max_range_size rows too.
void require_table(std::span<const extent> extents, double bytes);

/// A simulated run of so many steps. Throws as above.
struct simulation_size {
  extent runs;
  extent steps;
  extent batch;
  extent dimension;
  bool explicit_vectors = false;  ///< all d dimensions
};
/// Throws where so many such runs can't be afforded.
void require_simulation(const simulation_size& size, double cells = 1.0);

}  // namespace loradyn::study
