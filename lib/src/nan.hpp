#pragma once

/// \file
/// What has no value. Internal to the library.

#include <limits>

namespace loradyn {

inline constexpr double nan = std::numeric_limits<double>::quiet_NaN();

}  // namespace loradyn
