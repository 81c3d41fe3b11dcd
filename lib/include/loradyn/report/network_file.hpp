#pragma once

/// \file
/// Networks in TOML files: rows and readouts of a user's own, and where a run ends.

#include <loradyn/model/network.hpp>
#include <loradyn/study/network.hpp>
#include <string>

namespace loradyn {

/// Where a run ends: the frozen rows with the readouts then, and the state beside them.
struct network_start_values {
  network_geometry geometry;
  study::network_given_start start;
};

/// Whether a file of --start is a network's: it has V's rows. False where it can't be read.
bool is_network_start_file(const std::string& path);

/// The rows teacher, pretrained and source, or their gram with teacher-width and width; readout,
/// teacher-readout and source-readout, 1 where they are left out; U (where U and V train), C and P.
/// \param path or the content itself, as a JSON object
/// \throws error, naming the file and the key; argument_error for what is no Gram matrix;
/// file_error
network_start_values read_network_start_file(const std::string& path);

/// Writes what is read back to the same bits. \throws file_error
void write_network_start_file(const std::string& path, const network_start_values& values);

}  // namespace loradyn
