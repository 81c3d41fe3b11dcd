#pragma once

/// \file
/// What stands in a store's file.

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <loradyn/report/file.hpp>
#include <loradyn/report/store.hpp>
#include <string>
#include <vector>
#include "report/sqlite.hpp"

namespace loradyn {

inline constexpr std::uint32_t store_application_id = 0x6c6f7264;  // "lord"
inline constexpr std::uint32_t store_layout = 3;

/// "cell, <columns>, cost", as SQL.
std::string cell_columns(const std::vector<std::string>& columns);

/// \throws argument_error
void validate(const sweep_configuration& configuration);

/// Writes an empty store into an empty file.
void write_layout(const pending_file& file, const sweep_configuration& configuration,
                  std::chrono::milliseconds patience);

sweep_configuration read_configuration(const database& db);

/// \throws error with the first difference
void require_same(const std::filesystem::path& path, const sweep_configuration& stored,
                  const sweep_configuration& asked);

}  // namespace loradyn
