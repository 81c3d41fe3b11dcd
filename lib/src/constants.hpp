#pragma once

/// \file
/// What has no value, and what has no bound. Internal to the library.

#include <limits>

namespace loradyn {

inline constexpr double nan = std::numeric_limits<double>::quiet_NaN();
inline constexpr double infinity = std::numeric_limits<double>::infinity();

}  // namespace loradyn
