#pragma once

/// \file
/// Where a run begins or ends, as a TOML file has it: mu, nu, u, m and s.

#include <loradyn/model/overlaps.hpp>
#include <string>

namespace loradyn {

/// The start of a run, as a file tells it.
struct start_values {
  double alignment = 0.0;
  double misalignment = 0.0;
  overlap_state x;
};

/// The values of a file that holds these five numbers and nothing else. \throws error
start_values read_start_file(const std::string& path);

/// Writes what is read back to the same bits. \throws file_error
void write_start_file(const std::string& path, const start_values& values);

}  // namespace loradyn
