#pragma once

/// \file
/// Suggestions for a mistyped name.

#include <span>
#include <string>
#include <string_view>

namespace loradyn {

/// The known names nearest to `name` by edit distance, joined by ", ": at most three, nearest
/// first, none more than one edit farther than the nearest; ties keep the order of `known`.
std::string nearest_names(std::string_view name, std::span<const std::string> known);

}  // namespace loradyn
