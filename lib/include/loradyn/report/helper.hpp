#pragma once

/// \file
/// What stands beside the programs and is started or loaded only when it is needed: the program
/// that reads and writes HDF5, the module that speaks MPI.

#include <filesystem>
#include <string>

namespace loradyn {

/// Where they are looked for: `../lib/loradyn` (or what CMAKE_INSTALL_LIBDIR was) from the
/// directory of the running program, whatever links lead to it; so an installation may be moved as
/// a whole.
std::filesystem::path helper_directory();

/// For a program that stands elsewhere; loradyn's CMake package tells the directory as
/// `loradyn_HELPER_DIR`. To be called before other threads read or write tables.
void set_helper_directory(std::filesystem::path directory);

/// The file of one. \throws file_error where it is missing, naming it and what needs it
std::filesystem::path helper_file(const std::string& name, const std::string& needed_by);

}  // namespace loradyn
