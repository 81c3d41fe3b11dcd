#pragma once

/// \file
/// Networks in TOML files: rows and readouts of a user's own.

#include <loradyn/model/network.hpp>
#include <string>

namespace loradyn {

/// The rows teacher, pretrained and source, or their gram with teacher-width and width, and
/// readout, teacher-readout and source-readout, 1 where they are left out.
/// \throws error, naming the file and the key; argument_error for what is no Gram matrix
network_geometry read_network_file(const std::string& path);

}  // namespace loradyn
