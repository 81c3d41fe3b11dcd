#pragma once

/// \file
/// The high-precision reference values under tests/reference.

#include <fstream>
#include <nlohmann/json.hpp>
#include <stdexcept>
#include <string>

namespace loradyn::test {

/// The parsed content of a file under tests/reference.
inline nlohmann::json reference(const std::string& file) {
  std::ifstream in(std::string(LORADYN_TEST_REFERENCE_DIR) + "/" + file);
  if (!in) {
    throw std::runtime_error("no reference file " + file);
  }
  return nlohmann::json::parse(in);
}

/// A decimal string, rounded once to double.
inline double number(const nlohmann::json& value) { return std::stod(value.get<std::string>()); }

}  // namespace loradyn::test
