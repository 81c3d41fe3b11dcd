#pragma once

/// \file
/// What a parameter's value is as JSON.

#include <nlohmann/json.hpp>
#include <string>

namespace loradyn {

/// What is nested deeper is not taken for JSON: functions that go into themselves stay shallow.
inline constexpr int deepest_json = 16;

/// The value, which is a text where it is no JSON.
nlohmann::ordered_json parameter_json(const std::string& value);

}  // namespace loradyn
