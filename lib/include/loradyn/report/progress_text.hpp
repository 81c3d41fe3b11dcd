#pragma once

/// \file
/// What a line of progress says of a study, whose control is told how much is done.

#include <cstddef>
#include <string>

namespace loradyn {

/// Share, number, rate and time left. \param rate points a second; 0 where none is known
/// \param unit what is counted, in the plural \param note what else the line tells
std::string progress_text(std::size_t done, std::size_t total, double rate, const std::string& unit,
                          const std::string& note);

/// A text cut to so many characters of UTF-8.
std::string cut_to_width(const std::string& text, std::size_t width);

/// "12 s", "3 min 20 s", "2 h 5 min".
std::string duration_text(double seconds);

}  // namespace loradyn
