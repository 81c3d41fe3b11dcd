#pragma once

/// \file
/// A store as a file, before SQLite opens it.

#include <chrono>
#include <filesystem>
#include <loradyn/report/store.hpp>
#include <string>

namespace loradyn {

/// The name of a file of SQLite's beside the store.
std::filesystem::path beside(const std::filesystem::path& path, const char* ending);

/// Makes an empty store, whole or not at all, unless there is a file of that name.
void create_store(const std::filesystem::path& path, const sweep_configuration& configuration,
                  std::chrono::milliseconds patience);

/// Looks at the first bytes, so that SQLite never opens, and perhaps changes, a file that is not
/// ours. What they say never changes once a store has its name. \throws file_error
void require_ours(const std::filesystem::path& path);

/// Why the file or its directory can't be written, or nothing.
std::string write_obstacle(const std::filesystem::path& path);

}  // namespace loradyn
