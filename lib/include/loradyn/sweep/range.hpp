#pragma once

/// \file
/// Ranges of a parameter, as text.

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace loradyn {

/// The largest number of values in one range.
inline constexpr std::size_t max_range_size = 10'000'000;

/// The values of a parameter, as they are asked for: a list, or points from one end to the other.
struct value_range {
  std::vector<double> list;  ///< not empty: these, and what follows says nothing
  double from = 0.0;
  double to = 1.0;
  std::uint64_t count = 2;   ///< of points, both ends among them
  bool logarithmic = false;  ///< in geometric progression

  /// Whether all members are equal.
  bool operator==(const value_range&) const = default;
};

/// Reads a number, a list `0.1,0.2,0.5`, or a range: `lo:hi:n` for n >= 2 points with both ends,
/// `log:lo:hi:n` for points in geometric progression.
/// \param name the parameter, for the message of an error
/// \throws argument_error where the text is none of these, a number is not finite, a range is empty
///         or reversed or has more than max_range_size points, or a logarithmic one is not positive
value_range read_range(std::string_view name, std::string_view text);

/// The text that read_range takes for this range.
std::string to_text(const value_range& range);

/// The values. The ends are exact; a point in between has an error of at most 2 ulp of the larger
/// end, and none is outside or out of order.
/// \throws argument_error for a range that read_range would refuse
std::vector<double> values_of(std::string_view name, const value_range& range);

/// Both in one.
std::vector<double> parse_range(std::string_view name, std::string_view text);

/// The point of a range at a fraction t of the way from lo to hi, with the error that `parse_range`
/// tells. \param logarithmic for lo > 0
double between(double lo, double hi, double t, bool logarithmic);

/// An interval `lo:hi` with lo < hi.
struct interval {
  double lo = 0.0;
  double hi = 1.0;
};

/// \throws argument_error as parse_range does
interval parse_interval(std::string_view name, std::string_view text);

/// One finite number.
/// \throws argument_error as parse_range does
double parse_number(std::string_view name, std::string_view text);

/// The parts of a text between separators; empty parts are kept.
std::vector<std::string_view> split(std::string_view text, char separator);

}  // namespace loradyn
